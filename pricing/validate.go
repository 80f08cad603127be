package pricing

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/money"
)

// Validate checks a promotion as a client may give it. It returns nil or a
// *fault.Error with code validation_failed whose Fields name every member at
// fault by JSON pointer, not only the first.
func (p *Promotion) Validate() error {
	var f faults
	if p.ID != "" && !validID(p.ID) {
		f.add("/id", "must be 1 to 64 of A-Z a-z 0-9 _ . -")
	}
	f.text("/name", p.Name, 128)
	if k := kindNamed(p.Kind); k == nil {
		f.add("/kind", "must be one of %s", kindNames())
	} else {
		f.parameters(p, k.name, k.uses, everyParameter())
	}
	f.parameters(p, p.Kind, limits, nil)
	f = append(f, ValidateScope("/scope", p.Scope)...)
	if p.ExclusiveGroup != "" {
		f.text("/exclusiveGroup", p.ExclusiveGroup, 64)
	}
	if p.StartsAt != nil && p.EndsAt != nil && !p.EndsAt.After(*p.StartsAt) {
		f.add("/endsAt", "must be after startsAt")
	}
	f.texts("/userLevels", p.UserLevels, 64)
	f.texts("/userTags", p.UserTags, 64)
	return f.err()
}

// ValidateScope checks a scope, which may be nil, and returns the members at
// fault; base is the JSON pointer of the scope itself.
func ValidateScope(base string, s *Scope) []fault.Field {
	if s == nil {
		return nil
	}
	var f faults
	f.texts(base+"/skus", s.Skus, 128)
	f.texts(base+"/categories", s.Categories, 128)
	f.texts(base+"/excludeSkus", s.ExcludeSkus, 128)
	f.texts(base+"/excludeCategories", s.ExcludeCategories, 128)
	return f
}

// ValidateCoupon checks the rule of a coupon template and returns the members
// at fault, by the pointers they have in the template's JSON. Amounts are
// minor units; 0 and nil are what was not given. Unlike a promotion's, a
// coupon's threshold is optional with either kind.
func ValidateCoupon(kind string, amountOff int64, percentOff *money.Percent, maxDiscount, threshold int64, scope *Scope) []fault.Field {
	var f faults
	p := Promotion{
		AmountOff: amountOff, PercentOff: percentOff,
		MaxDiscount: maxDiscount, Threshold: threshold,
	}
	if uses := couponParameters[kind]; uses == nil {
		f.add("/kind", "must be one of amount_off, percent_off")
	} else {
		f.parameters(&p, kind, uses, slices.Concat(couponParameters["amount_off"], couponParameters["percent_off"]))
	}
	return append(f, ValidateScope("/scope", scope)...)
}

// couponParameters are those of a coupon of each kind.
var couponParameters = func() map[string][]parameter {
	threshold := optional(thresholdParameter)
	return map[string][]parameter{
		"amount_off":  {amountOffParameter, threshold},
		"percent_off": {percentOffParameter, maxDiscountParameter, threshold},
	}
}()

// faults gathers the members at fault.
type faults []fault.Field

func (f *faults) add(pointer, format string, args ...any) {
	*f = append(*f, fault.Field{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// parameters checks those that the kind uses, and that no other is given.
func (f *faults) parameters(p *Promotion, kind string, uses, all []parameter) {
	for _, u := range uses {
		if !u.given(p) {
			if u.Required {
				f.add("/"+u.Name, "is required by %s and must not be 0", kind)
			}
		} else {
			u.check(p, f)
		}
	}
	for _, a := range all {
		foreign := !slices.ContainsFunc(uses, func(u parameter) bool { return u.Name == a.Name })
		if foreign && a.given(p) {
			f.add("/"+a.Name, "not a parameter of %s", kind)
		}
	}
}

// within requires a number from least to most.
func (f *faults) within(pointer string, v, least, most int64) {
	if v < least || v > most {
		f.add(pointer, "must be %d to %d", least, most)
	}
}

// percent requires a percentage greater than 0.
func (f *faults) percent(pointer string, v money.Percent) {
	if v <= 0 || v > money.Whole {
		f.add(pointer, "must be more than 0 and at most 100")
	}
}

// text requires 1 to most characters. Control characters are refused because no
// name needs them and PostgreSQL cannot store a NUL.
func (f *faults) text(pointer, s string, most int) {
	switch {
	case strings.TrimSpace(s) == "":
		f.add(pointer, "must not be empty")
	case utf8.RuneCountInString(s) > most:
		f.add(pointer, "must have at most %d characters", most)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		f.add(pointer, "must be UTF-8 without control characters")
	}
}

func (f *faults) texts(pointer string, list []string, most int) {
	const entries = 1000
	if len(list) > entries {
		f.add(pointer, "must have at most %d entries", entries)
		return
	}
	for i, s := range list {
		f.text(fmt.Sprintf("%s/%d", pointer, i), s, most)
	}
}

// err is nil, or one refusal that names them all.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	e := fault.Invalidf(f[0].Pointer, "%s", f[0].Message)
	if more := len(f) - 1; more > 0 {
		e.Message += fmt.Sprintf(" (and %d more, see fields)", more)
	}
	e.Fields = f
	return e
}

// validID says whether s is 1 to 64 of A-Z a-z 0-9 _ . -, which needs no
// escaping in a path.
func validID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}
