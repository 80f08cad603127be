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
	back     string // yuan that have gone back in all; "" when it does not say
	returned bool   // money has gone back
	seller   string
	app      string
}

var (
	errTradeState  = errors.New("the trade status is not a known one")
	errNoTradeNo   = errors.New("it is paid but has no trade_no")
	errRefundFee   = errors.New("refund_fee is not an amount of the trade's")
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
		if t.paidAt != "" || t.returned {
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
		if err := t.returns(&f); err != nil {
			return payment.Fact{}, err
		}
	}
	return f, nil
}

// returns adds how much has gone back of a trade that was paid. One that is closed
// has given back all of it.
func (t *trade) returns(f *payment.Fact) error {
	switch {
	case t.back != "":
		back, err := money.ParseYuan(t.back)
		if err != nil || back < 0 || back > f.Amount {
			return errRefundFee
		}
		f.Returned = back
	case t.state == stateClosed:
		f.Returned = f.Amount
	case t.returned:
		f.Returned = payment.ReturnedSome
	}
	return nil
}

// received completes a fact with its source and the moment of its arrival.
func received(f payment.Fact, by payment.Source, now time.Time) payment.Fact {
	f.Source, f.ReceivedAt = by, now.UTC()
	return f
}
