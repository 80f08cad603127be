package format

import (
	"time"

	"github.com/tandem-pay/tandem/pricing"
)

// basis is what an order's price was computed from.
type basis struct {
	Rules      int64               `json:"rules"`
	At         time.Time           `json:"at"`
	Level      string              `json:"level,omitempty"`
	Tags       []string            `json:"tags,omitempty"`
	FirstOrder bool                `json:"firstOrder,omitempty"`
	Categories map[string][]string `json:"categories,omitempty"`
	Usage      map[string]usage    `json:"usage,omitempty"`
	Gifts      []gift              `json:"gifts,omitempty"`
}

func (s *basis) restore() pricing.Basis {
	b := pricing.Basis{
		Rules: s.Rules, At: s.At, Level: s.Level, Tags: s.Tags, FirstOrder: s.FirstOrder,
		Categories: s.Categories, Gifts: each(s.Gifts, (*gift).restore),
	}
	if s.Usage != nil {
		b.Usage = make(map[string]pricing.Usage, len(s.Usage))
		for id, u := range s.Usage {
			b.Usage[id] = pricing.Usage(u)
		}
	}
	return b
}

func appendBasis(o *out, b *pricing.Basis) {
	o.begin('{')
	o.numberOf("rules", b.Rules)
	o.momentOf("at", b.At)
	o.textAny("level", b.Level)
	if len(b.Tags) > 0 {
		o.textsAny("tags", b.Tags)
	}
	o.flagAny("firstOrder", b.FirstOrder)
	if len(b.Categories) > 0 {
		mapOf(o, "categories", b.Categories, (*out).texts)
	}
	if len(b.Usage) > 0 {
		mapOf(o, "usage", b.Usage, func(o *out, u pricing.Usage) {
			o.begin('{')
			o.numberAny("uses", u.Uses)
			o.numberAny("byUser", u.ByUser)
			o.numberAny("spent", u.Spent)
			o.end('}')
		})
	}
	if len(b.Gifts) > 0 {
		listOf(o, "gifts", b.Gifts, func(o *out, g *pricing.Gift) {
			o.textOf("sku", g.Sku)
			o.textOf("name", g.Name)
			o.numberOf("unitPrice", g.UnitPrice)
			o.numberOf("available", g.Available)
		})
	}
	o.end('}')
}

// usage is what a limited promotion had given.
type usage struct {
	Uses   int64 `json:"uses,omitempty"`
	ByUser int64 `json:"byUser,omitempty"`
	Spent  int64 `json:"spent,omitempty"`
}

type gift struct {
	Sku       string `json:"sku"`
	Name      string `json:"name"`
	UnitPrice int64  `json:"unitPrice"`
	Available int64  `json:"available"`
}

func (g *gift) restore() pricing.Gift { return pricing.Gift(*g) }
