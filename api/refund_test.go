package api_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// part is the first allocation of a refund.
func (h *env) part(refundNo string) map[string]any {
	h.T.Helper()
	return h.must("GET /v1/refunds/"+refundNo, "")["allocations"].([]any)[0].(map[string]any)
}

// TestRefundTrouble: what a channel does not finish says so, with what to do,
// and an operator's decision ends it.
func TestRefundTrouble(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fail   error
		gives  payment.FactKind // the channel's end, when it took the refund
		parked string
		status string // of the refund then
		retry  bool   // under a new number
	}{
		{"the merchant is short", fmt.Errorf("%w: NOT_ENOUGH", payment.ErrShort), "", "merchant_short", "pending", false},
		{"refused", &payment.RejectedError{Code: "NOAUTH", Message: "no"}, "", "rejected", "pending", false},
		{"stuck with the buyer's account", nil, payment.RefundStuck, "abnormal", "pending", false},
		{"given up", nil, payment.RefundFailed, "given_up", "failed", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t)
			h.stock()
			orderNo, paymentNo := h.paidOrder(oneTea)
			no := h.must("POST /v1/orders/"+orderNo+"/refunds", `{"amount":1000}`)["refundNo"].(string)
			h.gate.Slow(true)
			h.gate.Fail = func(call, _ string) (error, bool) {
				if call == "refund" {
					return tt.fail, tt.fail == nil
				}
				return nil, true
			}
			h.refunds()
			if tt.gives != "" {
				h.callback(paymentNo, h.gate.Finish(no, tt.gives))
			}
			r := h.must("GET /v1/refunds/"+no, "")
			part := h.part(no)
			parked, _ := part["parked"].(map[string]any)
			if r["status"] != tt.status || parked["reason"] != tt.parked || parked["said"] == nil || len(fmt.Sprint(parked["advice"])) < 40 {
				t.Errorf("%v", r)
			}
			if list := h.must("GET /v1/refunds?parked=true", "")["items"].([]any); len(list) != 1 {
				t.Errorf("%d wait for a person", len(list))
			}
			h.Audit()

			h.gate.Fail = nil
			h.gate.Slow(false)
			again := h.must("POST /v1/refunds/"+no+"/retry", "")
			if again["status"] != "pending" || h.part(no)["parked"] != nil {
				t.Errorf("retried: %v", again)
			}
			if renamed := h.part(no)["refundNoAtChannel"] != no; renamed != tt.retry {
				t.Errorf("another number at the channel: %v", renamed)
			}
			h.refunds()
			if tt.gives == payment.RefundStuck { // it is stuck as before, until somebody pays by hand
				h.must("POST /v1/refunds/"+no+"/confirm", `{"reason":"by hand"}`)
			}
			if o := h.must("GET /v1/orders/"+orderNo, ""); o["refundedAmount"] != 1000.0 || o["refundingAmount"] != 0.0 || h.part(no)["status"] != "succeeded" {
				t.Errorf("in the end: %v %v", h.part(no), o)
			}
			h.Audit()
		})
	}
}

// TestAbnormalIsSecret: a buyer's card goes to the channel and nowhere else,
// whatever comes of it.
func TestAbnormalIsSecret(t *testing.T) {
	const bank, account, name = "HUNTER2_DEBIT", "6222029999888877", "hunter2-holder"
	h := open(t)
	h.stock()
	orderNo, paymentNo := h.paidOrder(oneTea)
	no := h.must("POST /v1/orders/"+orderNo+"/refunds", `{"amount":1000}`)["refundNo"].(string)
	h.gate.Slow(true)
	h.refunds()
	h.callback(paymentNo, h.gate.Finish(no, payment.RefundStuck))
	body := `{"to":"buyer","bank":"` + bank + `","account":"` + account + `","name":"` + name + `"}`
	var said strings.Builder
	for _, tt := range []struct {
		name   string
		fail   error
		body   string
		status int
		code   string
	}{
		{"good", nil, body, 200, ""},
		{"again", nil, body, 200, ""},
		{"silent", payment.ErrUnknown, body, 502, "channel_unavailable"},
		{"refused", &payment.RejectedError{Code: "PARAM_ERROR", Message: "no such bank"}, body, 502, "channel_rejected"},
		{"too long", nil, `{"to":"buyer","bank":"` + bank + `","account":"` + strings.Repeat(account, 5) + `","name":"` + name + `"}`, 400, "validation_failed"},
		{"no number", nil, `{"to":"buyer","bank":"` + bank + `","account":` + account + `,"name":"` + name + `"}`, 400, "validation_failed"},
		{"to nobody", nil, `{"to":"` + name + `","bank":"` + bank + `","account":"` + account + `"}`, 400, "validation_failed"},
		{"unknown field", nil, `{"to":"buyer","card":"` + account + `"}`, 400, "unknown_field"},
	} {
		h.gate.fail = tt.fail
		w := h.do("POST /v1/refunds/"+no+"/abnormal", tt.body, "Idempotency-Key: abnormal")
		if w.Code != tt.status || tt.code != "" && !strings.Contains(w.Body.String(), `"code":"`+tt.code+`"`) {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		said.WriteString(w.Body.String())
	}
	if len(h.gate.sent) != 4 || h.gate.sent[0] != (payment.AbnormalRefund{RefundNo: no, RefundID: "R" + no, Bank: bank, Account: account, Name: name}) {
		t.Errorf("sent %+v", h.gate.sent)
	}
	said.WriteString(h.log.String() + h.everything() + h.do("GET /v1/orders/"+orderNo+"/timeline", "").Body.String() + h.do("GET /v1/events?limit=1000", "").Body.String())
	for _, secret := range []string{"hunter2", "HUNTER2", account} {
		if strings.Contains(said.String(), secret) {
			t.Errorf("%s was shown to others", secret)
		}
	}
	h.must("POST /v1/refunds/"+no+"/abnormal", `{"to":"merchant"}`)
	if last := h.gate.sent[len(h.gate.sent)-1]; !last.ToMerchant {
		t.Errorf("sent %+v", last)
	}
	h.Audit()
}

// TestLateMoney: money for an order that is closed stands in suspense until
// it was refunded automatically, or revives the order if the shop's policy says so.
func TestLateMoney(t *testing.T) {
	for _, tt := range []struct {
		policy  string
		order   string // its status in the end
		refunds int
	}{{"refund", "closed", 1}, {"revive", "paid", 0}} {
		t.Run(tt.policy, func(t *testing.T) {
			h := open(t)
			h.stock()
			h.must("PUT /v1/shop/policies", `{"latePayment":"`+tt.policy+`"}`)
			no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
			p := h.must("POST /v1/orders/"+no+"/payments", `{"channel":"gate","method":"native"}`)["paymentNo"].(string)
			h.must("POST /v1/orders/"+no+"/cancel", "")
			h.React() // its goods are free again
			h.callback(p, h.gate.Pay(p))
			suspense := h.do("GET /v1/suspense", "").Body.String()
			want := `{"items":[],"totals":[]}`
			if tt.refunds > 0 {
				want = `{"items":[{"channel":"gate","currency":"CNY","amount":8888,"payments":1}],"totals":[{"currency":"CNY","amount":8888,"payments":1}]}`
			}
			if strings.TrimSpace(suspense) != want {
				t.Errorf("in suspense: %s", suspense)
			}
			h.refunds()
			refunds := h.must("GET /v1/orders/"+no+"/refunds", "")["items"].([]any)
			if len(refunds) != tt.refunds {
				t.Fatalf("%v", refunds)
			}
			for _, r := range refunds {
				if r := r.(map[string]any); r["cause"] != "late_payment" || r["status"] != "succeeded" || r["amount"] != 8888.0 || len(r["items"].([]any)) != 0 {
					t.Errorf("%v", r)
				}
			}
			if s := h.do("GET /v1/suspense", "").Body.String(); !strings.Contains(s, `"items":[]`) {
				t.Errorf("still in suspense: %s", s)
			}
			if o := h.must("GET /v1/orders/"+no, ""); o["status"] != tt.order {
				t.Errorf("the order is %v", o["status"])
			}
			h.Audit()
		})
	}
}

// TestInstalments: an order is paid part by part, what falls due first at
// first; a part that is late is waited for if the shop's policy says so.
func TestInstalments(t *testing.T) {
	h := open(t)
	h.stock()
	h.must("PUT /v1/shop/policies", `{"unpaidInstalment":"wait"}`)
	second := h.Clock.Now().Add(48 * time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	o := h.must("POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":2}],"instalments":[{"amount":6776,"dueAt":"`+second+`"},{"amount":1000},{"amount":9000,"dueAt":"`+second[:10]+`T23:59:59.5+00:00"}]}`)
	no := o["orderNo"].(string)
	state := func() string {
		var b strings.Builder
		for _, p := range h.must("GET /v1/orders/"+no, "")["instalments"].([]any) {
			p := p.(map[string]any)
			fmt.Fprintf(&b, "%v/%v %v ", p["paidAmount"], p["amount"], p["status"])
		}
		return strings.TrimSpace(b.String())
	}
	for _, tt := range []struct {
		name   string
		do     func()
		status string
		want   string
	}{
		{"the first", func() { h.pay(no, 0) }, "partially_paid", "0/6776 due 1000/1000 paid 0/9000 due"},
		{"too late", func() {
			h.must("POST /v1/test/clock", `{"advance":"49h"}`)
			if _, err := h.RemindInstalments(ctx, shop.Default); err != nil {
				t.Fatal(err)
			}
			if _, err := h.ExpireOrders(ctx, shop.Default); err != nil {
				t.Fatal(err)
			}
		}, "partially_paid", ""},
		{"the last, out of turn", func() { h.pay(no, 9000) }, "partially_paid", "0/6776 overdue 1000/1000 paid 9000/9000 paid"},
		{"the rest", func() { h.pay(no, 0) }, "paid", "6776/6776 paid 1000/1000 paid 9000/9000 paid"},
	} {
		tt.do()
		if got := state(); tt.want != "" && got != tt.want || h.must("GET /v1/orders/"+no, "")["status"] != tt.status {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	events := h.do("GET /v1/events?limit=1000", "").Body.String()
	for _, want := range []string{`"order.instalment_due"`, `"order.instalment_overdue"`, `"dueAt":"` + second + `"`} {
		if !strings.Contains(events, want) {
			t.Errorf("no %s in the feed", want)
		}
	}
	// Three payments give it back, each its own, with the newest first.
	r := h.must("POST /v1/orders/"+no+"/refunds", `{"amount":7000}`)
	if parts := r["allocations"].([]any); len(parts) != 2 || parts[0].(map[string]any)["amount"] != 6776.0 || parts[1].(map[string]any)["amount"] != 224.0 {
		t.Errorf("taken from %v", parts)
	}
	h.refunds()
	h.Audit()
}

// TestRefundStory: the timeline and the feed have refunds, the bill and
// the operator.
func TestRefundStory(t *testing.T) {
	h := open(t)
	h.stock()
	orderNo, paymentNo := h.paidOrder(oneTea)
	first := h.must("POST /v1/orders/"+orderNo+"/refunds", `{"amount":1000}`)["refundNo"].(string)
	h.gate.Slow(true)
	h.refunds()
	h.must("POST /v1/test/clock", `{"advance":"10s"}`)
	h.refunds() // queries again
	h.must("POST /v1/refunds/"+first+"/confirm", `{"reason":"by hand"}`)
	now := h.Clock.Now()
	day := payment.DayOf(now, h.gate.Zone()).String()
	h.gate.Rows = []payment.BillRow{{
		Kind: payment.BillRefund, Line: 1, PaymentNo: paymentNo, TransactionID: "T" + paymentNo, RefundNo: "console-1", RefundID: "R-9", Amount: 500, Rate: -1,
		Currency: "CNY", Merchant: "mch", App: "app", Reported: "SUCCESS", Done: true, At: now,
	}}
	h.must("POST /v1/test/clock", `{"advance":"25h"}`)
	h.must("POST /v1/reconciliations", `{"channel":"gate","date":"`+day+`"}`)
	h.must("POST /v1/orders/"+orderNo+"/refunds", ``)
	h.gate.Slow(false)
	h.refunds()

	kinds, types := map[string]bool{}, map[string]bool{}
	named := false
	for _, e := range h.must("GET /v1/orders/"+orderNo+"/timeline", "")["items"].([]any) {
		e := e.(map[string]any)
		kinds[e["kind"].(string)] = true
		if e["kind"] == "event" {
			types[e["type"].(string)] = true
			named = named || e["type"] == "refund.created" && e["refundNo"] == first
		}
	}
	for _, kind := range []string{"refund", "refund_query", "operator", "bill"} {
		if !kinds[kind] {
			t.Errorf("no %s in the timeline", kind)
		}
	}
	for _, kind := range []string{"refund.created", "refund.succeeded", "order.refunded"} {
		if !types[kind] {
			t.Errorf("no %s in the timeline", kind)
		}
	}
	if !named || !strings.Contains(h.do("GET /v1/events?limit=1000", "").Body.String(), `"refundNo":"`+first+`"`) {
		t.Error("no event has the refund's number")
	}
	if d := h.must("GET /v1/discrepancies?class=refund_unknown&status=healed", "")["items"].([]any); len(d) != 1 {
		t.Errorf("healed by the bill: %v", d)
	}
	if o := h.must("GET /v1/orders/"+orderNo, ""); o["status"] != "refunded" || o["refundedAmount"] != 8888.0 {
		t.Errorf("the order is %v", o)
	}
	h.Audit()
}

// TestBillMissing: a bill that is not there is no refusal, and is reported.
func TestBillMissing(t *testing.T) {
	h := open(t)
	h.stock()
	_, p := h.paidOrder(oneTea)
	paid, err := h.Store.Payment(ctx, shop.Default, p)
	if err != nil {
		t.Fatal(err)
	}
	day := payment.DayOf(paid.SucceededAt, h.gate.Zone()).String()
	h.must("POST /v1/test/clock", `{"advance":"25h"}`)
	r := h.must("POST /v1/reconciliations", `{"channel":"gate","date":"`+day+`"}`)
	if r["status"] != "failed" || r["error"] == "" || r["summary"] != nil {
		t.Errorf("%v", r)
	}
	again := h.must("POST /v1/reconciliations", `{"channel":"gate","date":"`+day+`"}`)
	if again["runs"] != 2.0 {
		t.Errorf("run again: %v", again)
	}
}

// TestEventTypes: the document lists every type that events have.
func TestEventTypes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../event/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	about := operations(api.Published(bare))["GET /v1/events"].Description
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Type" {
			return true
		}
		name, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		found++
		if !strings.Contains(about, "| `"+name+"` |") {
			t.Errorf("%s is not listed", name)
		}
		return true
	})
	if found < 30 {
		t.Errorf("found %d types", found)
	}
}

// TestOnceFails: a failure is not kept under a key, and a key that is used
// is used for all.
func TestOnceFails(t *testing.T) {
	h := open(t)
	h.stock()
	no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
	p := h.must("POST /v1/orders/"+no+"/payments", `{"channel":"gate","method":"native"}`)["paymentNo"].(string)
	h.gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, false }
	wantCode(t, h.do("POST /v1/payments/"+p+"/sync", "", "Idempotency-Key: k"), 502, "channel_unavailable")
	h.gate.Fail = nil
	if w := h.do("POST /v1/payments/"+p+"/sync", "", "Idempotency-Key: k"); w.Code != http.StatusOK || w.Header().Get("Idempotent-Replayed") != "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantCode(t, h.do("POST /v1/payments/"+p+"/close", "", "Idempotency-Key: k"), 422, "idempotency_key_reused")
	wantCode(t, h.do("POST /v1/coupons/C-1/revoke", "", "Idempotency-Key: k"), 422, "idempotency_key_reused")
	h.gate.Pay(p)
	if v := h.must("POST /v1/payments/"+p+"/sync", "", "Idempotency-Key: k"); v["status"] != "pending" {
		t.Errorf("not the first answer: %v", v)
	}
	h.Clock.Advance(app.SyncEvery)
	if v := h.must("POST /v1/payments/"+p+"/sync", "", "Idempotency-Key: k2"); v["status"] != "succeeded" {
		t.Errorf("asked again: %v", v)
	}
}
