package alipay

import "time"

// This file is the table of the protocol facts that are well known, or were
// seen in other people's samples, but were not confirmed on a real merchant
// account, marked [K]. Confirm them on the first one, and mend them here.
const (
	// [K] trans_currency may be left out; a mainland merchant has only CNY.
	defaultCurrency = "CNY"

	// [K] A code that is scanned too late is refused by time_expire. The code
	// itself lives for qr_code_timeout_express, from its making on; that this
	// one, which shrinks from repeat to repeat, does not make a repeated
	// precreate inconsistent with the first is likely. Its bounds:
	minCodeLife = time.Minute
	maxCodeLife = 15 * 24 * time.Hour

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

// [K] send_pay_date is in the answer of a query if and only if the trade was
// paid: no sample of WAIT_BUYER_PAY has it, all of paid ones do, and of
// TRADE_CLOSED both kinds exist. receipt_amount and buyer_pay_amount are no
// measure: they are 0.00 in many samples of paid trades.
//
// [K] refund_fee is 0.00, and not missing, in the notification of a trade that
// was closed unpaid. gmt_refund is there only when money went back.
//
// [K] A refund that was made by hand in Alipay's console has no out_biz_no, or
// Alipay's own; its request number is then the trade's out_trade_no.
//
// [K] quit_url of wap.pay is required by the documents and left out by many.
// We send the buyer's return URL, and leave it out when there is none.
//
// [K] A refund query may lag behind a refund whose answer was lost, by 10
// seconds as far as is known: its "never heard of it" is to be believed only
// after that. QueryRefund tells what it was told; the caller waits.
//
// [K] The sign of 服务费（元） in a bill: samples have 0.00. Its size is taken,
// and its sign from the row: a payment costs fee, a refund gives some back.
//
// [K] A notification sent again has the same notify_id and a fresh notify_time
// and signature. Nothing here relies on it: Fact.ID is made from what is said.
