// Package marketing holds coupons, from template to use, and the snapshot of
// a shop's rules that pricing works with. It promises that a coupon is in
// exactly one state and is used for at most one order.
package marketing

import (
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
)

// Template is the rule that coupons are issued from. It is also the JSON
// that the API takes and gives. Amounts are minor units, times UTC.
type Template struct {
	ID          string         `json:"id,omitempty" doc:"Made by the server when empty" maxLength:"64"`
	Name        string         `json:"name" maxLength:"128"`
	Kind        string         `json:"kind" enum:"amount_off,percent_off"`
	AmountOff   int64          `json:"amountOff,omitempty" doc:"amount_off: minor units off"`
	PercentOff  *money.Percent `json:"percentOff,omitempty" doc:"percent_off: up to 100, at most two decimals"`
	MaxDiscount int64          `json:"maxDiscount,omitempty" doc:"percent_off: at most this much, in minor units; 0 is no limit"`
	Threshold   int64          `json:"threshold,omitempty" doc:"The in-scope amount that must be reached, in minor units"`
	Scope       *pricing.Scope `json:"scope,omitempty" doc:"All skus when absent"`
	ValidFrom   *time.Time     `json:"validFrom,omitempty"`
	ValidUntil  *time.Time     `json:"validUntil,omitempty" doc:"The first moment at which it is no longer valid"`
	ValidDays   int            `json:"validDays,omitempty" doc:"Days from issue, or from validFrom if that is later; the earlier of this and validUntil ends it"`
	Supply      int64          `json:"supply,omitempty" doc:"Coupons that may be issued in all; 0 is no limit. Whether there is a limit is settled when the template is made, how high it is can change"`

	PerUserLimit   int64 `json:"perUserLimit,omitempty" doc:"Coupons of this template that one user may be given; 0 is no limit. Settled and changed as supply is"`
	Claimable      *bool `json:"claimable,omitempty" doc:"True when absent: users may claim it (领券), from validFrom to validUntil; otherwise only the shop gives it out"`
	Stackable      bool  `json:"stackable,omitempty" doc:"Combines with other coupons"`
	ReturnOnRefund bool  `json:"returnOnRefund,omitempty" doc:"A full refund gives the coupon back"`

	Issued  int64 `json:"issued" readOnly:"true" doc:"Coupons issued so far"`
	Version int64 `json:"version,omitempty" readOnly:"true"`
}

// Validate names every field at fault by JSON pointer.
func (t *Template) Validate() error {
	fields := pricing.ValidateCoupon(t.Kind, t.AmountOff, t.PercentOff, t.MaxDiscount, t.Threshold, t.Scope)
	bad := func(pointer, message string) {
		fields = append(fields, fault.Field{Pointer: pointer, Message: message})
	}
	if t.Name == "" || utf8.RuneCountInString(t.Name) > 128 {
		bad("/name", "must have 1 to 128 characters")
	}
	if t.ValidFrom != nil && t.ValidUntil != nil && !t.ValidFrom.Before(*t.ValidUntil) {
		bad("/validUntil", "must be after validFrom")
	}
	if t.ValidDays < 0 || t.ValidDays > 3650 {
		bad("/validDays", "must be from 0 to 3650")
	}
	if t.Supply < 0 || t.Supply > 1_000_000_000 {
		bad("/supply", "must be from 0 (no limit) to 1000000000")
	}
	if t.PerUserLimit < 0 || t.PerUserLimit > 1_000_000 {
		bad("/perUserLimit", "must be from 0 (no limit) to 1000000")
	}
	if len(fields) > 0 {
		err := fault.New(fault.ValidationFailed, "the coupon template has %d fields at fault", len(fields))
		err.Fields = fields
		return err
	}
	return nil
}

// CanBecome says whether next may take the template's place. What has no
// limit is not counted, so that it costs nothing; to count from the middle on
// would be wrong, so a limit is neither added nor taken away.
func (t *Template) CanBecome(next *Template) error {
	for _, l := range []struct {
		pointer    string
		was, would int64
	}{{"/supply", t.Supply, next.Supply}, {"/perUserLimit", t.PerUserLimit, next.PerUserLimit}} {
		switch {
		case l.was == 0 && l.would != 0:
			return fault.Invalidf(l.pointer, "template %s was made without this limit, and what was issued is not counted; make another template", t.ID)
		case l.was != 0 && l.would == 0:
			return fault.Invalidf(l.pointer, "template %s was made with this limit (now %d): it can be raised or lowered, not taken away", t.ID, l.was)
		}
	}
	return nil
}

// Open says why no more coupons of the template can be issued now; "" if they
// can. A claim by a user must also fall within its dates and be allowed.
func (t *Template) Open(claim bool, now time.Time) string {
	switch {
	case t.ValidUntil != nil && !now.Before(*t.ValidUntil):
		return "it ended at " + t.ValidUntil.UTC().Format(time.RFC3339)
	case claim && t.Claimable != nil && !*t.Claimable:
		return "it cannot be claimed; the shop gives it out"
	case claim && t.ValidFrom != nil && now.Before(*t.ValidFrom):
		return "it can be claimed from " + t.ValidFrom.UTC().Format(time.RFC3339)
	}
	return ""
}

// Priced is the coupon in the form that pricing takes, with the reason if the user
// cannot use it now.
func (t *Template) Priced(c *CouponData, user string, now time.Time) pricing.Coupon {
	p := pricing.Coupon{
		Code: c.Code, TemplateID: t.ID, Name: t.Name, Version: t.Version,
		Kind: t.Kind, AmountOff: t.AmountOff, MaxDiscount: t.MaxDiscount,
		Threshold: t.Threshold, Scope: t.Scope, Stackable: t.Stackable, ValidUntil: c.ValidUntil,
	}
	if t.PercentOff != nil {
		p.PercentOff = *t.PercentOff
	}
	p.Refused, p.Detail = c.Usable(user, now)
	return p
}

// MaxCode is the most characters that a code has.
const MaxCode = 64

var codeShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckCode refuses a coupon code that is not 1–64 letters, digits, _ or -.
func CheckCode(pointer, code string) error {
	if !codeShape.MatchString(code) {
		return fault.Invalidf(pointer, "a code has 1 to 64 letters, digits, _ or -")
	}
	return nil
}

// Rules is a shop's promotions and templates at one version: an immutable
// snapshot, never half of a change.
type Rules struct {
	Version    int64
	Promotions *pricing.Rules
	Templates  map[string]*Template
}

// NewRules makes the snapshot.
func NewRules(version int64, promotions []pricing.Promotion, templates []Template) *Rules {
	r := &Rules{Version: version, Promotions: pricing.Compile(promotions), Templates: make(map[string]*Template, len(templates))}
	for i := range templates {
		r.Templates[templates[i].ID] = &templates[i]
	}
	return r
}
