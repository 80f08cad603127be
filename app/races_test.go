package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// races runs a race on each database, and between two instances.
func races(t *testing.T, check func(t *testing.T, instances ...*harness.Harness)) {
	harness.Each(t, func(t *testing.T, open opener) { check(t, scene(t, open)) })
	t.Run("two instances", func(t *testing.T) {
		open := harness.Postgres(t)
		r := scene(t, open)
		check(t, r, duplicate(open, r))
	})
}

// TestRefundCallbackDuplicates: 20 duplicates of one refund's callback, while the
// schedule queries it: the money goes back once, and all are answered with
// success.
func TestRefundCallbackDuplicates(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		o, p := paidOne(t, r)
		r.Gate.Slow(true)
		d := refund(t, r, o.No, order.RefundRequest{})
		must(t)(r.RunRefunds(ctx, shop.Default))
		f := r.Gate.Finish(d.No, payment.Refunded)
		for _, one := range instances {
			one.Clock.Advance(time.Minute)
		}
		if err := errors.Join(harness.Together(22, func(i int) error {
			if i >= 20 {
				return run(instances[i%len(instances)])
			}
			a, verdict, err := instances[i%len(instances)].Callback(ctx, shop.Default, "gate", http.Header{}, harness.Callback(p.No, f))
			if err == nil && a.Status != http.StatusOK {
				err = fmt.Errorf("answered %d (%s)", a.Status, verdict)
			}
			return err
		})...); err != nil {
			t.Error(err)
		}
		rest(t, r)
		r.Audit()
		v := view(t, r, o.No)
		if v.Order.Status != order.Refunded || v.Order.Refunded != 500 || r.Gate.Refunds != 1 || orderEvents(t, r, o.No) != "placed paid refunded" {
			t.Errorf("%s, refunded %d by %d calls: %s", v.Order.Status, v.Order.Refunded, r.Gate.Refunds, orderEvents(t, r, o.No))
		}
	})
}

// TestRefundTwoHands: refunds are requested while all the money goes back at
// the merchant's console. What is reserved beyond that the channel refuses; our
// books say what the gate has.
func TestRefundTwoHands(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		o, p := paidOne(t, r)
		for i, err := range harness.Together(8, func(i int) error {
			one := instances[i%len(instances)]
			if i == 4 {
				_, _, err := one.Callback(ctx, shop.Default, "gate", http.Header{}, harness.Callback(p.No, r.Gate.GiveBack(p.No, "X1", 500)))
				return err
			}
			_, _, err := one.RequestRefund(ctx, shop.Default, o.No, harness.Key(i), app.RequestRefund{RefundRequest: order.RefundRequest{Amount: 100}})
			return err
		}) {
			if err != nil && !fault.Is(err, fault.RefundExceedsPaid) {
				t.Errorf("%d: %v", i, err)
			}
		}
		rest(t, r)
		r.Audit()
		v := view(t, r, o.No)
		if v.Order.Status != order.Refunded || v.Order.Refunded != 500 || v.Order.Refunding != 0 || r.Gate.Holds(p.No) != 0 {
			t.Errorf("%s, refunded %d, promised %d; the gate holds %d", v.Order.Status, v.Order.Refunded, v.Order.Refunding, r.Gate.Holds(p.No))
		}
	})
}

// TestPartlyPaidRace: the rest of a plan is paid while the order is cancelled,
// expires, and its payment is closed at the channel. It is paid or closed, and
// if it is closed everything goes back.
func TestPartlyPaidRace(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		for round := range 5 {
			in := harness.Cart(fmt.Sprint("u", round), "A")
			in.Plan = []order.Instalment{{Amount: 400}, {Amount: 600, DueAt: r.Clock.Now().Add(48 * time.Hour)}}
			no := place(t, r, in).No
			first := paidPart(t, r, no, 400)
			last := pay(t, r, no, 600)
			for _, one := range instances {
				one.Clock.Advance(49 * time.Hour)
			}
			errs := harness.Together(4, func(i int) error {
				one := instances[i%len(instances)]
				switch i {
				case 0:
					_, _, err := one.CancelOrder(ctx, shop.Default, no, "", "")
					if fault.Is(err, fault.OrderNotCancellable) { // paid, or closed by the clock
						err = nil
					}
					return err
				case 1:
					_, err := one.ExpireOrders(ctx, shop.Default)
					return err
				case 2:
					return one.RunJob(ctx, shop.Default, app.Job{Kind: app.JobClosePayment, Payment: last.No})
				}
				_, _, err := one.Callback(ctx, shop.Default, "gate", http.Header{}, harness.Callback(last.No, r.Gate.Pay(last.No)))
				return err
			})
			if err := errors.Join(errs...); err != nil {
				t.Error(err)
			}
			rest(t, r)
			v := view(t, r, no)
			holds := r.Gate.Holds(first.No) + r.Gate.Holds(last.No)
			if s := v.Order.Status; s != order.Paid && s != order.Closed || s == order.Paid && holds != 1000 || s == order.Closed && holds != 0 {
				t.Errorf("round %d: %s, the gate holds %d", round, s, holds)
			}
			if s := r.Audit().Suspense; s != 0 {
				t.Errorf("round %d: %d in suspense", round, s)
			}
		}
	})
}

// TestRunRefundsTwice: instances that run the same refunds at once each call
// the channel with the same number, and the money goes back once.
func TestRunRefundsTwice(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		const orders = 6
		var nos, payments []string
		for i := range orders {
			o := place(t, r, harness.Cart(fmt.Sprint("u", i), "A"))
			p := pay(t, r, o.No, 0)
			callback(t, r, p.No, r.Gate.Pay(p.No))
			refund(t, r, o.No, order.RefundRequest{Amount: 400})
			nos, payments = append(nos, o.No), append(payments, p.No)
		}
		if err := errors.Join(harness.Together(4, func(i int) error { return run(instances[i%len(instances)]) })...); err != nil {
			t.Error(err)
		}
		rest(t, r)
		r.Audit()
		for i, no := range nos {
			if v := view(t, r, no); v.Order.Refunded != 400 || r.Gate.Holds(payments[i]) != 600 || refunds(t, r, no) != "asked 400 succeeded" {
				t.Errorf("%s: refunded %d, the gate holds %d: %s", no, v.Order.Refunded, r.Gate.Holds(payments[i]), refunds(t, r, no))
			}
		}
	})
}

// observedEngine reports every command that has been answered, by its name.
type observedEngine struct {
	app.Engine
	answered chan string
}

func (o *observedEngine) Do(ctx context.Context, c *app.Command) (unit.Result, error) {
	res, err := o.Engine.Do(ctx, c)
	o.answered <- c.Name
	return res, err
}

// TestChannelHangs: ten payments wait for a channel that says nothing, and
// that of another channel is settled meanwhile.
func TestChannelHangs(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		hanging := map[string]bool{}
		for i := range 10 {
			p := pay(t, r, place(t, r, harness.Cart(fmt.Sprint("u", i), "A")).No, 0)
			hanging[p.No] = true
		}
		o := place(t, r, harness.Cart("u", "A"))
		p, _, err := r.OpenPayment(ctx, shop.Default, o.No, harness.Key(0), app.OpenPayment{Channel: "other", Method: payment.Native})
		must(t)(nil, err)
		r.Gate.Pay(p.No)
		r.Clock.Advance(payment.QueryDelays[0])

		release := make(chan struct{})
		r.Gate.Fail = func(_, no string) (error, bool) {
			if hanging[no] {
				<-release
				return payment.ErrUnknown, false
			}
			return nil, true
		}
		commands := &observedEngine{r.App.Engine, make(chan string, 100)}
		r.App.Engine = commands
		queried := make(chan error)
		go func() {
			_, err := r.QueryPayments(ctx, shop.Default)
			queried <- err
		}()
		if name := <-commands.answered; name != "settle" || view(t, r, o.No).Order.Status != order.Paid {
			t.Errorf("%s came first; the order is %s", name, view(t, r, o.No).Order.Status)
		}
		close(release)
		must(t)(nil, <-queried)
		for no := range hanging {
			if d, err := r.Store.Payment(ctx, shop.Default, no); err != nil || !d.Open() || !d.NextQueryAt.After(r.Clock.Now()) {
				t.Errorf("%s after silence, next queried at %s (%v)", d.Status, d.NextQueryAt, err)
			}
		}
		r.Audit()
	})
}

// nowhere has no channels: the last one was taken away.
type nowhere struct{}

func (nowhere) Channel(context.Context, string, string) (app.Configured, error) {
	return app.Configured{}, fault.New(fault.ChannelNotConfigured, "there is none")
}

// TestChannelDead: a call to a channel that is dead, or gone, is an
// error that has it tried again, and changes nothing; when the channel is
// back, everything comes to its end.
func TestChannelDead(t *testing.T) {
	for _, tt := range []struct {
		name string
		kill func(r *harness.Harness)
	}{
		{"silent", func(r *harness.Harness) {
			r.Gate.Fail = func(string, string) (error, bool) { return payment.ErrUnknown, false }
		}},
		{"taken away", func(r *harness.Harness) { r.Channels = nowhere{} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open opener) {
				r := scene(t, open)
				closing := place(t, r, harness.Cart("v", "A"))
				waits := pay(t, r, closing.No, 0)
				back, paid := paidOne(t, r)
				d := refund(t, r, back.No, order.RefundRequest{})
				jobs := []app.Job{
					{Kind: app.JobClosePayment, Payment: waits.No},
					{Kind: app.JobQueryRefund, Payment: paid.No, Refund: d.No},
				}
				tt.kill(r)
				r.Clock.Advance(16 * time.Minute)
				must(t)(r.ExpireOrders(ctx, shop.Default))
				for range 3 {
					for _, e := range jobs {
						if r.RunJob(ctx, shop.Default, e) == nil {
							t.Errorf("%s went well", e.Kind)
						}
					}
					must(t)(r.QueryPayments(ctx, shop.Default))
					must(t)(r.RunRefunds(ctx, shop.Default))
					r.Clock.Advance(time.Hour)
				}
				if v := view(t, r, closing.No); v.Order.Closing == "" || !v.Payments[0].Open() {
					t.Errorf("closed without an answer of the channel: %s, payment %s", v.Order.Status, v.Payments[0].Status)
				}
				if got := refunds(t, r, back.No); got != "asked 500 pending" {
					t.Errorf("silence made the refund %q", got)
				}
				r.Audit()

				r.Gate.Fail, r.Channels = nil, r.Gate
				rest(t, r)
				for _, e := range jobs {
					must(t)(nil, r.RunJob(ctx, shop.Default, e))
				}
				r.Audit()
				if a, b := view(t, r, closing.No).Order.Status, view(t, r, back.No).Order.Status; a != order.Closed || b != order.Refunded {
					t.Errorf("then %s and %s", a, b)
				}
			})
		})
	}
}
