package app

import (
	"context"
	"fmt"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/shop"
)

// MaxIssue is how many coupons one call may issue.
const MaxIssue = 1000

// IssueCoupons asks for coupons of a template: Codes as given, or Count made
// up ones (1 by default), for User or for whoever holds the code.
type IssueCoupons struct {
	Template string
	User     string
	Count    int
	Codes    []string
}

// IssueCoupons issues all of them or none. A code that exists is refused.
func (a *App) IssueCoupons(ctx context.Context, shopID, key string, in IssueCoupons) (issued []marketing.CouponData, replayed bool, err error) {
	hash := Hash("issue coupons", in)
	if err := a.fillCodes(&in); err != nil {
		return nil, false, err
	}
	needs := Needs{Templates: []string{in.Template}, Coupons: in.Codes}
	c := &Command{
		Shop: shopID, Name: "issue coupons", Key: key, Hash: hash, Trace: a.Tracer.Parent(ctx), Needs: needs,
		Decide: func(tx *Tx) (any, error) { return issue(tx, &in) },
	}
	return do[[]marketing.CouponData](ctx, a, c)
}

func (a *App) fillCodes(in *IssueCoupons) error {
	if in.User != "" {
		if err := shop.CheckID("/userId", in.User); err != nil {
			return err
		}
	}
	if in.Count < 0 || in.Count > MaxIssue || len(in.Codes) > MaxIssue {
		return fault.Invalidf("/count", "at most %d coupons in one call", MaxIssue)
	}
	if len(in.Codes) > 0 && in.Count != 0 && in.Count != len(in.Codes) {
		return fault.Invalidf("/count", "give count or codes")
	}
	seen := make(map[string]bool, len(in.Codes))
	for i, code := range in.Codes {
		if err := marketing.CheckCode(fmt.Sprintf("/codes/%d", i), code); err != nil {
			return err
		}
		if seen[code] {
			return fault.Invalidf(fmt.Sprintf("/codes/%d", i), "the code stands twice")
		}
		seen[code] = true
	}
	if len(in.Codes) == 0 {
		for range max(in.Count, 1) {
			in.Codes = append(in.Codes, newID("", a.Rand))
		}
	}
	return nil
}

func issue(tx *Tx, in *IssueCoupons) ([]marketing.CouponData, error) {
	t, err := tx.Template(in.Template)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, fault.New(fault.Missing, "there is no coupon template %q", in.Template)
	}
	n := int64(len(in.Codes))
	if t.Supply > 0 && t.Issued+n > t.Supply {
		return nil, fault.New(fault.CouponUnavailable, "template %s: %d of %d coupons are issued; %d more are not to be had", t.ID, t.Issued, t.Supply, n)
	}
	if t.PerUserLimit > 0 && in.User != "" {
		name := "coupons/" + t.ID + "/" + in.User
		had, err := tx.Counter(name)
		if err != nil {
			return nil, err
		}
		if had+n > t.PerUserLimit {
			return nil, fault.New(fault.CouponUnavailable, "template %s: at most %d for each user; %s has %d", t.ID, t.PerUserLimit, in.User, had)
		}
		tx.PutCounter(name, had+n)
	}
	out := make([]marketing.CouponData, 0, n)
	for _, code := range in.Codes {
		old, err := tx.Coupon(code)
		if err != nil {
			return nil, err
		}
		if old != nil {
			return nil, fault.New(fault.AlreadyExists, "there is a coupon %q", code)
		}
		c := marketing.Issue(t, code, in.User, tx.Now())
		tx.PutCoupon(c)
		out = append(out, c.Data())
	}
	t.Issued += n
	tx.CountIssued(t)
	return out, nil
}

// RevokeCoupon withdraws a coupon.
func (a *App) RevokeCoupon(ctx context.Context, shopID, code string) (marketing.CouponData, error) {
	c := &Command{
		Shop: shopID, Name: "revoke coupon", Trace: a.Tracer.Parent(ctx), Needs: Needs{Coupons: []string{code}},
		Decide: func(tx *Tx) (any, error) {
			c, err := tx.Coupon(code)
			if err != nil {
				return nil, err
			}
			if c == nil {
				return nil, fault.New(fault.CouponNotFound, "there is no coupon %q", code)
			}
			if err := c.Revoke(); err != nil {
				return nil, err
			}
			tx.PutCoupon(c)
			return c.Data(), nil
		},
	}
	d, _, err := do[marketing.CouponData](ctx, a, c)
	return d, err
}
