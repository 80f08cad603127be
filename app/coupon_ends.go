package app

import (
	"context"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/marketing"
)

// Bounds on what ends many coupons. A batch is one command: others wait no
// longer for it than it takes to write so many rows.
const (
	couponBatch  = 200  // coupons that one command ends
	couponsDue   = 2000 // that are read at once to be ended
	revokeAtOnce = 10_000
)

// ExpireCoupons writes down that coupons have run out of their validity, and
// says how many it found. They could not be used since that moment, and were
// shown as expired; this is for the log, and for what reads the table.
func (a *App) ExpireCoupons(ctx context.Context, shopID string) (int, error) {
	due, err := a.Store.DueCoupons(ctx, shopID, a.Clock.Now().UTC(), couponsDue)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	_, err = a.endCoupons(ctx, shopID, "expire coupons", due, func(tx *Tx, c *marketing.Coupon) bool { return c.Expire(tx.Now()) })
	return len(due), err
}

// Revocation is what RevokeTemplate did, and where it goes on.
type Revocation struct {
	Revoked    int    `json:"revoked"`
	NextCursor string `json:"nextCursor,omitempty" doc:"Send it as cursor to go on; absent when all coupons were seen"`
}

// RevokeTemplate withdraws the coupons of a template that are available or
// locked, in the order of their codes; an order keeps the price that it was
// placed with. (Were locked ones left, they would come back when their orders
// close.) It examines 10,000 of them and returns where to continue: in one request
// nobody waits for a million, and what was done stays done.
func (a *App) RevokeTemplate(ctx context.Context, shopID, template, after string) (r Revocation, err error) {
	if _, err := a.Store.Template(ctx, shopID, template); err != nil {
		return r, err
	}
	p := Page{Limit: 1000, Cursor: after}
	for seen := 0; seen < revokeAtOnce; seen += p.Limit {
		found, next, err := a.Store.ListCoupons(ctx, shopID, CouponFilter{Template: template}, p)
		if err != nil {
			return r, err
		}
		var codes []string
		for i := range found {
			if s := found[i].Status; s == marketing.Available || s == marketing.Locked {
				codes = append(codes, found[i].Code)
			}
		}
		n, err := a.endCoupons(ctx, shopID, "revoke coupons", codes, func(_ *Tx, c *marketing.Coupon) bool {
			s := c.Data().Status
			return (s == marketing.Available || s == marketing.Locked) && c.Revoke() == nil
		})
		if err != nil {
			return r, err
		}
		r.Revoked, r.NextCursor, p.Cursor = r.Revoked+n, next, next
		if next == "" {
			break
		}
	}
	return r, nil
}

// endCoupons does something to coupons, one command after another, and says
// to how many it was done: things may have moved on since they were read.
func (a *App) endCoupons(
	ctx context.Context, shopID, name string, codes []string, end func(*Tx, *marketing.Coupon) bool,
) (n int, err error) {
	for len(codes) > 0 {
		batch := codes[:min(couponBatch, len(codes))]
		codes = codes[len(batch):]
		ended, _, err := Do(ctx, a, &Command{
			Shop: shopID, Name: name, Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Coupons.Keys(batch...)},
		}, func(tx *Tx) (int, error) {
			ended := 0
			for _, code := range batch {
				c, err := tx.Coupon(code)
				if err != nil {
					return 0, err
				}
				if c != nil && end(tx, c) {
					tx.PutCoupon(c)
					ended++
				}
			}
			return ended, nil
		})
		if err != nil {
			return n, err
		}
		n += ended
	}
	return n, nil
}
