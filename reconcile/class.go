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

// About describes a class.
type About struct {
	Class     Class
	Meaning   string
	MeaningZH string
	// FactKind is the kind of the fact that Fact makes of it, "" for none.
	FactKind string
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

// Classes is everything that can differ. Names are stable. So are texts
// that an answer of an earlier release had, because a repeat of the request with
// the same Idempotency-Key returns the same answer (see internal/releases).
var Classes = []About{
	{PaymentUnsettled, "The bill has the payment as paid; in our books it is still open.", "账单显示已支付，我方支付单仍未完成。", "paid", true, false,
		"Nothing. If it happens often, find out why callbacks and queries were lost.", "无需处理；若反复出现，请检查回调与查询为何丢失。"},
	{PaymentLate, "The bill has the payment as paid; in our books it is closed or failed.", "账单显示已支付，我方支付单已关闭或失败。", "paid", true, false,
		"Nothing. The payment is recorded as paid, and what its order cannot take is refunded.", "无需处理；以到账为准，订单无法承接的款项会退回。"},
	{PaymentUnknown, "The bill has a payment that we do not know.", "账单中的支付我方没有记录。", "", false, false,
		"Find who else takes money through this merchant account; refund it if nobody does.", "查明是否有其他系统使用该商户号收款；若没有则退款。"},
	{PaymentMissing, "Our books have the payment as paid on that day; the bill does not have it.", "我方当日支付成功，账单中没有。", "", false, false,
		"Query the channel; if it does not have the payment, stop delivery and ask the channel's support.", "向渠道查询；若渠道不认，停止发货并联系渠道客服。"},
	{PaymentAmount, "The bill has a different amount from that of the payment.", "账单金额与支付单金额不一致。", "", false, false,
		"Compare with the channel's console; settle the difference with the buyer by hand.", "与渠道后台核对，差额与买家人工处理。"},
	{PaymentCurrency, "The bill has a different currency from that of the payment.", "账单币种与支付单币种不一致。", "", false, false,
		"Compare with the channel's console; check the channel's settings.", "与渠道后台核对，并检查渠道配置。"},
	{PaymentMerchant, "The bill has the payment under a different merchant or app from the one it was opened for.",
		"账单中的商户号或应用与支付单不一致。", "", false, false,
		"Check whose account took the money, and the channel's settings.", "核对收款账户，并检查渠道配置。"},
	{PaymentTransaction, "The bill has the payment under a different transaction id of the channel.", "同一支付单在账单中的渠道交易号不同。", "", false, false,
		"Query the channel; if both transactions exist, refund one.", "向渠道查询；若两笔交易都存在，退回其中一笔。"},
	{PaidTwice, "One payment has a second transaction: the buyer paid twice.", "同一支付单有第二笔渠道交易：重复收款。", "paid", false, false,
		"Refund the second transaction at the channel.", "在渠道退回第二笔交易。"},
	{StateReversed, "The bill says that the payment was reversed.", "账单显示该支付已被撤销。", "", false, false,
		"Query the channel; stop delivery if the money was taken back.", "向渠道查询；若款项已退走，停止发货。"},

	{RefundUnsettled, "The bill has the refund as done; in our books it is not.", "账单显示退款成功，我方退款单未成功。", "refunded", true, false,
		"Nothing. If it happens often, find out why callbacks and queries were lost.", "无需处理；若反复出现，请检查回调与查询为何丢失。"},
	{RefundUnknown, "The bill has a refund of one of our payments that we did not request.",
		"我方支付单有一笔并非由我方发起的退款。", "refunded", true, false,
		"Find out who refunded it, most likely in the channel's console. It is recorded in our books.", "查明由谁退款（多为渠道后台操作）；系统已入账。"},
	{RefundOrphan, "The bill has a refund of a payment that our books do not have.", "账单中的退款对应的支付我方没有记录。", "", false, false,
		"Find out who else uses this merchant account.", "查明是否有其他系统使用该商户号。"},
	{RefundMissing, "Our books have the refund as done on that day; the bill does not have it.", "我方当日退款成功，账单中没有。", "", false, false,
		"Query the refund; if the channel does not have it, the buyer has not received the money.", "向渠道查询退款；若渠道不认，买家并未收到款项。"},
	{RefundAmount, "The bill has a different amount from that of the refund.", "账单退款金额与退款单金额不一致。", "", false, false,
		"Compare with the channel's console; settle the difference with the buyer by hand.", "与渠道后台核对，差额与买家人工处理。"},
	{RefundCurrency, "The bill has a different currency from that of the refund.", "账单退款币种与退款单币种不一致。", "", false, false,
		"Compare with the channel's console.", "与渠道后台核对。"},
	{RefundMerchant, "The bill has the refund under a different merchant or app from its payment.", "账单中退款的商户号或应用与支付单不一致。", "", false, false,
		"Check whose account paid the money back.", "核对退款出自哪个账户。"},
	{RefundTransaction, "The bill has the refund against a different transaction from its payment.", "账单中退款对应的渠道交易号与支付单不一致。", "", false, false,
		"Compare with the channel's console; check whether the buyer paid twice.", "与渠道后台核对，检查是否重复支付。"},
	{RefundFailed, "The bill says that the refund failed; in our books it is done or pending.", "账单显示退款失败，我方显示成功或处理中。", "", false, false,
		"Query the refund; the buyer has most likely not received the money.", "向渠道查询退款；买家很可能没有收到款项。"},
	{RefundPending, "The channel is still processing a refund that is done or failed in our books.", "渠道仍在处理该退款，我方已显示成功或失败。", "", false, false,
		"Wait for the next day's bill, then query the refund.", "等待次日账单，再向渠道查询。"},
	{RefundTwice, "The channel has two refunds under one refund number.", "渠道在同一退款单号下有两笔退款。", "", false, false,
		"Ask the channel's support: one refund number must refund only once.", "联系渠道客服：同一退款单号只应退款一次。"},
	{RefundBeforePayment, "The bill has a refund of a payment that neither our books nor this bill have as paid.",
		"账单有退款，但我方与该账单都没有对应的支付成功记录。", "", false, false,
		"Query the payment, or reconcile the day on which it was paid.", "向渠道查询支付，或对支付当日重新对账。"},

	{DuplicateRow, "The bill has the same movement more than once.", "账单中同一笔记录重复出现。", "", false, false,
		"Compare with the account's movements; ask the channel's support if the money moved twice.", "与资金账单核对；若资金确有重复变动，联系渠道客服。"},
	{OtherDay, "Our books have it on the adjacent day, close to midnight: the clocks differ a little.", "双方记账时间恰好跨越日界线。", "", false, true,
		"Nothing, if the adjacent day has it.", "若相邻一天有该记录则无需处理。"},
	{WrongDay, "Our books have it on a different day from the bill, by more than clocks differ.", "我方记账日期与账单日期不一致，且超出时钟误差。", "", false, false,
		"Compare the times with the channel's console.", "与渠道后台核对时间。"},
	{Fee, "The channel's fee does not follow from the amount and the rate, or the rate is not the agreed one.",
		"手续费与费率不符，或费率与约定不符。", "", false, false,
		"Compare with the contract; claim the difference from the channel.", "与合同核对，向渠道追回差额。"},
	{FundsDiffer, "The account's movements do not add up to what the bill says of the same business.",
		"资金账单与交易账单同一业务的金额不一致。", "", false, false,
		"Compare with the channel's console; ask its support for the missing movement.", "与渠道后台核对，就缺失的资金变动联系渠道客服。"},
}

// Of returns the description of a class, or the zero About if there is no such class.
func Of(c Class) About {
	for _, a := range Classes {
		if a.Class == c {
			return a
		}
	}
	return About{}
}
