package wechatpay

import (
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// transaction is the part that concerns us of what a query answers and of what
// a TRANSACTION.SUCCESS callback contains. They are the same object.
type transaction struct {
	AppID         string `json:"appid"`
	MchID         string `json:"mchid"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	TradeState    string `json:"trade_state"`
	SuccessTime   string `json:"success_time"`
	Amount        struct {
		// Total is the price. payer_total, what the payer's account was
		// charged, is smaller when WeChat's own coupons paid a part.
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

var (
	errNotTransaction = errors.New("it is not a transaction")
	errNoNames        = errors.New("appid, mchid or out_trade_no is missing")
	errState          = errors.New("the trade state is not a known one")
	errNoTransaction  = errors.New("it is paid but has no transaction_id")
	errAmount         = errors.New("amount.total is not an amount")
)

func readTransaction(plain []byte) (*transaction, error) {
	var t transaction
	if !utf8.Valid(plain) || json.Unmarshal(plain, &t) != nil {
		return nil, errNotTransaction
	}
	if t.AppID == "" || t.MchID == "" || t.OutTradeNo == "" {
		return nil, errNoNames
	}
	return &t, nil
}

// kindOf is what the trade states mean. REFUND means that it was paid and that
// money has gone back since: the payment itself remains paid.
func kindOf(state string) (payment.FactKind, bool) {
	switch state {
	case "SUCCESS", "REFUND":
		return payment.Paid, true
	case "CLOSED", "REVOKED":
		return payment.Closed, true
	case "NOTPAY", "USERPAYING", "ACCEPT":
		return payment.Open, true
	case "PAYERROR":
		return payment.Failed, true
	}
	return "", false
}

// fact is what the transaction says. Its ID is made of what is said alone, so
// that it is the same from either source.
func (t *transaction) fact() (payment.Fact, error) {
	kind, ok := kindOf(t.TradeState)
	if !ok {
		return payment.Fact{}, errState
	}
	f := payment.Fact{
		Kind: kind, TransactionID: t.TransactionID, Amount: t.Amount.Total, Currency: t.Amount.Currency,
		Merchant: t.MchID, App: t.AppID, Reported: t.TradeState,
	}
	if f.Amount < 0 || f.Amount > money.Max {
		return payment.Fact{}, errAmount
	}
	if f.Currency == "" && f.Amount > 0 {
		f.Currency = defaultCurrency
	}
	// Money that came is not refused for a time that cannot be read: the
	// moment of arrival is known as well.
	if at, err := time.Parse(time.RFC3339, t.SuccessTime); err == nil {
		f.At = at.UTC()
	}
	switch kind {
	case payment.Paid:
		if f.TransactionID == "" {
			return payment.Fact{}, errNoTransaction
		}
		if f.Amount == 0 {
			return payment.Fact{}, errAmount
		}
		f.ID = "paid/" + f.TransactionID
		if f.Reported == "REFUND" { // it says neither how much nor by which refund
			f.Returned = payment.ReturnedSome
		}
	case payment.Failed:
		// One attempt may fail after another; those that WeChat Pay numbers
		// are different facts.
		f.ID = "failed/" + f.Reported
		if f.TransactionID != "" {
			f.ID = "failed/" + f.TransactionID
		}
	case payment.Closed:
		f.ID = "closed"
	default:
		f.ID = "open"
	}
	return f, nil
}
