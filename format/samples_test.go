package format

import (
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/reconcile"
	"github.com/tandem-pay/tandem/shop"
)

// What the files in testdata hold. They are never to be changed: a file says
// what a release wrote, and the value beside it what that means.

var then = time.Date(2026, 11, 22, 9, 30, 0, 123456000, time.UTC)

const (
	trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	odd   = "绿茶 \"<&>\"\n\u2028\\ é 🍵"
)

// fullOrder has something in every field that an order can have.
func fullOrder() order.Data {
	return order.Data{
		No: "12026112217300012300000000015", User: "u1", Status: order.PartiallyPaid, Currency: "CNY",
		Total: 3998, Discount: 1000, Payable: 2998, Paid: 1000, Refunded: 100, Refunding: 50,
		Returns: []order.Return{{Line: 0, Quantity: 1, Amount: 100}, {Line: 1, Amount: 50}},
		Plan: []order.Instalment{
			{Amount: 1000, DueAt: then.Add(15 * time.Minute), Paid: 1000},
			{Amount: 1998, DueAt: then.Add(23 * time.Hour), Dated: true, Paid: 1, Reminded: true, Overdue: true},
		},
		RemindAt: then.Add(-time.Hour), GoodsAt: order.FirstPart, GoodsGone: true,
		Items: []pricing.QuoteLine{
			{Sku: "a", Name: "绿茶", Quantity: 2, UnitPrice: 1999, Total: 3998, Discount: 1000, Payable: 2998},
			{Sku: "b", Name: odd, Quantity: 1, UnitPrice: 9, Total: 9, Discount: 9, Gift: true},
		},
		Applied: []pricing.Applied{
			{Source: pricing.FromCoupon, ID: "t1", Code: "C1", Name: "满减", Kind: "amount_off", Version: 3, Amount: 1000, Shares: []pricing.Share{{Amount: 900}, {Line: 1, Amount: 100}}},
			{Source: pricing.FromPromotion, ID: "p1", Name: "none", Kind: "gift", Version: 1, Detail: "one", DetailZh: "一"},
		},
		Basis: &pricing.Basis{
			Rules: 7, At: then, Level: "gold", Tags: []string{"新客"}, FirstOrder: true, Categories: map[string][]string{"b": {"x"}, "a": {"tea", "茶"}},
			Usage: map[string]pricing.Usage{"p2": {}, "p1": {Uses: 3, ByUser: 1, Spent: 500}}, Gifts: []pricing.Gift{{Sku: "b", Name: "gift", UnitPrice: 9, Available: 2}},
		},
		Coupons: []string{"C1"}, Counts: []event.Count{{Name: "sku/a/u1", Amount: 2, Limit: 5}, {Name: "uses/p1", Amount: 1}},
		Metadata:  map[string]string{"备注": "多加糖\u0000", "": "", "b": odd},
		CreatedAt: then, SubmittedAt: then.Add(time.Second), ExpiresAt: then.Add(15 * time.Minute), PaidAt: then.Add(2 * time.Second), ClosedAt: then.Add(3 * time.Second),
		CloseReason: "cancelled", Closing: "expired", Seq: 3, Trace: trace,
		Draft: fullDraft(),
	}
}

// endedOrder is closed, and what it had has gone back.
func endedOrder() order.Data {
	d := plainOrder()
	d.Status, d.ClosedAt, d.CloseReason = order.Closed, then, "expired"
	d.EndedBy, d.Kept, d.UnitsBack, d.GoodsGone, d.Undone, d.LimitsBack = order.ByTime, 30, []int64{1}, true, true, true
	return d
}

func fullDraft() *order.DraftData {
	return &order.DraftData{
		Items: []event.Units{{Sku: "a", Quantity: 2}}, Coupons: []string{"C1"}, ExpiresIn: 20 * time.Minute,
		Plan:     []order.Instalment{{Amount: 2998, DueAt: then.Add(time.Hour), Dated: true}},
		Skipped:  []pricing.Skipped{{Source: pricing.FromPromotion, ID: "p1", Code: "C", Name: "满100减10", Version: 2, Reason: pricing.ThresholdNotMet, Detail: "12.50 more", DetailZh: "还差 12.50", Missing: 1250}},
		EditedAt: then.Add(time.Minute),
	}
}

// plainOrder has nothing that it need not have.
func plainOrder() order.Data {
	return order.Data{
		No: "12026112217300012300000000015", User: "u1", Status: order.PendingPayment, Currency: "CNY", Total: 1999, Payable: 1999,
		Items:     []pricing.QuoteLine{{Sku: "a", Name: "tea", Quantity: 1, UnitPrice: 1999, Total: 1999, Payable: 1999}},
		CreatedAt: then, ExpiresAt: then.Add(15 * time.Minute), Seq: 1, Trace: trace,
	}
}

func draftOrder() order.Data {
	d := plainOrder()
	d.Status, d.Draft, d.Applied = order.Draft, fullDraft(), []pricing.Applied{}
	return d
}

func fullPayment() payment.Data {
	return payment.Data{
		No: "22026112217300112300000000014", Order: "12026112217300012300000000015", Channel: "wx", Method: payment.JSAPI, Amount: 2998, Currency: "CNY",
		Status: payment.StatusSucceeded, Applied: 2000, Refunded: 998, Refunding: 700, Merchant: "1900000109", App: "wx8888",
		Request: payment.PrepayRequest{
			PaymentNo: "22026112217300112300000000014", Method: payment.JSAPI, Amount: 2998, Currency: "CNY", Description: odd,
			NotifyURL: "https://x/n?a=1&b=2", ReturnURL: "https://x/r", OpenID: "o1", ClientIP: "::1", ExpiresAt: then.Add(10 * time.Minute),
		},
		Action: &payment.Action{Kind: "sdk_params", CodeURL: "weixin://x", URL: "https://y", Params: map[string]string{"timeStamp": "1", "paySign": "a+/="}},
		Facts: []payment.Fact{
			{ID: "paid/42", Kind: payment.Paid, Source: payment.ByCallback, TransactionID: "42", Amount: 2998, Currency: "CNY",
				Merchant: "1900000109", App: "wx8888", Reported: "SUCCESS", At: then.Add(-time.Second), ReceivedAt: then},
			{ID: "refund/3", Kind: payment.Refunded, Source: payment.ByBill, RefundNo: "3", Amount: 998},
		},
		Anomaly: "amount: paid 1, asked 2", TransactionID: "42", CreatedAt: then, ExpiresAt: then.Add(10 * time.Minute),
		SucceededAt: then.Add(-time.Second), ClosedAt: then.Add(time.Minute), NextQueryAt: then.Add(10 * time.Second), Queries: 4, Trace: trace, Version: 2,
	}
}

func plainPayment() payment.Data {
	return payment.Data{
		No: "2", Order: "1", Channel: "wx", Method: payment.Native, Amount: 1999, Currency: "CNY", Status: payment.StatusCreated, Merchant: "1900000109", App: "wx8888",
		Request:   payment.PrepayRequest{PaymentNo: "2", Method: payment.Native, Amount: 1999, Currency: "CNY", Description: "tea", NotifyURL: "https://x/n", ExpiresAt: then},
		CreatedAt: then, ExpiresAt: then, NextQueryAt: then, Trace: trace,
	}
}

func fullRefund() payment.RefundData {
	return payment.RefundData{
		No: "3", Order: "1", Cause: payment.Requested, Amount: 300, Currency: "CNY", Status: payment.RefundPending, Reason: odd,
		Lines: []payment.RefundLine{{Line: 0, Quantity: 1, Amount: 250}, {Line: 1, Amount: 50}},
		Allocations: []payment.Allocation{
			{No: "3", Former: []string{"3_1"}, Payment: "2001", Channel: "wx", Amount: 200, Status: payment.RefundSucceeded, RefundID: "50000", Reported: "SUCCESS", DoneAt: then, ByHand: true},
			{No: "3_2", Payment: "2002", Channel: "ali", Amount: 100, Status: payment.RefundPending, Parked: payment.ParkShort, Explanation: "余额不足"},
		},
		CreatedAt: then, DoneAt: then.Add(time.Hour), NextTryAt: then.Add(time.Minute), Tries: 3, Trace: trace, Version: 1,
	}
}

func fullPromotion() pricing.Promotion {
	percent, whole, start, end, active := money.Percent(1250), money.Whole, then, then.Add(time.Hour), false
	return pricing.Promotion{
		ID: "p1", Name: odd, Kind: "percent_off", Price: 1, Items: []pricing.BundleItem{{Sku: "a", Quantity: 2}}, Buy: 2, Get: 1, N: 3,
		PercentOff: &percent, MaxDiscount: 5000, Threshold: 100, AmountOff: 10, Repeat: true,
		Tiers:   []pricing.Tier{{Threshold: 100, AmountOff: 5}, {Threshold: 200, PercentOff: &whole}},
		GiftSku: "b", GiftQuantity: 1,
		Scope:    &pricing.Scope{Skus: []string{"a"}, Categories: []string{"b"}, ExcludeSkus: []string{"c"}, ExcludeCategories: []string{"d"}},
		Priority: -3, ExclusiveGroup: "g", StartsAt: &start, EndsAt: &end, UserLevels: []string{"gold"}, UserTags: []string{"x"}, FirstOrderOnly: true,
		PerUserLimit: 1, UsageLimit: 2, Budget: 3, Active: &active, Version: 4,
	}
}

func plainPromotion() pricing.Promotion {
	return pricing.Promotion{ID: "p1", Name: "none", Kind: "gift"}
}

func fullTemplate() marketing.Template {
	percent, from, until, claimable := money.Percent(990), then, then.Add(time.Hour), false
	return marketing.Template{
		ID: "t1", Name: "新人券", Kind: "percent_off", AmountOff: 1, PercentOff: &percent, MaxDiscount: 2, Threshold: 3,
		Scope: &pricing.Scope{Skus: []string{"a"}}, ValidFrom: &from, ValidUntil: &until, ValidDays: 7, Supply: 100,
		PerUserLimit: 1, Claimable: &claimable, Stackable: true, ReturnOnRefund: true, Issued: 12, Version: 2,
	}
}

func plainTemplate() marketing.Template {
	return marketing.Template{ID: "t1", Name: "none", Kind: "amount_off"}
}

func fullPolicies() shop.Policies {
	return shop.Policies{LatePayment: "revive", RefundSplit: "proportional", RefundedStock: "keep_out", UnpaidInstalment: "wait", InstalmentGoods: "first_part"}
}

func fullCoupon() marketing.CouponData {
	return marketing.CouponData{
		Code: "C1", TemplateID: "t1", User: "u1", Status: marketing.Locked, Order: "1001", LockedUntil: then.Add(15 * time.Minute),
		ValidFrom: then.Add(-time.Hour), ValidUntil: then.Add(24 * time.Hour), IssuedAt: then.Add(-2 * time.Hour), Version: 1,
	}
}

func fullSku() inventory.Data {
	return inventory.Data{Sku: "a", Name: odd, Price: 1999, Categories: []string{"茶", "drink"}, OnHand: 100, Reserved: 7, MaxPerUser: 5, Version: 1}
}

func fullUser() shop.User {
	return shop.User{ID: "u1", Level: "gold", Tags: []string{"new", "员工"}, Blocked: true, Version: 1}
}

func fullSummary() reconcile.Summary {
	return reconcile.Summary{
		OurPayments: reconcile.Total{Count: 1, Amount: 2}, OurRefunds: reconcile.Total{Count: 3, Amount: 4}, TheirPayments: reconcile.Total{Count: 5, Amount: 6},
		TheirRefunds: reconcile.Total{Count: 7, Amount: 8}, Fee: -9, Matched: 10, Classes: map[reconcile.Class]reconcile.Total{reconcile.PaymentUnknown: {Count: 1, Amount: 8888}}, TooMuch: true,
	}
}

// fullEvents has one event with every field, and one of each type with what
// that type has.
func fullEvents() []event.Event {
	return []event.Event{
		{
			Type: event.OrderPlaced, Order: "1001", Seq: 1, Status: "pending_payment", User: "用户", Payment: "2001", Refund: "3001", Channel: "wx", Coupon: "C1", Sku: "a",
			Amount: 12, Quantity: -3, Reason: odd, DueAt: then, Coupons: []string{"C1", "C2"}, Units: []event.Units{{Sku: "a", Quantity: 3}},
			Payments: []string{"2001"}, Counts: []event.Count{{Name: "limit", Amount: 3}, {Name: "limit/2", Amount: 3, Limit: 4}},
		},
		{Type: event.OrderPaid, Order: "1001", Seq: 2, Status: "paid", Payments: []string{}},
		{Type: event.RulesChanged},
	}
}
