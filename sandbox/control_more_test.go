package sandbox_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// A conversation about refunds, certificates and bills, one line per call.
func TestControlOfRefunds(t *testing.T) {
	at := clock.NewManual(time.Date(2026, 11, 22, 15, 0, 0, 0, trade.China))
	b := newBench(t, sandboxtest.OnClock, func(o *sandbox.Options) { o.Clock, o.Advance = at, at.Advance })
	b.Paid("CTLREFUND1")
	b.Place("CTLREFUND2")
	b.MustArm(faults.Refund, faults.RefundNeverEnds, 2)
	b.MustRefund("CTLREFUND1", "CR1", 100)
	b.MustRefund("CTLREFUND1", "CR2", 100)
	for _, c := range []struct{ method, path, body, want, has string }{
		{"GET", "/sandbox/refunds/CR1", "", "200 ", `"state":"processing"`},
		{"GET", "/sandbox/refunds/CR9", "", "404 not_found", ""},
		{"POST", "/sandbox/refunds/CR1/notify", "", "409 conflict", ""},
		{"POST", "/sandbox/refunds/CR1/abnormal", "", "200 ", `"state":"abnormal"`},
		{"POST", "/sandbox/refunds/CR1/notify", "", "200 ", ""},
		{"POST", "/sandbox/refunds/CR1/succeed", "", "200 ", `"state":"succeeded"`},
		{"POST", "/sandbox/refunds/CR1/close", "", "409 conflict", ""},
		{"POST", "/sandbox/refunds/CR2/close", "", "200 ", `"state":"closed"`},
		{"GET", "/sandbox/trades/CTLREFUND1", "", "200 ", `"refunds":[{"refundNo":"CR1",`},
		{"GET", "/sandbox/trades/CTLREFUND1", "", "200 ", `"refundNo":"CR2","delivered":false`},
		{"GET", "/sandbox/trades/CTLREFUND2", "", "200 ", `"refunds":[]`},
		{"POST", "/sandbox/trades/CTLREFUND1/pay-anyway", "", "200 ", `"state":"paid"`},
		{"POST", "/sandbox/trades/CTLREFUND2/pay-anyway", "", "200 ", `"state":"paid"`},

		{"POST", "/sandbox/faults", `{"op":"refund","fault":"refund_closed","outTradeNo":"CTLREFUND1"}`, "200 ", `"outTradeNo":"CTLREFUND1"`},
		{"DELETE", "/sandbox/faults", "", "200 ", `"armed":[]`},

		{"GET", "/sandbox/certificates", "", "200 ", `"signs":true`},
		{"POST", "/sandbox/certificates/activate", "", "409 conflict", ""},
		{"POST", "/sandbox/certificates", `{}`, "200 ", `"signs":false`},
		{"POST", "/sandbox/certificates/activate", "", "200 ", `"signs":false`},
		{"POST", "/sandbox/certificates", `{"notice":"-1h"}`, "400 validation_failed", ""},
		{"POST", "/sandbox/certificates", `{"notice":"soon"}`, "400 validation_failed", ""},

		{"GET", "/sandbox/bills?date=2026-11-22&kind=trade", "", "200 ", "CTLREFUND1"},
		{"GET", "/sandbox/bills?date=2026-11-22&kind=flow", "", "200 ", "扣除交易手续费"},
		{"GET", "/sandbox/bills?date=2026-11-22&kind=alipay", "", "200 ", "PK\x03\x04"},
		{"GET", "/sandbox/bills?date=2026-11-22&kind=x", "", "400 validation_failed", ""},
		{"GET", "/sandbox/bills?date=22.11.2026&kind=trade", "", "400 validation_failed", ""},
	} {
		rec := b.Control(c.method, c.path, c.body)
		if got := sandboxtest.Code(rec); got != c.want || !strings.Contains(rec.Body.String(), c.has) {
			t.Errorf("%s %s %s: %s %s, want %s %s", c.method, c.path, c.body, got, rec.Body, c.want, c.has)
		}
	}
	if v, _ := b.Trade("CTLREFUND1"); len(v.TransactionIDs) != 2 {
		t.Errorf("paid again: %v", v.TransactionIDs)
	}
	if left := b.ArmedFaults(); len(left) != 0 {
		t.Errorf("left armed: %v", left)
	}
}

// Paying a closed trade all the same uses up no fault that waits for others.
func TestPayAnyway(t *testing.T) {
	b := newBench(t)
	b.Place("ANYWAY0001")
	b.Send("POST", "/v3/pay/transactions/out-trade-no/ANYWAY0001/close", map[string]any{"mchid": b.Keys.MchID})
	b.MustArm(faults.Pay, faults.PayAfterClose, 1)
	if err := b.PayAnyway("ANYWAY0001"); err != nil {
		t.Fatal(err)
	}
	if v, _ := b.Trade("ANYWAY0001"); v.State != trade.Paid || len(b.ArmedFaults()) != 1 {
		t.Errorf("%s, armed %v", v.State, b.ArmedFaults())
	}
}

// On the page of faults everything can be armed by its form, in both
// languages, and what is wrong is said.
func TestArmPage(t *testing.T) {
	b := newBench(t)
	c, root := sandboxtest.Browse(t, http.StripPrefix("/gw", b.Handler()))
	for lang, does := range map[string]string{"en": "the first attempt is sent twice", "zh": "同一时刻发两份"} {
		page := sandboxtest.Get(t, c, "GET", root+"/gw/sandbox/arm?lang="+lang)
		if page.Status != 200 || !strings.Contains(page.Text, does) || strings.Contains(page.Text, "no value") {
			t.Errorf("%s: %d", lang, page.Status)
		}
		if got := strings.Count(page.Text, `name="fault"`); got != len(faults.Table()) {
			t.Errorf("%s: %d forms for %d faults", lang, got, len(faults.Table()))
		}
		// Every field has a label that points at it.
		for _, m := range regexp.MustCompile(`<(?:input|select) id="([\w-]+)"`).FindAllStringSubmatch(page.Text, -1) {
			if !strings.Contains(page.Text, `<label for="`+m[1]+`"`) {
				t.Errorf("%s: no label for %s", lang, m[1])
			}
		}
	}
	post := func(to string, form url.Values) sandboxtest.Page {
		req, err := http.NewRequest("POST", root+"/gw/sandbox/"+to, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return sandboxtest.Page{URL: res.Request.URL.String(), Status: res.StatusCode}
	}
	for _, f := range []struct {
		form  url.Values
		armed int
	}{
		{url.Values{"op": {"callback"}, "fault": {"delayed"}, "count": {"2"}, "delay": {"5m"}, "outTradeNo": {" ARMED00001 "}}, 1},
		{url.Values{"op": {"bill"}, "fault": {"bill_row_missing"}, "count": {"1"}, "delay": {""}}, 2},
		{url.Values{"op": {"bill"}, "fault": {"lost"}, "count": {"1"}}, 2},
		{url.Values{"op": {"bill"}, "fault": {"bill_row_missing"}, "count": {"many"}}, 2},
	} {
		before := len(b.ArmedFaults())
		page := post("faults?lang=en", f.form)
		if refused := f.armed == before; strings.Contains(page.URL, "error=") != refused || len(b.ArmedFaults()) != f.armed || page.Status != 200 {
			t.Errorf("%v: at %s", f.form, page.URL)
		}
	}
	if a := b.ArmedFaults()[0]; a.Left != 2 || a.Delay != 5*time.Minute || a.OutTradeNo != "ARMED00001" {
		t.Errorf("%+v", a)
	}
	if page := post("faults/clear?arm=1&lang=zh", nil); page.URL != root+"/gw/sandbox/arm?lang=zh" || len(b.ArmedFaults()) != 0 {
		t.Errorf("back at %s", page.URL)
	}
	post("chaos?lang=en", url.Values{"seed": {"9"}, "rate": {"2.5"}})
	if v := b.ChaosState(); !v.On || v.Seed != 9 || v.Rate != 0.025 {
		t.Errorf("%+v", v)
	}
	if page := post("chaos?lang=en", url.Values{"seed": {"x"}, "rate": {"2.5"}}); !strings.Contains(page.URL, "error=") {
		t.Error("a seed that is no number")
	}
	if page := post("chaos/stop?lang=en", nil); page.URL != root+"/gw/sandbox/arm?lang=en" || b.ChaosState().On {
		t.Errorf("back at %s", page.URL)
	}
}

// The buttons of the page of trades do what they say.
func TestTradesPageRefunds(t *testing.T) {
	b := newBench(t)
	c, root := sandboxtest.Browse(t, http.StripPrefix("/gw", b.Handler()))
	b.Paid("PAGED00001")
	b.MustArm(faults.Refund, faults.RefundNeverEnds, 1)
	b.MustRefund("PAGED00001", "PR|1", 100)
	b.DeliverDue(ctx)
	press := func(what string) sandboxtest.Page {
		t.Helper()
		page := sandboxtest.Get(t, c, "GET", root+"/gw/sandbox/")
		m := regexp.MustCompile(`action="([^"]+/` + what + `\?[^"]*)"`).FindStringSubmatch(page.Text)
		if m == nil {
			t.Fatalf("no button to %s", what)
		}
		return sandboxtest.Get(t, c, "POST", root+"/gw/sandbox/"+strings.ReplaceAll(m[1], "&amp;", "&"))
	}
	page := sandboxtest.Get(t, c, "GET", root+"/gw/sandbox/?lang=zh")
	for _, want := range []string{"PR|1", "处理中", "退款成功", "再付一次", "下载账单", b.Now().In(trade.China).Format(trade.DayLayout)} {
		if !strings.Contains(page.Text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	press("abnormal")
	if v, _ := b.RefundByNo("PR|1"); v.State != trade.RefundAbnormal {
		t.Errorf("it is %s", v.State)
	}
	if page := press("succeed"); page.URL != root+"/gw/sandbox/?lang=en" {
		t.Errorf("back at %s", page.URL)
	}
	if v, _ := b.RefundByNo("PR|1"); v.State != trade.RefundSucceeded {
		t.Errorf("it is %s", v.State)
	}
	if n := b.DeliverDue(ctx); n != 2 {
		t.Errorf("%d callbacks", n)
	}
	if err := b.NotifyRefund("PR|1"); err != nil || b.DeliverDue(ctx) != 2 {
		t.Errorf("resent: %v", err)
	}
	press("pay-anyway")
	if v, _ := b.Trade("PAGED00001"); len(v.TransactionIDs) != 2 {
		t.Errorf("%v", v.TransactionIDs)
	}
}
