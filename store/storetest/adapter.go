package storetest

import (
	"slices"
	"time"

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

// Changes is what a test writes, by the kinds that the older tests name. What
// every kind must do is tested by kinds.go, which needs no such list.
type Changes struct {
	Now       time.Time
	Marker    string
	BumpRules bool           // of the shop
	Policies  *shop.Policies // of the shop

	Keys            []unit.SavedKey
	Cursors         []unit.Pair[rows.Cursor]
	Orders          []unit.Pair[order.Data]
	Payments        []unit.Pair[payment.Data]
	Refunds         []unit.Pair[payment.RefundData]
	Users           []unit.Pair[shop.User]
	Coupons         []unit.Pair[marketing.CouponData]
	Skus            []unit.Pair[inventory.Data]
	Counters        []unit.Pair[rows.Counter]
	Promotions      []unit.Pair[pricing.Promotion]
	Templates       []unit.Pair[marketing.Template]
	Rules           []rows.RuleVersion
	Channels        []unit.Pair[rows.Channel]
	APIKeys         []unit.Pair[shop.Key]
	Reconciliations []unit.Pair[rows.Reconciliation]
	Discrepancies   []unit.Pair[rows.Discrepancy]
	Parked          []unit.Pair[rows.ParkedRecord]
	ChannelMessages []rows.ChannelMessage
	Jobs            []unit.Pair[rows.Job]
	Records         []event.Record
}

// Unit is what the unit writes, of a shop as it is.
func (c *Changes) Unit(was shop.Shop) *unit.Changes {
	out := &unit.Changes{Shop: was.ID, Now: c.Now, Marker: c.Marker, Records: c.Records}
	keys := c.Keys
	if c.Marker != "" && !slices.ContainsFunc(keys, func(k unit.SavedKey) bool { return k.Key == c.Marker }) {
		keys = append(keys[:len(keys):len(keys)], unit.SavedKey{Key: c.Marker, CreatedAt: c.Now})
	}
	add := func(w []unit.Write) { out.Writes = append(out.Writes, w...) }
	add(unit.Writes(rows.Keys, Added(keys...)...))
	if c.BumpRules || c.Policies != nil {
		is := was
		if c.BumpRules {
			is.RulesVersion++
		}
		if c.Policies != nil {
			is.Policies = *c.Policies
		}
		add(unit.Writes(rows.Shop, Changed(was, is)...))
	}
	add(unit.Writes(rows.Cursors, c.Cursors...))
	add(unit.Writes(rows.Orders, c.Orders...))
	add(unit.Writes(rows.Payments, c.Payments...))
	add(unit.Writes(rows.Refunds, c.Refunds...))
	add(unit.Writes(rows.Users, c.Users...))
	add(unit.Writes(rows.Coupons, c.Coupons...))
	add(unit.Writes(rows.Skus, c.Skus...))
	add(unit.Writes(rows.Counters, c.Counters...))
	add(unit.Writes(rows.Promotions, c.Promotions...))
	add(unit.Writes(rows.Templates, c.Templates...))
	add(unit.Writes(rows.Channels, c.Channels...))
	add(unit.Writes(rows.APIKeys, c.APIKeys...))
	add(unit.Writes(rows.Reconciliations, c.Reconciliations...))
	add(unit.Writes(rows.Discrepancies, c.Discrepancies...))
	add(unit.Writes(rows.Parked, c.Parked...))
	add(unit.Writes(rows.RuleVersions, Added(c.Rules...)...))
	add(unit.Writes(rows.ChannelMessages, Added(c.ChannelMessages...)...))
	add(unit.Writes(rows.Jobs, c.Jobs...))
	return out
}

// Needs is what a test loads, likewise.
type Needs struct {
	Shop bool

	Keys, Cursors, Orders, Payments, Refunds, Users, Coupons, Skus, Counters, Buyers []string
	Promotions, Templates, Channels, APIKeys, Reconciliations, Discrepancies, Parked []string
}

// Unit is what the unit needs.
func (n *Needs) Unit() unit.Needs {
	var out unit.Needs
	if n.Shop {
		out.Add(rows.Shop.Lock())
	}
	out.Add(
		rows.Keys.Keys(n.Keys...), rows.Cursors.Keys(n.Cursors...), rows.Orders.Keys(n.Orders...), rows.Payments.Keys(n.Payments...),
		rows.Refunds.Keys(n.Refunds...), rows.Users.Keys(n.Users...), rows.Coupons.Keys(n.Coupons...), rows.Skus.Keys(n.Skus...),
		rows.Counters.Keys(n.Counters...), rows.Buyers.Keys(n.Buyers...), rows.Promotions.Keys(n.Promotions...),
		rows.RetiredPromotions.Keys(n.Promotions...), rows.Templates.Keys(n.Templates...), rows.Channels.Keys(n.Channels...),
		rows.APIKeys.Keys(n.APIKeys...), rows.Reconciliations.Keys(n.Reconciliations...), rows.Discrepancies.Keys(n.Discrepancies...), rows.Parked.Keys(n.Parked...),
	)
	return unit.Sorted(out)
}

// Loaded is what a test has loaded, likewise.
type Loaded struct {
	Shop            shop.Shop
	Keys            []unit.SavedKey
	Cursors         []rows.Cursor
	Orders          []order.Data
	Payments        []payment.Data
	Refunds         []payment.RefundData
	Users           []shop.User
	Coupons         []marketing.CouponData
	Skus            []inventory.Data
	Counters        map[string]int64
	Bought          []string
	Promotions      []pricing.Promotion
	Retired         map[string]int64
	Templates       []marketing.Template
	Channels        []rows.Channel
	APIKeys         []shop.Key
	Reconciliations []rows.Reconciliation
	Discrepancies   []rows.Discrepancy
	Parked          []rows.ParkedRecord
}

// LoadedOf sorts what a unit has loaded.
func LoadedOf(l *unit.Loaded) *Loaded {
	out := &Loaded{
		Shop: unit.Of(l, rows.Shop)[0], Keys: unit.Of(l, rows.Keys), Cursors: unit.Of(l, rows.Cursors), Orders: unit.Of(l, rows.Orders),
		Payments: unit.Of(l, rows.Payments), Refunds: unit.Of(l, rows.Refunds), Users: unit.Of(l, rows.Users),
		Coupons: unit.Of(l, rows.Coupons), Skus: unit.Of(l, rows.Skus), Promotions: unit.Of(l, rows.Promotions),
		Templates: unit.Of(l, rows.Templates), Channels: unit.Of(l, rows.Channels), APIKeys: unit.Of(l, rows.APIKeys),
		Reconciliations: unit.Of(l, rows.Reconciliations), Discrepancies: unit.Of(l, rows.Discrepancies), Parked: unit.Of(l, rows.Parked),
		Counters: map[string]int64{}, Retired: map[string]int64{},
	}
	for i := range out.Keys {
		out.Keys[i].CreatedAt = time.Time{} // when it was written
	}
	for _, c := range unit.Of(l, rows.Counters) {
		out.Counters[c.Name] = c.Value
	}
	for _, b := range unit.Of(l, rows.Buyers) {
		out.Bought = append(out.Bought, b.User)
	}
	for _, r := range unit.Of(l, rows.RetiredPromotions) {
		out.Retired[r.ID] = r.Version
	}
	return out
}

// Added are new rows.
func Added[D any](list ...D) []unit.Pair[D] {
	out := make([]unit.Pair[D], len(list))
	for i := range list {
		out[i].New = &list[i]
	}
	return out
}

// Changed is a row before and after.
func Changed[D any](before, after D) []unit.Pair[D] {
	return []unit.Pair[D]{{Old: &before, New: &after}}
}

func removed[D any](old D) []unit.Pair[D] { return []unit.Pair[D]{{Old: &old}} }

// Counted is a counter that moves; nil makes it.
func Counted(name string, old *int64, value int64) unit.Pair[rows.Counter] {
	p := unit.Pair[rows.Counter]{New: &rows.Counter{Name: name, Value: value}}
	if old != nil {
		p.Old = &rows.Counter{Name: name, Value: *old}
	}
	return p
}

// moved is a cursor that moves; nil makes it.
func moved(follower string, before *event.Position, after event.Position) unit.Pair[rows.Cursor] {
	p := unit.Pair[rows.Cursor]{New: &rows.Cursor{Follower: follower, Position: after}}
	if before != nil {
		p.Old = &rows.Cursor{Follower: follower, Position: *before}
	}
	return p
}

// ruleVersions are changes of rules as they are kept.
func ruleVersions(history []marketing.RuleChange) []rows.RuleVersion {
	out := make([]rows.RuleVersion, len(history))
	for i, c := range history {
		out[i] = rows.RuleVersion{Kind: rows.OfPromotion, RuleChange: c}
		if c.Template != nil {
			out[i].Kind = rows.OfTemplate
		}
	}
	return out
}

type (
	changes = Changes
	needs   = Needs
	loaded  = Loaded
)

func added[D any](list ...D) []unit.Pair[D] { return Added(list...) }

func changed[D any](before, after D) []unit.Pair[D] { return Changed(before, after) }

func counted(name string, old *int64, value int64) unit.Pair[rows.Counter] {
	return Counted(name, old, value)
}
