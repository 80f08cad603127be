package marketing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
)

var now = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func TestCouponLife(t *testing.T) {
	type coupon = marketing.Coupon
	lock := func(order, user string, at time.Time) func(*coupon) error {
		return func(c *coupon) error { return c.Lock(order, user, at.Add(15*time.Minute), at) }
	}
	use := func(order string) func(*coupon) error {
		return func(c *coupon) error { c.Use(order); return nil }
	}
	release := func(order string, at time.Time) func(*coupon) error {
		return func(c *coupon) error { c.Release(order, at); return nil }
	}
	revoke := (*coupon).Revoke
	expire := func(at time.Time) func(*coupon) error {
		return func(c *coupon) error { c.Expire(at); return nil }
	}
	late := now.AddDate(0, 0, 8)
	type steps = []func(*coupon) error
	for _, tt := range []struct {
		name   string
		steps  steps
		code   fault.Code // of the last step
		status marketing.Status
		events string
	}{
		{"lock", steps{lock("1", "u", now)}, "", marketing.Locked, "coupon.locked"},
		{"use", steps{lock("1", "u", now), use("1")}, "", marketing.Used, "coupon.locked coupon.used"},
		{"use twice", steps{lock("1", "u", now), use("1"), use("1")}, "", marketing.Used, "coupon.locked coupon.used"},
		{"use by another order", steps{lock("1", "u", now), use("2")}, "", marketing.Locked, "coupon.locked"},
		{"use unlocked", steps{use("1")}, "", marketing.Available, ""},
		{"release", steps{lock("1", "u", now), release("1", now)}, "", marketing.Available, "coupon.locked coupon.released"},
		{"release by another order", steps{lock("1", "u", now), release("2", now)}, "", marketing.Locked, "coupon.locked"},
		{"release after use", steps{lock("1", "u", now), use("1"), release("1", now)}, "", marketing.Used, "coupon.locked coupon.used"},
		{"release when its time is over", steps{lock("1", "u", now), release("1", late)}, "", marketing.Expired, "coupon.locked coupon.released coupon.expired"},
		{"lock again after release", steps{lock("1", "u", now), release("1", now), lock("2", "u", now)}, "", marketing.Locked, "coupon.locked coupon.released coupon.locked"},
		{"lock for two", steps{lock("1", "u", now), lock("2", "u", now)}, fault.CouponUnavailable, marketing.Locked, "coupon.locked"},
		{"lock for a stranger", steps{lock("1", "v", now)}, fault.CouponUnavailable, marketing.Available, ""},
		{"lock too early", steps{lock("1", "u", now.Add(-time.Hour))}, fault.CouponUnavailable, marketing.Available, ""},
		{"lock too late", steps{lock("1", "u", late)}, fault.CouponUnavailable, marketing.Available, ""},
		{"revoke", steps{revoke}, "", marketing.Revoked, "coupon.revoked"},
		{"revoke locked", steps{lock("1", "u", now), revoke}, "", marketing.Revoked, "coupon.locked coupon.revoked"},
		{"revoke used", steps{lock("1", "u", now), use("1"), revoke}, fault.CouponUnavailable, marketing.Used, "coupon.locked coupon.used"},
		{"expire too early", steps{expire(now.AddDate(0, 0, 7).Add(-1))}, "", marketing.Available, ""},
		{"expire", steps{expire(now.AddDate(0, 0, 7))}, "", marketing.Expired, "coupon.expired"},
		{"expire twice", steps{expire(late), expire(late)}, "", marketing.Expired, "coupon.expired"},
		{"expire locked", steps{lock("1", "u", now), expire(late)}, "", marketing.Locked, "coupon.locked"},
		{"expire used", steps{lock("1", "u", now), use("1"), expire(late)}, "", marketing.Used, "coupon.locked coupon.used"},
		{"revoke expired", steps{expire(late), revoke}, "", marketing.Revoked, "coupon.expired coupon.revoked"},
		{"lock revoked", steps{revoke, lock("1", "u", now)}, fault.CouponUnavailable, marketing.Revoked, "coupon.revoked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := now
			c := marketing.Issue(&marketing.Template{ID: "t", ValidFrom: &from, ValidDays: 7}, "C", "u", now)
			var err error
			for _, s := range tt.steps {
				err = s(c)
			}
			var events []string
			for _, e := range c.Drain() {
				events = append(events, string(e.Type))
			}
			d := c.Data()
			if fault.CodeOf(err) != tt.code || d.Status != tt.status || strings.Join(events, " ") != tt.events {
				t.Errorf("%v, %s, %v; want %q, %s, %s", err, d.Status, events, tt.code, tt.status, tt.events)
			}
			if held := d.Status == marketing.Locked || d.Status == marketing.Used; held != (d.Order != "") {
				t.Errorf("is %s and names order %q", d.Status, d.Order)
			}
		})
	}
}

// TestValidity: when a coupon that is issued now begins and ends.
func TestValidity(t *testing.T) {
	at := func(d time.Duration) *time.Time { v := now.Add(d); return &v }
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name  string
		in    marketing.Template
		until time.Duration // from now; 0: never ends
	}{
		{"nothing said", marketing.Template{}, 0},
		{"days", marketing.Template{ValidDays: 3}, 3 * day},
		{"an end", marketing.Template{ValidUntil: at(day)}, day},
		{"days before the end", marketing.Template{ValidDays: 3, ValidUntil: at(9 * day)}, 3 * day},
		{"days past the end", marketing.Template{ValidDays: 3, ValidUntil: at(day)}, day},
		{"days of what has begun", marketing.Template{ValidDays: 3, ValidFrom: at(-day)}, 3 * day},
		{"days of what has still to begin", marketing.Template{ValidDays: 3, ValidFrom: at(5 * day)}, 8 * day},
		{"all of them", marketing.Template{ValidDays: 3, ValidFrom: at(5 * day), ValidUntil: at(6 * day)}, 6 * day},
	} {
		d := marketing.Issue(&tt.in, "C", "", now).Data()
		if want := (time.Time{}); tt.until == 0 && d.ValidUntil != want || tt.until != 0 && !d.ValidUntil.Equal(now.Add(tt.until)) {
			t.Errorf("%s: ends %s", tt.name, d.ValidUntil)
		}
		if !d.ValidUntil.IsZero() && !d.ValidFrom.Before(d.ValidUntil) {
			t.Errorf("%s: valid from %s until %s", tt.name, d.ValidFrom, d.ValidUntil)
		}
		if d.ValidUntil.IsZero() {
			continue
		}
		if before, after := d.StatusAt(d.ValidUntil.Add(-1)), d.StatusAt(d.ValidUntil); before != marketing.Available || after != marketing.Expired {
			t.Errorf("%s: %s before its end, %s at it", tt.name, before, after)
		}
	}
}

func TestTemplateValidate(t *testing.T) {
	ten, over := money.Percent(1000), money.Percent(10001)
	later := now.Add(time.Hour)
	ok := marketing.Template{Name: "n", Kind: "amount_off", AmountOff: 1}
	with := func(change func(*marketing.Template)) marketing.Template {
		t := ok
		change(&t)
		return t
	}
	for _, tt := range []struct {
		name     string
		in       marketing.Template
		pointers string
	}{
		{"amount off", ok, "[]"},
		{"percent off", marketing.Template{Name: "n", Kind: "percent_off", PercentOff: &ten}, "[]"},
		{"no name", with(func(t *marketing.Template) { t.Name = "" }), "[/name]"},
		{"too much percent", marketing.Template{Name: "n", Kind: "percent_off", PercentOff: &over}, "[/percentOff]"},
		{"dates reversed", with(func(t *marketing.Template) { t.ValidFrom, t.ValidUntil = &later, &now }), "[/validUntil]"},
		{"negative days", with(func(t *marketing.Template) { t.ValidDays = -1 }), "[/validDays]"},
		{"negative supply", with(func(t *marketing.Template) { t.Supply = -1 }), "[/supply]"},
		{"negative limit", with(func(t *marketing.Template) { t.PerUserLimit = -1 }), "[/perUserLimit]"},
	} {
		var pointers []string
		if err := tt.in.Validate(); err != nil {
			for _, f := range fault.From(err).Fields {
				pointers = append(pointers, f.Pointer)
			}
		}
		if got := fmt.Sprint(pointers); got != tt.pointers {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.pointers)
		}
	}
}
