package pricing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/money"
)

// cart is the state of one pricing: the lines in sku order, and what has been
// taken off them so far.
type cart struct {
	lines []cartLine
	every scoped // all lines

	user  User
	usage map[string]Usage
	gifts []Gift

	explain bool
	below   []below // rules whose threshold was reached before earlier discounts

	applied []Applied
	skipped []Skipped
	given   []QuoteLine // the gifts

	// shares holds, by line, the discount that is being taken. It is all
	// zeros between two discounts.
	shares []int64

	weights, parts []int64 // room for spread
	sorted         scoped  // room for cheapestFirst
	room           []Share // unused capacity for Applied.Shares
}

type cartLine struct {
	given *Line
	at    int   // its place in Input.Lines
	total int64 // at list price
	left  int64 // less every discount so far
	unit  int64 // what a loose unit costs
	loose int64 // units that take part in no rule of stepUnits yet
}

// scoped lists the lines that a rule is about, in sku order, by their index
// in cart.lines. A byte each, because a shop may have hundreds of rules that
// are about all 200.
type scoped []uint8

const _ = uint8(MaxLines - 1)

// newCart checks the lines and sorts them by sku. The fault names each member
// at fault by its place in given.
func newCart(given []Line) (*cart, error) {
	if len(given) > MaxLines {
		return nil, fault.Invalidf("/items", "must have at most %d lines", MaxLines)
	}
	var f faults
	var sum int64
	n := len(given)
	numbers := make([]int64, 3*n)
	indexes := make(scoped, 2*n)
	c := &cart{
		lines:  make([]cartLine, n),
		every:  indexes[:n],
		sorted: indexes[n:][:0],
		shares: numbers[:n], weights: numbers[n : 2*n], parts: numbers[2*n:],
	}
	for i := range given {
		l := &given[i]
		total, err := money.Mul(l.UnitPrice, l.Quantity)
		switch {
		case l.UnitPrice < 0 || l.UnitPrice > money.Max:
			f.add(fmt.Sprintf("/items/%d/unitPrice", i), "must be 0 to %d", money.Max)
		case l.Quantity < 1 || l.Quantity > MaxQuantity:
			f.add(fmt.Sprintf("/items/%d/quantity", i), "must be 1 to %d", MaxQuantity)
		case err != nil:
			f.add(fmt.Sprintf("/items/%d/quantity", i), "the line comes to more than %d", money.Max)
		default:
			// Past the first line that is too much, sum stays where it was.
			if with, err := money.Add(sum, total); err == nil {
				sum = with
			} else {
				f.add(fmt.Sprintf("/items/%d/quantity", i), "with this line the cart comes to more than %d", money.Max)
			}
		}
		c.lines[i] = cartLine{given: l, at: i, total: total, left: total, unit: l.UnitPrice, loose: l.Quantity}
		c.every[i] = uint8(i)
	}
	slices.SortStableFunc(c.lines, func(a, b cartLine) int { return strings.Compare(a.given.Sku, b.given.Sku) })
	for i := 1; i < n; i++ {
		if c.lines[i].given.Sku == c.lines[i-1].given.Sku {
			f.add(fmt.Sprintf("/items/%d/sku", c.lines[i].at), "is on another line as well")
		}
	}
	return c, f.err()
}

// left is what the lines in scope come to now.
func (c *cart) left(in scoped) int64 {
	var sum int64
	for _, i := range in {
		sum += c.lines[i].left
	}
	return sum
}

// spread puts amount into shares, in proportion to what the lines have left.
func (c *cart) spread(_ *Promotion, in scoped, amount int64) {
	weights := c.weights[:len(in)]
	for k, i := range in {
		weights[k] = c.lines[i].left
	}
	c.allocate(in, amount)
}

// allocate puts amount into shares, in proportion to the weights that stand in
// c.weights, by largest remainder; of equal ones the sku that sorts first.
func (c *cart) allocate(in scoped, amount int64) {
	weights, parts := c.weights[:len(in)], c.parts[:len(in)]
	money.Allocate(amount, weights, parts)
	for k, i := range in {
		c.shares[i] = parts[k]
	}
}

// apply takes the amount that k has measured off the lines and records it.
func (c *cart) apply(k *kind, p *Promotion, in scoped, amount int64, as Applied) {
	as.Kind, as.Amount = k.name, amount
	if c.explain && k.note != nil {
		text := k.note(c, p, in)
		as.Detail, as.DetailZh = text.en, text.zh
	}
	if k.gives != nil {
		sku, quantity := k.gives(p)
		as.Shares = []Share{{Line: c.give(sku, quantity, amount), Amount: amount}}
		c.applied = append(c.applied, as)
		return
	}
	k.take(c, p, in, amount)
	shares := c.shareRoom(len(in))
	for _, i := range in {
		if s := c.shares[i]; s > 0 {
			shares = append(shares, Share{Line: int(i), Amount: s})
			c.lines[i].left -= s
			c.shares[i] = 0
		}
	}
	c.room = c.room[len(shares):]
	as.Shares = slices.Clip(shares)
	c.applied = append(c.applied, as)
}

// shareRoom returns an empty slice with room for n shares: one allocation
// serves many discounts.
func (c *cart) shareRoom(n int) []Share {
	if len(c.room) < n {
		c.room = make([]Share, max(n, 8*len(c.lines)))
	}
	return c.room[:0:n]
}

// expect allocates space for the answers of so many rules, most of which will
// apply. It also makes them [] in JSON, never null.
func (c *cart) expect(rules int) {
	c.applied = make([]Applied, 0, min(rules, 128))
	c.skipped = make([]Skipped, 0, min(rules, 16))
}

// quote is what the cart has come to.
func (c *cart) quote(currency string) *Quote {
	q := &Quote{
		Currency: currency,
		Lines:    make([]QuoteLine, len(c.lines), len(c.lines)+len(c.given)),
		Applied:  c.applied,
		Skipped:  c.skipped,
	}
	for i := range c.lines {
		l := &c.lines[i]
		q.Lines[i] = QuoteLine{
			Sku: l.given.Sku, Name: l.given.Name,
			Quantity: l.given.Quantity, UnitPrice: l.given.UnitPrice,
			Total: l.total, Discount: l.total - l.left, Payable: l.left,
		}
		q.Total += l.total
		q.Payable += l.left
	}
	for i := range c.given {
		q.Total += c.given[i].Total
	}
	q.Lines = append(q.Lines, c.given...)
	q.Discount = q.Total - q.Payable
	return q
}
