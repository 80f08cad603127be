package app_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/shop"
)

// offer makes a template of 1.00 off.
func offer(t *testing.T, r *harness.Harness, id string, change func(*marketing.Template)) {
	t.Helper()
	in := marketing.Template{ID: id, Name: id, Kind: "amount_off", AmountOff: 100}
	if change != nil {
		change(&in)
	}
	must(t)(nil, second(r.PutTemplate(ctx, shop.Default, "", in, true)))
}

// issuedOf is what the API shows of a template.
func issuedOf(t *testing.T, r *harness.Harness, id string) int64 {
	t.Helper()
	d, err := r.Template(ctx, shop.Default, id)
	must(t)(nil, err)
	return d.Issued
}

// wallet is a user's coupons of a template, by status.
func wallet(t *testing.T, r *harness.Harness, f app.CouponFilter) map[marketing.Status]int {
	t.Helper()
	out := map[marketing.Status]int{}
	for p := (app.Page{Limit: 7}); ; {
		found, next, err := r.Store.ListCoupons(ctx, shop.Default, f, p)
		must(t)(nil, err)
		for i := range found {
			out[found[i].StatusAt(r.Clock.Now())]++
		}
		if next == "" {
			return out
		}
		p.Cursor = next
	}
}

// TestClaimRace: 100 users claim the last 25; one user claims 30 times where
// each may have two; and what has no limit is had by all.
func TestClaimRace(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		offer(t, r, "scarce", func(d *marketing.Template) { d.Supply, d.PerUserLimit = 60, 1 })
		offer(t, r, "two", func(d *marketing.Template) { d.PerUserLimit = 2 })
		offer(t, r, "free", nil)
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "scarce", Count: 35})))
		claim := func(template string, user func(i int) string, n int) int {
			return succeeded(t, harness.Together(n, func(i int) error {
				return second(instances[i%len(instances)].ClaimCoupon(ctx, shop.Default, "", template, user(i)))
			}), fault.CouponUnavailable)
		}
		each := func(i int) string { return fmt.Sprint("u", i) }
		if n := claim("scarce", each, 100); n != 25 {
			t.Errorf("%d got one of the last 25", n)
		}
		if n := claim("two", func(int) string { return "greedy" }, 30); n != 2 {
			t.Errorf("one user got %d where each may have two", n)
		}
		if n := claim("free", each, 50); n != 50 {
			t.Errorf("%d of 50 got one that all may have", n)
		}
		r.Audit()
		for id, want := range map[string]int64{"scarce": 60, "two": 2, "free": 50} {
			if got := issuedOf(t, r, id); got != want {
				t.Errorf("%s: issued %d, want %d", id, got, want)
			}
		}
		if stored, err := r.Store.Template(ctx, shop.Default, "free"); err != nil || stored.Issued != 0 {
			t.Errorf("a template without a supply was counted: %d %v", stored.Issued, err)
		}
		if w := wallet(t, r, app.CouponFilter{User: "greedy"}); w[marketing.Available] != 2 {
			t.Errorf("the wallet has %v", w)
		}
	})
}

// TestClaimDuplicates: one key is one coupon, however often and wherever it is sent.
func TestClaimDuplicates(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		offer(t, r, "free", nil)
		codes := make([]string, 20)
		if err := errors.Join(harness.Together(len(codes), func(i int) (err error) {
			d, _, err := instances[i%len(instances)].ClaimCoupon(ctx, shop.Default, "one-claim", "free", "u")
			codes[i] = d.Code
			return err
		})...); err != nil {
			t.Error(err)
		}
		for _, c := range codes {
			if c != codes[0] {
				t.Errorf("%v", codes)
				break
			}
		}
		if n := issuedOf(t, r, "free"); n != 1 {
			t.Errorf("%d coupons", n)
		}
		r.Audit()
	})
}

// TestIssueRefusals: what is refused says why, and changes nothing.
func TestIssueRefusals(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		now := r.Clock.Now().UTC()
		soon, past := now.Add(time.Hour), now.Add(-time.Hour)
		offer(t, r, "closed", func(d *marketing.Template) { d.Claimable = new(bool) })
		offer(t, r, "soon", func(d *marketing.Template) { d.ValidFrom = &soon })
		offer(t, r, "past", func(d *marketing.Template) { d.ValidUntil = &past })
		offer(t, r, "three", func(d *marketing.Template) { d.Supply, d.PerUserLimit = 3, 2 })
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "three", User: "full", Count: 2})))
		claim := func(template string) func() error {
			return func() error { return second(r.ClaimCoupon(ctx, shop.Default, "", template, "u")) }
		}
		issue := func(in app.IssueCoupons) func() error {
			return func() error { return second(r.IssueCoupons(ctx, shop.Default, "", in)) }
		}
		put := func(in marketing.Template) func() error {
			in.Name, in.Kind, in.AmountOff = "n", "amount_off", 1
			return func() error { return second(r.PutTemplate(ctx, shop.Default, "", in, false)) }
		}
		users := make([]string, app.MaxIssue+1)
		for i := range users {
			users[i] = fmt.Sprint("u", i)
		}
		before := fmt.Sprint(events(t, r), r.Audit().Coupons)
		for _, tt := range []struct {
			name string
			do   func() error
			code fault.Code
			says string
		}{
			{"claim what cannot be claimed", claim("closed"), fault.CouponUnavailable, "cannot be claimed"},
			{"claim too early", claim("soon"), fault.CouponUnavailable, "can be claimed from"},
			{"claim too late", claim("past"), fault.CouponUnavailable, "ended at"},
			{"claim nothing", claim("nothing"), fault.NotFound, "no coupon template"},
			{"issue too late", issue(app.IssueCoupons{Template: "past"}), fault.CouponUnavailable, "ended at"},
			{"issue more than are left", issue(app.IssueCoupons{Template: "three", Count: 2}), fault.CouponUnavailable, "1 of 3 coupons are left, 2 were requested"},
			{"issue to one who has enough", issue(app.IssueCoupons{Template: "three", User: "full"}), fault.CouponUnavailable, "at most 2 for each user; full has 2"},
			{"issue to users, one of whom has enough", issue(app.IssueCoupons{Template: "three", Users: []string{"full"}}), fault.CouponUnavailable, "full has 2"},
			{"issue to more users than are left", issue(app.IssueCoupons{Template: "three", Users: []string{"a", "b"}}), fault.CouponUnavailable, "1 of 3"},
			{"issue to 1001 users", issue(app.IssueCoupons{Template: "three", Users: users}), fault.ValidationFailed, "/userIds"},
			{"issue a code that is there", issue(app.IssueCoupons{Template: "three", Codes: []string{"C5"}}), fault.AlreadyExists, "C5"},
			{"add a supply", put(marketing.Template{ID: "closed", Supply: 9}), fault.ValidationFailed, "/supply"},
			{"take a supply away", put(marketing.Template{ID: "three", PerUserLimit: 2}), fault.ValidationFailed, "/supply"},
			{"take a user's limit away", put(marketing.Template{ID: "three", Supply: 3}), fault.ValidationFailed, "/perUserLimit"},
			{"revoke a template that is not there", func() error {
				_, err := r.RevokeTemplate(ctx, shop.Default, "nothing", "")
				return err
			}, fault.NotFound, "nothing"},
		} {
			if err := tt.do(); !fault.Is(err, tt.code) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v; want %s that says %q", tt.name, err, tt.code, tt.says)
			}
		}
		if after := fmt.Sprint(events(t, r), r.Audit().Coupons); after != before {
			t.Errorf("what was refused left a trace: %s", after)
		}
		// A limit that is there can be moved.
		must(t)(nil, put(marketing.Template{ID: "three", Supply: 4, PerUserLimit: 1})())
		must(t)(nil, issue(app.IssueCoupons{Template: "three", Users: []string{"a", "b"}})())
		r.Audit()
	})
}

// expiries counts the coupons that the log says have expired, and the most in
// one record.
func expiries(t *testing.T, r *harness.Harness) (n, largest int) {
	t.Helper()
	for at := event.Position(0); ; {
		records, err := r.Store.Events(ctx, shop.Default, app.EventQuery{After: at, Limit: 100})
		must(t)(nil, err)
		if len(records) == 0 {
			return n, largest
		}
		for _, rec := range records {
			at = rec.Position
			here := 0
			for i := range rec.Events {
				if rec.Events[i].Type == event.CouponExpired {
					here++
				}
			}
			n, largest = n+here, max(largest, here)
		}
	}
}

// TestExpireCoupons: coupons of one template that end at the same moment are
// expired in batches, each with its event; one that an order holds follows when
// it is released, one that is used does not.
func TestExpireCoupons(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		const many = 450
		offer(t, r, "day", func(d *marketing.Template) { d.ValidDays, d.Supply = 1, 1000 })
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "day", User: "u", Count: many})))
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "day", Codes: []string{"HELD", "USED", "BACK"}})))
		used := place(t, r, harness.Cart("u", "A", "USED"))
		p := pay(t, r, used.No, 0)
		callback(t, r, p.No, r.Gate.Pay(p.No))
		r.React()
		r.Clock.Advance(24*time.Hour - 5*time.Minute)
		held := place(t, r, harness.Cart("u", "A", "HELD"))
		if n, err := r.ExpireCoupons(ctx, shop.Default); n != 0 || err != nil {
			t.Errorf("%d expired before their time (%v)", n, err)
		}
		r.Clock.Advance(5*time.Minute + time.Second)
		f := app.CouponFilter{User: "u", Status: marketing.Expired, Now: r.Clock.Now()}
		if w := wallet(t, r, f); w[marketing.Expired] != many {
			t.Errorf("before it is written down %v are shown as expired", w)
		}
		if n, err := r.ExpireCoupons(ctx, shop.Default); n != many+1 || err != nil {
			t.Errorf("%d expired, want %d (%v)", n, many+1, err)
		}
		if n, err := r.ExpireCoupons(ctx, shop.Default); n != 0 || err != nil {
			t.Errorf("%d expired again (%v)", n, err)
		}
		f.Now = r.Clock.Now().Add(-48 * time.Hour) // as it is stored
		if w := wallet(t, r, f); w[marketing.Expired] != many {
			t.Errorf("%v are stored as expired", w)
		}
		r.Clock.Advance(time.Hour)
		must(t)(r.ExpireOrders(ctx, shop.Default))
		rest(t, r)
		r.Audit()
		for code, want := range map[string]marketing.Status{"HELD": marketing.Expired, "USED": marketing.Used, "BACK": marketing.Expired} {
			if c, err := r.Store.Coupon(ctx, shop.Default, code); err != nil || c.Status != want {
				t.Errorf("%s is %s, want %s (%v)", code, c.Status, want, err)
			}
		}
		expired, largest := expiries(t, r)
		if expired != many+2 || largest > 200 {
			t.Errorf("%d events, at most %d in one record; want %d", expired, largest, many+2)
		}
		if s := view(t, r, held.No).Order.Status; s != order.Closed {
			t.Errorf("the order that held one is %s", s)
		}
	})
}

// TestExpireCouponsRace: coupons expire while users lock them and two
// instances write it down: each ends once.
func TestExpireCouponsRace(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		offer(t, r, "day", func(d *marketing.Template) { d.ValidDays = 1 })
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "day", Count: 300})))
		for _, one := range instances {
			one.Clock.Advance(25 * time.Hour)
		}
		if err := errors.Join(harness.Together(4, func(i int) error {
			_, err := instances[i%len(instances)].ExpireCoupons(ctx, shop.Default)
			return err
		})...); err != nil {
			t.Error(err)
		}
		n, _ := expiries(t, r)
		if w := wallet(t, r, app.CouponFilter{Template: "day"}); n != 300 || w[marketing.Expired] != 300 {
			t.Errorf("%d events, the coupons are %v", n, w)
		}
		r.Audit()
	})
}

// TestRevokeTemplate: what is available or locked is withdrawn, what is used
// or over stays, the order that held one keeps its price and the coupon does
// not come back.
func TestRevokeTemplate(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		offer(t, r, "bad", func(d *marketing.Template) { d.ReturnOnRefund = true })
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "bad", Count: 250})))
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "bad", Codes: []string{"HELD", "USED", "GONE"}})))
		used := place(t, r, harness.Cart("u", "A", "USED"))
		p := pay(t, r, used.No, 0)
		callback(t, r, p.No, r.Gate.Pay(p.No))
		r.React()
		held := place(t, r, harness.Cart("u", "A", "HELD"))
		_, err := r.RevokeCoupon(ctx, shop.Default, "GONE")
		must(t)(nil, err)
		got, err := r.RevokeTemplate(ctx, shop.Default, "bad", "")
		if err != nil || got != (app.Revocation{Revoked: 251}) {
			t.Errorf("%+v %v", got, err)
		}
		if got, err = r.RevokeTemplate(ctx, shop.Default, "bad", ""); err != nil || got.Revoked != 0 {
			t.Errorf("again: %+v %v", got, err)
		}
		if d := view(t, r, held.No).Order.Discount; d != 100 {
			t.Errorf("the order that held one has a discount of %d", d)
		}
		must(t)(nil, second(r.CancelOrder(ctx, shop.Default, held.No, "", "")))
		rest(t, r)
		r.Audit()
		if w := wallet(t, r, app.CouponFilter{Template: "bad"}); w[marketing.Revoked] != 252 || w[marketing.Used] != 1 {
			t.Errorf("the coupons are %v", w)
		}
		// A refund gives the used one back, and then it can be withdrawn.
		refund(t, r, used.No, order.RefundRequest{})
		rest(t, r)
		if got, err = r.RevokeTemplate(ctx, shop.Default, "bad", ""); err != nil || got.Revoked != 1 {
			t.Errorf("after the refund: %+v %v", got, err)
		}
		r.Audit()
	})
}

// TestLastCouponDuplicates: duplicates of one claim for the last coupon, on two
// instances, are both given it: neither is refused for what the other took.
func TestLastCouponDuplicates(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		for round := range 20 {
			id := fmt.Sprint("last-", round)
			offer(t, r, id, func(d *marketing.Template) { d.Supply, d.PerUserLimit = 1, 1 })
			if err := errors.Join(harness.Together(4, func(i int) error {
				return second(instances[i%len(instances)].ClaimCoupon(ctx, shop.Default, "claim-"+id, id, "u"))
			})...); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		r.Audit()
	})
}
