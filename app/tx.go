package app

import (
	"bytes"
	"errors"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// Tx is what a command sees: the loaded rows as the commands before it in
// the batch left them. What it puts is kept aside until it is accepted.
//
// Reading a row that was not loaded gives a *MissingError, which Decide just
// returns.
type Tx struct {
	b     *Batch
	trace string

	events   []traced
	messages []ChannelMessage
	jobs     []Job
}

// traced is an event with the trace that the command followed at the time.
type traced struct {
	event.Event
	trace string
}

func (t *Tx) record(events []event.Event) {
	for _, e := range events {
		t.events = append(t.events, traced{e, t.trace})
	}
}

// Now is the batch's one timestamp, UTC.
func (t *Tx) Now() time.Time { return t.b.now }

// Shop is the command's shop.
func (t *Tx) Shop() shop.Shop { return t.b.shop }

// PutPolicies saves the shop's policies. The command needs the shop, and is
// alone in its batch.
func (t *Tx) PutPolicies(p shop.Policies) {
	t.b.shop.Policies, t.b.policies = p, &p
}

// Rules is the shop's rules as of this batch.
func (t *Tx) Rules() *marketing.Rules { return t.b.rules }

// Trace is the traceparent under which the command's events are logged.
func (t *Tx) Trace() string { return t.trace }

// Follow makes the command part of another trace: the order's.
func (t *Tx) Follow(traceparent string) {
	if traceparent != "" {
		t.trace = traceparent
	}
}

// Ask is for a step that only some commands come to: it asks for all rows
// that the step may read at once, where each of them alone would have the
// command decided again. It names users, coupons, skus, counters and buyers.
func (t *Tx) Ask(n Needs) error {
	missing := &MissingError{}
	var any bool
	ask := func(keys []string, loaded func(string) bool, to *[]string) {
		for _, k := range keys {
			if !loaded(k) {
				*to, any = append(*to, k), true
			}
		}
	}
	ask(n.Users, t.b.users.has, &missing.Needs.Users)
	ask(n.Coupons, t.b.coupons.has, &missing.Needs.Coupons)
	ask(n.Skus, t.b.skus.has, &missing.Needs.Skus)
	ask(n.Counters, t.b.counters.has, &missing.Needs.Counters)
	ask(n.Buyers, func(u string) bool { _, asked := t.b.buyers[u]; return asked }, &missing.Needs.Buyers)
	if any {
		return missing
	}
	return nil
}

// Sku returns a copy of the sku; nil if there is none.
func (t *Tx) Sku(id string) (*inventory.Sku, error) {
	d, err := t.b.skus.get(id, func(n *Needs) *[]string { return &n.Skus })
	if d == nil {
		return nil, err
	}
	return inventory.Restore(*d), nil
}

// PutSku saves the sku and its events.
func (t *Tx) PutSku(s *inventory.Sku) {
	d := s.Data()
	t.b.skus.put(d.Sku, d)
	t.record(s.Drain())
}

// Order returns a copy of the order; nil if there is none.
func (t *Tx) Order(no string) (*order.Order, error) {
	d, err := t.b.orders.get(no, func(n *Needs) *[]string { return &n.Orders })
	if d == nil {
		return nil, err
	}
	return order.Restore(*d), nil
}

// PutOrder saves the order and its events. That it was paid names the payments
// that can still take money: there will be no others, for a paid order opens
// none, and as a rule there is none.
func (t *Tx) PutOrder(o *order.Order) {
	d := o.Data()
	t.b.orders.put(d.No, d)
	events := o.Drain()
	for i := range events {
		if events[i].Type == event.OrderPaid {
			events[i].Payments = t.openPayments(d.No)
		}
	}
	t.record(events)
}

// openPayments are the numbers of an order's payments that can still take
// money; never nil.
func (t *Tx) openPayments(orderNo string) []string {
	open := []string{}
	for _, no := range t.b.paymentsOf[orderNo] {
		if d, _ := t.b.payments.get(no, nil); d != nil && d.Open() {
			open = append(open, no)
		}
	}
	return open
}

// Payment returns a copy of the payment; nil if there is none.
func (t *Tx) Payment(no string) (*payment.Payment, error) {
	d, err := t.b.payments.get(no, func(n *Needs) *[]string { return &n.Payments })
	if d == nil {
		return nil, err
	}
	return payment.Restore(*d), nil
}

// PaymentsOf returns copies of all payments of an order that was loaded, by
// number.
func (t *Tx) PaymentsOf(orderNo string) []*payment.Payment {
	var out []*payment.Payment
	for _, no := range t.b.paymentsOf[orderNo] {
		if d, _ := t.b.payments.get(no, nil); d != nil {
			out = append(out, payment.Restore(*d))
		}
	}
	return out
}

// PutPayment saves the payment and its events.
func (t *Tx) PutPayment(p *payment.Payment) {
	d := p.Data()
	t.b.payments.put(d.No, d)
	t.b.belongs(d.No, d.Order)
	t.record(p.Drain())
}

// Refund returns a copy of the refund; nil if there is none.
func (t *Tx) Refund(no string) (*payment.Refund, error) {
	d, err := t.b.refunds.get(no, func(n *Needs) *[]string { return &n.Refunds })
	if d == nil {
		return nil, err
	}
	return payment.RestoreRefund(*d), nil
}

// PutRefund saves the refund.
func (t *Tx) PutRefund(r *payment.Refund) {
	d := r.Data()
	t.b.refunds.put(d.No, d)
	t.record(r.Drain())
}

// Reconciliation returns a copy of a channel's day; nil if there is none.
func (t *Tx) Reconciliation(id string) (*ReconciliationData, error) {
	d, err := t.b.reconciled.get(id, func(n *Needs) *[]string { return &n.Reconciliations })
	return clone(d), err
}

// PutReconciliation saves a channel's day.
func (t *Tx) PutReconciliation(d *ReconciliationData) { t.b.reconciled.put(d.ID, *d) }

// Discrepancy returns a copy of the discrepancy; nil if there is none.
func (t *Tx) Discrepancy(id string) (*DiscrepancyData, error) {
	d, err := t.b.differ.get(id, func(n *Needs) *[]string { return &n.Discrepancies })
	return clone(d), err
}

// PutDiscrepancy saves the discrepancy.
func (t *Tx) PutDiscrepancy(d *DiscrepancyData) { t.b.differ.put(d.ID, *d) }

// Coupon returns a copy of the coupon; nil if there is none.
func (t *Tx) Coupon(code string) (*marketing.Coupon, error) {
	d, err := t.b.coupons.get(code, func(n *Needs) *[]string { return &n.Coupons })
	if d == nil {
		return nil, err
	}
	return marketing.RestoreCoupon(*d), nil
}

// PutCoupon saves the coupon and its events.
func (t *Tx) PutCoupon(c *marketing.Coupon) {
	d := c.Data()
	t.b.coupons.put(d.Code, d)
	t.record(c.Drain())
}

// User returns the user; one that was never put is a plain user.
func (t *Tx) User(id string) (*shop.User, error) {
	d, err := t.b.users.get(id, func(n *Needs) *[]string { return &n.Users })
	if err != nil {
		return nil, err
	}
	if d == nil {
		return &shop.User{ID: id}, nil
	}
	u := *d
	return &u, nil
}

// PutUser saves the user.
func (t *Tx) PutUser(u *shop.User) { t.b.users.put(u.ID, *u) }

// Counter is the value of a named counter, 0 before it was first put.
func (t *Tx) Counter(name string) (int64, error) {
	d, err := t.b.counters.get(name, func(n *Needs) *[]string { return &n.Counters })
	if d == nil {
		return 0, err
	}
	return *d, nil
}

// Bought says whether the buyer has an order that was not closed.
func (t *Tx) Bought(user string) (bool, error) {
	bought, asked := t.b.buyers[user]
	if !asked {
		return false, &MissingError{Needs: Needs{Buyers: []string{user}}}
	}
	return bought, nil
}

// PutCounter sets a named counter.
func (t *Tx) PutCounter(name string, value int64) { t.b.counters.put(name, value) }

// Cursor is the position up to which a follower of the log is done, nil
// before its first step.
func (t *Tx) Cursor(follower string) (*event.Position, error) {
	return t.b.cursors.get(follower, func(n *Needs) *[]string { return &n.Cursors })
}

// PutCursor moves a follower.
func (t *Tx) PutCursor(follower string, p event.Position) { t.b.cursors.put(follower, p) }

// Promotion returns a copy of the promotion; nil if there is none.
func (t *Tx) Promotion(id string) (*pricing.Promotion, error) {
	d, err := t.b.promotions.get(id, func(n *Needs) *[]string { return &n.Promotions })
	return clone(d), err
}

// PromotionVersion is the last version that a promotion of this id ever had,
// also one that was deleted; 0 if there was none.
func (t *Tx) PromotionVersion(id string) (int64, error) {
	p, err := t.Promotion(id)
	if p != nil {
		return p.Version, nil
	}
	return t.b.retired[id], err
}

// PutPromotion saves the promotion as the next version of the rules.
func (t *Tx) PutPromotion(p *pricing.Promotion) {
	t.b.promotions.put(p.ID, *p)
	t.rulesChanged()
}

// DeletePromotion removes the promotion from the rules.
func (t *Tx) DeletePromotion(id string) {
	t.b.promotions.remove(id)
	t.rulesChanged()
}

// Template returns a copy of the coupon template; nil if there is none.
func (t *Tx) Template(id string) (*marketing.Template, error) {
	d, err := t.b.templates.get(id, func(n *Needs) *[]string { return &n.Templates })
	return clone(d), err
}

// PutTemplate saves the template as the next version of the rules.
func (t *Tx) PutTemplate(m *marketing.Template) {
	t.b.templates.put(m.ID, *m)
	t.rulesChanged()
}

// CountIssued saves how many coupons of a template with a supply exist; the
// rule itself stays at its version.
func (t *Tx) CountIssued(m *marketing.Template) { t.b.templates.put(m.ID, *m) }

func (t *Tx) rulesChanged() {
	t.b.bump = true
	t.record([]event.Event{{Type: event.RulesChanged}})
}

// Channel returns a copy of the stored channel settings; nil if there are none.
func (t *Tx) Channel(name string) (*ChannelRow, error) {
	d, err := t.b.channels.get(name, func(n *Needs) *[]string { return &n.Channels })
	return clone(d), err
}

// PutChannel saves channel settings.
func (t *Tx) PutChannel(c *ChannelRow) { t.b.channels.put(c.Name, *c) }

// APIKey returns a copy of the secret key's record; nil if there is none.
func (t *Tx) APIKey(id string) (*shop.Key, error) {
	d, err := t.b.apiKeys.get(id, func(n *Needs) *[]string { return &n.APIKeys })
	return clone(d), err
}

// PutAPIKey saves a secret key's record.
func (t *Tx) PutAPIKey(k *shop.Key) { t.b.apiKeys.put(k.ID, *k) }

// Keep stores a channel message with a channel beside the change.
func (t *Tx) Keep(x ChannelMessage) {
	if x.Trace == "" {
		x.Trace = t.trace
	}
	t.messages = append(t.messages, x)
}

// Enqueue stores a job with the change that needs it.
func (t *Tx) Enqueue(j Job) {
	if j.Trace == "" {
		j.Trace = t.trace
	}
	t.jobs = append(t.jobs, j)
}

func clone[D any](d *D) *D {
	if d == nil {
		return nil
	}
	c := *d
	return &c
}

// run decides one command over the batch: accepted, its rows become the
// batch's; refused, nothing is left of it.
func (b *Batch) run(c *Command) (res Result, err error) {
	if c.Key != "" {
		switch saved, err := b.savedKey(c.Key); {
		case err != nil:
			return Result{}, err
		case saved == nil:
		case !bytes.Equal(saved.Hash, c.Hash):
			return Result{}, fault.New(fault.IdempotencyKeyReused, "this Idempotency-Key was used for another request; a new intent needs a new key")
		default:
			return Result{Replayed: true, Answer: saved.Answer}, nil
		}
	}
	t := &Tx{b: b, trace: c.Trace}
	bump := b.bump
	value, err := c.Decide(t)
	if err != nil {
		b.drop()
		b.bump = bump
		return Result{}, err
	}
	if c.Key != "" {
		answer, err := c.EncodeAnswer(value)
		if err != nil {
			return Result{}, err
		}
		saved := SavedKey{Key: c.Key, Hash: c.Hash, Answer: answer}
		for i := range t.events {
			if saved.Order = t.events[i].Order; saved.Order != "" {
				break
			}
		}
		b.keys.put(c.Key, saved)
	}
	for _, p := range b.orders.over {
		if _, asked := b.buyers[p.d.User]; asked && p.d.Status != order.Closed {
			b.buyers[p.d.User] = true
		}
	}
	for _, tb := range b.tables() {
		tb.accept()
	}
	b.log(t)
	return Result{Value: value}, nil
}

// log files the command's events, one record an order, in the order in which
// they happened.
func (b *Batch) log(t *Tx) {
	b.jobs = append(b.jobs, t.jobs...)
	b.messages = append(b.messages, t.messages...)
	first := len(b.records)
next:
	for n := range t.events {
		e := &t.events[n]
		for i := len(b.records) - 1; i >= first; i-- {
			if b.records[i].Order == e.Order {
				b.records[i].Events = append(b.records[i].Events, e.Event)
				continue next
			}
		}
		// Room for those about the same order that follow directly: a reaction
		// has a few of each of hundreds of orders.
		room := 1
		for room < len(t.events)-n && t.events[n+room].Order == e.Order {
			room++
		}
		b.records = append(b.records, event.Record{
			Shop: b.shop.ID, Order: e.Order, At: b.now, Trace: e.trace, Events: append(make([]event.Event, 0, room), e.Event),
		})
	}
}

func (b *Batch) savedKey(key string) (*SavedKey, error) {
	return b.keys.get(key, func(n *Needs) *[]string { return &n.Keys })
}

// IsMissing finds the needs that a decision asked for.
func IsMissing(err error) (*Needs, bool) {
	var m *MissingError
	if errors.As(err, &m) {
		return &m.Needs, true
	}
	return nil, false
}
