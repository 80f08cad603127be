package bills_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// gates are channels by name, each with trades and a bill of its own.
type gates map[string]*harness.Gate

func (g gates) Channel(_ context.Context, _, name string) (app.Configured, error) {
	if g[name] == nil {
		return app.Configured{}, fault.New(fault.NotFound, "there is no channel %s", name)
	}
	return app.Configured{Channel: g[name], Merchant: "mch", App: "app"}, nil
}

// movement is one of two of an order: a payment, or the part of a refund that
// one payment gives back. Times are counted from the midnight between two
// days where the channel is.
type movement struct {
	channel string
	at      time.Duration // by the channel
	learnt  time.Duration // when we learn of it; never: we do not
	billed  bool          // the channel's bill has it
	byHand  bool          // we learn of it from an operator
}

const never = 0

// TestReconcileAcrossMidnight: one line a pair of movements of one order near
// the border of a day: what is found in the bills of the two days, as day,
// channel and class. What only one side has is found on its day and channel,
// whatever becomes of the other movement, and nothing else is.
func TestReconcileAcrossMidnight(t *testing.T) {
	const pay, refund = payment.BillPayment, payment.BillRefund
	const s, m = time.Second, time.Minute
	for _, tt := range []struct {
		name  string
		kind  payment.BillKind
		moves [2]movement
		found string
	}{
		{"refund over two channels, over before midnight", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", -5 * m, -4 * m, true, false}}, ""},
		{"refund over two channels, we learn of one after midnight", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", -5 * m, 4 * m, true, false}}, ""},
		{"refund over two channels, we learn of both after midnight", refund, [2]movement{{"gate", -9 * m, 8 * m, true, false}, {"other", -5 * m, 4 * m, true, false}}, ""},
		{"refund over one channel, we learn of one after midnight", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"gate", -5 * m, 4 * m, true, false}}, ""},
		{"refund over two channels and two days", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", 5 * m, 6 * m, true, false}}, ""},
		{"refund over one channel and two days", refund, [2]movement{{"other", -9 * m, -8 * m, true, false}, {"other", 5 * m, 6 * m, true, false}}, ""},
		{"refund of which one half is under way", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", 5 * m, never, false, false}}, ""},
		{"refund of which one half was paid by hand", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", 0, -5 * m, false, true}}, ""},
		{"refund of which one half was paid by hand after midnight", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", 0, 5 * m, false, true}}, ""},
		{"refund that an operator saw the channel make, after midnight", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", -5 * m, 5 * m, true, true}}, ""},

		{"refund over two channels and two days, missing from the first", refund, [2]movement{{"gate", -9 * m, -8 * m, false, false}, {"other", 5 * m, 6 * m, true, false}}, "0 gate refund_missing"},
		{"refund over two channels and two days, missing from the second", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", 5 * m, 6 * m, false, false}}, "1 other refund_missing"},
		{"refund over two channels, one missing, we learn of the other after midnight", refund, [2]movement{{"gate", -9 * m, -8 * m, false, false}, {"other", -5 * m, 4 * m, true, false}}, "0 gate refund_missing"},
		{"refund over two channels, one missing that we learn of after midnight", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", -5 * m, 4 * m, false, false}}, "0 other refund_missing"},
		{"refund over one channel, one missing that we learn of after midnight", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"gate", -5 * m, 4 * m, false, false}}, "0 gate refund_missing"},
		{"refund over two channels, both missing", refund, [2]movement{{"gate", -9 * m, 8 * m, false, false}, {"other", -5 * m, 4 * m, false, false}}, "0 gate refund_missing, 0 other refund_missing"},
		{"refund of which one half is missing and the other under way", refund, [2]movement{{"gate", -9 * m, -8 * m, false, false}, {"other", 5 * m, never, false, false}}, "0 gate refund_missing"},
		{"refund missing, the channel's clock is ahead", refund, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", 5 * m, -1 * m, false, false}}, "1 other refund_missing"},
		{"refund missing, the channel's clock is behind", refund, [2]movement{{"gate", -34 * m, -8 * m, false, false}, {"other", 5 * m, 6 * m, true, false}}, "0 gate refund_missing"},
		{"refund within a minute of midnight, missing", refund, [2]movement{{"gate", -59 * s, 8 * m, false, false}, {"other", 59 * s, 4 * m, false, false}}, ""},
		{"refund that was not reported to us", refund, [2]movement{{"gate", -9 * m, never, true, false}, {"other", 5 * m, never, true, false}}, "0 gate refund_unsettled, 1 other refund_unsettled"},

		{"payments over two channels, we learn of them after midnight", pay, [2]movement{{"gate", -9 * m, 4 * m, true, false}, {"other", -5 * m, 5 * m, true, false}}, ""},
		{"payments over two channels and two days", pay, [2]movement{{"gate", -9 * m, -8 * m, true, false}, {"other", 5 * m, 6 * m, true, false}}, ""},
		{"payments over two channels, missing", pay, [2]movement{{"gate", -9 * m, 4 * m, false, false}, {"other", -5 * m, -4 * m, false, false}}, "0 gate payment_missing, 0 other payment_missing"},
		{"payments over two days, missing", pay, [2]movement{{"gate", -9 * m, 4 * m, false, false}, {"other", 5 * m, 6 * m, false, false}}, "0 gate payment_missing, 1 other payment_missing"},
		{"payments over one channel, one missing", pay, [2]movement{{"other", -9 * m, 4 * m, false, false}, {"other", -5 * m, 6 * m, true, false}}, "0 other payment_missing"},
		{"payments that were not reported to us", pay, [2]movement{{"gate", -9 * m, never, true, false}, {"other", 5 * m, never, true, false}}, "0 gate payment_unsettled, 1 other payment_unsettled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open steps.Open) {
				b := newBorder(t, open)
				b.sound(0)
				o := steps.Place(t, b.r, harness.Cart("u", "A"))
				parts := [2]string{b.open(o.No, tt.moves[0].channel, 400), b.open(o.No, tt.moves[1].channel, 600)}
				if tt.kind == refund {
					b.refund(o.No, parts, tt.moves)
				} else {
					b.pay(parts, tt.moves)
				}
				b.advance(12 * time.Hour)
				b.sound(12 * time.Hour)
				b.advance(35 * time.Hour)
				if got := b.reconcile(); got != tt.found {
					t.Errorf("found %q, want %q", got, tt.found)
				}
				b.r.Audit()
			})
		})
	}
}

// border is a backend with two channels, shortly before the end of day 0.
type border struct {
	t        *testing.T
	r        *harness.Harness
	gates    gates
	day      payment.Day
	midnight time.Time // that ends day 0
}

func newBorder(t *testing.T, open steps.Open) *border {
	b := &border{t: t, r: steps.Shop(t, open)}
	b.gates = gates{"gate": b.r.Gate, "other": harness.NewGate(b.r.Clock.Now)}
	b.r.Channels = b.gates
	b.day = noon(b.r)
	_, b.midnight = b.day.Span(b.r.Gate.Zone())
	b.advance(-10 * time.Minute)
	return b
}

// advance moves the clock to d from midnight.
func (b *border) advance(d time.Duration) {
	b.r.Clock.Advance(b.midnight.Add(d).Sub(b.r.Clock.Now()))
}

// sound has an order paid on each channel, which both sides have on that day:
// a bill of nothing is another matter.
func (b *border) sound(at time.Duration) {
	for _, channel := range []string{"gate", "other"} {
		o := steps.Place(b.t, b.r, harness.Cart("v", "A"))
		no := b.open(o.No, channel, 0)
		at := b.midnight.Add(at).Add(-time.Hour)
		b.learn(channel, no, b.gates[channel].Pay(no), at)
		b.bill(channel, payment.BillRow{Kind: payment.BillPayment, PaymentNo: no, Amount: 1000, At: at})
	}
}

func (b *border) open(orderNo, channel string, amount int64) string {
	p, _, err := b.r.OpenPayment(ctx, shop.Default, orderNo, harness.Key(0), app.OpenPayment{Channel: channel, Method: payment.Native, Amount: amount})
	steps.Must(b.t)(nil, err)
	return p.No
}

// learn has a callback bring what happened at a time.
func (b *border) learn(channel, no string, f payment.Fact, at time.Time) {
	f.At = at
	a, _, err := b.r.Callback(ctx, shop.Default, channel, http.Header{}, harness.Callback(no, f))
	if err != nil || a.Status != http.StatusOK {
		b.t.Fatal(a.Status, err)
	}
}

// bill completes a row and puts it into the channel's bill.
func (b *border) bill(channel string, row payment.BillRow) {
	g := b.gates[channel]
	row.Line, row.TransactionID, row.Rate = int64(len(g.Rows)+1), "T"+row.PaymentNo, -1
	row.Currency, row.Merchant, row.App, row.Reported, row.Done = "CNY", "mch", "app", "SUCCESS", true
	if row.Kind == payment.BillRefund {
		row.RefundID = "R" + row.RefundNo
	}
	g.Rows = append(g.Rows, row)
}

var halves = [2]int64{400, 600}

// pay has both halves of an order paid.
func (b *border) pay(nos [2]string, moves [2]movement) {
	b.inOrder(moves, func(i int, m *movement) {
		f := b.gates[m.channel].Pay(nos[i])
		if m.billed {
			b.bill(m.channel, payment.BillRow{Kind: payment.BillPayment, PaymentNo: nos[i], Amount: halves[i], At: b.midnight.Add(m.at)})
		}
		if m.learnt != never {
			b.learn(m.channel, nos[i], f, b.midnight.Add(m.at))
		}
	})
}

// refund has an order that is paid in halves refunded.
func (b *border) refund(orderNo string, nos [2]string, moves [2]movement) {
	paid := b.midnight.Add(-2 * time.Hour)
	for i, m := range moves {
		b.learn(m.channel, nos[i], b.gates[m.channel].Pay(nos[i]), paid)
		b.bill(m.channel, payment.BillRow{Kind: payment.BillPayment, PaymentNo: nos[i], Amount: halves[i], At: paid})
		b.gates[m.channel].Slow(true)
	}
	b.r.React()
	d := steps.Refund(b.t, b.r, orderNo, order.RefundRequest{})
	steps.Must(b.t)(b.r.RunRefunds(ctx, shop.Default))
	part := func(no string) *payment.Allocation {
		return &d.Allocations[slices.IndexFunc(d.Allocations, func(a payment.Allocation) bool { return a.Payment == no })]
	}
	b.inOrder(moves, func(i int, m *movement) {
		a, at := part(nos[i]), b.midnight.Add(m.at)
		if m.billed {
			b.bill(m.channel, payment.BillRow{Kind: payment.BillRefund, PaymentNo: nos[i], RefundNo: a.No, Amount: halves[i], At: at})
		}
		switch {
		case m.byHand:
			_, err := b.r.ConfirmRefund(ctx, shop.Default, d.No, "seen")
			steps.Must(b.t)(nil, err)
		case m.learnt != never:
			b.learn(m.channel, nos[i], b.gates[m.channel].Finish(a.No, payment.Refunded), at)
		}
	})
}

// inOrder moves the clock to when each is learnt of, the earliest first.
func (b *border) inOrder(moves [2]movement, do func(i int, m *movement)) {
	order := []int{0, 1}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(moves[i].learnt, moves[j].learnt) })
	for _, i := range order {
		b.advance(moves[i].learnt)
		do(i, &moves[i])
	}
}

// reconcile goes through both days of both channels and says what was found.
func (b *border) reconcile() string {
	var out []string
	for n, day := range []payment.Day{b.day, payment.DayOf(b.midnight, b.r.Gate.Zone())} {
		for _, channel := range []string{"gate", "other"} {
			d, err := b.r.Reconcile(ctx, shop.Default, channel, day, nil)
			if err != nil || d.Status != rows.ReconciliationDone {
				b.t.Fatalf("%s of %s: %s %q (%v)", channel, day, d.Status, d.Error, err)
			}
			all, _, err := b.r.Store.ListDiscrepancies(ctx, shop.Default, app.DiscrepancyFilter{Channel: channel, Day: day.String()}, app.Page{Limit: 100})
			steps.Must(b.t)(nil, err)
			for _, x := range all {
				out = append(out, fmt.Sprint(n, " ", channel, " ", x.Class))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
