package checkout

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"strconv"
	"strings"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
)

// goods are the demo's products. Every one is in the category demo, which
// the demo's promotions apply to, so that other products of the shop keep
// their price. Names are in Chinese and English, separated by a dot; the page shows one.
var goods = []struct {
	sku, name, category string
	price               int64
}{
	{"demo-pour-over", "手冲咖啡 · Pour-over coffee", "demo-coffee", 32_00},
	{"demo-oat-latte", "燕麦拿铁 · Oat latte", "demo-coffee", 28_00},
	{"demo-croissant", "黄油可颂 · Butter croissant", "demo-bakery", 18_00},
	{"demo-cheesecake", "巴斯克蛋糕 · Basque cheesecake", "demo-bakery", 36_50},
	{"demo-beans", "咖啡豆 250g · Coffee beans", "demo-home", 88_00},
	{"demo-mug", "手作陶杯 · Handmade mug", "demo-home", 128_00},
}

const (
	demoPrefix = "demo-" // begins the id of all that is the demo's

	everyDemo = "demo"
	stock     = 1000
	welcome   = "demo-welcome-5"
)

func only(category string) *pricing.Scope { return &pricing.Scope{Categories: []string{category}} }

func percent(p money.Percent) *money.Percent { return &p }

// promotions returns the demo's rules, new on each call because they hold pointers.
// The page shows them in this order.
func promotions() []pricing.Promotion {
	return []pricing.Promotion{
		{ID: "demo-coffee-3-for-2", Name: "咖啡买二赠一 · Coffee: buy 2, get 1", Kind: "buy_x_get_y", Buy: 2, Get: 1, Scope: only("demo-coffee")},
		{ID: "demo-bakery-10", Name: "烘焙九折 · 10% off bakery", Kind: "percent_off", PercentOff: percent(10_00), Scope: only("demo-bakery")},
		{ID: "demo-10-per-100", Name: "每满100减10 · ¥10 off every ¥100", Kind: "amount_off",
			Threshold: 100_00, AmountOff: 10_00, Repeat: true, Scope: only(everyDemo)},
		{ID: "demo-beans-79", Name: "咖啡豆限时79元 · Beans for ¥79", Kind: "fixed_price",
			Price: 79_00, Scope: &pricing.Scope{Skus: []string{"demo-beans"}}},
	}
}

// templates are the coupons that a buyer may claim, one of each at a time.
// The first is the one that is used when it is claimed; which of them are best
// depends on the cart.
func templates() []marketing.Template {
	all := []marketing.Template{
		{ID: welcome, Name: "新客立减5元 · ¥5 welcome coupon", Kind: "amount_off", AmountOff: 5_00, Threshold: 30_00, Scope: only(everyDemo)},
		{ID: "demo-home-15", Name: "家居85折券 · 15% off for the home", Kind: "percent_off",
			PercentOff: percent(15_00), MaxDiscount: 30_00, Scope: only("demo-home")},
		{ID: "demo-extra-2", Name: "可叠加2元券 · ¥2 on top", Kind: "amount_off",
			AmountOff: 2_00, Threshold: 20_00, Stackable: true, Scope: only(everyDemo)},
	}
	for i := range all {
		all[i].ValidDays, all[i].PerUserLimit, all[i].ReturnOnRefund = 7, claims, true
	}
	return all
}

// Seed puts the demo's products, promotions and coupon templates into a shop.
// What is there stays as it is, edits and sales included, so that it can run
// at every start and on every instance.
func Seed(ctx context.Context, a *app.App, shopID string) error {
	ids := make([]string, len(goods))
	for i := range goods {
		ids[i] = goods[i].sku
	}
	found, err := a.Store.SkusByID(ctx, shopID, ids)
	if err != nil {
		return err
	}
	have := make(map[string]bool, len(found))
	for i := range found {
		have[found[i].Sku] = true
	}
	for _, g := range goods {
		if have[g.sku] {
			continue
		}
		onHand := int64(stock)
		d := inventory.Definition{Name: g.name, Price: g.price, Categories: []string{everyDemo, g.category}, Stock: &onHand}
		if _, err := a.PutSku(ctx, shopID, g.sku, d); err != nil {
			return err
		}
	}
	for _, p := range promotions() {
		if _, err := a.Store.Promotion(ctx, shopID, p.ID); err == nil {
			continue
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		// Another instance may have created it first.
		if _, _, err := a.PutPromotion(ctx, shopID, "", p, true); err != nil && !fault.Is(err, fault.AlreadyExists) {
			return err
		}
	}
	for _, t := range templates() {
		if _, err := a.Store.Template(ctx, shopID, t.ID); err == nil {
			continue
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		if _, _, err := a.PutTemplate(ctx, shopID, "", t, true); err != nil && !fault.Is(err, fault.AlreadyExists) {
			return err
		}
	}
	return nil
}

// claims is how many coupons of each template one buyer may have in all.
const claims = 50

type claimed struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// claimCoupon makes sure that the buyer has a usable coupon of each template,
// and returns the first. A repeat issues no second one; for a template that
// has run out, or that the shop has removed, there is none.
func (s *shop) claimCoupon(rw http.ResponseWriter, r *http.Request) (answered, error) {
	ctx, user := r.Context(), buyer(rw, r)
	all := templates()
	have, _, err := s.App.Store.ListCoupons(ctx, s.Shop, app.CouponFilter{User: user}, app.Page{Limit: len(all)*claims + 1})
	if err != nil {
		return answered{}, err
	}
	var first answered
	for i, t := range all {
		a, err := s.claim(ctx, user, t.ID, have)
		switch {
		case i == 0 && err != nil:
			return answered{}, err
		case i == 0:
			first = a
		case err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.CouponUnavailable):
			return answered{}, err
		}
	}
	return first, nil
}

// claim gives the buyer a coupon of the template, or the one that they have.
func (s *shop) claim(ctx context.Context, user, template string, have []marketing.CouponData) (answered, error) {
	t, err := s.App.Store.Template(ctx, s.Shop, template)
	if err != nil {
		return answered{}, err
	}
	now, had := s.App.Clock.Now().UTC(), 0
	for i := range have {
		if have[i].TemplateID != template {
			continue
		}
		had++
		if reason, _ := have[i].Usable(user, now); reason == "" {
			return answered{body: claimed{have[i].Code, t.Name}}, nil
		}
	}
	// The code and the key follow from how many the buyer has had:
	// duplicates of one claim are one coupon.
	name := strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(template, "demo-"), "-", ""))
	turn := strings.ToLower(name) + "/" + user + "/" + strconv.Itoa(had)
	sum := sha256.Sum256([]byte(turn))
	code := name + "-" + base32.StdEncoding.EncodeToString(sum[:5])
	made, _, err := s.App.IssueCoupons(ctx, s.Shop, "demo/"+turn, app.IssueCoupons{Template: template, User: user, Codes: []string{code}})
	if err != nil {
		return answered{}, err
	}
	return answered{http.StatusCreated, nil, claimed{made[0].Code, t.Name}}, nil
}
