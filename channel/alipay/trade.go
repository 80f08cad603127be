package alipay

import (
	"errors"
	"time"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// The states of a trade.
const (
	stateWait     = "WAIT_BUYER_PAY"
	stateSuccess  = "TRADE_SUCCESS"
	stateFinished = "TRADE_FINISHED" // paid, and past refunding
	stateClosed   = "TRADE_CLOSED"   // never paid, or paid and refunded in full
)

// trade is the part that concerns us of what a query answers and of what a
// notification says.
type trade struct {
	tradeNo  string
	state    string
	total    string // yuan; the price, whatever coupons paid of it
	currency string
	paidAt   string // there if and only if it was paid
	seller   string
	app      string
}

var (
	errTradeState  = errors.New("the trade status is not a known one")
	errNoTradeNo   = errors.New("it is paid but has no trade_no")
	errTotalAmount = errors.New("total_amount is not an amount")
)

// maxTotal is the largest amount that Alipay takes: a hundred million yuan.
const maxTotal = 100_000_000_00

// fact is what the trade says. Its ID is made of what is said alone, so that
// it is the same from either source.
func (t *trade) fact() (payment.Fact, error) {
	f := payment.Fact{
		TransactionID: t.tradeNo, Currency: t.currency, Merchant: t.seller, App: t.app, Reported: t.state, At: readTime(t.paidAt),
	}
	switch t.state {
	case stateWait:
		f.Kind, f.ID = payment.Open, "open"
	case stateSuccess, stateFinished:
		f.Kind = payment.Paid
	case stateClosed:
		f.Kind, f.ID = payment.Closed, "closed"
		if t.paidAt != "" {
			f.Kind = payment.Paid // and has gone back since
		}
	default:
		return payment.Fact{}, errTradeState
	}
	if t.total != "" || f.Kind == payment.Paid {
		amount, err := money.ParseYuan(t.total)
		if err != nil || amount < 1 || amount > maxTotal {
			return payment.Fact{}, errTotalAmount
		}
		f.Amount = amount
	}
	if f.Currency == "" {
		f.Currency = defaultCurrency
	}
	if f.Kind == payment.Paid {
		if f.TransactionID == "" {
			return payment.Fact{}, errNoTradeNo
		}
		f.ID = "paid/" + f.TransactionID
	}
	return f, nil
}

// received completes a fact with its source and the moment of its arrival.
func received(f payment.Fact, by payment.Source, now time.Time) payment.Fact {
	f.Source, f.ReceivedAt = by, now.UTC()
	return f
}
