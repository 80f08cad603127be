package app

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// PutSku makes or redefines a sku.
func (a *App) PutSku(ctx context.Context, shopID, id string, in inventory.Definition) (inventory.Data, error) {
	if err := shop.CheckID("/sku", id); err != nil {
		return inventory.Data{}, err
	}
	at, err := a.laterPurchaseLimit(ctx, shopID, id, &in)
	if err != nil {
		return inventory.Data{}, err
	}
	d, _, err := a.changeSku(ctx, shopID, id, "", nil, true, func(s *inventory.Sku) error {
		if v := s.Data().Version; at > 0 && v != at { // every order moves it
			return fault.New(fault.Conflict, "sku %s changed while its orders were looked at; try again", id)
		}
		return s.Define(in)
	})
	return d, err
}

// AdjustStock adds delta units to what is on hand of a sku.
func (a *App) AdjustStock(ctx context.Context, shopID, id, key string, delta int64) (d inventory.Data, replayed bool, err error) {
	return a.changeSku(
		ctx, shopID, id, key, Hash("adjust stock "+id, delta), false, func(s *inventory.Sku) error { return s.Adjust(delta) },
	)
}

func (a *App) changeSku(
	ctx context.Context, shopID, id, key string, hash []byte, create bool, change func(*inventory.Sku) error,
) (d inventory.Data, replayed bool, err error) {
	return Do(ctx, a, &Command{
		Shop: shopID, Name: "change sku", Key: key, Hash: hash, Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Skus.Keys(id)},
	}, func(tx *Tx) (out inventory.Data, err error) {
		s, err := tx.Sku(id)
		if err != nil {
			return out, err
		}
		if s == nil {
			if !create {
				return out, fault.New(fault.SkuNotFound, "there is no sku %q", id)
			}
			s = inventory.New(id)
		}
		old := s.Data()
		if err := change(s); err != nil {
			return out, err
		}
		if d := s.Data(); old.Version > 0 && (d.Name != old.Name || d.Price != old.Price || !slices.Equal(d.Categories, old.Categories)) {
			if err := changeCatalogue(tx); err != nil {
				return out, err
			}
		}
		tx.PutSku(s)
		return s.Data(), nil
	})
}

// PutUser says what a user is.
func (a *App) PutUser(ctx context.Context, shopID string, in shop.User) (shop.User, error) {
	if err := shop.CheckID("/userId", in.ID); err != nil {
		return in, err
	}
	if len(in.Tags) > 50 {
		return in, fault.Invalidf("/tags", "at most 50")
	}
	u, _, err := Do(ctx, a, &Command{
		Shop: shopID, Name: "put user", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Users.Keys(in.ID)},
	}, func(tx *Tx) (out shop.User, err error) {
		u, err := tx.User(in.ID)
		if err != nil {
			return out, err
		}
		if u.Level != in.Level || !slices.Equal(u.Tags, in.Tags) {
			if err := changeCatalogue(tx); err != nil {
				return out, err
			}
		}
		u.Level, u.Tags, u.Blocked = in.Level, in.Tags, in.Blocked
		tx.PutUser(u)
		return *u, nil
	})
	return u, err
}

// PutPromotion makes (create) or edits a promotion; an edit is its next
// version, and orders keep the one that they used.
func (a *App) PutPromotion(
	ctx context.Context, shopID, key string, in pricing.Promotion, create bool,
) (p pricing.Promotion, replayed bool, err error) {
	hash := Hash("put promotion", in)
	if in.ID == "" {
		in.ID = newID("promo_", a.Rand)
	}
	if err := in.Validate(); err != nil {
		return in, false, err
	}
	return Do(ctx, a, &Command{
		Shop: shopID, Name: "put promotion", Key: key, Hash: hash, Alone: true, Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Shop.Lock(), rows.Promotions.Keys(in.ID), rows.RetiredPromotions.Keys(in.ID)},
	}, func(tx *Tx) (out pricing.Promotion, err error) {
		old, err := tx.Promotion(in.ID)
		if err != nil {
			return out, err
		}
		if old != nil && create {
			return out, fault.New(fault.AlreadyExists, "there is a promotion %s; PUT edits it", in.ID)
		}
		last, err := tx.PromotionVersion(in.ID)
		if err != nil {
			return out, err
		}
		if err := laterLimits(old, &in, last, tx.Now()); err != nil {
			return out, err
		}
		p := in
		p.Version = last + 1
		tx.PutPromotion(&p)
		return p, nil
	})
}

// DeletePromotion ends a promotion.
func (a *App) DeletePromotion(ctx context.Context, shopID, id string) error {
	_, err := Run(ctx, a, &Command{
		Shop: shopID, Name: "delete promotion", Alone: true, Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Shop.Lock(), rows.Promotions.Keys(id), rows.RetiredPromotions.Keys(id)},
	}, func(tx *Tx) error {
		p, err := tx.Promotion(id)
		if err != nil {
			return err
		}
		if p == nil {
			return fault.New(fault.NotFound, "there is no promotion %s", id)
		}
		tx.DeletePromotion(p)
		return nil
	})
	return err
}

// PutTemplate makes (create) or edits a coupon template; an edit is its next
// version. What it can be changed into is limited, see marketing.CanBecome.
func (a *App) PutTemplate(
	ctx context.Context, shopID, key string, in marketing.Template, create bool,
) (t marketing.Template, replayed bool, err error) {
	hash := Hash("put template", in)
	if in.ID == "" {
		in.ID = newID("tpl_", a.Rand)
	}
	if err := shop.CheckID("/id", in.ID); err != nil {
		return in, false, err
	}
	if err := in.Validate(); err != nil {
		return in, false, err
	}
	if t, replayed, err = Do(ctx, a, &Command{
		Shop: shopID, Name: "put coupon template", Key: key, Hash: hash, Alone: true, Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Shop.Lock(), rows.Templates.Keys(in.ID)},
	}, func(tx *Tx) (out marketing.Template, err error) {
		old, err := tx.Template(in.ID)
		if err != nil {
			return out, err
		}
		t := in
		t.Version, t.Issued = 1, 0
		switch {
		case old == nil && !create:
			return out, fault.New(fault.NotFound, "there is no coupon template %s; POST makes one", in.ID)
		case old != nil && create:
			return out, fault.New(fault.AlreadyExists, "there is a coupon template %s; PUT edits it", in.ID)
		case old != nil:
			if err := old.CanBecome(&t); err != nil {
				return out, err
			}
			t.Version, t.Issued = old.Version+1, old.Issued
		}
		tx.PutTemplate(&t)
		return t, nil
	}); err != nil || create {
		return t, replayed, err
	}
	one := []marketing.Template{t}
	err = a.countIssued(ctx, shopID, one)
	return one[0], replayed, err
}

// newID makes an id of 16 random letters and digits (80 bits).
func newID(prefix string, r io.Reader) string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567" // base 32
	var b [16]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		panic(fmt.Errorf("random ids: %w", err)) // crypto/rand never fails; a test's source must not
	}
	var s strings.Builder
	s.WriteString(prefix)
	for _, c := range b {
		s.WriteByte(letters[c%32])
	}
	return s.String()
}
