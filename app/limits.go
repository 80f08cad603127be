package app

import (
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/rows"
)

// What exists in limited numbers is counted in named counters, and only where
// there is a limit: a rule without one costs no shared write at all. An order
// keeps what it has counted, with the limit that it was within, and gives it
// back when it closes.
//
//	bought/SKU/USER       units of a limited sku in a buyer's orders
//	uses/PROMOTION        orders that used it
//	used/PROMOTION/USER   of them, a buyer's
//	spent/PROMOTION       discount that it has given, in minor units
//	first/USER            orders that had a first order's price
//
// Neither a sku nor a promotion's id has a slash in it.
func boughtCounter(sku, user string) string     { return "bought/" + sku + "/" + user }
func usesCounter(promotion string) string       { return "uses/" + promotion }
func usedCounter(promotion, user string) string { return "used/" + promotion + "/" + user }
func spentCounter(promotion string) string      { return "spent/" + promotion }
func firstCounter(user string) string           { return "first/" + user }

// ruleNeeds names the rows that hold what the rules depend on.
func ruleNeeds(needs *pricing.Needs, user string) (n Needs) {
	for _, l := range needs.Limited {
		if l.Uses > 0 {
			n.Add(rows.Counters.Keys(usesCounter(l.ID)))
		}
		if l.PerUser > 0 {
			n.Add(rows.Counters.Keys(usedCounter(l.ID, user)))
		}
		if l.Budget > 0 {
			n.Add(rows.Counters.Keys(spentCounter(l.ID)))
		}
	}
	if needs.FirstOrder {
		// The counter is what two first orders of one buyer at once meet at.
		n.Add(rows.Counters.Keys(firstCounter(user)))
		n.Add(rows.Buyers.Keys(user))
	}
	n.Add(rows.Skus.Keys(needs.Gifts...))
	return n
}

// inputSource is where the inputs of rules are read from: a command's rows, or
// what a quote has read.
type inputSource interface {
	Counter(name string) (int64, error)
	Bought(user string) (bool, error)
	Sku(id string) (*inventory.Sku, error)
}

// fillInput puts what the rules depend on into the input.
func fillInput(in *pricing.Input, needs *pricing.Needs, from inputSource) error {
	var err error
	count := func(exists bool, name string) (v int64) {
		if exists && err == nil {
			v, err = from.Counter(name)
		}
		return v
	}
	user := in.User.ID
	for _, l := range needs.Limited {
		if in.Usage == nil {
			in.Usage = make(map[string]pricing.Usage, len(needs.Limited))
		}
		in.Usage[l.ID] = pricing.Usage{
			Uses:   count(l.Uses > 0, usesCounter(l.ID)),
			ByUser: count(l.PerUser > 0, usedCounter(l.ID, user)),
			Spent:  count(l.Budget > 0, spentCounter(l.ID)),
		}
	}
	if needs.FirstOrder {
		claimed := count(true, firstCounter(user))
		if err != nil {
			return err
		}
		bought, err := from.Bought(user)
		if err != nil {
			return err
		}
		in.User.FirstOrder = !bought && claimed == 0
	}
	for _, id := range needs.Gifts {
		if err != nil {
			return err
		}
		var s *inventory.Sku
		if s, err = from.Sku(id); s != nil {
			d := s.Data()
			in.Gifts = append(in.Gifts, pricing.Gift{Sku: d.Sku, Name: d.Name, UnitPrice: d.Price, Available: d.Available()})
		}
	}
	return err
}

// promotionCounts is what an order at this price counts of limited
// promotions.
func promotionCounts(in *pricing.Input, needs *pricing.Needs, q *pricing.Quote) (counts []event.Count) {
	add := func(limit int64, name string, amount int64) {
		if limit > 0 {
			counts = append(counts, event.Count{Name: name, Amount: amount, Limit: limit})
		}
	}
	for i := range q.Applied {
		d := &q.Applied[i]
		if l := d.Limited; l != nil {
			add(l.Uses, usesCounter(d.ID), 1)
			add(l.PerUser, usedCounter(d.ID, in.User.ID), 1)
			add(l.Budget, spentCounter(d.ID), d.Amount)
		}
	}
	if needs.FirstOrder && in.User.FirstOrder {
		add(1, firstCounter(in.User.ID), 1)
	}
	return counts
}

// purchaseCounts is what an order counts of limited skus. Gifts are not
// bought.
func purchaseCounts(tx *Tx, user string, lines []pricing.QuoteLine) (counts []event.Count, err error) {
	for i := range lines {
		l := &lines[i]
		if l.Gift {
			continue
		}
		s, err := tx.Sku(l.Sku)
		if err != nil {
			return nil, err
		}
		if s == nil {
			return nil, skuNotFound(l.Sku)
		}
		limit := s.Data().MaxPerUser
		if limit == 0 {
			continue
		}
		c := event.Count{Name: boughtCounter(l.Sku, user), Amount: l.Quantity, Limit: limit}
		had, err := tx.Counter(c.Name)
		if err != nil {
			return nil, err
		}
		if had+c.Amount > limit {
			return nil, fault.New(fault.PurchaseLimitExceeded,
				"%s: at most %d for each buyer; %d ordered before, %d requested", l.Sku, limit, had, l.Quantity)
		}
		counts = append(counts, c)
	}
	return counts, nil
}

// takeCounts moves the counters of what an order counts, all or none: false if one
// would be over its limit.
func takeCounts(tx *Tx, counts []event.Count) (bool, error) {
	values := make([]int64, len(counts))
	for i, c := range counts {
		v, err := tx.Counter(c.Name)
		if err != nil {
			return false, err
		}
		if values[i] = v + c.Amount; values[i] > c.Limit {
			return false, nil
		}
	}
	for i, c := range counts {
		tx.PutCounter(c.Name, values[i])
	}
	return true, nil
}

// reserve takes the stock of every line. A refusal has changed nothing.
func reserve(tx *Tx, no string, lines []pricing.QuoteLine) ([]*inventory.Sku, error) {
	skus := make([]*inventory.Sku, 0, len(lines))
	byID := map[string]*inventory.Sku{}
	for i := range lines {
		l := &lines[i]
		s := byID[l.Sku] // a gift may be of a sku that is bought as well
		if s == nil {
			var err error
			if s, err = tx.Sku(l.Sku); err != nil {
				return nil, err
			}
			if s == nil {
				return nil, skuNotFound(l.Sku)
			}
			byID[l.Sku] = s
			skus = append(skus, s)
		}
		if err := s.Reserve(no, l.Quantity); err != nil {
			return nil, err
		}
	}
	return skus, nil
}
