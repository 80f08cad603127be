package backtest

import (
	"time"

	"github.com/tandem-pay/tandem/pricing"
)

// Report is what a promotion would have done to a period's orders.
// Amounts are minor units. Unless it says otherwise, a number is about the
// orders that are paid now: money that went back in full, or never came, cost
// nothing.
type Report struct {
	Shop      string            `json:"shop"`
	Currency  string            `json:"currency"`
	Promotion pricing.Promotion `json:"promotion"`
	From      string            `json:"from"` // the first day
	To        string            `json:"to"`   // the last day
	Zone      string            `json:"zone"`

	Orders  Split            `json:"orders"`  // priced again
	Skipped map[string]int64 `json:"skipped"` // orders that were not, by reason: noBasis, otherCurrency, noPrice
	Touched Split            `json:"touched"` // orders that would have come out otherwise

	Cost     int64        `json:"cost"`     // how much less would have been paid in sum
	Exposure int64        `json:"exposure"` // the same over all touched orders, whatever became of them
	Given    int64        `json:"given"`    // what the promotion itself takes off; a gift at its list price
	Less     Group        `json:"less"`     // orders that would have cost their buyers less, and how much
	More     Group        `json:"more"`     // and more: a discount can take the amount below another's threshold
	MoreBy   []RuleEffect `json:"moreBy"`   // the rules that the latter would have lost, or had less of
	Extra    Spread       `json:"extra"`    // how much less a touched order would have cost

	Buyers    int64   `json:"buyers"` // of touched orders
	Levels    []Group `json:"levels"` // by the buyer's level, "" is none
	First     Group   `json:"first"`  // first orders of their buyers, see firstOrderOnly
	Returning Group   `json:"returning"`
	Top       []Group `json:"top"` // the ten buyers who would have gained most

	Conflicts []RuleEffect `json:"conflicts"` // live rules that would have given less than they did
	Coupons   Refusals     `json:"coupons"`   // that would not have applied
	Replaces  *Replaced    `json:"replaces"`  // the live promotion that had the promotion's id; null is none

	// About all orders that were placed, as limits count them: what closed
	// orders had counted is given back.
	Limits []LimitUse `json:"limits"`
	Days   []Day      `json:"days"`

	GiftAssumed bool `json:"giftAssumed"` // the promotion's gift was taken to be in stock, at today's price
}

// Split counts orders by what has become of them.
type Split struct {
	All      int64 `json:"all"`
	Paid     int64 `json:"paid"`
	Refunded int64 `json:"refunded"` // in full
	Closed   int64 `json:"closed"`
	Open     int64 `json:"open"`
}

// Group is touched orders of one sort, and how much less they would
// have cost in sum.
type Group struct {
	Name   string `json:"name,omitempty"`
	Orders int64  `json:"orders"`
	Amount int64  `json:"amount"`
}

// Spread says how amounts are spread: half of them are at most P50,
// nine in ten at most P90.
type Spread struct {
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
	Max int64 `json:"max"`
}

// RuleEffect is a live promotion, or a coupon template, that would have given
// less. Lost are those of the orders to which it would not have applied at
// all, Reasons why.
type RuleEffect struct {
	Source  pricing.Source           `json:"source"`
	ID      string                   `json:"id"`
	Name    string                   `json:"name"`
	Orders  int64                    `json:"orders"`
	Lost    int64                    `json:"lost"`
	Amount  int64                    `json:"amount"` // that it would have given less
	Reasons map[pricing.Reason]int64 `json:"reasons"`
}

// Refusals are coupons that would no longer have applied. Their
// orders would have been refused with them, and are counted as if the buyer
// had gone on without.
type Refusals struct {
	Orders  int64 `json:"orders"`
	Coupons int64 `json:"coupons"`
	Amount  int64 `json:"amount"` // that they gave
}

// Replaced is the live promotion in whose place the tested one was put.
type Replaced struct {
	Versions []int64 `json:"versions"` // those that orders were priced by
	Orders   int64   `json:"orders"`   // to which it applied
	Amount   int64   `json:"amount"`   // that it gave
}

// LimitUse is one of the promotion's limits.
type LimitUse struct {
	Limit   string `json:"limit"` // usageLimit, perUserLimit or budget
	Of      int64  `json:"of"`
	Used    int64  `json:"used"`      // by the period's orders at its end; -1 of perUserLimit
	Reached string `json:"reachedOn"` // the day on which there was not enough left; "" is none
	Refused int64  `json:"refused"`   // orders that had nothing of it for this limit
}

// Day is one day. Orders, Given, Returned and Spent are about all
// orders, Touched and Cost about paid ones.
type Day struct {
	Day      string `json:"day"`
	Orders   int64  `json:"orders"` // placed
	Touched  int64  `json:"touched"`
	Cost     int64  `json:"cost"`
	Given    int64  `json:"given"`    // what the promotion takes off orders placed on the day
	Returned int64  `json:"returned"` // of what it gave, by orders that closed on the day
	Spent    int64  `json:"spent"`    // given less returned since the first day: what a budget would have burnt

	ends time.Time
}
