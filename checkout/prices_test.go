package checkout_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// texts are the texts of all elements.
func (p *tab) texts(selector string) (all []string) {
	p.t.Helper()
	p.js(`[...document.querySelectorAll('`+selector+`')].map((e) => e.textContent)`, &all)
	return all
}

// settled waits until the price on the page is that of the cart.
func (p *tab) settled() {
	p.t.Helper()
	p.until(`!buy.disabled && !filled.hasAttribute('data-stale')`)
}

// A hint near the total says what is missing for another discount, in both
// languages, and disappears once the discount applies.
func TestHints(t *testing.T) {
	s := serve(t, "")
	p := newTab(t)
	p.visit(s.url + "/demo")
	p.until(`document.querySelectorAll('#products > li').length === 6`)
	if p.text(`document.documentElement.lang`) != "en" {
		p.press("#language")
	}
	p.press(`[data-sku=demo-oat-latte] [data-step=more]`)
	p.press(`[data-sku=demo-beans] [data-step=more]`) // 28 + 79 come to more than 100; one coffee of three
	p.settled()
	if got, want := p.texts("#hints li"), []string{"Add 2 more for “Coffee: buy 2, get 1”"}; !slices.Equal(got, want) {
		t.Errorf("hints %q, want %q", got, want)
	}
	if all := strings.Join(p.texts("#explained .applied li > div"), "|"); !strings.Contains(all, "Beans for ¥79−¥9.00") || !strings.Contains(all, "¥10 off every ¥100−¥10.00") {
		t.Errorf("discounts %s", all)
	}
	p.press(`[data-sku=demo-beans] [data-step=less]`)
	p.press(`[data-sku=demo-pour-over] [data-step=more]`)
	p.press(`[data-sku=demo-cheesecake] [data-step=more]`)
	p.settled() // 96.50 before the bakery takes its 10 %
	if got, want := p.texts("#hints li"), []string{"Add 1 more for “Coffee: buy 2, get 1”", "Spend ¥3.50 more for “¥10 off every ¥100”"}; !slices.Equal(got, want) {
		t.Errorf("hints %q, want %q", got, want)
	}
	p.press("#language")
	if got, want := p.texts("#hints li"), []string{"再买 1 件可享「咖啡买二赠一」", "再买 ¥3.50 可享「每满100减10」"}; !slices.Equal(got, want) {
		t.Errorf("hints %q, want %q", got, want)
	}
	p.press(`[data-sku=demo-croissant] [data-step=more]`)
	p.settled() // 114.50, and no nudge for what is got
	if got, want := p.texts("#hints li"), []string{"再买 1 件可享「咖啡买二赠一」"}; !slices.Equal(got, want) {
		t.Errorf("hints %q, want %q", got, want)
	}
	p.press(`[data-sku=demo-pour-over] [data-step=more]`)
	p.until(`document.querySelectorAll('#explained .applied li').length === 2 || document.querySelectorAll('#explained .applied li').length === 3`)
	p.settled()
	if all := strings.Join(p.texts("#explained .applied li > div"), "|"); !strings.Contains(all, "咖啡买二赠一−¥28.00") {
		t.Errorf("discounts %s", all)
	}
}

// One button chooses the best of all coupons that a buyer has or may claim, in both
// languages, and the order is placed with them.
func TestBestCoupons(t *testing.T) {
	s := serve(t, "")
	p := newTab(t)
	p.visit(s.url + "/demo")
	p.until(`document.querySelectorAll('#products > li').length === 6`)
	if p.text(`document.documentElement.lang`) != "en" {
		p.press("#language")
	}
	p.press(`[data-sku=demo-mug] [data-step=more]`)
	p.settled() // 128 - 10
	p.press("#best")
	p.until(`document.querySelectorAll('#using li').length === 2 && chosen.textContent !== ''`)
	p.settled()
	// 15 % of 118 and 2 on top, where the welcome coupon is 5.
	if got, want := p.texts("#totals dd"), []string{"¥128.00", "−¥29.70", "¥98.30"}; !slices.Equal(got, want) {
		t.Errorf("totals %q, want %q", got, want)
	}
	if using := p.texts("#using li span"); len(using) != 2 || !strings.HasPrefix(using[0], "HOME15-") || !strings.HasPrefix(using[1], "EXTRA2-") {
		t.Errorf("using %q", using)
	}
	if got := p.text(`document.querySelector('#best').textContent + '|' + chosen.textContent`); got != "Use my best coupons|Of your 3 coupons for this cart, this saves the most" {
		t.Errorf("%q", got)
	}
	p.press("#language")
	if got := p.text(`document.querySelector('#best').textContent + '|' + chosen.textContent`); got != "用最优惠券|您的 3 张可用券中，这样最省" {
		t.Errorf("%q", got)
	}
	// For another cart other coupons are chosen.
	p.press(`[data-sku=demo-mug] [data-step=less]`)
	p.press(`[data-sku=demo-cheesecake] [data-step=more]`)
	p.settled()
	p.press("#best")
	p.until(`document.querySelectorAll('#using li').length === 2 && chosen.textContent !== ''`)
	p.settled()
	if using := p.texts("#using li span"); len(using) != 2 || !strings.HasPrefix(strings.Join(using, ""), "WELCOME5-") || !strings.HasPrefix(using[1], "EXTRA2-") {
		t.Errorf("using %q", using)
	}
	p.press("#buy")
	p.placed()
	if made := s.orders(); len(made) != 1 || made[0].PayableAmount != 3285-700 {
		t.Errorf("orders %+v", made)
	}
}

// A gift is shown among the lines, as free; and where the server sends a
// Chinese text, the page shows it.
func TestGiftsAndTextsOfTheServer(t *testing.T) {
	s := serve(t, "")
	p := newTab(t)
	p.visit(s.url + "/demo")
	p.until(`document.querySelectorAll('#products > li').length === 6`)
	const quote = `{ currency: 'CNY', items: [
		{ sku: 'a', name: '茶 · Tea', quantity: 2, unitPrice: 500, totalAmount: 1000, discountAmount: 0, payableAmount: 1000, gift: false },
		{ sku: 'b', name: '杯 · Cup', quantity: 1, unitPrice: 800, totalAmount: 800, discountAmount: 800, payableAmount: 0, gift: true }],
		appliedDiscounts: [], skippedDiscounts: [
		{ source: 'promotion', id: 'p', name: '满减 · Off', reason: 'threshold_not_met', missing: 1250, detail: '12.50 more for 满减 · Off', detailZh: '还差12.50元可享满减 · Off' },
		{ source: 'promotion', id: 'q', name: '新 · New', reason: 'a_reason_of_tomorrow', detail: 'in words', detailZh: '换个说法' }] }`
	for _, tt := range []struct{ lang, gift, skipped, hints string }{
		{"en", "1×CupGift|¥8.00|Free", "OffSpend ¥12.50 more to get it|Newin words", "Spend ¥12.50 more for “Off”"},
		{"zh-CN", "1×杯赠品|¥8.00|免费", "满减还差12.50元可享满减|新换个说法", "再买 ¥12.50 可享「满减」"},
	} {
		if p.text(`document.documentElement.lang`) != tt.lang {
			p.press("#language")
		}
		var shown struct{ Gift, Skipped, Hints string }
		p.js(`import('./demo/price.js').then((price) => { const q = `+quote+`; const gift = price.lines(q)[1];
			const all = (list) => list.map((e) => e.textContent).join('|');
			return { Gift: all([...gift.children].slice(0, 2)).replace('|', '') + '|' + all([...gift.querySelectorAll('.price *')]),
				Skipped: all([...price.reasons(q).at(-1).children]), Hints: all(price.hints(q)) }; })`, &shown)
		if shown.Gift != tt.gift || shown.Skipped != tt.skipped || shown.Hints != tt.hints {
			t.Errorf("%s: %+v, want %+v", tt.lang, shown, tt)
		}
	}
}

// The demo's quotes accept the same coupon codes as those of the public API.
func TestQuotingTheBest(t *testing.T) {
	s := serve(t, "")
	v := s.demoClient()
	const mug = `{"items":[{"sku":"demo-mug","quantity":1}]`
	for _, tt := range []struct {
		name, coupons string
		status        int
	}{
		{"codes", `["X"]`, http.StatusOK},
		{"none", `[]`, http.StatusOK},
		{"null", `null`, http.StatusOK},
		{"best", `"best"`, http.StatusOK},
		{"another word", `"most"`, http.StatusBadRequest},
		{"a number", `7`, http.StatusBadRequest},
		{"a number among codes", `["X",7]`, http.StatusBadRequest},
	} {
		res, answer := v.send("POST", "/demo/quotes", "", mug+`,"couponCodes":`+tt.coupons+`}`)
		if res.StatusCode != tt.status || (answer["best"] != nil) != (tt.name == "best") {
			t.Errorf("%s: %s %v", tt.name, res.Status, answer)
		}
	}
	if res, _ := v.send("POST", "/demo/orders", "k", mug+`,"couponCodes":"best"}`); res.StatusCode != http.StatusBadRequest {
		t.Errorf("an order with \"best\": %s", res.Status)
	}
}
