package checkout_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// keys are the different keys of requests, in order.
func keys(requests []sent) (out []string) {
	for _, a := range requests {
		if !slices.Contains(out, a.key) {
			out = append(out, a.key)
		}
	}
	return out
}

func TestADoubleClickIsOneOrder(t *testing.T) {
	f := newFake(t)
	p := f.page()
	f.fail("order", fault{hold: true})
	p.js(`window.made = []; sdk.bindButton(b, async () => made.push(await checkout.placeOrder(cart)), { quiet: 300 }); b.focus(); 0`, nil)
	p.run(chromedp.DoubleClick(chromedp.CSS("#b")))
	f.awaitHeld()
	// The answer has not arrived yet: the button is busy, and ignores clicks.
	p.until(`b.disabled && b.getAttribute('aria-busy') === 'true'`)
	p.js(`for (let i = 0; i < 20; i++) { b.click(); b.dispatchEvent(new MouseEvent('click')); } 0`, nil)
	close(f.release)
	p.until(`made.length > 0`)
	p.js(`for (let i = 0; i < 20; i++) b.click(); 0`, nil) // within the quiet time
	p.until(`!b.disabled && !b.hasAttribute('aria-busy') && document.activeElement === b`)
	if got := f.requests("order"); len(got) != 1 || got[0].key == "" {
		t.Errorf("%d requests, first key %q; want one with a key", len(got), got[0].key)
	}
	// A later click is a new intent.
	p.run(chromedp.Click(chromedp.CSS("#b")))
	p.until(`made.length === 2`)
	if f.orders != 2 {
		t.Errorf("%d orders for two clicks", f.orders)
	}
}

func TestCallsAtOnceShareOneRequest(t *testing.T) {
	f := newFake(t)
	p := f.page()
	var nos []string
	p.js(`Promise.all([checkout.placeOrder(cart), checkout.placeOrder({ items: cart.items, userId: 'u' })]).then((all) => all.map((o) => o.orderNo))`, &nos)
	if got := f.requests("order"); len(got) != 1 || nos[0] != nos[1] {
		t.Errorf("%d requests, orders %v; want one", len(got), nos)
	}
}

func TestARepeatHasTheSameKey(t *testing.T) {
	for name, faults := range map[string][]fault{
		"the answer is lost":         {{drop: true}},
		"half of the answer":         {{half: true}},
		"server errors":              {{status: 500, code: "internal"}, {status: 503}, {drop: true}},
		"the channel of a proxy":     {{status: 502}, {status: 504}},
		"too many, with a time":      {{status: 429, retry: "1", code: "rate_limited"}},
		"too many, with a date":      {{status: 429, retry: time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat), code: "rate_limited"}},
		"too many, without a time":   {{status: 429, code: "rate_limited"}, {status: 429}},
		"done, then out of reach":    {{drop: true}, {status: 503}, {half: true}},
		"the last of all attempts":   {{drop: true}, {drop: true}, {drop: true}, {drop: true}, {drop: true}},
		"what the channel times out": {{status: 504, code: "channel_timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			p := f.page()
			f.fail("order", faults...)
			var made struct{ OrderNo string }
			p.js(`checkout.placeOrder(cart, { expectedPayableAmount: 100 })`, &made)
			got := f.requests("order")
			if len(got) != len(faults)+1 || len(keys(got)) != 1 {
				t.Errorf("%d requests with the keys %v; want %d with one", len(got), keys(got), len(faults)+1)
			}
			if f.orders != 1 || made.OrderNo != "1" {
				t.Errorf("%d orders, the page has %s; want one", f.orders, made.OrderNo)
			}
			for i := range got {
				if got[i].body != got[0].body {
					t.Errorf("attempt %d sent %s, not %s", i, got[i].body, got[0].body)
				}
			}
			if faults[0].retry == "1" {
				if waited := got[1].at.Sub(got[0].at); waited < time.Second {
					t.Errorf("came back after %v in spite of Retry-After: 1", waited)
				}
			}
		})
	}
}

// A refusal is an answer: it is reported, and the next click is a new intent.
func TestARefusalIsFinal(t *testing.T) {
	for _, is := range []fault{
		{status: 409, code: "price_changed"}, {status: 422, code: "coupon_not_applicable"}, {status: 400, code: "validation_failed"},
		{status: 502, code: "channel_rejected"},
	} {
		t.Run(is.code, func(t *testing.T) {
			f := newFake(t)
			p := f.page()
			f.fail("order", is)
			var e struct {
				Code, Detail, TraceID string
				Status                int
				Unknown               bool
				Errors                []struct{ Pointer, Message string }
			}
			p.js(`caught(checkout.placeOrder(cart))`, &e)
			if e.Code != is.code || e.Status != is.status || e.Detail != "refused" || e.TraceID != "t1" || e.Unknown || len(e.Errors) != 1 || e.Errors[0].Pointer != "/items" {
				t.Errorf("rejected with %+v", e)
			}
			p.js(`checkout.placeOrder(cart).then(() => 0)`, nil)
			if got := f.requests("order"); len(got) != 2 || len(keys(got)) != 2 {
				t.Errorf("%d requests with %d keys; want two intents", len(got), len(keys(got)))
			}
		})
	}
}

func TestAfterTheLastAttemptTheSameCallGoesOn(t *testing.T) {
	f := newFake(t)
	p := f.page()
	f.fail("order", slices.Repeat([]fault{{drop: true}}, 6)...)
	var e struct {
		Code    string
		Unknown bool
	}
	p.js(`caught(checkout.placeOrder(cart))`, &e)
	if e.Code != "network_error" || !e.Unknown {
		t.Errorf("rejected with %+v; want an unknown network_error", e)
	}
	p.js(`checkout.placeOrder(cart).then(() => 0)`, nil)
	if got := f.requests("order"); len(got) != 7 || len(keys(got)) != 1 || f.orders != 1 {
		t.Errorf("%d requests, %d keys, %d orders; want 7, 1, 1", len(got), len(keys(got)), f.orders)
	}
	// A wait that is too long is left to the caller.
	f.fail("order", fault{status: 429, retry: "3600", code: "rate_limited"})
	p.js(`caught(checkout.placeOrder(cart))`, &e)
	if e.Code != "rate_limited" || len(f.requests("order")) != 1 {
		t.Errorf("a Retry-After of an hour gave %+v", e)
	}
}

func TestAChangedCartIsANewIntent(t *testing.T) {
	f := newFake(t)
	p := f.page()
	f.fail("order", fault{hold: true})
	p.js(`window.first = checkout.placeOrder(cart); 0`, nil)
	f.awaitHeld()
	var second struct{ OrderNo string }
	p.js(`checkout.placeOrder({ ...cart, items: [{ sku: 'a', quantity: 3 }] })`, &second)
	close(f.release)
	p.js(`first.then(() => 0)`, nil)
	if got := f.requests("order"); len(got) != 2 || len(keys(got)) != 2 || second.OrderNo != "2" {
		t.Errorf("%d requests with %d keys, second order %s", len(got), len(keys(got)), second.OrderNo)
	}
	if left := p.text(`JSON.stringify(Object.keys(sessionStorage))`); left != "[]" {
		t.Errorf("intents left over: %s", left)
	}
}

func TestAReloadRepeatsTheIntent(t *testing.T) {
	f := newFake(t)
	p := f.page()
	f.fail("order", fault{hold: true})
	p.js(`checkout.placeOrder(cart, { expectedPayableAmount: 100 }); 0`, nil)
	f.awaitHeld() // done at the server; the page will never know of it
	p.run(chromedp.Reload())
	p.until(`window.listen !== undefined`)
	var again, none struct{ OrderNo string }
	p.js(`checkout.resume()`, &again)
	p.js(`checkout.resume()`, &none)
	got := f.requests("order")
	if len(got) != 2 || len(keys(got)) != 1 || got[0].body != got[1].body || f.orders != 1 || again.OrderNo != "1" || none.OrderNo != "" {
		t.Errorf("%d requests, %d keys, %d orders, resumed %q and then %q; want one order found again", len(got), len(keys(got)), f.orders, again.OrderNo, none.OrderNo)
	}

	// If the order is not resumed but the button is clicked again, it is the same
	// intent too; another tab has its own.
	f.set(func(f *fake) { f.held = make(chan struct{}) })
	f.fail("order", fault{hold: true})
	p.js(`checkout.placeOrder(cart); 0`, nil)
	f.awaitHeld()
	p.run(chromedp.Reload())
	p.until(`window.listen !== undefined`)
	other := p.sibling()
	other.visit(f.URL)
	other.until(`window.listen !== undefined`)
	other.js(`checkout.placeOrder(cart).then(() => 0)`, nil)
	p.js(`checkout.placeOrder(cart).then(() => 0)`, nil)
	if got := f.requests("order"); len(got) != 3 || got[0].key != got[2].key || got[0].key == got[1].key || f.orders != 3 {
		t.Errorf("%d requests, keys %v, %d orders", len(got), keys(got), f.orders)
	}
}

// Without storage (a private window of some browsers) a page still keeps its
// own intents in memory.
func TestWithoutStorage(t *testing.T) {
	f := newFake(t)
	p := f.page()
	f.fail("order", slices.Repeat([]fault{{drop: true}}, 6)...)
	p.js(`(async () => {
		const refuse = () => { throw new Error('forbidden'); };
		const c = sdk.createCheckout({ timing, storage: { getItem: refuse, setItem: refuse, removeItem: refuse } });
		await caught(c.placeOrder(cart));
		await c.placeOrder(cart);
	})().then(() => 0)`, nil)
	if got := f.requests("order"); len(got) != 7 || len(keys(got)) != 1 {
		t.Errorf("%d requests with %d keys; want 7 with one", len(got), len(keys(got)))
	}
}

func TestPayingTwiceIsOnePayment(t *testing.T) {
	f := newFake(t)
	p := f.page()
	pay := `checkout.pay(order, { channel: 'wechatpay', method: 'native' })`
	var a, b, c struct{ PaymentNo, Status string }
	f.fail("payment", fault{drop: true})
	p.js(pay, &a)
	p.js(pay, &b)
	p.run(chromedp.Reload())
	p.until(`window.listen !== undefined`)
	p.js(pay, &c)
	if a.PaymentNo == "" || a != b || b != c {
		t.Errorf("three calls gave %v, %v, %v; want one payment", a, b, c)
	}
	// Another way of paying is another payment, and so is the next attempt
	// after a failure.
	p.js(`checkout.pay(order, { channel: 'wechatpay', method: 'h5' })`, &b)
	if b.PaymentNo == a.PaymentNo {
		t.Error("h5 gave the native payment")
	}
	f.set(func(f *fake) { f.payments[b.PaymentNo] = "failed" })
	p.js(`checkout.pay(order, { channel: 'wechatpay', method: 'h5' })`, &c)
	if c.PaymentNo == b.PaymentNo || c.Status != "pending" {
		t.Errorf("after a failure: %v", c)
	}
	f.set(func(f *fake) { f.payments[c.PaymentNo] = "succeeded" })
	p.js(`checkout.pay(order, { channel: 'wechatpay', method: 'h5' })`, &a)
	if a.PaymentNo != c.PaymentNo || a.Status != "succeeded" {
		t.Errorf("after success: %v; want %s, succeeded", a, c.PaymentNo)
	}
}

// A buyer who tries another way of paying and comes back gets the same payment.
func TestComingBackToAWayOfPaying(t *testing.T) {
	f := newFake(t)
	p := f.page()
	var nos []string
	p.js(`(async () => {
		const requests = [{ channel: 'wechatpay', method: 'native' }, { channel: 'alipay', method: 'precreate' }];
		const nos = [];
		for (const i of [0, 1, 0, 1]) nos.push((await checkout.pay(order, requests[i])).paymentNo);
		const both = await Promise.all([...requests, ...requests].map((request) => checkout.pay(order, request)));
		return nos.concat(both.map((payment) => payment.paymentNo));
	})()`, &nos)
	for i, no := range nos {
		if no != nos[i%2] {
			t.Errorf("payments %v; want two, alternately", nos)
			break
		}
	}
	if len(nos) != 8 || nos[0] == nos[1] || len(f.payments) != 2 {
		t.Errorf("payments %v, %d at the server; want one for each channel", nos, len(f.payments))
	}
}

// After an instalment is paid, the same request opens the payment of the next.
func TestTheNextInstalmentIsANewPayment(t *testing.T) {
	f := newFake(t)
	p := f.page()
	pay := `checkout.pay(order, { channel: 'wechatpay', method: 'native' })`
	var a, b, c struct{ PaymentNo, Status string }
	p.js(pay, &a)
	f.set(func(f *fake) { f.payments[a.PaymentNo] = "succeeded" })
	f.happen("payment.succeeded", "order.partially_paid")
	p.js(pay, &b)
	if b.PaymentNo == a.PaymentNo || b.Status != "pending" {
		t.Errorf("after the first part: %v; want a payment of the next", b)
	}
	f.set(func(f *fake) { f.payments[b.PaymentNo] = "succeeded" })
	f.happen("payment.succeeded", "order.paid")
	p.js(pay, &c)
	if c.PaymentNo != b.PaymentNo || c.Status != "succeeded" {
		t.Errorf("after the last part: %v; want %s, succeeded", c, b.PaymentNo)
	}
}

func TestTheLatestQuoteWins(t *testing.T) {
	f := newFake(t)
	p := f.page()
	f.fail("quote", fault{hold: true})
	p.js(`window.first = caught(checkout.quote({ items: [1] })); 0`, nil)
	f.awaitHeld()
	var out []struct {
		Code  string
		Value struct{ Of struct{ Items []int } }
	}
	p.js(`Promise.all([first, caught(checkout.quote({ items: [2] })), caught(checkout.quote({ items: [3] }))])`, &out)
	if out[0].Code != "superseded" || out[1].Code != "superseded" || out[2].Code != "" || out[2].Value.Of.Items[0] != 3 {
		t.Errorf("quotes came to %+v; want the third", out)
	}
	if got := f.requests("quote"); len(got) != 2 {
		t.Errorf("%d requests; the second cart was replaced at once and should not be quoted", len(got))
	}
}

func TestAmountsAreCutNotDivided(t *testing.T) {
	f := newFake(t)
	p := f.page()
	for _, c := range []struct {
		minor              int64
		currency, lang, is string
	}{
		{0, "CNY", "zh-CN", "¥0.00"}, {5, "CNY", "zh-CN", "¥0.05"}, {100, "CNY", "en", "¥1.00"}, {123456, "CNY", "en", "¥1,234.56"},
		{-1999, "CNY", "zh-CN", "-¥19.99"}, {-5, "CNY", "en", "-¥0.05"}, {1_000_000_000_000_009, "CNY", "en", "¥10,000,000,000,000.09"},
		{1234, "JPY", "en", "¥1,234"}, {1050, "USD", "en", "$10.50"}, {12345, "KWD", "en", "KWD 12.345"},
	} {
		got := p.text(fmt.Sprintf(`sdk.formatAmount(%d, %q, %q).replace(/\u00a0/g, ' ')`, c.minor, c.currency, c.lang))
		if got != c.is {
			t.Errorf("%d %s in %s is %q; want %q", c.minor, c.currency, c.lang, got, c.is)
		}
	}
}
