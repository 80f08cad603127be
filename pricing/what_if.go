package pricing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-pay/tandem/money"
)

// One discount may take the amount below another rule's threshold, so that
// the buyer pays more than without it. The rules say that turns go by step
// and priority, not by what is best; the quote at least says so.

// Limits on the explanations.
const (
	mostBlamed  = 3 // discounts that one skipped rule names: the largest
	mostWhatIfs = 8 // prices that are computed without one of them
)

// source names a rule that gave a discount.
type source struct {
	from     Source
	id, code string
}

func (a *Applied) source() source { return source{a.Source, a.ID, a.Code} }

// below is a skipped rule whose threshold was reached before earlier
// discounts, and those discounts.
type below struct {
	skipped int // index
	blamed  []blamed
}

type blamed struct {
	source
	name   string
	amount int64 // that it took off the lines in scope
}

// at notes the place of the rule among the skipped ones.
func (b below) at(c *cart, skipped int) {
	if len(b.blamed) > 0 {
		b.skipped = skipped
		c.below = append(c.below, b)
	}
}

// blame says of a rule that lacks what earlier discounts took off its lines
// that it is so: a buyer who counts list prices would take the answer for a
// mistake. Unless the quote is to explain, it names no names.
func (c *cart) blame(l *lack, in scoped) below {
	all := money.FormatYuan(l.reached)
	if !c.explain {
		l.en += "; " + all + " was reached before earlier discounts"
		l.zh += "；此前的优惠之前已满" + all + "元"
		return below{}
	}
	var list []blamed
	for i := range c.applied {
		a := &c.applied[i]
		var sum int64
		for _, s := range a.Shares {
			if slices.Contains(in, uint8(s.Line)) {
				sum += s.Amount
			}
		}
		if sum > 0 {
			list = append(list, blamed{a.source(), a.Name, sum})
		}
	}
	slices.SortStableFunc(list, func(a, b blamed) int { return cmp.Compare(b.amount, a.amount) })
	en, zh := make([]string, 0, mostBlamed+1), make([]string, 0, mostBlamed+1)
	for _, b := range list[:min(len(list), mostBlamed)] {
		amount := money.FormatYuan(b.amount)
		en = append(en, b.name+" took "+amount+" off")
		zh = append(zh, b.name+"优惠"+amount+"元")
	}
	if rest := len(list) - mostBlamed; rest > 0 {
		en = append(en, strconv.Itoa(rest)+" more took the rest off")
		zh = append(zh, "另有"+strconv.Itoa(rest)+"项优惠")
		list = list[:mostBlamed]
	}
	l.en += "; " + all + " was reached before " + strings.Join(en, ", ")
	l.zh += "；" + strings.Join(zh, "、") + "之前已满" + all + "元"
	return below{blamed: list}
}

// sayWhatIf prices the cart without each of the discounts that took another
// rule below its threshold, and says where that rule would then apply and the
// buyer would pay less.
func (c *cart) sayWhatIf(in *Input) {
	if len(c.below) == 0 {
		return
	}
	payable, plain := c.left(c.every), *in
	plain.Explain = false
	without := map[source]*cart{}
	for _, b := range c.below {
		s := &c.skipped[b.skipped]
		for _, of := range b.blamed {
			other := without[of.source]
			if other == nil {
				if len(without) == mostWhatIfs {
					return
				}
				var err error
				if other, err = price(&plain, &of.source); err != nil {
					return // cannot be: the input was priced before
				}
				without[of.source] = other
			}
			less := payable - other.left(other.every)
			if less <= 0 || !other.has(source{s.Source, s.ID, s.Code}) {
				continue
			}
			amount := money.FormatYuan(less)
			s.Detail += "; without " + of.name + " this cart costs " + amount + " less"
			s.DetailZh += "；不用" + of.name + "可少付" + amount + "元"
		}
	}
}

// has says whether a rule has applied.
func (c *cart) has(s source) bool {
	return slices.ContainsFunc(c.applied, func(a Applied) bool { return a.source() == s })
}
