package marketing

import (
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

// Status is a coupon's state.
type Status string

// The states of a coupon.
const (
	Available Status = "available"
	Locked    Status = "locked"
	Used      Status = "used"
	Expired   Status = "expired"
	Revoked   Status = "revoked"
)

// Transitions is the whole life of a coupon as data: the verbs below obey
// it, the documents are drawn from it.
var Transitions = []struct {
	From Status
	Verb string
	To   Status
}{
	{Available, "lock", Locked},
	{Available, "expire", Expired},
	{Available, "revoke", Revoked},
	{Locked, "revoke", Revoked},
	{Locked, "use", Used},
	{Locked, "release", Available},
	{Locked, "release when its validity has run out", Expired},
	{Used, "give back after a full refund", Available},
	{Used, "give back when its validity has run out", Expired},
	{Expired, "revoke", Revoked},
}

// CouponData is a coupon as it is stored. Times are UTC; a zero ValidUntil
// never ends.
type CouponData struct {
	Code        string
	TemplateID  string
	User        string // "" until somebody's; then only theirs
	Status      Status
	Order       string // the order that holds or used it
	LockedUntil time.Time
	ValidFrom   time.Time
	ValidUntil  time.Time
	IssuedAt    time.Time
	Version     int64 // 0 before it was first saved
}

// Coupon is one code issued from a template.
type Coupon struct {
	event.Recorder
	d CouponData
}

// Issue makes a coupon of the template that has not been saved yet. The days
// of its validity begin when it is issued, or with validFrom if that is later.
func Issue(t *Template, code, user string, now time.Time) *Coupon {
	d := CouponData{Code: code, TemplateID: t.ID, User: user, Status: Available, IssuedAt: now}
	begins := now
	if t.ValidFrom != nil {
		d.ValidFrom = *t.ValidFrom
		if begins.Before(d.ValidFrom) {
			begins = d.ValidFrom
		}
	}
	if t.ValidUntil != nil {
		d.ValidUntil = *t.ValidUntil
	}
	if t.ValidDays > 0 {
		until := begins.AddDate(0, 0, t.ValidDays)
		if d.ValidUntil.IsZero() || until.Before(d.ValidUntil) {
			d.ValidUntil = until
		}
	}
	return &Coupon{d: d}
}

// RestoreCoupon makes a coupon from what was stored.
func RestoreCoupon(d CouponData) *Coupon { return &Coupon{d: d} }

// Data is the coupon's present data.
func (c *Coupon) Data() CouponData { return c.d }

// over says whether the validity has run out.
func (d *CouponData) over(now time.Time) bool {
	return !d.ValidUntil.IsZero() && !now.Before(d.ValidUntil)
}

// StatusAt is the status as it is shown: one whose validity has run out is
// expired from that moment on, whenever that is written down.
func (d *CouponData) StatusAt(now time.Time) Status {
	if d.Status == Available && d.over(now) {
		return Expired
	}
	return d.Status
}

// ExpiresAt is when the coupon will have to be expired: zero if it never is,
// or if it is over in whatever way.
func (d *CouponData) ExpiresAt() time.Time {
	if d.Status != Available && d.Status != Locked {
		return time.Time{}
	}
	return d.ValidUntil
}

// Usable says why the user cannot use the coupon now; "" if they can.
func (d *CouponData) Usable(user string, now time.Time) (pricing.Reason, string) {
	switch {
	case d.User != "" && d.User != user:
		return pricing.CouponNotYours, "this code belongs to another user"
	case d.Status == Locked:
		return pricing.CouponLocked, "order " + d.Order + " holds this code until it is paid or closed"
	case d.Status == Used:
		return pricing.CouponUsed, "this code has been used"
	case d.Status == Revoked:
		return pricing.CouponRevoked, "this code was withdrawn"
	case d.Status == Expired, d.over(now):
		return pricing.CouponExpired, "this code has expired"
	case now.Before(d.ValidFrom):
		return pricing.CouponNotStarted, "this code is valid from " + d.ValidFrom.Format(time.RFC3339)
	}
	return "", ""
}

// Lock holds the coupon for an order.
func (c *Coupon) Lock(order, user string, until, now time.Time) error {
	if reason, detail := c.d.Usable(user, now); reason != "" {
		return fault.New(fault.CouponUnavailable, "coupon %s: %s", c.d.Code, detail)
	}
	c.d.Status, c.d.Order, c.d.LockedUntil = Locked, order, until
	c.record(event.CouponLocked, order)
	return nil
}

// Use marks the coupon as used by the order that holds it. A use for another
// order, or a second one, changes nothing and is not an error.
func (c *Coupon) Use(order string) bool {
	if c.d.Status != Locked || c.d.Order != order {
		return false
	}
	c.d.Status, c.d.LockedUntil = Used, time.Time{}
	c.record(event.CouponUsed, order)
	return true
}

// Release gives the coupon back, or lets it expire if its validity has run
// out. A release for another order, or after the use, changes nothing.
func (c *Coupon) Release(order string, now time.Time) bool {
	if c.d.Status != Locked || c.d.Order != order {
		return false
	}
	c.free(order, now)
	return true
}

func (c *Coupon) free(order string, now time.Time) {
	c.d.Status, c.d.Order, c.d.LockedUntil = Available, "", time.Time{}
	c.record(event.CouponReleased, order)
	if c.d.over(now) {
		c.d.Status = Expired
		c.record(event.CouponExpired, order)
	}
}

// Expire ends an available coupon whose validity has run out. Any other it
// leaves alone: one that an order holds expires when it is released.
func (c *Coupon) Expire(now time.Time) bool {
	if c.d.Status != Available || !c.d.over(now) {
		return false
	}
	c.d.Status = Expired
	c.record(event.CouponExpired, "")
	return true
}

// GiveBack makes a used coupon available again after its order was refunded in
// full, or lets it expire if its validity has run out. For another order it
// changes nothing.
func (c *Coupon) GiveBack(order string, now time.Time) bool {
	if c.d.Status != Used || c.d.Order != order {
		return false
	}
	c.free(order, now)
	return true
}

// Revoke withdraws the coupon; what has been used stays used. An order that
// holds it keeps the price that it was placed with.
func (c *Coupon) Revoke() error {
	if c.d.Status == Used || c.d.Status == Revoked {
		return fault.New(fault.CouponUnavailable, "coupon %s is %s and cannot be revoked", c.d.Code, c.d.Status)
	}
	order := c.d.Order
	c.d.Status, c.d.Order, c.d.LockedUntil = Revoked, "", time.Time{}
	c.record(event.CouponRevoked, order)
	return nil
}

func (c *Coupon) record(t event.Type, order string) {
	c.Record(event.Event{Type: t, Order: order, Coupon: c.d.Code, User: c.d.User})
}
