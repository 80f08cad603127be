package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const draftTea = `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"draft":true}`

// TestDraftRefusals: what cannot be done to a draft, or to what is none. In
// call, body and headers {draft} is a draft of one tea at version 2, {token}
// its client token, and {placed} an order that was placed; the other names
// are drafts that placing would refuse.
func TestDraftRefusals(t *testing.T) {
	h := open(t)
	h.stock()
	h.must("POST /v1/coupon-templates", `{"id":"big","name":"big","kind":"amount_off","amountOff":500,"threshold":1000000}`)
	h.must("POST /v1/coupons", `{"templateId":"big","codes":["C-BIG"]}`)
	var names []string
	draft := func(name, members string) map[string]any {
		o := h.must("POST /v1/orders", `{"draft":true,`+members+`}`)
		names = append(names, "{"+name+"}", o["orderNo"].(string))
		return o
	}
	const tea = `"userId":"u1","items":[{"sku":"tea","quantity":1}]`
	soon := h.Clock.Now().Add(2 * time.Minute).UTC().Format(time.RFC3339)
	draft("late", tea+`,"instalments":[{"amount":888},{"amount":8000,"dueAt":"`+soon+`"}]`)
	h.must("POST /v1/test/clock", `{"advance":"5m"}`)
	o := draft("draft", tea)
	names = append(names, "{token}", o["clientToken"].(string))
	h.must("PUT /v1/orders/"+o["orderNo"].(string), `{"items":[{"sku":"tea","quantity":1}],"metadata":{"a":"b"}}`)
	draft("many", `"userId":"u1","items":[{"sku":"tea","quantity":101}]`)
	draft("milk", `"userId":"u1","items":[{"sku":"milk","quantity":3}]`)
	draft("blocked", `"userId":"blocked","items":[{"sku":"tea","quantity":1}]`)
	draft("theirs", tea+`,"couponCodes":["C-THEIRS"]`)
	draft("unknown", tea+`,"couponCodes":["C-404"]`)
	draft("small", tea+`,"couponCodes":["C-BIG"]`)
	draft("parts", tea+`,"instalments":[{"amount":888},{"amount":8001}]`)
	h.must("POST /v1/orders/"+draft("discarded", tea)["orderNo"].(string)+"/cancel", "")
	names = append(names, "{placed}", h.must("POST /v1/orders", oneTea, "Idempotency-Key: used")["orderNo"].(string))
	paid, _ := h.paidOrder(oneTea)
	names = append(names, "{paid}", paid)
	fill := func(s string) string { return strings.NewReplacer(names...).Replace(s) }

	const (
		items  = `{"items":[{"sku":"tea","quantity":1}]}`
		client = "Authorization: Bearer {token}"
		theirs = "Authorization: Bearer " + theirKey
		stale  = `If-Match: "1"`
	)
	h.refuses(t, fill, []refusalCase{
		{"a draft in words", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"draft":"yes"}`, "", 400, "validation_failed", "/draft"},
		{"a draft of nothing", "POST /v1/orders", `{"userId":"u1","items":[],"draft":true}`, "", 400, "validation_failed", "/items"},
		{"a draft of what is not sold", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"ghost","quantity":1}],"draft":true}`, "", 404, "sku_not_found", "/items"},
		{"a draft in one part", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"instalments":[{"amount":8888}],"draft":true}`, "", 400, "validation_failed", "/instalments"},
		{"a draft at another price", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"expectedPayableAmount":1,"draft":true}`, "", 409, "price_changed", ""},
		{"a draft without a key", "POST /v1/orders", draftTea, "Idempotency-Key: ", 400, "idempotency_key_required", ""},
		{"a draft under an order's key", "POST /v1/orders", draftTea, "Idempotency-Key: used", 422, "idempotency_key_reused", ""},
		{"a token that drafts", "POST /v1/orders", draftTea, client, 403, "forbidden", ""},

		{"an edit of nothing", "PUT /v1/orders/{draft}", `{}`, "", 400, "validation_failed", "/items"},
		{"an edit without a body", "PUT /v1/orders/{draft}", ``, "", 400, "validation_failed", ""},
		{"an edit of no items", "PUT /v1/orders/{draft}", `{"items":[]}`, "", 400, "validation_failed", "/items"},
		{"an edit of what an edit has not", "PUT /v1/orders/{draft}", `{"items":[{"sku":"tea","quantity":1}],"draft":false}`, "", 400, "unknown_field", "/draft"},
		{"an edit for a while that is none", "PUT /v1/orders/{draft}", `{"items":[{"sku":"tea","quantity":1}],"expiresIn":"soon"}`, "", 400, "validation_failed", "/expiresIn"},
		{"an edit for too long", "PUT /v1/orders/{draft}", `{"items":[{"sku":"tea","quantity":1}],"expiresIn":"721h"}`, "", 400, "validation_failed", "/expiresIn"},
		{"an edit for another buyer", "PUT /v1/orders/{draft}", `{"userId":"u2","items":[{"sku":"tea","quantity":1}]}`, "", 400, "validation_failed", "/userId"},
		{"an edit to what is not sold", "PUT /v1/orders/{draft}", `{"items":[{"sku":"ghost","quantity":1}]}`, "", 404, "sku_not_found", "/items"},
		{"an edit at another price", "PUT /v1/orders/{draft}", `{"items":[{"sku":"tea","quantity":1}],"expectedPayableAmount":8887}`, "", 409, "price_changed", ""},
		{"an edit of what was seen before", "PUT /v1/orders/{draft}", items, stale, 412, "precondition_failed", ""},
		{"an edit of what was never seen", "PUT /v1/orders/{draft}", items, `If-Match: "3", "other", 2`, 412, "precondition_failed", ""},
		{"a token that edits", "PUT /v1/orders/{draft}", items, client, 403, "forbidden", ""},
		{"our draft edited with their key", "PUT /v1/orders/{draft}", items, theirs, 404, "not_found", ""},
		{"an unknown draft, edited", "PUT /v1/orders/1", items, "", 404, "not_found", ""},
		{"a placed order, edited", "PUT /v1/orders/{placed}", items, "", 409, "order_frozen", ""},
		{"a placed order, edited as seen before", "PUT /v1/orders/{placed}", items, `If-Match: "7"`, 409, "order_frozen", ""},
		{"a paid order, edited", "PUT /v1/orders/{paid}", items, "", 409, "order_frozen", ""},
		{"a discarded draft, edited", "PUT /v1/orders/{discarded}", items, "", 409, "order_frozen", ""},

		{"priced as seen before", "POST /v1/orders/{draft}/reprice", ``, stale, 412, "precondition_failed", ""},
		{"a token that prices", "POST /v1/orders/{draft}/reprice", ``, client, 403, "forbidden", ""},
		{"our draft priced with their key", "POST /v1/orders/{draft}/reprice", ``, theirs, 404, "not_found", ""},
		{"a placed order, priced", "POST /v1/orders/{placed}/reprice", ``, "", 409, "order_frozen", ""},
		{"priced under an order's key", "POST /v1/orders/{draft}/reprice", ``, "Idempotency-Key: used", 422, "idempotency_key_reused", ""},

		{"submitted as seen before", "POST /v1/orders/{draft}/submit", ``, stale, 412, "precondition_failed", ""},
		{"submitted at another price", "POST /v1/orders/{draft}/submit", `{"expectedPayableAmount":8887}`, "", 409, "price_changed", ""},
		{"submitted with more", "POST /v1/orders/{draft}/submit", `{"items":[]}`, "", 400, "unknown_field", "/items"},
		{"submitted under an order's key", "POST /v1/orders/{draft}/submit", ``, "Idempotency-Key: used", 422, "idempotency_key_reused", ""},
		{"a token that submits", "POST /v1/orders/{draft}/submit", ``, client, 403, "forbidden", ""},
		{"our draft submitted with their key", "POST /v1/orders/{draft}/submit", ``, theirs, 404, "not_found", ""},
		{"an unknown draft, submitted", "POST /v1/orders/1/submit", ``, "", 404, "not_found", ""},
		{"a placed order, submitted", "POST /v1/orders/{placed}/submit", ``, "", 409, "order_frozen", ""},
		{"a discarded draft, submitted", "POST /v1/orders/{discarded}/submit", ``, "", 409, "order_frozen", ""},
		{"more than there is, submitted", "POST /v1/orders/{many}/submit", ``, "", 409, "out_of_stock", ""},
		{"more than one may have, submitted", "POST /v1/orders/{milk}/submit", ``, "", 422, "purchase_limit_exceeded", ""},
		{"of a blocked user, submitted", "POST /v1/orders/{blocked}/submit", ``, "", 422, "user_blocked", ""},
		{"with another's coupon, submitted", "POST /v1/orders/{theirs}/submit", ``, "", 409, "coupon_unavailable", ""},
		{"with no such coupon, submitted", "POST /v1/orders/{unknown}/submit", ``, "", 404, "coupon_not_found", ""},
		{"with a coupon whose threshold is not met, submitted", "POST /v1/orders/{small}/submit", ``, "", 422, "coupon_not_applicable", ""},
		{"in parts that do not add up, submitted", "POST /v1/orders/{parts}/submit", ``, "", 409, "price_changed", ""},
		{"with a part that fell due, submitted", "POST /v1/orders/{late}/submit", ``, "", 400, "validation_failed", "/instalments/1/dueAt"},

		{"a draft, paid", "POST /v1/orders/{draft}/payments", `{"channel":"gate","method":"native"}`, "", 409, "order_not_payable", ""},
		{"a draft, paid by its browser", "POST /v1/orders/{draft}/payments", `{"channel":"gate","method":"native"}`, client, 409, "order_not_payable", ""},
		{"a draft, refunded", "POST /v1/orders/{draft}/refunds", ``, "", 422, "refund_exceeds_paid", ""},
		{"a discarded draft, discarded", "POST /v1/orders/{discarded}/cancel", ``, "", 409, "order_not_cancellable", ""},
		{"a discarded draft, paid", "POST /v1/orders/{discarded}/payments", `{"channel":"gate","method":"native"}`, "", 409, "order_not_payable", ""},
	})
	h.Audit()
}

// TestDraftTags: one editor does not overwrite another, and an edit that
// changes nothing is none.
func TestDraftTags(t *testing.T) {
	h := open(t)
	h.stock()
	no := h.must("POST /v1/orders", draftTea)["orderNo"].(string)
	path, one, two := "PUT /v1/orders/"+no, `{"items":[{"sku":"tea","quantity":1}]}`, `{"items":[{"sku":"tea","quantity":2}]}`
	for _, tt := range []struct {
		name, call, body, match string
		status                  int
		etag                    string
	}{
		{"read", "GET /v1/orders/" + no, "", "", 200, `"1"`},
		{"edited to what it is", path, one, `"1"`, 200, `"1"`},
		{"edited", path, two, `"1"`, 200, `"2"`},
		{"edited by one who saw the first", path, one, `"1"`, 412, ""},
		{"edited by one who saw one of them", path, one, `"1", "2"`, 200, `"3"`},
		{"edited behind a proxy", path, two, `W/"3"`, 200, `"4"`},
		{"edited whatever it is", path, one, `*`, 200, `"5"`},
		{"edited without a look", path, two, ``, 200, `"6"`},
		{"priced", "POST /v1/orders/" + no + "/reprice", "", `"6"`, 200, `"6"`},
		{"priced by one who saw another", "POST /v1/orders/" + no + "/reprice", "", `"5"`, 412, ""},
		{"submitted by one who saw another", "POST /v1/orders/" + no + "/submit", "", `"5"`, 412, ""},
		{"submitted", "POST /v1/orders/" + no + "/submit", "", `"6"`, 200, ""},
		{"read, placed", "GET /v1/orders/" + no, "", "", 200, `"7"`},
	} {
		w := h.do(tt.call, tt.body, "If-Match: "+tt.match)
		if w.Code != tt.status || w.Header().Get("ETag") != tt.etag {
			t.Fatalf("%s: %d %s, want %d %s: %s", tt.name, w.Code, w.Header().Get("ETag"), tt.status, tt.etag, w.Body)
		}
	}
	h.Audit()
}

// TestDraftLooks: a draft is answered as it is read, a submitted one has no
// trace of it but its time; its browser may read and discard it.
func TestDraftLooks(t *testing.T) {
	h := open(t)
	h.stock()
	made := h.must("POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1},{"sku":"milk","quantity":2},{"sku":"tea","quantity":1}],"couponCodes":["C-1"],"draft":true}`)
	token := "Authorization: Bearer " + made["clientToken"].(string)
	no := made["orderNo"].(string)
	delete(made, "clientToken")
	if diff := cmp.Diff(made, h.must("GET /v1/orders/"+no, "", token)); diff != "" {
		t.Errorf("as made and as read:\n%s", diff)
	}
	if asked, _ := json.Marshal(made["draft"].(map[string]any)["items"]); string(asked) != `[{"quantity":2,"sku":"tea"},{"quantity":2,"sku":"milk"}]` {
		t.Errorf("asked for %s", asked)
	}
	if s := h.must("GET /v1/skus/tea", "")["stock"].(map[string]any); s["reserved"] != 0.0 {
		t.Errorf("a draft reserves: %v", s)
	}
	if c := h.must("GET /v1/coupons/C-1", ""); c["status"] != "available" {
		t.Errorf("a draft locks: %v", c)
	}
	w := h.do("POST /v1/orders/"+no+"/submit", "", "Idempotency-Key: ") // one draft, one order: a key need not be
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"draft"`) || strings.Contains(w.Body.String(), "skipped") || !strings.Contains(w.Body.String(), `"submittedAt"`) {
		t.Errorf("submitted: %d %s", w.Code, w.Body)
	}
	if o := h.must("POST /v1/orders", draftTea); h.must("POST /v1/orders/"+o["orderNo"].(string)+"/cancel", "", "Authorization: Bearer "+o["clientToken"].(string))["status"] != "closed" {
		t.Error("a browser cannot discard its draft")
	}
	if list := h.must("GET /v1/orders?status=draft", "")["items"].([]any); len(list) != 0 {
		t.Errorf("drafts are left: %v", list)
	}
	h.Audit()
}
