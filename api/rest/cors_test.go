package rest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/api/rest"
)

// What a token allows, pages of every origin may call and read; nothing else.
func TestCrossOrigin(t *testing.T) {
	for _, tt := range []struct {
		name, call string
		open       bool
		status     int
		allowed    string
	}{
		{"preflight", "OPTIONS /notes", true, 204, "*"},
		{"an answer", "GET /notes", true, 200, "*"},
		{"a refusal", "GET /notes?nothing=1", true, 400, "*"},
		{"preflight of what is not open", "OPTIONS /notes", false, 405, ""},
		{"an answer of what is not open", "GET /notes", false, 200, ""},
	} {
		s := notes(func(o *rest.Options) { o.Access.CrossOrigin = tt.open })
		w := s.do(tt.call, "", "Origin: https://shop.example")
		if w.Code != tt.status || w.Header().Get("Access-Control-Allow-Origin") != tt.allowed {
			t.Errorf("%s: %d %v", tt.name, w.Code, w.Header())
		}
	}
}

// What is there twice is refused: two readers could take different ones.
func TestTwice(t *testing.T) {
	s := notes()
	for _, tt := range []struct {
		call, body string
		status     int
	}{
		{"POST /notes", `{"text":"a","size":1}`, 201},
		{"POST /notes", `{"text":"a","text":"b"}`, 400},
		{"POST /notes", `{"text":"a","more":{"a":1,"a":2}}`, 400},
		{"POST /notes", `{"text":"a","t\u0065xt":"b"}`, 400},
		{"POST /notes", `{"text":"a","more":{"text":1,"size":2}}`, 201},
		{"POST /plain", `{"text":"a","text":"b"}`, 400},
		{"POST /plain", `{"text":"a"}`, 200},
	} {
		if w := s.do(tt.call, tt.body); w.Code != tt.status {
			t.Errorf("%s %s: %d, want %d: %s", tt.call, tt.body, w.Code, tt.status, w.Body)
		}
	}
	r := httptest.NewRequest("POST", "/notes", strings.NewReader(`{"text":"a"}`))
	r.Header.Set("Authorization", "Bearer writer")
	r.Header["Idempotency-Key"] = []string{"a", "b"}
	w := httptest.NewRecorder()
	if s.Mux.ServeHTTP(w, r); w.Code != http.StatusBadRequest {
		t.Errorf("two keys: %d", w.Code)
	}
}
