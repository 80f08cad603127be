package app

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
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

// PlaceOrder is a buyer's wish to buy.
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
	if err := in.checkTerms(now); err != nil {
		return d, false, err
	}
	no, err := newNumber(orderDigit, now, a.Rand)
	if err != nil {
		return d, false, err
	}
	c := &Command{
		Shop: shopID, Name: "place order", Key: key, Hash: hash, Trace: a.Tracer.Parent(ctx),
		Needs: Needs{Users: []string{in.User}, Skus: in.skus(), Coupons: in.Coupons},
		Decide: func(tx *Tx) (any, error) {
			o, err := placeOrder(tx, no, &in, order.Place)
			if err != nil {
				return nil, err
			}
			return o.Data(), nil
		},
	}
	return do[order.Data](ctx, a, c)
}

func goodsAt(p shop.Policies) order.GoodsAt {
	if p.InstalmentGoods == shop.FirstPart {
		return order.FirstPart
	}
	return order.AllParts
}

func (in *PlaceOrder) checkTerms(now time.Time) error {
	if err := order.CheckPlan(in.Plan, now); err != nil {
		return err
	}
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
// precedence: who asks, what for, with which coupons, at what price, and
// whether it can still be had.
func placeOrder(tx *Tx, no string, in *PlaceOrder, place func(order.Placement) (*order.Order, error)) (*order.Order, error) {
	u, err := tx.User(in.User)
	if err != nil {
		return nil, err
	}
	if u.Blocked {
		return nil, fault.New(fault.UserBlocked, "user %s may not place orders", in.User)
	}
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
	}
	coupons := make([]*marketing.Coupon, len(in.Coupons))
	priced := make([]pricing.Coupon, len(in.Coupons))
	for i, code := range in.Coupons {
		if coupons[i], priced[i], err = couponToUse(tx, code, in.User); err != nil {
			return nil, err
		}
	}
	quote, err := pricing.Price(pricing.Input{
		Currency: tx.Shop().Currency, Now: tx.Now(), User: buyer(u),
		Lines: lines, Rules: tx.Rules().Promotions, Coupons: priced,
	})
	if err != nil {
		return nil, err
	}
	for _, s := range quote.Skipped {
		if s.Source == pricing.FromCoupon {
			return nil, fault.New(fault.CouponNotApplicable, "coupon %s does not apply (%s): %s", s.Code, s.Reason, s.Detail)
		}
	}
	if in.Expected != nil && *in.Expected != quote.Payable {
		return nil, priceChanged(quote, *in.Expected)
	}
	skus, counts, err := reserve(tx, no, in.User, quote.Lines)
	if err != nil {
		return nil, err
	}
	o, err := place(order.Placement{
		No: no, User: in.User, Quote: quote, Coupons: in.Coupons, Counts: counts,
		Metadata: in.Metadata, ExpiresIn: in.ExpiresIn, Plan: in.Plan, GoodsAt: goodsAt(tx.Shop().Policies),
		Now: tx.Now(), Trace: tx.Trace(),
	})
	if err != nil {
		return nil, err
	}
	tx.PutOrder(o)
	for _, s := range skus {
		tx.PutSku(s)
	}
	for _, c := range coupons {
		if err := c.Lock(no, in.User, o.Data().ExpiresAt, tx.Now()); err != nil {
			return nil, err
		}
		tx.PutCoupon(c)
	}
	return o, nil
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
	p := t.Priced(&d, user, tx.Now())
	if p.Refused != "" {
		return nil, p, fault.New(fault.CouponUnavailable, "coupon %s: %s", code, p.Detail)
	}
	return c, p, nil
}

// reserve takes the stock of every line and counts the limits that exist; a
// sku without a limit costs no counter. A refusal has changed nothing.
func reserve(tx *Tx, no, user string, lines []pricing.QuoteLine) (skus []*inventory.Sku, counts []event.Count, err error) {
	had := make(map[string]int64)
	if err := askCounters(tx, user, lines); err != nil {
		return nil, nil, err
	}
	for i := range lines {
		l := &lines[i]
		s, err := tx.Sku(l.Sku)
		if err != nil {
			return nil, nil, err
		}
		if s == nil {
			return nil, nil, skuNotFound(l.Sku)
		}
		if limit := s.Data().MaxPerUser; limit > 0 {
			name := purchaseCounter(l.Sku, user)
			if had[name], err = tx.Counter(name); err != nil {
				return nil, nil, err
			}
			if had[name]+l.Quantity > limit {
				return nil, nil, fault.New(fault.PurchaseLimitExceeded, "%s: at most %d for each buyer; %d ordered before, %d asked for", l.Sku, limit, had[name], l.Quantity)
			}
			counts = append(counts, event.Count{Name: name, Amount: l.Quantity})
		}
		if err := s.Reserve(no, l.Quantity); err != nil {
			return nil, nil, err
		}
		skus = append(skus, s)
	}
	for _, c := range counts {
		tx.PutCounter(c.Name, had[c.Name]+c.Amount)
	}
	return skus, counts, nil
}

// askCounters asks for the counters of all limits of the lines at once: a
// command that asked for them one by one would be given up.
func askCounters(tx *Tx, user string, lines []pricing.QuoteLine) error {
	var n Needs
	for i := range lines {
		s, err := tx.Sku(lines[i].Sku)
		if err != nil {
			return err
		}
		if s != nil && s.Data().MaxPerUser > 0 {
			n.Counters = append(n.Counters, purchaseCounter(lines[i].Sku, user))
		}
	}
	return tx.Ask(n)
}

// purchaseCounter counts the units of a limited sku in a buyer's live orders.
func purchaseCounter(sku, user string) string { return "bought/" + sku + "/" + user }

// priceChanged refuses an order whose price is not what the buyer was shown.
func priceChanged(q *pricing.Quote, expected int64) error {
	return fault.New(fault.PriceChanged, "the price is %d, not %d; show the buyer a new quote", q.Payable, expected)
}
