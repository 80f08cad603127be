package api

import (
	"strings"

	"github.com/tandem-pay/tandem/event"
)

// eventTypes is every type of event with what it means, in the order in which
// the document lists them.
var eventTypes = []struct {
	kind      event.Type
	means, zh string
}{
	{event.OrderDrafted, "a draft was stored; `amount` is its last price, which is not binding", "订单草稿已保存"},
	{event.OrderEdited, "the draft, or its price, has changed", "订单草稿已更新"},
	{event.OrderPlaced, "the order was placed, or its draft submitted", "订单已提交"},
	{event.OrderPartiallyPaid, "a part of the payable amount has arrived", "已收到部分款项"},
	{event.OrderPaid, "it is paid; `reason` is `revived` if it was closed before", "支付成功"},
	{event.OrderPaymentFailed, "an attempt to pay failed", "支付失败"},
	{event.OrderClosing, "it is to be closed; its open payments are queried at the channel first", "订单正在关闭"},
	{event.OrderClosed, "it is closed, by expiry, cancellation or an unpaid instalment; or the draft was discarded", "订单已关闭"},
	{event.OrderRefunded, "all that was paid was refunded", "已全额退款"},
	{event.GoodsReturned, "what a part refund, or the close of an order that had its goods, gives back: units on hand, coupons", "商品与优惠券已退回"},
	{event.InstalmentDue, "a part falls due within a day: `amount`, `dueAt`", "请支付下一期款项"},
	{event.InstalmentOverdue, "a part was not paid in time, and the order stays open", "本期款项已逾期"},

	{event.PaymentCreated, "a payment was opened", "支付单已创建"},
	{event.PaymentPending, "the channel has accepted it", "等待支付"},
	{event.PaymentSucceeded, "its money has arrived", "已收到付款"},
	{event.PaymentFailed, "it failed", "本次支付未成功"},
	{event.PaymentClosed, "it was closed", "支付单已关闭"},
	{event.PaymentAnomaly, "the channel reported something that does not match it", "付款需要人工核对"},

	{event.RefundCreated, "a refund was created; `reason` is the shop's, or the cause of an automatic one", "退款申请中"},
	{event.RefundProgressed, "the part of one of several payments has gone back", "部分退款已到账"},
	{event.RefundSucceeded, "the money has gone back; without `refundNo` it was refunded at the channel, not through this API", "退款成功"},
	{event.RefundFailed, "it failed at the channel for good", "退款未成功"},
	{event.RefundParked, "a person has to do something about it", "退款需要人工处理"},
	{event.RefundRetried, "an operator retried it", "正在重新退款"},

	{event.CouponLocked, "an order holds the coupon", "优惠券已锁定"},
	{event.CouponUsed, "it is used", "优惠券已使用"},
	{event.CouponReleased, "it can be used again", "优惠券已释放"},
	{event.CouponExpired, "its validity has run out", "优惠券已过期"},
	{event.CouponRevoked, "an operator withdrew it", "优惠券已作废"},

	{event.StockAdjusted, "stock on hand was raised or lowered", "库存已调整"},
	{event.StockReserved, "an order holds units", "库存已预占"},
	{event.StockReleased, "the order no longer holds them", "库存已释放"},
	{event.StockSold, "they are sold", "库存已扣减"},

	{event.RulesChanged, "promotions or coupon templates changed", "营销规则已变更"},
}

// aboutEvents lists the types in Markdown.
func aboutEvents() string {
	var b strings.Builder
	b.WriteString("The types; new ones may come:\n\n| type | | |\n|---|---|---|\n")
	for _, t := range eventTypes {
		b.WriteString("| `" + string(t.kind) + "` | " + t.zh + " | " + t.means + " |\n")
	}
	return b.String()
}
