package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/payment"
)

// TestRepeat: a repeat under its key is answered as the first was, and
// changes nothing.
func TestRepeat(t *testing.T) {
	h := open(t)
	h.stock()
	orderNo := h.must("POST /v1/orders", oneTea, "Idempotency-Key: first")["orderNo"].(string)
	paymentNo := h.must("POST /v1/orders/"+orderNo+"/payments", `{"channel":"gate","method":"native"}`)["paymentNo"].(string)
	bought, _ := h.paidOrder(oneTea)
	refundNo := h.must("POST /v1/orders/"+bought+"/refunds", `{"amount":1000}`)["refundNo"].(string)
	differ := h.differ()
	draft := h.must("POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"draft":true}`)["orderNo"].(string)
	for _, tt := range []struct {
		name   string
		call   string
		body   string
		status int
		marked bool // with Idempotent-Replayed
	}{
		{"order", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":2},{"sku":"milk","quantity":1}],"couponCodes":["C-1"],"metadata":{"b":"2","a":"1"}}`, 201, true},
		{"draft", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":2}],"couponCodes":["C-404"],"draft":true}`, 201, true},
		{"reprice", "POST /v1/orders/" + draft + "/reprice", ``, 200, true},
		{"submit", "POST /v1/orders/" + draft + "/submit", `{"expectedPayableAmount":8888}`, 200, true},
		{"payment", "POST /v1/orders/" + orderNo + "/payments", `{"channel":"gate","method":"native"}`, 201, true},
		{"stock", "POST /v1/skus/tea/stock", `{"delta":5}`, 200, true},
		{"promotion", "POST /v1/promotions", `{"name":"n","kind":"amount_off","threshold":100,"amountOff":1,"active":false}`, 201, true},
		{"template", "POST /v1/coupon-templates", `{"name":"n","kind":"amount_off","amountOff":1}`, 201, true},
		{"coupons", "POST /v1/coupons", `{"templateId":"five","count":3}`, 201, true},
		{"users' coupons", "POST /v1/coupons", `{"templateId":"five","userIds":["u7","u8"]}`, 201, true},
		{"template's coupons", "POST /v1/coupon-templates/closed/revoke", ``, 200, true},
		{"claim", "POST /v1/coupon-templates/five/claim", `{"userId":"u1"}`, 201, true},
		{"revoke", "POST /v1/coupons/C-3/revoke", ``, 200, true},
		{"sync", "POST /v1/payments/" + paymentNo + "/sync", ``, 200, true},
		{"close", "POST /v1/payments/" + paymentNo + "/close", ``, 200, true},
		{"refund", "POST /v1/orders/" + bought + "/refunds", `{"amount":88,"reason":"late"}`, 201, true},
		{"retry", "POST /v1/refunds/" + refundNo + "/retry", ``, 200, true},
		{"give up", "POST /v1/refunds/" + refundNo + "/give-up", `{"reason":"not there"}`, 200, true},
		{"confirm", "POST /v1/refunds/" + refundNo + "/confirm", `{"reason":"by hand"}`, 200, true},
		{"refund of the rest", "POST /v1/orders/" + bought + "/refunds", ``, 201, true},
		{"reconcile", "POST /v1/reconciliations", `{"channel":"gate","date":"` + differ["date"].(string) + `"}`, 200, true},
		{"resolve", "POST /v1/discrepancies/" + differ["open"].(string) + "/resolve", `{"reason":"another till"}`, 200, true},
		{"cancel", "POST /v1/orders/" + orderNo + "/cancel", `{"reason":"no more"}`, 200, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key := "Idempotency-Key: repeat-" + strings.ReplaceAll(tt.name, " ", "-")
			first := h.do(tt.call, tt.body, key)
			if first.Code != tt.status || first.Header().Get("Idempotent-Replayed") != "" {
				t.Fatalf("first: %d %v %s", first.Code, first.Header(), first.Body)
			}
			state := h.everything()
			for range 2 {
				again := h.do(tt.call, tt.body, key)
				if again.Code != first.Code || again.Body.String() != first.Body.String() {
					t.Errorf("first %d %sagain %d %s", first.Code, first.Body, again.Code, again.Body)
				}
				if marked := again.Header().Get("Idempotent-Replayed") == "true"; marked != tt.marked {
					t.Errorf("marked as a repeat: %v", marked)
				}
			}
			if h.everything() != state {
				t.Error("the repeat changed something")
			}
		})
	}
	h.Audit()
}

// TestReplayOutlivesTheOrder: the first answer is given again whatever has
// become of the order since.
func TestReplayOutlivesTheOrder(t *testing.T) {
	h := open(t)
	h.stock()
	first := h.do("POST /v1/orders", oneTea, "Idempotency-Key: k")
	o := h.must("POST /v1/orders", oneTea, "Idempotency-Key: k")
	h.must("POST /v1/orders/"+o["orderNo"].(string)+"/cancel", "")
	h.must("POST /v1/test/clock", `{"advance":"720h"}`)
	if again := h.do("POST /v1/orders", oneTea, "Idempotency-Key: k"); again.Code != 201 || again.Body.String() != first.Body.String() {
		t.Errorf("%d %s", again.Code, again.Body)
	}
}

// TestDuplicates: fifty at once with one key make one order; all get it, and one
// of them is answered as the first.
func TestDuplicates(t *testing.T) {
	h := open(t)
	h.stock()
	var mu sync.Mutex
	firsts, bodies := 0, map[string]int{}
	for _, err := range harness.Together(50, func(int) error {
		w := h.do("POST /v1/orders", oneTea, "Idempotency-Key: duplicates")
		if w.Code != http.StatusCreated {
			return fmt.Errorf("%d %s", w.Code, w.Body)
		}
		mu.Lock()
		defer mu.Unlock()
		bodies[w.Body.String()]++
		if w.Header().Get("Idempotent-Replayed") == "" {
			firsts++
		}
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if firsts != 1 || len(bodies) != 1 {
		t.Errorf("%d firsts, %d different answers", firsts, len(bodies))
	}
	if s := h.must("GET /v1/skus/tea", "")["stock"].(map[string]any); s["reserved"] != 1.0 {
		t.Errorf("reserved %v", s["reserved"])
	}
	h.Audit()
}

// TestRefundDuplicates: fifty at once with one key give the money back once.
func TestRefundDuplicates(t *testing.T) {
	h := open(t)
	h.stock()
	orderNo, _ := h.paidOrder(oneTea)
	var mu sync.Mutex
	bodies := map[string]int{}
	for _, err := range harness.Together(50, func(int) error {
		w := h.do("POST /v1/orders/"+orderNo+"/refunds", `{"amount":4444}`, "Idempotency-Key: duplicates")
		if w.Code != http.StatusCreated {
			return fmt.Errorf("%d %s", w.Code, w.Body)
		}
		mu.Lock()
		defer mu.Unlock()
		bodies[w.Body.String()]++
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	h.refunds()
	if o := h.must("GET /v1/orders/"+orderNo, ""); len(bodies) != 1 || o["refundedAmount"] != 4444.0 || o["refundingAmount"] != 0.0 {
		t.Errorf("%d different answers, refunded %v, promised %v", len(bodies), o["refundedAmount"], o["refundingAmount"])
	}
	h.Audit()
}

// TestClientToken: what a browser may do with the token of its order.
func TestClientToken(t *testing.T) {
	h := open(t)
	h.stock()
	o := h.must("POST /v1/orders", oneTea)
	no, token := o["orderNo"].(string), "Authorization: Bearer "+o["clientToken"].(string)
	if _, again := h.must("GET /v1/orders/"+no, "", token)["clientToken"]; again {
		t.Error("a read hands out the token")
	}
	p := h.must("POST /v1/orders/"+no+"/payments", `{"channel":"gate","method":"native"}`, token)
	h.must("GET /v1/payments/"+p["paymentNo"].(string), "", token)
	h.must("POST /v1/payments/"+p["paymentNo"].(string)+"/sync", "", token)
	if o := h.must("POST /v1/orders/"+no+"/cancel", "", token); o["status"] != "closed" {
		t.Errorf("cancelled: %v", o["status"])
	}
}

// TestChannelTrouble: what a channel's silence and its no become.
func TestChannelTrouble(t *testing.T) {
	for _, tt := range []struct {
		name   string
		call   string // of the gate that fails
		err    error
		after  bool // the gate did its work all the same
		verb   string
		status int
		code   string
	}{
		{"prepay unknown", "prepay", payment.ErrUnknown, false, "open", 502, "channel_unavailable"},
		{"prepay too slow", "prepay", fmt.Errorf("%w: %w", payment.ErrUnknown, http.ErrHandlerTimeout), true, "open", 502, "channel_unavailable"},
		{"prepay busy", "prepay", payment.ErrBusy, false, "open", 502, "channel_unavailable"},
		{"prepay rejected", "prepay", &payment.RejectedError{Code: "NOAUTH", Message: "no"}, false, "open", 502, "channel_rejected"},
		{"query unknown", "query", payment.ErrUnknown, false, "sync", 502, "channel_unavailable"},
		{"close unknown", "close", payment.ErrUnknown, false, "close", 502, "channel_unavailable"},
		{"query before close unknown", "query", payment.ErrUnknown, false, "close", 502, "channel_unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t)
			h.stock()
			no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
			path := "POST /v1/orders/" + no + "/payments"
			body := `{"channel":"gate","method":"native"}`
			if tt.verb != "open" {
				path = "POST /v1/payments/" + h.must(path, body)["paymentNo"].(string) + "/" + tt.verb
				body = ""
			}
			h.Gate.Fail = func(call, _ string) (error, bool) {
				if call == tt.call {
					return tt.err, tt.after
				}
				return nil, true
			}
			w := h.do(path, body, "Idempotency-Key: k")
			wantCode(t, w, tt.status, tt.code)
			h.Gate.Fail = nil
			switch w := h.do(path, body, "Idempotency-Key: k"); {
			case tt.code == "channel_rejected": // that answer was certain: it is the same again
				wantCode(t, w, tt.status, tt.code)
			case w.Code/100 != 2:
				t.Errorf("the repeat: %d %s", w.Code, w.Body)
			}
			h.Audit()
		})
	}
}

// TestPaidMeanwhile: money wins over a close and a cancel.
func TestPaidMeanwhile(t *testing.T) {
	h := open(t)
	h.stock()
	no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
	p := h.must("POST /v1/orders/"+no+"/payments", `{"channel":"gate","method":"native"}`)["paymentNo"].(string)
	h.Gate.Pay(p)
	wantCode(t, h.do("POST /v1/payments/"+p+"/close", ""), 409, "payment_not_closable")
	wantCode(t, h.do("POST /v1/orders/"+no+"/cancel", ""), 409, "order_not_cancellable")
	if o := h.must("GET /v1/orders/"+no, ""); o["status"] != "paid" {
		t.Errorf("the order is %v", o["status"])
	}
	h.Audit()
}

// TestCancelWaits: while the channel is silent an order closes later, and
// the answer says so.
func TestCancelWaits(t *testing.T) {
	h := open(t)
	h.stock()
	no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
	h.must("POST /v1/orders/"+no+"/payments", `{"channel":"gate","method":"native"}`)
	h.Gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, false }
	if w := h.do("POST /v1/orders/"+no+"/cancel", ""); w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), `"pending_payment"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func wantCode(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), `"code":"`+code+`"`) {
		t.Errorf("%d %s, want %d %s", w.Code, w.Body, status, code)
	}
}
