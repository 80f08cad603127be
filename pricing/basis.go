package pricing

import "time"

// Basis is what a price was computed from beside what its quote says itself
// (lines, coupons, currency). With the shop's rules at the version that it
// names it gives the same price again, at any later time: what was true then
// of the buyer, of limits and of gifts stands in it.
type Basis struct {
	Rules      int64               `json:"rules"` // version of the shop's rules
	At         time.Time           `json:"at"`    // UTC
	Level      string              `json:"level,omitempty"`
	Tags       []string            `json:"tags,omitempty"`
	FirstOrder bool                `json:"firstOrder,omitempty"`
	Categories map[string][]string `json:"categories,omitempty"` // by sku; without those that are in none
	Usage      map[string]Usage    `json:"usage,omitempty"`
	Gifts      []Gift              `json:"gifts,omitempty"`
}

// BasisOf keeps what the input was, and the version of the shop's rules.
func BasisOf(in *Input, rules int64) *Basis {
	b := &Basis{
		Rules: rules, At: in.Now, Level: in.User.Level, Tags: in.User.Tags, FirstOrder: in.User.FirstOrder,
		Usage: in.Usage, Gifts: in.Gifts,
	}
	for i := range in.Lines {
		if l := &in.Lines[i]; len(l.Categories) > 0 {
			if b.Categories == nil {
				b.Categories = make(map[string][]string, len(in.Lines))
			}
			b.Categories[l.Sku] = l.Categories
		}
	}
	return b
}

// Input is what the price of these lines was computed from. The lines are a
// quote's; its gifts are left out, for they came of the rules. Coupons stand
// in the order in which they were given.
func (b *Basis) Input(currency, user string, lines []QuoteLine, rules *Rules, coupons []Coupon) Input {
	in := Input{
		Currency: currency, Now: b.At,
		User:  User{ID: user, Level: b.Level, Tags: b.Tags, FirstOrder: b.FirstOrder},
		Lines: make([]Line, 0, len(lines)), Rules: rules, Coupons: coupons, Usage: b.Usage, Gifts: b.Gifts,
	}
	for i := range lines {
		if l := &lines[i]; !l.Gift {
			in.Lines = append(in.Lines, Line{
				Sku: l.Sku, Name: l.Name, Categories: b.Categories[l.Sku], UnitPrice: l.UnitPrice, Quantity: l.Quantity,
			})
		}
	}
	return in
}
