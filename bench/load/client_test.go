package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func serve(t *testing.T, h http.HandlerFunc) Target {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	target, err := NewTarget(s.URL, "sk_test")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestClientReadsEveryFraming(t *testing.T) {
	large := strings.Repeat("0123456789", 5000)
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer sk_test" {
			t.Errorf("Authorization: %q", got)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch r.URL.Path {
		case "/length":
			fmt.Fprintf(w, "got %s", body)
		case "/chunked":
			fmt.Fprint(w, large)
			w.(http.Flusher).Flush()
			fmt.Fprint(w, "end")
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/last":
			w.Header().Set("Connection", "close")
			fmt.Fprint(w, "bye")
		}
	})
	c, err := dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, tt := range []struct {
		path, body, want string
		status           int
	}{
		{"/length", `{"a":1}`, `got {"a":1}`, 200},
		{"/chunked", "", large + "end", 200},
		{"/nothing", "", "", 204},
		{"/length", "x", "got x", 200},
		{"/last", "", "bye", 200},
	} {
		status, answer, err := c.call("POST", tt.path, []byte(tt.body))
		if err != nil || status != tt.status || string(answer) != tt.want {
			t.Errorf("%s: %d %.40q %v", tt.path, status, answer, err)
		}
	}
	if _, _, err := c.call("GET", "/length", nil); err == nil {
		t.Error("a request went through a connection that the server had closed")
	}
	if err := c.redial(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := c.call("GET", "/length", nil); err != nil || string(answer) != "got " {
		t.Errorf("after redialling: %q %v", answer, err)
	}
}

func TestMembersOfDocuments(t *testing.T) {
	doc := []byte(`{"orderNo":"17","note":"amount","amount":1290,"payment":{"paymentNo":"29"}}`)
	if got := text(doc, "paymentNo"); got != "29" {
		t.Errorf("paymentNo: %q", got)
	}
	if got := number(doc, "amount"); got != 1290 {
		t.Errorf("amount: %d", got)
	}
	if got := text(doc, "absent") + text(doc, "amount"); got != "" {
		t.Errorf("what is not a string there: %q", got)
	}
}

func TestOrdersCountsAndReportsErrors(t *testing.T) {
	var placed atomic.Int64
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n := placed.Add(1); n%10 == 0 {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"status":409,"code":"out_of_stock"}`)
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"orderNo":"1"}`)
	})
	shop := &Shop{Name: "B", Skus: 2, Coupons: 1000}
	r, err := Orders(t.Context(), target, shop, Pace{Clients: 4, For: time.Minute, Max: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Stages[0]
	if s.Count != 90 || s.Errors["out_of_stock"] != 10 || placed.Load() != 100 {
		t.Errorf("counted %d, errors %v, of %d requests", s.Count, s.Errors, placed.Load())
	}
	if s.Latency.P50 <= 0 || s.Latency.Max < s.Latency.P99 || s.Rate <= 0 {
		t.Errorf("latency %v, rate %v", s.Latency, s.Rate)
	}
}

func TestOrdersEndsWithTheCoupons(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	r, err := Orders(t.Context(), target, &Shop{Name: "B", Skus: 5, Coupons: 10}, Pace{Clients: 2, For: time.Minute}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Stages[0].Count; n < 10 || n > 30 || r.Note == "" {
		t.Errorf("%d orders with 10 coupons, note %q", n, r.Note)
	}
}

func TestRunGivesUp(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	_, err := Quotes(t.Context(), target, &Shop{Skus: 3}, Pace{Clients: 20, For: time.Minute}, nil)
	if !errors.Is(err, ErrTooManyErrors) {
		t.Errorf("a server that only fails: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	hung := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices who leaves
		<-r.Context().Done()
	})
	began := time.Now()
	if _, err := Quotes(ctx, hung, &Shop{Skus: 3}, Pace{Clients: 4, For: time.Minute}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that never answers: %v", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s to give up", took)
	}
}

func TestCartsAreOfDifferentSkus(t *testing.T) {
	for skus := 2; skus < 40; skus++ {
		for range 50 {
			body := string(cart(nil, skus, 5, ""))
			seen := map[string]bool{}
			for part := range strings.SplitSeq(body, `"sku":"`) {
				id, _, _ := strings.Cut(part, `"`)
				if seen[id] {
					t.Fatalf("%d skus: %s", skus, body)
				}
				seen[id] = true
			}
		}
	}
}
