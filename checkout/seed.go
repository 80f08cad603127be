package checkout

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"strconv"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
)

// goods are the demo's products. Every one is in the category demo, which
// the demo's promotions are about: whatever else the shop sells keeps its
// price. Names are Chinese and English around a dot; the page shows one half.
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
	everyDemo = "demo"
	stock     = 1000
	welcome   = "demo-welcome-5"
)

// promotions are the demo's rules, made anew on each call: they hold pointers.
func promotions() []pricing.Promotion {
	ten := money.Percent(10_00)
	return []pricing.Promotion{
		{
			ID: "demo-coffee-3-for-2", Name: "咖啡买二赠一 · Coffee: buy 2, get 1", Kind: "buy_x_get_y",
			Buy: 2, Get: 1, Scope: &pricing.Scope{Categories: []string{"demo-coffee"}},
		},
		{
			ID: "demo-bakery-10", Name: "烘焙九折 · 10% off bakery", Kind: "percent_off",
			PercentOff: &ten, Scope: &pricing.Scope{Categories: []string{"demo-bakery"}},
		},
		{
			ID: "demo-10-per-100", Name: "每满100减10 · ¥10 off every ¥100", Kind: "amount_off",
			Threshold: 100_00, AmountOff: 10_00, Repeat: true, Scope: &pricing.Scope{Categories: []string{everyDemo}},
		},
	}
}

func template() marketing.Template {
	return marketing.Template{
		ID: welcome, Name: "新客立减5元 · ¥5 welcome coupon", Kind: "amount_off",
		AmountOff: 5_00, Threshold: 30_00, ValidDays: 7, PerUserLimit: claims, ReturnOnRefund: true,
		Scope: &pricing.Scope{Categories: []string{everyDemo}},
	}
}

// Seed puts the demo's products, promotions and coupon template into a shop.
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
		} else if !fault.Is(err, fault.Missing) {
			return err
		}
		// Another instance may have been quicker.
		if _, _, err := a.PutPromotion(ctx, shopID, "", p, true); err != nil && !fault.Is(err, fault.AlreadyExists) {
			return err
		}
	}
	if _, err := a.Store.Template(ctx, shopID, welcome); err == nil {
		return nil
	} else if !fault.Is(err, fault.Missing) {
		return err
	}
	if _, _, err := a.PutTemplate(ctx, shopID, "", template(), true); err != nil && !fault.Is(err, fault.AlreadyExists) {
		return err
	}
	return nil
}

// claims is how many welcome coupons one visitor may have in all.
const claims = 50

type claimed struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// claimCoupon gives the visitor a welcome coupon. Who holds one that can be
// used is given that one again, so that asking twice is asking once.
func (s *shop) claimCoupon(rw http.ResponseWriter, r *http.Request) (answered, error) {
	ctx, user := r.Context(), visitor(rw, r)
	t, err := s.App.Store.Template(ctx, s.Shop, welcome)
	if err != nil {
		return answered{}, err
	}
	have, _, err := s.App.Store.ListCoupons(ctx, s.Shop, app.CouponFilter{User: user}, app.Page{Limit: claims + 1})
	if err != nil {
		return answered{}, err
	}
	now := s.App.Clock.Now().UTC()
	for i := range have {
		if reason, _ := have[i].Usable(user, now); reason == "" && have[i].TemplateID == welcome {
			return answered{body: claimed{have[i].Code, t.Name}}, nil
		}
	}
	// The code and the key follow from how many the visitor has had: twins
	// of one claim are one coupon.
	turn := "welcome/" + user + "/" + strconv.Itoa(len(have))
	sum := sha256.Sum256([]byte(turn))
	code := "WELCOME5-" + base32.StdEncoding.EncodeToString(sum[:5])
	made, _, err := s.App.IssueCoupons(ctx, s.Shop, "demo/"+turn, app.IssueCoupons{Template: welcome, User: user, Codes: []string{code}})
	if err != nil {
		return answered{}, err
	}
	return answered{http.StatusCreated, nil, claimed{made[0].Code, t.Name}}, nil
}
