package pricing

import (
	"time"

	"github.com/tandem-pay/tandem/money"
)

// Limits on one input. They are checked by Cart building, before any rule.
const (
	MaxLines    = 200
	MaxQuantity = 1_000_000
	MaxCoupons  = 20
)

// Promotion is a rule that applies without a code. The parameters of all
// kinds stand side by side; each kind uses its own and refuses the others'
// (see Validate). It is also the JSON that the API takes and gives.
// Amounts are minor units, times UTC.
type Promotion struct {
	ID   string `json:"id,omitempty" doc:"Made by the server when empty" maxLength:"64"`
	Name string `json:"name" maxLength:"128"`
	Kind string `json:"kind" doc:"fixed_price, percent_off, amount_off or buy_x_get_y"`

	Price       int64          `json:"price,omitempty" doc:"fixed_price: the unit price, in minor units"`
	Buy         int64          `json:"buy,omitempty" doc:"buy_x_get_y: units to buy"`
	Get         int64          `json:"get,omitempty" doc:"buy_x_get_y: units that are then free"`
	PercentOff  *money.Percent `json:"percentOff,omitempty" doc:"percent_off: 0 to 100, at most two decimals"`
	MaxDiscount int64          `json:"maxDiscount,omitempty" doc:"percent_off: at most this much, in minor units; 0 is no limit"`
	Threshold   int64          `json:"threshold,omitempty" doc:"amount_off: the in-scope amount that must be reached, in minor units"`
	AmountOff   int64          `json:"amountOff,omitempty" doc:"amount_off: minor units off"`
	Repeat      bool           `json:"repeat,omitempty" doc:"amount_off: once for every full threshold"`

	Scope          *Scope     `json:"scope,omitempty" doc:"All skus when absent"`
	Priority       int        `json:"priority,omitempty" doc:"Higher goes first"`
	ExclusiveGroup string     `json:"exclusiveGroup,omitempty" doc:"Of one group only the best for the cart applies" maxLength:"64"`
	StartsAt       *time.Time `json:"startsAt,omitempty"`
	EndsAt         *time.Time `json:"endsAt,omitempty" doc:"The first moment at which it no longer applies"`
	UserLevels     []string   `json:"userLevels,omitempty"`
	UserTags       []string   `json:"userTags,omitempty"`
	Active         *bool      `json:"active,omitempty" doc:"True when absent"`

	Version int64 `json:"version,omitempty" readOnly:"true"`
}

// Scope says which lines a rule is about: those whose sku or one of whose
// categories is listed (all lines when both lists are empty), less the
// excluded ones.
type Scope struct {
	Skus              []string `json:"skus,omitempty" maxItems:"1000"`
	Categories        []string `json:"categories,omitempty" maxItems:"1000"`
	ExcludeSkus       []string `json:"excludeSkus,omitempty" maxItems:"1000"`
	ExcludeCategories []string `json:"excludeCategories,omitempty" maxItems:"1000"`
}

// Line is one sku of a cart. Twins of one sku are merged before.
type Line struct {
	Sku        string
	Name       string
	Categories []string
	UnitPrice  int64 // minor units
	Quantity   int64
}

// User is what pricing may know of the buyer.
type User struct {
	ID    string
	Level string
	Tags  []string
}

// Coupon is a code that the buyer wants to use, with the rule of its
// template. Whether the code may be used at all (whose it is, its state and
// its dates) is marketing's to say: it sets Refused to the reason if not.
type Coupon struct {
	Code       string
	TemplateID string
	Name       string
	Version    int64

	Kind        string // amount_off or percent_off
	AmountOff   int64
	PercentOff  money.Percent
	MaxDiscount int64
	Threshold   int64
	Scope       *Scope
	Stackable   bool
	ValidUntil  time.Time // the first moment at which it is no longer valid; zero never ends

	Refused Reason // "" when it may be used
	Detail  string // said beside Refused
}

// Input is everything that a price depends on.
type Input struct {
	Currency string
	Now      time.Time
	User     User
	Lines    []Line // any order; one line a sku
	Rules    *Rules // the shop's promotions, compiled once
	Coupons  []Coupon
}

// Source says what kind of rule gave a discount.
type Source string

// The sources.
const (
	FromPromotion Source = "promotion"
	FromCoupon    Source = "coupon"
)

// Reason is why a considered rule did not apply: a stable code.
type Reason string

// The reasons.
const (
	NotActive        Reason = "not_active"
	NotStarted       Reason = "not_started"
	Ended            Reason = "ended"
	UserNotEligible  Reason = "user_not_eligible"
	NothingInScope   Reason = "nothing_in_scope"
	ThresholdNotMet  Reason = "threshold_not_met"
	NotEnoughUnits   Reason = "not_enough_units"
	NothingLeft      Reason = "nothing_left_to_discount"
	LostToBetter     Reason = "exclusive_group" // another of its group gives more
	NotStackable     Reason = "not_stackable"   // a second coupon that does not combine
	CouponNotFound   Reason = "coupon_not_found"
	CouponNotYours   Reason = "coupon_not_yours"
	CouponLocked     Reason = "coupon_locked"
	CouponUsed       Reason = "coupon_used"
	CouponExpired    Reason = "coupon_expired"
	CouponRevoked    Reason = "coupon_revoked"
	CouponNotStarted Reason = "coupon_not_started"
)

// Quote is a price with its reasons. Lines are in sku order. All of these
// hold: Total = Σ Lines.Total, Discount = Σ Applied.Amount = Σ Lines.Discount,
// Payable = Total - Discount ≥ 0, and each Applied.Amount = Σ of its Shares.
type Quote struct {
	Currency string      `json:"currency"`
	Total    int64       `json:"totalAmount"`
	Discount int64       `json:"discountAmount"`
	Payable  int64       `json:"payableAmount"`
	Lines    []QuoteLine `json:"items"`
	Applied  []Applied   `json:"appliedDiscounts"`
	Skipped  []Skipped   `json:"skippedDiscounts"`
}

// QuoteLine is one line with its share of every discount.
type QuoteLine struct {
	Sku       string `json:"sku"`
	Name      string `json:"name"`
	Quantity  int64  `json:"quantity"`
	UnitPrice int64  `json:"unitPrice"`
	Total     int64  `json:"totalAmount"`
	Discount  int64  `json:"discountAmount"`
	Payable   int64  `json:"payableAmount"`
	Gift      bool   `json:"gift"`
}

// Applied is one discount that was taken. ID is the promotion's, or the
// coupon's template's beside its Code.
type Applied struct {
	Source  Source  `json:"source"`
	ID      string  `json:"id"`
	Code    string  `json:"code,omitempty"`
	Name    string  `json:"name"`
	Kind    string  `json:"kind"`
	Version int64   `json:"version"`
	Amount  int64   `json:"amount"`
	Shares  []Share `json:"lines"`
}

// Share is a line's part of a discount; Line is an index into Quote.Lines.
type Share struct {
	Line   int   `json:"line"`
	Amount int64 `json:"amount"`
}

// Skipped is a rule that was considered and did not apply. Detail is for
// people ("12.50 more for 满100减10"); Missing is the same as a number of
// minor units (or units of goods), 0 when nothing countable is missing.
type Skipped struct {
	Source  Source `json:"source"`
	ID      string `json:"id"`
	Code    string `json:"code,omitempty"`
	Name    string `json:"name"`
	Reason  Reason `json:"reason"`
	Detail  string `json:"detail"`
	Missing int64  `json:"missing,omitempty"`
}
