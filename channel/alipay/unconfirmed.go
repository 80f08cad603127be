package alipay

// This file is the table of the protocol facts that are well known, or were
// seen in other people's samples, but were not confirmed on a real merchant
// account, marked [K]. Confirm them on the first one, and correct them here.
const (
	// [K] trans_currency may be left out; a mainland merchant has only CNY.
	defaultCurrency = "CNY"

	// [K] What the live gateway was seen to say of a day without a bill, and
	// what its documents say.
	codeNoBill             = "ISP.BILL_NOT_EXIST"
	codeNoBillAsDocumented = "BILL_NOT_EXIST"

	// [K] One refund number with other parameters.
	codeDiscordant = "ACQ.DISCORDANT_REPEAT_REQUEST"

	// [K] A bill is made in the morning of the next day, usually by nine.
	// Before this hour of China "there is no bill" may mean "not yet".
	billHour = 10

	// [K] The account in a bill is the seller with the number of the currency
	// behind it: 2088…0156 for CNY.
	accountSuffix = "0156"
)

// [K] time_expire ends a code that nobody has scanned as well as a trade. A code
// also ends by itself 2 hours after it was made, which is documented: for a
// payment that is open longer, repeat the prepay. qr_code_timeout_express could
// prolong it, but counts from the request on, and a repeat that differs in it
// may be refused as ACQ.CONTEXT_INCONSISTENT.
//
// [K] send_pay_date is in the answer of a query if and only if the trade was
// paid: by the documents it is when the money was sent to the seller; of the
// samples found, none of WAIT_BUYER_PAY has it and all of paid ones do. No
// sample of a trade that was closed unpaid was found. receipt_amount and
// buyer_pay_amount are no measure: they are 0.00 in many samples of paid trades.
//
// [K] refund_fee is 0.00, and not missing, in the notification of a trade that
// was closed unpaid. gmt_refund is there only when money went back.
//
// [K] A refund that was made by hand in Alipay's console has no out_biz_no, or
// Alipay's own; its request number is then the trade's out_trade_no.
//
// [K] A refund query may lag behind a refund whose answer was lost, by 10
// seconds as far as is known: its answer that there is no such refund is to be
// used only after that. QueryRefund reports what it got; the caller waits.
//
// [K] The sign of 服务费（元） in a bill: samples have 0.00. Its size is taken,
// and its sign from the row: a payment costs fee, a refund gives some back.
//
// [K] A notification sent again has the same notify_id and a fresh notify_time
// and signature. Nothing here relies on it: Fact.ID is made from what is said.
