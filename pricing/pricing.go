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
	Kind string `json:"kind" doc:"fixed_price, bundle, buy_x_get_y, nth_item, n_for_price, percent_off, amount_off, tiered or gift; GET /v1/promotion-kinds describes them"`

	Price        int64          `json:"price,omitempty" doc:"fixed_price, bundle, n_for_price: what a unit or a set costs, in minor units"`
	Items        []BundleItem   `json:"items,omitempty" maxItems:"50" doc:"bundle: what a set has"`
	Buy          int64          `json:"buy,omitempty" doc:"buy_x_get_y: units to buy"`
	Get          int64          `json:"get,omitempty" doc:"buy_x_get_y: units that are then free"`
	N            int64          `json:"n,omitempty" doc:"nth_item, n_for_price: every how many units of one sku, or how many units make a set"`
	PercentOff   *money.Percent `json:"percentOff,omitempty" doc:"nth_item, percent_off: 0 to 100, at most two decimals"`
	MaxDiscount  int64          `json:"maxDiscount,omitempty" doc:"percent_off: at most this much, in minor units; 0 is no limit"`
	Threshold    int64          `json:"threshold,omitempty" doc:"amount_off, gift: the in-scope amount that must be reached, in minor units"`
	AmountOff    int64          `json:"amountOff,omitempty" doc:"amount_off: minor units off"`
	Repeat       bool           `json:"repeat,omitempty" doc:"amount_off: once for every full threshold"`
	Tiers        []Tier         `json:"tiers,omitempty" maxItems:"20" doc:"tiered: by rising threshold"`
	GiftSku      string         `json:"giftSku,omitempty" doc:"gift: what is given" maxLength:"128"`
	GiftQuantity int64          `json:"giftQuantity,omitempty" doc:"gift: how many units of it"`

	Scope          *Scope     `json:"scope,omitempty" doc:"All skus when absent"`
	Priority       int        `json:"priority,omitempty" doc:"Higher goes first"`
	ExclusiveGroup string     `json:"exclusiveGroup,omitempty" doc:"Of one group only the best for the cart applies" maxLength:"64"`
	StartsAt       *time.Time `json:"startsAt,omitempty"`
	EndsAt         *time.Time `json:"endsAt,omitempty" doc:"The first moment at which it no longer applies"`
	UserLevels     []string   `json:"userLevels,omitempty"`
	UserTags       []string   `json:"userTags,omitempty"`
	FirstOrderOnly bool       `json:"firstOrderOnly,omitempty" doc:"Only for a buyer whose earlier orders, if any, were all closed"`
	PerUserLimit   int64      `json:"perUserLimit,omitempty" doc:"At most this many orders of one buyer; 0 is no limit"`
	UsageLimit     int64      `json:"usageLimit,omitempty" doc:"At most this many orders of all buyers; 0 is no limit"`
	Budget         int64      `json:"budget,omitempty" doc:"At most this much discount over all orders, in minor units; 0 is no limit. A discount larger than what is left is not given at all"`
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

// Line is one sku of a cart. Duplicates of one sku are merged before.
type Line struct {
	Sku        string
	Name       string
	Categories []string
	UnitPrice  int64 // minor units
	Quantity   int64
}

// User is what pricing may know of the buyer.
type User struct {
	ID         string
	Level      string
	Tags       []string
	FirstOrder bool // has no earlier order that was not closed
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

	Refused          Reason // "" when it may be used
	Detail, DetailZh string // the text of Refused, in English and Chinese; "": the package's text for the reason
}

// Input is everything that a price depends on. Rules.Needs says what must be
// known of the user, in Usage and in Gifts.
type Input struct {
	Currency string
	Now      time.Time
	User     User
	Lines    []Line // any order; one line a sku
	Rules    *Rules // the shop's promotions, compiled once
	Coupons  []Coupon
	Usage    map[string]Usage // by promotion id: what limited promotions have given so far. Absent: nothing yet
	Gifts    []Gift           // what is known of the skus that gift rules name
	Explain  bool             // say more to people; no amount depends on it
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
	FirstOrderOnly   Reason = "first_order_only"
	UsageLimit       Reason = "usage_limit_reached"
	PerUserLimit     Reason = "per_user_limit_reached"
	BudgetSpent      Reason = "budget_spent" // less is left than the discount
	GiftNotFound     Reason = "gift_not_found"
	GiftOutOfStock   Reason = "gift_out_of_stock"
	TooManyGifts     Reason = "too_many_gifts"
	CouponNotFound   Reason = "coupon_not_found"
	CouponNotYours   Reason = "coupon_not_yours"
	CouponLocked     Reason = "coupon_locked"
	CouponUsed       Reason = "coupon_used"
	CouponExpired    Reason = "coupon_expired"
	CouponRevoked    Reason = "coupon_revoked"
	CouponNotStarted Reason = "coupon_not_started"
)

// Quote is a price with its reasons. Lines are in sku order, then come
// the gifts in the order in which they were given: a sku may have a line of
// each sort, and several gift lines. All of these hold: Total = Σ Lines.Total, Discount = Σ Applied.Amount = Σ Lines.Discount,
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
// coupon's template's beside its Code. Amount and Shares are more than 0, but
// those of a gift that costs nothing.
type Applied struct {
	Source  Source  `json:"source"`
	ID      string  `json:"id"`
	Code    string  `json:"code,omitempty"`
	Name    string  `json:"name"`
	Kind    string  `json:"kind"`
	Version int64   `json:"version"`
	Amount  int64   `json:"amount"`
	Shares  []Share `json:"lines"`

	// What it is for ("2 sets"), if the amount does not say it all and
	// Input.Explain is set.
	Detail   string `json:"detail,omitempty" doc:"In English, only in quotes"`
	DetailZh string `json:"detailZh,omitempty" doc:"In Chinese, only in quotes"`

	// Limited says which counters it moves, by 1 or by Amount; nil is none.
	// It belongs to the Rules: not to be changed.
	Limited *Limited `json:"-"`
}

// Share is a line's part of a discount; Line is an index into Quote.Lines.
type Share struct {
	Line   int   `json:"line"`
	Amount int64 `json:"amount"`
}

// Skipped is a rule that was considered and did not apply. Detail is for
// people ("12.50 more for 满100减10"), DetailZh the same in Chinese; Missing
// is the same as a number of minor units (or units of goods), 0 when nothing
// countable is missing.
type Skipped struct {
	Source   Source `json:"source"`
	ID       string `json:"id"`
	Code     string `json:"code,omitempty"`
	Name     string `json:"name"`
	Version  int64  `json:"version"`
	Reason   Reason `json:"reason"`
	Detail   string `json:"detail" doc:"In English"`
	DetailZh string `json:"detailZh" doc:"In Chinese"`
	Missing  int64  `json:"missing,omitempty"`
}
