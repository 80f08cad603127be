package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// theShop is the only one there is.
const theShop = shop.Default

// item is a line that a buyer asks for.
type item struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// placement is the body of POST /v1/orders.
type placement struct {
	User     string   `json:"userId"`
	Items    []item   `json:"items"`
	Coupons  []string `json:"couponCodes"`
	Expected *int64   `json:"expectedPayableAmount"`
}

func (p *placement) check() error {
	if err := shop.CheckID("/userId", p.User); err != nil {
		return err
	}
	if len(p.Items) == 0 || len(p.Items) > pricing.MaxLines {
		return fault.Invalidf("/items", "from 1 to %d", pricing.MaxLines)
	}
	seen := make(map[string]bool, len(p.Items))
	for i, it := range p.Items {
		if err := shop.CheckID("/items", it.Sku); err != nil {
			return err
		}
		if it.Quantity < 1 || it.Quantity > pricing.MaxQuantity || seen[it.Sku] {
			return fault.Invalidf("/items", "line %d: a quantity from 1 to %d, and each sku once", i, pricing.MaxQuantity)
		}
		seen[it.Sku] = true
	}
	for _, code := range p.Coupons {
		if err := marketing.CheckCode("/couponCodes", code); err != nil {
			return err
		}
	}
	slices.Sort(p.Coupons)
	p.Coupons = slices.Compact(p.Coupons)
	return nil
}

// skus are the ids of the items, sorted: the order in which they are locked.
func (p *placement) skus() []string {
	ids := make([]string, len(p.Items))
	for i := range p.Items {
		ids[i] = p.Items[i].Sku
	}
	slices.Sort(ids)
	return ids
}

// found is what the database had for a placement, its skus and coupons
// locked.
type found struct {
	user    shop.User
	skus    []inventory.Data
	coupons []marketing.CouponData
}

// placed is what a placement writes.
type placed struct {
	order   order.Data
	units   []event.Units // reserved
	coupons []marketing.CouponData
	events  []event.Event
}

// place is the decision: the same checks in the same order as Tandem's.
func place(p *placement, f *found, rules *marketing.Rules, now time.Time) (*placed, error) {
	if f.user.Blocked {
		return nil, fault.New(fault.UserBlocked, "user %s may not place orders", p.User)
	}
	skus := make(map[string]*inventory.Sku, len(f.skus))
	for i := range f.skus {
		skus[f.skus[i].Sku] = inventory.Restore(f.skus[i])
	}
	lines := make([]pricing.Line, len(p.Items))
	for i, it := range p.Items {
		s := skus[it.Sku]
		if s == nil {
			return nil, fault.New(fault.SkuNotFound, "there is no sku %q", it.Sku)
		}
		d := s.Data()
		lines[i] = pricing.Line{Sku: d.Sku, Name: d.Name, Categories: d.Categories, UnitPrice: d.Price, Quantity: it.Quantity}
	}
	priced := make([]pricing.Coupon, len(p.Coupons))
	coupons := make([]*marketing.Coupon, len(p.Coupons))
	for i, code := range p.Coupons {
		at := slices.IndexFunc(f.coupons, func(d marketing.CouponData) bool { return d.Code == code })
		if at < 0 {
			return nil, fault.New(fault.CouponNotFound, "there is no coupon %q", code)
		}
		t := rules.Templates[f.coupons[at].TemplateID]
		if t == nil {
			return nil, fmt.Errorf("coupon %s: its template is gone", code)
		}
		if priced[i] = t.Priced(&f.coupons[at], p.User, now); priced[i].Refused != "" {
			return nil, fault.New(fault.CouponUnavailable, "coupon %s: %s", code, priced[i].Detail)
		}
		coupons[i] = marketing.RestoreCoupon(f.coupons[at])
	}
	quote, err := pricing.Price(pricing.Input{
		Currency: "CNY", Now: now, User: pricing.User{ID: f.user.ID, Level: f.user.Level, Tags: f.user.Tags},
		Lines: lines, Rules: rules.Promotions, Coupons: priced,
	})
	if err != nil {
		return nil, err
	}
	for _, s := range quote.Skipped {
		if s.Source == pricing.FromCoupon {
			return nil, fault.New(fault.CouponNotApplicable, "coupon %s does not apply: %s", s.Code, s.Reason)
		}
	}
	if p.Expected != nil && *p.Expected != quote.Payable {
		return nil, fault.New(fault.PriceChanged, "the price is %d", quote.Payable)
	}
	return write(p, skus, coupons, quote, now)
}

// write reserves, locks and makes the order.
func write(
	p *placement, skus map[string]*inventory.Sku, coupons []*marketing.Coupon, quote *pricing.Quote, now time.Time,
) (*placed, error) {
	var out placed
	no := newNumber('1', now)
	for i := range quote.Lines {
		l := &quote.Lines[i]
		s := skus[l.Sku]
		if s.Data().MaxPerUser > 0 {
			return nil, fault.New(fault.Internal, "%s: limits for each buyer are not part of this program", l.Sku)
		}
		if err := s.Reserve(no, l.Quantity); err != nil {
			return nil, err
		}
		out.units = append(out.units, event.Units{Sku: l.Sku, Quantity: l.Quantity})
		out.events = append(out.events, s.Drain()...)
	}
	o, err := order.Place(order.Placement{No: no, User: p.User, Quote: quote, Coupons: p.Coupons, Now: now})
	if err != nil {
		return nil, err
	}
	out.events = append(out.events, o.Drain()...)
	out.order = o.Data()
	if out.order.Status == order.Paid {
		return nil, fault.New(fault.Internal, "orders with nothing to pay are not part of this program")
	}
	for _, c := range coupons {
		if err := c.Lock(no, p.User, out.order.ExpiresAt, now); err != nil {
			return nil, err
		}
		out.coupons = append(out.coupons, c.Data())
		out.events = append(out.events, c.Drain()...)
	}
	return &out, nil
}

// newNumber makes a number of 29 digits like Tandem's.
func newNumber(kind byte, now time.Time) string {
	var r [8]byte
	_, _ = rand.Read(r[:]) // never fails
	now = now.UTC()
	return fmt.Sprintf("%c%s%03d%010d0", kind, now.Format("20060102150405"), now.Nanosecond()/1e6, binary.BigEndian.Uint64(r[:])%1e10)
}

// rulesFresh is how old the rules in memory may be.
const rulesFresh = time.Second

// rulebook keeps the shop's rules in memory.
type rulebook struct {
	load func() (*marketing.Rules, error)

	mu    sync.Mutex
	rules *marketing.Rules
	at    time.Time
}

func (b *rulebook) now() (*marketing.Rules, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rules == nil || time.Since(b.at) > rulesFresh {
		rules, err := b.load()
		if err != nil {
			return nil, err
		}
		b.rules, b.at = rules, time.Now()
	}
	return b.rules, nil
}
