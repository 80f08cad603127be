package storetest

import (
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

func testShops(e *env) {
	want := shop.Shop{ID: e.shop, Name: "店 " + e.shop, Currency: "CNY", CreatedAt: now}
	e.must(e.EnsureShop(e.Context(), shop.Shop{ID: e.shop, Name: "another name", Currency: "JPY"}))
	got, err := e.ShopByID(e.Context(), e.shop)
	e.must(err)
	e.same("a shop that is ensured again stays", want, got)
	e.same("the unit's shop", want, e.load(needs{}).Shop)
	e.same("the unit's shop, locked", want, e.load(needs{Shop: true}).Shop)

	bare := shop.Shop{ID: e.shop + "-bare", Policies: shop.Policies{UnpaidInstalment: shop.Wait}}
	e.must(e.EnsureShop(e.Context(), bare))
	shops, err := e.Shops(e.Context())
	e.must(err)
	var found []shop.Shop
	for _, s := range shops {
		if s.ID == e.shop || s.ID == bare.ID {
			found = append(found, s)
		}
	}
	e.same("shops, by id", []shop.Shop{want, bare}, found)

	_, _, err = e.beginAt(e.Context(), "nobody", needs{Skus: []string{"a"}})
	for what, err := range map[string]error{"begin": err, "rules": second(e.LoadRules(e.Context(), "nobody")),
		"facts": second(e.ReadPriceInputs(e.Context(), "nobody", &app.PriceInputNeeds{})), "shop": second(e.ShopByID(e.Context(), "nobody"))} {
		if !fault.Is(err, fault.NotFound) {
			e.Errorf("%s of a shop that does not exist: %v", what, err)
		}
	}
}

// testPolicies: a shop's policies are read wherever the shop is.
func testPolicies(e *env) {
	other := e.newShop()
	all := shop.Policies{
		LatePayment: shop.Revive, RefundSplit: shop.Proportional, RefundedStock: shop.KeepOut,
		UnpaidInstalment: shop.Forfeit, InstalmentGoods: shop.FirstPart,
	}
	for _, want := range []shop.Policies{all, {LatePayment: shop.Revive}, {}} {
		u, _ := e.begin(needs{Shop: true})
		e.must(e.commit(u, changes{Policies: &want}))
		sh, err := e.ShopByID(e.Context(), e.shop)
		e.must(err)
		list, err := e.Shops(e.Context())
		e.must(err)
		for _, listed := range list {
			if listed.ID == e.shop {
				e.same("in the list", want, listed.Policies)
			}
		}
		e.same("read", want, sh.Policies)
		e.same("in a unit", want, e.load(needs{}).Shop.Policies)
		e.same("in a unit that holds the shop", want, e.load(needs{Shop: true}).Shop.Policies)
		sh, err = e.ShopByID(e.Context(), other)
		e.must(err)
		e.same("another's", shop.Policies{}, sh.Policies)
	}
	e.same("the rules' version does not move", int64(0), e.load(needs{}).Shop.RulesVersion)
}

func second[A any](_ A, err error) error { return err }

func testSecrets(e *env) {
	name := "seal of " + e.shop
	for _, tt := range []struct {
		proposed []byte
		want     string
	}{
		{nil, ""},
		{[]byte("first"), "first"},
		{[]byte("second"), "first"},
		{nil, "first"},
	} {
		got, err := e.Secret(e.Context(), name, tt.proposed)
		e.must(err)
		e.same("the secret", tt.want, string(got))
	}
}

// testRows writes a row of every kind with something in every field, reads
// it back, changes all that can change, and reads it back again.
func testRows(e *env) {
	e.write(changes{
		Keys:       []unit.SavedKey{fullKey("key")},
		Cursors:    []unit.Pair[rows.Cursor]{moved("stock", nil, 9)},
		Orders:     added(fullOrder("1001")),
		Payments:   added(fullPayment("2001", "1001")),
		Refunds:    added(fullRefund("3001", "1001")),
		Users:      added(fullUser("u1")),
		Coupons:    added(fullCoupon("C1")),
		Skus:       added(fullSku("a")),
		Counters:   []unit.Pair[rows.Counter]{counted("limit", nil, 41)},
		Promotions: added(fullPromotion("p1")),
		Templates:  added(fullTemplate("t1")),
		Rules:      ruleVersions(fullHistory()),
		Channels:   added(fullChannel("wx")),
		APIKeys:    added(e.fullAPIKey("k1")),

		Reconciliations: added(fullReconciliation("2026-11-22", "wx")),
		Discrepancies:   added(fullDiscrepancy("2026-11-22/1", "2026-11-22", "wx")),
	})
	needs := needs{
		Keys: []string{"key"}, Cursors: []string{"stock"}, Orders: []string{"1001"}, Refunds: []string{"3001"}, Users: []string{"u1"}, Coupons: []string{"C1"},
		Skus: []string{"a"}, Counters: []string{"limit"}, Promotions: []string{"p1"}, Templates: []string{"t1"}, Channels: []string{"wx"}, APIKeys: []string{"k1"},
		Reconciliations: []string{"2026-11-22/wx"}, Discrepancies: []string{"2026-11-22/1"},
	}
	u, l := e.begin(needs)
	want := &loaded{
		Shop: l.Shop, Keys: []unit.SavedKey{fullKey("key")}, Cursors: []rows.Cursor{{Follower: "stock", Position: 9}},
		Orders: []order.Data{fullOrder("1001")}, Payments: []payment.Data{fullPayment("2001", "1001")}, Users: []shop.User{fullUser("u1")},
		Coupons: []marketing.CouponData{fullCoupon("C1")}, Skus: []inventory.Data{fullSku("a")}, Counters: map[string]int64{"limit": 41},
		Promotions: []pricing.Promotion{fullPromotion("p1")}, Templates: []marketing.Template{fullTemplate("t1")},
		Channels: []rows.Channel{fullChannel("wx")}, APIKeys: []shop.Key{e.fullAPIKey("k1")}, Retired: map[string]int64{"p1": 1},
		Refunds:         []payment.RefundData{fullRefund("3001", "1001")},
		Reconciliations: []rows.Reconciliation{fullReconciliation("2026-11-22", "wx")},
		Discrepancies:   []rows.Discrepancy{fullDiscrepancy("2026-11-22/1", "2026-11-22", "wx")},
	}
	e.same("as written", want, l)

	later := now.Add(time.Hour)
	o := l.Orders[0]
	o.Status, o.Paid, o.Refunded, o.PaidAt, o.ClosedAt, o.CloseReason, o.Closing, o.Seq = order.Paid, o.Payable, 200, later, time.Time{}, "expired", "", 8
	o.Refunding, o.Returns, o.Plan, o.RemindAt, o.GoodsAt, o.GoodsGone, o.ExpiresAt = 0, nil, nil, time.Time{}, order.AllParts, false, later
	r := l.Refunds[0]
	r.Status, r.DoneAt, r.NextTryAt, r.Tries, r.Reason, r.Lines = payment.RefundSucceeded, later, time.Time{}, 4, "", nil
	r.Allocations = []payment.Allocation{{No: "3001", Amount: 300, Status: payment.RefundSucceeded}}
	day, differs := l.Reconciliations[0], l.Discrepancies[0]
	day.Status, day.Runs, day.StartedAt, day.FinishedAt, day.Error, day.Summary = rows.ReconciliationWaiting, 3, later, time.Time{}, "", nil
	differs.Class, differs.PaymentNo, differs.RefundNo, differs.TransactionID, differs.Ours, differs.Theirs = "missing", "", "", "", 0, 1
	differs.Detail, differs.Status, differs.Resolution, differs.ResolvedAt = "", rows.DiscrepancyOpen, "", time.Time{}
	p := l.Payments[0]
	p.Status, p.Applied, p.Refunded, p.Refunding, p.Anomaly, p.TransactionID = payment.StatusClosed, 0, 0, 0, "", "43"
	p.SucceededAt, p.ClosedAt, p.NextQueryAt, p.Queries = time.Time{}, later, time.Time{}, 5
	p.Action, p.Facts = nil, append(p.Facts[:1:1], payment.Fact{ID: "closed/43", Kind: payment.Closed, Source: payment.ByClose})
	user := shop.User{ID: "u1", Level: "", Tags: nil, Version: 1}
	c := l.Coupons[0]
	c.Status, c.Order, c.LockedUntil, c.User = marketing.Available, "", time.Time{}, "u2"
	s := inventory.Data{Sku: "a", Name: "红茶", Price: 1, Categories: []string{}, OnHand: 3, Reserved: 3, MaxPerUser: 0, Version: 1}
	promotion := pricing.Promotion{ID: "p1", Name: "满减", Kind: "amount_off", Threshold: 100, AmountOff: 10, Version: 1}
	template := marketing.Template{ID: "t1", Name: "老人券", Kind: "amount_off", AmountOff: 5, Issued: 13, Version: 1}
	channel := rows.Channel{Name: "wx", Kind: "alipay", Sealed: []byte("other"), Version: 1, UpdatedAt: later}
	key := l.APIKeys[0]
	key.Label, key.RevokedAt = "", time.Time{}
	limit := int64(41)
	e.must(e.commit(u, changes{
		Cursors: []unit.Pair[rows.Cursor]{moved("stock", at(9), 1)},
		Orders:  changed(l.Orders[0], o), Payments: changed(l.Payments[0], p), Users: changed(l.Users[0], user), Coupons: changed(l.Coupons[0], c),
		Skus: changed(l.Skus[0], s), Counters: []unit.Pair[rows.Counter]{counted("limit", &limit, 0)},
		Promotions: changed(l.Promotions[0], promotion), Templates: changed(l.Templates[0], template),
		Channels: changed(l.Channels[0], channel), APIKeys: changed(l.APIKeys[0], key),
		Refunds: changed(l.Refunds[0], r), Reconciliations: changed(l.Reconciliations[0], day), Discrepancies: changed(l.Discrepancies[0], differs),
	}))
	for _, v := range []*int64{&p.Version, &user.Version, &c.Version, &s.Version, &promotion.Version, &template.Version, &channel.Version,
		&r.Version, &day.Version, &differs.Version} {
		*v = 2
	}
	want = &loaded{
		Shop: l.Shop, Keys: []unit.SavedKey{fullKey("key")}, Cursors: []rows.Cursor{{Follower: "stock", Position: 1}},
		Orders: []order.Data{o}, Payments: []payment.Data{p}, Users: []shop.User{user}, Coupons: []marketing.CouponData{c}, Skus: []inventory.Data{s},
		Counters: map[string]int64{"limit": 0}, Promotions: []pricing.Promotion{promotion}, Templates: []marketing.Template{template},
		Channels: []rows.Channel{channel}, APIKeys: []shop.Key{key}, Retired: map[string]int64{"p1": 1},
		Refunds: []payment.RefundData{r}, Reconciliations: []rows.Reconciliation{day}, Discrepancies: []rows.Discrepancy{differs},
	}
	u, l = e.begin(needs)
	e.same("as changed", want, l)

	// Only the stock moves: what a store may write more cheaply.
	moved := l.Skus[0]
	moved.OnHand, moved.Reserved = 9, 1
	e.must(e.commit(u, changes{Skus: changed(l.Skus[0], moved), Promotions: removed(l.Promotions[0])}))
	moved.Version = 3
	l = e.load(needs)
	e.same("stock that moved", []inventory.Data{moved}, l.Skus)
	if len(l.Promotions) != 0 {
		e.Error("the promotion was not deleted")
	}
}

// testOddRows writes rows without anything that need not be, with lists that
// are empty but not nil, and with text that needs care.
func testOddRows(e *env) {
	odd := "a'b\"c\\d{},%_;--\n\t\u00e9\U0001F375"
	want := &loaded{
		Keys:     []unit.SavedKey{{Key: odd}, {Key: odd + "2", Hash: []byte{}, Answer: []byte{}}},
		Orders:   []order.Data{plainOrder("1001"), plainOrder("1002")},
		Payments: []payment.Data{plainPayment("2001", "1001"), plainPayment("2002", "1001")},
		Users:    []shop.User{{ID: "u1", Version: 1}, {ID: "u2", Level: odd, Tags: []string{}, Version: 1}},
		Coupons:  []marketing.CouponData{{Code: "C1", Status: marketing.Available, Version: 1}},
		Skus: []inventory.Data{
			{Sku: odd, Name: odd, Version: 1}, {Sku: odd + "2", Categories: []string{}, Version: 1},
			{Sku: odd + "3", Categories: []string{odd, ""}, Version: 1},
		},
		Templates: []marketing.Template{{ID: odd, Version: 1}},
		Channels:  []rows.Channel{{Name: odd, Version: 1}, {Name: odd + "2", Sealed: []byte{}, Version: 1}},
		APIKeys:   []shop.Key{{Shop: e.shop, ID: odd, Hash: []byte(e.shop)}},
		Promotions: []pricing.Promotion{
			{ID: odd, Version: 1}, {ID: odd + "2", Scope: &pricing.Scope{}, Version: 1},
		},
		Counters: map[string]int64{odd: 1 << 62},
		Refunds: []payment.RefundData{
			{No: odd, Order: odd, Cause: payment.Cause(odd), Amount: 1, Currency: odd, Status: payment.RefundPending,
				Reason: odd, CreatedAt: now, Trace: odd, Version: 1},
			{No: odd + "2", Amount: 1 << 62, Status: payment.RefundGivenUp, Lines: []payment.RefundLine{}, Allocations: []payment.Allocation{},
				CreatedAt: now, DoneAt: now, Version: 1},
		},
		Reconciliations: []rows.Reconciliation{
			{ID: odd, Channel: odd, Day: odd, Error: odd, Status: rows.ReconciliationFailed, Summary: []byte(`"é\u2028"`), Version: 1},
		},
		Discrepancies: []rows.Discrepancy{
			{ID: odd, Channel: odd, Day: odd, Class: odd, PaymentNo: odd, RefundNo: odd, TransactionID: odd,
				Detail: odd, Resolution: odd, Status: rows.DiscrepancyHealed, Version: 1},
		},
	}
	o := &want.Orders[1]
	o.Items, o.Applied, o.Coupons, o.Counts, o.Metadata = []pricing.QuoteLine{}, []pricing.Applied{}, []string{}, []event.Count{}, map[string]string{}
	o.Returns, o.Plan = []order.Return{}, []order.Instalment{}
	p := &want.Payments[1]
	p.Action, p.Facts = &payment.Action{}, []payment.Fact{}
	o.User, o.Currency, o.CloseReason, o.Closing, o.Trace = odd, odd, odd, odd, odd
	p.Channel, p.Method, p.Currency, p.Merchant, p.App, p.Anomaly, p.TransactionID, p.Trace = odd, payment.Method(odd), odd, odd, odd, odd, odd, odd

	e.write(changes{
		Keys: want.Keys, Orders: added(want.Orders...), Payments: added(want.Payments...), Users: added(want.Users...), Coupons: added(want.Coupons...),
		Skus: added(want.Skus...), Templates: added(want.Templates...), Channels: added(want.Channels...), APIKeys: added(want.APIKeys...),
		Promotions: added(want.Promotions...), Counters: []unit.Pair[rows.Counter]{counted(odd, nil, 1<<62)},
		Refunds: added(want.Refunds...), Reconciliations: added(want.Reconciliations...), Discrepancies: added(want.Discrepancies...),
	})
	got := e.load(needs{
		Keys: []string{odd, odd + "2"}, Orders: []string{"1001", "1002"}, Users: []string{"u1", "u2"}, Coupons: []string{"C1"},
		Skus:      []string{odd, odd + "2", odd + "3"},
		Templates: []string{odd}, Channels: []string{odd, odd + "2"}, APIKeys: []string{odd}, Promotions: []string{odd, odd + "2"}, Counters: []string{odd},
		Refunds: []string{odd, odd + "2"}, Reconciliations: []string{odd}, Discrepancies: []string{odd},
	})
	want.Shop, want.Retired = got.Shop, map[string]int64{}
	e.same("as written", want, got)
}

func testAbsent(e *env) {
	e.write(changes{Skus: added(fullSku("b"))})
	none := []string{"no", "nor"}
	l := e.load(needs{
		Shop: true, Keys: none, Cursors: none, Orders: none, Payments: none, Users: none, Coupons: none, Skus: []string{"a", "b", "c"}, Counters: none,
		Promotions: none, Templates: none, Channels: none, APIKeys: none, Refunds: none, Reconciliations: none, Discrepancies: none,
	})
	e.same("those that are there", []inventory.Data{fullSku("b")}, l.Skus)
	if n := len(l.Keys) + len(l.Cursors) + len(l.Orders) + len(l.Payments) + len(l.Users) + len(l.Coupons) + len(l.Counters) +
		len(l.Promotions) + len(l.Templates) + len(l.Channels) + len(l.APIKeys) + len(l.Refunds) + len(l.Reconciliations) + len(l.Discrepancies); n != 0 {
		e.Errorf("%d rows out of nothing", n)
	}
}

// testPaymentsBringOrders: whoever needs a payment gets its order and all
// the order's payments, and locks them.
func testPaymentsBringOrders(e *env) {
	e.write(changes{
		Orders: added(plainOrder("1001"), plainOrder("1002"), plainOrder("1003")),
		Payments: added(plainPayment("2001", "1002"), plainPayment("2002", "1001"), plainPayment("2003", "1002"),
			plainPayment("2004", "1003"), plainPayment("2005", "1001")),
	})
	for _, test := range []struct {
		what             string
		needs            needs
		orders, payments []string
	}{
		{"by a payment", needs{Payments: []string{"2003"}}, []string{"1002"}, []string{"2001", "2003"}},
		{"by an order", needs{Orders: []string{"1001"}}, []string{"1001"}, []string{"2002", "2005"}},
		{"by both", needs{Orders: []string{"1001", "1002"}, Payments: []string{"2003", "2999"}}, []string{"1001", "1002"}, []string{"2001", "2002", "2003", "2005"}},
		{"by several payments", needs{Payments: []string{"2001", "2004"}}, []string{"1002", "1003"}, []string{"2001", "2003", "2004"}},
	} {
		l := e.load(test.needs)
		e.same(test.what+": orders", test.orders, sorted(l.Orders, func(d order.Data) string { return d.No }))
		e.same(test.what+": payments", test.payments, sorted(l.Payments, func(d payment.Data) string { return d.No }))
	}
}
