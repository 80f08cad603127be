package faults

import (
	"slices"
	"time"
)

// Info describes a fault.
type Info struct {
	Fault  Fault  `json:"fault"`
	Ops    []Op   `json:"ops"`
	Does   string `json:"does"`
	DoesZh string `json:"-"` // for Chinese readers
	// Delay is what Arm takes when it is given none.
	Delay time.Duration `json:"-"`
	// Named faults are not in Chaos unless they are named: the shop cannot
	// recover from them by itself, or they cost too much to be frequent.
	Named bool `json:"named,omitempty"`
}

// Delays says whether the fault takes a delay.
func (i Info) Delays() bool {
	return i.Delay > 0 || i.Fault == TimeoutAfterCommit || i.Fault == TimeoutNoEffect
}

var (
	signed    = []Op{Prepay, Query, Close, Refund, QueryRefund, Bill, FlowBill, Certificates}
	calls     = append(slices.Clone(signed), Download)
	callbacks = []Op{Callback, RefundCallback}
	paying    = []Op{Pay}
	refunding = []Op{Refund}
	billing   = []Op{Bill, FlowBill}
)

// Table lists every fault, always in the same order.
func Table() []Info { return slices.Clone(table) }

// A fault of a call takes effect after the request has been authenticated,
// whatever its answer would have been. The order matters: a seed chooses by it.
var table = []Info{
	{Fault: TimeoutAfterCommit, Ops: calls,
		Does:   "takes effect, waits for the delay if there is one, then closes the connection without a complete answer",
		DoesZh: "先生效，等待设定的时间（如有），然后断开连接，不给出完整应答"},
	{Fault: TimeoutNoEffect, Ops: calls,
		Does:   "does not take effect, waits for the delay if there is one, then closes the connection without a complete answer",
		DoesZh: "不生效，等待设定的时间（如有），然后断开连接，不给出完整应答"},
	{Fault: Error500NoEffect, Ops: calls,
		Does:   "answers 500 SYSTEM_ERROR without taking effect",
		DoesZh: "不生效，应答 500 SYSTEM_ERROR"},
	{Fault: Error500WithEffect, Ops: calls,
		Does:   "takes effect, then answers 500 SYSTEM_ERROR",
		DoesZh: "先生效，再应答 500 SYSTEM_ERROR"},
	{Fault: RateLimited, Ops: calls,
		Does:   "answers 429 FREQUENCY_LIMITED without taking effect",
		DoesZh: "不生效，应答 429 FREQUENCY_LIMITED"},
	{Fault: CorruptSignature, Ops: slices.Concat(signed, callbacks),
		Does:   "has a signature of different content; for a callback, only in the first attempt",
		DoesZh: "对别的内容签名；对回调只影响第一次发送"},
	{Fault: SigntestSignature, Ops: signed,
		Does:   "answers with a WECHATPAY/SIGNTEST/ signature",
		DoesZh: "应答带 WECHATPAY/SIGNTEST/ 探测签名"},
	{Fault: Unsigned, Ops: slices.Concat(signed, callbacks),
		Does:   "has no signature; for a callback, only in the first attempt",
		DoesZh: "不带签名；对回调只影响第一次发送"},
	{Fault: Slow, Ops: calls, Delay: time.Second,
		Does:   "answers after the delay, which may be minutes",
		DoesZh: "延迟设定的时间后应答，可以长达数分钟"},
	{Fault: HalfAnswer, Ops: calls,
		Does:   "takes effect, then closes the connection in the middle of the answer",
		DoesZh: "先生效，应答只发一半就断开连接"},
	{Fault: HugeAnswer, Ops: calls, Named: true,
		Does:   "takes effect, then answers with 100 MB of spaces in front of the real answer, signed as a whole",
		DoesZh: "先生效，应答前面垫 100 MB 空格，整体签名有效"},

	{Fault: Lost, Ops: callbacks,
		Does:   "the callback is never sent, nor any retry",
		DoesZh: "回调永不发送，也不重试"},
	{Fault: Duplicated, Ops: callbacks,
		Does:   "once it is accepted, the callback is sent a second time",
		DoesZh: "回调被接受后再发一次"},
	{Fault: ConcurrentDuplicate, Ops: callbacks,
		Does:   "the first attempt is sent twice at the same moment",
		DoesZh: "第一次发送时，同一时刻发两份"},
	{Fault: Delayed, Ops: callbacks, Delay: time.Minute,
		Does:   "the first attempt is sent after the delay",
		DoesZh: "第一次发送推迟设定的时间"},
	{Fault: Reordered, Ops: callbacks, Delay: time.Minute,
		Does:   "the first attempt waits until another callback has been sent, but no longer than the delay",
		DoesZh: "扣住回调，等另一条回调先发出，最多等设定的时间"},
	{Fault: RefundBeforePayment, Ops: []Op{Callback}, Delay: 24 * time.Hour,
		Does:   "the payment's callback waits until that of a refund of it has been sent, but no longer than the delay",
		DoesZh: "扣住支付回调，等该笔支付的退款回调先发出，最多等设定的时间"},
	{Fault: SigntestProbe, Ops: callbacks,
		Does:   "the first attempt has a WECHATPAY/SIGNTEST/ signature; the real one follows by retry, whatever the answer",
		DoesZh: "第一次发送带 WECHATPAY/SIGNTEST/ 探测签名；无论应答如何，真正的回调随后重试到达"},
	{Fault: SecondID, Ops: callbacks,
		Does:   "two callbacks with different ids report the same",
		DoesZh: "同一结果用两个不同 id 的回调通知"},

	{Fault: PayAfterClose, Ops: paying,
		Does:   "a closed or expired trade can be paid",
		DoesZh: "已关闭或已过期的交易仍可支付"},
	{Fault: SecondPayment, Ops: paying,
		Does:   "a paid trade can be paid again, as another transaction",
		DoesZh: "已支付的交易可以再付一次，产生另一个渠道交易号"},
	{Fault: PaidTwice, Ops: paying,
		Does:   "the buyer pays twice at once, as two transactions",
		DoesZh: "用户一次付了两笔，产生两个渠道交易号"},
	{Fault: PlatformCoupon, Ops: paying,
		Does:   "a coupon of the platform pays a tenth, so that the buyer pays less than the total",
		DoesZh: "平台代金券抵扣一成，用户实付小于订单总额"},

	{Fault: InsufficientBalance, Ops: refunding,
		Does:   "refused: the merchant's balance is too low; the same number may be tried again",
		DoesZh: "拒绝退款：商户余额不足；可用原单号重试"},
	{Fault: UserAccountClosed, Ops: refunding, Named: true,
		Does:   "refused: the buyer's account is closed",
		DoesZh: "拒绝退款：用户账户已注销"},
	{Fault: RefundAbnormal, Ops: refunding, Named: true,
		Does:   "accepted, then abnormal: the money could not reach the buyer",
		DoesZh: "受理后退款异常：款项退不到用户账户"},
	{Fault: RefundClosed, Ops: refunding, Named: true,
		Does:   "accepted, then closed: no money moved, and the number cannot be used again",
		DoesZh: "受理后退款关闭：没有资金变动，该退款单号作废"},
	{Fault: RefundNeverEnds, Ops: refunding, Named: true,
		Does:   "accepted, then processing until the control API ends it",
		DoesZh: "受理后一直处理中，直到由控制接口了结"},

	{Fault: BillRowMissing, Ops: billing, Named: true,
		Does: "the bill omits the trade's first row", DoesZh: "账单缺少该交易的第一行"},
	{Fault: BillRowExtra, Ops: billing, Named: true,
		Does: "the bill has a payment that no shop ever requested", DoesZh: "账单多出一笔没有商户发起过的支付"},
	{Fault: BillRowTwice, Ops: billing, Named: true,
		Does: "the bill has the trade's first row twice", DoesZh: "该交易的第一行出现两次"},
	{Fault: BillAmountAltered, Ops: billing, Named: true,
		Does: "the amount of the trade's first row is 1.00 too high", DoesZh: "该交易第一行的金额多 1.00 元"},
	{Fault: BillFeeAltered, Ops: billing, Named: true,
		Does: "the fee of the trade's first row is 0.01 too high", DoesZh: "该交易第一行的手续费多 0.01 元"},
	{Fault: BillBadCount, Ops: billing, Named: true,
		Does: "the summary counts one row too many", DoesZh: "汇总行的笔数多一"},
	{Fault: BillBadHash, Ops: billing, Named: true,
		Does: "the hash is that of another file", DoesZh: "摘要值属于另一个文件"},
	{Fault: BillTruncated, Ops: billing, Named: true,
		Does: "the file ends in the middle of a row; the hash is that of the whole", DoesZh: "文件在一行中间结束；摘要值属于完整文件"},
	{Fault: BillWrongEncoding, Ops: billing, Named: true,
		Does: "the file is in the other encoding, GBK or UTF-8, and so is what the hash covers", DoesZh: "文件用了另一种编码（GBK 或 UTF-8），摘要值也随之"},
	{Fault: BillZipBomb, Ops: billing, Named: true,
		Does: "the download is 1 MB that unpacks to 1 GiB of zeros", DoesZh: "下载到的是 1 MB，解压后是 1 GiB 的零"},
}
