// Package inventory guards stock. A Sku has the units on hand and the units
// that open orders reserve; every verb keeps 0 ≤ reserved ≤ onHand, so nothing
// is ever sold that is not in stock.
package inventory

import (
	"unicode/utf8"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/money"
)

// MaxStock is the most units of one sku that can be on hand.
const MaxStock int64 = 1_000_000_000

// Data is a sku as it is stored. Price is in minor units.
type Data struct {
	Sku        string
	Name       string
	Price      int64
	Categories []string
	OnHand     int64
	Reserved   int64
	MaxPerUser int64 // units that one user may ever hold in live orders; 0 is no limit
	Version    int64 // 0 before it was first saved
}

// Available is what can still be ordered.
func (d *Data) Available() int64 { return d.OnHand - d.Reserved }

// Sku is the aggregate.
type Sku struct {
	event.Recorder
	d Data
}

// New makes a sku that has not been saved yet.
func New(id string) *Sku { return &Sku{d: Data{Sku: id}} }

// Restore makes a sku from what was stored.
func Restore(d Data) *Sku { return &Sku{d: d} }

// Data is the sku's present data.
func (s *Sku) Data() Data { return s.d }

// Definition is what a shop says of a sku. Stock nil leaves the stock alone
// (0 on a new sku).
type Definition struct {
	Name       string
	Price      int64
	Categories []string
	Stock      *int64
	MaxPerUser int64
}

// Define sets the sku's description, price and, if given, its stock on hand.
// Stock below what open orders hold is refused.
func (s *Sku) Define(in Definition) error {
	switch {
	case in.Name == "" || utf8.RuneCountInString(in.Name) > 128:
		return fault.Invalidf("/name", "must have 1 to 128 characters")
	case in.Price < 0 || in.Price > money.Max:
		return fault.Invalidf("/price", "must be from 0 to %d minor units", money.Max)
	case in.MaxPerUser < 0 || in.MaxPerUser > MaxStock:
		return fault.Invalidf("/maxPerUser", "must be from 0 (no limit) to %d", MaxStock)
	case len(in.Categories) > 20:
		return fault.Invalidf("/categories", "at most 20")
	}
	if in.Stock != nil {
		if *in.Stock < 0 || *in.Stock > MaxStock {
			return fault.Invalidf("/stock", "must be from 0 to %d units", MaxStock)
		}
		if *in.Stock < s.d.Reserved {
			return fault.New(fault.OutOfStock, "open orders hold %d units of %s; stock cannot be set below that", s.d.Reserved, s.d.Sku)
		}
		s.adjusted(*in.Stock - s.d.OnHand)
	}
	s.d.Name, s.d.Price, s.d.Categories, s.d.MaxPerUser = in.Name, in.Price, in.Categories, in.MaxPerUser
	return nil
}

// Adjust adds delta units to what is on hand; what open orders hold cannot
// be taken away.
func (s *Sku) Adjust(delta int64) error {
	if delta < -MaxStock || delta > MaxStock || s.d.OnHand+delta > MaxStock {
		return fault.Invalidf("/delta", "stock would pass %d units", MaxStock)
	}
	if s.d.OnHand+delta < s.d.Reserved {
		return fault.New(fault.OutOfStock,
			"%s: %d on hand, %d reserved by open orders; cannot take %d away", s.d.Sku, s.d.OnHand, s.d.Reserved, -delta)
	}
	s.adjusted(delta)
	return nil
}

func (s *Sku) adjusted(delta int64) {
	if delta != 0 {
		s.d.OnHand += delta
		s.Record(event.Event{Type: event.StockAdjusted, Sku: s.d.Sku, Quantity: delta})
	}
}

// Reserve holds units for an order.
func (s *Sku) Reserve(order string, units int64) error {
	if units <= 0 || units > s.d.Available() {
		return fault.New(fault.OutOfStock, "%s: %d requested, %d available", s.d.Sku, units, s.d.Available())
	}
	s.d.Reserved += units
	s.Record(event.Event{Type: event.StockReserved, Order: order, Sku: s.d.Sku, Quantity: units})
	return nil
}

// Release gives back what an order held.
func (s *Sku) Release(order string, units int64) error {
	if units <= 0 || units > s.d.Reserved {
		return fault.New(fault.Internal, "%s: cannot release %d of %d reserved", s.d.Sku, units, s.d.Reserved)
	}
	s.d.Reserved -= units
	s.Record(event.Event{Type: event.StockReleased, Order: order, Sku: s.d.Sku, Quantity: units})
	return nil
}

// Sell takes what an order held out of the stock.
func (s *Sku) Sell(order string, units int64) error {
	if units <= 0 || units > s.d.Reserved {
		return fault.New(fault.Internal, "%s: cannot sell %d of %d reserved", s.d.Sku, units, s.d.Reserved)
	}
	s.d.Reserved -= units
	s.d.OnHand -= units
	s.Record(event.Event{Type: event.StockSold, Order: order, Sku: s.d.Sku, Quantity: units})
	return nil
}

// Return puts units that were sold back on hand. What would pass MaxStock
// stays out.
func (s *Sku) Return(order string, units int64) {
	units = min(units, MaxStock-s.d.OnHand)
	if units <= 0 {
		return
	}
	s.d.OnHand += units
	s.Record(event.Event{Type: event.StockAdjusted, Order: order, Sku: s.d.Sku, Quantity: units, Reason: "refunded"})
}
