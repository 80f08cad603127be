package audit

import "github.com/tandem-pay/tandem/marketing"

// held is what an order did to a coupon.
type held struct {
	status marketing.Status
	order  string
}

// issued is what was issued of a template.
type issued struct {
	absent  bool // coupons name it, and it is not there
	supply  int64
	stored  int64
	counted int64
	perUser int64
	users   map[string]int64 // where each may have only so many
}

func (a *auditor) template(t marketing.Template) error {
	a.templates[t.ID] = &issued{supply: t.Supply, stored: t.Issued, perUser: t.PerUserLimit, users: map[string]int64{}}
	return nil
}

func (a *auditor) coupon(d marketing.CouponData) error {
	a.r.Coupons++
	switch {
	case d.Status == marketing.Locked || d.Status == marketing.Used:
		a.coupons[d.Code] = held{d.Status, d.Order}
	case d.Order != "":
		a.offend(3, "coupon "+d.Code, "is %s and names order %s", d.Status, d.Order)
	case d.Status == marketing.Expired && d.ValidUntil.IsZero():
		a.offend(3, "coupon "+d.Code, "is expired and has no end")
	}
	t := a.templates[d.TemplateID]
	if t == nil {
		t = &issued{absent: true}
		a.templates[d.TemplateID] = t
	}
	t.counted++
	if d.User != "" && t.perUser > 0 {
		t.users[d.User]++
	}
	return nil
}

// checkHeld finds coupons that name an order which does not hold them: the
// other ones were struck out with their orders.
func (a *auditor) checkHeld() {
	for code, c := range a.coupons {
		a.offend(3, "coupon "+code, "is %s by order %s, which does not hold it", c.status, c.order)
	}
}
