package app

import (
	"context"
	"slices"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// A draft is priced before its command, like any quote: the price promises
// nothing, and no sku need be locked for it. What pricing refuses the command
// refuses, so that the repeat of a call is answered as the call was.

// Versions are those of an order at which something may be done to it; nil is
// any.
type Versions []int64

// DraftOrder stores an order that is not placed yet. It is priced to be
// shown, and holds nothing; a coupon that cannot be used is skipped with its
// reason. in.Expected is checked, as in placing. replayed says that the key
// had made this draft before.
func (a *App) DraftOrder(ctx context.Context, shopID, key string, in PlaceOrder) (d order.Data, replayed bool, err error) {
	hash := Hash("draft order", in)
	if err := in.check(); err != nil {
		return d, false, err
	}
	if err := in.checkTerms(); err != nil {
		return d, false, err
	}
	no, err := newNumber(orderDigit, a.Clock.Now(), a.Rand)
	if err != nil {
		return d, false, err
	}
	priced, refused := a.draftPlacement(ctx, shopID, &in)
	return Do(ctx, a, &Command{
		Shop: shopID, Name: "draft order", Key: key, Hash: hash, Trace: a.Tracer.Parent(ctx),
	}, func(tx *Tx) (out order.Data, err error) {
		if err := order.CheckPlan(in.Plan, tx.Now()); err != nil {
			return out, err
		}
		if refused != nil {
			return out, refused
		}
		p := priced
		p.No, p.Now, p.Trace = no, tx.Now(), tx.Trace()
		o := order.NewDraft(p)
		tx.PutOrder(o)
		return o.Data(), nil
	})
}

// EditDraft replaces what a draft requests, and prices it. in.User may be ""
// and must be the draft's otherwise; in.Expected is checked. A draft that is
// edited into what it is already, at the price that it has, keeps its version.
func (a *App) EditDraft(ctx context.Context, shopID, no string, seen Versions, in PlaceOrder) (d order.Data, err error) {
	v, err := a.Store.Order(ctx, shopID, no)
	if err != nil {
		return d, err
	}
	if in.User == "" {
		in.User = v.Order.User
	}
	if err := in.check(); err != nil {
		return d, err
	}
	if err := in.checkTerms(); err != nil {
		return d, err
	}
	if err := order.CheckPlan(in.Plan, a.Clock.Now()); err != nil { // it has no key
		return d, err
	}
	if in.User != v.Order.User {
		return d, fault.Invalidf("/userId", "a draft stays its buyer's; make another one for %s", in.User)
	}
	d, _, err = a.editDraft(ctx, shopID, no, "", nil, seen, &in)
	return d, err
}

// priceTries bounds how often a draft is priced again that others edit all
// the time.
const priceTries = 5

// PriceDraft prices a draft again, as it stands. replayed says that the key
// had done it before.
func (a *App) PriceDraft(ctx context.Context, shopID, no, key string, seen Versions) (d order.Data, replayed bool, err error) {
	for range priceTries {
		v, err := a.Store.Order(ctx, shopID, no)
		if err != nil {
			return d, false, err
		}
		at := seen
		if seen == nil {
			at = Versions{v.Order.Seq} // what is priced is of this one
		}
		in := requested(v.Order.User, v.Order.Metadata, v.Order.Draft)
		d, replayed, err = a.editDraft(ctx, shopID, no, key, Hash("price draft "+no, seen), at, in)
		if seen != nil || !fault.Is(err, fault.PreconditionFailed) {
			return d, replayed, err
		}
	}
	return d, false, fault.New(fault.Conflict, "others are editing order %s; try again", no)
}

func (a *App) editDraft(ctx context.Context, shopID, no, key string, hash []byte, seen Versions, in *PlaceOrder) (order.Data, bool, error) {
	priced, refused := a.draftPlacement(ctx, shopID, in)
	return Do(ctx, a, &Command{
		Shop: shopID, Name: "edit draft", Key: key, Hash: hash, Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Orders.Keys(no)},
	}, func(tx *Tx) (out order.Data, err error) {
		o, _, err := draft(tx, no, seen)
		if err != nil {
			return out, err
		}
		if refused != nil {
			return out, refused
		}
		p := priced
		p.Now = tx.Now()
		if err := o.Edit(p); err != nil {
			return out, err
		}
		tx.PutOrder(o)
		return o.Data(), nil
	})
}

// SubmitDraft places the order that a draft requests: PlaceOrder's own step,
// at what it costs now. Refused, the draft is as it was. expected is in minor
// units, nil for any price. replayed says that the key had submitted it.
func (a *App) SubmitDraft(ctx context.Context, shopID, no, key string, seen Versions, expected *int64) (order.Data, bool, error) {
	return Do(ctx, a, &Command{
		Shop: shopID, Name: "submit draft", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Orders.Keys(no)},
		Key: key, Hash: Hash("submit draft "+no, submission{seen, expected}),
	}, func(tx *Tx) (out order.Data, err error) {
		o, in, err := draft(tx, no, seen)
		if err != nil {
			return out, err
		}
		if err := order.CheckPlan(in.Plan, tx.Now()); err != nil {
			f := fault.From(err) // a due date that has come meanwhile
			f.Message = "the draft's " + f.Message + "; edit it first"
			return out, f
		}
		if err := tx.Need(Needs{rows.Users.Keys(in.User), rows.Skus.Keys(in.skus()...), rows.Coupons.Keys(in.Coupons...)}); err != nil {
			return out, err
		}
		in.Expected = expected
		placed, err := placeOrder(tx, no, in, o.Submit)
		if err != nil {
			return out, err
		}
		return placed.Data(), nil
	})
}

// draft finds a draft at one of the versions, and what it requests.
func draft(tx *Tx, no string, seen Versions) (*order.Order, *PlaceOrder, error) {
	o, err := tx.Order(no)
	if err != nil {
		return nil, nil, err
	}
	if o == nil {
		return nil, nil, fault.New(fault.NotFound, "there is no order %s", no)
	}
	w, err := o.Draft()
	if err != nil {
		return nil, nil, err
	}
	d := o.Data()
	if seen != nil && !slices.Contains(seen, d.Seq) {
		return nil, nil, fault.New(fault.PreconditionFailed, "order %s is at version %d, and not as you have seen it; read it again", no, d.Seq)
	}
	tx.Join(d.Trace)
	return o, requested(d.User, d.Metadata, w), nil
}

// draftPlacement is what a draft is made of, but for its number and its time.
func (a *App) draftPlacement(ctx context.Context, shopID string, in *PlaceOrder) (order.Placement, error) {
	p := order.Placement{
		User: in.User, Items: make([]event.Units, len(in.Items)), Coupons: in.Coupons,
		Metadata: in.Metadata, ExpiresIn: in.ExpiresIn, Plan: in.Plan,
	}
	for i, it := range in.Items {
		p.Items[i] = event.Units(it)
	}
	var err error
	var from pricing.Input
	if p.Quote, from, err = a.quote(ctx, shopID, in.Cart); err != nil {
		return p, err
	}
	return p, in.agrees(p.Quote, &from)
}

// requested is what a draft requests, in the form of the request.
func requested(user string, metadata map[string]string, w *order.DraftData) *PlaceOrder {
	in := &PlaceOrder{Cart: Cart{User: user}, Metadata: metadata}
	if w == nil { // not a draft any more, which its command says
		return in
	}
	in.Coupons, in.ExpiresIn, in.Plan = w.Coupons, w.ExpiresIn, w.Plan
	in.Items = make([]Item, len(w.Items))
	for i, u := range w.Items {
		in.Items[i] = Item(u)
	}
	return in
}
