package alipay

import "time"

// What is assumed about Alipay's v2 gateway where its documents leave it open and no
// real merchant account could confirm it. It is all here, so that a correction
// is a change of one line.
const (
	// A request's timestamp may be this far from the gateway's time.
	tolerance = 10 * time.Minute
	// The same for what a browser or a wallet opens: it is signed when the
	// shop makes the link and opened when the buyer comes to it.
	linkTolerance = 24 * time.Hour

	// How long the code of a precreate can be scanned when the request does
	// not say. A repeat of the request prolongs nothing, but one that comes
	// after the code has expired unscanned starts it anew.
	codeLife = 2 * time.Hour
	// How long a trade waits for its buyer when the request does not say.
	tradeLife = 15 * 24 * time.Hour
	// timeout_express counts from the creation of the trade, which is the
	// scan, and not from the precreate; qr_code_timeout_express counts from
	// the precreate, and ends the trade as well as the code.
	timeoutFromScan = true
	// The bounds of both.
	minTimeout, maxTimeout = time.Minute, 15 * 24 * time.Hour

	// A paid trade can be refunded for this long and is TRADE_FINISHED then.
	refundPeriod = 365 * 24 * time.Hour

	// Closing an unpaid trade is reported as TRADE_CLOSED, and so is its expiring
	// when the request set a deadline. A code that nobody scanned is no trade,
	// and nothing reports it.
	reportsClosing = true

	// The download link of a bill. The period is documented.
	billLife = 30 * time.Second
	// A bill is ready this long after midnight, in China; until then there is
	// none. A day or month that is not over is refused.
	billReady = 10 * time.Hour
	lineEnd   = "\r\n"
	// What a bill's 服务费 makes of the fee: the merchant pays it, so that it is
	// negative for a payment and positive for a refund.
	feeSign = -1

	// A payment can be cancelled, which refunds it, for this long.
	cancelPeriod = 24 * time.Hour

	// The User-Agent of notifications.
	agent = "Mozilla/4.0"
)

// Whether failures of the gateway itself (every code but 40004) come as an
// unsigned error_response instead of a signed node. Both have been seen.
const gatewayFailuresUnsigned = true

// failure is a failed answer.
type failure struct{ code, msg, subCode, subMsg string }

const (
	codeSuccess  = "10000"
	codeUnknown  = "20000" // nobody can say whether it took effect
	codeMissing  = "40001"
	codeInvalid  = "40002"
	codeBusiness = "40004"
	codeLimited  = "40005"
)

// messages are the words that come with the codes.
var messages = map[string]string{
	codeSuccess: "Success", codeUnknown: "Service Currently Unavailable", codeMissing: "Missing Required Arguments",
	codeInvalid: "Invalid Arguments", codeBusiness: "Business Failed", codeLimited: "Call Limited",
}

func fail(code, subCode, subMsg string) *failure {
	return &failure{code: code, msg: messages[code], subCode: subCode, subMsg: subMsg}
}

// acq is a failure of the business, with the sub_code "ACQ." + name.
func acq(name, subMsg string) *failure { return fail(codeBusiness, "ACQ."+name, subMsg) }

// The failures that have no details of their own.
var (
	noTrade      = acq("TRADE_NOT_EXIST", "交易不存在")
	hasSuccess   = acq("TRADE_HAS_SUCCESS", "交易已被支付")
	hasClose     = acq("TRADE_HAS_CLOSE", "交易已经关闭")
	inconsistent = acq("CONTEXT_INCONSISTENT", "交易信息被篡改: the out_trade_no was used with other parameters")
	wrongStatus  = acq("TRADE_STATUS_ERROR", "交易状态不合法")
	finished     = acq("TRADE_HAS_FINISHED", "交易已完结: the time for refunds is over")
	short        = acq("SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")
	refundFee    = acq("REASON_TRADE_REFUND_FEE_ERR", "退款金额无效: more than was paid")
	partial      = acq("REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额不等于订单总金额: a partial refund needs an out_request_no")
	discordant   = acq("DISCORDANT_REPEAT_REQUEST", "不一致的重复请求: the out_request_no was used with another amount")
	notPaid      = acq("TRADE_STATUS_ERROR", "交易状态不合法: the trade has not been paid")
	otherSeller  = acq("PARTNER_ERROR", "应用APP_ID填写错误: seller_id is not the merchant's")
	system       = acq("SYSTEM_ERROR", "系统错误: repeat the same request")
	noRefund     = acq("TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款")
	buyerGone    = acq("BUYER_ERROR", "买家状态异常: the buyer's account is closed")
	cancelLate   = acq("TRADE_CANCEL_TIME_OUT", "超过撤销时间范围")
	noBill       = fail(codeBusiness, "isp.bill_not_exist", "账单不存在")
	unavailable  = fail(codeUnknown, "isp.unknow-error", "服务不可用: repeat the same request")
	tooFast      = fail(codeLimited, "isv.app-call-limited", "应用调用次数超限: slow down and repeat the same request")
	tooLarge     = fail(codeInvalid, "isv.invalid-parameter", "the request is larger than 64 KiB")
)

// wrongArguments refuses a request for a bill.
func wrongArguments(issue string) *failure {
	return fail(codeBusiness, "isp.invalid_arguments", "参数无效: "+issue)
}

// notifySchedule is the waits between the tries of a notification, eight
// tries within 25 hours (documented; merchants abroad are said to be tried
// again after two minutes instead of four).
var notifySchedule = []time.Duration{
	4 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour,
}
