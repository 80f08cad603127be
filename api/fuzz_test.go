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
