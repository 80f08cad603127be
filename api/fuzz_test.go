package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// FuzzQuote: no body makes the server fail, and every refusal is a problem.
func FuzzQuote(f *testing.F) {
	h := open(f)
	h.stock()
	for _, body := range []string{
		oneTea, ``, `null`, `[]`, `{"userId":"u1","items":[{"sku":"tea","quantity":1e999}],"couponCodes":["C-1"]}`,
		`{"userId":"u1","items":[{"sku":"tea","quantity":9223372036854775807}]}`, `{"userId":"\u0000","items":[{"sku":"\ud800","quantity":1}]}`,
		`{"items":[null,{"sku":null}],"userId":{}}`, `{"a.b[0]":{"~":"/"}}`, strings.Repeat(`{"items":[`, 50),
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := h.do("POST /v1/quotes", body)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var p refusal
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		if w.Code != http.StatusOK && (p.Code == "" || p.Status != w.Code) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzRefund: no body makes the server fail or give back more than was paid,
// and null never means all that is left.
func FuzzRefund(f *testing.F) {
	h := open(f)
	h.stock()
	orderNo, _ := h.paidOrder(`{"userId":"u1","items":[{"sku":"tea","quantity":3},{"sku":"milk","quantity":1}]}`)
	for _, body := range []string{
		`{"amount":1}`, `{"amount":null}`, `{"items":null}`, `{"items":[]}`, `{"amount":1e0}`, `{"amount":-0}`, `{"items":[{"line":0,"quantity":1}],"reason":"坏"}`,
		`{"items":[{"line":9223372036854775807,"quantity":1}]}`, `{"amount":9223372036854775808}`, `{"Amount":1}`, `{"amount":1,"amount":null}`, `null`, `[]`, `{"items":[null]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := h.do("POST /v1/orders/"+orderNo+"/refunds", body)
		var p struct {
			Status any // a number of a problem, a word of a refund
			Code   string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		var members map[string]any
		switch {
		case w.Code == http.StatusCreated:
			_ = json.Unmarshal([]byte(body), &members) // it was taken: it is JSON, or nothing
			for name, v := range members {
				if v == nil {
					t.Fatalf("%s, which is null, gave back %s", name, w.Body)
				}
			}
		case w.Code >= http.StatusInternalServerError, p.Code == "", p.Status != float64(w.Code):
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var o struct{ PaidAmount, RefundingAmount int64 }
		read := h.do("GET /v1/orders/"+orderNo, "")
		if err := json.Unmarshal(read.Body.Bytes(), &o); err != nil || o.PaidAmount == 0 || o.RefundingAmount > o.PaidAmount {
			t.Fatalf("%v: %s", err, read.Body)
		}
	})
}
