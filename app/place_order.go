package app

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// Limits on an order's metadata.
const (
	MaxMetadata      = 20  // members
	MaxMetadataValue = 500 // characters
)

// PlaceOrder is a buyer's request to buy.
type PlaceOrder struct {
	Cart
	Expected  *int64        // minor units: refuse if the price is another
	ExpiresIn time.Duration // 0: order.DefaultExpiry
	Metadata  map[string]string
	Plan      []order.Instalment `json:",omitempty"` // amounts and dates; nil: all at once
}

// PlaceOrder checks the user, prices, locks the coupons, reserves the stock,
// counts the limits and writes the snapshot: all or nothing. replayed says
// that the key had placed this order before.
func (a *App) PlaceOrder(ctx context.Context, shopID, key string, in PlaceOrder) (d order.Data, replayed bool, err error) {
	hash := Hash("place order", in)
	if err := in.check(); err != nil {
		return d, false, err
	}
	now := a.Clock.Now()
	if err := in.checkTerms(); err != nil {
		return d, false, err
	}
	no, err := newNumber(orderDigit, now, a.Rand)
	if err != nil {
		return d, false, err
	}
	return Do(ctx, a, &Command{
		Shop: shopID, Name: "place order", Key: key, Hash: hash, Trace: a.Tracer.Parent(ctx),
		Needs: a.placeNeeds(ctx, shopID, &in.Cart, now),
	}, func(tx *Tx) (out order.Data, err error) {
		// What depends on the time comes after the key: a repeat is still one when
		// a due date has passed.
		if err := order.CheckPlan(in.Plan, tx.Now()); err != nil {
			return out, err
		}
		o, err := placeOrder(tx, no, &in, order.Place)
		if err != nil {
			return out, err
		}
		return o.Data(), nil
	})
}

// placeNeeds names the rows that placing the cart takes, as far as they are known
// beforehand. The others (what rules need of a user of some level, say) the step
// requests itself.
func (a *App) placeNeeds(ctx context.Context, shopID string, in *Cart, now time.Time) Needs {
	n := Needs{rows.Users.Keys(in.User), rows.Skus.Keys(in.skus()...), rows.Coupons.Keys(in.Coupons...)}
	// This only saves a round trip: the engine finds an error here again.
	rules, err := a.rules(ctx, shopID)
	if err != nil || !rules.Promotions.HasNeeds() {
		return n
	}
	inputs, rules, err := a.PriceInputs(ctx, shopID, &PriceInputNeeds{Skus: in.skus()})
	if err != nil {
		return n
	}
	lines := make([]pricing.Line, len(inputs.Skus))
	for i := range inputs.Skus {
		lines[i] = line(&inputs.Skus[i], 1)
	}
	needs := rules.Promotions.Needs(lines, &pricing.User{ID: in.User}, now)
	return append(n, ruleNeeds(&needs, in.User)...)
}

func goodsAt(p shop.Policies) order.GoodsAt {
	if p.InstalmentGoods == shop.FirstPart {
		return order.FirstPart
	}
	return order.AllParts
}

// checkTerms checks what does not depend on the time.
func (in *PlaceOrder) checkTerms() error {
	if in.ExpiresIn != 0 && (in.ExpiresIn < order.MinExpiry || in.ExpiresIn > order.MaxExpiry) {
		return fault.Invalidf("/expiresIn", "must be from %s to %s", order.MinExpiry, order.MaxExpiry)
	}
	if in.Expected != nil && *in.Expected < 0 {
		return fault.Invalidf("/expectedPayableAmount", "must not be negative")
	}
	if len(in.Metadata) > MaxMetadata {
		return fault.Invalidf("/metadata", "at most %d members", MaxMetadata)
	}
	for k, v := range in.Metadata {
		if k == "" || utf8.RuneCountInString(k) > 64 || utf8.RuneCountInString(v) > MaxMetadataValue {
			return fault.Invalidf("/metadata/"+k, "names have 1 to 64 characters, values at most %d", MaxMetadataValue)
		}
	}
	return nil
}

// placeOrder is the pure step of placing and of submitting alike; they differ
// in place, which makes the order of what was found: order.Place, or a
// draft's Submit. The checks run in the order in which refusals take
// precedence: the user, the goods, the coupons, the price, and what is still
// available.
func placeOrder(tx *Tx, no string, in *PlaceOrder, place func(order.Placement) (*order.Order, error)) (*order.Order, error) {
	u, err := tx.User(in.User)
	if err != nil {
		return nil, err
	}
	if u.Blocked {
		return nil, fault.New(fault.UserBlocked, "user %s may not place orders", in.User)
	}
	p, err := priceCart(tx, u, &in.Cart)
	if err != nil {
		return nil, err
	}
	quote := p.quote
	if err := in.agrees(quote, &p.Input); err != nil {
		return nil, err
	}
	counts, err := purchaseCounts(tx, in.User, quote.Lines)
	if err != nil {
		return nil, err
	}
	counts = append(counts, promotionCounts(&p.Input, &p.ruleNeeds, quote)...)
	skus, err := reserve(tx, no, quote.Lines)
	if err != nil {
		return nil, err
	}
	o, err := place(order.Placement{
		No: no, User: in.User, Quote: quote, Basis: pricing.BasisOf(&p.Input, tx.Rules().Version), Coupons: in.Coupons, Counts: counts,
		Metadata: in.Metadata, ExpiresIn: in.ExpiresIn, Plan: in.Plan, GoodsAt: goodsAt(tx.Shop().Policies),
		Now: tx.Now(), Trace: tx.Trace(),
	})
	if err != nil {
		return nil, err
	}
	switch within, err := takeCounts(tx, counts); {
	case err != nil:
		return nil, err
	case !within: // it was priced within its limits a moment ago, by the same rows
		return nil, fmt.Errorf("order %s counts beyond a limit: %v", no, counts)
	}
	tx.PutOrder(o)
	for _, s := range skus {
		tx.PutSku(s)
	}
	for _, c := range p.coupons {
		if err := c.Lock(no, in.User, o.Data().ExpiresAt, tx.Now()); err != nil {
			return nil, err
		}
		tx.PutCoupon(c)
	}
	return o, nil
}

// agrees refuses a price that is not the expected one. from is what it was
// computed from.
func (in *PlaceOrder) agrees(q *pricing.Quote, from *pricing.Input) error {
	if in.Expected != nil && *in.Expected != q.Payable {
		return priceChanged(q, from, *in.Expected)
	}
	return nil
}

// priced is a cart with its price, and what it was computed from.
type priced struct {
	pricing.Input
	ruleNeeds pricing.Needs
	quote     *pricing.Quote
	coupons   []*marketing.Coupon // as given
}

// priceCart prices a cart by the rows of the command. A coupon that does not
// apply is a refusal.
func priceCart(tx *Tx, u *shop.User, in *Cart) (*priced, error) {
	var counters []string
	lines := make([]pricing.Line, len(in.Items))
	for i, it := range in.Items {
		s, err := tx.Sku(it.Sku)
		if err != nil {
			return nil, err
		}
		if s == nil {
			return nil, skuNotFound(it.Sku)
		}
		d := s.Data()
		lines[i] = line(&d, it.Quantity)
		if d.MaxPerUser > 0 {
			counters = append(counters, boughtCounter(d.Sku, in.User))
		}
	}
	coupons := make([]pricing.Coupon, len(in.Coupons))
	p := &priced{coupons: make([]*marketing.Coupon, len(in.Coupons))}
	var err error
	for i, code := range in.Coupons {
		if p.coupons[i], coupons[i], err = couponToUse(tx, code, in.User); err != nil {
			return nil, err
		}
	}
	p.Input = pricing.Input{
		Currency: tx.Shop().Currency, Now: tx.Now(), User: buyer(u),
		Lines: lines, Rules: tx.Rules().Promotions, Coupons: coupons,
	}
	p.ruleNeeds = p.Rules.Needs(lines, &p.User, p.Now)
	// All counters at once: a command that requests more rows again and again is
	// refused.
	needs := ruleNeeds(&p.ruleNeeds, in.User)
	needs.Add(rows.Counters.Keys(counters...))
	if err := tx.Need(needs); err != nil {
		return nil, err
	}
	if err := fillInput(&p.Input, &p.ruleNeeds, tx); err != nil {
		return nil, err
	}
	if p.quote, err = pricing.Price(p.Input); err != nil {
		return nil, err
	}
	for _, s := range p.quote.Skipped {
		if s.Source == pricing.FromCoupon {
			return nil, fault.New(fault.CouponNotApplicable, "coupon %s does not apply (%s): %s", s.Code, s.Reason, s.Detail)
		}
	}
	return p, nil
}

func couponToUse(tx *Tx, code, user string) (*marketing.Coupon, pricing.Coupon, error) {
	c, err := tx.Coupon(code)
	if err != nil {
		return nil, pricing.Coupon{}, err
	}
	if c == nil {
		return nil, pricing.Coupon{}, fault.New(fault.CouponNotFound, "there is no coupon %q", code)
	}
	d := c.Data()
	t := tx.Rules().Templates[d.TemplateID]
	if t == nil {
		return nil, pricing.Coupon{}, fmt.Errorf("coupon %s: template %s is gone", code, d.TemplateID)
	}
	if d.Status == marketing.Locked {
		// Its order may have closed, and the reaction that releases it is on its
		// way: then this is done here, and the reaction finds nothing to do.
		held, err := tx.Order(d.Order)
		if err != nil {
			return nil, pricing.Coupon{}, err
		}
		if held != nil && held.Data().Status == order.Closed && !held.Data().GoodsGone && c.Release(d.Order, tx.Now()) {
			d = c.Data()
		}
	}
	p := t.Priced(&d, user, tx.Now())
	if p.Refused != "" {
		return nil, p, fault.New(fault.CouponUnavailable, "coupon %s: %s", code, p.Detail)
	}
	return c, p, nil
}

// priceChanged refuses an order whose price is not what the buyer was shown,
// and says so if it would be, had no promotion been used up meanwhile.
func priceChanged(q *pricing.Quote, from *pricing.Input, expected int64) error {
	unlimited := *from
	unlimited.Usage = nil
	would, err := pricing.Price(unlimited)
	if err != nil {
		return err
	}
	for i := range q.Skipped {
		if would.Payable != expected {
			break
		}
		switch s := &q.Skipped[i]; s.Reason {
		case pricing.UsageLimit, pricing.PerUserLimit, pricing.BudgetSpent:
			return fault.New(fault.PromotionExhausted, "the price is %d, not %d: %s (%s) does not apply any more: %s; show the buyer a new quote", q.Payable, expected, s.ID, s.Name, s.Detail)
		default: // no limit was reached meanwhile: the price itself has changed
		}
	}
	return fault.New(fault.PriceChanged, "the price is %d, not %d; show the buyer a new quote", q.Payable, expected)
}
