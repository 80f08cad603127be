package checkout_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// buyer opens the demo and fills the cart.
func buyer(t *testing.T, base, lang string) *tab {
	p := newTab(t)
	p.fill(base, lang)
	return p
}

// fill puts two oat lattes and a pour-over (one of the three is free), a cake
// and a coupon into the cart.
func (p *tab) fill(base, lang string) {
	p.t.Helper()
	p.visit(base + "/demo")
	p.until(`document.querySelectorAll('#products > li').length === 6`)
	if p.text(`document.documentElement.lang`) != lang {
		p.press("#language")
	}
	for _, sku := range []string{"demo-oat-latte", "demo-oat-latte", "demo-pour-over", "demo-cheesecake"} {
		p.press(`[data-sku=` + sku + `] [data-step=more]`)
	}
	p.until(`!buy.disabled && document.querySelectorAll('#lines > li').length === 3`) // nothing moves any more
	p.press("#claim")
	p.until(`!document.querySelector('#using').hidden`)
	p.until(`!buy.disabled && !filled.hasAttribute('data-stale') && document.querySelectorAll('#explained .applied li').length === 3`)
}

// press clicks as a person does: with the mouse, where the element is.
func (p *tab) press(selector string) {
	p.t.Helper()
	p.run(chromedp.Click(chromedp.CSS(selector)))
}

// placed waits for the code and returns the order's number.
func (p *tab) placed() string {
	p.t.Helper()
	p.until(`paying.open && !qr.hidden && qr.complete && qr.naturalWidth > 100`)
	return p.text(`document.querySelector('#number').textContent`)
}

// phone opens the phone page of the order on the screen.
func (p *tab) phone(base string) *tab {
	p.t.Helper()
	to, err := url.Parse(p.text(`document.querySelector('#phone').href`))
	if err != nil {
		p.t.Fatal(err)
	}
	at := p.sibling()
	at.visit(base + to.RequestURI()) // without the relay, if there is one
	at.until(`document.querySelector('#pay') !== null`)
	return at
}

// choose selects a way to pay and waits for its code.
func (p *tab) choose(kind, before string) (code string) {
	p.t.Helper()
	p.press(`#choices [data-kind=` + kind + `]`)
	p.until(`paying.dataset.way === '` + kind + `' && !qr.hidden && qr.src !== '` + before + `'`)
	p.placed()
	return p.text(`qr.src`)
}

// reads is how often the page read the order.
func (p *tab) reads(no string) (n int) {
	p.t.Helper()
	p.js(`performance.getEntriesByType('resource').filter((e) => e.name.endsWith('`+no+`') || e.name.includes('/events') || e.name.includes('wait=')).length`, &n)
	return n
}

// tap presses the button and returns the moment, by the browser's clock.
func (p *tab) tap(selector string) (at float64) {
	p.t.Helper()
	p.js(`(() => { const at = Date.now(); document.querySelector('`+selector+`').click(); return at; })()`, &at)
	return at
}

// noting makes the page record when it first showed a status.
const noting = `new MutationObserver(() => { if (paying.dataset.status === 'paid') window.paidSeen ??= Date.now(); }).observe(paying, { attributes: true }); 0`

type order struct {
	OrderNo, Status, CloseReason string
	PayableAmount, PaidAmount    int64
	Payments                     []struct {
		Channel, Method, Status string
		RefundedAmount          int64
	}
	AppliedDiscounts []struct {
		Name   string
		Amount int64
	}
}

func (s *server) orders() []order {
	s.t.Helper()
	var list struct{ Items []order }
	s.call("GET", "/v1/orders", "", &list)
	return list.Items
}

// untilPaid waits until the order is paid on the server.
func (s *server) untilPaid(no string) {
	s.t.Helper()
	r, err := http.NewRequest("GET", s.url+"/v1/orders/"+no+"?wait=30s", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	for range 20 { // it has fewer events than that
		var o order
		res := s.send(http.DefaultClient, r, &o)
		if o.Status == "paid" {
			return
		}
		r.Header.Set("If-None-Match", res.Header.Get("ETag"))
	}
	s.t.Fatalf("order %s never became paid", no)
}

// wantOnce fails unless the page showed every event of the order once.
func (s *server) wantOnce(p *tab, no string) {
	s.t.Helper()
	var timeline struct {
		Items []struct {
			Kind, Type string
			Seq        int64
		}
	}
	s.call("GET", "/v1/orders/"+no+"/timeline", "", &timeline)
	var want, got []string
	for _, e := range timeline.Items {
		if e.Kind == "event" && e.Seq > 0 {
			want = append(want, e.Type)
		}
	}
	p.js(`[...document.querySelectorAll('#events > li')].map((li) => li.dataset.type)`, &got)
	slices.Sort(want) // two events of one moment have no order in a timeline
	slices.Sort(got)
	if len(want) < 5 || !slices.Equal(got, want) {
		s.t.Errorf("the page showed %v; the order has %v", got, want)
	}
}

func TestBuying(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "en")

	// The price is explained.
	var shown struct{ Discounts, Shares, Skipped, Totals []string }
	p.js(`(() => { const all = (q) => [...document.querySelectorAll(q)].map((e) => e.textContent); return {
		Discounts: all('#explained .applied li > div'), Shares: all('#explained .applied li > small'), Skipped: all('#explained .skipped li'), Totals: all('#totals dd') }; })()`, &shown)
	// 2×28 + 32 + 36.50 = 124.50; the cheapest coffee is free, the cake is 10% off, then the coupon.
	if want := []string{"¥124.50", "−¥36.65", "¥87.85"}; !slices.Equal(shown.Totals, want) {
		t.Errorf("totals %v; want %v", shown.Totals, want)
	}
	if all := strings.Join(shown.Discounts, "|"); !strings.Contains(all, "buy 2, get 1−¥28.00") || !strings.Contains(all, "10% off bakery−¥3.65") || !strings.Contains(all, "−¥5.00") {
		t.Errorf("discounts %v", shown.Discounts)
	}
	if len(shown.Shares) != 3 || !strings.Contains(shown.Shares[1], "Basque cheesecake −¥3.65") {
		t.Errorf("shares %v", shown.Shares)
	}
	if len(shown.Skipped) != 1 || !strings.Contains(shown.Skipped[0], "Spend ¥3.50 more to get it") {
		t.Errorf("skipped %v; want what is missing for ¥10 off", shown.Skipped)
	}

	// However often the button is clicked, there is one order.
	p.js(noting, nil)
	p.run(chromedp.DoubleClick(chromedp.CSS("#buy")))
	p.js(`for (let i = 0; i < 10; i++) buy.click(); 0`, nil)
	no := p.placed()
	if made := s.orders(); len(made) != 1 || made[0].OrderNo != no || made[0].PayableAmount != 8785 || len(made[0].Payments) != 1 {
		t.Fatalf("orders %+v; want one, %s, with one payment", made, no)
	}
	p.until(`transport.textContent === 'WebSocket'`)

	// The buyer pays on the phone; the page is notified.
	tapped := p.phone(s.url).tap("#pay")
	p.until(`window.paidSeen > 0`)
	var seen struct {
		Paid    float64
		Latency string
		Cart    bool
	}
	p.js(`({ Paid: paidSeen, Latency: latency.dataset.ms, Cart: filled.hidden })`, &seen)
	t.Logf("%.0f ms from the tap to the page, %s ms from the payment", seen.Paid-tapped, seen.Latency)
	if took := seen.Paid - tapped; took < 0 || took >= 1000 {
		t.Errorf("the page showed it %.0f ms after the tap; want less than a second", took)
	}
	if n := p.reads(no); n != 0 {
		t.Errorf("the page read the order %d times; want none, changes are pushed", n)
	}
	if !seen.Cart || seen.Latency == "" {
		t.Errorf("cart empty: %v, latency %q", seen.Cart, seen.Latency)
	}
	if paid := s.orders(); len(paid) != 1 || paid[0].Status != "paid" || paid[0].PaidAmount != 8785 {
		t.Errorf("orders %+v; want one, paid", paid)
	}
	p.until(`document.querySelectorAll('#events > li').length >= 5`)
	s.wantOnce(p, no)

	// A reload shows the same, with all events from the first.
	p.run(chromedp.Reload())
	p.until(`paying.open && paying.dataset.status === 'paid' && document.querySelectorAll('#events > li').length >= 5`)
	s.wantOnce(p, no)
	p.press("#back")
	p.until(`!paying.open`)
}

// The page shows every event, whatever happens to the connections.
func TestBuyingWhileSocketsAreCut(t *testing.T) {
	s := serve(t, "")
	r := newRelay(t, s.url)
	p := buyer(t, r.url, "en")
	p.press("#buy")
	no := p.placed()
	for range 3 {
		p.until(`transport.textContent === 'WebSocket'`)
		r.cut(false)
		p.until(`transport.textContent !== 'WebSocket'`)
	}
	p.until(`transport.textContent === 'WebSocket'`)
	r.cut(true) // nothing gets through while the payment happens
	p.phone(s.url).tap("#pay")
	s.untilPaid(no)
	r.cut(false)
	p.until(`paying.dataset.status === 'paid'`)
	p.until(`document.querySelectorAll('#events > li').length >= 5`)
	s.wantOnce(p, no)
	if made := s.orders(); len(made) != 1 {
		t.Errorf("%d orders; want one", len(made))
	}
}

func TestReloadingAWaitingOrder(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "en")
	p.press("#buy")
	no := p.placed()
	code := p.text(`document.querySelector('#qr').src`)
	p.run(chromedp.Reload())
	if again := p.placed(); again != no {
		t.Errorf("after the reload the page shows order %s, not %s", again, no)
	}
	if again := p.text(`document.querySelector('#qr').src`); again != code {
		t.Errorf("after the reload the code is %s, not %s", again, code)
	}
	if made := s.orders(); len(made) != 1 || len(made[0].Payments) != 1 {
		t.Errorf("orders %+v; want one with one payment", made)
	}
	p.js(noting, nil)
	p.phone(s.url).tap("#pay")
	p.until(`window.paidSeen > 0`)
}

func TestCancelling(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "zh-CN")
	p.press("#buy")
	p.placed()
	p.press("#cancel")
	p.until(`paying.dataset.status === 'closed' && latency.textContent.includes('您取消了订单')`)
	if made := s.orders(); len(made) != 1 || made[0].Status != "closed" || made[0].CloseReason != "cancelled" {
		t.Errorf("orders %+v; want one, cancelled", made)
	}
	// The cart is still there, and its coupon is free again.
	p.press("#back")
	p.until(`!paying.open && !buy.disabled && document.querySelectorAll('#explained .applied li').length === 3`)
	p.press("#buy")
	p.placed()
	if made := s.orders(); len(made) != 2 {
		t.Errorf("%d orders; want a second one", len(made))
	}
}

func TestAnOrderRunsOutOfTime(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "en")
	p.press("#buy")
	p.placed()
	p.until(`/^1[45]:\d\d$/.test(left.textContent)`)
	s.call("POST", "/v1/test/clock", `{"advance":"16m"}`, nil)
	p.until(`paying.dataset.status === 'closed' && latency.textContent.includes('Time ran out')`)
}

func TestAFailedAttemptGetsANewCode(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "en")
	p.press("#buy")
	p.placed()
	code := p.text(`document.querySelector('#qr').src`)
	phone := p.phone(s.url)
	phone.tap("#fail")
	phone.until(`document.querySelector('[data-view=failed]') !== null`)
	// The channel does not call back about failures: it is queried after a while.
	s.call("POST", "/v1/test/clock", `{"advance":"10s"}`, nil)
	p.until(`paying.dataset.status === 'payment_failed' && !again.hidden`)
	p.press("#again")
	p.placed()
	p.until(`document.querySelector('#qr').src !== '` + code + `'`)
	p.js(noting, nil)
	p.phone(s.url).tap("#pay")
	p.until(`window.paidSeen > 0`)
	if made := s.orders(); len(made) != 1 || len(made[0].Payments) != 2 {
		t.Errorf("orders %+v; want one with two payments", made)
	}
}

func TestRefusalsAreExplained(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "en")
	// The price changes while the buyer looks at it.
	var sku map[string]any
	s.call("PUT", "/v1/skus/demo-cheesecake", `{"name":"巴斯克蛋糕 · Basque cheesecake","price":4000,"categories":["demo","demo-bakery"]}`, &sku)
	p.press("#buy")
	p.until(`document.querySelector('#alert').textContent.includes('price has just changed')`)
	p.until(`!buy.disabled && totals.textContent.includes('¥128.00')`)
	if made := s.orders(); len(made) != 0 {
		t.Errorf("%d orders at a price that the buyer did not see", len(made))
	}
	// A code that does not exist.
	p.press("#using button")
	p.run(chromedp.SendKeys(chromedp.CSS("#code"), "NOSUCHCODE"))
	p.press("#use")
	p.until(`explained.textContent.includes('There is no such code')`)
	if text := p.text(`document.querySelector('#explained').textContent`); !strings.Contains(text, "NOSUCHCODE") {
		t.Errorf("the page says %s", text)
	}
	// Both languages have a text for everything that is on the page.
	p.press("#language")
	p.until(`document.documentElement.lang === 'zh-CN' && explained.textContent.includes('没有这张券')`)
	if text := p.text(`document.body.innerText`); strings.Contains(text, "undefined") || strings.Contains(text, "{") {
		t.Errorf("a text is missing: %s", text)
	}
}

// The narrowest phone shows everything without horizontal scrolling.
func TestItFitsAPhone(t *testing.T) {
	s := serve(t, "")
	p := newTab(t)
	p.run(chromedp.EmulateViewport(320, 640))
	p.fill(s.url, "en")
	fits := func(where string) {
		t.Helper()
		var wide []string
		p.js(`[...document.querySelectorAll('body *')].filter((e) => !e.closest('.offers') && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + '.' + e.className)`, &wide)
		if len(wide) > 0 {
			t.Errorf("%s: wider than the screen: %v", where, wide)
		}
	}
	fits("the shop in English")
	p.press("#language")
	fits("the shop in Chinese")
	p.press("#buy")
	p.placed()
	fits("the payment")
}
