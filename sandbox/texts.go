package sandbox

import (
	"net/http"
	"strconv"
	"strings"
)

// texts are those of the pages, by language. Both have the same names.
var texts = map[string]map[string]string{
	"zh": {
		"html": "zh-CN", "switch": "English",
		"title": "微信支付 · 沙箱", "title_alipay": "支付宝 · 沙箱", "sandbox": "沙箱环境 · 不会产生真实扣款",
		"payee": "付款给 沙箱商户", "item": "商品", "order": "商户订单号", "transaction": "交易号",
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
		"tries": "发送次数", "delivered": "已送达", "lost": "已丢弃", "next": "下次", "given_up": "已放弃",
		"held": "未发送", "faults": "待触发的故障", "clear": "全部清除", "left": "剩余",
		"arm": "故障演练", "refund": "退款", "r_processing": "处理中", "r_succeeded": "已退款", "r_abnormal": "异常", "r_closed": "已关闭",
		"do_again": "再付一次", "t_again": "用户对同一订单付第二笔", "do_late": "关单后支付", "t_late": "用户在订单关闭或过期之后付款",
		"do_succeed": "退款成功", "do_abnormal": "退款异常", "do_close": "退款关闭",
		"bill_date": "日期", "bill_kind": "账单", "bill_trade": "微信支付交易账单", "bill_flow": "微信支付资金账单", "bill_alipay": "支付宝业务明细",
		"bill_get": "下载账单", "bill_other": "其他日期", "bill_text": "当日账单的现状，无需签名，也不必等到次日十点；不消耗账单故障。",
		"none_armed": "没有待触发的故障。", "chaos": "随机故障", "chaos_text": "按概率让每次调用、回调、支付和退款遇到一种故障；标有“需点名”的除外。同一种子、同样的操作顺序，遇到同样的故障。",
		"chaos_on": "已开启", "chaos_start": "开启", "chaos_stop": "关闭", "seed": "种子", "rate": "概率", "named": "随机时需点名",
		"f_op": "作用于", "f_count": "次数", "f_delay": "延迟，如 90s、5m", "f_trade": "仅限订单号（可空）", "f_arm": "布置",
		"op_prepay": "下单", "op_query": "查询", "op_close": "关单", "op_refund": "申请退款",
		"op_query_refund": "查询退款", "op_bill": "申请交易账单", "op_flow_bill": "申请资金账单",
		"op_download": "下载账单", "op_certificates": "平台证书", "op_pay": "用户支付", "op_callback": "支付回调", "op_refund_callback": "退款回调",
	},
	"en": {
		"html": "en", "switch": "中文",
		"title": "WeChat Pay · Sandbox", "title_alipay": "Alipay · Sandbox", "sandbox": "Sandbox · no real money moves",
		"payee": "Pay to Sandbox merchant", "item": "Item", "order": "Order no.", "transaction": "Transaction",
		"pay": "Pay", "fail": "Fail", "retry": "Pay again", "back": "Back to the shop",
		"h_failed": "Payment failed", "t_failed": "The payment did not go through. You can try again.",
		"h_paid": "Paid", "t_paid": "The shop will be notified.", "returning": "Back to the shop in 3 seconds…",
		"h_closed": "Closed", "t_closed": "The shop has closed this order. It cannot be paid any more.",
		"h_expired": "Expired", "t_expired": "The time to pay has run out. Please order again at the shop.",
		"h_link_expired": "Link expired", "t_link_expired": "This payment link is too old. Please ask the shop for a new one.",
		"h_missing": "Not found", "t_missing": "There is no such trade, or it is no longer kept.",
		"trades": "Trades", "now": "Gateway time", "none": "No trades yet. Point a shop at this gateway, and its next order appears here.",
		"col_no": "Order no.", "col_amount": "Amount", "col_method": "Method", "col_state": "State",
		"col_created": "Created", "col_callback": "Callbacks", "col_do": "Actions",
		"open": "open", "failed": "failed", "paid": "paid", "closed": "closed", "expired": "expired",
		"do_pay": "Pay", "do_fail": "Fail", "do_notify": "Resend", "do_open": "Phone page", "do_qr": "QR",
		"tries": "attempts", "delivered": "delivered", "lost": "lost", "next": "next", "given_up": "given up",
		"held": "not sent", "faults": "Armed faults", "clear": "Clear all", "left": "left",
		"arm": "Faults", "refund": "refund", "r_processing": "processing",
		"r_succeeded": "refunded", "r_abnormal": "abnormal", "r_closed": "closed",
		"do_again": "Pay again", "t_again": "The buyer pays the same trade a second time",
		"do_late": "Pay anyway", "t_late": "The buyer pays after the trade was closed or has expired",
		"do_succeed": "Succeed", "do_abnormal": "Abnormal", "do_close": "Close",
		"bill_date": "Day", "bill_kind": "Bill", "bill_trade": "WeChat Pay, trades",
		"bill_flow": "WeChat Pay, account", "bill_alipay": "Alipay, details", "bill_get": "Download bills",
		"bill_other": "another day",
		"bill_text":  "The bill of a day as it stands now, without a signature and without waiting until ten o'clock on the next day. It uses up no fault.",
		"none_armed": "No fault is armed.", "chaos": "Random faults",
		"chaos_text": "Each call, callback, payment and refund fails with this probability, by any fault but those that must be named. The same seed and the same operations give the same faults.",
		"chaos_on":   "On", "chaos_start": "Switch on", "chaos_stop": "Switch off",
		"seed": "Seed", "rate": "Probability", "named": "not chosen at random unless named",
		"f_op": "Operation", "f_count": "Times", "f_delay": "Delay, e.g. 90s or 5m", "f_trade": "Only this order no. (optional)", "f_arm": "Arm",
		"op_prepay": "prepay", "op_query": "query", "op_close": "close", "op_refund": "refund",
		"op_query_refund": "query of a refund", "op_bill": "bill of trades", "op_flow_bill": "bill of the account",
		"op_download": "download of a bill", "op_certificates": "certificates", "op_pay": "the buyer's payment",
		"op_callback": "callback of a payment", "op_refund_callback": "callback of a refund",
	},
}

// pageTexts is what every page has of its language.
type pageTexts struct {
	Words       map[string]string
	Lang, Other string // of this page, and to switch to
}

func textsFor(r *http.Request) pageTexts {
	p := pageTexts{Lang: language(r), Other: "en"}
	if p.Lang == "en" {
		p.Other = "zh"
	}
	p.Words = texts[p.Lang]
	return p
}

// language chooses by ?lang=, else by Accept-Language: Chinese if the reader
// prefers it to English, English for everyone else.
func language(r *http.Request) string {
	if lang := r.URL.Query().Get("lang"); texts[lang] != nil {
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
		if texts[primary] != nil && q > bestQ {
			best, bestQ = primary, q
		}
	}
	return best
}
