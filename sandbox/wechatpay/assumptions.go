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
	refuseUsed = refusal{
		status:  http.StatusForbidden,
		code:    "OUT_TRADE_NO_USED",
		message: "商户订单号重复: the out_trade_no was used with other parameters",
	}
	refusePaid    = refusal{status: http.StatusBadRequest, code: "ORDERPAID", message: "该订单已支付: the trade has been paid"}
	refuseClosed  = refusal{status: http.StatusBadRequest, code: "ORDER_CLOSED", message: "订单已关闭: the trade has been closed or has expired"}
	refuseUnknown = refusal{status: http.StatusNotFound, code: "ORDER_NOT_EXIST", message: "订单不存在: there is no such trade"}
	refuseMchID   = refusal{
		status:  http.StatusBadRequest,
		code:    "MCH_NOT_EXISTS",
		message: "商户号不存在: the mchid is not that of the request's signature",
	}
	refuseAppID = refusal{
		status:  http.StatusBadRequest,
		code:    "APPID_MCHID_NOT_MATCH",
		message: "appid和mchid不匹配: appid or mchid is not that of this merchant",
	}
	// Of refunds and bills.
	refuseNoResource = refusal{
		status:  http.StatusNotFound,
		code:    "RESOURCE_NOT_EXISTS",
		message: "资源不存在: there is no such trade or refund",
	}
	refuseTwoTrades = refusal{
		status:  http.StatusBadRequest,
		code:    "INVALID_REQUEST",
		message: "transaction_id and out_trade_no are of two trades",
	}
	refuseTotal = refusal{
		status:  http.StatusBadRequest,
		code:    "INVALID_REQUEST",
		message: "订单金额不一致: amount.total is not the total of the trade",
	}
	refuseOtherRefund = refusal{
		status:  http.StatusBadRequest,
		code:    "INVALID_REQUEST",
		message: "the out_refund_no is not that of the refund_id",
	}
	refuseNotAbnormal = refusal{status: http.StatusBadRequest, code: "INVALID_REQUEST", message: "the refund is not ABNORMAL"}
	refuseNoBill      = refusal{status: http.StatusBadRequest, code: "NO_STATEMENT_EXIST", message: "账单文件不存在: nothing moved on that day"}
	refuseBillLater   = refusal{
		status:  http.StatusBadRequest,
		code:    "STATEMENT_CREATING",
		message: "账单生成中: the bill is ready at 10:00 on the next day",
	}
	refuseLink = refusal{
		status:  http.StatusBadRequest,
		code:    "INVALID_REQUEST",
		message: "下载链接过期: the download_url has expired or never was",
	}

	refuseSize = refusal{status: http.StatusRequestEntityTooLarge, code: "PARAM_ERROR", message: "the body is larger than 64 KiB"}
	refusePath = refusal{status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", message: "there is no such method and path"}
	refuseRate = refusal{
		status:  http.StatusTooManyRequests,
		code:    "FREQUENCY_LIMITED",
		message: "频率超限: slow down and repeat the same request",
	}
	refuseSystem = refusal{status: http.StatusInternalServerError, code: "SYSTEM_ERROR", message: "系统错误: repeat the same request"}
)

// refuseRefund is what each rule of refunds is called on the wire.
var refuseRefund = map[error]*refusal{
	trade.ErrUnpaid: {status: http.StatusBadRequest, code: "INVALID_REQUEST", message: "订单未支付: the trade has not been paid"},
	trade.ErrRefundDiffers: {
		status:  http.StatusBadRequest,
		code:    "INVALID_REQUEST",
		message: "商户退款单号重复: the out_refund_no was used with other parameters",
	},
	trade.ErrRefundTooMuch: {
		status:  http.StatusBadRequest,
		code:    "INVALID_REQUEST",
		message: "申请退款金额超过可退金额: more than is left of the payment",
	},
	trade.ErrTooManyRefunds: {
		status:  http.StatusBadRequest,
		code:    "INVALID_REQUEST",
		message: "退款次数超限: the trade has been refunded 50 times",
	},
	trade.ErrRefundTooSoon: {
		status:  http.StatusTooManyRequests,
		code:    "FREQUENCY_LIMITED",
		message: "频率超限: the last refund of this trade was a moment ago",
	},
	trade.ErrRefundTooLate: {
		status:  http.StatusBadRequest,
		code:    "INVALID_REQUEST",
		message: "订单已超过可退款的最大期限: the payment is older than a year",
	},
	trade.ErrInsufficientBalance: {
		status:  http.StatusForbidden,
		code:    "NOT_ENOUGH",
		message: "基本账户余额不足: top up and repeat with the same out_refund_no",
	},
	trade.ErrUserAccount: {
		status:  http.StatusForbidden,
		code:    "USER_ACCOUNT_ABNORMAL",
		message: "退款请求失败: the buyer's account is closed",
	},
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
