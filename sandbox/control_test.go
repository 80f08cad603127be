package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// A conversation with the control API, one line per call.
func TestControlAPI(t *testing.T) {
	b := newBench(t)
	b.Place("CONTROL001")
	b.Place("CONTROL002")
	for _, c := range []struct{ method, path, body, want, has string }{
		{"GET", "/sandbox/trades", "", "200 ", `"items":[{"channel":"wechatpay","outTradeNo":"CONTROL002","method":"native","state":"open","amount":888,`},
		{"GET", "/sandbox/trades?limit=1", "", "200 ", `"outTradeNo":"CONTROL002"`},
		{"GET", "/sandbox/trades?limit=0", "", "400 validation_failed", ""},
		{"GET", "/sandbox/trades?limit=1001", "", "400 validation_failed", ""},
		{"GET", "/sandbox/trades/CONTROL001", "", "200 ", `"transactionIds":[],"callbacks":[]`},
		{"GET", "/sandbox/trades/CONTROL003", "", "404 not_found", ""},
		{"POST", "/sandbox/trades/CONTROL001/notify", "", "409 conflict", ""},
		{"POST", "/sandbox/trades/CONTROL001/fail", "", "200 ", `"state":"failed"`},
		{"POST", "/sandbox/trades/CONTROL001/pay", "", "200 ", `"state":"paid"`},
		{"POST", "/sandbox/trades/CONTROL001/pay", "", "409 conflict", ""},
		{"POST", "/sandbox/trades/CONTROL001/fail", "", "409 conflict", ""},
		{"POST", "/sandbox/trades/CONTROL001/notify", "", "200 ", `"nextTry":`},
		{"POST", "/sandbox/trades/CONTROL003/pay", "", "404 not_found", ""},

		{"GET", "/sandbox/faults", "", "200 ", `"armed":[],"available":[{"fault":"timeout_after_commit","ops":["prepay",`},
		{"POST", "/sandbox/faults", `{"op":"query","fault":"slow","count":2,"delay":"250ms"}`, "200 ", `"armed":[{"delay":"250ms","fault":"slow","left":2,"op":"query"}]`},
		{"POST", "/sandbox/faults", `{"op":"callback","fault":"lost"}`, "200 ", `{"delay":"0s","fault":"lost","left":1,"op":"callback"}`},
		{"POST", "/sandbox/faults", `{"op":"callback","fault":"explode"}`, "400 validation_failed", ""},
		{"POST", "/sandbox/faults", `{"op":"callback","fault":"lost","delay":"x"}`, "400 validation_failed", ""},
		{"POST", "/sandbox/faults", `{"op":"callback","fault":"lost","times":1}`, "400 validation_failed", ""},
		{"POST", "/sandbox/faults", `x`, "400 validation_failed", ""},
		{"DELETE", "/sandbox/faults", "", "200 ", `"armed":[]`},

		{"POST", "/sandbox/clock", `{"advance":"16m"}`, "200 ", `"now":"`},
		{"POST", "/sandbox/clock", `{"advance":"-1m"}`, "400 validation_failed", ""},
		{"POST", "/sandbox/clock", `{"advance":"9000h"}`, "400 validation_failed", ""},
		{"POST", "/sandbox/clock", `{"advance":16}`, "400 validation_failed", ""},
		{"GET", "/sandbox/clock", "", "200 ", `"now":"`},
	} {
		rec := b.Control(c.method, c.path, c.body)
		if got := sandboxtest.Code(rec); got != c.want || !strings.Contains(rec.Body.String(), c.has) {
			t.Errorf("%s %s %s: %s %s, want %s %s", c.method, c.path, c.body, got, rec.Body, c.want, c.has)
		}
	}
}

func TestClockMoves(t *testing.T) {
	b := newBench(t)
	before := b.Now()
	if got := sandboxtest.Code(b.Control("POST", "/sandbox/clock", `{"advance":"16m"}`)); got != "200 " {
		t.Fatal(got)
	}
	if got := b.Now().Sub(before); got != 16*time.Minute {
		t.Errorf("moved by %v", got)
	}
	fixed := newBench(t, func(o *sandbox.Options) { o.Advance = nil })
	if got := fixed.Control("POST", "/sandbox/clock", `{"advance":"16m"}`).Code; got != http.StatusMethodNotAllowed {
		t.Errorf("a clock that cannot be moved: %d", got)
	}
}

// A page of another site cannot press the buttons.
func TestOtherSitesMayNotPost(t *testing.T) {
	b := newBench(t)
	b.Place("FOREIGN001")
	path, _ := b.PayPath("FOREIGN001")
	for _, to := range []string{"/sandbox/trades/FOREIGN001/pay", path + "/pay"} {
		if rec := b.Control("POST", to, "", "Sec-Fetch-Site", "cross-site"); rec.Code != http.StatusForbidden {
			t.Errorf("%s: %d", to, rec.Code)
		}
	}
	if v, _ := b.Trade("FOREIGN001"); v.State != trade.Open {
		t.Errorf("it is %s", v.State)
	}
}

func TestTradesPage(t *testing.T) {
	b := newBench(t)
	c, root := sandboxtest.Browse(t, http.StripPrefix("/gw", b.Handler()))
	for _, at := range []string{"/gw/", "/gw/sandbox", "/gw/sandbox/"} {
		if page := sandboxtest.Get(t, c, "GET", root+at); page.URL != root+"/gw/sandbox/" || !strings.Contains(page.Text, "No trades yet") {
			t.Errorf("%s leads to %s", at, page.URL)
		}
	}
	b.Place("LISTED0001")
	b.Shop.Answers = []int{500}
	b.Paid("LISTED0002")
	b.MustArm(faults.Callback, faults.Lost, 1)
	b.Paid("LISTED0003")
	b.DeliverDue(ctx)
	b.MustArm(faults.Prepay, faults.Slow, 7)
	page := sandboxtest.Get(t, c, "GET", root+"/gw/sandbox/", "Accept-Language", "zh-CN")
	for _, want := range []string{"LISTED0001", ">支付<", "下次", "已丢弃", "重发通知", "prepay slow", "二维码"} {
		if !strings.Contains(page.Text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if page := sandboxtest.Get(t, c, "POST", root+"/gw/sandbox/trades/LISTED0002/notify?lang=zh"); page.URL != root+"/gw/sandbox/?lang=zh" {
		t.Errorf("back at %s", page.URL)
	}
	if page := sandboxtest.Get(t, c, "POST", root+"/gw/sandbox/faults/clear?lang=en"); page.URL != root+"/gw/sandbox/?lang=en" || len(b.ArmedFaults()) != 0 {
		t.Errorf("back at %s", page.URL)
	}
}
