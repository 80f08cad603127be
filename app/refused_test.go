package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

// countMessages counts the stored channel messages of a kind about orders; ""
// is none of ours.
func countMessages(t *testing.T, r *harness.Harness, kind string, orderNos ...string) (n int) {
	t.Helper()
	for _, no := range orderNos {
		found, err := r.Store.ChannelMessages(ctx, shop.Default, no)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found {
			if m.Kind == kind {
				n++
			}
		}
	}
	return n
}

// Whatever anybody sends to a channel's address is refused with a 4xx, noted
// in a ring of so many, and never stored whole.
func TestRefusedCallbacks(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		header := http.Header{"Wechatpay-Serial": {"S\x00\xff" + strings.Repeat("9", 5000)}, "Request-Id": {"r1"}, "Cookie": {"secret"}}
		for i, body := range []string{"", "rubbish", "{}", "\x00", "\xff", strings.Repeat("x", app.MaxCallback+1)} {
			a, verdict, err := r.CallbackFrom(ctx, shop.Default, "gate", "203.0.113.7", header, []byte(body))
			if err != nil || a.Status < 400 || a.Status >= 500 || !strings.HasPrefix(verdict, "refused") {
				t.Errorf("%d: %d %s %v, want a 4xx", i, a.Status, verdict, err)
			}
		}
		got, err := r.Store.RefusedCallbacks(ctx, shop.Default, "gate", 100)
		if err != nil || len(got) != 6 {
			t.Fatalf("%d are noted, want 6: %v", len(got), err)
		}
		if n := got[0]; n.Remote != "203.0.113.7" || n.RequestID != "r1" || n.Stage != "signature" || len([]rune(n.Serial)) != 200 {
			t.Errorf("%+v", n)
		}
		for range 110 { // minutes of an attack
			r.Clock.Advance(time.Minute)
			for i := range 15 {
				if _, _, err := r.Callback(ctx, shop.Default, "gate", nil, fmt.Appendf(nil, "forged %d", i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, err = r.Store.RefusedCallbacks(ctx, shop.Default, "", 2*app.RefusedInAll)
		if err != nil || len(got) != app.RefusedInAll {
			t.Errorf("%d are noted, want the newest %d: %v", len(got), app.RefusedInAll, err)
		}
		if n := countMessages(t, r, app.MessageCallback, ""); n != 0 {
			t.Errorf("%d are stored whole", n)
		}
		r.Audit()
	})
}
