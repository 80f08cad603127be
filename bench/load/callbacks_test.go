package load

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox"
)

func newTestKeys(t *testing.T) *sandbox.Keys {
	t.Helper()
	keys, err := sandbox.GenerateKeys(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// calls are the requests that a shop got.
type calls struct{ placed, opened, hung, delivered atomic.Int64 }

// serveShop is a shop that says yes to all, except that payments at the slow
// channel get the given status. When that is a yes too, it does not answer
// callbacks.
func serveShop(t *testing.T, slow int) (Target, *calls) {
	n := &calls{}
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/notify/default/"+BenchChannel):
			if n.delivered.Add(1); slow == http.StatusCreated {
				<-r.Context().Done()
			}
		case strings.HasPrefix(r.URL.Path, "/v1/channels/"):
		case strings.Contains(string(body), SlowChannel):
			n.hung.Add(1)
			w.WriteHeader(slow)
		case strings.HasSuffix(r.URL.Path, "/payments"):
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"paymentNo":"2%028d","amount":100}`, n.opened.Add(1))
		case strings.Contains(string(body), "couponCodes"):
			w.WriteHeader(http.StatusTeapot)
		default:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"orderNo":"1%028d"}`, n.placed.Add(1))
		}
	}), n
}

func TestCallbacksAreDeliveredTwice(t *testing.T) {
	target, n := serveShop(t, 0)
	r, err := Callbacks(t.Context(), target, &Shop{Name: "B", Skus: 3, Coupons: 5}, newTestKeys(t), 20, Pace{Clients: 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n.placed.Load() != 20 || n.opened.Load() != 20 || n.delivered.Load() != 40 {
		t.Errorf("placed %d, opened %d, delivered %d", n.placed.Load(), n.opened.Load(), n.delivered.Load())
	}
	if len(r.Stages) != 2 || r.Stages[0].Count != 20 || r.Stages[1].Count != 20 || r.Rate != r.Stages[0].Rate || r.Alone <= 0 {
		t.Errorf("%+v", r)
	}
	for _, many := range []int64{0, MaxCallbacks + 1} {
		if _, err := Callbacks(t.Context(), target, &Shop{}, nil, many, Pace{}, nil); err == nil {
			t.Errorf("%d callbacks were taken on", many)
		}
	}
}

// What is measured alone must be the whole verification: it fails on what the
// channel would refuse.
func TestBareCallbacksAreVerified(t *testing.T) {
	l := newLives(Target{}, &Shop{}, newTestKeys(t), 2)
	for i := range l.list {
		l.list[i].payment, l.list[i].amount = fmt.Sprintf("2%028d", i), 100
		if err := l.signOne(&l.list[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		spoil func(c *callback)
		want  string
	}{
		{"another body", func(c *callback) { c.body = append(c.body, ' ') }, "verification error"},
		{"another nonce", func(c *callback) { c.header.Set("Wechatpay-Nonce", "x") }, "verification error"},
		{"another signature", func(c *callback) {
			c.header.Set("Wechatpay-Signature", l.list[1].signed.header.Get("Wechatpay-Signature"))
		}, "verification error"},
		{"no signature", func(c *callback) { c.header.Set("Wechatpay-Signature", "?") }, "illegal base64"},
		{"no JSON", func(c *callback) { c.body = nil }, "unexpected end"},
	} {
		one := newLives(Target{}, &Shop{}, l.k, 1)
		one.list[0].signed = callback{l.list[0].signed.header.Clone(), append([]byte(nil), l.list[0].signed.body...)}
		tt.spoil(&one.list[0].signed)
		if _, err := one.verifyAlone(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestIsolation(t *testing.T) {
	keys := newTestKeys(t)
	for _, tt := range []struct {
		hanging, status int
		err             string
	}{
		{0, 0, ""},
		{2, http.StatusBadGateway, ""},
		{2, http.StatusGatewayTimeout, ""},
		{2, http.StatusCreated, "the channel that hangs: 201"},
	} {
		target, n := serveShop(t, tt.status)
		o := IsolationOptions{Requests: 40, Hanging: tt.hanging}
		r, err := Isolation(t.Context(), target, &Shop{Name: "B", Skus: 3}, keys, o, Pace{Clients: 4}, nil)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%+v: %v", tt, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		if n.opened.Load() != 40 || n.delivered.Load() != 20 || r.Stages[0].Count != 40 || (n.hung.Load() > 0) != (tt.hanging > 0) {
			t.Errorf("%+v: opened %d, delivered %d, hung %d: %+v", tt, n.opened.Load(), n.delivered.Load(), n.hung.Load(), r)
		}
	}
}
