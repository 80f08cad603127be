package reconcile

// Class is what kind of difference there is between our books and a bill.
type Class string

// The classes, in the order of Classes.
const (
	PaymentUnsettled   Class = "payment_unsettled"
	PaymentLate        Class = "payment_late"
	PaymentUnknown     Class = "payment_unknown"
	PaymentMissing     Class = "payment_missing"
	PaymentAmount      Class = "payment_amount"
	PaymentCurrency    Class = "payment_currency"
	PaymentMerchant    Class = "payment_merchant"
	PaymentTransaction Class = "payment_transaction"
	PaidTwice          Class = "paid_twice"
	StateReversed      Class = "state_reversed"

	RefundUnsettled     Class = "refund_unsettled"
	RefundUnknown       Class = "refund_unknown"
	RefundOrphan        Class = "refund_orphan"
	RefundMissing       Class = "refund_missing"
	RefundAmount        Class = "refund_amount"
	RefundCurrency      Class = "refund_currency"
	RefundMerchant      Class = "refund_merchant"
	RefundTransaction   Class = "refund_transaction"
	RefundFailed        Class = "refund_failed"
	RefundPending       Class = "refund_pending"
	RefundTwice         Class = "refund_twice"
	RefundBeforePayment Class = "refund_before_payment"

	DuplicateRow Class = "duplicate_row"
	OtherDay     Class = "other_day"
	WrongDay     Class = "wrong_day"
	Fee          Class = "fee"
	FundsDiffer  Class = "funds_differ"
)

// About is what people read about a class.
type About struct {
	Class     Class
	Meaning   string
	MeaningZH string
	// Told is the kind of fact that Fact makes of it, "" for none.
	Told string
	// Heals says whether that fact settles the matter, so that the next run
	// does not find the difference again. A single difference may still not
	// heal, see Difference.Heals.
	Heals bool
	// Quiet: it happens in the ordinary course of things, and is listed only
	// so that the sums can be followed.
	Quiet bool
	Do    string
	DoZH  string
}

// Classes is everything that can differ. Names are stable.
var Classes = []About{
	{PaymentUnsettled, "The bill has the payment as paid; with us it is still open.", "账单显示已支付，我方支付单仍未完成。", "paid", true, false,
		"Nothing; if it comes back, look why callbacks and queries were lost.", "无需处理；若反复出现，请检查回调与查询为何丢失。"},
	{PaymentLate, "The bill has the payment as paid; with us it is closed or failed.", "账单显示已支付，我方支付单已关闭或失败。", "paid", true, false,
		"Nothing; money wins, and what its order cannot take is refunded.", "无需处理；以到账为准，订单无法承接的款项会退回。"},
	{PaymentUnknown, "The bill has a payment that we do not know.", "账单中的支付我方没有记录。", "", false, false,
		"Find who else takes money through this merchant account; refund it if nobody does.", "查明是否有其他系统使用该商户号收款；若没有则退款。"},
	{PaymentMissing, "We have the payment as paid on that day; the bill lacks it.", "我方当日支付成功，账单中没有。", "", false, false,
		"Query the channel; if it does not know the payment, stop delivery and ask the channel's support.", "向渠道查询；若渠道不认，停止发货并联系渠道客服。"},
	{PaymentAmount, "The bill has another amount than the payment.", "账单金额与支付单金额不一致。", "", false, false,
		"Compare with the channel's console; settle the rest with the buyer by hand.", "与渠道后台核对，差额与买家人工处理。"},
	{PaymentCurrency, "The bill has another currency than the payment.", "账单币种与支付单币种不一致。", "", false, false,
		"Compare with the channel's console; check the channel's settings.", "与渠道后台核对，并检查渠道配置。"},
	{PaymentMerchant, "The bill has the payment under another merchant or app than it was opened for.",
		"账单中的商户号或应用与支付单不一致。", "", false, false,
		"Check whose account took the money, and the channel's settings.", "核对收款账户，并检查渠道配置。"},
	{PaymentTransaction, "The bill has the payment under another transaction id of the channel's.", "同一支付单在账单中的渠道交易号不同。", "", false, false,
		"Query the channel; if both transactions exist, refund one.", "向渠道查询；若两笔交易都存在，退回其中一笔。"},
	{PaidTwice, "One payment has a second transaction: money came twice.", "同一支付单有第二笔渠道交易：重复收款。", "paid", false, false,
		"Refund the second transaction at the channel.", "在渠道退回第二笔交易。"},
	{StateReversed, "The bill says that the payment was taken back.", "账单显示该支付已被撤销。", "", false, false,
		"Query the channel; stop delivery if the money has gone.", "向渠道查询；若款项已退走，停止发货。"},

	{RefundUnsettled, "The bill has the refund as done; with us it is not.", "账单显示退款成功，我方退款单未成功。", "refunded", true, false,
		"Nothing; if it comes back, look why callbacks and queries were lost.", "无需处理；若反复出现，请检查回调与查询为何丢失。"},
	{RefundUnknown, "Money of a payment of ours went back by a refund that we never asked for.",
		"我方支付单有一笔并非由我方发起的退款。", "refunded", true, false,
		"Find who refunded it, most likely at the channel's console; it is booked.", "查明由谁退款（多为渠道后台操作）；系统已入账。"},
	{RefundOrphan, "The bill has a refund of a payment that we do not know.", "账单中的退款对应的支付我方没有记录。", "", false, false,
		"Find who else uses this merchant account.", "查明是否有其他系统使用该商户号。"},
	{RefundMissing, "We have the refund as done on that day; the bill lacks it.", "我方当日退款成功，账单中没有。", "", false, false,
		"Query the refund; if the channel does not know it, the buyer has not got the money.", "向渠道查询退款；若渠道不认，买家并未收到款项。"},
	{RefundAmount, "The bill has another amount than the refund.", "账单退款金额与退款单金额不一致。", "", false, false,
		"Compare with the channel's console; settle the rest with the buyer by hand.", "与渠道后台核对，差额与买家人工处理。"},
	{RefundCurrency, "The bill has another currency than the refund.", "账单退款币种与退款单币种不一致。", "", false, false,
		"Compare with the channel's console.", "与渠道后台核对。"},
	{RefundMerchant, "The bill has the refund under another merchant or app than its payment's.", "账单中退款的商户号或应用与支付单不一致。", "", false, false,
		"Check whose account paid the money back.", "核对退款出自哪个账户。"},
	{RefundTransaction, "The bill has the refund against another transaction than its payment's.", "账单中退款对应的渠道交易号与支付单不一致。", "", false, false,
		"Compare with the channel's console; see whether the buyer paid twice.", "与渠道后台核对，检查是否重复支付。"},
	{RefundFailed, "The bill says that the refund failed; with us it is done or still worked on.", "账单显示退款失败，我方显示成功或处理中。", "", false, false,
		"Query the refund; the buyer has most likely not got the money.", "向渠道查询退款；买家很可能没有收到款项。"},
	{RefundPending, "The channel is still at work on a refund that is done or failed with us.", "渠道仍在处理该退款，我方已显示成功或失败。", "", false, false,
		"Wait for the next day's bill, then query the refund.", "等待次日账单，再向渠道查询。"},
	{RefundTwice, "The channel has two refunds under one number of ours.", "渠道在同一退款单号下有两笔退款。", "", false, false,
		"Ask the channel's support: one number must refund once.", "联系渠道客服：同一退款单号只应退款一次。"},
	{RefundBeforePayment, "Money went back of a payment that neither we nor this bill have as paid.",
		"账单有退款，但我方与该账单都没有对应的支付成功记录。", "", false, false,
		"Query the payment, or reconcile the day on which it was paid.", "向渠道查询支付，或对支付当日重新对账。"},

	{DuplicateRow, "The bill has the same movement more than once.", "账单中同一笔记录重复出现。", "", false, false,
		"Compare with the account's movements; ask the channel's support if the money moved twice.", "与资金账单核对；若资金确有重复变动，联系渠道客服。"},
	{OtherDay, "Ours moved just across the border of the day: clocks differ a little.", "双方记账时间恰好跨越日界线。", "", false, true,
		"Nothing, if the neighbouring day has it.", "若相邻一天有该记录则无需处理。"},
	{WrongDay, "Ours moved on another day than the bill says, by more than clocks differ.", "我方记账日期与账单日期不一致，且超出时钟误差。", "", false, false,
		"Compare the times with the channel's console.", "与渠道后台核对时间。"},
	{Fee, "The channel's fee is not the rate's share of the amount, or the rate is not the agreed one.",
		"手续费与费率不符，或费率与约定不符。", "", false, false,
		"Compare with the contract; ask the channel for the rest.", "与合同核对，向渠道追回差额。"},
	{FundsDiffer, "The account's movements do not add up to what the bill says of the same business.",
		"资金账单与交易账单同一业务的金额不一致。", "", false, false,
		"Compare with the channel's console; ask its support for the missing movement.", "与渠道后台核对，就缺失的资金变动联系渠道客服。"},
}

// Of is what people read about a class; the zero About for one that is none.
func Of(c Class) About {
	for _, a := range Classes {
		if a.Class == c {
			return a
		}
	}
	return About{}
}
