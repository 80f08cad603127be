package sandbox

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
)

// refund gives money back before it answers. fund_change says whether this
// call did it: N is what a repeat answers, and no failure.
func (a *alipay) refund(_ *http.Request, _ alipayParams, biz alipayBiz) (any, *alipayFailure) {
	var amount, number, reason string
	no := biz.texts(alipayText{&amount, "refund_amount", 12, true}, alipayText{&number, "out_request_no", 64, false},
		alipayText{&reason, "refund_reason", 256, false})
	if no != nil {
		return nil, no
	}
	fen, no := alipayFen("refund_amount", amount)
	if no != nil {
		return nil, no
	}
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	a.g.catchUp()
	t, p, no := a.find(biz)
	if no != nil {
		return nil, no
	}
	if number == "" {
		if fen != t.amount {
			return nil, alipayPartial
		}
		number = t.no // by which it can be queried
	}
	r, moved, no := a.giveBack(t, p, number, fen, reason)
	if no != nil {
		return nil, no
	}
	answer := struct {
		alipayTradeNames
		BuyerLogonID string       `json:"buyer_logon_id"`
		BuyerUserID  string       `json:"buyer_user_id"`
		FundChange   string       `json:"fund_change"`
		GmtRefundPay string       `json:"gmt_refund_pay"`
		RefundFee    string       `json:"refund_fee"`
		SendBackFee  string       `json:"send_back_fee"`
		Details      []alipayFund `json:"refund_detail_item_list,omitempty"`
	}{
		alipayTradeNames: alipayTradeNames{alipayOK, t.no, r.payment.transactionID},
		BuyerLogonID:     alipayLogonID, BuyerUserID: t.alipay.buyerID, FundChange: "N", GmtRefundPay: alipayTime(r.at),
		RefundFee: yuan(r.payment.returned), SendBackFee: yuan(r.amount - r.coupon),
	}
	if moved {
		answer.FundChange = "Y"
	}
	if biz.wants("refund_detail_item_list") {
		answer.Details = funds(r.amount, r.coupon)
	}
	return answer, nil
}

// giveBack refunds the payment, or finds the refund that has the number: the
// number is the trade's, and comes with one amount. g.mu is held.
func (a *alipay) giveBack(t *trade, p *payment, number string, fen int64, reason string) (r *refund, moved bool, no *alipayFailure) {
	again := a.g.findRefund(a, t.no, number) != nil
	switch a.status(t, p, a.g.now()) {
	case alipayWaiting:
		return nil, false, alipayNotPaid
	case alipayDone:
		if !again {
			return nil, false, alipayFinished
		}
	case alipayClosed:
		if p == nil {
			return nil, false, alipayHasClose
		}
	}
	r, err := a.g.refund(t, refundAsk{
		scope: t.no, no: number, transactionID: p.transactionID, amount: fen, reason: reason, notifyURL: t.notifyURL,
		fingerprint: sha256.Sum256([]byte(strconv.FormatInt(fen, 10))),
	})
	if err != nil {
		for _, c := range alipayRefundErrors {
			if errors.Is(err, c.err) {
				return nil, false, c.no
			}
		}
		return nil, false, acq("SYSTEM_ERROR", "系统错误: "+err.Error())
	}
	if r.state != RefundSucceeded {
		// A fault keeps the money back. The real one does not say so, only
		// that it does not know: the refund query has no refund_status.
		return nil, false, alipaySystem
	}
	return r, !again, nil
}

// alipayRefundErrors are the answers to what stands against a refund.
var alipayRefundErrors = []struct {
	err error
	no  *alipayFailure
}{
	{ErrUnpaid, alipayNotPaid},
	{ErrRefundDiffers, alipayDiscordant},
	{ErrRefundTooMuch, alipayRefundFee},
	{ErrTooManyRefunds, alipayNoRefund},
	{ErrRefundTooSoon, alipayNoRefund},
	{ErrRefundTooLate, alipayFinished},
	{ErrMerchantShort, alipayShort},
	{ErrUserAccount, alipayBuyerGone},
}

// refundQuery answers with a refund_status, or without one when no refund of
// that number has moved money.
func (a *alipay) refundQuery(_ *http.Request, _ alipayParams, biz alipayBiz) (any, *alipayFailure) {
	var number string
	if no := biz.texts(alipayText{&number, "out_request_no", 64, true}); no != nil {
		return nil, no
	}
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	a.g.catchUp()
	t, _, no := a.find(biz)
	if no != nil {
		return nil, no
	}
	r := a.g.findRefund(a, t.no, number)
	if r == nil || r.state != RefundSucceeded {
		return alipayOK, nil
	}
	answer := struct {
		alipayTradeNames
		OutRequestNo string       `json:"out_request_no"`
		RefundAmount string       `json:"refund_amount"`
		RefundStatus string       `json:"refund_status"`
		TotalAmount  string       `json:"total_amount"`
		SendBackFee  string       `json:"send_back_fee"`
		RefundReason string       `json:"refund_reason,omitempty"`
		GmtRefundPay string       `json:"gmt_refund_pay,omitempty"`
		Details      []alipayFund `json:"refund_detail_item_list,omitempty"`
	}{
		alipayTradeNames: alipayTradeNames{alipayOK, t.no, r.payment.transactionID},
		OutRequestNo:     r.no, RefundAmount: yuan(r.amount), RefundStatus: "REFUND_SUCCESS",
		TotalAmount: yuan(t.amount), SendBackFee: yuan(r.amount - r.coupon), RefundReason: r.reason,
	}
	if biz.wants("gmt_refund_pay") {
		answer.GmtRefundPay = alipayTime(r.at)
	}
	if biz.wants("refund_detail_item_list") {
		answer.Details = funds(r.amount, r.coupon)
	}
	return answer, nil
}
