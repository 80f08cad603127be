package pricing

// step is when a kind has its turn: all rules of a step go before those of
// the next.
type step int8

const (
	stepPrice step = iota // what a unit costs
	stepUnits             // which units are free or cheaper; a unit takes part once
	stepOrder             // what the lines come to
)

// kind is all that the package knows of one kind of promotion. The functions
// may rely on parameters being in their ranges: Compile leaves out the rest.
type kind struct {
	name string
	step step
	uses []parameter

	// discount measures what the rule would take off the lines in scope as
	// they stand now, and changes nothing. It returns the amount, or 0 and the
	// reason, and never more than those lines have left.
	discount func(c *cart, p *Promotion, in scoped) (int64, Reason)

	// take puts each line's part of the amount that discount has just
	// returned into c.shares, and marks what the units went through.
	take func(c *cart, p *Promotion, in scoped, amount int64)

	// gives names the sku that the rule gives away; nil for the other kinds.
	gives func(p *Promotion) string

	// explain tells a person why discount returned 0, and what is missing in
	// minor units or in units of goods, 0 when nothing countable is.
	explain func(c *cart, p *Promotion, in scoped, why Reason) (words, int64)
}

// kinds is the table of all kinds. Each has a file of its own.
var kinds = []*kind{&fixedPrice, &buyXGetY, &percentOff, &amountOff}

func kindNamed(name string) *kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return nil
}

// parameter is a member of Promotion that only some kinds use.
type parameter struct {
	name     string // in JSON
	optional bool
	given    func(p *Promotion) bool
	check    func(p *Promotion, f *faults) // of one that is given
}
