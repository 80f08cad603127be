package wechatpay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// maxReason is how many characters of a refund's reason the buyer is shown.
const maxReason = 80

var refundShape = regexp.MustCompile(`^[0-9A-Za-z_\-|*@]{1,64}$`)

const refundShapeRule = "the refund number must be 1 to 64 of 0-9 A-Z a-z _ - | * @"

// What codes mean to the calls about refunds.
var (
	// The payment is not one that can be refunded: unknown, or not paid.
	refundMeans = noState(map[string]error{
		codeShort:           payment.ErrShort,
		"RESOURCENOTEXISTS": errRejected,
		codeNotExist:        errRejected,
	})
	// A query is about the refund itself. WeChat Pay signs no refusal, so
	// "does not exist" is not signed either: what it permits, the identical
	// request again, refunds once however often it is sent.
	refundQueryMeans = noState(nil)
)

// Refund requests a refund. That WeChat Pay accepts the request does not mean
// that the money has gone: the fact is Open until a callback or a query says
// more.
func (c *Channel) Refund(ctx context.Context, r payment.RefundRequest) (payment.Fact, error) {
	if err := checkRefund(r); err != nil {
		return payment.Fact{}, err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	req := refunddomestic.CreateRequest{
		OutRefundNo: &r.RefundNo,
		Amount:      &refunddomestic.AmountReq{Refund: &r.Amount, Total: &r.Total, Currency: &r.Currency},
	}
	// Of two payments under one number, the transaction says which.
	if r.TransactionID != "" {
		req.TransactionId = &r.TransactionID
	} else {
		req.OutTradeNo = &r.PaymentNo
	}
	if reason := firstRunes(strings.ToValidUTF8(r.Reason, "?"), maxReason); reason != "" {
		req.Reason = &reason
	}
	if r.NotifyURL != "" {
		req.NotifyUrl = &r.NotifyURL
	}
	s := refunddomestic.RefundsApiService{Client: c.client}
	_, result, err := s.Create(ctx, req)
	said, err := c.refundAnswer(result, err, refundMeans, r.RefundNo, r.PaymentNo, payment.ByRefund)
	if err == nil && said.Amount != r.Amount {
		// Another refund has this number. A query says what has become of it.
		return payment.Fact{}, unknown(errors.New("the answer is about another amount"))
	}
	return said, err
}

// QueryRefund queries the state of a refund. The answer is read by the same
// code as a callback. Only r's numbers are used.
func (c *Channel) QueryRefund(ctx context.Context, r payment.RefundRequest) (payment.Fact, error) {
	if !refundShape.MatchString(r.RefundNo) {
		return payment.Fact{}, rejected(refundShapeRule)
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	s := refunddomestic.RefundsApiService{Client: c.client}
	_, result, err := s.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: &r.RefundNo})
	return c.refundAnswer(result, err, refundQueryMeans, r.RefundNo, r.PaymentNo, payment.ByQuery)
}

// checkRefund refuses what WeChat Pay would refuse, without calling it.
func checkRefund(r payment.RefundRequest) error {
	switch {
	case !refundShape.MatchString(r.RefundNo):
		return rejected(refundShapeRule)
	case r.TransactionID == "" && !numberShape.MatchString(r.PaymentNo):
		return rejected("the payment number must be 6 to 32 of 0-9 A-Z a-z _ - | *")
	case len(r.TransactionID) > 32:
		return rejected("the transaction id must have at most 32 characters")
	case r.Amount < 1 || r.Total > money.Max:
		return rejected("the amount must be at least 1 fen")
	case r.Amount > r.Total:
		return rejected("the amount must be at most that of the payment")
	case r.Currency != defaultCurrency:
		return rejected("the currency must be %s", defaultCurrency)
	case len(r.NotifyURL) > maxNotifyURL:
		return rejected("the notify URL must have at most %d characters", maxNotifyURL)
	case strings.ContainsAny(r.NotifyURL, "?#"):
		return rejected("the notify URL must have no query")
	}
	return nil
}

// refundAnswer reads the answer of any call about one refund.
func (c *Channel) refundAnswer(
	result *core.APIResult, err error, also map[string]error, refundNo, paymentNo string, by payment.Source,
) (payment.Fact, error) {
	if err := outcome(result, err, http.StatusOK, also); err != nil {
		return payment.Fact{}, err
	}
	body, err := readBack(result.Response)
	if err != nil {
		return payment.Fact{}, unknown(errNotProtocol)
	}
	r, err := readRefundObject(body)
	if err != nil {
		return payment.Fact{}, unknown(err)
	}
	if r.OutRefundNo != refundNo || paymentNo != "" && r.OutTradeNo != paymentNo {
		return payment.Fact{}, unknown(errors.New("the answer is about another refund"))
	}
	f, err := r.fact(r.Status)
	if err != nil {
		return payment.Fact{}, unknown(err)
	}
	// The answer does not name the merchant; a merchant gets answers about its
	// own refunds alone, and this one was requested with our signature.
	f.Source, f.ReceivedAt, f.Merchant = by, c.now().UTC(), c.merchant.mchID
	return f, nil
}

// refundObject is the part that concerns us of a refund, as an answer or a
// callback has it. They name the status differently, and only a callback
// names the merchant.
type refundObject struct {
	MchID       string `json:"mchid"`
	OutTradeNo  string `json:"out_trade_no"`
	OutRefundNo string `json:"out_refund_no"`
	RefundID    string `json:"refund_id"`
	Status      string `json:"status"`        // SUCCESS, CLOSED, PROCESSING or ABNORMAL
	NotifiedAs  string `json:"refund_status"` // SUCCESS, CLOSED or ABNORMAL
	SuccessTime string `json:"success_time"`
	Amount      struct {
		// Refund is what we requested. payer_refund, what the payer's account
		// gets, is smaller when WeChat's own coupons had paid a part.
		Refund   int64  `json:"refund"` // fen
		Currency string `json:"currency"`
	} `json:"amount"`
}

var (
	errNotRefund    = errors.New("it is not a refund")
	errRefundNumber = errors.New("out_refund_no is missing")
	errRefundState  = errors.New("the refund status is not a known one")
	errRefundAmount = errors.New("amount.refund is not an amount")
)

func readRefundObject(plain []byte) (*refundObject, error) {
	var r refundObject
	if !utf8.Valid(plain) || json.Unmarshal(plain, &r) != nil {
		return nil, errNotRefund
	}
	if r.OutRefundNo == "" {
		return nil, errRefundNumber
	}
	return &r, nil
}

// fact is what the refund says, with an ID made of what is said alone.
func (r *refundObject) fact(status string) (payment.Fact, error) {
	f := payment.Fact{
		ID: "refund/" + r.OutRefundNo + "/" + status, RefundNo: r.OutRefundNo, TransactionID: r.RefundID,
		Amount: r.Amount.Refund, Currency: r.Amount.Currency, Reported: status,
	}
	switch status {
	case "SUCCESS":
		f.ID, f.Kind = "refund/"+r.OutRefundNo, payment.Refunded
	case "ABNORMAL": // a success under the same number may follow
		f.Kind = payment.RefundStuck
	case "CLOSED":
		f.Kind = payment.RefundFailed
	case "PROCESSING":
		f.Kind = payment.Open
	default:
		return payment.Fact{}, errRefundState
	}
	if f.Amount < 1 || f.Amount > money.Max {
		return payment.Fact{}, errRefundAmount
	}
	if f.Currency == "" {
		f.Currency = defaultCurrency
	}
	// As with payments, a time that cannot be read refuses nothing.
	if at, err := time.Parse(time.RFC3339, r.SuccessTime); err == nil {
		f.At = at.UTC()
	}
	return f, nil
}
