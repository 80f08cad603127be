package alipay

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"

	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// refund gives money back before it answers. fund_change says whether this
// call did it: N is what a repeat answers, and no failure.
func (a *Emulator) refund(_ *http.Request, _ params, biz bizContent) (any, *failure) {
	var amount, number, reason string
	no := biz.texts(member{&amount, "refund_amount", 12, true}, member{&number, "out_request_no", 64, false},
		member{&reason, "refund_reason", 256, false})
	if no != nil {
		return nil, no
	}
	fen, no := parseFen("refund_amount", amount)
	if no != nil {
		return nil, no
	}
	a.Book.Lock()
	defer a.Book.Unlock()
	t, p, no := a.find(biz)
	if no != nil {
		return nil, no
	}
	if number == "" {
		if fen != t.Amount {
			return nil, partial
		}
		number = t.No // by which it can be queried
	}
	r, moved, no := a.giveBack(t, p, number, fen, reason)
	if no != nil {
		return nil, no
	}
	answer := struct {
		tradeNames
		BuyerLogonID string `json:"buyer_logon_id"`
		BuyerUserID  string `json:"buyer_user_id"`
		FundChange   string `json:"fund_change"`
		GmtRefundPay string `json:"gmt_refund_pay"`
		RefundFee    string `json:"refund_fee"`
		SendBackFee  string `json:"send_back_fee"`
		Details      []fund `json:"refund_detail_item_list,omitempty"`
	}{
		tradeNames:   tradeNames{ok, t.No, r.Payment.TransactionID},
		BuyerLogonID: logonID, BuyerUserID: details(t).buyerID, FundChange: "N", GmtRefundPay: wireTime(r.At),
		RefundFee: wire.Yuan(r.Payment.Returned), SendBackFee: wire.Yuan(r.Amount - r.Coupon),
	}
	if moved {
		answer.FundChange = "Y"
	}
	if biz.wants("refund_detail_item_list") {
		answer.Details = funds(r.Amount, r.Coupon)
	}
	return answer, nil
}

// giveBack refunds the payment, or finds the refund that has the number: the
// number is the trade's, and comes with one amount. The book's lock is held.
func (a *Emulator) giveBack(
	t *trade.Trade, p *trade.Payment, number string, fen int64, reason string,
) (r *trade.Refund, moved bool, no *failure) {
	again := a.Book.RefundByNo(a, t.No, number) != nil
	switch a.status(t, p, a.Book.Now()) {
	case waiting:
		return nil, false, notPaid
	case done:
		if !again {
			return nil, false, finished
		}
	case closed:
		if p == nil {
			return nil, false, hasClose
		}
	}
	r, err := a.Book.Refund(t, trade.RefundRequest{
		Scope: t.No, No: number, TransactionID: p.TransactionID, Amount: fen, Reason: reason, NotifyURL: t.NotifyURL,
		Fingerprint: sha256.Sum256([]byte(strconv.FormatInt(fen, 10))),
	})
	if err != nil {
		for _, c := range refundErrors {
			if errors.Is(err, c.err) {
				return nil, false, c.no
			}
		}
		return nil, false, acq("SYSTEM_ERROR", "系统错误: "+err.Error())
	}
	if r.State != trade.RefundSucceeded {
		// A fault keeps the money back. The real one does not say so, only
		// that it does not know: the refund query has no refund_status.
		return nil, false, system
	}
	return r, !again, nil
}

// refundErrors are the answers to what stands against a refund.
var refundErrors = []struct {
	err error
	no  *failure
}{
	{trade.ErrUnpaid, notPaid},
	{trade.ErrRefundDiffers, discordant},
	{trade.ErrRefundTooMuch, refundFee},
	{trade.ErrTooManyRefunds, noRefund},
	{trade.ErrRefundTooSoon, noRefund},
	{trade.ErrRefundTooLate, finished},
	{trade.ErrInsufficientBalance, short},
	{trade.ErrUserAccount, buyerGone},
}

// refundQuery answers with a refund_status, or without one when no refund of
// that number has moved money.
func (a *Emulator) refundQuery(_ *http.Request, _ params, biz bizContent) (any, *failure) {
	var number string
	if no := biz.texts(member{&number, "out_request_no", 64, true}); no != nil {
		return nil, no
	}
	a.Book.Lock()
	defer a.Book.Unlock()
	t, _, no := a.find(biz)
	if no != nil {
		return nil, no
	}
	r := a.Book.RefundByNo(a, t.No, number)
	if r == nil || r.State != trade.RefundSucceeded {
		return ok, nil
	}
	answer := struct {
		tradeNames
		OutRequestNo string `json:"out_request_no"`
		RefundAmount string `json:"refund_amount"`
		RefundStatus string `json:"refund_status"`
		TotalAmount  string `json:"total_amount"`
		SendBackFee  string `json:"send_back_fee"`
		RefundReason string `json:"refund_reason,omitempty"`
		GmtRefundPay string `json:"gmt_refund_pay,omitempty"`
		Details      []fund `json:"refund_detail_item_list,omitempty"`
	}{
		tradeNames:   tradeNames{ok, t.No, r.Payment.TransactionID},
		OutRequestNo: r.No, RefundAmount: wire.Yuan(r.Amount), RefundStatus: "REFUND_SUCCESS",
		TotalAmount: wire.Yuan(t.Amount), SendBackFee: wire.Yuan(r.Amount - r.Coupon), RefundReason: r.Reason,
	}
	if biz.wants("gmt_refund_pay") {
		answer.GmtRefundPay = wireTime(r.At)
	}
	if biz.wants("refund_detail_item_list") {
		answer.Details = funds(r.Amount, r.Coupon)
	}
	return answer, nil
}
