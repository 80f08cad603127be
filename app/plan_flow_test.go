package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// planned is an order of 500 with the coupon: a deposit of 200 within the
// order's quarter of an hour, and the rest within two days.
func planned(t *testing.T, r *harness.Harness) string {
	t.Helper()
	in := harness.Cart("u", "A", "C5")
	in.Plan = []order.Instalment{{Amount: 200}, {Amount: 300, DueAt: r.Clock.Now().Add(48 * time.Hour)}}
	return place(t, r, in).No
}

// paidPart opens a payment and pays it.
func paidPart(t *testing.T, r *harness.Harness, orderNo string, amount int64) payment.Data {
	t.Helper()
	p := pay(t, r, orderNo, amount)
	callback(t, r, p.No, r.Gate.Pay(p.No))
	r.Clock.Advance(time.Second)
	return p
}

// refusedPart opens a payment that must not be.
func refusedPart(t *testing.T, r *harness.Harness, orderNo string, amount int64, code fault.Code) {
	t.Helper()
	before := r.Gate.Prepays
	_, _, err := r.OpenPayment(ctx, shop.Default, orderNo, harness.Key(0), app.OpenPayment{Channel: "gate", Method: payment.Native, Amount: amount})
	if !fault.Is(err, code) || r.Gate.Prepays != before {
		t.Errorf("a payment of %d: %v, want %s (%d calls)", amount, err, code, r.Gate.Prepays-before)
	}
}

// after moves the clock and lets the schedules run: twice, for what is noticed
// is noticed once.
func after(t *testing.T, r *harness.Harness, d time.Duration) {
	t.Helper()
	r.Clock.Advance(d)
	for range 2 {
		must(t)(r.RemindInstalments(ctx, shop.Default))
		must(t)(r.ExpireOrders(ctx, shop.Default))
		r.React()
	}
}

// orderEvents are an order's own events, without the prefix.
func orderEvents(t *testing.T, r *harness.Harness, no string) string {
	t.Helper()
	records, err := r.Store.OrderEvents(ctx, shop.Default, no, 0)
	must(t)(nil, err)
	var out []string
	for _, rec := range records {
		for _, e := range rec.Events {
			if what, is := strings.CutPrefix(string(e.Type), "order."); is {
				out = append(out, what)
			}
		}
	}
	return strings.Join(out, " ")
}

// TestPlans: lives of an order that is paid as a deposit and a rest, at rest,
// on both databases.
func TestPlans(t *testing.T) {
	const day = 24 * time.Hour
	type life = func(t *testing.T, r *harness.Harness, no string)
	for _, tt := range []struct {
		name     string
		policies shop.Policies
		life     life
		os       order.Status
		events   string
		refunds  string
		refunded int64
		reserved int64
		hand     int64
		cs       marketing.Status
	}{
		{"deposit, rest", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			paidPart(t, r, no, 300)
		}, order.Paid, "placed partially_paid paid", "", 0, 0, 24, marketing.Used},
		{"rest, deposit", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 300)
			paidPart(t, r, no, 200)
		}, order.Paid, "placed partially_paid paid", "", 0, 0, 24, marketing.Used},
		{"all at once", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 500)
		}, order.Paid, "placed paid", "", 0, 0, 24, marketing.Used},
		{"without amounts, the part that is next", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			if a, b := paidPart(t, r, no, 0), paidPart(t, r, no, 0); a.Amount != 200 || b.Amount != 300 {
				t.Errorf("paid %d, then %d", a.Amount, b.Amount)
			}
			refusedPart(t, r, no, 0, fault.OrderNotPayable)
		}, order.Paid, "placed partially_paid paid", "", 0, 0, 24, marketing.Used},
		{"amounts that are no part are refused", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			for _, amount := range []int64{1, 199, 201, 299, 301, 499, 501} {
				refusedPart(t, r, no, amount, fault.AmountExceedsDue)
			}
			paidPart(t, r, no, 200)
			for _, amount := range []int64{200, 500} {
				refusedPart(t, r, no, amount, fault.AmountExceedsDue)
			}
		}, order.PartiallyPaid, "placed partially_paid", "", 0, 1, 25, marketing.Locked},
		{"the deposit by two payments: the second counts for the rest", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			p, q := pay(t, r, no, 200), pay(t, r, no, 200)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			callback(t, r, q.No, r.Gate.Pay(q.No))
			if last := paidPart(t, r, no, 0); last.Amount != 100 {
				t.Errorf("then paid %d", last.Amount)
			}
		}, order.Paid, "placed partially_paid partially_paid paid", "", 0, 0, 24, marketing.Used},
		{"everything and the deposit: too much goes back", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			p, q := pay(t, r, no, 200), pay(t, r, no, 500)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			callback(t, r, q.No, r.Gate.Pay(q.No))
		}, order.Paid, "placed partially_paid paid", "overpayment 200 succeeded", 0, 0, 24, marketing.Used},
		{"the rest's payment fails, another pays", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			p := pay(t, r, no, 300)
			callback(t, r, p.No, payment.Fact{ID: "failed", Kind: payment.Failed, Source: payment.ByCallback})
			paidPart(t, r, no, 300)
		}, order.Paid, "placed partially_paid payment_failed paid", "", 0, 0, 24, marketing.Used},

		{"the rest is announced a day before, once", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			after(t, r, day-time.Minute)
			if got := orderEvents(t, r, no); got != "placed partially_paid" {
				t.Errorf("announced early: %s", got)
			}
			after(t, r, 2*time.Minute)
			after(t, r, time.Hour)
			paidPart(t, r, no, 300)
			after(t, r, 3*day)
		}, order.Paid, "placed partially_paid instalment_due paid", "", 0, 0, 24, marketing.Used},
		{"what is paid is not announced", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 500)
			after(t, r, day+time.Hour)
		}, order.Paid, "placed paid", "", 0, 0, 24, marketing.Used},
		{"what is closed is not announced", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
			after(t, r, day+time.Hour)
		}, order.Closed, "placed closed", "", 0, 0, 25, marketing.Available},

		{"no deposit", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			after(t, r, 16*time.Minute)
		}, order.Closed, "placed closed", "", 0, 0, 25, marketing.Available},
		{"no deposit, though the shop waits for parts", shop.Policies{UnpaidInstalment: shop.Wait}, func(t *testing.T, r *harness.Harness, no string) {
			after(t, r, 16*time.Minute)
		}, order.PendingPayment, "placed instalment_overdue", "", 0, 1, 25, marketing.Locked},
		{"the deposit's payment is open when its time is over", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			p := pay(t, r, no, 0)
			after(t, r, 16*time.Minute)
			must(t)(nil, r.RunJob(ctx, shop.Default, app.Job{Kind: app.JobClosePayment, Payment: p.No}))
		}, order.Closed, "placed closing closed", "", 0, 0, 25, marketing.Available},
		{"the deposit was paid when its time was over", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			p := pay(t, r, no, 0)
			r.Gate.Pay(p.No) // and the callback is lost
			after(t, r, 16*time.Minute)
			must(t)(nil, r.RunJob(ctx, shop.Default, app.Job{Kind: app.JobClosePayment, Payment: p.No}))
			after(t, r, time.Hour)
			paidPart(t, r, no, 300)
		}, order.Paid, "placed closing partially_paid paid", "", 0, 0, 24, marketing.Used},

		{"no rest: closed, the deposit goes back", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			after(t, r, 49*time.Hour)
		}, order.Closed, "placed partially_paid instalment_due closed", "order_closed 200 succeeded", 200, 0, 25, marketing.Available},
		{"no rest: closed, the deposit is kept", shop.Policies{UnpaidInstalment: shop.Forfeit}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			after(t, r, 49*time.Hour)
		}, order.Closed, "placed partially_paid instalment_due closed", "", 0, 0, 25, marketing.Available},
		{"cancelled: the deposit goes back, though the shop keeps those of who does not pay", shop.Policies{UnpaidInstalment: shop.Forfeit}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
		}, order.Closed, "placed partially_paid closed", "order_closed 200 succeeded", 200, 0, 25, marketing.Available},
		{"a kept deposit is given back after all", shop.Policies{UnpaidInstalment: shop.Forfeit}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			after(t, r, 49*time.Hour)
			refund(t, r, no, order.RefundRequest{})
		}, order.Closed, "placed partially_paid instalment_due closed", "asked 200 succeeded", 200, 0, 25, marketing.Available},
		{"no rest: the order waits, and is paid late", shop.Policies{UnpaidInstalment: shop.Wait}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			after(t, r, 49*time.Hour)
			after(t, r, 30*day)
			if v := view(t, r, no); v.Order.Status != order.PartiallyPaid {
				t.Errorf("does not wait: %s", v.Order.Status)
			}
			paidPart(t, r, no, 0)
		}, order.Paid, "placed partially_paid instalment_due instalment_overdue paid", "", 0, 0, 24, marketing.Used},
		{"no rest: the order waits, and is cancelled", shop.Policies{UnpaidInstalment: shop.Wait}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			after(t, r, 49*time.Hour)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
		}, order.Closed, "placed partially_paid instalment_due instalment_overdue closed", "order_closed 200 succeeded", 200, 0, 25, marketing.Available},
		{"the rest comes after the close", shop.Policies{LatePayment: shop.Revive}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			p := pay(t, r, no, 300)
			after(t, r, 49*time.Hour)
			must(t)(nil, r.RunJob(ctx, shop.Default, app.Job{Kind: app.JobClosePayment, Payment: p.No}))
			r.React()
			callback(t, r, p.No, r.Gate.Pay(p.No))
		}, order.Closed, "placed partially_paid instalment_due closing closed", "late_payment 300 succeeded; order_closed 200 succeeded", 200, 0, 25, marketing.Available},
		{"a refund has to wait for the last part, or for a cancel", shop.Policies{}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			_, _, err := r.RequestRefund(ctx, shop.Default, no, harness.Key(0), app.RequestRefund{})
			if !fault.Is(err, fault.RefundExceedsPaid) {
				t.Errorf("a refund of an order in parts: %v", err)
			}
		}, order.PartiallyPaid, "placed partially_paid", "", 0, 1, 25, marketing.Locked},

		{"goods with the deposit", shop.Policies{InstalmentGoods: shop.FirstPart}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
		}, order.PartiallyPaid, "placed partially_paid", "", 0, 0, 24, marketing.Used},
		{"goods with the deposit, rest", shop.Policies{InstalmentGoods: shop.FirstPart}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			r.React()
			paidPart(t, r, no, 300)
		}, order.Paid, "placed partially_paid paid", "", 0, 0, 24, marketing.Used},
		{"goods with all at once", shop.Policies{InstalmentGoods: shop.FirstPart}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 500)
		}, order.Paid, "placed paid", "", 0, 0, 24, marketing.Used},
		{"goods with the deposit, rest, then refunded whole", shop.Policies{InstalmentGoods: shop.FirstPart}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			paidPart(t, r, no, 300)
			refund(t, r, no, order.RefundRequest{})
		}, order.Refunded, "placed partially_paid paid refunded", "asked 500 succeeded", 500, 0, 25, marketing.Used},
		{"goods with the deposit, then closed: they go back", shop.Policies{InstalmentGoods: shop.FirstPart}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			after(t, r, 49*time.Hour)
		}, order.Closed, "placed partially_paid instalment_due closed", "order_closed 200 succeeded", 200, 0, 25, marketing.Used},
		{"goods with the deposit, then cancelled before any reaction", shop.Policies{InstalmentGoods: shop.FirstPart}, func(t *testing.T, r *harness.Harness, no string) {
			paidPart(t, r, no, 200)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, no, "", "")))
		}, order.Closed, "placed partially_paid closed", "order_closed 200 succeeded", 200, 0, 25, marketing.Used},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open opener) {
				r := scene(t, open)
				policies(t, r, tt.policies)
				no := planned(t, r)
				tt.life(t, r, no)
				rest(t, r)
				if report := r.Audit(); report.Suspense != 0 {
					t.Errorf("%d in suspense at rest", report.Suspense)
				}
				v, events, back := view(t, r, no), orderEvents(t, r, no), refunds(t, r, no)
				if v.Order.Status != tt.os || events != tt.events || back != tt.refunds || v.Order.Refunded != tt.refunded {
					t.Errorf("%s (%s), refunded %d, refunds %q\nwant %s (%s), %d, %q", v.Order.Status, events, v.Order.Refunded, back, tt.os, tt.events, tt.refunded, tt.refunds)
				}
				var parts int64
				for i := range v.Order.Plan {
					parts += v.Order.Plan[i].Paid
				}
				if parts != v.Order.Paid {
					t.Errorf("the parts are paid with %d, the order with %d", parts, v.Order.Paid)
				}
				s, err := r.Store.Sku(ctx, shop.Default, "A")
				if err != nil || s.Reserved != tt.reserved || s.OnHand != tt.hand {
					t.Errorf("%d of %d reserved, want %d of %d (%v)", s.Reserved, s.OnHand, tt.reserved, tt.hand, err)
				}
				c, err := r.Store.Coupon(ctx, shop.Default, "C5")
				if err != nil || c.Status != tt.cs {
					t.Errorf("coupon is %s, want %s (%v)", c.Status, tt.cs, err)
				}
			})
		})
	}
}

// TestPlanRefund: what refunds take from the two payments of a plan, by
// policy, until nothing is left.
func TestPlanRefund(t *testing.T) {
	for _, tt := range []struct {
		policy  string
		amounts []int64 // 0: all that is left
		took    string
	}{
		{"", []int64{400, 0}, "[300 100] [100]"},
		{"", []int64{100, 200, 0}, "[100] [200] [200]"},
		{shop.Proportional, []int64{400, 0}, "[240 160] [60 40]"},
		{shop.Proportional, []int64{1, 0}, "[1] [299 200]"},
	} {
		t.Run(fmt.Sprint(tt.policy, tt.amounts), func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open opener) {
				r := scene(t, open)
				policies(t, r, shop.Policies{RefundSplit: tt.policy})
				no := planned(t, r)
				paidPart(t, r, no, 200)
				paidPart(t, r, no, 300)
				r.React()
				var took []string
				for _, amount := range tt.amounts {
					d := refund(t, r, no, order.RefundRequest{Amount: amount})
					var parts []int64
					for _, a := range d.Allocations {
						parts = append(parts, a.Amount)
					}
					took = append(took, fmt.Sprint(parts))
				}
				if got := strings.Join(took, " "); got != tt.took {
					t.Errorf("took %s, want %s", got, tt.took)
				}
				rest(t, r)
				r.Audit()
				if v := view(t, r, no); v.Order.Status != order.Refunded || v.Order.Refunded != 500 {
					t.Errorf("%s, refunded %d", v.Order.Status, v.Order.Refunded)
				}
			})
		})
	}
}
