package app

import (
	"context"
	"fmt"
	"io"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/shop"
)

// MaxIssue is how many coupons one call may issue.
const MaxIssue = 1000

// IssueCoupons is a request for coupons of a template: Codes as given, or Count made
// up ones (1 by default), for User or for whoever holds the code; or a made up
// one for each of Users.
type IssueCoupons struct {
	Template string
	User     string
	Users    []string `json:",omitempty"`
	Count    int
	Codes    []string
}

// IssueCoupons issues all of them or none. A code that exists is refused.
//
// What a template limits is counted: its supply in its own row, which such
// issues take one after another, and what a user may have in a counter of that
// user and template. A template without limits is only read.
func (a *App) IssueCoupons(
	ctx context.Context, shopID, key string, in IssueCoupons,
) (issued []marketing.CouponData, replayed bool, err error) {
	hash := Hash("issue coupons", in)
	if err := in.check(); err != nil {
		return nil, false, err
	}
	n := max(len(in.Users), len(in.Codes), in.Count, 1)
	list := make([]newCoupon, 0, n)
	for _, code := range in.Codes {
		list = append(list, newCoupon{code: code, user: in.User})
	}
	for _, user := range in.Users {
		list = append(list, newCoupon{newID("", a.Rand), user, true})
	}
	for len(list) < n {
		list = append(list, newCoupon{newID("", a.Rand), in.User, true})
	}
	c := &Command{
		Shop: shopID, Name: "issue coupons", Key: key, Hash: hash, Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Coupons.Keys(in.Codes...)},
	}
	if err := a.foresee(ctx, c, in.Template, list); err != nil {
		return nil, false, err
	}
	return Do(ctx, a, c, func(tx *Tx) ([]marketing.CouponData, error) { return issue(tx, in.Template, false, list) })
}

// ClaimCoupon gives a user, at the user's request, a coupon of a template that can
// be claimed (领券), if any are left and the user has not had as many as each may.
func (a *App) ClaimCoupon(ctx context.Context, shopID, key, template, user string) (d marketing.CouponData, replayed bool, err error) {
	if err := shop.CheckID("/userId", user); err != nil {
		return d, false, err
	}
	list := []newCoupon{{newID("", a.Rand), user, true}}
	c := &Command{
		Shop: shopID, Name: "claim coupon", Key: key, Hash: Hash("claim coupon "+template, user), Trace: a.Tracer.Parent(ctx),
	}
	if err := a.foresee(ctx, c, template, list); err != nil {
		return d, false, err
	}
	return Do(ctx, a, c, func(tx *Tx) (out marketing.CouponData, err error) {
		made, err := issue(tx, template, true, list)
		if err != nil {
			return out, err
		}
		return made[0], nil
	})
}

func (in *IssueCoupons) check() error {
	if in.User != "" {
		if err := shop.CheckID("/userId", in.User); err != nil {
			return err
		}
	}
	if in.Count < 0 || in.Count > MaxIssue {
		return fault.Invalidf("/count", "at most %d coupons in one call", MaxIssue)
	}
	if len(in.Codes) > 0 && in.Count != 0 && in.Count != len(in.Codes) {
		return fault.Invalidf("/count", "give count or codes")
	}
	if len(in.Users) > 0 && (in.User != "" || in.Count != 0 || len(in.Codes) > 0) {
		return fault.Invalidf("/userIds", "give userIds alone: each of them gets one coupon with a made-up code")
	}
	if err := each("/codes", "code", in.Codes, marketing.CheckCode); err != nil {
		return err
	}
	return each("/userIds", "user", in.Users, shop.CheckID)
}

// each checks a list of which no member may stand twice.
func each(pointer, what string, list []string, check func(pointer, v string) error) error {
	if len(list) > MaxIssue {
		return fault.Invalidf(pointer, "at most %d coupons in one call", MaxIssue)
	}
	seen := make(map[string]bool, len(list))
	for i, v := range list {
		at := fmt.Sprintf("%s/%d", pointer, i)
		if err := check(at, v); err != nil {
			return err
		}
		if seen[v] {
			return fault.Invalidf(at, "the %s stands twice", what)
		}
		seen[v] = true
	}
	return nil
}

// newCoupon is a coupon to be issued.
type newCoupon struct {
	code string
	user string // "" leaves it to whoever has the code
	// made says that the code was made up just now: it cannot be there, so
	// nobody looks. Were it, the table's key would refuse it.
	made bool
}

// foresee adds to the command what the template's limits will take, by the
// rules as they are known here: without it the command would be decided twice.
func (a *App) foresee(ctx context.Context, c *Command, template string, list []newCoupon) error {
	rules, err := a.rules(ctx, c.Shop)
	if err != nil {
		return err
	}
	t := rules.Templates[template]
	if t == nil {
		return nil // it may have been made a moment ago
	}
	if t.Supply > 0 {
		c.Needs.Add(rows.Templates.Keys(template))
	}
	if t.PerUserLimit > 0 {
		for i := range list {
			if list[i].user != "" {
				c.Needs.Add(rows.Counters.Keys(PerUserCounter(template, list[i].user)))
			}
		}
	}
	return nil
}

// PerUserCounter names the counter of the coupons that a user was given of a
// template with a limit on that.
func PerUserCounter(template, user string) string { return "coupons/" + template + "/" + user }

// issue issues all of the list or none.
func issue(tx *Tx, template string, claim bool, list []newCoupon) ([]marketing.CouponData, error) {
	t, err := take(tx, template, claim, int64(len(list)))
	if err != nil {
		return nil, err
	}
	if err := give(tx, t, list); err != nil {
		return nil, err
	}
	out := make([]marketing.CouponData, 0, len(list))
	for _, n := range list {
		if !n.made {
			old, err := tx.Coupon(n.code)
			if err != nil {
				return nil, err
			}
			if old != nil {
				return nil, fault.New(fault.AlreadyExists, "there is a coupon %q", n.code)
			}
		}
		c := marketing.Issue(t, n.code, n.user, tx.Now())
		tx.PutCoupon(c)
		out = append(out, c.Data())
	}
	return out, nil
}

// take takes n coupons out of what a template can still give.
func take(tx *Tx, id string, claim bool, n int64) (t *marketing.Template, err error) {
	// Whether there is a supply stands in the rules, and never changes. Only a
	// template with one has its row locked, for the count.
	if t = tx.Rules().Templates[id]; t != nil && t.Supply > 0 {
		if t, err = tx.Template(id); err != nil {
			return nil, err
		}
	}
	if t == nil {
		return nil, fault.New(fault.NotFound, "there is no coupon template %q", id)
	}
	if why := t.Open(claim, tx.Now()); why != "" {
		return nil, fault.New(fault.CouponUnavailable, "template %s: %s", id, why)
	}
	if t.Supply == 0 {
		return t, nil
	}
	switch left := t.Supply - t.Issued; {
	case left <= 0:
		return nil, fault.New(fault.CouponUnavailable, "template %s: all %d coupons are issued", id, t.Supply)
	case n > left:
		return nil, fault.New(fault.CouponUnavailable, "template %s: %d of %d coupons are left, %d were requested", id, left, t.Supply, n)
	}
	t.Issued += n
	tx.CountIssued(t)
	return t, nil
}

// give counts what users are given, where that is limited.
func give(tx *Tx, t *marketing.Template, list []newCoupon) error {
	if t.PerUserLimit == 0 {
		return nil
	}
	var needs Needs
	for i := range list {
		if list[i].user != "" {
			needs.Add(rows.Counters.Keys(PerUserCounter(t.ID, list[i].user)))
		}
	}
	if err := tx.Need(needs); err != nil {
		return err
	}
	given := map[string]int64{}
	for i := range list {
		if list[i].user != "" {
			given[list[i].user]++
		}
	}
	for i := range list {
		user := list[i].user
		n, first := given[user]
		if !first {
			continue
		}
		delete(given, user)
		name := PerUserCounter(t.ID, user)
		had, err := tx.Counter(name)
		if err != nil {
			return err
		}
		if had+n > t.PerUserLimit {
			return fault.New(fault.CouponUnavailable, "template %s: at most %d for each user; %s has %d", t.ID, t.PerUserLimit, user, had)
		}
		tx.PutCounter(name, had+n)
	}
	return nil
}

// RevokeCoupon withdraws a coupon.
func (a *App) RevokeCoupon(ctx context.Context, shopID, code string) (marketing.CouponData, error) {
	d, _, err := Do(ctx, a, &Command{
		Shop: shopID, Name: "revoke coupon", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Coupons.Keys(code)},
	}, func(tx *Tx) (out marketing.CouponData, err error) {
		c, err := tx.Coupon(code)
		if err != nil {
			return out, err
		}
		if c == nil {
			return out, fault.New(fault.CouponNotFound, "there is no coupon %q", code)
		}
		if err := c.Revoke(); err != nil {
			return out, err
		}
		tx.PutCoupon(c)
		return c.Data(), nil
	})
	return d, err
}

// Template is a coupon template with how many coupons it has issued: its own
// count where it has a supply, else those that there are.
func (a *App) Template(ctx context.Context, shopID, id string) (marketing.Template, error) {
	t, err := a.Store.Template(ctx, shopID, id)
	if err != nil {
		return t, err
	}
	one := []marketing.Template{t}
	err = a.countIssued(ctx, shopID, one)
	return one[0], err
}

// ListTemplates is a page of templates by id, each as Template gives it.
func (a *App) ListTemplates(ctx context.Context, shopID string, p Page) ([]marketing.Template, string, error) {
	items, next, err := a.Store.ListTemplates(ctx, shopID, p)
	if err != nil {
		return nil, "", err
	}
	return items, next, a.countIssued(ctx, shopID, items)
}

// countIssued fills in what is not counted. It reads the index entry of every
// coupon of the templates without a supply: up to a second for a million.
func (a *App) countIssued(ctx context.Context, shopID string, list []marketing.Template) error {
	var ids []string
	for i := range list {
		if list[i].Supply == 0 {
			ids = append(ids, list[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	counts, err := a.Store.CountCoupons(ctx, shopID, ids)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Supply == 0 {
			list[i].Issued = counts[list[i].ID]
		}
	}
	return nil
}

// madeUp makes n codes of 80 random bits. They share their first four letters,
// which are no secret: so the codes of a batch stand beside each other in
// every index, and a batch touches a few dozen pages instead of a thousand.
func madeUp(n int, prefix string, r io.Reader) []string {
	prefix += newID("", r)[:4]
	out := make([]string, n)
	for i := range out {
		out[i] = newID(prefix, r)
	}
	return out
}
