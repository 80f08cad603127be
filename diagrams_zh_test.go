package tandem_test

import (
	"testing"

	"github.com/tandem-pay/tandem/app"
)

// inChinese has the Chinese of each English text of the generated tables that
// has no Chinese in the code.
var inChinese = map[string]string{
	// Facts and states of app.Settlements.
	"paid":                                "已支付",
	"paid a second time under one number": "同一单号再次支付",
	"paid, and an unknown part of it has gone back":                  "已支付，且其中一部分已退回，金额未知",
	"all of it has gone back already, and the order waits for money": "款项已全部退回，且订单待付款",
	"the payment failed":                           "支付失败",
	"the payment failed, reported after its close": "支付失败，在支付单关闭之后才报告",
	"closed at the channel":                        "已在渠道关闭",
	"amount, currency, merchant or app differ":     "金额、币种、商户号或应用不一致",
	"refunded":                              "已退款",
	"the refund failed":                     "退款失败",
	"the refund is stuck at the channel":    "退款在渠道停滞",
	"the order waits for money":             "订单待付款",
	"the order is closed":                   "订单已关闭",
	"the order is paid or refunded":         "订单已支付或已退款",
	"no other payment of the order is open": "订单没有其他未完成的支付单",
	"another payment of the order is open":  "订单还有其他未完成的支付单",
	"the attempt failed after all, and no other payment of the order is open":        "这次支付最终失败，且订单没有其他未完成的支付单",
	"not one of Tandem's, or one that had succeeded":                                 "不是由 Tandem 发起的退款，或此前已成功的退款",
	"a refund of money in suspense":                                                  "挂账款的退款",
	"a refund of applied money":                                                      "已入账款的退款",
	"a refund of applied money, another part of which has gone back or can still go": "已入账款的退款，其另一部分已退回或仍可能退回",
	"a refund of applied money that had failed":                                      "已入账款的退款，此前曾失败",
	"one of Tandem's": "由 Tandem 发起的退款",

	// Steps, and the books between which they move money.
	"what is due": "应付的部分",
	"all of it, if the shop revives orders and this one can be":            "全部，前提是商户允许恢复订单且该订单可以恢复",
	"a payment of its own, all of it":                                      "全部，另立一个支付单",
	"what went back; what suspense does not have, from applied":            "已退回的金额；挂账不足的部分从已入账扣除",
	"what had gone back before; what suspense does not have, from applied": "此前已退回的金额；挂账不足的部分从已入账扣除",
	"what was reserved of it":                                              "其中预留的金额",
	"what was reserved":                                                    "预留的金额",
	"what went back":                                                       "已退回的金额",
	"the rest, as overpayment":                                             "其余，原因为 overpayment",
	"the rest, as late_payment":                                            "其余，原因为 late_payment",

	// Policies.
	"Money that arrives after its order was closed: given back, or the order is revived if its goods and coupons are still available": "订单关闭后到账的钱：退回，或在库存与优惠券仍可用时恢复订单",
	"How a refund is taken from several payments of one order":                                                                        "一个订单有多个支付单时，退款从哪些支付单退：从最新的开始，或按比例",
	"What a full refund does with the units: back on hand, or not":                                                                    "全额退款后商品是否退回库存",
	"What a full refund does with what the order counted against limits (per user, uses, budget, first order): given back, or not":    "全额退款后是否归还订单占用的限额（每人限购、使用次数、预算、首单）",
	"A part that was not paid in time: close and give back what was paid, close and keep the first part, or wait on":                  "某一期逾期未付：关闭订单并退回已付款，关闭订单但不退首期，或继续等待",
	"When an order in instalments has its goods and uses its coupons":                                                                 "分期订单何时扣减库存、核销优惠券：付清全部，或付完首期",
}

// booksInChinese names the books of a payment.
var booksInChinese = map[app.Book]string{
	app.BookPaid: "到账", app.BookApplied: "已入账", app.BookRefunding: "退款中", app.BookRefunded: "已退回", app.BookSuspense: "挂账",
}

// translator returns a function that gives a text of a table in English or in
// Chinese. A text without a translation fails the test, so that no Chinese
// table is partly in English.
func translator(t *testing.T, zh bool) func(string) string {
	return func(text string) string {
		if !zh || text == "" {
			return text
		}
		translated, ok := inChinese[text]
		if !ok {
			t.Errorf("inChinese has no translation of %q", text)
		}
		return translated
	}
}
