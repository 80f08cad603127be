package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// step is something that happens to an order with two payments, or in the
// shop meanwhile.
type step struct {
	what string
	of   int // payment 0 or 1, of the fact
}

// The facts about a payment, and what the shop does between.
var (
	factSteps = []string{paidRight, paidTwice, failedThen, closedThen, wrongAmount, openHint}
	shopSteps = []string{"cancel", "expire", "react", "run refunds", "query"}
)

// life is two payments of one order of 500, and what happens.
type life struct {
	amounts [2]int64
	steps   []step
}

var (
	amounts  = rapid.SampledFrom([][2]int64{{500, 500}, {300, 300}, {200, 300}, {400, 100}, {100, 200}, {500, 100}})
	factStep = rapid.Custom(func(t *rapid.T) step {
		return step{rapid.SampledFrom(factSteps).Draw(t, "what"), rapid.IntRange(0, 1).Draw(t, "of")}
	})
	lives = rapid.Custom(func(t *rapid.T) life {
		each := rapid.OneOf(factStep, rapid.Custom(func(t *rapid.T) step { return step{what: rapid.SampledFrom(shopSteps).Draw(t, "what")} }))
		return life{amounts.Draw(t, "amounts"), rapid.SliceOfN(each, 1, 10).Draw(t, "steps")}
	})
	reordered = rapid.Custom(func(t *rapid.T) [2]life {
		first := life{amounts.Draw(t, "amounts"), rapid.SliceOfN(factStep, 2, 8).Draw(t, "steps")}
		return [2]life{first, {first.amounts, rapid.Permutation(first.steps).Draw(t, "again")}}
	})
)

// lived lets it happen, to the end, and checks that the money adds up.
func (w *permuted) lived(l *life) (outcome, error) {
	o := w.placed()
	ps := [2]payment.Data{pay(w.t, w.r, o.No, l.amounts[0]), pay(w.t, w.r, o.No, l.amounts[1])}
	var paid [2]map[string]bool
	for _, s := range l.steps {
		p := ps[s.of]
		f := payment.Fact{
			ID: "paid/1" + p.No, Kind: payment.Paid, Source: payment.ByCallback, TransactionID: "1" + p.No,
			Amount: p.Amount, Currency: "CNY", Merchant: "mch", App: "app", At: p.CreatedAt,
		}
		switch s.what {
		case paidRight, paidTwice:
			if s.what == paidTwice {
				f.ID, f.TransactionID, f.At = "paid/2"+p.No, "2"+p.No, f.At.Add(time.Second)
			}
			switch m := paid[s.of]; {
			case m == nil:
				w.r.Gate.Pay(p.No)
				paid[s.of] = map[string]bool{s.what: true}
			case !m[s.what]:
				w.r.Gate.PayAgain(p.No)
				m[s.what] = true
			}
		case failedThen:
			f = payment.Fact{ID: "failed", Kind: payment.Failed, Source: payment.ByCallback, Reported: "PAYERROR"}
		case closedThen:
			f = payment.Fact{ID: "closed", Kind: payment.Closed, Source: payment.ByCallback, Reported: "CLOSED"}
		case wrongAmount:
			f.ID, f.Amount = "paid/W", f.Amount-1
		case openHint:
			f = payment.Fact{ID: "open", Kind: payment.Open, Source: payment.ByCallback}
		default:
			w.shopStep(s.what, o.No)
			continue
		}
		callback(w.t, w.r, p.No, f)
	}
	rest(w.t, w.r)
	if view(w.t, w.r, o.No).Order.Closing != "" {
		for _, p := range ps {
			must(w.t)(nil, w.r.RunJob(ctx, shop.Default, app.Job{Kind: app.JobClosePayment, Payment: p.No}))
		}
		rest(w.t, w.r)
	}
	return w.outcome(o.No), w.addsUp(o.No, ps)
}

func (w *permuted) shopStep(what, orderNo string) {
	switch what {
	case "cancel":
		// Refused when it is paid or closed already.
		_, _, _ = w.r.CancelOrder(ctx, shop.Default, orderNo, "", "")
	case "expire":
		w.r.Clock.Advance(16 * time.Minute)
		must(w.t)(w.r.ExpireOrders(ctx, shop.Default))
	case "react":
		w.r.React()
	case "run refunds":
		must(w.t)(w.r.RunRefunds(ctx, shop.Default))
	case "query":
		w.r.Clock.Advance(time.Minute)
		must(w.t)(w.r.QueryPayments(ctx, shop.Default))
	}
}

// addsUp holds our books of an order to what the gate has.
func (w *permuted) addsUp(no string, ps [2]payment.Data) error {
	v := view(w.t, w.r, no)
	o := &v.Order
	var in, again, back, applied, suspense int64
	for _, p := range v.Payments {
		switch {
		case p.Status == payment.StatusSucceeded && p.No == p.Request.PaymentNo:
			in += p.Amount
		case p.Status == payment.StatusSucceeded:
			again += p.Amount // goes back, also when the order is not paid in full
		}
		back, applied, suspense = back+p.Refunded, applied+p.Applied, suspense+p.Suspense()
	}
	holds := w.r.Gate.Holds(ps[0].No) + w.r.Gate.Holds(ps[1].No)
	switch {
	case suspense != 0 || in+again-back != applied || holds != applied:
		return fmt.Errorf("order %s %s: %d in, %d again, %d back, %d applied, %d in suspense; the gate holds %d", no, o.Status, in, again, back, applied, suspense, holds)
	case o.Status == order.Paid && (o.Paid != o.Payable || applied != o.Payable):
		return fmt.Errorf("order %s is paid with %d, its payments apply %d", no, o.Paid, applied)
	case o.Status == order.Closed && applied != 0:
		return fmt.Errorf("order %s is closed and keeps %d", no, applied)
	case o.Status.Live() && in >= o.Payable:
		return fmt.Errorf("order %s is %s, and %d came in", no, o.Status, in)
	}
	return nil
}

// TestTwoPayments: whatever happens to two payments of one order, and
// whatever the shop does meanwhile, the order is paid once or not at all,
// and all other money goes back.
func TestTwoPayments(t *testing.T) {
	live := func(t failer, w *permuted, l life) {
		if _, err := w.lived(&l); err != nil {
			t.Errorf("%+v\n%v", l, err)
		}
		for _, o := range w.offences() {
			t.Errorf("%+v\ninvariant %d: %s: %s", l, o.Invariant, o.Subject, o.Message)
		}
	}
	harness.Each(t, func(t *testing.T, open opener) {
		w := newPermuted(t, open)
		drawn(t, lives, 10, func(t failer, l life) { live(t, w, l) })
	})
}

// TestTwoPaymentsAnyOrder: without a cancel or an expiry between, the order
// in which facts about two payments come decides only which of them is kept: the
// order ends the same, and the same money goes back.
func TestTwoPaymentsAnyOrder(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		w := newPermuted(t, open)
		both := func(t failer, lives [2]life) {
			l, again := lives[0], lives[1].steps
			a, err1 := w.lived(&lives[0])
			b, err2 := w.lived(&lives[1])
			if err1 != nil || err2 != nil {
				t.Errorf("%+v\nor else %v\n%v\n%v", l, again, err1, err2)
			}
			// Whether an order that nobody paid is pending_payment or
			// payment_failed says what happened last.
			a.order, b.order = strings.Replace(a.order, "payment_failed", "pending_payment", 1), strings.Replace(b.order, "payment_failed", "pending_payment", 1)
			if a.order != b.order || a.goods != b.goods || a.back != b.back {
				t.Errorf("%+v\nor else %v\nends as %s; %s, %d back\nor else %s; %s, %d back", l, again, a.order, a.goods, a.back, b.order, b.goods, b.back)
			}
			for _, o := range w.offences() {
				t.Errorf("%+v\ninvariant %d: %s: %s", l, o.Invariant, o.Subject, o.Message)
			}
		}
		drawn(t, reordered, 8, both)
	})
}
