package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
)

// Offence is one row that breaks an invariant.
type Offence struct {
	Invariant int    `json:"invariant"` // see Invariants, from 1
	Subject   string `json:"subject"`   // "order 1…", "sku A"
	Message   string `json:"message"`
}

// Invariants are what the audit checks, by number.
var Invariants = [...]string{
	1: "order: total = Σ items, payable = total - discount, discount = Σ applied discounts = Σ line shares, 0 ≤ payable; a draft holds nothing",
	2: "money: Σ succeeded payments = applied + refunded + in suspense; nothing negative; paid only if applied = payable",
	3: "coupon: locked or used by exactly one live order that names it; no closed order holds one",
	4: "stock: reserved = Σ open orders' units; onHand = Σ adjustments - Σ sold; never below 0",
	5: "limits: counters equal what the orders and coupons that use them say, and are within the limits that these were counted under",
	6: "events: every order's events are numbered without a gap and end at its state; every reaction is on the log",
	7: "refunds: Σ refunds ≤ payment; an order's refunds equal what its lines gave back; what is promised has a refund under way",
	8: "evidence: replaying all facts of a payment backwards gives the same state",
}

// Report is what the audit found.
type Report struct {
	Orders   int64     `json:"orders"`
	Payments int64     `json:"payments"`
	Coupons  int64     `json:"coupons"`
	Skus     int64     `json:"skus"`
	Records  int64     `json:"eventRecords"`
	Suspense int64     `json:"suspense"` // minor units: arrived, neither applied nor refunded
	Pending  int64     `json:"pending"`  // ended orders that a reaction has not followed yet
	Offences []Offence `json:"offences"`
}

// Audit checks the invariants of a shop at one committed moment. What a
// reaction has still to do is not an offence: the order's end stands in the
// log after the reaction's position. Memory is proportional to the orders, to
// the coupons that orders hold or have used, and to the users who were given
// coupons of templates that limit how many; other coupons only pass by.
func Audit(ctx context.Context, store Admin, shop string) (*Report, error) {
	a := &auditor{
		r: &Report{}, skus: map[string]*stock{}, coupons: map[string]held{}, templates: map[string]*issued{},
		counters: map[string]int64{}, counted: map[string]int64{}, within: map[string]int64{}, positions: map[string]event.Position{}, orders: map[string]*audited{},
	}
	err := store.Scan(ctx, shop, Scan{
		Sku: a.sku, Template: a.template, Coupon: a.coupon, Counter: a.counter,
		Position: a.position, Order: a.order, Refund: a.refund, Record: a.record,
	})
	if err != nil {
		return nil, err
	}
	a.finish()
	return a.r, nil
}

type auditor struct {
	r         *Report
	skus      map[string]*stock
	coupons   map[string]held // by code
	templates map[string]*issued
	counters  map[string]int64 // as stored
	counted   map[string]int64 // as the rows say
	within    map[string]int64 // the largest limit that an order was counted under
	positions map[string]event.Position
	orders    map[string]*audited
}

type stock struct {
	d        inventory.Data
	reserved int64
	onHand   int64 // by the events
}

// held is what an order did to a coupon.
type held struct {
	status marketing.Status
	order  string
}

// issued is what was issued of a template.
type issued struct {
	absent  bool // coupons name it, and it is not there
	supply  int64
	stored  int64
	counted int64
	perUser int64
	users   map[string]int64 // where each may have only so many
}

// audited is what later checks need of an order.
type audited struct {
	status  order.Status
	seq     int64
	seen    []int64 // sequence numbers met in the log
	last    int64
	lastSt  string
	coupons []string

	refunding int64        // promised, as the order says
	pending   int64        // promised, as its refunds say
	end       *event.Event // the last end that reactions follow
	endAt     event.Position
}

func (a *auditor) offend(invariant int, subject, format string, args ...any) {
	a.r.Offences = append(a.r.Offences, Offence{invariant, subject, fmt.Sprintf(format, args...)})
}

func (a *auditor) sku(d inventory.Data) error {
	a.r.Skus++
	a.skus[d.Sku] = &stock{d: d}
	if d.Reserved < 0 || d.OnHand < d.Reserved {
		a.offend(4, "sku "+d.Sku, "onHand %d, reserved %d", d.OnHand, d.Reserved)
	}
	return nil
}

func (a *auditor) template(t marketing.Template) error {
	a.templates[t.ID] = &issued{supply: t.Supply, stored: t.Issued, perUser: t.PerUserLimit, users: map[string]int64{}}
	return nil
}

func (a *auditor) coupon(d marketing.CouponData) error {
	a.r.Coupons++
	switch {
	case d.Status == marketing.Locked || d.Status == marketing.Used:
		a.coupons[d.Code] = held{d.Status, d.Order}
	case d.Order != "":
		a.offend(3, "coupon "+d.Code, "is %s and names order %s", d.Status, d.Order)
	case d.Status == marketing.Expired && d.ValidUntil.IsZero():
		a.offend(3, "coupon "+d.Code, "is expired and has no end")
	}
	t := a.templates[d.TemplateID]
	if t == nil {
		t = &issued{absent: true}
		a.templates[d.TemplateID] = t
	}
	t.counted++
	if d.User != "" && t.perUser > 0 {
		t.users[d.User]++
	}
	return nil
}

// limits holds the counts of templates against their coupons.
func (a *auditor) limits() {
	for id, t := range a.templates {
		switch {
		case t.absent:
			a.offend(5, "coupon template "+id, "is not there, and %d coupons name it", t.counted)
		case t.supply > 0 && t.stored != t.counted:
			a.offend(5, "coupon template "+id, "issued %d, coupons %d", t.stored, t.counted)
		case t.supply == 0 && t.stored != 0:
			a.offend(5, "coupon template "+id, "has no supply and counts %d", t.stored)
		}
		for user, n := range t.users {
			name := perUser(id, user)
			if v := a.counters[name]; v != n {
				a.offend(5, "counter "+name, "is %d, the coupons say %d", v, n)
			}
			delete(a.counters, name)
		}
	}
}

func (a *auditor) counter(name string, value int64) error {
	a.counters[name] = value
	return nil
}

func (a *auditor) position(reaction string, p event.Position) error {
	a.positions[reaction] = p
	return nil
}

func (a *auditor) order(v OrderView) error {
	a.r.Orders++
	d := &v.Order
	subject := "order " + d.No
	a.snapshot(subject, d)
	a.money(subject, &v)
	live := d.Status.Live()
	if d.Status == order.Draft && (d.Draft == nil || len(d.Coupons)+len(d.Counts)+len(v.Payments) > 0) || live && d.Draft != nil {
		a.offend(1, subject, "is %s with %d coupons, %d counts and %d payments; asks as a draft: %v", d.Status, len(d.Coupons), len(d.Counts), len(v.Payments), d.Draft != nil)
	}
	if d.Status != order.Closed || d.GoodsGone {
		a.count(d.Counts)
	}
	for _, code := range d.Coupons {
		c, held := a.coupons[code]
		if live && !d.GoodsGone && (!held || c.status != marketing.Locked || c.order != d.No) {
			// A revoked coupon leaves the order its price.
			if held {
				a.offend(3, subject, "coupon %s is %s by order %q", code, c.status, c.order)
			}
		}
	}
	if live && !d.GoodsGone {
		for _, u := range d.Units() {
			a.reserve(u)
		}
	}
	a.orders[d.No] = &audited{status: d.Status, seq: d.Seq, coupons: d.Coupons, refunding: d.Refunding}
	return nil
}

func (a *auditor) count(counts []event.Count) {
	for _, c := range counts {
		a.counted[c.Name] += c.Amount
		a.within[c.Name] = max(a.within[c.Name], c.Limit)
	}
}

func (a *auditor) reserve(u event.Units) {
	if s := a.skus[u.Sku]; s != nil {
		s.reserved += u.Quantity
	} else {
		a.offend(4, "sku "+u.Sku, "an order holds units of it, and it is not there")
	}
}

func (a *auditor) snapshot(subject string, d *order.Data) {
	var total, shares, applied int64
	byLine := make([]int64, len(d.Items))
	for i := range d.Items {
		l := &d.Items[i]
		total += l.Total
		shares += l.Discount
		if l.Total != l.UnitPrice*l.Quantity || l.Payable != l.Total-l.Discount || l.Payable < 0 || l.Discount < 0 {
			a.offend(1, subject, "line %d: total %d, discount %d, payable %d at %d × %d", i, l.Total, l.Discount, l.Payable, l.UnitPrice, l.Quantity)
		}
	}
	for i := range d.Applied {
		p := &d.Applied[i]
		applied += p.Amount
		var sum int64
		for _, s := range p.Shares {
			sum += s.Amount
			if s.Line >= 0 && s.Line < len(byLine) {
				byLine[s.Line] += s.Amount
			}
		}
		if sum != p.Amount {
			a.offend(1, subject, "discount %s: shares add up to %d, not %d", p.ID, sum, p.Amount)
		}
	}
	for i := range byLine {
		if byLine[i] != d.Items[i].Discount {
			a.offend(1, subject, "line %d: discounts add up to %d, not %d", i, byLine[i], d.Items[i].Discount)
		}
	}
	if total != d.Total || shares != d.Discount || applied != d.Discount || d.Payable != d.Total-d.Discount || d.Payable < 0 {
		a.offend(1, subject, "total %d (lines %d), discount %d (lines %d, applied %d), payable %d", d.Total, total, d.Discount, shares, applied, d.Payable)
	}
}

// behind says whether the reaction has still to follow a record.
func (a *auditor) behind(reaction string, at event.Position) bool {
	return a.positions[reaction].Compare(at) < 0
}

func (a *auditor) record(r event.Record) error {
	a.r.Records++
	for i := range r.Events {
		e := &r.Events[i]
		switch e.Type {
		case event.StockAdjusted:
			a.moved(e.Sku, e.Quantity)
		case event.StockSold:
			a.moved(e.Sku, -e.Quantity)
		case event.OrderPaid, event.OrderClosed, event.OrderPartiallyPaid, event.OrderRefunded:
			a.ended(r.Position, e)
		}
		if e.Seq > 0 {
			if o := a.orders[e.Order]; o != nil {
				o.seen = append(o.seen, e.Seq)
				if e.Seq > o.last {
					o.last, o.lastSt = e.Seq, e.Status
				}
			} else {
				a.offend(6, "order "+e.Order, "has events and is not there")
			}
		}
	}
	return nil
}

func (a *auditor) moved(sku string, delta int64) {
	if s := a.skus[sku]; s != nil {
		s.onHand += delta
	}
}

// ended notes what follows an order's end, and what of it has still to be
// followed.
func (a *auditor) ended(at event.Position, e *event.Event) {
	if e.Type == event.OrderPartiallyPaid && len(e.Units) == 0 {
		return
	}
	if a.behind("stock", at) {
		a.r.Pending++
		if e.Type != event.OrderRefunded {
			for _, u := range e.Units {
				a.reserve(u)
			}
		}
		if e.Type == event.OrderClosed {
			a.count(e.Counts)
		}
	} else if a.behind("coupons", at) || e.Type == event.OrderClosed && e.Amount > 0 && a.behind("refunds", at) {
		a.r.Pending++
	}
	if o := a.orders[e.Order]; o != nil && len(e.Coupons) > 0 {
		end := *e
		o.end, o.endAt = &end, at
	}
}

// coupons checks what became of an order's coupons at its last end.
func (a *auditor) couponsOf(no string, o *audited) {
	if o.end == nil {
		if o.status.Live() {
			for _, code := range o.coupons {
				delete(a.coupons, code)
			}
		}
		return
	}
	followed := !a.behind("coupons", o.endAt)
	for _, code := range o.end.Coupons {
		c, held := a.coupons[code]
		if !held || c.order != no {
			continue // given back, or withdrawn
		}
		delete(a.coupons, code)
		switch {
		case o.end.Type == event.OrderClosed && followed:
			a.offend(3, "order "+no, "is closed and holds coupon %s", code)
		case o.end.Type == event.OrderPaid || o.end.Type == event.OrderPartiallyPaid:
			if want := map[bool]marketing.Status{true: marketing.Used, false: marketing.Locked}[followed]; c.status != want {
				a.offend(3, "order "+no, "is %s, its coupon %s is %s", o.status, code, c.status)
			}
		}
	}
}

func (a *auditor) finish() {
	for no, o := range a.orders {
		a.couponsOf(no, o)
		// A refund that somebody else made may have taken what was promised.
		if o.refunding > o.pending {
			a.offend(7, "order "+no, "promises %d back, its refunds under way are of %d", o.refunding, o.pending)
		}
	}
	for code, c := range a.coupons {
		a.offend(3, "coupon "+code, "is %s by order %s, which does not hold it", c.status, c.order)
	}
	for id, s := range a.skus {
		if s.reserved != s.d.Reserved {
			a.offend(4, "sku "+id, "reserved %d, open orders hold %d", s.d.Reserved, s.reserved)
		}
		if s.onHand != s.d.OnHand {
			a.offend(4, "sku "+id, "onHand %d, the events say %d", s.d.OnHand, s.onHand)
		}
	}
	delete(a.counters, CatalogueCounter) // counts changes, not things
	a.limits()
	for name, v := range a.counters {
		if v != a.counted[name] {
			a.offend(5, "counter "+name, "is %d, the rows say %d", v, a.counted[name])
		} else if limit := a.within[name]; limit > 0 && v > limit {
			a.offend(5, "counter "+name, "is %d, the limit was at most %d", v, limit)
		}
	}
	for no, o := range a.orders {
		slices.Sort(o.seen)
		for i, seq := range o.seen {
			if seq != int64(i)+1 {
				a.offend(6, "order "+no, "event %d stands where %d should", seq, i+1)
				break
			}
		}
		if o.last != o.seq || o.lastSt != string(o.status) {
			a.offend(6, "order "+no, "is %s at %d, its events end with %s at %d", o.status, o.seq, o.lastSt, o.last)
		}
	}
	slices.SortFunc(a.r.Offences, func(x, y Offence) int {
		if x.Invariant != y.Invariant {
			return x.Invariant - y.Invariant
		}
		if x.Subject < y.Subject {
			return -1
		}
		return 1
	})
}
