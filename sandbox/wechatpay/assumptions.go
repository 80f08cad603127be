package wechatpay

import (
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/sandbox/trade"
)

// What is assumed about WeChat Pay v3 where its documents leave it open and no
// real merchant account could confirm it. It is all here, so that a correction
// is a change of one line.
const (
	// A request's timestamp may be this far from the gateway's time.
	clockTolerance = 300 * time.Second
	// time_expire must be at least this far ahead.
	minExpiryAhead = time.Minute
	// How long what a prepay answers can be opened; a repeat starts it anew.
	codeURLLife  = 2 * time.Hour
	prepayIDLife = 2 * time.Hour
	h5URLLife    = 5 * time.Minute
	// What a query says of a trade whose time_expire has passed and that
	// nobody closed; NOTPAY has been reported too.
	expiredTradeState = tradeClosed
	// What a query says after the buyer's attempt failed.
	failedTradeState = tradePayError
	// Closing a closed trade succeeds again.
	closeAgainStatus = http.StatusNoContent
	// A Wechatpay-Serial that the gateway does not have is treated as absent:
	// the answer is signed with the platform certificate.

	// Lengths are counted in characters, not bytes. time_expire has whole
	// seconds and an offset, "Z" included.
	timeExpireLayout = time.RFC3339
)

// The answers that are unconfirmed in status or spelling.
var (
	refuseUsed    = refusal{http.StatusForbidden, "OUT_TRADE_NO_USED", "商户订单号重复: the out_trade_no was used with other parameters", nil}
	refusePaid    = refusal{http.StatusBadRequest, "ORDERPAID", "该订单已支付: the trade has been paid", nil}
	refuseClosed  = refusal{http.StatusBadRequest, "ORDER_CLOSED", "订单已关闭: the trade has been closed or has expired", nil}
	refuseUnknown = refusal{http.StatusNotFound, "ORDER_NOT_EXIST", "订单不存在: there is no such trade", nil}
	refuseMchID   = refusal{http.StatusBadRequest, "MCH_NOT_EXISTS", "商户号不存在: the mchid is not that of the request's signature", nil}
	refuseAppID   = refusal{http.StatusBadRequest, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配: appid or mchid is not that of this merchant", nil}
	// Of refunds and bills.
	refuseNoResource  = refusal{http.StatusNotFound, "RESOURCE_NOT_EXISTS", "资源不存在: there is no such trade or refund", nil}
	refuseTwoTrades   = refusal{http.StatusBadRequest, "INVALID_REQUEST", "transaction_id and out_trade_no are of two trades", nil}
	refuseTotal       = refusal{http.StatusBadRequest, "INVALID_REQUEST", "订单金额不一致: amount.total is not the total of the trade", nil}
	refuseOtherRefund = refusal{http.StatusBadRequest, "INVALID_REQUEST", "the out_refund_no is not that of the refund_id", nil}
	refuseNotAbnormal = refusal{http.StatusBadRequest, "INVALID_REQUEST", "the refund is not ABNORMAL", nil}
	refuseNoBill      = refusal{http.StatusBadRequest, "NO_STATEMENT_EXIST", "账单文件不存在: nothing moved on that day", nil}
	refuseBillLater   = refusal{http.StatusBadRequest, "STATEMENT_CREATING", "账单生成中: the bill is ready at 10:00 on the next day", nil}
	refuseLink        = refusal{http.StatusBadRequest, "INVALID_REQUEST", "下载链接过期: the download_url has expired or never was", nil}

	refuseSize   = refusal{http.StatusRequestEntityTooLarge, "PARAM_ERROR", "the body is larger than 64 KiB", nil}
	refusePath   = refusal{http.StatusNotFound, "RESOURCE_NOT_EXISTS", "there is no such method and path", nil}
	refuseRate   = refusal{http.StatusTooManyRequests, "FREQUENCY_LIMITED", "频率超限: slow down and repeat the same request", nil}
	refuseSystem = refusal{http.StatusInternalServerError, "SYSTEM_ERROR", "系统错误: repeat the same request", nil}
)

// refuseRefund is what each rule of refunds is called on the wire.
var refuseRefund = map[error]*refusal{
	trade.ErrUnpaid:         {http.StatusBadRequest, "INVALID_REQUEST", "订单未支付: the trade has not been paid", nil},
	trade.ErrRefundDiffers:  {http.StatusBadRequest, "INVALID_REQUEST", "商户退款单号重复: the out_refund_no was used with other parameters", nil},
	trade.ErrRefundTooMuch:  {http.StatusBadRequest, "INVALID_REQUEST", "申请退款金额超过可退金额: more than is left of the payment", nil},
	trade.ErrTooManyRefunds: {http.StatusBadRequest, "INVALID_REQUEST", "退款次数超限: the trade has been refunded 50 times", nil},
	trade.ErrRefundTooSoon:  {http.StatusTooManyRequests, "FREQUENCY_LIMITED", "频率超限: the last refund of this trade was a moment ago", nil},
	trade.ErrRefundTooLate:  {http.StatusBadRequest, "INVALID_REQUEST", "订单已超过可退款的最大期限: the payment is older than a year", nil},
	// Of the accounts, whatever the request.
	trade.ErrInsufficientBalance: {http.StatusForbidden, "NOT_ENOUGH", "基本账户余额不足: top up and repeat with the same out_refund_no", nil},
	trade.ErrUserAccount:         {http.StatusForbidden, "USER_ACCOUNT_ABNORMAL", "退款请求失败: the buyer's account is closed", nil},
}

// couponID is that of the one coupon of the platform.
const couponID = "109519"

const (
	billLife    = 5 * time.Minute // of a download_url
	billReadyAt = 10              // o'clock on the next day, in China
	billMonths  = 3               // how far back bills go
)

// notifySchedule is the waits between the tries of a callback, 24 h 4 min in
// all (documented).
var notifySchedule = []time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second,
	3 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, 30 * time.Minute, 30 * time.Minute, 60 * time.Minute,
	3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour,
}
