package rows

import (
	"time"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/unit"
)

// Promotions are locked to be changed; pricing works with the shop's rules.
var Promotions = unit.Declare(Schema, unit.Spec[pricing.Promotion]{
	Rank: 110, Table: "promotions", Key: "promotion_id",
	Columns: []unit.Column[pricing.Promotion]{
		stored("doc", format.Promotion),
		unit.Text("promotion_id", func(p *pricing.Promotion) *string { return &p.ID }),
		unit.Version("version", func(p *pricing.Promotion) *int64 { return &p.Version }),
	},
})

// Templates are those of coupons. One of which coupons were issued only is
// the same rule as before and stays at its version: only the count goes up.
var Templates = unit.Declare(Schema, unit.Spec[marketing.Template]{
	Rank: 130, Table: "coupon_templates", Key: "template_id",
	Columns: []unit.Column[marketing.Template]{
		stored("doc", format.Template),
		unit.Text("template_id", func(t *marketing.Template) *string { return &t.ID }),
		unit.Int("issued", func(t *marketing.Template) *int64 { return &t.Issued }),
		unit.Version("version", func(t *marketing.Template) *int64 { return &t.Version }),
	},
	Narrow: []unit.Narrow[marketing.Template]{{Columns: []string{"issued"}, When: sameRule, Still: true}},
})

// sameRule says whether a template only had coupons issued of it.
func sameRule(before, after *marketing.Template) bool {
	a, err1 := format.Template.Encode(before)
	b, err2 := format.Template.Encode(after)
	return err1 == nil && err2 == nil && string(a) == string(b)
}

// The kinds of rules in the history.
const (
	OfPromotion = "promotion"
	OfTemplate  = "template"
)

// RuleVersion is what a promotion or template became at a version of the
// shop's rules.
type RuleVersion struct {
	Kind string // OfPromotion or OfTemplate
	marketing.RuleChange
}

// RuleVersions are kept for ever, so that an order can be priced again by the
// rules of its time.
var RuleVersions = unit.Declare(Schema, unit.Spec[RuleVersion]{
	Rank: 190, Table: "rule_history", Appended: true,
	Columns: []unit.Column[RuleVersion]{
		unit.Text("kind", func(r *RuleVersion) *string { return &r.Kind }),
		unit.Text("id", func(r *RuleVersion) *string { return &r.ID }),
		unit.Int("since", func(r *RuleVersion) *int64 { return &r.Since }),
		unit.Int("version", func(r *RuleVersion) *int64 { return &r.Version }),
		unit.Document("doc", encodeRule, decodeRule), // NULL: deleted
		unit.Time("at", func(r *RuleVersion) *time.Time { return &r.At }),
	},
})

func encodeRule(r *RuleVersion) ([]byte, error) { return format.RuleChange.Encode(&r.RuleChange) }

// decodeRule decodes a rule of which the columns before are known.
func decodeRule(b []byte, r *RuleVersion) error {
	if r.Kind == OfTemplate {
		r.Template = &marketing.Template{}
		err := format.RuleChange.Decode(b, &r.RuleChange)
		r.Template.ID, r.Template.Version = r.ID, r.Version
		return err
	}
	r.Promotion = &pricing.Promotion{}
	err := format.RuleChange.Decode(b, &r.RuleChange)
	r.Promotion.ID, r.Promotion.Version = r.ID, r.Version
	return err
}

// Retired is the last version that a promotion of an id had, also of one that
// was deleted.
type Retired struct {
	ID      string
	Version int64
}

// RetiredPromotions are found in the history of the rules.
var RetiredPromotions = unit.Declare(Schema, unit.Spec[Retired]{
	Rank: 120, Table: "retired_promotions", Key: "id", Unlocked: true, Virtual: true,
	Columns: []unit.Column[Retired]{
		unit.Text("id", func(r *Retired) *string { return &r.ID }),
		unit.Int("version", func(r *Retired) *int64 { return &r.Version }),
	},
})
