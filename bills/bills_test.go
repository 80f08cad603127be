package bills_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
	"github.com/tandem-pay/tandem/shop"
)

func TestMain(m *testing.M) { harness.Main(m) }

var ctx = context.Background()

// noon moves the clock to the next 12:00 where the gate is, so that no test
// runs across the border of a day, and says what day it is then.
func noon(r *harness.Harness) payment.Day {
	zone := r.Gate.Zone()
	from, _ := payment.DayOf(r.Clock.Now().Add(12*time.Hour), zone).Span(zone)
	at := from.Add(12 * time.Hour)
	r.Clock.Advance(at.Sub(r.Clock.Now()))
	return payment.DayOf(r.Clock.Now(), zone)
}

// morning moves the clock to an hour of the day after.
func morning(r *harness.Harness, day payment.Day, hour time.Duration) {
	_, next := day.Span(r.Gate.Zone())
	r.Clock.Advance(next.Add(hour * time.Hour).Sub(r.Clock.Now()))
}

// paidRow and backRow are what a true bill has of a payment and of a refund.
func paidRow(r *harness.Harness, p *payment.Data) payment.BillRow {
	return payment.BillRow{
		Kind: payment.BillPayment, Line: int64(len(r.Gate.Rows) + 1), PaymentNo: p.No, TransactionID: "T" + p.No, Amount: p.Amount, Rate: -1,
		Currency: "CNY", Merchant: "mch", App: "app", Reported: "SUCCESS", Done: true, At: r.Clock.Now(),
	}
}

func backRow(r *harness.Harness, p *payment.Data, refundNo string, amount int64) payment.BillRow {
	row := paidRow(r, p)
	row.Kind, row.RefundNo, row.RefundID, row.Amount = payment.BillRefund, refundNo, "R"+refundNo, amount
	return row
}

// billed is the life of an order until its day is over: rows stand in the
// bill as the gate's Rows.
type billed struct {
	t *testing.T
	r *harness.Harness
	o order.Data
	p payment.Data
}

// bill adds a row that was changed by each of alter.
func (b *billed) bill(row payment.BillRow, alter ...func(*payment.BillRow)) {
	for _, f := range alter {
		f(&row)
	}
	b.r.Gate.Rows = append(b.r.Gate.Rows, row)
}

// paid has the callback arrive.
func (b *billed) paid() *billed {
	steps.Callback(b.t, b.r, b.p.No, b.r.Gate.Pay(b.p.No))
	b.r.React()
	return b
}

// refunded refunds everything; at the gate the refund is done, and unless reported is
// set we do not know.
func (b *billed) refunded(reported bool) payment.RefundData {
	b.r.Gate.Slow(!reported)
	d := steps.Refund(b.t, b.r, b.o.No, order.RefundRequest{})
	steps.Must(b.t)(b.r.RunRefunds(ctx, shop.Default))
	if !reported {
		b.r.Gate.Finish(d.No, payment.Refunded)
	}
	return d
}

// found are the discrepancies of a day in words.
func found(t *testing.T, r *harness.Harness, day payment.Day) (words string, all []rows.Discrepancy) {
	t.Helper()
	all, next, err := r.Store.ListDiscrepancies(ctx, shop.Default, app.DiscrepancyFilter{Day: day.String()}, app.Page{Limit: 100})
	if err != nil || next != "" {
		t.Fatal(err, next)
	}
	out := make([]string, len(all))
	for i, d := range all {
		out[i] = d.Class + " " + string(d.Status)
	}
	slices.Sort(out)
	return strings.Join(out, ", "), all
}

func reconciled(t *testing.T, r *harness.Harness, day payment.Day, want rows.ReconciliationStatus) rows.Reconciliation {
	t.Helper()
	d, err := r.Reconcile(ctx, shop.Default, "gate", day, nil)
	if err != nil || d.Status != want {
		t.Fatalf("%s %q, want %s (%v)", d.Status, d.Error, want, err)
	}
	return d
}

// logged counts the records of the log.
func logged(t *testing.T, r *harness.Harness) int {
	t.Helper()
	all, err := r.Store.Events(ctx, shop.Default, app.EventQuery{Limit: 1000})
	steps.Must(t)(nil, err)
	return len(all)
}

// TestReconcile: one line a way in which the books of a day and its bill can
// differ: what is found and healed, what became of the order, and that a
// second run finds the same and changes nothing. Each bill has a row besides
// that is right.
func TestReconcile(t *testing.T) {
	for _, tt := range []struct {
		name    string
		life    func(b *billed)
		found   string
		detail  string // of one of them
		os      order.Status
		refunds string
		back    int64
	}{
		{"nothing", func(b *billed) { b.paid().bill(paidRow(b.r, &b.p)) }, "", "", order.Paid, "", 0},
		{"unsettled", func(b *billed) { b.r.Gate.Pay(b.p.No); b.bill(paidRow(b.r, &b.p)) },
			"payment_unsettled healed", "ours is pending", order.Paid, "", 0},
		{"late: closed", func(b *billed) {
			steps.Must(b.t)(nil, steps.Err(b.r.CancelOrder(ctx, shop.Default, b.o.No, "", "")))
			b.r.Gate.Pay(b.p.No)
			b.bill(paidRow(b.r, &b.p))
		}, "payment_late healed", "ours is closed", order.Closed, "late_payment 500 succeeded", 0},
		{"late: failed", func(b *billed) {
			steps.Callback(b.t, b.r, b.p.No, payment.Fact{ID: "failed", Kind: payment.Failed, Source: payment.ByCallback})
			b.r.Gate.Pay(b.p.No)
			b.bill(paidRow(b.r, &b.p))
		}, "payment_late healed", "ours is failed", order.Paid, "", 0},
		{"unknown", func(b *billed) {
			b.bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.PaymentNo = "2foreign" })
		}, "payment_unknown open", "no payment of ours has this number", order.PendingPayment, "", 0},
		{"unknown, a callback of it came", func(b *billed) {
			if s := steps.Callback(b.t, b.r, "2foreign", payment.Fact{ID: "paid/f", Kind: payment.Paid, Amount: 1}); s == 200 {
				b.t.Error("an orphan was acknowledged")
			}
			b.bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.PaymentNo = "2foreign" })
		}, "payment_unknown open", "an authentic callback about it is on file", order.PendingPayment, "", 0},
		{"missing", func(b *billed) { b.paid() }, "payment_missing open", "the bill has no row of it", order.Paid, "", 0},
		{"amount", func(b *billed) { b.paid().bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.Amount-- }) },
			"payment_amount open", "ours is 500, the bill has 499", order.Paid, "", 0},
		{"amount of what is unsettled: does not settle", func(b *billed) {
			b.bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.Amount++ })
		}, "payment_amount open", "ours is 500, the bill has 501", order.PendingPayment, "", 0},
		{"currency", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.Currency = "USD" })
		}, "payment_currency open", "the bill has USD", order.Paid, "", 0},
		{"merchant", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.Merchant = "mch2" })
		}, "payment_merchant open", "mch2", order.Paid, "", 0},
		{"app of what is unsettled: does not settle", func(b *billed) {
			b.bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.App = "app2" })
		}, "payment_merchant open", "app2", order.PendingPayment, "", 0},
		{"a bill that says no merchant", func(b *billed) {
			b.r.Gate.Pay(b.p.No)
			b.bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.Merchant, t.App, t.Currency = "", "", "" })
		}, "payment_unsettled healed", "", order.Paid, "", 0},
		{"transaction", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.TransactionID = "other" })
		}, "payment_transaction open", "other", order.Paid, "", 0},
		{"paid twice: the second money goes back", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.r.Gate.PayAgain(b.p.No)
			b.bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.TransactionID, t.At = "second", t.At.Add(time.Second) })
		}, "paid_twice healed", "transaction second", order.Paid, "overpayment 500 succeeded", 0},
		{"unsettled and paid twice", func(b *billed) {
			b.r.Gate.Pay(b.p.No)
			b.r.Gate.PayAgain(b.p.No)
			b.bill(paidRow(b.r, &b.p))
			b.bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.TransactionID, t.At = "second", t.At.Add(time.Second) })
		}, "paid_twice healed, payment_unsettled healed", "", order.Paid, "overpayment 500 succeeded", 0},
		{"paid twice, and the refund of the second stands there too", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.r.Gate.PayAgain(b.p.No)
			f := b.r.Gate.Pay(b.p.No)
			f.ID, f.TransactionID, f.At = "paid/second", "second", f.At.Add(time.Second)
			steps.Callback(b.t, b.r, b.p.No, f)
			steps.Rest(b.t, b.r)
			back, err := b.r.Store.RefundsOf(ctx, shop.Default, b.o.No)
			steps.Must(b.t)(nil, err)
			b.bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.TransactionID, t.At = "second", f.At })
			b.bill(backRow(b.r, &b.p, back[0].No, 500), func(t *payment.BillRow) { t.TransactionID = "second" })
		}, "paid_twice healed", "", order.Paid, "overpayment 500 succeeded", 0},
		{"taken back", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.Reported = reconcile.Revoked })
		}, "state_reversed open", "REVOKED", order.Paid, "", 0},

		{"refund, as it should be", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, b.refunded(true).No, 500))
		}, "", "", order.Refunded, "asked 500 succeeded", 500},
		{"refund unsettled", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, b.refunded(false).No, 500))
		}, "refund_unsettled healed", "ours is pending", order.Refunded, "asked 500 succeeded", 500},
		{"refund given up with us, and yet it went", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			d := b.refunded(false)
			steps.Callback(b.t, b.r, b.p.No, b.r.Gate.Finish(d.No, payment.RefundFailed))
			b.bill(backRow(b.r, &b.p, d.No, 500))
		}, "refund_unsettled healed", "ours is failed", order.Refunded, "asked 500 succeeded", 500},
		{"refund that was not requested here", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, "X1", 200))
		}, "refund_unknown healed", "", order.Paid, "", 200},
		{"refund without a number that was not requested here", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, "", 200))
		}, "refund_unknown open", "", order.Paid, "", 0},
		{"refund of more than was paid", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, "X1", 501))
		}, "refund_unknown open", "501 of 500", order.Paid, "", 0},
		{"refund of a payment that we do not know", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, "X1", 200), func(t *payment.BillRow) { t.PaymentNo = "2foreign" })
		}, "refund_orphan open", "", order.Paid, "", 0},
		{"refund missing", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.refunded(true)
		}, "refund_missing open", "the bill has no row of it", order.Refunded, "asked 500 succeeded", 500},
		{"refund amount", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, b.refunded(true).No, 400))
		}, "refund_amount open", "ours is 500, the bill has 400", order.Refunded, "asked 500 succeeded", 500},
		{"refund amount of what is unsettled: does not settle", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.r.Gate.Slow(true)
			d := steps.Refund(b.t, b.r, b.o.No, order.RefundRequest{})
			steps.Must(b.t)(b.r.RunRefunds(ctx, shop.Default))
			b.bill(backRow(b.r, &b.p, d.No, 400))
		}, "refund_amount open", "ours is 500, the bill has 400", order.Paid, "asked 500 pending", 0},
		{"refund currency", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, b.refunded(true).No, 500), func(t *payment.BillRow) { t.Currency = "USD" })
		}, "refund_currency open", "", order.Refunded, "asked 500 succeeded", 500},
		{"refund merchant", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, b.refunded(true).No, 500), func(t *payment.BillRow) { t.Merchant = "mch2" })
		}, "refund_merchant open", "", order.Refunded, "asked 500 succeeded", 500},
		{"refund transaction", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, b.refunded(true).No, 500), func(t *payment.BillRow) { t.TransactionID = "other" })
		}, "refund_transaction open", "", order.Refunded, "asked 500 succeeded", 500},
		{"refund failed at the channel", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, b.refunded(true).No, 500), func(t *payment.BillRow) { t.Reported, t.Done = "FAIL", false })
		}, "refund_failed open", "the bill says FAIL", order.Refunded, "asked 500 succeeded", 500},
		{"refund worked on at the channel", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(backRow(b.r, &b.p, b.refunded(true).No, 500), func(t *payment.BillRow) { t.Reported, t.Done = "PROCESSING", false })
		}, "refund_pending open", "the bill says PROCESSING", order.Refunded, "asked 500 succeeded", 500},
		{"refund worked on on both sides", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.r.Gate.Slow(true)
			d := steps.Refund(b.t, b.r, b.o.No, order.RefundRequest{})
			steps.Must(b.t)(b.r.RunRefunds(ctx, shop.Default))
			b.bill(backRow(b.r, &b.p, d.No, 500), func(t *payment.BillRow) { t.Reported, t.Done = "PROCESSING", false })
		}, "", "", order.Paid, "asked 500 pending", 0},
		{"two refunds under one number", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			no := b.refunded(true).No
			b.bill(backRow(b.r, &b.p, no, 500))
			b.bill(backRow(b.r, &b.p, no, 500), func(t *payment.BillRow) { t.RefundID = "other" })
		}, "refund_twice open", "", order.Refunded, "asked 500 succeeded", 500},
		{"refund of what nobody has as paid", func(b *billed) {
			b.bill(backRow(b.r, &b.p, "X1", 200))
		}, "refund_before_payment open, refund_unknown healed", "", order.PendingPayment, "", 0},

		{"the same row twice", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p))
			b.bill(paidRow(b.r, &b.p))
		}, "duplicate_row open", "2 times", order.Paid, "", 0},
		{"just across the border: is only counted", func(b *billed) {
			_, next := payment.DayOf(b.r.Clock.Now(), b.r.Gate.Zone()).Span(b.r.Gate.Zone())
			f := b.r.Gate.Pay(b.p.No)
			f.At = next.Add(10 * time.Second)
			steps.Callback(b.t, b.r, b.p.No, f)
			b.bill(paidRow(b.r, &b.p))
		}, "", "", order.Paid, "", 0},
		{"another day", func(b *billed) {
			_, next := payment.DayOf(b.r.Clock.Now(), b.r.Gate.Zone()).Span(b.r.Gate.Zone())
			f := b.r.Gate.Pay(b.p.No)
			f.At = next.Add(2 * time.Minute)
			steps.Callback(b.t, b.r, b.p.No, f)
			b.bill(paidRow(b.r, &b.p))
		}, "wrong_day open", "ours is of", order.Paid, "", 0},
		{"fee", func(b *billed) {
			b.paid().bill(paidRow(b.r, &b.p), func(t *payment.BillRow) { t.Rate, t.Fee = 6000, 4000 })
		}, "fee open", "6000 millionths of 500 are 3000", order.Paid, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open steps.Open) {
				r := steps.Shop(t, open)
				day := noon(r)
				sound := billed{t: t, r: r, o: steps.Place(t, r, harness.Cart("v", "A"))}
				sound.p = steps.Pay(t, r, sound.o.No, 0)
				sound.paid().bill(paidRow(r, &sound.p))
				b := billed{t: t, r: r, o: steps.Place(t, r, harness.Cart("u", "A", "C5"))}
				b.p = steps.Pay(t, r, b.o.No, 0)
				tt.life(&b)
				morning(r, day, 11)

				reconciled(t, r, day, rows.ReconciliationDone)
				r.Gate.Slow(false)
				if !strings.Contains(tt.refunds, "pending") {
					steps.Rest(t, r)
				}
				words, first := found(t, r, day)
				if words != tt.found {
					t.Errorf("found %q, want %q: %+v", words, tt.found, first)
				}
				if tt.detail != "" && !slices.ContainsFunc(first, func(d rows.Discrepancy) bool { return strings.Contains(d.Detail, tt.detail) }) {
					t.Errorf("nothing says %q: %+v", tt.detail, first)
				}
				v := steps.View(t, r, b.o.No)
				if got := steps.Refunds(t, r, b.o.No); v.Order.Status != tt.os || got != tt.refunds || v.Order.Refunded != tt.back {
					t.Errorf("order %s, refunded %d, refunds %q\nwant %s, %d, %q", v.Order.Status, v.Order.Refunded, got, tt.os, tt.back, tt.refunds)
				}
				events := logged(t, r)
				if again := reconciled(t, r, day, rows.ReconciliationDone); again.Runs != 2 {
					t.Errorf("run %d", again.Runs)
				}
				if words, next := found(t, r, day); fmt.Sprint(first) != fmt.Sprint(next) {
					t.Errorf("again: %s\n%+v\nfirst\n%+v", words, next, first)
				}
				if n := logged(t, r); n != events {
					t.Errorf("the second run logged %d events", n-events)
				}
				r.Audit()
			})
		})
	}
}

// TestReconcileTrouble: a bill that is not there or not whole changes nothing
// but the day's own record.
func TestReconcileTrouble(t *testing.T) {
	for _, tt := range []struct {
		name     string
		err      error
		halfWay  bool
		noBooks  bool
		status   rows.ReconciliationStatus
		says     string
		thenDone bool
	}{
		{"not made yet", payment.ErrBillNotReady, false, false, rows.ReconciliationWaiting, "not made", true},
		{"cut off in its middle", &payment.BadBillError{Line: 2, Reason: "cut off"}, true, false, rows.ReconciliationFailed, "line 2: cut off", true},
		{"silence in its middle", payment.ErrUnknown, true, false, rows.ReconciliationFailed, "unknown", true},
		{"refused", &payment.RejectedError{Code: "NO_AUTH", Message: "no"}, false, false, rows.ReconciliationFailed, "NO_AUTH", true},
		{"nothing moved, they say", payment.ErrNoBill, false, false, rows.ReconciliationFailed, "our books have 1 movements", true},
		{"nothing moved", payment.ErrNoBill, false, true, rows.ReconciliationDone, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open steps.Open) {
				r := steps.Shop(t, open)
				day := noon(r)
				b := billed{t: t, r: r, o: steps.Place(t, r, harness.Cart("u", "A", "C5"))}
				if !tt.noBooks {
					sound := billed{t: t, r: r, o: steps.Place(t, r, harness.Cart("v", "A"))}
					b.p = steps.Pay(t, r, b.o.No, 0)
					r.Gate.Pay(b.p.No)
					b.bill(paidRow(r, &b.p)) // first: half of the bill has it
					sound.p = steps.Pay(t, r, sound.o.No, 0)
					sound.paid().bill(paidRow(r, &sound.p))
				}
				if _, err := r.Reconcile(ctx, shop.Default, "gate", day, nil); err == nil {
					t.Error("a day that is not over was reconciled")
				}
				morning(r, day, 11)
				events := logged(t, r)
				r.Gate.Fail = func(call, _ string) (error, bool) {
					if call != "bill" {
						return nil, true
					}
					return tt.err, tt.halfWay
				}
				d := reconciled(t, r, day, tt.status)
				if !strings.Contains(d.Error, tt.says) || (d.Error == "") != (tt.says == "") {
					t.Errorf("says %q, want %q", d.Error, tt.says)
				}
				if words, _ := found(t, r, day); words != "" || logged(t, r) != events || steps.View(t, r, b.o.No).Order.Status != order.PendingPayment {
					t.Errorf("it was acted upon: %s, order %s", words, steps.View(t, r, b.o.No).Order.Status)
				}
				r.Gate.Fail = nil
				if tt.thenDone {
					d := reconciled(t, r, day, rows.ReconciliationDone)
					if words, _ := found(t, r, day); words != "payment_unsettled healed" || d.Error != "" || d.Runs != 2 {
						t.Errorf("then: %q %+v", words, d)
					}
				}
				r.Audit()
			})
		})
	}
}

// TestReconcileStanding: what an operator resolved stays so, what is gone is
// healed, and a failed run after a good one keeps what that found.
func TestReconcileStanding(t *testing.T) {
	harness.Each(t, func(t *testing.T, open steps.Open) {
		r := steps.Shop(t, open)
		day := noon(r)
		var bill []payment.BillRow
		for range 3 {
			b := billed{t: t, r: r, o: steps.Place(t, r, harness.Cart("v", "A"))}
			b.p = steps.Pay(t, r, b.o.No, 0)
			b.paid()
			bill = append(bill, paidRow(r, &b.p))
		}
		r.Gate.Rows = bill[:1]
		morning(r, day, 11)
		reconciled(t, r, day, rows.ReconciliationDone)
		words, all := found(t, r, day)
		if words != "payment_missing open, payment_missing open" {
			t.Fatalf("found %s", words)
		}
		kept := all[0]
		if kept.PaymentNo == bill[1].PaymentNo {
			bill[1], bill[2] = bill[2], bill[1]
		}
		resolve := func(reason string) error {
			_, _, err := r.ResolveDiscrepancy(ctx, shop.Default, kept.ID, "", reason)
			return err
		}
		for range 2 { // saying it again changes nothing
			steps.Must(t)(nil, resolve("the channel's support found it"))
		}
		if resolve("another story") == nil || resolve("") == nil {
			t.Error("a discrepancy was resolved twice, or without a reason")
		}

		// The other one's row turns up.
		r.Gate.Rows = bill[:2]
		d := reconciled(t, r, day, rows.ReconciliationDone)
		if words, all := found(t, r, day); words != "payment_missing healed, payment_missing resolved" || all[0].Resolution != "the channel's support found it" {
			t.Errorf("%s %+v", words, all)
		}
		var sum reconcile.Summary
		steps.Must(t)(nil, json.Unmarshal(d.Summary, &sum))
		if sum.Matched != 2 || sum.Classes[reconcile.PaymentMissing].Count != 1 || sum.OurPayments != (reconcile.Total{Count: 3, Amount: 3000}) {
			t.Errorf("%+v", sum)
		}

		// And is gone again: what had healed by itself is open, what a person
		// resolved stays so.
		r.Gate.Rows = bill[:1]
		reconciled(t, r, day, rows.ReconciliationDone)
		if words, _ := found(t, r, day); words != "payment_missing open, payment_missing resolved" {
			t.Errorf("after it was gone again: %s", words)
		}
		r.Gate.Rows = bill[:2]
		d = reconciled(t, r, day, rows.ReconciliationDone)

		r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, true }
		failed := reconciled(t, r, day, rows.ReconciliationFailed)
		if string(failed.Summary) != string(d.Summary) {
			t.Errorf("a run that failed left the summary %s", failed.Summary)
		}
		if words, _ := found(t, r, day); words != "payment_missing healed, payment_missing resolved" {
			t.Errorf("after a run that failed: %s", words)
		}
		r.Audit()
	})
}
