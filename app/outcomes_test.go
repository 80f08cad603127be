package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// paidOne is an order of A with the coupon, paid.
func paidOne(t *testing.T, r *harness.Harness) (order.Data, payment.Data) {
	t.Helper()
	o := place(t, r, harness.Cart("u", "A", "C5"))
	p := pay(t, r, o.No, 0)
	callback(t, r, p.No, r.Gate.Pay(p.No))
	r.React()
	return o, p
}

func policies(t *testing.T, r *harness.Harness, p shop.Policies) {
	t.Helper()
	must(t)(r.PutPolicies(ctx, shop.Default, p))
}

// TestOutcomes: every way that money can arrive, arrive twice, arrive late, or
// go back, at rest. All of it on both databases, and after all of it the
// audit finds nothing.
func TestOutcomes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		life     func(t *testing.T, r *harness.Harness) (orderNo string)
		os       order.Status
		refunds  string
		refunded int64 // of the order
		hand     int64
		cs       marketing.Status
	}{
		{"late money goes back", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			callback(t, r, p.No, r.Gate.Pay(p.No))
			return o.No
		}, order.Closed, "late_payment 500 succeeded", 0, 25, marketing.Available},
		{"late money revives the order, by policy", func(t *testing.T, r *harness.Harness) string {
			policies(t, r, shop.Policies{LatePayment: shop.Revive})
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			r.React()
			callback(t, r, p.No, r.Gate.Pay(p.No))
			return o.No
		}, order.Paid, "", 0, 24, marketing.Used},
		{"late money cannot revive what is sold out", func(t *testing.T, r *harness.Harness) string {
			policies(t, r, shop.Policies{LatePayment: shop.Revive})
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			r.React()
			r.Sku("A", 1000, 0)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			return o.No
		}, order.Closed, "late_payment 500 succeeded", 0, 0, marketing.Available},
		{"late money cannot revive an order whose coupon is elsewhere", func(t *testing.T, r *harness.Harness) string {
			policies(t, r, shop.Policies{LatePayment: shop.Revive})
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			r.React()
			place(t, r, harness.Cart("u", "A", "C5"))
			callback(t, r, p.No, r.Gate.Pay(p.No))
			return o.No
		}, order.Closed, "late_payment 500 succeeded", 0, 25, marketing.Locked},
		{"late money before the reactions to the close does not revive", func(t *testing.T, r *harness.Harness) string {
			policies(t, r, shop.Policies{LatePayment: shop.Revive})
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			callback(t, r, p.No, r.Gate.Pay(p.No))
			return o.No
		}, order.Closed, "late_payment 500 succeeded", 0, 25, marketing.Available},
		{"two payments, both succeed", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p, q := pay(t, r, o.No, 0), pay(t, r, o.No, 0)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			callback(t, r, q.No, r.Gate.Pay(q.No))
			return o.No
		}, order.Paid, "overpayment 500 succeeded", 0, 24, marketing.Used},
		{"parts that come to more than is due", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p, q := pay(t, r, o.No, 400), pay(t, r, o.No, 300)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			callback(t, r, q.No, r.Gate.Pay(q.No))
			return o.No
		}, order.Paid, "overpayment 200 succeeded", 0, 24, marketing.Used},
		{"one payment paid twice at the channel", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			f := r.Gate.Pay(p.No)
			callback(t, r, p.No, f)
			f.ID, f.TransactionID, f.At = "paid/second", "second", f.At.Add(time.Second)
			r.Gate.PayAgain(p.No)
			callback(t, r, p.No, f)
			callback(t, r, p.No, f)
			return o.No
		}, order.Paid, "overpayment 500 succeeded", 0, 24, marketing.Used},
		{"one payment paid twice, and the channel says that the second has gone back", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			f := r.Gate.Pay(p.No)
			callback(t, r, p.No, f)
			f.ID, f.TransactionID, f.At = "paid/second", "second", f.At.Add(time.Second)
			r.Gate.PayAgain(p.No)
			callback(t, r, p.No, f)
			rest(t, r)
			f.Returned, f.Reported = f.Amount, "TRADE_CLOSED"
			callback(t, r, p.No, f)
			return o.No
		}, order.Paid, "overpayment 500 succeeded", 0, 24, marketing.Used},
		{"paid in part, then expired", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 200)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			r.Clock.Advance(16 * time.Minute)
			must(t)(r.ExpireOrders(ctx, shop.Default))
			return o.No
		}, order.Closed, "order_closed 200 succeeded", 200, 25, marketing.Available},
		{"a code that nobody opened, closed by the schedule when its time is over", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			pay(t, r, o.No, 0)
			r.Clock.Advance(16 * time.Minute)
			must(t)(r.ExpireOrders(ctx, shop.Default))
			r.Gate.Fail = func(call, _ string) (error, bool) { return payment.ErrNotExist, false }
			if must(t)(r.QueryPayments(ctx, shop.Default)); view(t, r, o.No).Order.Status != order.PendingPayment {
				t.Error("closed while the code may still be opened")
			}
			r.Clock.Advance(time.Hour)
			must(t)(r.QueryPayments(ctx, shop.Default))
			return o.No
		}, order.Closed, "", 0, 25, marketing.Available},
		{"paid while it closes", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p := pay(t, r, o.No, 0)
			r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, false }
			must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
			r.Gate.Fail = nil
			if v := view(t, r, o.No); v.Order.Closing == "" {
				t.Error("the order does not wait for the channel")
			}
			callback(t, r, p.No, r.Gate.Pay(p.No))
			return o.No
		}, order.Paid, "", 0, 24, marketing.Used},

		{"refunded whole", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{})
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"refunded whole, units kept out by policy", func(t *testing.T, r *harness.Harness) string {
			policies(t, r, shop.Policies{RefundedStock: shop.KeepOut})
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{})
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 24, marketing.Used},
		{"refunded whole, the coupon comes back by its template", func(t *testing.T, r *harness.Harness) string {
			must(t)(nil, second(r.PutTemplate(ctx, shop.Default, "", marketing.Template{ID: "five", Name: "5 off", Kind: "amount_off", AmountOff: 500, ReturnOnRefund: true}, false)))
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{})
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Available},
		{"refunded in part", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{Amount: 120})
			return o.No
		}, order.Paid, "asked 120 succeeded", 120, 24, marketing.Used},
		{"refunded in parts to the end", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			for range 4 {
				refund(t, r, o.No, order.RefundRequest{Amount: 100})
			}
			refund(t, r, o.No, order.RefundRequest{Items: []order.RefundItem{{Line: 0, Quantity: 1}}})
			return o.No
		}, order.Refunded, "asked 100 succeeded; asked 100 succeeded; asked 100 succeeded; asked 100 succeeded; asked 100 succeeded", 500, 25, marketing.Used},
		{"refunded while the money of another payment is late", func(t *testing.T, r *harness.Harness) string {
			o := place(t, r, harness.Cart("u", "A", "C5"))
			p, q := pay(t, r, o.No, 0), pay(t, r, o.No, 0)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			refund(t, r, o.No, order.RefundRequest{})
			callback(t, r, q.No, r.Gate.Pay(q.No))
			return o.No
		}, order.Refunded, "asked 500 succeeded; overpayment 500 succeeded", 500, 25, marketing.Used},
		{"a refund whose first answer is lost", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{})
			r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, true }
			must(t)(r.RunRefunds(ctx, shop.Default))
			r.Gate.Fail = nil
			if got := refunds(t, r, o.No); got != "asked 500 pending" {
				t.Errorf("unknown is %q", got)
			}
			r.Clock.Advance(payment.RefundDelays[0])
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"a refund that never reached the channel", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{})
			r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, false }
			must(t)(r.RunRefunds(ctx, shop.Default))
			r.Gate.Fail = nil
			r.Clock.Advance(payment.RefundDelays[0])
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"a slow refund, reported by its callback", func(t *testing.T, r *harness.Harness) string {
			o, p := paidOne(t, r)
			r.Gate.Slow(true)
			d := refund(t, r, o.No, order.RefundRequest{})
			must(t)(r.RunRefunds(ctx, shop.Default))
			f := r.Gate.Finish(d.No, payment.Refunded)
			callback(t, r, p.No, f)
			callback(t, r, p.No, f)
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"the merchant's account is short, then topped up", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{})
			r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrShort, false }
			must(t)(r.RunRefunds(ctx, shop.Default))
			r.Gate.Fail = nil
			if got := refunds(t, r, o.No); got != "asked 500 pending (merchant_short)" {
				t.Errorf("parked as %q", got)
			}
			r.Clock.Advance(payment.RefundDelays[0])
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"short of money once, then silent: the channel's latest reason is shown", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{})
			r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrShort, false }
			must(t)(r.RunRefunds(ctx, shop.Default))
			r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, false }
			for range 12 {
				r.Clock.Advance(3 * time.Hour)
				must(t)(r.RunRefunds(ctx, shop.Default))
			}
			return o.No
		}, order.Paid, "asked 500 pending (channel_silent)", 0, 24, marketing.Used},
		{"a refund that the channel refuses waits for a person", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{})
			r.Gate.Fail = func(string, string) (error, bool) { return &payment.RejectedError{Code: "NO"}, false }
			must(t)(r.RunRefunds(ctx, shop.Default))
			r.Gate.Fail = nil
			r.Clock.Advance(time.Hour)
			return o.No
		}, order.Paid, "asked 500 pending (rejected)", 0, 24, marketing.Used},
		{"refused, then retried by a person", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			d := refund(t, r, o.No, order.RefundRequest{})
			r.Gate.Fail = func(string, string) (error, bool) { return &payment.RejectedError{Code: "NO"}, false }
			must(t)(r.RunRefunds(ctx, shop.Default))
			r.Gate.Fail = nil
			must(t)(nil, second(r.RetryRefund(ctx, shop.Default, d.No, "")))
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"refused, then paid by hand", func(t *testing.T, r *harness.Harness) string {
			o, _ := paidOne(t, r)
			d := refund(t, r, o.No, order.RefundRequest{})
			r.Gate.Fail = func(string, string) (error, bool) { return &payment.RejectedError{Code: "NO"}, false }
			must(t)(r.RunRefunds(ctx, shop.Default))
			must(t)(r.ConfirmRefund(ctx, shop.Default, d.No, "in cash, receipt 7"))
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"given up by the channel", func(t *testing.T, r *harness.Harness) string {
			o, p := paidOne(t, r)
			r.Gate.Slow(true)
			d := refund(t, r, o.No, order.RefundRequest{})
			must(t)(r.RunRefunds(ctx, shop.Default))
			callback(t, r, p.No, r.Gate.Finish(d.No, payment.RefundFailed))
			return o.No
		}, order.Paid, "asked 500 failed (given_up)", 0, 24, marketing.Used},
		{"given up, then retried under a new number", func(t *testing.T, r *harness.Harness) string {
			o, p := paidOne(t, r)
			r.Gate.Slow(true)
			d := refund(t, r, o.No, order.RefundRequest{})
			must(t)(r.RunRefunds(ctx, shop.Default))
			callback(t, r, p.No, r.Gate.Finish(d.No, payment.RefundFailed))
			r.Gate.Slow(false)
			again, _, err := r.RetryRefund(ctx, shop.Default, d.No, "")
			if err != nil || again.Allocations[0].No != d.No+"_2" {
				t.Errorf("%+v %v", again.Allocations, err)
			}
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"given up, retried under a new number, and yet it went by the old one", func(t *testing.T, r *harness.Harness) string {
			o, p := paidOne(t, r)
			r.Gate.Slow(true)
			d := refund(t, r, o.No, order.RefundRequest{})
			must(t)(r.RunRefunds(ctx, shop.Default))
			f := r.Gate.Finish(d.No, payment.Refunded)
			must(t)(r.GiveUpRefund(ctx, shop.Default, d.No, "not at the console"))
			must(t)(nil, second(r.RetryRefund(ctx, shop.Default, d.No, "")))
			callback(t, r, p.No, f)
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"given up, and yet it went", func(t *testing.T, r *harness.Harness) string {
			o, p := paidOne(t, r)
			r.Gate.Slow(true)
			d := refund(t, r, o.No, order.RefundRequest{})
			must(t)(r.RunRefunds(ctx, shop.Default))
			callback(t, r, p.No, r.Gate.Finish(d.No, payment.RefundFailed))
			callback(t, r, p.No, r.Gate.Finish(d.No, payment.Refunded))
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"stuck with the buyer's account, then it went", func(t *testing.T, r *harness.Harness) string {
			o, p := paidOne(t, r)
			r.Gate.Slow(true)
			d := refund(t, r, o.No, order.RefundRequest{})
			must(t)(r.RunRefunds(ctx, shop.Default))
			callback(t, r, p.No, r.Gate.Finish(d.No, payment.RefundStuck))
			if got := refunds(t, r, o.No); got != "asked 500 pending (abnormal)" {
				t.Errorf("parked as %q", got)
			}
			r.Gate.Finish(d.No, payment.Refunded)
			r.Clock.Advance(payment.RefundDelays[0])
			return o.No
		}, order.Refunded, "asked 500 succeeded", 500, 25, marketing.Used},
		{"refunded at the merchant's console while ours is under way", func(t *testing.T, r *harness.Harness) string {
			o, p := paidOne(t, r)
			refund(t, r, o.No, order.RefundRequest{Amount: 300})
			callback(t, r, p.No, payment.Fact{ID: "refund/X", Kind: payment.Refunded, Source: payment.ByCallback, RefundNo: "X", Amount: 500, Merchant: "mch"})
			r.Gate.Fail = func(string, string) (error, bool) { return &payment.RejectedError{Code: "TOO_MUCH"}, false }
			return o.No
		}, order.Refunded, "asked 300 pending (already_returned)", 500, 25, marketing.Used},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
				r := scene(t, open)
				no := tt.life(t, r)
				rest(t, r)
				report := r.Audit()
				if report.Suspense != 0 {
					t.Errorf("%d in suspense at rest", report.Suspense)
				}
				if rows, err := r.Store.Suspense(ctx, shop.Default); err != nil || len(rows) != 0 {
					t.Errorf("suspense %v %v", rows, err)
				}
				v := view(t, r, no)
				if got := refunds(t, r, no); v.Order.Status != tt.os || got != tt.refunds || v.Order.Refunded != tt.refunded {
					t.Errorf("order %s, refunded %d, refunds %q\nwant %s, %d, %q", v.Order.Status, v.Order.Refunded, got, tt.os, tt.refunded, tt.refunds)
				}
				s, err := r.Store.Sku(ctx, shop.Default, "A")
				if err != nil || s.OnHand != tt.hand {
					t.Errorf("%d on hand, want %d (%v)", s.OnHand, tt.hand, err)
				}
				c, err := r.Store.Coupon(ctx, shop.Default, "C5")
				if err != nil || c.Status != tt.cs {
					t.Errorf("coupon is %s, want %s (%v)", c.Status, tt.cs, err)
				}
			})
		})
	}
}

// TestRefundSplit: what a refund takes from two payments, by policy.
func TestRefundSplit(t *testing.T) {
	for policy, want := range map[string]string{"": "[300 100]", shop.Proportional: "[240 160]"} {
		t.Run(policy, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
				r := scene(t, open)
				policies(t, r, shop.Policies{RefundSplit: policy})
				o := place(t, r, harness.Cart("u", "A", "C5"))
				for _, part := range []int64{200, 300} {
					p := pay(t, r, o.No, part)
					callback(t, r, p.No, r.Gate.Pay(p.No))
					r.Clock.Advance(time.Second)
				}
				d := refund(t, r, o.No, order.RefundRequest{Amount: 400})
				var took []int64
				for _, a := range d.Allocations {
					took = append(took, a.Amount)
				}
				if fmt.Sprint(took) != want {
					t.Errorf("took %v, want %s", took, want)
				}
				rest(t, r)
				refund(t, r, o.No, order.RefundRequest{})
				rest(t, r)
				r.Audit()
				if v := view(t, r, o.No); v.Order.Status != order.Refunded {
					t.Errorf("order is %s", v.Order.Status)
				}
			})
		})
	}
}

// TestRefundDuplicates: one key refunds once, and two keys never more than was
// paid.
func TestRefundDuplicates(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		o, _ := paidOne(t, r)
		nos := make([]string, 20)
		for _, err := range harness.Together(len(nos), func(i int) error {
			d, _, err := r.RequestRefund(ctx, shop.Default, o.No, "one", app.RequestRefund{RefundRequest: order.RefundRequest{Amount: 100}})
			nos[i] = d.No
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		if slices.Sort(nos); nos[0] != nos[len(nos)-1] {
			t.Errorf("duplicates made %s and %s", nos[0], nos[len(nos)-1])
		}
		var refused int
		for _, err := range harness.Together(10, func(i int) error {
			_, _, err := r.RequestRefund(ctx, shop.Default, o.No, harness.Key(i), app.RequestRefund{RefundRequest: order.RefundRequest{Amount: 100}})
			return err
		}) {
			if fault.Is(err, fault.RefundExceedsPaid) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != 6 {
			t.Errorf("%d of 10 refused, want 6", refused)
		}
		for _, err := range harness.Together(4, func(int) error { return run(r) }) {
			if err != nil {
				t.Error(err)
			}
		}
		rest(t, r)
		r.Audit()
		if v := view(t, r, o.No); v.Order.Refunded != 500 || v.Order.Status != order.Refunded {
			t.Errorf("%s, refunded %d", v.Order.Status, v.Order.Refunded)
		}
	})
}

func run(r *harness.Harness) error {
	_, err := r.RunRefunds(ctx, shop.Default)
	return err
}

// TestForeignShop: a fact that reaches another shop's address is about nothing
// there, and changes nothing here.
func TestForeignShop(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := scene(t, open)
		if err := r.Store.EnsureShop(ctx, shop.Shop{ID: "other", Name: "other", Currency: "CNY", CreatedAt: r.Clock.Now()}); err != nil {
			t.Fatal(err)
		}
		o := place(t, r, harness.Cart("u", "A", "C5"))
		p := pay(t, r, o.No, 0)
		a, verdict, err := r.Callback(ctx, "other", "gate", nil, harness.Callback(p.No, r.Gate.Pay(p.No)))
		if err != nil || verdict != string(payment.Orphan) || a.Status == 200 {
			t.Errorf("answered %d, %s, %v; want an orphan that is sent again", a.Status, verdict, err)
		}
		if d := view(t, r, o.No); d.Order.Status != order.PendingPayment || d.Payments[0].Status != payment.StatusPending {
			t.Errorf("%s, %s", d.Order.Status, d.Payments[0].Status)
		}
		if _, err := r.Store.Payment(ctx, "other", p.No); !fault.Is(err, fault.NotFound) {
			t.Errorf("the other shop sees it: %v", err)
		}
		r.Audit()
	})
}
