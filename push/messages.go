package push

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tandem-pay/tandem/event"
)

// lang is a language that messages to buyers are written in.
type lang int

const (
	zh lang = iota // the default
	en
	languages
)

// messages are what buyers read about an event.
var messages = map[event.Type][languages]string{
	"order.drafted":        {"订单草稿已保存", "Draft saved"},
	"order.edited":         {"订单草稿已更新", "Draft updated"},
	"order.placed":         {"订单已提交，等待支付", "Order placed, waiting for payment"},
	"order.partially_paid": {"已收到部分款项", "Part of the payment has arrived"},
	"order.paid":           {"支付成功", "Payment successful"},
	"order.payment_failed": {"支付失败，请重试", "Payment failed, please try again"},
	"order.closing":        {"订单正在关闭", "The order is being closed"},
	"order.closed":         {"订单已关闭", "The order was closed"},
	"order.completed":      {"订单已完成", "The order is completed"},
	"order.refunded":       {"已全额退款", "The order was refunded in full"},

	"goods.returned": {"商品已退回", "Goods were returned"},

	"order.instalment_due":     {"请支付下一期款项", "The next instalment is due soon"},
	"order.instalment_overdue": {"本期款项已逾期，请尽快支付", "An instalment is overdue, please pay it"},

	"payment.created":   {"支付单已创建", "Payment created"},
	"payment.pending":   {"等待支付", "Waiting for payment"},
	"payment.succeeded": {"已收到付款", "Payment received"},
	"payment.failed":    {"本次支付未成功", "This payment did not succeed"},
	"payment.closed":    {"支付单已关闭", "The payment was closed"},
	"payment.anomaly":   {"付款需要人工核对", "The payment is being checked"},

	"refund.created":    {"退款申请中", "Refund requested"},
	"refund.progressed": {"部分退款已到账", "Part of the refund has gone through"},
	"refund.succeeded":  {"退款成功", "Refund successful"},
	"refund.failed":     {"退款未成功，正在处理", "The refund did not succeed, we are checking it"},
	"refund.parked":     {"退款需要人工处理，请稍候", "The refund takes longer, we are checking it"},
	"refund.retried":    {"正在重新退款", "The refund is being tried again"},

	"shipment.shipped":    {"商品已发货", "Shipped"},
	"shipment.delivered":  {"商品已送达", "Delivered"},
	"invoice.issued":      {"发票已开具", "Invoice issued"},
	"entitlement.granted": {"权益已发放", "Access granted"},
	"entitlement.revoked": {"权益已收回", "Access ended"},
}

// message is what a buyer reads about an event; of one that the table does
// not have, that the order has changed.
func message(t event.Type, l lang) string {
	if w, ok := messages[t]; ok {
		return w[l]
	}
	return [languages]string{"订单有更新", "The order has changed"}[l]
}

// language is ?lang=, or the first of Accept-Language that is supported.
func language(r *http.Request) lang {
	if q := r.URL.Query().Get("lang"); q != "" {
		if l, ok := parseLanguage(q); ok {
			return l
		}
	}
	best, weight := zh, 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, params, _ := strings.Cut(part, ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		if l, ok := parseLanguage(strings.TrimSpace(tag)); ok && q > weight {
			best, weight = l, q
		}
	}
	return best
}

// parseLanguage reads the primary part of a language tag.
func parseLanguage(tag string) (lang, bool) {
	primary, _, _ := strings.Cut(tag, "-")
	switch strings.ToLower(primary) {
	case "zh":
		return zh, true
	case "en":
		return en, true
	}
	return zh, false
}
