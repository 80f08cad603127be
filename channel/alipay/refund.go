package alipay

import (
	"context"
	"errors"
	"regexp"
	"strings"

	sdk "github.com/smartwalle/alipay/v3"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// maxReason is how much of a refund's reason the buyer is shown, in characters.
const maxReason = 256

// The states of a refund. Alipay refunds at once; the second is what its
// products that do not would say.
const (
	refundSuccess    = "REFUND_SUCCESS"
	refundProcessing = "REFUND_PROCESSING"
)

// refundShape is what Alipay takes as the number of a refund.
var refundShape = regexp.MustCompile(`^[0-9A-Za-z_\-]{1,64}$`)

// onRequest are members of a refund query's answer that must be requested.
var onRequest = []string{"gmt_refund_pay"}

func checkRefund(r payment.RefundRequest) error {
	switch {
	case !numberShape.MatchString(r.PaymentNo):
		return errNumber
	case !refundShape.MatchString(r.RefundNo):
		return rejected("the refund number must be 1 to 64 of 0-9 A-Z a-z _ -")
	}
	return nil
}

// which names the trade: by Alipay's number if that is known.
func which(r payment.RefundRequest) (tradeNo, outTradeNo string) {
	if r.TransactionID != "" {
		return r.TransactionID, ""
	}
	return "", r.PaymentNo
}

// Refund sends money back, at once. The refund's number goes with every
// request, so that a repeat moves nothing.
//
// The answer does not say how much moved by this request (its refund_fee is
// what has gone back in all), only whether anything did. If so, it was what we
// requested: Alipay refuses one number with two amounts. If not, the refund
// may have been made before, and is queried.
func (c *Channel) Refund(ctx context.Context, r payment.RefundRequest) (payment.Fact, error) {
	if err := checkRefund(r); err != nil {
		return payment.Fact{}, err
	}
	if r.Amount < 1 || r.Amount > r.Total || r.Total > maxTotal {
		return payment.Fact{}, rejected("the refund must be of 0.01 yuan at least and of the payment's amount at most")
	}
	if r.Currency != defaultCurrency {
		return payment.Fact{}, rejected("the currency must be %s", defaultCurrency)
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var a struct {
		OutTradeNo   string `json:"out_trade_no"`
		FundChange   string `json:"fund_change"`
		GmtRefundPay string `json:"gmt_refund_pay"`
	}
	req := sdk.TradeRefund{OutRequestNo: r.RefundNo, RefundAmount: money.FormatYuan(r.Amount), RefundReason: reason(r)}
	req.TradeNo, req.OutTradeNo = which(r)
	err := c.call(ctx, req, &a)
	var no *payment.RejectedError
	switch {
	case errors.Is(err, errState), errors.Is(err, payment.ErrPaid), errors.Is(err, payment.ErrClosed):
		// The trade may be closed because this very refund was made before.
		return c.refundMade(ctx, r, unknown(errors.New(err.Error())))
	case errors.As(err, &no) && strings.HasPrefix(no.Code, "ACQ."):
		// So may it be past refunding, or refunded in full.
		return c.refundRefused(ctx, r, no)
	case errors.Is(err, payment.ErrNotExist):
		// There is no such trade, and so nothing to give back: a certain no.
		return payment.Fact{}, &payment.RejectedError{Code: codeNoTrade, Message: "there is no such trade"}
	case err != nil:
		return payment.Fact{}, only(err, payment.ErrShort)
	case a.OutTradeNo != r.PaymentNo:
		return payment.Fact{}, unknown(errors.New("the answer is about another payment"))
	case a.FundChange != "Y":
		return c.refundMade(ctx, r, unknown(errors.New("no money moved by this request, and a query knows of none moved before")))
	}
	return c.refunded(r, payment.ByRefund, r.Amount, "fund_change Y", a.GmtRefundPay), nil
}

// refundMade is the refund if a query knows it as made, and otherwise the
// error given.
func (c *Channel) refundMade(ctx context.Context, r payment.RefundRequest, otherwise error) (payment.Fact, error) {
	f, err := c.QueryRefund(ctx, r)
	if err != nil || f.Kind != payment.Refunded {
		return payment.Fact{}, otherwise
	}
	f.Source = payment.ByRefund
	return f, nil
}

// refundRefused looks at a certain no again: it is one only if the refund was
// not made before. If it was made with another amount, the no is about that.
func (c *Channel) refundRefused(ctx context.Context, r payment.RefundRequest, no *payment.RejectedError) (payment.Fact, error) {
	f, err := c.QueryRefund(ctx, r)
	switch {
	case errors.Is(err, payment.ErrNotExist), err == nil && no.Code == codeDiscordant, err == nil && f.Amount != r.Amount:
		return payment.Fact{}, no
	case err == nil && f.Kind == payment.Refunded:
		f.Source = payment.ByRefund
		return f, nil
	}
	return payment.Fact{}, unknown(errors.New("refused with " + no.Code + ", and a query cannot tell whether it was made before"))
}

// QueryRefund queries the state of a refund. payment.ErrNotExist is what Alipay
// says of a refund that was never requested, that failed, or that it made
// seconds ago: believe it 10 seconds after a Refund of unknown outcome, and
// repeat that Refund with the same number.
func (c *Channel) QueryRefund(ctx context.Context, r payment.RefundRequest) (payment.Fact, error) {
	if err := checkRefund(r); err != nil {
		return payment.Fact{}, err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var a struct {
		OutTradeNo   string `json:"out_trade_no"`
		OutRequestNo string `json:"out_request_no"`
		RefundAmount string `json:"refund_amount"`
		RefundStatus string `json:"refund_status"`
		GmtRefundPay string `json:"gmt_refund_pay"`
	}
	req := sdk.TradeFastPayRefundQuery{OutRequestNo: r.RefundNo, QueryOptions: onRequest}
	req.TradeNo, req.OutTradeNo = which(r)
	err := only(c.call(ctx, req, &a), payment.ErrNotExist)
	switch {
	case err != nil:
		return payment.Fact{}, err
	case a.RefundStatus == "":
		return payment.Fact{}, payment.ErrNotExist
	case a.OutTradeNo != r.PaymentNo || a.OutRequestNo != r.RefundNo:
		return payment.Fact{}, unknown(errors.New("the answer is about another refund"))
	}
	amount, err := money.ParseYuan(a.RefundAmount)
	if err != nil || amount < 1 || amount > maxTotal {
		return payment.Fact{}, unknown(errors.New("refund_amount is not an amount"))
	}
	f := c.refunded(r, payment.ByQuery, amount, a.RefundStatus, a.GmtRefundPay)
	switch a.RefundStatus {
	case refundSuccess:
	case refundProcessing:
		f.ID, f.Kind = openRefund(r.RefundNo), payment.Open
	default:
		return payment.Fact{}, unknown(errors.New("the refund status is not a known one"))
	}
	return f, nil
}

// refunded is money that went back. Alipay has no number of its own for a
// refund; its answers name neither app nor seller, and are signed for ours.
func (c *Channel) refunded(r payment.RefundRequest, by payment.Source, amount int64, state, at string) payment.Fact {
	return received(payment.Fact{
		ID: "refund/" + r.RefundNo, Kind: payment.Refunded, RefundNo: r.RefundNo, Amount: amount, Currency: defaultCurrency,
		Merchant: c.seller, App: c.appID, Reported: state, At: readTime(at),
	}, by, c.now())
}

// openRefund is the ID of a fact about a refund that says nothing lasting.
func openRefund(no string) string { return "refund/" + no + "/open" }

// reason is what the buyer is shown.
func reason(r payment.RefundRequest) string {
	return short(strings.ToValidUTF8(r.Reason, "?"), maxReason)
}
