package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

func TestMain(m *testing.M) { harness.Main(m) }

var ctx = context.Background()

type opener = steps.Open

// The steps of an order's life, see package steps.
var (
	scene     = steps.Shop
	duplicate = steps.Second
	must      = steps.Must
	place     = steps.Place
	pay       = steps.Pay
	callback  = steps.Callback
	view      = steps.View
	drafted   = steps.Draft
	submit    = steps.Submit
	refund    = steps.Refund
	refunds   = steps.Refunds
	rest      = steps.Rest
)

// want checks an order's state, its first payment's, what is reserved and on
// hand of A, and the coupon's state, after all reactions.
func want(t *testing.T, r *harness.Harness, no string, os order.Status, ps payment.Status, reserved, onHand int64, cs marketing.Status) {
	t.Helper()
	r.Audit()
	v := view(t, r, no)
	if v.Order.Status != os {
		t.Errorf("order is %s, want %s", v.Order.Status, os)
	}
	if len(v.Payments) > 0 && v.Payments[0].Status != ps {
		t.Errorf("payment is %s, want %s", v.Payments[0].Status, ps)
	}
	s, err := r.Store.Sku(ctx, shop.Default, "A")
	if err != nil || s.Reserved != reserved || s.OnHand != onHand {
		t.Errorf("A: %d of %d reserved, want %d of %d (%v)", s.Reserved, s.OnHand, reserved, onHand, err)
	}
	c, err := r.Store.Coupon(ctx, shop.Default, "C5")
	if err != nil || c.Status != cs {
		t.Errorf("coupon is %s, want %s (%v)", c.Status, cs, err)
	}
}

// TestLives: whole lives of an order with a coupon, on both databases.
func TestLives(t *testing.T) {
	for _, tt := range []struct {
		name string
		life func(t *testing.T, r *harness.Harness) (orderNo string)
		os   order.Status
		ps   payment.Status
		res  int64
		hand int64
		cs   marketing.Status
	}{
		{"placed", func(t *testing.T, r *harness.Harness) string {
			return place(t, r, harness.Cart("u", "A", "C5")).No
		}, order.PendingPayment, "", 1, 25, marketing.Locked},
		{"paid", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			if p.Amount != 500 || p.Action == nil {
				t.Errorf("payment of %d, action %v", p.Amount, p.Action)
			}
			if s := callback(t, r, p.No, r.Gate.Pay(p.No)); s != 200 {
				t.Errorf("callback answered %d", s)
			}
			return o.No
		}, order.Paid, payment.StatusSucceeded, 0, 24, marketing.Used},
		{"cancelled before paying", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			return o.No
		}, order.Closed, "", 0, 25, marketing.Available},
		{"cancelled with an open payment", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			pay(t, r, o.No, 0)
			v, _, err := r.CancelOrder(ctx, shop.Default, o.No, "", "")
			if err != nil || v.Order.Status != order.Closed {
				t.Errorf("%s %v", v.Order.Status, err)
			}
			return o.No
		}, order.Closed, payment.StatusClosed, 0, 25, marketing.Available},
		{"cancelled while paid", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			r.Gate.Pay(p.No) // and the callback is lost
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			return o.No
		}, order.Paid, payment.StatusSucceeded, 0, 24, marketing.Used},
		{"expired", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			r.Clock.Advance(16 * time.Minute)
			must(t)(r.ExpireOrders(ctx, shop.Default))
			return o.No
		}, order.Closed, "", 0, 25, marketing.Available},
		{"expired with an open payment, queried by the job", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			r.Clock.Advance(16 * time.Minute)
			must(t)(r.ExpireOrders(ctx, shop.Default))
			if v := view(t, r, o.No); v.Order.Status != order.PendingPayment || v.Order.Closing == "" {
				t.Errorf("closed before the channel was queried: %+v", v.Order)
			}
			must(t)(nil, r.RunJob(ctx, shop.Default, app.Job{Kind: app.JobClosePayment, Payment: p.No}))
			return o.No
		}, order.Closed, payment.StatusClosed, 0, 25, marketing.Available},
		{"paid just before expiry, callback lost", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			r.Gate.Pay(p.No)
			r.Clock.Advance(16 * time.Minute)
			must(t)(r.ExpireOrders(ctx, shop.Default))
			must(t)(nil, r.RunJob(ctx, shop.Default, app.Job{Kind: app.JobClosePayment, Payment: p.No}))
			return o.No
		}, order.Paid, payment.StatusSucceeded, 0, 24, marketing.Used},
		{"callback lost, found by the schedule", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			r.Gate.Pay(p.No)
			r.Clock.Advance(payment.QueryDelays[0])
			must(t)(r.QueryPayments(ctx, shop.Default))
			return o.No
		}, order.Paid, payment.StatusSucceeded, 0, 24, marketing.Used},
		{"prepay unknown, but taken; repeated with the key", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			r.Gate.Fail = func(call, _ string) (error, bool) { return fmt.Errorf("%w: timeout", payment.ErrUnknown), true }
			in := app.OpenPayment{Channel: "gate", Method: payment.Native}
			_, _, err := r.OpenPayment(ctx, shop.Default, o.No, "again", in)
			if !fault.Is(err, fault.ChannelUnavailable) {
				t.Errorf("got %v", err)
			}
			r.Gate.Fail = nil
			p, replayed, err := r.OpenPayment(ctx, shop.Default, o.No, "again", in)
			if err != nil || !replayed || p.Action == nil {
				t.Fatalf("%+v %v %v", p, replayed, err)
			}
			if v := view(t, r, o.No); len(v.Payments) != 1 {
				t.Errorf("%d payments", len(v.Payments))
			}
			callback(t, r, p.No, r.Gate.Pay(p.No))
			return o.No
		}, order.Paid, payment.StatusSucceeded, 0, 24, marketing.Used},
		{"prepay rejected, new attempt pays", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			r.Gate.Fail = func(string, string) (error, bool) { return &payment.RejectedError{Code: "NO_AUTH"}, false }
			_, _, err := r.OpenPayment(ctx, shop.Default, o.No, "k1", app.OpenPayment{Channel: "gate", Method: payment.Native})
			if !fault.Is(err, fault.ChannelRejected) || view(t, r, o.No).Order.Status != order.PaymentFailed {
				t.Errorf("%v, order %s", err, view(t, r, o.No).Order.Status)
			}
			r.Gate.Fail = nil
			p := pay(t, r, o.No, 0)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			return o.No
		}, order.Paid, payment.StatusFailed, 0, 24, marketing.Used},
		{"callback before the prepay answer", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, true }
			_, _, _ = r.OpenPayment(ctx, shop.Default, o.No, "k", app.OpenPayment{Channel: "gate", Method: payment.Native})
			r.Gate.Fail = nil
			no := view(t, r, o.No).Payments[0].No
			callback(t, r, no, r.Gate.Pay(no))
			p, _, err := r.OpenPayment(ctx, shop.Default, o.No, "k", app.OpenPayment{Channel: "gate", Method: payment.Native})
			if err != nil || p.Status != payment.StatusSucceeded {
				t.Errorf("%s %v", p.Status, err)
			}
			return o.No
		}, order.Paid, payment.StatusSucceeded, 0, 24, marketing.Used},
		{"amount differs", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			f := r.Gate.Pay(p.No)
			f.Amount--
			if s := callback(t, r, p.No, f); s != 200 {
				t.Errorf("an anomaly that is stored was answered %d", s)
			}
			if a := view(t, r, o.No).Payments[0].Anomaly; a == "" {
				t.Error("no anomaly")
			}
			return o.No
		}, order.PendingPayment, payment.StatusPending, 1, 25, marketing.Locked},
		{"paid in two parts", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			for _, part := range []int64{200, 300} {
				p := pay(t, r, o.No, part)
				callback(t, r, p.No, r.Gate.Pay(p.No))
			}
			return o.No
		}, order.Paid, payment.StatusSucceeded, 0, 24, marketing.Used},
		{"refunded by hand at the channel, reported before the payment", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			for _, part := range []payment.Fact{{ID: "refund/1", Amount: 200}, {ID: "refund/2", Amount: 300}, {ID: "refund/2", Amount: 300}} {
				part.Kind, part.Merchant = payment.Refunded, "mch"
				callback(t, r, p.No, part)
				callback(t, r, p.No, r.Gate.Pay(p.No))
			}
			if d := view(t, r, o.No).Order; d.Refunded != 500 || d.Paid != 500 {
				t.Errorf("paid %d, refunded %d", d.Paid, d.Refunded)
			}
			return o.No
		}, order.Refunded, payment.StatusSucceeded, 0, 25, marketing.Used},
		{"money after the close stays visible until it has gone back", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			callback(t, r, p.No, r.Gate.Pay(p.No))
			if s := r.Audit().Suspense; s != 500 {
				t.Errorf("%d in suspense, want 500", s)
			}
			must(t)(r.RunRefunds(ctx, shop.Default))
			if s := r.Audit().Suspense; s != 0 {
				t.Errorf("%d in suspense, want none", s)
			}
			return o.No
		}, order.Closed, payment.StatusSucceeded, 0, 25, marketing.Available},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
				r := scene(t, open)
				no := tt.life(t, r)
				want(t, r, no, tt.os, tt.ps, tt.res, tt.hand, tt.cs)
			})
		})
	}
}

func second[T any](_ T, _ bool, err error) error { return err }

// TestRefusals: what is refused leaves no trace.
func TestRefusals(t *testing.T) {
	wrong := int64(1)
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		held := place(t, r, harness.Cart("other", "A", "C5"))
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "five", User: "v", Codes: []string{"OFV"}})))
		before := len(events(t, r))
		for _, tt := range []struct {
			name string
			in   app.PlaceOrder
			code fault.Code
		}{
			{"blocked user", harness.Cart("blocked", "A"), fault.UserBlocked},
			{"unknown sku", harness.Cart("u", "Z"), fault.SkuNotFound},
			{"unknown coupon", harness.Cart("u", "A", "NONE"), fault.CouponNotFound},
			{"coupon of another order", harness.Cart("u", "A", "C5"), fault.CouponUnavailable},
			{"coupon of another user", harness.Cart("u", "A", "OFV"), fault.CouponUnavailable},
			{"price changed", app.PlaceOrder{Cart: harness.Cart("u", "A").Cart, Expected: &wrong}, fault.PriceChanged},
			{"more than there is", app.PlaceOrder{Cart: app.Cart{User: "u", Items: []app.Item{{Sku: "B", Quantity: 1}, {Sku: "A", Quantity: 25}}}}, fault.OutOfStock},
			{"over the limit", app.PlaceOrder{Cart: app.Cart{User: "u", Items: []app.Item{{Sku: "B", Quantity: 3}}}}, fault.PurchaseLimitExceeded},
			{"no items", app.PlaceOrder{Cart: app.Cart{User: "u"}}, fault.ValidationFailed},
			{"no units", app.PlaceOrder{Cart: app.Cart{User: "u", Items: []app.Item{{Sku: "A"}}}}, fault.ValidationFailed},
			{"duplicates over the most", app.PlaceOrder{Cart: app.Cart{User: "u", Items: []app.Item{{Sku: "A", Quantity: 1_000_000}, {Sku: "A", Quantity: 1}}}}, fault.ValidationFailed},
			{"expires too soon", app.PlaceOrder{Cart: harness.Cart("u", "A").Cart, ExpiresIn: time.Second}, fault.ValidationFailed},
		} {
			_, _, err := r.PlaceOrder(ctx, shop.Default, harness.Key(1), tt.in)
			if !fault.Is(err, tt.code) {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
			}
		}
		if after := len(events(t, r)); after != before {
			t.Errorf("%d records before, %d after", before, after)
		}
		want(t, r, held.No, order.PendingPayment, "", 1, 25, marketing.Locked)
	})
}

func events(t *testing.T, r *harness.Harness) []any {
	t.Helper()
	records, err := r.Store.OrderEvents(ctx, shop.Default, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]any, len(records))
	return out
}

// TestPurchaseLimit: a limit counts live orders and is given back.
func TestPurchaseLimit(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		errs := harness.Together(10, func(i int) error {
			_, _, err := r.PlaceOrder(ctx, shop.Default, harness.Key(i), harness.Cart("u", "B"))
			return err
		})
		if n := succeeded(t, errs, fault.PurchaseLimitExceeded); n != 2 {
			t.Fatalf("%d orders, the limit is 2", n)
		}
		orders, _, err := r.Store.ListOrders(ctx, shop.Default, app.OrderFilter{User: "u"}, app.Page{Limit: 10})
		if err != nil || len(orders) != 2 {
			t.Fatalf("%d orders, %v", len(orders), err)
		}
		must(t)(nil, second(r.CancelOrder(ctx, shop.Default, orders[0].Order.No, "", "")))
		r.Audit()
		place(t, r, harness.Cart("u", "B"))
		r.Audit()
	})
}

func succeeded(t *testing.T, errs []error, refusal fault.Code) (n int) {
	t.Helper()
	for _, err := range errs {
		switch {
		case err == nil:
			n++
		case !fault.Is(err, refusal):
			t.Error(err)
		}
	}
	return n
}

// TestDuplicates: 50 duplicates of one request make one order, and so do duplicates that
// come through two instances.
func TestDuplicates(t *testing.T) {
	check := func(t *testing.T, instances ...*harness.Harness) {
		numbers := make([]string, 50)
		replays := make([]bool, 50)
		errs := harness.Together(50, func(i int) error {
			d, replayed, err := instances[i%len(instances)].PlaceOrder(ctx, shop.Default, "duplicate", harness.Cart("u", "A"))
			numbers[i], replays[i] = d.No, replayed
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		first := 0
		for i := range numbers {
			if numbers[i] != numbers[0] {
				t.Errorf("two orders: %s and %s", numbers[0], numbers[i])
			}
			if !replays[i] {
				first++
			}
		}
		if first != 1 {
			t.Errorf("%d were answered as the first", first)
		}
		if _, _, err := instances[0].PlaceOrder(ctx, shop.Default, "duplicate", harness.Cart("u", "B")); !fault.Is(err, fault.IdempotencyKeyReused) {
			t.Errorf("another body under the key: %v", err)
		}
		want(t, instances[0], numbers[0], order.PendingPayment, "", 1, 25, marketing.Available)
	}
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) { check(t, scene(t, open)) })
	t.Run("two instances", func(t *testing.T) {
		open := harness.Postgres(t)
		check(t, scene(t, open), open(nil))
	})
}

// TestNoOversell: 120 buyers of 25 units make 25 orders.
func TestNoOversell(t *testing.T) {
	check := func(t *testing.T, instances ...*harness.Harness) {
		errs := harness.Together(120, func(i int) error {
			_, _, err := instances[i%len(instances)].PlaceOrder(ctx, shop.Default, harness.Key(i), harness.Cart(fmt.Sprint("u", i), "A"))
			return err
		})
		if n := succeeded(t, errs, fault.OutOfStock); n != 25 {
			t.Errorf("%d orders of 25 units", n)
		}
		if r := instances[0].Audit(); r.Orders != 25 {
			t.Errorf("%d orders stored", r.Orders)
		}
	}
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) { check(t, scene(t, open)) })
	t.Run("two instances", func(t *testing.T) {
		open := harness.Postgres(t)
		check(t, scene(t, open), open(nil))
	})
}

// TestOneCoupon: of 30 orders with one coupon at once, one gets it.
func TestOneCoupon(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		errs := harness.Together(30, func(i int) error {
			_, _, err := r.PlaceOrder(ctx, shop.Default, harness.Key(i), harness.Cart("u", "A", "C5"))
			return err
		})
		if n := succeeded(t, errs, fault.CouponUnavailable); n != 1 {
			t.Errorf("%d orders with one coupon", n)
		}
		r.Audit()
	})
}

// TestCallbackDuplicates: 20 duplicates of one callback settle once, and all are
// answered with success.
func TestCallbackDuplicates(t *testing.T) {
	check := func(t *testing.T, instances ...*harness.Harness) {
		o := place(t, instances[0], harness.Cart("u", "A", "C5"))
		p := pay(t, instances[0], o.No, 0)
		f := instances[0].Gate.Pay(p.No)
		statuses := make([]int, 20)
		verdicts := map[string]int{}
		outcomes := make([]string, 20)
		errs := harness.Together(20, func(i int) error {
			a, verdict, err := instances[i%len(instances)].Callback(ctx, shop.Default, "gate", http.Header{}, harness.Callback(p.No, f))
			statuses[i], outcomes[i] = a.Status, verdict
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for i := range statuses {
			verdicts[outcomes[i]]++
			if statuses[i] != http.StatusOK {
				t.Errorf("answered %d (%s)", statuses[i], outcomes[i])
			}
		}
		if verdicts["settled"] != 1 || verdicts["repeated"] != 19 {
			t.Errorf("verdicts %v", verdicts)
		}
		want(t, instances[0], o.No, order.Paid, payment.StatusSucceeded, 0, 24, marketing.Used)
	}
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) { check(t, scene(t, open)) })
	t.Run("two instances", func(t *testing.T) {
		open := harness.Postgres(t)
		check(t, scene(t, open), open(nil))
	})
}

// TestCallbackKept: what a callback changed is stored with its verdict, once;
// repeats are counted, and refused ones are noted.
func TestCallbackKept(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		o := place(t, r, harness.Cart("u", "A"))
		p := pay(t, r, o.No, 0)
		f := r.Gate.Pay(p.No)
		if s := callback(t, r, "2unknown", f); s == http.StatusOK {
			t.Error("an orphan was acknowledged")
		}
		a, verdict, err := r.Callback(ctx, shop.Default, "gate", http.Header{}, []byte("rubbish"))
		if err != nil || a.Status == http.StatusOK || verdict != "refused:signature" {
			t.Errorf("%d %s %v", a.Status, verdict, err)
		}
		for range 4 {
			callback(t, r, p.No, f)
			callback(t, r, "2unknown", f)
		}
		if n := countMessages(t, r, app.MessageCallback, "", o.No); n != 2 {
			t.Errorf("%d callbacks are stored whole, want the one that settled and the orphan", n)
		}
		x, err := r.Store.ChannelMessages(ctx, shop.Default, o.No)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range x {
			got = append(got, e.Kind+" "+e.Verdict)
		}
		if fmt.Sprint(got) != "[prepay ok callback settled]" {
			t.Errorf("messages %v", got)
		}
		lines, err := r.Timeline(ctx, shop.Default, o.No)
		if err != nil || len(lines) < 7 || !slices.ContainsFunc(lines, func(l app.TimelineEntry) bool { return l.Detail == "3 repeats, the last at this time" }) {
			t.Errorf("timeline of %d lines, %v: %+v", len(lines), err, lines)
		}
		r.Audit()
	})
}
