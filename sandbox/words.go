package sandbox

import (
	"net/http"
	"strconv"
	"strings"
)

// words are the texts of the pages in one language.
type words map[string]string

// vocabulary has the same keys in both languages.
var vocabulary = map[string]words{
	"zh": {
		"html": "zh-CN", "switch": "English",
		"title": "微信支付 · 沙箱", "title_alipay": "支付宝 · 沙箱", "sandbox": "沙箱环境 · 不会产生真实扣款",
		"payee": "付款给 沙箱商户", "item": "商品", "order": "商户订单号", "transaction": "支付单号",
		"pay": "确认支付", "fail": "支付失败", "retry": "重新支付", "back": "返回商家",
		"h_failed": "支付失败", "t_failed": "付款没有成功，可以重新支付。",
		"h_paid": "支付成功", "t_paid": "商家将收到支付结果通知。", "returning": "3 秒后返回商家…",
		"h_closed": "订单已关闭", "t_closed": "商家已关闭该订单，无法支付。",
		"h_expired": "订单已过期", "t_expired": "已超过支付截止时间，请返回商家重新下单。",
		"h_link_expired": "链接已失效", "t_link_expired": "支付链接已过有效期，请返回商家重新获取。",
		"h_missing": "订单不存在", "t_missing": "没有找到这笔交易，可能已被清理。",
		"trades": "交易", "now": "网关时间", "none": "还没有交易。把商户的网关地址指向这里，下一笔订单就会出现。",
		"col_no": "订单号", "col_amount": "金额", "col_method": "方式", "col_state": "状态", "col_created": "创建时间", "col_callback": "回调通知", "col_do": "操作",
		"open": "待支付", "failed": "支付失败", "paid": "已支付", "closed": "已关闭", "expired": "已过期",
		"do_pay": "支付", "do_fail": "失败", "do_notify": "重发通知", "do_open": "手机页", "do_qr": "二维码",
		"tries": "次", "delivered": "已送达", "lost": "已丢弃", "next": "下次", "given_up": "已放弃", "held": "未发送", "faults": "待触发的故障", "clear": "全部清除", "left": "剩余",
	},
	"en": {
		"html": "en", "switch": "中文",
		"title": "WeChat Pay · Sandbox", "title_alipay": "Alipay · Sandbox", "sandbox": "Sandbox · no real money moves",
		"payee": "Pay to Sandbox merchant", "item": "Item", "order": "Order no.", "transaction": "Transaction",
		"pay": "Pay", "fail": "Fail", "retry": "Pay again", "back": "Back to the shop",
		"h_failed": "Payment failed", "t_failed": "The payment did not go through. You can try again.",
		"h_paid": "Paid", "t_paid": "The shop is being told.", "returning": "Back to the shop in 3 seconds…",
		"h_closed": "Closed", "t_closed": "The shop has closed this order. It cannot be paid any more.",
		"h_expired": "Expired", "t_expired": "The time to pay has run out. Please order again at the shop.",
		"h_link_expired": "Link expired", "t_link_expired": "This payment link is too old. Please ask the shop for a new one.",
		"h_missing": "Not found", "t_missing": "There is no such trade, or it has been cleared away.",
		"trades": "Trades", "now": "Gateway time", "none": "No trades yet. Point a shop at this gateway, and its next order shows up here.",
		"col_no": "Order no.", "col_amount": "Amount", "col_method": "Method", "col_state": "State", "col_created": "Created", "col_callback": "Callbacks", "col_do": "Actions",
		"open": "open", "failed": "failed", "paid": "paid", "closed": "closed", "expired": "expired",
		"do_pay": "Pay", "do_fail": "Fail", "do_notify": "Resend", "do_open": "Phone page", "do_qr": "QR",
		"tries": "tries", "delivered": "delivered", "lost": "lost", "next": "next", "given_up": "given up", "held": "not sent", "faults": "Armed faults", "clear": "Clear all", "left": "left",
	},
}

// language chooses by ?lang=, else by Accept-Language: Chinese if the reader
// prefers it to English, English for everyone else.
func language(r *http.Request) string {
	if lang := r.URL.Query().Get("lang"); vocabulary[lang] != nil {
		return lang
	}
	best, bestQ := "en", 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, parameter, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		if vocabulary[primary] != nil && q > bestQ {
			best, bestQ = primary, q
		}
	}
	return best
}
