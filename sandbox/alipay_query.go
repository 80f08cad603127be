package sandbox

import (
	"net/http"
	"time"
)

// The trade_statuses. A trade that no buyer has opened has none.
const (
	alipayWaiting = "WAIT_BUYER_PAY"
	alipayPaid    = "TRADE_SUCCESS"
	alipayDone    = "TRADE_FINISHED" // paid, and the time for refunds is over
	alipayClosed  = "TRADE_CLOSED"   // never paid, or paid and refunded in full
)

// status is the trade's word for its state; p is the payment that is asked
// about, nil for the first. g.mu is held.
func (a *alipay) status(t *trade, p *payment, now time.Time) string {
	if t.alipay.tradeNo == "" {
		return ""
	}
	switch t.stateAt(now) {
	case Open, Failed:
		return alipayWaiting
	case Closed, Expired:
		return alipayClosed
	}
	if p == nil {
		p = t.payments[0]
	}
	switch {
	case p.returned >= t.amount:
		return alipayClosed
	case now.After(p.at.Add(alipayRefundPeriod)):
		return alipayDone
	}
	return alipayPaid
}

// find returns the trade that the biz_content names: trade_no counts for more
// than out_trade_no. What no buyer has opened is not found. Of a trade that has
// been paid it returns the payment too: the first, or the one of that
// trade_no. g.mu is held.
func (a *alipay) find(biz alipayBiz) (*trade, *payment, *alipayFailure) {
	var ours, theirs string
	if no := biz.texts(alipayText{&ours, "out_trade_no", 64, false}, alipayText{&theirs, "trade_no", 64, false}); no != nil {
		return nil, nil, no
	}
	var t *trade
	switch {
	case theirs != "":
		t = a.g.trades.byTransaction[tradeKey{a.name(), theirs}]
	case ours != "":
		t = a.g.trades.byNo[tradeKey{a.name(), ours}]
	default:
		return nil, nil, alipayParamNo("out_trade_no", "or trade_no is required")
	}
	if t == nil || t.alipay.tradeNo == "" {
		return nil, nil, alipayNoTrade
	}
	for _, p := range t.payments {
		if theirs == "" || p.transactionID == theirs {
			return t, p, nil
		}
	}
	return t, nil, nil
}

// alipayTradeAnswer is a trade as a query answers it.
type alipayTradeAnswer struct {
	alipayHead
	BuyerLogonID   string       `json:"buyer_logon_id"`
	BuyerPayAmount string       `json:"buyer_pay_amount"`
	BuyerUserID    string       `json:"buyer_user_id"`
	BuyerUserType  string       `json:"buyer_user_type"`
	FundBillList   []alipayFund `json:"fund_bill_list,omitempty"`
	InvoiceAmount  string       `json:"invoice_amount"`
	OutTradeNo     string       `json:"out_trade_no"`
	PassbackParams string       `json:"passback_params,omitempty"`
	PointAmount    string       `json:"point_amount"`
	ReceiptAmount  string       `json:"receipt_amount"`
	SendPayDate    string       `json:"send_pay_date,omitempty"`
	StoreID        string       `json:"store_id,omitempty"`
	Subject        string       `json:"subject"`
	TerminalID     string       `json:"terminal_id,omitempty"`
	TotalAmount    string       `json:"total_amount"`
	TradeNo        string       `json:"trade_no"`
	TradeStatus    string       `json:"trade_status"`
}

// alipayFund is a share of the money by where it came from.
type alipayFund struct {
	Amount      string `json:"amount"`
	FundChannel string `json:"fund_channel"`
}

// alipayLogonID is the buyer's account, hidden as the real one hides it.
const alipayLogonID = "138****0001"

// funds splits an amount of which a coupon of the platform paid a part.
func funds(amount, coupon int64) []alipayFund {
	list := []alipayFund{}
	if amount > coupon {
		list = append(list, alipayFund{yuan(amount - coupon), "ALIPAYACCOUNT"})
	}
	if coupon > 0 {
		list = append(list, alipayFund{yuan(coupon), "DISCOUNT"})
	}
	return list
}

func alipayTime(t time.Time) string { return t.In(china).Format(alipayTimeLayout) }

// query answers how a trade stands.
func (a *alipay) query(_ *http.Request, _ alipayParams, biz alipayBiz) (any, *alipayFailure) {
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	a.g.catchUp()
	t, p, no := a.find(biz)
	if no != nil {
		return nil, no
	}
	answer := alipayTradeAnswer{
		alipayHead: alipayOK, BuyerLogonID: alipayLogonID, BuyerUserID: t.alipay.buyerID, BuyerUserType: "PRIVATE",
		BuyerPayAmount: yuan(0), InvoiceAmount: yuan(0), PointAmount: yuan(0), ReceiptAmount: yuan(0),
		OutTradeNo: t.no, PassbackParams: t.alipay.passback, StoreID: t.alipay.store, TerminalID: t.alipay.terminal,
		Subject: t.description, TotalAmount: yuan(t.amount), TradeNo: t.alipay.tradeNo, TradeStatus: a.status(t, p, a.g.now()),
	}
	if p != nil {
		answer.TradeNo = p.transactionID
		// The merchant receives what a coupon of the platform pays as well.
		answer.BuyerPayAmount, answer.InvoiceAmount = yuan(t.amount-p.coupon), yuan(t.amount-p.coupon)
		answer.ReceiptAmount, answer.SendPayDate = yuan(t.amount), alipayTime(p.at)
		answer.FundBillList = funds(t.amount, p.coupon)
	}
	return answer, nil
}

// alipayTradeNames names a trade in an answer.
type alipayTradeNames struct {
	alipayHead
	OutTradeNo string `json:"out_trade_no"`
	TradeNo    string `json:"trade_no,omitempty"`
}

// close closes a trade that waits for its buyer, and no other: one that has
// not been opened cannot be closed, and its code can still be paid.
func (a *alipay) close(_ *http.Request, _ alipayParams, biz alipayBiz) (any, *alipayFailure) {
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	a.g.catchUp()
	t, _, no := a.find(biz)
	switch {
	case no != nil:
		return nil, no
	case a.status(t, nil, a.g.now()) != alipayWaiting:
		return nil, alipayWrongStatus
	}
	a.end(t, a.g.now())
	return alipayTradeNames{alipayOK, t.no, t.alipay.tradeNo}, nil
}

// end closes the trade unpaid. g.mu is held.
func (a *alipay) end(t *trade, now time.Time) {
	t.alipay.closed = now
	a.g.trades.finish(t, Closed)
	if alipayTellsClosing {
		a.tellClosing(t, now)
	}
}

// cancel undoes whatever the trade has come to: it closes one that waits and
// refunds one that is paid. It succeeds for a number that nobody knows, and
// then has stopped nothing.
func (a *alipay) cancel(_ *http.Request, _ alipayParams, biz alipayBiz) (any, *alipayFailure) {
	answer := struct {
		alipayTradeNames
		RetryFlag string `json:"retry_flag"`
		Action    string `json:"action"`
	}{alipayTradeNames{alipayHead: alipayOK}, "N", "close"}
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	a.g.catchUp()
	now := a.g.now()
	t, p, no := a.find(biz)
	if no == alipayNoTrade {
		answer.OutTradeNo, _ = biz["out_trade_no"].(string)
		return answer, nil
	}
	if no != nil {
		return nil, no
	}
	answer.OutTradeNo, answer.TradeNo = t.no, t.alipay.tradeNo
	switch a.status(t, p, now) {
	case alipayWaiting:
		a.end(t, now)
	case alipayDone:
		return nil, alipayFinished
	case alipayPaid:
		if now.After(p.at.Add(alipayCancelPeriod)) {
			return nil, alipayCancelLate
		}
		answer.Action = "refund"
		if _, _, no := a.giveBack(t, p, t.no, t.amount-p.refunded, "cancel"); no != nil {
			return nil, no
		}
	}
	return answer, nil
}
