package wechatpay

import (
	"context"
	"errors"
	"net/http"

	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"

	"github.com/tandem-pay/tandem/payment"
)

// queryMeans: a query answers with a state, and is not refused for one.
var queryMeans = noState(nil)

// Query queries the state of a payment. The answer is read by the same code as
// a callback, so that the two cannot report the same thing differently.
func (c *Channel) Query(ctx context.Context, paymentNo string) (payment.Fact, error) {
	if !numberShape.MatchString(paymentNo) {
		return payment.Fact{}, rejected("the payment number must be 6 to 32 of 0-9 A-Z a-z _ - | *")
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	s := native.NativeApiService{Client: c.client}
	_, result, err := s.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{
		OutTradeNo: &paymentNo, Mchid: &c.merchant.mchID,
	})
	if err := outcome(result, err, http.StatusOK, queryMeans); err != nil {
		return payment.Fact{}, err
	}
	body, err := readBack(result.Response)
	if err != nil {
		return payment.Fact{}, unknown(errNotProtocol)
	}
	t, err := readTransaction(body)
	if err != nil {
		return payment.Fact{}, unknown(err)
	}
	if t.OutTradeNo != paymentNo {
		return payment.Fact{}, unknown(errors.New("the answer is about another payment"))
	}
	f, err := t.fact()
	if err != nil {
		return payment.Fact{}, unknown(err)
	}
	f.Source, f.ReceivedAt = payment.ByQuery, c.now().UTC()
	return f, nil
}

// Close makes WeChat Pay accept no money for a payment any more. ErrPaid and
// ErrClosed come out of unsigned refusals: follow them with a Query.
func (c *Channel) Close(ctx context.Context, paymentNo string) error {
	if !numberShape.MatchString(paymentNo) {
		return rejected("the payment number must be 6 to 32 of 0-9 A-Z a-z _ - | *")
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	s := native.NativeApiService{Client: c.client}
	result, err := s.CloseOrder(ctx, native.CloseOrderRequest{
		OutTradeNo: &paymentNo, Mchid: &c.merchant.mchID,
	})
	return outcome(result, err, http.StatusNoContent, nil)
}
