package format

import (
	"time"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
)

// Promotion is promotions.doc: all of a promotion but its version, which has a
// column.
var Promotion = object("promotions.doc",
	func(p *pricing.Promotion) *promotion {
		s := promotionOf(p)
		s.Version = 0
		return &s
	},
	func(s *promotion, p *pricing.Promotion) { *p = s.restore() })

// Template is coupon_templates.doc: all of a coupon template but its version,
// and how many coupons it has issued, which have columns.
var Template = object("coupon_templates.doc",
	func(t *marketing.Template) *template {
		s := templateOf(t)
		s.Issued, s.Version = 0, 0
		return &s
	},
	func(s *template, t *marketing.Template) { *t = s.restore() })

// RuleChange is rule_history.doc: the rule as it became, NULL where a
// promotion was deleted. Which of the two it is stands in a column: Decode
// fills in the one that is not nil, and sets neither if the column is NULL.
var RuleChange = Doc[marketing.RuleChange]{
	Name: "rule_history.doc",
	Encode: func(c *marketing.RuleChange) ([]byte, error) {
		switch {
		case c.Template != nil:
			return Template.Encode(c.Template)
		case c.Promotion != nil:
			return Promotion.Encode(c.Promotion)
		}
		return nil, nil
	},
	Decode: func(b []byte, c *marketing.RuleChange) error {
		switch {
		case b == nil:
			c.Template, c.Promotion = nil, nil
		case c.Template != nil:
			return Template.Decode(b, c.Template)
		case c.Promotion != nil:
			return Promotion.Decode(b, c.Promotion)
		}
		return nil
	},
}

type promotion struct {
	version
	ID             string         `json:"id,omitempty"`
	Name           string         `json:"name"`
	Kind           string         `json:"kind"`
	Price          int64          `json:"price,omitempty"`
	Items          []bundleItem   `json:"items,omitempty"`
	Buy            int64          `json:"buy,omitempty"`
	Get            int64          `json:"get,omitempty"`
	N              int64          `json:"n,omitempty"`
	PercentOff     *money.Percent `json:"percentOff,omitempty"`
	MaxDiscount    int64          `json:"maxDiscount,omitempty"`
	Threshold      int64          `json:"threshold,omitempty"`
	AmountOff      int64          `json:"amountOff,omitempty"`
	Repeat         bool           `json:"repeat,omitempty"`
	Tiers          []tier         `json:"tiers,omitempty"`
	GiftSku        string         `json:"giftSku,omitempty"`
	GiftQuantity   int64          `json:"giftQuantity,omitempty"`
	Scope          *scope         `json:"scope,omitempty"`
	Priority       int            `json:"priority,omitempty"`
	ExclusiveGroup string         `json:"exclusiveGroup,omitempty"`
	StartsAt       *time.Time     `json:"startsAt,omitempty"`
	EndsAt         *time.Time     `json:"endsAt,omitempty"`
	UserLevels     []string       `json:"userLevels,omitempty"`
	UserTags       []string       `json:"userTags,omitempty"`
	FirstOrderOnly bool           `json:"firstOrderOnly,omitempty"`
	PerUserLimit   int64          `json:"perUserLimit,omitempty"`
	UsageLimit     int64          `json:"usageLimit,omitempty"`
	Budget         int64          `json:"budget,omitempty"`
	Active         *bool          `json:"active,omitempty"`
	Version        int64          `json:"version,omitempty"`
}

func promotionOf(p *pricing.Promotion) promotion {
	return promotion{
		ID: p.ID, Name: p.Name, Kind: p.Kind, Price: p.Price, Items: each(p.Items, bundleItemOf), Buy: p.Buy, Get: p.Get, N: p.N,
		PercentOff: p.PercentOff, MaxDiscount: p.MaxDiscount, Threshold: p.Threshold, AmountOff: p.AmountOff, Repeat: p.Repeat,
		Tiers: each(p.Tiers, tierOf), GiftSku: p.GiftSku, GiftQuantity: p.GiftQuantity, Scope: some(p.Scope, scopeOf), Priority: p.Priority,
		ExclusiveGroup: p.ExclusiveGroup, StartsAt: p.StartsAt, EndsAt: p.EndsAt, UserLevels: p.UserLevels, UserTags: p.UserTags,
		FirstOrderOnly: p.FirstOrderOnly, PerUserLimit: p.PerUserLimit,
		UsageLimit: p.UsageLimit, Budget: p.Budget, Active: p.Active, Version: p.Version,
	}
}

func (s *promotion) restore() pricing.Promotion {
	return pricing.Promotion{
		ID: s.ID, Name: s.Name, Kind: s.Kind, Price: s.Price, Items: each(s.Items, (*bundleItem).restore), Buy: s.Buy, Get: s.Get, N: s.N,
		PercentOff: s.PercentOff, MaxDiscount: s.MaxDiscount, Threshold: s.Threshold, AmountOff: s.AmountOff, Repeat: s.Repeat,
		Tiers: each(s.Tiers, (*tier).restore), GiftSku: s.GiftSku, GiftQuantity: s.GiftQuantity,
		Scope: some(s.Scope, (*scope).restore), Priority: s.Priority,
		ExclusiveGroup: s.ExclusiveGroup, StartsAt: s.StartsAt, EndsAt: s.EndsAt, UserLevels: s.UserLevels, UserTags: s.UserTags,
		FirstOrderOnly: s.FirstOrderOnly, PerUserLimit: s.PerUserLimit,
		UsageLimit: s.UsageLimit, Budget: s.Budget, Active: s.Active, Version: s.Version,
	}
}

type bundleItem struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

func bundleItemOf(i *pricing.BundleItem) bundleItem { return bundleItem(*i) }
func (i *bundleItem) restore() pricing.BundleItem   { return pricing.BundleItem(*i) }

type tier struct {
	Threshold  int64          `json:"threshold"`
	AmountOff  int64          `json:"amountOff,omitempty"`
	PercentOff *money.Percent `json:"percentOff,omitempty"`
}

func tierOf(t *pricing.Tier) tier     { return tier(*t) }
func (t *tier) restore() pricing.Tier { return pricing.Tier(*t) }

type scope struct {
	Skus              []string `json:"skus,omitempty"`
	Categories        []string `json:"categories,omitempty"`
	ExcludeSkus       []string `json:"excludeSkus,omitempty"`
	ExcludeCategories []string `json:"excludeCategories,omitempty"`
}

func scopeOf(s *pricing.Scope) scope    { return scope(*s) }
func (s *scope) restore() pricing.Scope { return pricing.Scope(*s) }

type template struct {
	version
	ID             string         `json:"id,omitempty"`
	Name           string         `json:"name"`
	Kind           string         `json:"kind"`
	AmountOff      int64          `json:"amountOff,omitempty"`
	PercentOff     *money.Percent `json:"percentOff,omitempty"`
	MaxDiscount    int64          `json:"maxDiscount,omitempty"`
	Threshold      int64          `json:"threshold,omitempty"`
	Scope          *scope         `json:"scope,omitempty"`
	ValidFrom      *time.Time     `json:"validFrom,omitempty"`
	ValidUntil     *time.Time     `json:"validUntil,omitempty"`
	ValidDays      int            `json:"validDays,omitempty"`
	Supply         int64          `json:"supply,omitempty"`
	PerUserLimit   int64          `json:"perUserLimit,omitempty"`
	Claimable      *bool          `json:"claimable,omitempty"`
	Stackable      bool           `json:"stackable,omitempty"`
	ReturnOnRefund bool           `json:"returnOnRefund,omitempty"`
	Issued         int64          `json:"issued"`
	Version        int64          `json:"version,omitempty"`
}

func templateOf(t *marketing.Template) template {
	return template{
		ID: t.ID, Name: t.Name, Kind: t.Kind, AmountOff: t.AmountOff,
		PercentOff: t.PercentOff, MaxDiscount: t.MaxDiscount, Threshold: t.Threshold,
		Scope: some(t.Scope, scopeOf), ValidFrom: t.ValidFrom, ValidUntil: t.ValidUntil, ValidDays: t.ValidDays, Supply: t.Supply,
		PerUserLimit: t.PerUserLimit, Claimable: t.Claimable, Stackable: t.Stackable,
		ReturnOnRefund: t.ReturnOnRefund, Issued: t.Issued, Version: t.Version,
	}
}

func (s *template) restore() marketing.Template {
	return marketing.Template{
		ID: s.ID, Name: s.Name, Kind: s.Kind, AmountOff: s.AmountOff,
		PercentOff: s.PercentOff, MaxDiscount: s.MaxDiscount, Threshold: s.Threshold,
		Scope: some(s.Scope, (*scope).restore), ValidFrom: s.ValidFrom, ValidUntil: s.ValidUntil, ValidDays: s.ValidDays, Supply: s.Supply,
		PerUserLimit: s.PerUserLimit, Claimable: s.Claimable, Stackable: s.Stackable,
		ReturnOnRefund: s.ReturnOnRefund, Issued: s.Issued, Version: s.Version,
	}
}
