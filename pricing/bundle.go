package pricing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-pay/tandem/money"
)

// MaxItems is the most skus that a bundle may have.
const MaxItems = 50

// BundleItem is a sku of a bundle and how many units of it a set has.
type BundleItem struct {
	Sku      string `json:"sku" minLength:"1" maxLength:"128"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000"`
}

// bundle (捆绑): each complete set of the items costs price. There are as many
// sets as the loose units in scope allow; all of them cost the same, since
// every loose unit of a line does. A set that costs no more than price as it
// is stays as it is: a bundle never makes anything dearer.
//
// The discount of all sets together is spread over their lines in proportion
// to what the units that take part cost, by largest remainder.
//
// A bundle is about its items; a scope can only take some of them away, and
// then there is no complete set.
var bundle = kind{
	name:  "bundle",
	title: bilingual{"Bundle", "捆绑"},
	about: bilingual{"each complete set of the items costs `price`; a set that costs less already stays as it is", "每凑齐一套，整套按 `price` 计价；本就不高于此价的不变"},
	step:  stepUnits,
	uses: []parameter{
		{
			ParameterInfo: listInfo("items", MaxItems, bilingual{"items of a set", "套装内容"},
				skuInfo("sku", bilingual{"sku", "商品"}),
				goodsInfo("quantity", 1, MaxQuantity, bilingual{"units in a set", "每套件数"})),
			given: func(p *Promotion) bool { return p.Items != nil },
			check: func(p *Promotion, f *faults) { f.items(p.Items) },
		},
		minorUnits("price", bilingual{"price of a set", "套装价"}, func(p *Promotion) int64 { return p.Price }),
	},
	lists: func(p *Promotion) []string {
		skus := make([]string, len(p.Items))
		for i := range p.Items {
			skus[i] = p.Items[i].Sku
		}
		return skus
	},

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		sets, cost := c.sets(p, in)
		switch {
		case sets == 0:
			return 0, NotEnoughUnits
		case cost <= p.Price:
			return 0, NothingLeft
		}
		return sets * (cost - p.Price), ""
	},

	take: func(c *cart, p *Promotion, in scoped, amount int64) {
		sets, _ := c.sets(p, in)
		weights := c.weights[:len(in)]
		for k, i := range in { // all items are there, in sku order
			l := &c.lines[i]
			units := sets * p.Items[k].Quantity
			weights[k] = units * l.unit
			l.loose -= units
		}
		c.allocate(in, amount)
	},

	explain: func(c *cart, p *Promotion, in scoped, why Reason) lack {
		if why == NothingLeft {
			price := money.FormatYuan(p.Price)
			return lack{bilingual: bilingual{"a set does not cost more than " + price + " as it is", "整套现价不高于" + price + "元"}}
		}
		return c.explainSet(p, in)
	},

	note: func(c *cart, p *Promotion, in scoped) bilingual { return ofSets(c.sets(p, in)) },
}

// sets counts the complete sets in scope, and says what the units of one
// cost. Compile has sorted the items by sku, as the lines are.
func (c *cart) sets(p *Promotion, in scoped) (sets, cost int64) {
	if len(in) < len(p.Items) {
		return 0, 0
	}
	sets = MaxQuantity
	for k, i := range in {
		sets = min(sets, c.lines[i].loose/p.Items[k].Quantity)
	}
	if sets == 0 {
		return 0, 0
	}
	for k, i := range in {
		cost += p.Items[k].Quantity * c.lines[i].unit
	}
	return sets, cost
}

// explainSet says which items the first set still needs.
func (c *cart) explainSet(p *Promotion, in scoped) lack {
	var en, zh []string
	var missing, elsewhere int64
	for _, it := range p.Items {
		name, loose := it.Sku, int64(0)
		if k := slices.IndexFunc(in, func(i uint8) bool { return c.lines[i].given.Sku == it.Sku }); k >= 0 {
			l := &c.lines[in[k]]
			name, loose = l.given.Name, l.loose
			elsewhere += l.given.Quantity - l.loose
		}
		if more := it.Quantity - loose; more > 0 {
			missing += more
			en = append(en, fmt.Sprintf("%d more of %s", more, name))
			zh = append(zh, fmt.Sprintf("%d件%s", more, name))
		}
	}
	detail := bilingual{strings.Join(en, ", ") + " for " + p.Name, "再买" + strings.Join(zh, "、") + "可享" + p.Name}
	return lack{bilingual: detail.elsewhere(elsewhere), missing: missing}
}

// items checks those of a bundle.
func (f *faults) items(items []BundleItem) {
	if len(items) < 1 || len(items) > MaxItems {
		f.add("/items", "must have 1 to %d entries", MaxItems)
		return
	}
	seen := make(map[string]bool, len(items))
	for i, it := range items {
		base := fmt.Sprintf("/items/%d", i)
		f.text(base+"/sku", it.Sku, mostSku)
		if seen[it.Sku] {
			f.add(base+"/sku", "is in the bundle already: say the quantity there")
		}
		seen[it.Sku] = true
		f.within(base+"/quantity", it.Quantity, 1, MaxQuantity)
	}
	if len(items) == 1 && items[0].Quantity == 1 {
		f.add("/items", "must be 2 units at least; what one unit costs is a fixed_price")
	}
}
