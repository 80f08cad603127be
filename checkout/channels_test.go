package checkout_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A channel's code stays the same when the buyer switches to the other channel
// and back, and after a reload; a pushed message changes the page to paid.
func TestPayingByAlipay(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "en")
	p.press("#buy")
	no := p.placed()
	wechat := p.text(`qr.src`)
	alipay := p.choose("alipay", wechat)
	if again := p.choose("wechatpay", alipay); again != wechat {
		t.Errorf("back at WeChat Pay the code is %s, not %s", again, wechat)
	}
	p.choose("alipay", wechat)
	p.run(chromedp.Reload())
	p.until(`paying.open && paying.dataset.way === 'alipay'`)
	p.placed()
	if again := p.text(`qr.src`); again != alipay {
		t.Errorf("after the reload the code is %s, not %s", again, alipay)
	}
	var checked []string
	p.js(`[...document.querySelectorAll('#choices :checked')].map((radio) => radio.value)`, &checked)
	if !slices.Equal(checked, []string{"alipay"}) {
		t.Errorf("chosen are %v; want alipay", checked)
	}
	if made := s.orders(); len(made) != 1 || len(made[0].Payments) != 2 {
		t.Fatalf("orders %+v; want one with a payment for each channel", made)
	}
	p.until(`transport.textContent === 'WebSocket'`)
	p.js(noting, nil)

	tapped := p.phone(s.url).tap("#pay")
	p.until(`window.paidSeen > 0`)
	var seen float64
	p.js(`paidSeen`, &seen)
	if took := seen - tapped; took < 0 || took >= 1000 {
		t.Errorf("the page showed it %.0f ms after the tap; want less than a second", took)
	}
	if n := p.reads(no); n != 0 {
		t.Errorf("the page read the order %d times; want none, changes are pushed", n)
	}
	// Nothing more can be paid, and the other code is closed.
	p.until(`document.querySelector('#events [data-type="payment.closed"]') !== null && ways.hidden && again.hidden && refund.textContent === ''`)
	s.wantOnce(p, no)
	for _, paid := range s.orders()[0].Payments {
		if want := map[string]string{"alipay": "succeeded", "wechatpay": "closed"}[paid.Channel]; paid.Status != want {
			t.Errorf("the payment by %s is %s; want %s", paid.Channel, paid.Status, want)
		}
	}
}

// A trade exists at Alipay only once its code was scanned: a code that was
// scanned after the order had been paid can still be paid, and is refunded.
func TestPayingByBothChannels(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "zh-CN")
	p.press("#buy")
	no := p.placed()
	wechat := p.text(`qr.src`)
	alipay := p.choose("alipay", wechat)
	to, err := url.Parse(p.text(`document.querySelector('#phone').href`))
	if err != nil {
		t.Fatal(err)
	}
	p.choose("wechatpay", alipay)
	p.phone(s.url).tap("#pay")
	p.until(`paying.dataset.status === 'paid' && document.querySelector('#events [data-type="payment.closed"]') !== null`)

	other := p.sibling()
	other.visit(s.url + to.RequestURI())
	other.until(`document.querySelector('#pay') !== null`)
	other.tap("#pay")
	p.until(`refund.textContent === '您多付了一笔：¥87.85 已原路退回'`)
	p.until(`document.querySelector('#events [data-type="refund.succeeded"]') !== null`)
	var said []string
	p.js(`[...document.querySelectorAll('#events [data-type^=refund] span')].map((e) => e.textContent)`, &said)
	if !slices.Equal(said, []string{"退款申请中", "退款成功"}) {
		t.Errorf("the page said %v", said)
	}
	s.wantOnce(p, no)
	made := s.orders()
	if len(made) != 1 || made[0].Status != "paid" || made[0].PaidAmount != 8785 || len(made[0].Payments) != 2 {
		t.Fatalf("orders %+v; want one, paid once", made)
	}
	for _, paid := range made[0].Payments {
		if want := map[string]int64{"alipay": 8785}[paid.Channel]; paid.Status != "succeeded" || paid.RefundedAmount != want {
			t.Errorf("%+v; want %d refunded", paid, want)
		}
	}

	// A reload shows it again.
	p.run(chromedp.Reload())
	p.until(`paying.open && paying.dataset.status === 'paid' && refund.textContent === '您多付了一笔：¥87.85 已原路退回'`)
	s.wantOnce(p, no)
}

// A refund by the shop is pushed to a page that is still open, and money that
// arrives after the order was closed is refunded.
func TestRefundsReachThePage(t *testing.T) {
	s := serve(t, "")
	p := buyer(t, s.url, "en")
	p.press("#buy")
	no := p.placed()
	p.phone(s.url).tap("#pay")
	p.until(`paying.dataset.status === 'paid'`)
	for i, c := range []struct{ body, says, status string }{
		{`{"amount":1000}`, "Refund successful: ¥10.00", "paid"},
		{`{}`, "Refund successful: ¥87.85", "refunded"},
	} {
		s.refund(no, strconv.Itoa(i), c.body)
		s.call("POST", "/v1/test/clock", `{"advance":"3s"}`, nil) // WeChat Pay takes its time
		p.until(`refund.textContent === '` + c.says + `' && paying.dataset.status === '` + c.status + `'`)
	}
	p.until(`document.querySelector('#events > li:last-child').textContent.startsWith('The order was refunded in full')`)
	s.wantOnce(p, no)
	p.press("#back")
	p.until(`!paying.open`)

	p.fill(s.url, "en")
	p.press("#buy")
	p.placed()
	p.choose("alipay", p.text(`qr.src`))
	late := p.text(`document.querySelector('#phone').href`)
	p.press("#cancel")
	p.until(`paying.dataset.status === 'closed'`)
	other := p.sibling()
	other.visit(late)
	other.until(`document.querySelector('#pay') !== null`)
	other.tap("#pay")
	p.until(`refund.textContent === 'Paid after the order was closed: ¥87.85 was refunded' && paying.dataset.status === 'closed'`)
}

// refund requests it as the shop does.
func (s *server) refund(no, key, body string) {
	s.t.Helper()
	r, err := http.NewRequest("POST", s.url+"/v1/orders/"+no+"/refunds", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	if res := s.send(http.DefaultClient, r, nil); res.StatusCode != http.StatusCreated {
		s.t.Fatalf("refunding %s: %s", body, res.Status)
	}
}

// onEveryPage runs a script before those of the page.
func onEveryPage(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// A shop with one channel offers no choice.
func TestOneChannelIsNoChoice(t *testing.T) {
	s := serve(t, "")
	var catalog struct {
		Ways []struct{ Channel, Kind, Method string }
	}
	s.call("GET", "/demo/products", "", &catalog)
	if len(catalog.Ways) != 2 || catalog.Ways[0].Channel != "wechatpay" || catalog.Ways[0].Method != "native" ||
		catalog.Ways[1].Channel != "alipay" || catalog.Ways[1].Kind != "alipay" || catalog.Ways[1].Method != "precreate" {
		t.Fatalf("ways %+v; want WeChat Pay's codes, then Alipay's", catalog.Ways)
	}
	for _, c := range []struct {
		name, ways, shows string
	}{
		{"one", `slice(1)`, `ways.hidden && paying.dataset.way === 'alipay' && !qr.hidden`},
		{"none", `slice(2)`, `ways.hidden && qr.hidden && !again.hidden && document.querySelector('#paying-alert').textContent === 'The shop has no payment channel yet'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newTab(t)
			p.run(onEveryPage(`{ const ask = fetch; window.fetch = async (...about) => {
				const res = await ask(...about);
				if (!String(about[0]).endsWith('/demo/products')) return res;
				const catalogue = await res.json();
				return Response.json({ ...catalogue, ways: catalogue.ways.` + c.ways + ` });
			}; }`))
			p.fill(s.url, "en")
			p.press("#buy")
			p.until(`paying.open && ` + c.shows)
		})
	}
}

// Every event that the subscribers of an order can receive has a text in both
// languages, and both languages have the same texts.
func TestEveryEventHasAText(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../event/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, _ := strconv.Unquote(lit.Value)
			if of, _, ok := strings.Cut(name, "."); ok && slices.Contains([]string{"order", "payment", "refund"}, of) {
				types = append(types, name)
			}
		}
		return true
	})
	if len(types) < 20 {
		t.Fatalf("only %v were found", types)
	}
	s := serve(t, "")
	p := newTab(t)
	p.visit(s.url + "/demo")
	var missing []string
	p.js(`import('./demo/texts.js').then(({ texts, text, language, switchLanguage }) => {
		const types = '`+strings.Join(types, " ")+`'.split(' ');
		const missing = () => types.filter((type) => !text('event/' + type)).map((type) => language() + ' ' + type);
		const first = missing();
		switchLanguage();
		const paths = (node, at = '') => Object.entries(node).flatMap(([name, value]) => (typeof value === 'string' ? [at + name] : paths(value, at + name + '/')));
		const lacks = (one, other) => paths(texts[one]).filter((path) => !paths(texts[other]).includes(path)).map((path) => other + ' ' + path);
		return first.concat(missing(), lacks('zh', 'en'), lacks('en', 'zh'));
	})`, &missing)
	if len(missing) > 0 {
		t.Errorf("no texts for %v", missing)
	}
}
