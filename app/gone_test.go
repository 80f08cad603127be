package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// TestRefundedElsewhere: money that went back at the channel's own console,
// whatever reports it, and in whatever order.
func TestRefundedElsewhere(t *testing.T) {
	const (
		paid     = "paid"
		all      = "paid, all of it returned"
		part     = "paid, 200 of it returned"
		some     = "paid, some of it returned"
		named    = "the refund of 500, by its number"
		named200 = "the refund of 200, by its number"
		cancel   = "the order is cancelled"
		ours     = "we refund the order"
		runs     = "our refunds run"
		wrong    = "paid, another amount"
		gone     = "the channel refuses what is beyond it"
	)
	for _, tt := range []struct {
		reported []string
		status   order.Status
		refunded int64 // of the payment, at rest
		suspense int64
		hand     int64
		anomaly  bool
		refunds  string
	}{
		{[]string{all}, order.PendingPayment, 500, 0, 25, false, ""},
		{[]string{all, named}, order.PendingPayment, 500, 0, 25, false, ""},
		{[]string{named, all}, order.PendingPayment, 500, 0, 25, false, ""},
		{[]string{named, paid}, order.PendingPayment, 500, 0, 25, false, ""},
		{[]string{all, paid}, order.PendingPayment, 500, 0, 25, false, ""},
		{[]string{paid, all}, order.Refunded, 500, 0, 25, false, ""},
		{[]string{paid, all, named}, order.Refunded, 500, 0, 25, false, ""},
		{[]string{paid, named, all, all}, order.Refunded, 500, 0, 25, false, ""},
		{[]string{part}, order.Paid, 200, 0, 24, false, ""},
		{[]string{part, named200, paid}, order.Paid, 200, 0, 24, false, ""},
		{[]string{named200, paid, part}, order.Paid, 200, 0, 24, false, ""},
		{[]string{paid, part, all}, order.Refunded, 500, 0, 25, false, ""},
		{[]string{part, all, named200}, order.Refunded, 500, 0, 25, false, ""},
		{[]string{some}, order.PendingPayment, 0, 500, 25, true, ""},
		{[]string{some, paid}, order.PendingPayment, 0, 500, 25, true, ""},
		{[]string{some, named}, order.PendingPayment, 500, 0, 25, false, ""},
		{[]string{some, paid, named200}, order.Paid, 200, 0, 24, false, ""},
		{[]string{named, some}, order.PendingPayment, 500, 0, 25, false, ""},
		{[]string{paid, some}, order.Paid, 0, 0, 24, true, ""},
		{[]string{paid, some, named}, order.Refunded, 500, 0, 25, false, ""},
		{[]string{some, all}, order.PendingPayment, 500, 0, 25, false, ""},

		{[]string{cancel, all}, order.Closed, 500, 0, 25, false, ""},
		{[]string{cancel, named, paid}, order.Closed, 500, 0, 25, false, ""},
		{[]string{cancel, some}, order.Closed, 0, 500, 25, true, ""},
		{[]string{cancel, some, named200}, order.Closed, 500, 0, 25, false, "late_payment 300 succeeded"},
		{[]string{some, cancel, named}, order.Closed, 500, 0, 25, false, ""},
		{[]string{cancel, part}, order.Closed, 500, 0, 25, false, "late_payment 300 succeeded"},
		{[]string{cancel, gone, paid, all, runs}, order.Closed, 500, 0, 25, false, "late_payment 500 pending (already_returned)"},
		{[]string{cancel, gone, paid, runs, all}, order.Closed, 500, 0, 25, false, "late_payment 500 pending (already_returned)"},
		{[]string{cancel, gone, paid, runs, named}, order.Closed, 500, 0, 25, false, "late_payment 500 pending (already_returned)"},
		{[]string{cancel, paid, runs, all}, order.Closed, 500, 0, 25, false, "late_payment 500 succeeded"},
		{[]string{cancel, paid, runs, some}, order.Closed, 500, 0, 25, false, "late_payment 500 succeeded"},

		{[]string{paid, ours, runs, all}, order.Refunded, 500, 0, 25, false, "asked 500 succeeded"},
		{[]string{paid, ours, runs, some}, order.Refunded, 500, 0, 25, false, "asked 500 succeeded"},
		{[]string{paid, ours, all, runs}, order.Refunded, 500, 0, 25, false, "asked 500 succeeded"},
		{[]string{paid, ours, some, runs}, order.Refunded, 500, 0, 25, false, "asked 500 succeeded"},
		{[]string{paid, gone, ours, all, runs}, order.Refunded, 500, 0, 25, false, "asked 500 pending (already_returned)"},
		{[]string{paid, gone, ours, runs, all}, order.Refunded, 500, 0, 25, false, "asked 500 pending (already_returned)"},

		{[]string{wrong, paid}, order.Paid, 0, 0, 24, true, ""},
		{[]string{paid, wrong}, order.Paid, 0, 0, 24, true, ""},
		{[]string{wrong, all}, order.PendingPayment, 500, 0, 25, true, ""},
	} {
		t.Run(fmt.Sprint(tt.reported), func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open opener) {
				r := scene(t, open)
				o := place(t, r, harness.Cart("u", "A", "C5"))
				p := pay(t, r, o.No, 0)
				fact := r.Gate.Pay(p.No)
				fact.At = p.CreatedAt.Add(time.Second)
				for _, what := range tt.reported {
					f := fact
					switch what {
					case all:
						f.Returned = 500
					case part:
						f.Returned = 200
					case some:
						f.Returned = payment.ReturnedSome
					case wrong:
						f.Amount = 1
					case named, named200:
						amount := int64(500)
						if what == named200 {
							amount = 200
						}
						f = r.Gate.GiveBack(p.No, "X", amount)
					case cancel:
						r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrNotExist, false }
						must(t)(nil, second(r.CancelOrder(ctx, shop.Default, o.No, "", "")))
						r.Gate.Fail = nil
						continue
					case ours:
						refund(t, r, o.No, order.RefundRequest{})
						continue
					case runs:
						rest(t, r)
						continue
					case gone:
						r.Gate.Fail = func(call, _ string) (error, bool) {
							if call == "refund" {
								return &payment.RejectedError{Code: "TOO_MUCH"}, false
							}
							return nil, true
						}
						continue
					}
					if s := callback(t, r, p.No, f); s != 200 {
						t.Fatalf("%s was answered %d", what, s)
					}
				}
				rest(t, r)
				r.React()
				r.Audit()
				v := view(t, r, o.No)
				var q payment.Data
				for _, d := range v.Payments {
					q.Refunded += d.Refunded
					q.Anomaly += d.Anomaly
					q.Applied += d.Suspense()
				}
				s, err := r.Store.Sku(ctx, shop.Default, "A")
				must(t)(nil, err)
				got := fmt.Sprint(v.Order.Status, q.Refunded, q.Applied, s.OnHand, q.Anomaly != "", refunds(t, r, o.No), len(v.Payments))
				want := fmt.Sprint(tt.status, tt.refunded, tt.suspense, tt.hand, tt.anomaly, tt.refunds, 1)
				if got != want {
					t.Errorf("got  %s (%s)\nwant %s", got, q.Anomaly, want)
				}
			})
		})
	}
}
