package wechatpay

import "time"

// This file is the table of the protocol facts that are well known but were
// not confirmed on a real merchant account, marked [K]. Confirm them on the
// first one, and correct them here.
const (
	// [K] WeChat Pay refuses requests signed more than 5 minutes ago. That we
	// refuse its messages at the same age, in both directions, is documented.
	freshness = 5 * time.Minute

	// [K] amount.currency may be left out; a direct merchant has only CNY.
	defaultCurrency = "CNY"

	// [K] The strings that a client's payment parameters are signed over, each
	// line ended by a newline: app id, time, nonce, then these.
	jsapiPackage = "prepay_id=%s" // JSAPI and mini programs sign the package
	appPackage   = "Sign=WXPay"   // the app signs the bare prepay id

	// [K] The H5 page of WeChat Pay returns the buyer to this parameter.
	redirectParam = "redirect_url"

	// [K] A repeated prepay with identical parameters answers a usable action
	// again, and one with other parameters this code (or INVALID_REQUEST).
	codeNumberUsed = "OUTTRADENOUSED"

	// [K] Codes whose place or spelling in API v3 is not sure; they are
	// compared without underscores, which absorbs the known drift.
	codePaid        = "ORDERPAID"       // prepay and close, 400: it has been paid
	codeNotExist    = "ORDERNOTEXIST"   // query and close, 404
	codePaying      = "USERPAYING"      // 202 or 4xx: the buyer is at it
	codeRateExceed  = "RATELIMITEXCEED" // beside FREQUENCY_LIMITED, 429
	codeRateExceeds = "RATELIMITEXCEEDED"
	codeShort       = "NOTENOUGH"        // refund, 403: the merchant's account is short
	codeNoBill      = "NOSTATEMENTEXIST" // bills, 400 or 404: nothing moved on that day
	codeNoBills     = "NOSTATEMENTEXISTS"
	codeBillLater   = "STATEMENTCREATING" // bills, 400: not made yet
)

// [K] A query before payment has no transaction id, no success time and only a
// part of the amount: see transaction.fact, which wants these of a paid one
// alone (and success_time of none).
//
// [K] A callback sent again has the same id and body, and a fresh timestamp,
// nonce and signature. Nothing here relies on it: Fact.ID is made from what a
// callback says, not from its id.
//
// [K] WeChat Pay waits 5 seconds for the answer to a callback.
//
// [K] A repeated refund with identical parameters answers the refund that there
// is, and one with another amount INVALID_REQUEST. Were it answered with the
// first refund instead, Refund would say ErrUnknown, and the query the outcome.
//
// [K] The sensitive fields of apply-abnormal-refund are encrypted with RSA-OAEP
// of SHA-1, as those of all other calls are documented to be.
//
// [K] The last line of a bill holds the sums of its own rows, of whatever state;
// refused when they are not, see bill_trade.go.
