package app

import (
	"fmt"
	"runtime/debug"
	"slices"
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

// Loaded is what the store found of a batch's needs. What was asked for and
// is not here does not exist.
type Loaded struct {
	Shop       shop.Shop
	Keys       []SavedKey
	Cursors    map[string]event.Position
	Orders     []order.Data
	Payments   []payment.Data
	Users      []shop.User
	Coupons    []marketing.CouponData
	Skus       []inventory.Data
	Counters   map[string]int64
	Bought     []string // of the buyers asked about, those who have an order that was not closed
	Promotions []pricing.Promotion
	Templates  []marketing.Template
	Channels   []ChannelRow
	APIKeys    []shop.Key
	// Retired are the last versions of the promotions that were asked for and
	// have been deleted.
	Retired map[string]int64

	Refunds         []payment.RefundData
	Reconciliations []ReconciliationData
	Discrepancies   []DiscrepancyData
}

// Changes is everything that a batch writes, in one transaction. A change
// with Old is an update of a row that the batch holds locked; its version
// must still be Old's.
type Changes struct {
	Shop      string
	Now       time.Time
	BumpRules bool           // the shop's rules version rises by one
	Policies  *shop.Policies // the shop's new ones; the shop's row is held
	Marker    string

	Keys       []SavedKey
	Cursors    []CursorChange
	Orders     []Change[order.Data] // version: Seq
	Payments   []Change[payment.Data]
	Users      []Change[shop.User]
	Coupons    []Change[marketing.CouponData]
	Skus       []Change[inventory.Data]
	Counters   []CounterChange
	Promotions []Change[pricing.Promotion] // New.ID "" deletes Old
	Templates  []Change[marketing.Template]
	Channels   []Change[ChannelRow]
	APIKeys    []Change[shop.Key]
	Rules      []marketing.RuleChange // what the changed promotions and templates became

	Refunds         []Change[payment.RefundData]
	Reconciliations []Change[ReconciliationData]
	Discrepancies   []Change[DiscrepancyData]

	Records         []event.Record
	ChannelMessages []ChannelMessage
	Jobs            []Job
}

// CounterChange moves a counter; Old nil makes it.
type CounterChange struct {
	Name string
	Old  *int64
	New  int64
}

// Batch is the memory of one batch: loaded rows, and what the accepted
// commands made of them.
type Batch struct {
	shop  shop.Shop
	now   time.Time
	rules *marketing.Rules
	bump  bool

	keys       table[SavedKey]
	cursors    table[event.Position]
	orders     table[order.Data]
	payments   table[payment.Data]
	users      table[shop.User]
	coupons    table[marketing.CouponData]
	skus       table[inventory.Data]
	counters   table[int64]
	buyers     map[string]bool // of those asked about: has ordered
	promotions table[pricing.Promotion]
	retired    map[string]int64
	templates  table[marketing.Template]
	channels   table[ChannelRow]
	apiKeys    table[shop.Key]
	refunds    table[payment.RefundData]
	reconciled table[ReconciliationData]
	differ     table[DiscrepancyData]
	policies   *shop.Policies      // as the accepted commands left them; nil: as loaded
	paymentsOf map[string][]string // payment numbers by order; may name some that were refused

	records  []event.Record
	messages []ChannelMessage
	jobs     []Job
}

// NewBatch makes the memory of a batch from what was loaded for its needs.
func NewBatch(now time.Time, needs *Needs, l *Loaded, rules *marketing.Rules) *Batch {
	b := &Batch{shop: l.Shop, now: now, rules: rules, retired: l.Retired}
	b.keys.load(needs.Keys, l.Keys, func(k *SavedKey) string { return k.Key })
	b.orders.load(needs.Orders, l.Orders, func(d *order.Data) string { return d.No })
	b.payments.load(needs.Payments, l.Payments, func(d *payment.Data) string { return d.No })
	b.users.load(needs.Users, l.Users, func(u *shop.User) string { return u.ID })
	b.coupons.load(needs.Coupons, l.Coupons, func(d *marketing.CouponData) string { return d.Code })
	b.skus.load(needs.Skus, l.Skus, func(d *inventory.Data) string { return d.Sku })
	b.promotions.load(needs.Promotions, l.Promotions, func(p *pricing.Promotion) string { return p.ID })
	b.templates.load(needs.Templates, l.Templates, func(t *marketing.Template) string { return t.ID })
	b.channels.load(needs.Channels, l.Channels, func(c *ChannelRow) string { return c.Name })
	b.apiKeys.load(needs.APIKeys, l.APIKeys, func(k *shop.Key) string { return k.ID })
	b.refunds.load(needs.Refunds, l.Refunds, func(r *payment.RefundData) string { return r.No })
	b.reconciled.load(needs.Reconciliations, l.Reconciliations, func(r *ReconciliationData) string { return r.ID })
	b.differ.load(needs.Discrepancies, l.Discrepancies, func(d *DiscrepancyData) string { return d.ID })
	b.cursors.loadMap(needs.Cursors, l.Cursors)
	b.counters.loadMap(needs.Counters, l.Counters)
	if len(needs.Buyers) > 0 {
		b.buyers = make(map[string]bool, len(needs.Buyers))
		for _, u := range needs.Buyers {
			b.buyers[u] = slices.Contains(l.Bought, u)
		}
	}
	for i := range l.Payments {
		b.belongs(l.Payments[i].No, l.Payments[i].Order)
	}
	return b
}

func (b *Batch) belongs(paymentNo, orderNo string) {
	if b.paymentsOf == nil {
		b.paymentsOf = map[string][]string{}
	}
	if !slices.Contains(b.paymentsOf[orderNo], paymentNo) {
		b.paymentsOf[orderNo] = append(b.paymentsOf[orderNo], paymentNo)
	}
}

// Run decides one command. A refusal is the error; a *MissingError asks for
// more rows. A decision that panics is a defect: it is refused as internal
// and leaves no trace, like any other.
func (b *Batch) Run(c *Command) (res Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.drop()
			res, err = Result{}, fault.From(fmt.Errorf("%s panicked: %v\n%s", c.Name, p, debug.Stack()))
		}
	}()
	return b.run(c)
}

func (b *Batch) drop() {
	for _, tb := range b.tables() {
		tb.drop()
	}
}

// Changes is what the accepted commands want written; nil if nothing.
func (b *Batch) Changes() *Changes {
	c := &Changes{
		Shop: b.shop.ID, Now: b.now, BumpRules: b.bump,
		Orders: b.orders.changes(), Payments: b.payments.changes(), Users: b.users.changes(),
		Coupons: b.coupons.changes(), Skus: b.skus.changes(), Promotions: b.promotions.changes(),
		Templates: b.templates.changes(), Channels: b.channels.changes(), APIKeys: b.apiKeys.changes(),
		Refunds: b.refunds.changes(), Reconciliations: b.reconciled.changes(), Discrepancies: b.differ.changes(), Policies: b.policies,
		Records: b.records, ChannelMessages: b.messages, Jobs: b.jobs,
	}
	for _, k := range b.keys.changes() {
		c.Keys = append(c.Keys, k.New)
	}
	for name, r := range b.cursors.dirty() {
		c.Cursors = append(c.Cursors, CursorChange{Follower: name, Old: r.old, New: *r.cur})
	}
	for name, r := range b.counters.dirty() {
		c.Counters = append(c.Counters, CounterChange{Name: name, Old: r.old, New: *r.cur})
	}
	if b.bump {
		c.Rules = b.ruleChanges(c)
	}
	if len(c.Keys) == 0 && len(c.Cursors) == 0 && len(c.Orders) == 0 && len(c.Payments) == 0 && len(c.Users) == 0 &&
		len(c.Coupons) == 0 && len(c.Skus) == 0 && len(c.Counters) == 0 && len(c.Promotions) == 0 && len(c.Templates) == 0 &&
		len(c.Channels) == 0 && len(c.APIKeys) == 0 && len(c.Records) == 0 && len(c.ChannelMessages) == 0 && len(c.Jobs) == 0 &&
		len(c.Refunds) == 0 && len(c.Reconciliations) == 0 && len(c.Discrepancies) == 0 && c.Policies == nil {
		return nil
	}
	return c
}

// ruleChanges is what the changed promotions and templates became, for the
// history. The batch holds the shop's row, so that its version is the next.
func (b *Batch) ruleChanges(c *Changes) []marketing.RuleChange {
	var out []marketing.RuleChange
	since := b.shop.RulesVersion + 1
	for i := range c.Promotions {
		old, p := c.Promotions[i].Old, &c.Promotions[i].New
		r := marketing.RuleChange{Since: since, ID: p.ID, Version: p.Version, At: b.now, Promotion: p}
		if p.ID == "" {
			r.ID, r.Version, r.Promotion = old.ID, old.Version, nil
		}
		out = append(out, r)
	}
	for i := range c.Templates {
		// One of which coupons were issued only is the same rule as before.
		if old, t := c.Templates[i].Old, &c.Templates[i].New; old == nil || old.Version != t.Version {
			out = append(out, marketing.RuleChange{Since: since, ID: t.ID, Version: t.Version, At: b.now, Template: t})
		}
	}
	return out
}

// Records are the events of the accepted commands.
func (b *Batch) Records() []event.Record { return b.records }

type overlay interface {
	accept()
	drop()
}

func (b *Batch) tables() [15]overlay {
	return [15]overlay{
		&b.keys, &b.cursors, &b.orders, &b.payments, &b.users, &b.coupons,
		&b.skus, &b.counters, &b.promotions, &b.templates, &b.channels, &b.apiKeys,
		&b.refunds, &b.reconciled, &b.differ,
	}
}

// table is one kind of rows: as loaded, as the accepted commands left them,
// and what the running command has put.
type table[D any] struct {
	rows map[string]*row[D]
	over []put[D]
}

// row: the old and cur of a loaded row are the same pointer, nobody changes
// what they point to.
type row[D any] struct {
	old     *D // as loaded; nil: absent
	cur     *D // now; nil: absent
	changed bool
}

type put[D any] struct {
	key string
	d   *D
}

func (t *table[D]) load(asked []string, found []D, key func(*D) string) {
	if len(asked)+len(found) == 0 {
		return
	}
	t.rows = make(map[string]*row[D], len(asked)+len(found))
	block := make([]row[D], len(asked)+len(found))
	for i, k := range asked {
		t.rows[k] = &block[i]
	}
	for i := range found {
		r := &block[len(asked)+i]
		r.old, r.cur = &found[i], &found[i]
		t.rows[key(&found[i])] = r
	}
}

func (t *table[D]) loadMap(asked []string, found map[string]D) {
	for _, k := range asked {
		if t.rows == nil {
			t.rows = make(map[string]*row[D], len(asked))
		}
		r := &row[D]{}
		if d, ok := found[k]; ok {
			r.old, r.cur = &d, &d
		}
		t.rows[k] = r
	}
}

// has says whether a key was loaded, if only as absent.
func (t *table[D]) has(key string) bool {
	_, ok := t.rows[key]
	return ok
}

// get returns the present data of a key, nil when absent. The caller does
// not change what it points to.
func (t *table[D]) get(key string, list func(*Needs) *[]string) (*D, error) {
	for i := len(t.over) - 1; i >= 0; i-- {
		if t.over[i].key == key {
			return t.over[i].d, nil
		}
	}
	if r, ok := t.rows[key]; ok {
		return r.cur, nil
	}
	m := &MissingError{}
	if list != nil {
		l := list(&m.Needs)
		*l = append(*l, key)
	}
	return nil, m
}

func (t *table[D]) put(key string, d D) { t.over = append(t.over, put[D]{key, &d}) }

func (t *table[D]) remove(key string) { t.over = append(t.over, put[D]{key, nil}) }

func (t *table[D]) accept() {
	for _, p := range t.over {
		r, ok := t.rows[p.key]
		if !ok {
			if t.rows == nil {
				t.rows = map[string]*row[D]{}
			}
			r = &row[D]{}
			t.rows[p.key] = r
		}
		r.cur, r.changed = p.d, true
	}
	t.drop()
}

func (t *table[D]) drop() {
	clear(t.over)
	t.over = t.over[:0]
}

// dirty are the rows that were changed.
func (t *table[D]) dirty() map[string]*row[D] {
	var out map[string]*row[D]
	for k, r := range t.rows {
		if r.changed && (r.cur != nil || r.old != nil) {
			if out == nil {
				out = map[string]*row[D]{}
			}
			out[k] = r
		}
	}
	return out
}

// changes are the changed rows in key order: the order of the locks.
func (t *table[D]) changes() []Change[D] {
	dirty := t.dirty()
	if len(dirty) == 0 {
		return nil
	}
	keys := make([]string, 0, len(dirty))
	for k := range dirty {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]Change[D], 0, len(keys))
	for _, k := range keys {
		c := Change[D]{Old: dirty[k].old}
		if dirty[k].cur != nil {
			c.New = *dirty[k].cur
		}
		out = append(out, c)
	}
	return out
}
