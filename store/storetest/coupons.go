package storetest

import (
	"strings"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
)

// ofTemplate is an available coupon of a template that ends at a time; a zero
// one never does.
func ofTemplate(template, code string, until time.Time) marketing.CouponData {
	return marketing.CouponData{Code: code, TemplateID: template, Status: marketing.Available, ValidUntil: until, IssuedAt: now, Version: 1}
}

func couponCodes(found []marketing.CouponData) []string {
	var out []string
	for _, d := range found {
		out = append(out, d.Code)
	}
	return out
}

// testCoupons: coupons by template and by user, their states as of a time, and
// how many there are.
func testCoupons(e *env) {
	held, used, over, revoked := ofTemplate("t1", "e", now), ofTemplate("t1", "f", now), ofTemplate("t1", "g", now), ofTemplate("t1", "h", now)
	held.Status, held.Order = marketing.Locked, "1"
	used.Status, used.Order = marketing.Used, "2"
	over.Status, revoked.Status = marketing.Expired, marketing.Revoked
	list := []marketing.CouponData{
		ofTemplate("t1", "B", now.Add(time.Hour)), ofTemplate("t1", "a", time.Time{}), ofTemplate("t1", "c", now), ofTemplate("t1", "d", now.Add(-time.Hour)),
		held, used, over, revoked, ofTemplate("t2", "aa", now), ofTemplate("", "ab", now),
	}
	for i := range list {
		if i%2 == 0 {
			list[i].User = "u1"
		}
	}
	e.write(changes{Coupons: added(list...)})
	other := e.shop
	e.shop = e.newShop()
	e.write(changes{Coupons: added(ofTemplate("t1", "a", now), ofTemplate("t3", "b", now))})
	e.shop = other

	for _, tt := range []struct {
		what string
		f    app.CouponFilter
		want string
	}{
		{"of a template", app.CouponFilter{Template: "t1"}, "Bacdefgh"},
		{"of one that is not there", app.CouponFilter{Template: "t9"}, ""},
		{"available", app.CouponFilter{Template: "t1", Status: marketing.Available, Now: now}, "Ba"},
		{"available a moment before", app.CouponFilter{Template: "t1", Status: marketing.Available, Now: now.Add(-time.Microsecond)}, "Bac"},
		{"expired", app.CouponFilter{Template: "t1", Status: marketing.Expired, Now: now}, "cdg"},
		{"locked", app.CouponFilter{Template: "t1", Status: marketing.Locked, Now: now}, "e"},
		{"used", app.CouponFilter{Template: "t1", Status: marketing.Used, Now: now}, "f"},
		{"revoked", app.CouponFilter{Template: "t1", Status: marketing.Revoked, Now: now}, "h"},
		{"of a user", app.CouponFilter{User: "u1"}, "Baaceg"},
		{"of a user, available", app.CouponFilter{User: "u1", Status: marketing.Available, Now: now}, "B"},
		{"of a user, expired", app.CouponFilter{User: "u1", Status: marketing.Expired, Now: now}, "aacg"},
		{"of a user and a template", app.CouponFilter{User: "u1", Template: "t2"}, "aa"},
		{"of both, expired", app.CouponFilter{User: "u1", Template: "t1", Status: marketing.Expired, Now: now}, "cg"},
	} {
		got := ""
		for _, code := range couponCodes(pages(e, func(p app.Page) ([]marketing.CouponData, string, error) {
			return e.ListCoupons(e.Context(), e.shop, tt.f, p)
		})) {
			got += code
		}
		e.same(tt.what, tt.want, got)
	}
	counts, err := e.CountCoupons(e.Context(), e.shop, []string{"t1", "t2", "t3"})
	e.must(err)
	delete(counts, "t3")
	e.same("counts", map[string]int64{"t1": 8, "t2": 1}, counts)
}

// testDueCoupons: what expires is found until it is over, however it came to
// that, and again when it comes back.
func testDueCoupons(e *env) {
	list := []marketing.CouponData{
		ofTemplate("t", "b", now), ofTemplate("t", "a", now), ofTemplate("t", "z", now.Add(-time.Hour)),
		ofTemplate("t", "later", now.Add(time.Microsecond)), ofTemplate("t", "never", time.Time{}),
	}
	e.write(changes{Coupons: added(list...)})
	due := func(what string, want ...string) {
		e.Helper()
		got, err := e.DueCoupons(e.Context(), e.shop, now, 100)
		e.must(err)
		e.same(what, strings.Join(want, " "), strings.Join(got, " "))
	}
	due("longest ago first, then by code", "z", "a", "b")
	two, err := e.DueCoupons(e.Context(), e.shop, now, 2)
	e.must(err)
	e.same("two of them", []string{"z", "a"}, two)

	move := func(code string, s marketing.Status, order string) {
		e.Helper()
		u, l := e.begin(needs{Coupons: []string{code}})
		c := l.Coupons[0]
		c.Status, c.Order = s, order
		e.must(e.commit(u, changes{Coupons: changed(l.Coupons[0], c)}))
		c.Version++
		e.same("as changed", []marketing.CouponData{c}, e.load(needs{Coupons: []string{code}}).Coupons)
	}
	move("z", marketing.Locked, "1")
	due("an order holds one", "a", "b")
	move("z", marketing.Used, "1")
	move("a", marketing.Expired, "")
	due("one is used, one over", "b")
	move("z", marketing.Available, "")
	due("one is given back", "z", "b")
	move("z", marketing.Revoked, "")
	move("b", marketing.Expired, "")
	due("none is left")
}

// testMigrateCoupons: coupons that were issued before there was an index of
// those that will expire are in it, and templates count as each version has it.
func testMigrateCoupons(e *env) {
	held, over := ofTemplate("free", "held", now), ofTemplate("limited", "over", now)
	held.Status, held.Order, over.Status = marketing.Locked, "1", marketing.Expired
	free, limited := fullTemplate("free"), fullTemplate("limited")
	free.Supply, free.Issued, limited.Supply, limited.Issued = 0, 0, 10, 2
	list := []marketing.CouponData{ofTemplate("limited", "due", now), ofTemplate("free", "never", time.Time{}), held, over}
	e.write(changes{Coupons: added(list...), Templates: added(free, limited)})
	e.must(e.MigrateDownTo(e.Context(), 2))
	e.must(e.Migrate(e.Context()))
	u, l := e.begin(needs{Coupons: []string{"due", "held", "never", "over"}, Templates: []string{"free", "limited"}})
	e.same("coupons", []marketing.CouponData{list[0], held, list[1], over}, l.Coupons)
	e.same("templates", []marketing.Template{free, limited}, l.Templates)
	held.Status, held.Order, held.Version = marketing.Available, "", 1
	e.must(e.commit(u, changes{Coupons: changed(l.Coupons[1], held)}))
	due, err := e.DueCoupons(e.Context(), e.shop, now, 10)
	e.must(err)
	e.same("due", []string{"due", "held"}, due)
}
