package pricing

import (
	"slices"
	"strings"
)

// step is when a kind has its turn: all rules of a step go before those of
// the next.
type step int8

const (
	stepPrice step = iota // what a unit costs
	stepUnits             // which units are free or cheaper; a unit takes part once
	stepOrder             // what the lines come to
)

// String is the step's name in KindInfo.
func (s step) String() string { return [...]string{"price", "units", "order"}[s] }

// kind is all that the package knows of one kind of promotion. The functions
// may rely on parameters being in their ranges: Compile leaves out the rest.
type kind struct {
	name  string
	title bilingual
	about bilingual // one sentence
	step  step
	uses  []parameter

	// discount measures what the rule would take off the lines in scope as
	// they stand now, and changes nothing. It returns the amount, or 0 and the
	// reason, and never more than those lines have left.
	discount func(c *cart, p *Promotion, in scoped) (int64, Reason)

	// take puts each line's part of the amount that discount has just
	// returned into c.shares, and marks what the units went through. Of a kind
	// that gives it is nil.
	take func(c *cart, p *Promotion, in scoped, amount int64)

	// explain says why discount returned 0, and what is missing.
	explain func(c *cart, p *Promotion, in scoped, why Reason) lack

	// note says what the discount that was just measured is for, and
	// may say nothing; nil where the amount says it all.
	note func(c *cart, p *Promotion, in scoped) bilingual

	// lists names the skus that the rule is about by itself, whatever its
	// scope; nil for the other kinds.
	lists func(p *Promotion) []string

	// gives names the sku of which the rule adds a line, and how many units;
	// nil for the other kinds. The line's value is the amount.
	gives func(p *Promotion) (sku string, quantity int64)
}

// kinds is the table of all kinds. Each has a file of its own.
var kinds = []*kind{
	&fixedPrice,
	&bundle, &buyXGetY, &nthItem, &nForPrice,
	&percentOff, &amountOff, &tiered, &gift,
}

func kindNamed(name string) *kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return nil
}

func kindNames() string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// KindInfo describes a kind of promotion, for forms and documents.
type KindInfo struct {
	Name       string          `json:"name" doc:"The kind of a promotion"`
	Title      string          `json:"title" doc:"In English"`
	TitleZh    string          `json:"titleZh" doc:"In Chinese"`
	About      string          `json:"about" doc:"One sentence in English"`
	AboutZh    string          `json:"aboutZh" doc:"One sentence in Chinese"`
	Step       string          `json:"step" enum:"price,units,order" doc:"When it has its turn: price before units before order"`
	Parameters []ParameterInfo `json:"parameters"`
}

// Kinds describes every kind of promotion, in the order of their steps. The
// caller may keep and change what it gets.
func Kinds() []KindInfo {
	all := make([]KindInfo, len(kinds))
	for i, k := range kinds {
		all[i] = KindInfo{
			Name: k.name, Title: k.title.en, TitleZh: k.title.zh, About: k.about.en, AboutZh: k.about.zh, Step: k.step.String(),
			Parameters: make([]ParameterInfo, len(k.uses)),
		}
		for j, u := range k.uses {
			all[i].Parameters[j] = u.ParameterInfo
			all[i].Parameters[j].Entries = slices.Clone(u.Entries)
		}
	}
	return all
}
