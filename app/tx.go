package app

import (
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

// Tx is what a command sees: a unit of work with the verbs of the business.
// What it returns are copies; what it puts is kept aside until the command is
// accepted.
//
// Reading a row that was not loaded gives a *unit.MissingError, which a
// decision just returns.
type Tx struct {
	*unit.Tx
	rulesMoved bool
}

// Shop is the command's shop.
func (t *Tx) Shop() shop.Shop { return *unit.Find(t.Tx, rows.Shop, "") }

// PutPolicies saves the shop's policies. The command locks the shop, and is
// alone in its batch.
func (t *Tx) PutPolicies(p shop.Policies) {
	s := t.Shop()
	s.Policies = p
	unit.Put(t.Tx, rows.Shop, s)
}

// Rules is the shop's rules as of this batch.
func (t *Tx) Rules() *marketing.Rules { return t.Env().(env).rules }

// Sku returns a copy of the sku; nil if there is none.
func (t *Tx) Sku(id string) (*inventory.Sku, error) {
	d, err := unit.Get(t.Tx, rows.Skus, id)
	if d == nil {
		return nil, err
	}
	return inventory.Restore(*d), nil
}

// PutSku saves the sku and its events.
func (t *Tx) PutSku(s *inventory.Sku) {
	unit.Put(t.Tx, rows.Skus, s.Data())
	t.Record(s.Drain())
}

// Order returns a copy of the order, under the shop's policies; nil if there is
// none.
func (t *Tx) Order(no string) (*order.Order, error) {
	d, err := unit.Get(t.Tx, rows.Orders, no)
	if d == nil {
		return nil, err
	}
	o := order.Restore(*d)
	o.Under(policies(t.Shop(), t.Shop().Policies.RefundedStock == shop.KeepOut))
	return o, nil
}

// PutOrder saves the order and its events. That it was paid names the payments
// that can still take money: there will be no others, for a paid order opens
// none, and as a rule there is none.
func (t *Tx) PutOrder(o *order.Order) {
	d := o.Data()
	unit.Put(t.Tx, rows.Orders, d)
	if d.Status != order.Closed && !d.LimitsBack && unit.Has(t.Tx, rows.Buyers, d.User) {
		unit.Put(t.Tx, rows.Buyers, rows.Buyer{User: d.User})
	}
	events := o.Drain()
	for i := range events {
		if events[i].Type == event.OrderPaid {
			events[i].Payments = t.openPayments(d.No)
		}
	}
	t.Record(events)
}

// openPayments are the numbers of an order's payments that can still take
// money; never nil.
func (t *Tx) openPayments(orderNo string) []string {
	open := []string{}
	for _, d := range unit.OwnedBy(t.Tx, rows.Payments, orderNo) {
		if d.Open() {
			open = append(open, d.No)
		}
	}
	return open
}

// Payment returns a copy of the payment; nil if there is none.
func (t *Tx) Payment(no string) (*payment.Payment, error) {
	d, err := unit.Get(t.Tx, rows.Payments, no)
	if d == nil {
		return nil, err
	}
	return payment.Restore(*d), nil
}

// PaymentsOf returns copies of all payments of an order that was loaded, by
// number.
func (t *Tx) PaymentsOf(orderNo string) []*payment.Payment {
	var out []*payment.Payment
	for _, d := range unit.OwnedBy(t.Tx, rows.Payments, orderNo) {
		out = append(out, payment.Restore(*d))
	}
	return out
}

// PutPayment saves the payment and its events.
func (t *Tx) PutPayment(p *payment.Payment) {
	unit.Put(t.Tx, rows.Payments, p.Data())
	t.Record(p.Drain())
}

// Refund returns a copy of the refund; nil if there is none.
func (t *Tx) Refund(no string) (*payment.Refund, error) {
	d, err := unit.Get(t.Tx, rows.Refunds, no)
	if d == nil {
		return nil, err
	}
	return payment.RestoreRefund(*d), nil
}

// PutRefund saves the refund and its events.
func (t *Tx) PutRefund(r *payment.Refund) {
	unit.Put(t.Tx, rows.Refunds, r.Data())
	t.Record(r.Drain())
}

// Reconciliation returns a copy of a channel's day; nil if there is none.
func (t *Tx) Reconciliation(id string) (*rows.Reconciliation, error) {
	return copied(unit.Get(t.Tx, rows.Reconciliations, id))
}

// PutReconciliation saves a channel's day.
func (t *Tx) PutReconciliation(d *rows.Reconciliation) { unit.Put(t.Tx, rows.Reconciliations, *d) }

// Discrepancy returns a copy of the discrepancy; nil if there is none.
func (t *Tx) Discrepancy(id string) (*rows.Discrepancy, error) {
	return copied(unit.Get(t.Tx, rows.Discrepancies, id))
}

// PutDiscrepancy saves the discrepancy.
func (t *Tx) PutDiscrepancy(d *rows.Discrepancy) { unit.Put(t.Tx, rows.Discrepancies, *d) }

// Coupon returns a copy of the coupon; nil if there is none.
func (t *Tx) Coupon(code string) (*marketing.Coupon, error) {
	d, err := unit.Get(t.Tx, rows.Coupons, code)
	if d == nil {
		return nil, err
	}
	return marketing.RestoreCoupon(*d), nil
}

// PutCoupon saves the coupon and its events.
func (t *Tx) PutCoupon(c *marketing.Coupon) {
	unit.Put(t.Tx, rows.Coupons, c.Data())
	t.Record(c.Drain())
}

// User returns the user; one that was never put is a plain user.
func (t *Tx) User(id string) (*shop.User, error) {
	u, err := copied(unit.Get(t.Tx, rows.Users, id))
	if u == nil && err == nil {
		u = &shop.User{ID: id}
	}
	return u, err
}

// PutUser saves the user.
func (t *Tx) PutUser(u *shop.User) { unit.Put(t.Tx, rows.Users, *u) }

// Counter is the value of a named counter, 0 before it was first put.
func (t *Tx) Counter(name string) (int64, error) {
	c, err := unit.Get(t.Tx, rows.Counters, name)
	if c == nil {
		return 0, err
	}
	return c.Value, nil
}

// PutCounter sets a named counter.
func (t *Tx) PutCounter(name string, value int64) {
	unit.Put(t.Tx, rows.Counters, rows.Counter{Name: name, Value: value})
}

// Bought says whether the buyer has an order that was not closed.
func (t *Tx) Bought(user string) (bool, error) {
	b, err := unit.Get(t.Tx, rows.Buyers, user)
	return b != nil, err
}

// Cursor is the position up to which a follower of the log is done, nil
// before its first step.
func (t *Tx) Cursor(follower string) (*event.Position, error) {
	c, err := unit.Get(t.Tx, rows.Cursors, follower)
	if c == nil {
		return nil, err
	}
	return &c.Position, nil
}

// PutCursor moves a follower.
func (t *Tx) PutCursor(follower string, p event.Position) {
	unit.Put(t.Tx, rows.Cursors, rows.Cursor{Follower: follower, Position: p})
}

// Promotion returns a copy of the promotion; nil if there is none.
func (t *Tx) Promotion(id string) (*pricing.Promotion, error) {
	return copied(unit.Get(t.Tx, rows.Promotions, id))
}

// PromotionVersion is the last version that a promotion of this id ever had,
// also one that was deleted; 0 if there was none.
func (t *Tx) PromotionVersion(id string) (int64, error) {
	if p, err := t.Promotion(id); p != nil || err != nil {
		if p == nil {
			return 0, err
		}
		return p.Version, nil
	}
	r, err := unit.Get(t.Tx, rows.RetiredPromotions, id)
	if r == nil {
		return 0, err
	}
	return r.Version, nil
}

// PutPromotion saves the promotion, which says its version, with the next
// version of the rules. The command locks the shop.
func (t *Tx) PutPromotion(p *pricing.Promotion) {
	unit.Put(t.Tx, rows.Promotions, *p)
	saved := *p
	t.ruleChanged(rows.OfPromotion, marketing.RuleChange{ID: p.ID, Version: p.Version, Promotion: &saved})
}

// DeletePromotion removes the promotion from the rules.
func (t *Tx) DeletePromotion(p *pricing.Promotion) {
	unit.Remove(t.Tx, rows.Promotions, p.ID)
	t.ruleChanged(rows.OfPromotion, marketing.RuleChange{ID: p.ID, Version: p.Version})
}

// Template returns a copy of the coupon template; nil if there is none.
func (t *Tx) Template(id string) (*marketing.Template, error) {
	return copied(unit.Get(t.Tx, rows.Templates, id))
}

// PutTemplate saves the template, which says its version, with the next
// version of the rules. The command locks the shop.
func (t *Tx) PutTemplate(m *marketing.Template) {
	unit.Put(t.Tx, rows.Templates, *m)
	saved := *m
	t.ruleChanged(rows.OfTemplate, marketing.RuleChange{ID: m.ID, Version: m.Version, Template: &saved})
}

// CountIssued saves how many coupons of a template with a supply exist; the
// rule itself stays at its version.
func (t *Tx) CountIssued(m *marketing.Template) { unit.Put(t.Tx, rows.Templates, *m) }

// ruleChanged keeps what a rule became in the history, and raises the version
// of the shop's rules, once for all that the command changes.
func (t *Tx) ruleChanged(kind string, c marketing.RuleChange) {
	s := t.Shop()
	if !t.rulesMoved {
		t.rulesMoved = true
		s.RulesVersion++
		unit.Put(t.Tx, rows.Shop, s)
	}
	c.Since, c.At = s.RulesVersion, t.Now()
	unit.Append(t.Tx, rows.RuleVersions, rows.RuleVersion{Kind: kind, RuleChange: c})
	t.Record([]event.Event{{Type: event.RulesChanged}})
}

// Channel returns a copy of the stored channel settings; nil if there are none.
func (t *Tx) Channel(name string) (*rows.Channel, error) {
	return copied(unit.Get(t.Tx, rows.Channels, name))
}

// PutChannel saves channel settings.
func (t *Tx) PutChannel(c *rows.Channel) { unit.Put(t.Tx, rows.Channels, *c) }

// APIKey returns a copy of the secret key's record; nil if there is none.
func (t *Tx) APIKey(id string) (*shop.Key, error) {
	return copied(unit.Get(t.Tx, rows.APIKeys, id))
}

// PutAPIKey saves a secret key's record.
func (t *Tx) PutAPIKey(k *shop.Key) { unit.Put(t.Tx, rows.APIKeys, *k) }

// Keep stores a channel message beside the change.
func (t *Tx) Keep(m ChannelMessage) {
	if m.Trace == "" {
		m.Trace = t.Trace()
	}
	unit.Append(t.Tx, rows.ChannelMessages, m)
}

// Enqueue stores a job with the change that requires it. It says its Kind and what
// it is about, and may say when it is Due.
func (t *Tx) Enqueue(j Job) {
	j.ID, j.CreatedAt = t.NewID(), t.Now()
	if j.Due.IsZero() {
		j.Due = t.Now()
	}
	if j.Trace == "" {
		j.Trace = t.Trace()
	}
	unit.Put(t.Tx, rows.Jobs, j)
}

// Job returns a copy of the job; nil if there is none.
func (t *Tx) Job(id string) (*Job, error) { return copied(unit.Get(t.Tx, rows.Jobs, id)) }

// PutJob saves the job.
func (t *Tx) PutJob(j *Job) { unit.Put(t.Tx, rows.Jobs, *j) }

// DeleteJob removes a job that is done.
func (t *Tx) DeleteJob(id string) { unit.Remove(t.Tx, rows.Jobs, id) }

func copied[D any](d *D, err error) (*D, error) {
	if d == nil {
		return nil, err
	}
	c := *d
	return &c, err
}
