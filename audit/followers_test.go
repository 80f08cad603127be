package audit_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/shop"
)

// life is a shop with one order, and what its followers can be made to say.
type life struct {
	*harness.Harness
	t   *testing.T
	ctx context.Context
}

func (l *life) must(_ any, err error) {
	l.t.Helper()
	steps.Must(l.t)(nil, err)
}

func (l *life) paid(no string, amount int64) {
	p := steps.Pay(l.t, l.Harness, no, amount)
	steps.Callback(l.t, l.Harness, p.No, l.Gate.Pay(p.No))
}

func (l *life) cancel(no string) {
	_, _, err := l.CancelOrder(l.ctx, shop.Default, no, "", "")
	l.must(nil, err)
}

// place places an order of 500 with the coupon, in two parts if asked to.
func (l *life) place(inParts bool) string {
	in := harness.Cart("u", "A", "C5")
	if inParts {
		in.Plan = []order.Instalment{{Amount: 200}, {Amount: 300, DueAt: l.Clock.Now().Add(48 * time.Hour)}}
	}
	return steps.Place(l.t, l.Harness, in).No
}

// put has a follower's cursor stand somewhere, and some records parked.
func (l *life) put(follower string, at event.Position, parked ...event.Position) {
	l.t.Helper()
	c := &app.Command{Shop: shop.Default, Name: "put", Needs: app.Needs{rows.Cursors.Keys(follower)}}
	_, err := app.Run(l.ctx, l.App, c, func(tx *app.Tx) error {
		tx.PutCursor(follower, at)
		for _, p := range parked {
			tx.Park(app.ParkedRecord{Follower: follower, Position: p, FailedAt: tx.Now(), ParkedAt: tx.Now()})
		}
		return nil
	})
	l.must(nil, err)
}

func (l *life) unpark(b *outbox.Outbox) {
	l.t.Helper()
	parked, _, err := b.Parked(l.ctx, shop.Default, "", app.Page{Limit: 1000})
	l.must(nil, err)
	c := &app.Command{Shop: shop.Default, Name: "unpark"}
	for _, r := range parked {
		c.Needs.Add(rows.Parked.Keys(r.ID))
	}
	_, err = app.Run(l.ctx, l.App, c, func(tx *app.Tx) error {
		for _, r := range parked {
			tx.Unpark(r.ID)
		}
		return nil
	})
	l.must(nil, err)
}

// look audits and returns what is pending, and the offences without the
// order's number.
func (l *life) look() (int64, string) {
	l.t.Helper()
	r, err := audit.Run(l.ctx, l.Store, shop.Default, outbox.Reactions(app.Reactions))
	l.must(nil, err)
	var all []string
	for _, o := range r.Offences {
		all = append(all, fmt.Sprintf("%d %s", o.Invariant, o.Message))
	}
	return r.Pending, strings.Join(all, "\n")
}

func (l *life) want(when string, pending int64, offences ...string) {
	l.t.Helper()
	n, found := l.look()
	ok := n == pending && (len(offences) > 0 || found == "")
	for _, o := range offences {
		ok = ok && strings.Contains(found, o)
	}
	if ok = ok && (found == "" || strings.Count(found, "\n")+1 == len(offences)); !ok {
		l.t.Errorf("%s: %d pending, want %d; offences %q, want %q", when, n, pending, found, offences)
	}
}

// TestFollowers: what a follower has still to do is pending while its cursor
// is before it, and while it is parked; if the cursor is behind it, the audit
// finds what was left undone, and if the cursor stands before what was done,
// that. One line is one life of an order, with what its followers leave undone
// when they are stopped ("": the shop could have had it left).
func TestFollowers(t *testing.T) {
	const (
		locked = "9 is paid, its coupon C5 is locked (coupons has passed"
		held   = "9 is closed and holds coupon C5 (coupons"
		unsold = "9 is paid, its units are not sold (stock"
		units  = "9 is closed and holds units (stock"
		open   = "9 wants no money, and nothing closes its payment "
		keeps  = "9 is closed and keeps 200 that were paid (refunds"
	)
	for _, tt := range []struct {
		name string
		live func(l *life)
		left map[string]string // by follower
	}{
		{"paid", func(l *life) { l.paid(l.place(false), 0) }, map[string]string{"coupons": locked, "stock": unsold}},
		{"paid, with another payment open", func(l *life) {
			no := l.place(false)
			steps.Pay(l.t, l.Harness, no, 0)
			l.paid(no, 0)
		}, map[string]string{"coupons": locked, "stock": unsold, "payments": open}},
		{"closing", func(l *life) {
			steps.Pay(l.t, l.Harness, l.place(false), 0)
			l.Clock.Advance(16 * time.Minute)
			l.must(l.ExpireOrders(l.ctx, shop.Default))
		}, map[string]string{"payments": open}},
		{"cancelled", func(l *life) { l.cancel(l.place(false)) }, map[string]string{"coupons": held, "stock": units}},
		{"cancelled when a part was paid", func(l *life) {
			no := l.place(true)
			l.paid(no, 200)
			l.cancel(no)
		}, map[string]string{"coupons": held, "stock": units, "refunds": keeps}},
		{"expired when a part was paid", func(l *life) {
			l.paid(l.place(true), 200)
			l.Clock.Advance(49 * time.Hour)
			l.must(l.RemindInstalments(l.ctx, shop.Default))
			l.must(l.ExpireOrders(l.ctx, shop.Default))
		}, map[string]string{"coupons": held, "stock": units, "refunds": keeps}},
		{"refunded", func(l *life) {
			l.must(nil, steps.Err(l.PutTemplate(
				l.ctx, shop.Default, "", marketing.Template{ID: "five", Name: "5 off", Kind: "amount_off", AmountOff: 500, ReturnOnRefund: true}, false,
			)))
			no := l.place(false)
			l.paid(no, 0)
			l.React()
			steps.Refund(l.t, l.Harness, no, order.RefundRequest{})
			l.must(l.RunRefunds(l.ctx, shop.Default))
		}, map[string]string{"coupons": "", "stock": "9 is refunded, its units are not back (stock"}},
		{"closed after its goods went", func(l *life) {
			l.must(l.PutPolicies(l.ctx, shop.Default, shop.Policies{InstalmentGoods: shop.FirstPart}))
			no := l.place(true)
			l.paid(no, 200)
			l.React()
			l.cancel(no)
		}, map[string]string{"stock": "9 is refunded, its units are not back (stock", "refunds": keeps}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, begin steps.Open) {
				l := &life{steps.Shop(t, begin), t, context.Background()}
				tt.live(l)
				n := int64(len(tt.left))
				l.want("at first", n)
				end, err := l.Store.EndOfLog(l.ctx, shop.Default)
				l.must(nil, err)
				for _, f := range slices.Sorted(maps.Keys(tt.left)) {
					was, _, err := l.Store.Cursor(l.ctx, shop.Default, f)
					l.must(nil, err)
					l.put(f, end)
					if text := tt.left[f]; text != "" {
						l.want(f+" has passed it", n-1, text)
					} else {
						l.want(f+" has passed it", n-1)
					}
					var after []event.Position
					for p := was + 1; p <= end; p++ {
						after = append(after, p)
					}
					l.put(f, end, after...)
					l.want(f+" has parked it", n)
					l.unpark(l.Outbox)
					l.put(f, was)
				}
				l.want("then", n)
				l.React()
				l.want("done", 0)
			})
		})
	}
}

// TestFollowersAhead: what was done while the cursor stands before it will be
// done twice.
func TestFollowersAhead(t *testing.T) {
	harness.Each(t, func(t *testing.T, begin steps.Open) {
		l := &life{steps.Shop(t, begin), t, context.Background()}
		no := l.place(true)
		l.paid(no, 200)
		l.cancel(no)
		l.React()
		in := harness.Cart("u", "A", "C5")
		l.paid(steps.Place(t, l.Harness, in).No, 0)
		l.React()
		l.want("done", 0)
		for _, tt := range []struct {
			follower string
			ahead    int
		}{{"coupons", 1}, {"stock", 2}, {"refunds", 1}} {
			was, _, err := l.Store.Cursor(l.ctx, shop.Default, tt.follower)
			l.must(nil, err)
			l.put(tt.follower, 0)
			l.want(tt.follower+" is set back", 0, slices.Repeat([]string{"9 " + tt.follower + " has done what is at"}, tt.ahead)...)
			l.put(tt.follower, was)
		}
	})
}

// TestReactionsHavePending: the audit knows no reaction by itself.
func TestReactionsHavePending(t *testing.T) {
	for _, f := range outbox.Reactions(app.Reactions) {
		if f.Pending == nil {
			t.Errorf("%s does not say what it has still to do", f.Name)
		}
	}
}
