package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// The facts that can be reported about one payment of 500.
const (
	paidRight    = "paid"
	paidTwice    = "paid by a second transaction"
	wrongAmount  = "another amount"
	wrongPayee   = "another merchant"
	wrongApp     = "another app"
	failedThen   = "failed"
	closedThen   = "closed"
	foreignBack  = "200 refunded by a number that is not ours"
	ownBack      = "our own refund has gone"
	ownFailed    = "our own refund was given up"
	ownStuck     = "our own refund is stuck"
	wrongBack    = "200 refunded by another merchant"
	wrongOwnBack = "our own refund has gone, by another merchant"
	openHint     = "it is open"
	openBackHint = "something became of our own refund"
)

var reportable = []string{
	paidRight, paidTwice, wrongAmount, wrongPayee, wrongApp, failedThen, closedThen,
	foreignBack, ownBack, ownFailed, ownStuck, wrongBack, wrongOwnBack, openHint, openBackHint,
}

// delivery is a set of facts, with duplicates, in two orders.
type delivery struct {
	cancelled     bool // before any of it was reported
	first, second []string
}

func (d *delivery) has(facts ...string) bool {
	for _, f := range facts {
		if !slices.Contains(d.first, f) {
			return false
		}
	}
	return true
}

var deliveries = rapid.Custom(func(t *rapid.T) delivery {
	facts := rapid.SliceOfN(rapid.SampledFrom(reportable), 1, 7).Draw(t, "facts")
	return delivery{rapid.Bool().Draw(t, "cancelled"), facts, rapid.Permutation(facts).Draw(t, "again")}
})

// failer is what a test and a property have in common.
type failer interface {
	Errorf(format string, args ...any)
	Helper()
}

// permuted is a backend on which facts about many orders are reported in many orders.
type permuted struct {
	t      *testing.T
	r      *harness.Harness
	orders int
	known  map[audit.Offence]bool // found before: they are of another delivery
}

func newPermuted(t *testing.T, open opener) *permuted {
	return &permuted{t: t, r: scene(t, open), known: map[audit.Offence]bool{}}
}

// placed is an order of 500 with a sku and a coupon of its own.
func (w *permuted) placed() order.Data {
	w.orders++
	sku, code := fmt.Sprint("K", w.orders), fmt.Sprint("CK", w.orders)
	w.r.Sku(sku, 1000, 5)
	must(w.t)(nil, second(w.r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "five", Codes: []string{code}})))
	return place(w.t, w.r, harness.Cart(fmt.Sprint("u", w.orders), sku, code))
}

// offences are those that no earlier delivery left.
func (w *permuted) offences() (found []audit.Offence) {
	w.r.React()
	report, err := audit.Run(ctx, w.r.Store, shop.Default, outbox.Reactions(app.Reactions))
	must(w.t)(nil, err)
	for _, o := range report.Offences {
		if !w.known[o] {
			w.known[o] = true
			found = append(found, o)
		}
	}
	return found
}

// deliver places an order, reports the facts about its one payment, and says
// what it all came to at rest.
func (w *permuted) deliver(d *delivery, facts []string) outcome {
	o := w.placed()
	p := pay(w.t, w.r, o.No, 0)
	cause := payment.Overpayment
	if d.cancelled {
		must(w.t)(nil, second(w.r.CancelOrder(ctx, shop.Default, o.No, "", "")))
		cause = payment.LatePayment
	}
	own := app.DerivedNumber(cause, p.No)

	// What is reported is true at the channel, but for what it says of our own
	// refund, which nobody has requested there.
	base := p.CreatedAt
	right := payment.Fact{
		ID: "paid/T1", Kind: payment.Paid, Source: payment.ByCallback, TransactionID: "T1",
		Amount: p.Amount, Currency: "CNY", Merchant: "mch", App: "app", At: base.Add(time.Second),
	}
	back := payment.Fact{ID: "refund/" + own, Kind: payment.Refunded, Source: payment.ByCallback, RefundNo: own, Amount: p.Amount, Merchant: "mch", At: base.Add(3 * time.Second)}
	fact := map[string]payment.Fact{
		failedThen: {ID: "failed", Kind: payment.Failed, Source: payment.ByCallback, Reported: "PAYERROR"},
		closedThen: {ID: "closed", Kind: payment.Closed, Source: payment.ByCallback, Reported: "CLOSED"},
		openHint:   {ID: "open", Kind: payment.Open, Source: payment.ByCallback},
		ownBack:    back, ownFailed: back, wrongBack: back, wrongOwnBack: back, ownStuck: back, openBackHint: back,
		paidRight: right, paidTwice: right, wrongAmount: right, wrongPayee: right, wrongApp: right,
	}
	change := func(name string, f func(*payment.Fact)) {
		g := fact[name]
		f(&g)
		fact[name] = g
	}
	change(paidTwice, func(f *payment.Fact) {
		f.ID, f.TransactionID, f.At = "paid/T2", "T2", f.At.Add(time.Second)
	})
	change(wrongAmount, func(f *payment.Fact) { f.ID, f.Amount = "paid/W1", f.Amount-1 })
	change(wrongPayee, func(f *payment.Fact) { f.ID, f.Merchant = "paid/W2", "other" })
	change(wrongApp, func(f *payment.Fact) { f.ID, f.App = "paid/W3", "other" })
	change(ownFailed, func(f *payment.Fact) { f.ID, f.Kind = f.ID+"/failed", payment.RefundFailed })
	change(ownStuck, func(f *payment.Fact) { f.ID, f.Kind = f.ID+"/stuck", payment.RefundStuck })
	change(wrongBack, func(f *payment.Fact) { f.ID, f.RefundNo, f.Amount, f.Merchant = "refund/W4", "W4", 200, "other" })
	change(wrongOwnBack, func(f *payment.Fact) { f.ID, f.Merchant = f.ID+"/other", "other" })
	change(openBackHint, func(f *payment.Fact) { f.ID, f.Kind = f.ID+"/open", payment.Open })
	if d.has(paidRight) || d.has(paidTwice) {
		w.r.Gate.Pay(p.No)
	}
	if d.has(paidRight, paidTwice) {
		w.r.Gate.PayAgain(p.No)
	}
	if d.has(foreignBack) {
		fact[foreignBack] = w.r.Gate.GiveBack(p.No, "X"+p.No, 200)
	}

	for _, name := range facts {
		if s := callback(w.t, w.r, p.No, fact[name]); s != 200 {
			w.t.Errorf("%s was answered %d", name, s)
		}
	}
	rest(w.t, w.r)
	return w.outcome(o.No)
}

// outcome is what became of an order, without what two orders cannot share.
type outcome struct {
	order, payments, refunds, goods string
	back                            int64 // all that went back, minor units
	events                          map[event.Type]int
}

func (w *permuted) outcome(no string) outcome {
	v := view(w.t, w.r, no)
	o := &v.Order
	e := outcome{order: fmt.Sprintf("%s: paid %d, refunded %d, promised %d", o.Status, o.Paid, o.Refunded, o.Refunding), refunds: refunds(w.t, w.r, no), events: map[event.Type]int{}}
	var payments []string
	for _, p := range v.Payments {
		e.back += p.Refunded
		payments = append(payments, fmt.Sprintf("%s %s %q: applied %d, refunded %d, promised %d, in suspense %d",
			p.Status, p.TransactionID, p.Anomaly, p.Applied, p.Refunded, p.Refunding, p.Suspense()))
	}
	slices.Sort(payments)
	e.payments = strings.Join(payments, "; ")
	s, err := w.r.Store.Sku(ctx, shop.Default, o.Items[0].Sku)
	must(w.t)(nil, err)
	c, err := w.r.Store.Coupon(ctx, shop.Default, o.Coupons[0])
	must(w.t)(nil, err)
	e.goods = fmt.Sprintf("%d of %d reserved, coupon %s", s.Reserved, s.OnHand, c.Status)
	records, err := w.r.Store.OrderEvents(ctx, shop.Default, no, 0)
	must(w.t)(nil, err)
	for _, r := range records {
		for _, e2 := range r.Events {
			e.events[e2.Type]++
		}
	}
	return e
}

// sameOutcome compares two outcomes of one set of facts. What may differ by
// nature is left out, and why is said:
//
//   - payment.failed, payment.closed and order.payment_failed announce what
//     held when it was reported: a failure that is reported after the money is
//     kept as evidence, and announced to nobody.
//   - refund.failed and refund.parked likewise, when the refund has gone after
//     all, or was given up after it was stuck.
//   - A foreign refund of money that goes back by itself: reported first, ours is
//     made for the rest; reported second, ours is made already, the channel
//     refuses it, and it is parked for an operator. The order's own books are the same.
//   - Of two transactions the one that was reported first settles the payment, and
//     the other has a payment of its own.
//   - All of the money went back: reported first, it pays no order; reported after
//     the money, the order was paid, and is refunded.
//   - More than was paid went back: the anomaly. Which refunds count as ours
//     depends on which of them came while there was something to give.
func sameOutcome(t failer, d *delivery, a, b outcome) {
	t.Helper()
	if !d.cancelled && d.has(ownBack) && (d.has(paidRight) || d.has(paidTwice)) {
		if a.back != b.back {
			t.Errorf("%+v\n%d went back, or else %d", d, a.back, b.back)
		}
		return
	}
	tooMuch := d.has(foreignBack, ownBack)
	twoHands := d.cancelled && d.has(foreignBack)
	if d.has(paidRight, paidTwice) {
		a.payments, b.payments = whichever(a.payments), whichever(b.payments)
	}
	if a.order != b.order || a.goods != b.goods {
		t.Errorf("%+v\nends as %s; %s\nor else %s; %s", d, a.order, a.goods, b.order, b.goods)
	}
	if !twoHands && (a.payments != b.payments || a.refunds != b.refunds && !tooMuch) {
		t.Errorf("%+v\nends with %s; refunds %s\nor else %s; refunds %s", d, a.payments, a.refunds, b.payments, b.refunds)
	}
	compare := []event.Type{
		event.OrderPlaced, event.OrderPartiallyPaid, event.OrderPaid, event.OrderClosed, event.OrderRefunded,
		event.PaymentCreated, event.PaymentSucceeded,
	}
	if !tooMuch && !twoHands {
		compare = append(compare, event.PaymentAnomaly, event.RefundCreated, event.RefundSucceeded)
	}
	if !twoHands && !d.has(ownBack) {
		compare = append(compare, event.RefundFailed)
	}
	if !twoHands && !d.has(ownBack) && !d.has(ownFailed) {
		compare = append(compare, event.RefundParked)
	}
	for _, typ := range compare {
		if a.events[typ] != b.events[typ] {
			t.Errorf("%+v\n%d events %s, or else %d", d, a.events[typ], typ, b.events[typ])
		}
	}
}

// whichever leaves out which of two transactions it was.
func whichever(payments string) string {
	each := strings.Split(strings.ReplaceAll(payments, "T2", "T1"), "; ")
	slices.Sort(each)
	return strings.Join(each, "; ")
}

// onceWrong are deliveries that once came to two things.
var onceWrong = []delivery{
	{false, []string{ownBack, paidRight}, []string{paidRight, ownBack}},
	{false, []string{closedThen, failedThen}, []string{failedThen, closedThen}},
	{true, []string{ownFailed, ownStuck, paidRight}, []string{paidRight, ownFailed, ownStuck}},
	{true, []string{ownFailed, openBackHint, paidRight}, []string{paidRight, ownFailed, openBackHint}},
	{true, []string{wrongOwnBack, paidRight}, []string{paidRight, wrongOwnBack}},
}

// drawn tries what the generator gives: on SQLite as much as the flags of
// rapid say. PostgreSQL and the race detector are slower, and the same code
// decides there: a few examples, always the same.
func drawn[V any](t *testing.T, g *rapid.Generator[V], few int, try func(t failer, v V)) {
	t.Helper()
	if raceDetector || strings.HasSuffix(t.Name(), "postgres") {
		for seed := range few {
			try(t, g.Example(seed))
		}
		return
	}
	rapid.Check(t, func(rt *rapid.T) { try(rt, g.Draw(rt, "case")) })
}

// TestAnyOrder: whatever is reported of a payment, in whatever order and how
// often, it comes to the same.
func TestAnyOrder(t *testing.T) {
	both := func(t failer, w *permuted, d delivery) {
		sameOutcome(t, &d, w.deliver(&d, d.first), w.deliver(&d, d.second))
		for _, o := range w.offences() {
			t.Errorf("%+v\ninvariant %d: %s: %s", d, o.Invariant, o.Subject, o.Message)
		}
	}
	harness.Each(t, func(t *testing.T, open opener) {
		w := newPermuted(t, open)
		for _, d := range onceWrong {
			both(t, w, d)
		}
		drawn(t, deliveries, 10, func(t failer, d delivery) { both(t, w, d) })
	})
}
