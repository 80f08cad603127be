package alipay

import (
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// The trade_statuses. A trade that no buyer has opened has none.
const (
	waiting = "WAIT_BUYER_PAY"
	paid    = "TRADE_SUCCESS"
	done    = "TRADE_FINISHED" // paid, and the time for refunds is over
	closed  = "TRADE_CLOSED"   // never paid, or paid and refunded in full
)

// status is the trade_status; p is the payment that is queried, nil for the
// first. The book's lock is held.
func (a *Emulator) status(t *trade.Trade, p *trade.Payment, now time.Time) string {
	if details(t).tradeNo == "" {
		return ""
	}
	switch t.State(now) {
	case trade.Open, trade.Failed:
		return waiting
	case trade.Closed, trade.Expired:
		return closed
	case trade.Paid: // how far it has been refunded decides
	}
	if p == nil {
		p = t.Payments[0]
	}
	switch {
	case p.Returned >= t.Amount:
		return closed
	case now.After(p.At.Add(refundPeriod)):
		return done
	}
	return paid
}

// find returns the trade that the biz_content names: trade_no counts for more
// than out_trade_no. What no buyer has opened is not found. Of a trade that has
// been paid it returns the payment too: the first, or the one of that
// trade_no. The book's lock is held.
func (a *Emulator) find(biz bizContent) (*trade.Trade, *trade.Payment, *failure) {
	var ours, theirs string
	if no := biz.texts(member{&ours, "out_trade_no", 64, false}, member{&theirs, "trade_no", 64, false}); no != nil {
		return nil, nil, no
	}
	var t *trade.Trade
	switch {
	case theirs != "":
		t = a.Book.ByID(a, theirs)
	case ours != "":
		t = a.Book.ByNo(a, ours)
	default:
		return nil, nil, paramIssue("out_trade_no", "or trade_no is required")
	}
	if t == nil || details(t).tradeNo == "" {
		return nil, nil, noTrade
	}
	for _, p := range t.Payments {
		if theirs == "" || p.TransactionID == theirs {
			return t, p, nil
		}
	}
	return t, nil, nil
}

// tradeAnswer is a trade as a query answers it.
type tradeAnswer struct {
	head
	BuyerLogonID   string `json:"buyer_logon_id"`
	BuyerPayAmount string `json:"buyer_pay_amount"`
	BuyerUserID    string `json:"buyer_user_id"`
	BuyerUserType  string `json:"buyer_user_type"`
	FundBillList   []fund `json:"fund_bill_list,omitempty"`
	InvoiceAmount  string `json:"invoice_amount"`
	OutTradeNo     string `json:"out_trade_no"`
	PassbackParams string `json:"passback_params,omitempty"`
	PointAmount    string `json:"point_amount"`
	ReceiptAmount  string `json:"receipt_amount"`
	SendPayDate    string `json:"send_pay_date,omitempty"`
	StoreID        string `json:"store_id,omitempty"`
	Subject        string `json:"subject"`
	TerminalID     string `json:"terminal_id,omitempty"`
	TotalAmount    string `json:"total_amount"`
	TradeNo        string `json:"trade_no"`
	TradeStatus    string `json:"trade_status"`
}

// fund is a share of the money by where it came from.
type fund struct {
	Amount      string `json:"amount"`
	FundChannel string `json:"fund_channel"`
}

// logonID is the buyer's account, hidden as the real one hides it.
const logonID = "138****0001"

// funds splits an amount of which a coupon of the platform paid a part.
func funds(amount, coupon int64) []fund {
	list := []fund{}
	if amount > coupon {
		list = append(list, fund{wire.Yuan(amount - coupon), "ALIPAYACCOUNT"})
	}
	if coupon > 0 {
		list = append(list, fund{wire.Yuan(coupon), "DISCOUNT"})
	}
	return list
}

func wireTime(t time.Time) string { return t.In(trade.China).Format(timeLayout) }

// query answers how a trade stands.
func (a *Emulator) query(_ *http.Request, _ params, biz bizContent) (any, *failure) {
	a.Book.Lock()
	defer a.Book.Unlock()
	t, p, no := a.find(biz)
	if no != nil {
		return nil, no
	}
	answer := tradeAnswer{
		head: ok, BuyerLogonID: logonID, BuyerUserID: details(t).buyerID, BuyerUserType: "PRIVATE",
		BuyerPayAmount: wire.Yuan(0), InvoiceAmount: wire.Yuan(0), PointAmount: wire.Yuan(0), ReceiptAmount: wire.Yuan(0),
		OutTradeNo: t.No, PassbackParams: details(t).passback, StoreID: details(t).store, TerminalID: details(t).terminal,
		Subject: t.Description, TotalAmount: wire.Yuan(t.Amount), TradeNo: details(t).tradeNo, TradeStatus: a.status(t, p, a.Book.Now()),
	}
	if p != nil {
		answer.TradeNo = p.TransactionID
		// The merchant receives what a coupon of the platform pays as well.
		answer.BuyerPayAmount, answer.InvoiceAmount = wire.Yuan(t.Amount-p.Coupon), wire.Yuan(t.Amount-p.Coupon)
		answer.ReceiptAmount, answer.SendPayDate = wire.Yuan(t.Amount), wireTime(p.At)
		answer.FundBillList = funds(t.Amount, p.Coupon)
	}
	return answer, nil
}

// tradeNames names a trade in an answer.
type tradeNames struct {
	head
	OutTradeNo string `json:"out_trade_no"`
	TradeNo    string `json:"trade_no,omitempty"`
}

// close closes a trade that waits for its buyer, and no other: one that has
// not been opened cannot be closed, and its code can still be paid.
func (a *Emulator) close(_ *http.Request, _ params, biz bizContent) (any, *failure) {
	a.Book.Lock()
	defer a.Book.Unlock()
	t, _, no := a.find(biz)
	switch {
	case no != nil:
		return nil, no
	case a.status(t, nil, a.Book.Now()) != waiting:
		return nil, wrongStatus
	}
	a.end(t, a.Book.Now())
	return tradeNames{ok, t.No, details(t).tradeNo}, nil
}

// end closes the trade unpaid. The book's lock is held.
func (a *Emulator) end(t *trade.Trade, now time.Time) {
	a.Book.Close(t)
	if reportsClosing {
		a.Book.ReportClosing(t, now)
	}
}

// cancel undoes whatever the trade has come to: it closes one that waits and
// refunds one that is paid. It succeeds for a number that nobody knows, and
// then has stopped nothing.
func (a *Emulator) cancel(_ *http.Request, _ params, biz bizContent) (any, *failure) {
	answer := struct {
		tradeNames
		RetryFlag string `json:"retry_flag"`
		Action    string `json:"action"`
	}{tradeNames{head: ok}, "N", "close"}
	a.Book.Lock()
	defer a.Book.Unlock()
	now := a.Book.Now()
	t, p, no := a.find(biz)
	if no == noTrade {
		answer.OutTradeNo, _ = biz["out_trade_no"].(string)
		return answer, nil
	}
	if no != nil {
		return nil, no
	}
	answer.OutTradeNo, answer.TradeNo = t.No, details(t).tradeNo
	switch a.status(t, p, now) {
	case waiting:
		a.end(t, now)
	case done:
		return nil, finished
	case paid:
		if now.After(p.At.Add(cancelPeriod)) {
			return nil, cancelLate
		}
		answer.Action = "refund"
		if _, _, no := a.giveBack(t, p, t.No, t.Amount-p.Refunded, "cancel"); no != nil {
			return nil, no
		}
	}
	return answer, nil
}
