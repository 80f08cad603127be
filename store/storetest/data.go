package storetest

import (
	"fmt"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/shop"
)

// Rows with something in every field.

func fullSku(id string) inventory.Data {
	return inventory.Data{Sku: id, Name: "绿茶 " + id, Price: 1999, Categories: []string{"茶", "drink"}, OnHand: 100, Reserved: 7, MaxPerUser: 5, Version: 1}
}

func fullUser(id string) shop.User {
	return shop.User{ID: id, Level: "gold", Tags: []string{"new", "员工"}, Blocked: true, Version: 1}
}

func fullCoupon(code string) marketing.CouponData {
	return marketing.CouponData{
		Code: code, TemplateID: "t1", User: "u1", Status: marketing.Locked, Order: "1001", LockedUntil: now.Add(15 * time.Minute),
		ValidFrom: now.Add(-time.Hour), ValidUntil: now.Add(24 * time.Hour), IssuedAt: now.Add(-2 * time.Hour), Version: 1,
	}
}

func fullPromotion(id string) pricing.Promotion {
	percent, start, end, active := money.Percent(1250), now, now.Add(time.Hour), true
	return pricing.Promotion{
		ID: id, Name: "全场 87.5 折", Kind: "percent_off", Price: 1, Buy: 2, Get: 1, PercentOff: &percent, MaxDiscount: 5000,
		Threshold: 100, AmountOff: 10, Repeat: true,
		Scope:    &pricing.Scope{Skus: []string{"a"}, Categories: []string{"b"}, ExcludeSkus: []string{"c"}, ExcludeCategories: []string{"d"}},
		Priority: -3, ExclusiveGroup: "g", StartsAt: &start, EndsAt: &end, UserLevels: []string{"gold"}, UserTags: []string{"x"}, Active: &active, Version: 1,
	}
}

func fullTemplate(id string) marketing.Template {
	percent, from, until := money.Percent(990), now, now.Add(time.Hour)
	return marketing.Template{
		ID: id, Name: "新人券", Kind: "percent_off", AmountOff: 1, PercentOff: &percent, MaxDiscount: 2, Threshold: 3,
		Scope: &pricing.Scope{Skus: []string{"a"}}, ValidFrom: &from, ValidUntil: &until, ValidDays: 7, Supply: 100,
		PerUserLimit: 1, Stackable: true, ReturnOnRefund: true, Issued: 12, Version: 1,
	}
}

// fullHistory is the first version of the rules above.
func fullHistory() []marketing.RuleChange {
	p, t := fullPromotion("p1"), fullTemplate("t1")
	return []marketing.RuleChange{
		{Since: 1, ID: "p1", Version: 1, At: now, Promotion: &p},
		{Since: 1, ID: "t1", Version: 1, At: now, Template: &t},
	}
}

// fullOrder is paid in part.
func fullOrder(no string) order.Data {
	return order.Data{
		No: no, User: "u1", Status: order.PartiallyPaid, Currency: "CNY", Total: 3998, Discount: 1000, Payable: 2998, Paid: 1000, Refunded: 100,
		Items: []pricing.QuoteLine{
			{Sku: "a", Name: "绿茶", Quantity: 2, UnitPrice: 1999, Total: 3998, Discount: 1000, Payable: 2998},
			{Sku: "b", Name: "gift \"<&>\"", Quantity: 1, Gift: true},
		},
		Applied: []pricing.Applied{{
			Source: pricing.FromCoupon, ID: "t1", Code: "C1", Name: "满减", Kind: "amount_off", Version: 3, Amount: 1000,
			Shares: []pricing.Share{{Line: 0, Amount: 1000}},
		}},
		Basis: &pricing.Basis{
			Rules: 7, At: now, Level: "gold", Tags: []string{"新客"}, FirstOrder: true, Categories: map[string][]string{"a": {"tea", "茶"}},
			Usage: map[string]pricing.Usage{"p1": {Uses: 3, ByUser: 1, Spent: 500}}, Gifts: []pricing.Gift{{Sku: "b", Name: "gift", UnitPrice: 9, Available: 2}},
		},
		Coupons: []string{"C1"}, Counts: []event.Count{{Name: "sku/a/u1", Amount: 2, Limit: 5}},
		Metadata:  map[string]string{"备注": "多加糖\u0000\u2028", "": ""},
		CreatedAt: now, ExpiresAt: now.Add(15 * time.Minute), PaidAt: now.Add(time.Second), ClosedAt: now.Add(2 * time.Second),
		Refunding: 50, Returns: []order.Return{{Line: 0, Quantity: 1, Amount: 100}, {Line: 1, Amount: 50}}, RemindAt: now.Add(-time.Hour),
		Plan: []order.Instalment{
			{Amount: 1000, DueAt: now.Add(15 * time.Minute), Paid: 1000},
			{Amount: 1998, DueAt: now.Add(23 * time.Hour), Dated: true, Paid: 1, Reminded: true, Overdue: true},
		},
		GoodsAt: order.FirstPart, GoodsGone: true,
		CloseReason: "cancelled", Closing: "expired", Seq: 3, Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

func fullPayment(no, orderNo string) payment.Data {
	return payment.Data{
		No: no, Order: orderNo, Channel: "wx", Method: payment.Native, Amount: 2998, Currency: "CNY", Status: payment.StatusSucceeded,
		Applied: 2000, Refunded: 998, Refunding: 700, Merchant: "1900000109", App: "wx8888",
		Request: payment.PrepayRequest{
			PaymentNo: no, Method: payment.Native, Amount: 2998, Currency: "CNY", Description: "绿茶 ×2", NotifyURL: "https://x/n",
			ReturnURL: "https://x/r", OpenID: "o1", ClientIP: "::1", ExpiresAt: now.Add(10 * time.Minute),
		},
		Action: &payment.Action{Kind: "sdk_params", CodeURL: "weixin://x", URL: "https://y", Params: map[string]string{"sign": "a+/="}},
		Facts: []payment.Fact{{
			ID: "paid/42", Kind: payment.Paid, Source: payment.ByCallback, TransactionID: "42", Amount: 2998, Currency: "CNY",
			Merchant: "1900000109", App: "wx8888", Reported: "SUCCESS", At: now.Add(-time.Second), ReceivedAt: now,
		}},
		Anomaly: "amount: paid 1, asked 2", TransactionID: "42", CreatedAt: now, ExpiresAt: now.Add(10 * time.Minute),
		SucceededAt: now.Add(-time.Second), ClosedAt: now.Add(time.Minute), NextQueryAt: now.Add(10 * time.Second), Queries: 4,
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Version: 1,
	}
}

// fullRefund has gone in part, and waits for a person.
func fullRefund(no, orderNo string) payment.RefundData {
	return payment.RefundData{
		No: no, Order: orderNo, Cause: payment.Requested, Amount: 300, Currency: "CNY", Status: payment.RefundPending, Reason: "不想要了 <&>",
		Lines: []payment.RefundLine{{Line: 0, Quantity: 1, Amount: 250}, {Line: 1, Amount: 50}},
		Allocations: []payment.Allocation{
			{No: no, Payment: "2001", Channel: "wx", Amount: 200, Status: payment.RefundSucceeded, RefundID: "50000", Reported: "SUCCESS", DoneAt: now},
			{No: no + "_2", Payment: "2002", Channel: "ali", Amount: 100, Status: payment.RefundPending, Parked: payment.ParkShort, Explanation: "余额不足"},
		},
		CreatedAt: now, NextTryAt: now.Add(time.Minute), Tries: 3, Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Version: 1,
	}
}

// plainRefund is tried at once.
func plainRefund(no, orderNo string) payment.RefundData {
	return payment.RefundData{
		No: no, Order: orderNo, Cause: payment.Overpayment, Amount: 100, Currency: "CNY", Status: payment.RefundPending,
		Allocations: []payment.Allocation{{No: no, Payment: "2001", Channel: "wx", Amount: 100, Status: payment.RefundPending}},
		CreatedAt:   now, NextTryAt: now, Version: 1,
	}
}

func fullReconciliation(day, channel string) rows.Reconciliation {
	return rows.Reconciliation{
		ID: day + "/" + channel, Channel: channel, Day: day, Status: rows.ReconciliationDone, Runs: 2, StartedAt: now, FinishedAt: now.Add(time.Second),
		Error: "no bill yet", Summary: []byte(`{"matched": 3, "总额": "<&>"}`), Version: 1,
	}
}

func fullDiscrepancy(id, day, channel string) rows.Discrepancy {
	return rows.Discrepancy{
		ID: id, Channel: channel, Day: day, Class: "amount_differs", PaymentNo: "2001", RefundNo: "3001", TransactionID: "42", Ours: 100, Theirs: -99,
		Detail: "差 1 分", Status: rows.DiscrepancyResolved, Resolution: "手工", CreatedAt: now, ResolvedAt: now.Add(time.Hour), Version: 1,
	}
}

func fullChannel(name string) rows.Channel {
	return rows.Channel{Name: name, Kind: "wechatpay", Sealed: []byte{0, 1, 255}, Version: 1, UpdatedAt: now}
}

func (e *env) fullAPIKey(id string) shop.Key {
	return shop.Key{
		Shop: e.shop, ID: id, Hash: fmt.Appendf(nil, "\x00\xff of %s in %s", id, e.shop), Label: "收银台",
		CreatedAt: now, RevokedAt: now.Add(time.Hour),
	}
}

func fullKey(key string) unit.SavedKey {
	return unit.SavedKey{Key: key, Hash: []byte{1, 2, 0, 255}, Answer: []byte(`{"orderNo":"1001", "spaced": true}`), Order: "1001"}
}

// An order that waits for its money, without anything that need not be.
func plainOrder(no string) order.Data {
	return order.Data{No: no, Status: order.PendingPayment, CreatedAt: now, ExpiresAt: now.Add(15 * time.Minute), Total: 100, Payable: 100, Seq: 1}
}

func plainPayment(no, orderNo string) payment.Data {
	return payment.Data{No: no, Order: orderNo, Amount: 100, Status: payment.StatusCreated, CreatedAt: now, Version: 1}
}

func record(orderNo string, events ...event.Event) event.Record {
	return event.Record{Order: orderNo, At: now, Trace: "trace of " + orderNo, Events: events}
}

func numbered(t event.Type, orderNo string, seq int64) event.Event {
	return event.Event{Type: t, Order: orderNo, Seq: seq, Status: "pending_payment"}
}
