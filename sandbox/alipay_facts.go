package sandbox

import "time"

// The facts of Alipay's v2 gateway that could not be confirmed against a real
// merchant account. Everything that the gateway assumes about them is here,
// so that a confirmation is a change of one line.
const (
	// A request's timestamp may be this far from the gateway's time.
	alipayTolerance = 10 * time.Minute
	// The same for what a browser or a wallet opens: it is signed when the
	// shop makes the link and opened when the buyer comes to it.
	alipayLinkTolerance = 24 * time.Hour

	// How long the code of a precreate can be scanned when the request does
	// not say. A repeat of the request prolongs nothing, but one that comes
	// after the code has expired unscanned starts it anew.
	alipayCodeLife = 2 * time.Hour
	// How long a trade waits for its buyer when the request does not say.
	alipayTradeLife = 15 * 24 * time.Hour
	// timeout_express counts from the creation of the trade, which is the
	// scan, and not from the precreate; qr_code_timeout_express counts from
	// the precreate, and ends the trade as well as the code.
	alipayTimeoutFromScan = true
	// The bounds of both.
	alipayMinTimeout, alipayMaxTimeout = time.Minute, 15 * 24 * time.Hour

	// A paid trade can be refunded for this long and is TRADE_FINISHED then.
	alipayRefundPeriod = 365 * 24 * time.Hour

	// Closing an unpaid trade is told by TRADE_CLOSED, and so is its expiring
	// when the request set a deadline. A code that nobody scanned is no trade,
	// and nothing is told of it.
	alipayTellsClosing = true

	// The download link of a bill. The period is documented.
	alipayBillLife = 30 * time.Second
	// A bill is ready this long after midnight, in China; until then there is
	// none. A day or month that is not over cannot be asked for.
	alipayBillReady = 10 * time.Hour
	alipayLineEnd   = "\r\n"
	// What a bill's 服务费 makes of the fee: the merchant pays it, so that it is
	// negative for a payment and positive for a refund.
	alipayFeeSign = -1

	// A payment can be cancelled, which refunds it, for this long.
	alipayCancelPeriod = 24 * time.Hour

	// The User-Agent of notifications.
	alipayAgent = "Mozilla/4.0"
)

// Whether failures of the gateway itself (every code but 40004) come as an
// unsigned error_response instead of a signed node. Both have been seen.
const alipayGatewayFailuresUnsigned = true

// alipayFailure is a failed answer.
type alipayFailure struct{ code, msg, subCode, subMsg string }

const (
	alipaySuccess  = "10000"
	alipayUnknown  = "20000" // nobody can say whether it took effect
	alipayMissing  = "40001"
	alipayInvalid  = "40002"
	alipayBusiness = "40004"
	alipayLimited  = "40005"
)

// alipayMsg are the words that come with the codes.
var alipayMsg = map[string]string{
	alipaySuccess: "Success", alipayUnknown: "Service Currently Unavailable", alipayMissing: "Missing Required Arguments",
	alipayInvalid: "Invalid Arguments", alipayBusiness: "Business Failed", alipayLimited: "Call Limited",
}

func alipayNo(code, subCode, subMsg string) *alipayFailure {
	return &alipayFailure{code: code, msg: alipayMsg[code], subCode: subCode, subMsg: subMsg}
}

// acq is a failure of the business, with the sub_code "ACQ." + name.
func acq(name, subMsg string) *alipayFailure { return alipayNo(alipayBusiness, "ACQ."+name, subMsg) }

// The failures that have no details of their own.
var (
	alipayNoTrade      = acq("TRADE_NOT_EXIST", "交易不存在")
	alipayHasSuccess   = acq("TRADE_HAS_SUCCESS", "交易已被支付")
	alipayHasClose     = acq("TRADE_HAS_CLOSE", "交易已经关闭")
	alipayInconsistent = acq("CONTEXT_INCONSISTENT", "交易信息被篡改: the out_trade_no was used with other parameters")
	alipayWrongStatus  = acq("TRADE_STATUS_ERROR", "交易状态不合法")
	alipayFinished     = acq("TRADE_HAS_FINISHED", "交易已完结: the time for refunds is over")
	alipayShort        = acq("SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")
	alipayRefundFee    = acq("REASON_TRADE_REFUND_FEE_ERR", "退款金额无效: more than was paid")
	alipayPartial      = acq("REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额不等于订单总金额: a partial refund needs an out_request_no")
	alipayDiscordant   = acq("DISCORDANT_REPEAT_REQUEST", "不一致的重复请求: the out_request_no was used with another amount")
	alipayNotPaid      = acq("TRADE_STATUS_ERROR", "交易状态不合法: the trade has not been paid")
	alipayOtherSeller  = acq("PARTNER_ERROR", "应用APP_ID填写错误: seller_id is not the merchant's")
	alipaySystem       = acq("SYSTEM_ERROR", "系统错误: repeat the same request")
	alipayNoRefund     = acq("TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款")
	alipayBuyerGone    = acq("BUYER_ERROR", "买家状态异常: the buyer's account is closed")
	alipayCancelLate   = acq("TRADE_CANCEL_TIME_OUT", "超过撤销时间范围")
	alipayNoBill       = alipayNo(alipayBusiness, "isp.bill_not_exist", "账单不存在")
	alipayBroken       = alipayNo(alipayUnknown, "isp.unknow-error", "服务不可用: repeat the same request")
	alipayTooFast      = alipayNo(alipayLimited, "isv.app-call-limited", "应用调用次数超限: slow down and repeat the same request")
	alipayTooLarge     = alipayNo(alipayInvalid, "isv.invalid-parameter", "the request is larger than 64 KiB")
)

// alipayNoArguments refuses what a bill cannot be asked for.
func alipayNoArguments(issue string) *alipayFailure {
	return alipayNo(alipayBusiness, "isp.invalid_arguments", "参数无效: "+issue)
}

// alipayNotifySchedule is the waits between the tries of a notification, eight
// tries within 25 hours (documented; merchants abroad are said to be tried
// again after two minutes instead of four).
var alipayNotifySchedule = []time.Duration{
	4 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour,
}
