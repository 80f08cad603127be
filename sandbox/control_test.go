package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// control sends an unsigned request, as a program would.
func (b *bench) control(method, path, body string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	b.Handler().ServeHTTP(rec, req)
	return rec
}

// A conversation with the control API, one line per call.
func TestControlAPI(t *testing.T) {
	b := newBench(t)
	b.place("CONTROL001")
	b.place("CONTROL002")
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
		rec := b.control(c.method, c.path, c.body)
		if got := code(rec); got != c.want || !strings.Contains(rec.Body.String(), c.has) {
			t.Errorf("%s %s %s: %s %s, want %s %s", c.method, c.path, c.body, got, rec.Body, c.want, c.has)
		}
	}
}

func TestClockMoves(t *testing.T) {
	b := newBench(t)
	before := b.now()
	if got := code(b.control("POST", "/sandbox/clock", `{"advance":"16m"}`)); got != "200 " {
		t.Fatal(got)
	}
	if got := b.now().Sub(before); got != 16*time.Minute {
		t.Errorf("moved by %v", got)
	}
	fixed := newBench(t, func(o *Options) { o.Advance = nil })
	if got := fixed.control("POST", "/sandbox/clock", `{"advance":"16m"}`).Code; got != http.StatusMethodNotAllowed {
		t.Errorf("a clock that cannot be moved: %d", got)
	}
}

// A page of another site cannot press the buttons.
func TestOtherSitesMayNotPost(t *testing.T) {
	b := newBench(t)
	b.place("FOREIGN001")
	path, _ := b.PayPath("FOREIGN001")
	for _, to := range []string{"/sandbox/trades/FOREIGN001/pay", path + "/pay"} {
		if rec := b.control("POST", to, "", "Sec-Fetch-Site", "cross-site"); rec.Code != http.StatusForbidden {
			t.Errorf("%s: %d", to, rec.Code)
		}
	}
	if v, _ := b.Trade("FOREIGN001"); v.State != Open {
		t.Errorf("it is %s", v.State)
	}
}

func TestTradesPage(t *testing.T) {
	b := newBench(t)
	c, root := browse(t, http.StripPrefix("/gw", b.Handler()))
	for _, at := range []string{"/gw/", "/gw/sandbox", "/gw/sandbox/"} {
		if page := get(t, c, "GET", root+at); page.url != root+"/gw/sandbox/" || !strings.Contains(page.text, "No trades yet") {
			t.Errorf("%s leads to %s", at, page.url)
		}
	}
	b.place("LISTED0001")
	b.shop.answers = []int{500}
	b.paid("LISTED0002")
	b.arm(OpCallback, Lost, 1)
	b.paid("LISTED0003")
	b.DeliverDue(ctx)
	b.arm(OpPrepay, Slow, 7)
	page := get(t, c, "GET", root+"/gw/sandbox/", "Accept-Language", "zh-CN")
	for _, want := range []string{"LISTED0001", ">支付<", "下次", "已丢弃", "重发通知", "prepay slow", "二维码"} {
		if !strings.Contains(page.text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if page := get(t, c, "POST", root+"/gw/sandbox/trades/LISTED0002/notify?lang=zh"); page.url != root+"/gw/sandbox/?lang=zh" {
		t.Errorf("back at %s", page.url)
	}
	if page := get(t, c, "POST", root+"/gw/sandbox/faults/clear?lang=en"); page.url != root+"/gw/sandbox/?lang=en" || len(b.ArmedFaults()) != 0 {
		t.Errorf("back at %s", page.url)
	}
}
