package sandbox

// faultsInChinese is faultTable's texts for Chinese readers.
var faultsInChinese = map[Fault]string{
	TimeoutAfterCommit: "先生效，等待设定的时间（如有），然后断开连接，不给出完整应答",
	TimeoutNoEffect:    "不生效，等待设定的时间（如有），然后断开连接，不给出完整应答",
	Error500NoEffect:   "不生效，应答 500 SYSTEM_ERROR",
	Error500WithEffect: "先生效，再应答 500 SYSTEM_ERROR",
	RateLimited:        "不生效，应答 429 FREQUENCY_LIMITED",
	CorruptSignature:   "对别的内容签名；对回调只影响第一次发送",
	SigntestSignature:  "应答带 WECHATPAY/SIGNTEST/ 探测签名",
	Unsigned:           "不带签名；对回调只影响第一次发送",
	Slow:               "延迟设定的时间后应答，可以长达数分钟",
	HalfAnswer:         "先生效，应答只发一半就断开连接",
	HugeAnswer:         "先生效，应答前面垫 100 MB 空格，整体签名有效",

	Lost:                "回调永不发送，也不重试",
	Duplicated:          "回调被接受后再发一次",
	Twins:               "第一次发送时，同一时刻发两份",
	Delayed:             "第一次发送推迟设定的时间",
	Reordered:           "扣住回调，等另一条回调先发出，最多等设定的时间",
	RefundBeforePayment: "扣住支付回调，等该笔支付的退款回调先发出，最多等设定的时间",
	SigntestProbe:       "第一次发送带 WECHATPAY/SIGNTEST/ 探测签名；无论应答如何，真正的回调随后重试到达",
	SecondID:            "同一结果用两个不同 id 的回调通知",

	PayAfterClose:  "已关闭或已过期的交易仍可支付",
	SecondPayment:  "已支付的交易可以再付一次，产生另一个支付单号",
	PaidTwice:      "用户一次付了两笔，产生两个支付单号",
	PlatformCoupon: "平台代金券抵扣一成，用户实付小于订单总额",

	MerchantShort:     "拒绝退款：商户余额不足；可用原单号重试",
	UserAccountClosed: "拒绝退款：用户账户已注销",
	EndsAbnormal:      "受理后退款异常：款项退不到用户账户",
	EndsClosed:        "受理后退款关闭：没有资金变动，该退款单号作废",
	NeverEnds:         "受理后一直处理中，直到由控制接口了结",

	BillRowMissing:    "账单缺少该交易的第一行",
	BillRowExtra:      "账单多出一笔没有商户发起过的支付",
	BillRowTwice:      "该交易的第一行出现两次",
	BillAmountAltered: "该交易第一行的金额多 1.00 元",
	BillFeeAltered:    "该交易第一行的手续费多 0.01 元",
	BillBadCount:      "汇总行的笔数多一",
	BillBadHash:       "摘要值属于另一个文件",
	BillTruncated:     "文件在一行中间结束；摘要值属于完整文件",
	BillWrongEncoding: "文件用了另一种编码（GBK 或 UTF-8），摘要值也随之",
	BillZipBomb:       "下载到的是 1 MB，解压后是 1 GiB 的零",
}
