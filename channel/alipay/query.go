package alipay

import (
	"context"
	"errors"

	sdk "github.com/smartwalle/alipay/v3"

	"github.com/tandem-pay/tandem/payment"
)

// Query queries the state of a payment. The answer is read by the same code as
// a notification, so that the two cannot report the same thing differently.
//
// payment.ErrNotExist also means that nobody has scanned the code or opened
// the page yet. It can still be paid until its ExpiresAt.
func (c *Channel) Query(ctx context.Context, paymentNo string) (payment.Fact, error) {
	if !numberShape.MatchString(paymentNo) {
		return payment.Fact{}, errNumber
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var a struct {
		TradeNo       string `json:"trade_no"`
		OutTradeNo    string `json:"out_trade_no"`
		TradeStatus   string `json:"trade_status"`
		TotalAmount   string `json:"total_amount"`
		TransCurrency string `json:"trans_currency"`
		SendPayDate   string `json:"send_pay_date"`
	}
	// A query answers with a state. A refusal that speaks of one would send
	// the caller round in a circle.
	err := c.call(ctx, sdk.TradeQuery{OutTradeNo: paymentNo}, &a)
	if err = only(err, payment.ErrNotExist); err != nil {
		return payment.Fact{}, err
	}
	if a.OutTradeNo != paymentNo {
		return payment.Fact{}, unknown(errors.New("the answer is about another payment"))
	}
	t := trade{
		tradeNo: a.TradeNo, state: a.TradeStatus, total: a.TotalAmount, currency: a.TransCurrency, paidAt: a.SendPayDate,
		seller: c.seller, app: c.appID,
	}
	f, err := t.fact()
	if err != nil {
		return payment.Fact{}, unknown(err)
	}
	return received(f, payment.ByQuery, c.now()), nil
}

// Close makes Alipay accept no money for a payment any more. Only a trade
// that waits for its buyer can be closed; of any other a query says what it
// is. What nobody has scanned or opened is payment.ErrNotExist and stays
// payable until its ExpiresAt.
func (c *Channel) Close(ctx context.Context, paymentNo string) error {
	if !numberShape.MatchString(paymentNo) {
		return errNumber
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var a struct {
		OutTradeNo string `json:"out_trade_no"`
	}
	err := c.call(ctx, sdk.TradeClose{OutTradeNo: paymentNo}, &a)
	err = only(err, payment.ErrNotExist, payment.ErrPaid, payment.ErrClosed, errState)
	switch {
	case err == nil && a.OutTradeNo != "" && a.OutTradeNo != paymentNo:
		return unknown(errors.New("the answer is about another payment"))
	case !errors.Is(err, errState) && !errors.Is(err, payment.ErrPaid) && !errors.Is(err, payment.ErrClosed):
		return err
	}
	f, err := c.Query(ctx, paymentNo)
	switch {
	case err != nil:
		return unknown(errors.New("it could not be closed, and a query gave no state"))
	case f.Kind == payment.Paid:
		return payment.ErrPaid
	case f.Kind == payment.Closed:
		return payment.ErrClosed
	}
	return unknown(errors.New("it could not be closed although it waits for its buyer"))
}
