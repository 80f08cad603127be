package order_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// placement requests units of A at 100 each, with a coupon that is skipped.
func placement(units int64, at time.Time) order.Placement {
	return order.Placement{
		No: "1001", User: "u", Now: at, Items: []event.Units{{Sku: "A", Quantity: units}}, Coupons: []string{"C"},
		Quote: &pricing.Quote{
			Currency: "CNY", Total: 100 * units, Payable: 100 * units,
			Lines:   []pricing.QuoteLine{{Sku: "A", Quantity: units, UnitPrice: 100, Total: 100 * units, Payable: 100 * units}},
			Skipped: []pricing.Skipped{{Source: pricing.FromCoupon, Code: "C", Reason: pricing.CouponUsed}},
		},
	}
}

// Every row is a life of a draft of one unit, one step a minute: what is done
// to it, and what it is then.
func TestDraftLife(t *testing.T) {
	type step = func(o **order.Order, at time.Time) error
	edit := func(units int64) step {
		return func(o **order.Order, at time.Time) error { return (*o).Edit(placement(units, at)) }
	}
	with := func(change func(*order.Placement)) step {
		return func(o **order.Order, at time.Time) error {
			p := placement(1, at)
			change(&p)
			return (*o).Edit(p)
		}
	}
	submitWith := func(p order.Placement) step {
		return func(o **order.Order, at time.Time) error {
			p.Now = at
			placed, err := (*o).Submit(p)
			if err == nil {
				*o = placed
			}
			return err
		}
	}
	submit := func(units int64) step { return submitWith(placement(units, now)) }
	free := placement(1, now)
	free.Quote = &pricing.Quote{Currency: "CNY", Lines: []pricing.QuoteLine{{Sku: "A", Quantity: 1}}}
	wrong := placement(2, now)
	wrong.Plan = []order.Instalment{{Amount: 100}, {Amount: 99}}
	discard := func(o **order.Order, at time.Time) error {
		return (*o).Close(order.Ending{By: order.ByRequest, Reason: order.Cancelled}, at)
	}
	attempt := func(o **order.Order, _ time.Time) error { return (*o).Attempt(1) }
	pay := func(o **order.Order, at time.Time) error { (*o).Settle((*o).Data().Payable, at); return nil }
	for _, tt := range []struct {
		name    string
		steps   []step
		err     fault.Code // of the last step
		status  order.Status
		payable int64
		expires time.Duration // from now on
		events  string
	}{
		{"drafted", nil, "", order.Draft, 100, order.DraftExpiry, "drafted"},
		{"edited", []step{edit(2)}, "", order.Draft, 200, order.DraftExpiry + time.Minute, "drafted edited"},
		{"edited to what it is", []step{edit(2), edit(2)}, "", order.Draft, 200, order.DraftExpiry + time.Minute, "drafted edited"},
		{"edited and back", []step{edit(2), edit(1)}, "", order.Draft, 100, order.DraftExpiry + 2*time.Minute, "drafted edited edited"},
		{"another reason", []step{with(func(p *order.Placement) { p.Quote.Skipped = nil })}, "", order.Draft, 100, order.DraftExpiry + time.Minute, "drafted edited"},
		{"another note", []step{with(func(p *order.Placement) { p.Metadata = map[string]string{"a": "b"} })}, "", order.Draft, 100, order.DraftExpiry + time.Minute, "drafted edited"},
		{"another time to pay", []step{with(func(p *order.Placement) { p.ExpiresIn = time.Hour })}, "", order.Draft, 100, order.DraftExpiry + time.Minute, "drafted edited"},
		{"a plan that does not add up", []step{with(func(p *order.Placement) { p.Plan = []order.Instalment{{Amount: 1}, {Amount: 2}} })}, "", order.Draft, 100, order.DraftExpiry + time.Minute, "drafted edited"},
		{"submitted", []step{edit(2), submit(2)}, "", order.PendingPayment, 200, order.DefaultExpiry + 2*time.Minute, "drafted edited placed"},
		{"submitted at another price", []step{submit(3)}, "", order.PendingPayment, 300, order.DefaultExpiry + time.Minute, "drafted placed"},
		{"submitted with nothing to pay", []step{submitWith(free)}, "", order.Paid, 0, order.DefaultExpiry + time.Minute, "drafted placed paid"},
		{"submitted and paid", []step{submit(1), attempt, pay}, "", order.Paid, 100, order.DefaultExpiry + time.Minute, "drafted placed paid"},
		{"submitted and cancelled", []step{submit(1), discard}, "", order.Closed, 100, order.DefaultExpiry + time.Minute, "drafted placed closed"},
		{"discarded", []step{discard}, "", order.Closed, 100, order.DraftExpiry, "drafted closed"},

		{"a plan that does not add up, submitted", []step{submitWith(wrong)}, fault.PriceChanged, order.Draft, 100, order.DraftExpiry, "drafted"},
		{"paid", []step{attempt}, fault.OrderNotPayable, order.Draft, 100, order.DraftExpiry, "drafted"},
		{"money out of nowhere", []step{pay}, "", order.Draft, 100, order.DraftExpiry, "drafted"},
		{"submitted twice", []step{submit(1), submit(1)}, fault.OrderFrozen, order.PendingPayment, 100, order.DefaultExpiry + time.Minute, "drafted placed"},
		{"edited when it was submitted", []step{submit(1), edit(2)}, fault.OrderFrozen, order.PendingPayment, 100, order.DefaultExpiry + time.Minute, "drafted placed"},
		{"edited when it was paid", []step{submit(1), pay, edit(2)}, fault.OrderFrozen, order.Paid, 100, order.DefaultExpiry + time.Minute, "drafted placed paid"},
		{"edited when it was discarded", []step{discard, edit(2)}, fault.OrderFrozen, order.Closed, 100, order.DraftExpiry, "drafted closed"},
		{"submitted when it was discarded", []step{discard, submit(1)}, fault.OrderFrozen, order.Closed, 100, order.DraftExpiry, "drafted closed"},
		{"discarded twice", []step{discard, discard}, fault.OrderNotCancellable, order.Closed, 100, order.DraftExpiry, "drafted closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := order.NewDraft(placement(1, now))
			var err error
			var events []event.Event
			for i, s := range tt.steps {
				events = append(events, o.Drain()...)
				was := fmt.Sprint(o.Data(), o.Data().Draft)
				if err = s(&o, now.Add(time.Duration(i+1)*time.Minute)); err != nil && i < len(tt.steps)-1 {
					t.Fatalf("step %d: %v", i, err)
				}
				if err != nil && fmt.Sprint(o.Data(), o.Data().Draft) != was {
					t.Error("a refusal changed it")
				}
			}
			if got := fault.CodeOf(err); got != tt.err {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			d := o.Data()
			events = append(events, o.Drain()...)
			var types []string
			for i, e := range events {
				types = append(types, strings.TrimPrefix(string(e.Type), "order."))
				if e.Seq != int64(i)+1 || e.Order != d.No || e.User != "u" {
					t.Errorf("event %d: %+v", i, e)
				}
				if holds := len(e.Units) > 0; holds != (d.Draft == nil && (e.Type == event.OrderClosed || e.Type == event.OrderPaid)) {
					t.Errorf("%s of %v", e.Type, e.Units)
				}
			}
			if got := strings.Join(types, " "); d.Status != tt.status || got != tt.events || d.Seq != int64(len(types)) {
				t.Errorf("%s at %d: %s\nwant %s: %s", d.Status, d.Seq, got, tt.status, tt.events)
			}
			if d.Payable != tt.payable || !d.ExpiresAt.Equal(now.Add(tt.expires)) || d.CreatedAt != now || d.Paid > d.Payable {
				t.Errorf("payable %d, expires after %s: %+v", d.Payable, d.ExpiresAt.Sub(now), d)
			}
			if submitted := strings.Contains(tt.events, "placed"); submitted != (d.Draft == nil) || submitted == d.SubmittedAt.IsZero() {
				t.Errorf("draft %+v, submitted at %s", d.Draft, d.SubmittedAt)
			}
		})
	}
}

// TestWaitsOn: the far end of what is waited for counts from the submit, for
// a draft may be old.
func TestWaitsOn(t *testing.T) {
	p := placement(1, now)
	o := order.NewDraft(p)
	p.Now = now.Add(3 * order.MaxInstalmentDue)
	p.Plan = []order.Instalment{{Amount: 40}, {Amount: 60}}
	o, err := o.Submit(p)
	if err != nil {
		t.Fatal(err)
	}
	late := p.Now.Add(time.Hour)
	o.WaitOn(late)
	if d := o.Data(); !d.ExpiresAt.After(late) {
		t.Errorf("it waits until %s", d.ExpiresAt)
	}
}
