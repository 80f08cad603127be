package pricing

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-pay/tandem/money"
)

// Limits on gifts.
const (
	MaxGiftQuantity = 1000 // units that one rule gives
	MaxGiftLines    = 20   // gift lines of one quote
)

// gift (满赠): when what the lines in scope have left reaches the threshold,
// giftQuantity units of giftSku are added: a line after the bought ones, all
// of whose value at list price is discount. In an exclusive group, and against
// a budget, it counts with that value; a gift that costs nothing is given too.
//
// Gifts of one sku, and bought units of it, share what can be had. A gift that
// cannot be had in full is not given, and the order goes through without it.
// A gift line is in no rule's scope.
var gift = kind{
	name:  "gift",
	title: bilingual{"Gift", "满赠"},
	about: bilingual{"from `threshold` on, `giftQuantity` of `giftSku` are added for nothing, as long as they are in stock", "满 `threshold` 赠送 `giftQuantity` 件 `giftSku`，赠完即止"},
	step:  stepOrder,
	uses: []parameter{
		thresholdParameter,
		{
			ParameterInfo: skuInfo("giftSku", bilingual{"gift", "赠品"}),
			given:         func(p *Promotion) bool { return p.GiftSku != "" },
			check:         func(p *Promotion, f *faults) { f.text("/giftSku", p.GiftSku, mostSku) },
		},
		number(goodsInfo("giftQuantity", 1, MaxGiftQuantity, bilingual{"units of the gift", "赠送件数"}),
			func(p *Promotion) int64 { return p.GiftQuantity }),
	},
	gives: func(p *Promotion) (string, int64) { return p.GiftSku, p.GiftQuantity },

	discount: func(c *cart, p *Promotion, in scoped) (int64, Reason) {
		if c.left(in) < p.Threshold {
			return 0, ThresholdNotMet
		}
		g := c.gift(p.GiftSku)
		if g == nil {
			return 0, GiftNotFound
		}
		if c.available(g) < p.GiftQuantity {
			return 0, GiftOutOfStock
		}
		value, err := money.Mul(g.UnitPrice, p.GiftQuantity)
		if err == nil {
			_, err = money.Add(value, c.total())
		}
		if err != nil || len(c.given) == MaxGiftLines {
			return 0, TooManyGifts
		}
		return value, ""
	},

	explain: func(c *cart, p *Promotion, in scoped, why Reason) lack {
		switch why {
		case GiftNotFound:
			return lack{bilingual: bilingual{"there is no sku " + p.GiftSku + " to give", "没有赠品" + p.GiftSku}}
		case GiftOutOfStock:
			g := c.gift(p.GiftSku)
			left, of := strconv.FormatInt(c.available(g), 10), strconv.FormatInt(p.GiftQuantity, 10)
			return lack{bilingual: bilingual{
				"of " + g.Name + " " + left + " are left, and it would take " + of,
				"赠品" + g.Name + "仅余" + left + "件，不足" + of + "件",
			}}
		case TooManyGifts:
			return lack{bilingual: bilingual{
				"one order has at most " + strconv.Itoa(MaxGiftLines) + " gifts, and comes to at most " + money.FormatYuan(money.Max),
				"每单至多" + strconv.Itoa(MaxGiftLines) + "份赠品，合计至多" + money.FormatYuan(money.Max) + "元",
			}}
		default:
			return c.explainThreshold(p, p.Threshold, in)
		}
	},

	note: func(c *cart, p *Promotion, _ scoped) bilingual {
		units, name := strconv.FormatInt(p.GiftQuantity, 10), c.gift(p.GiftSku).Name
		return bilingual{units + " × " + name, "赠" + name + units + "件"}
	},
}

// gift is what is known of a sku; nil when nothing is.
func (c *cart) gift(sku string) *Gift {
	k := slices.IndexFunc(c.gifts, func(g Gift) bool { return g.Sku == sku && g.UnitPrice >= 0 })
	if k < 0 {
		return nil
	}
	return &c.gifts[k]
}

// available is how much there is of a gift after what was bought of it and
// given already; never less than 0.
func (c *cart) available(g *Gift) int64 {
	left := g.Available
	bySku := func(l cartLine, sku string) int { return strings.Compare(l.given.Sku, sku) }
	if k, bought := slices.BinarySearchFunc(c.lines, g.Sku, bySku); bought {
		left -= c.lines[k].given.Quantity
	}
	for i := range c.given {
		if c.given[i].Sku == g.Sku {
			left -= c.given[i].Quantity
		}
	}
	return max(0, left)
}

// total is what all lines come to at list price, gifts included.
func (c *cart) total() int64 {
	var sum int64
	for i := range c.lines {
		sum += c.lines[i].total
	}
	for i := range c.given {
		sum += c.given[i].Total
	}
	return sum
}

// give adds the line of a gift and returns its place in the quote.
func (c *cart) give(sku string, quantity, value int64) int {
	g := c.gift(sku)
	c.given = append(c.given, QuoteLine{
		Sku: sku, Name: g.Name, Quantity: quantity, UnitPrice: g.UnitPrice,
		Total: value, Discount: value, Gift: true,
	})
	return len(c.lines) + len(c.given) - 1
}
