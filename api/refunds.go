package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

func (s *server) mountRefunds() {
	rest.Add(s.rest, askRefund, s.askRefund)
	rest.Add(s.rest, listOrderRefunds, s.listOrderRefunds)
	rest.Add(s.rest, listRefunds, s.listRefunds)
	rest.Add(s.rest, getRefund, s.getRefund)
	rest.Add(s.rest, retryRefund, s.retryRefund)
	rest.Add(s.rest, confirmRefund, s.confirmRefund)
	rest.Add(s.rest, giveUpRefund, s.giveUpRefund)
	rest.Add(s.rest, abnormalRefund, s.abnormalRefund)
}

const (
	refundHead    = `{"refundNo":"32026060204000012300000000033","orderNo":"12026060104000012300000000017","amount":8138,"currency":"CNY",`
	refundTail    = `"cause":"asked","reason":"one of two arrived broken","items":[{"line":0,"quantity":1,"amount":8138}],`
	refundExample = refundHead + `"status":"pending",` + refundTail +
		`"allocations":[{"paymentNo":"22026060104001012300000000025","channel":"wechatpay","amount":8138,"status":"pending","refundNoAtChannel":"32026060204000012300000000033"}],` +
		`"createdAt":"2026-06-02T04:00:00.123Z"}`
	parkedExample = refundHead + `"status":"pending",` + refundTail +
		`"allocations":[{"paymentNo":"22026060104001012300000000025","channel":"wechatpay","amount":8138,"status":"pending","refundNoAtChannel":"32026060204000012300000000033",` +
		`"channelRefundId":"50300007732026060299","parked":{"reason":"abnormal","said":"ABNORMAL","advice":"The buyer's account cannot take the money (closed, or its card is no longer valid). Send it to a bank card with abnormal, or pay the buyer by hand and confirm."}}],` +
		`"createdAt":"2026-06-02T04:00:00.123Z"}`
	failedExample = refundHead + `"status":"failed",` + refundTail +
		`"allocations":[{"paymentNo":"22026060104001012300000000025","channel":"wechatpay","amount":8138,"status":"failed","refundNoAtChannel":"32026060204000012300000000033",` +
		`"parked":{"reason":"given_up","said":"given up by an operator","advice":"This refund was given up, by the channel or by an operator. If the channel's merchant console shows no money going out, retry requests a new one under a new number."}}],` +
		`"createdAt":"2026-06-02T04:00:00.123Z","doneAt":"2026-06-05T09:00:00Z"}`
	doneExample = refundHead + `"status":"succeeded",` + refundTail +
		`"allocations":[{"paymentNo":"22026060104001012300000000025","channel":"wechatpay","amount":8138,"status":"succeeded","refundNoAtChannel":"32026060204000012300000000033",` +
		`"channelRefundId":"50300007732026060299","doneAt":"2026-06-02T04:00:02Z"}],` +
		`"createdAt":"2026-06-02T04:00:00.123Z","doneAt":"2026-06-02T04:00:02.5Z"}`
)

var askRefund = rest.Operation{
	Route: "POST /v1/orders/{orderNo}/refunds", ID: "askRefund", Tag: "Refunds", Summary: "Request a refund", Status: 201,
	Details: "Give `amount`, or `items` with units of lines, or neither for all that is left. A line's units give back their share of what was " +
		"paid, so that any sequence of refunds adds up to exactly what was paid. The amount is reserved and the refund stored before the channel gets " +
		"the request; the answer is `pending`, and events (or a read) show the result. A refund of units that cost nothing, or of an order of 0, moves no money and has succeeded at once. It is taken from the order's payments by the shop's policy `refundSplit`.",
	Codes:   []fault.Code{fault.IdempotencyKeyRequired, fault.IdempotencyKeyReused, fault.NotFound, fault.RefundExceedsPaid},
	Request: `{"items":[{"line":0,"quantity":1}],"reason":"one of two arrived broken"}`, Response: refundExample,
}

type askRefundInput struct {
	OrderPath
	rest.KeyRequired
	Body *refundRequest
}

type refundRequest struct {
	Amount *int64       `json:"amount,omitempty" minimum:"1" maximum:"1000000000000000" doc:"Minor units"`
	Items  []refundItem `json:"items,omitempty" minItems:"1" maxItems:"200" doc:"Each line at most once; not beside amount"`
	Reason string       `json:"reason,omitempty" maxLength:"80" doc:"Shown to the buyer"`

	Restock *bool `json:"restock,omitempty" doc:"Whether its units go on hand again. When absent, units of lines that items names do, and the units of a full refund by the shop's policy"`
}

// UnmarshalJSON refuses null. Elsewhere it means absent; here absent
// means all that is left, and a client that sends null by mistake must not
// refund everything.
func (r *refundRequest) UnmarshalJSON(body []byte) error {
	type plain refundRequest
	return rest.DecodeNonNull(body, (*plain)(r))
}

type refundItem struct {
	Line     int   `json:"line" minimum:"0" doc:"Counts the order's items from 0"`
	Quantity int64 `json:"quantity" minimum:"1" maximum:"1000000"`
}

func (s *server) askRefund(ctx context.Context, in *askRefundInput) (*rest.Repeatable[refundView], error) {
	var request app.RequestRefund
	if b := in.Body; b != nil {
		request.Reason, request.Restock = b.Reason, b.Restock
		if b.Amount != nil {
			request.Amount = *b.Amount
		}
		for _, it := range b.Items {
			request.Items = append(request.Items, order.RefundItem(it))
		}
	}
	return rest.RepeatableOf(viewRefund)(s.app.RequestRefund(ctx, caller(ctx).Shop, in.OrderNo, in.IdempotencyKey, request))
}

var listOrderRefunds = rest.Operation{
	Route: "GET /v1/orders/{orderNo}/refunds", ID: "listOrderRefunds", Tag: "Refunds", Summary: "All refunds of an order, by number",
	Codes: []fault.Code{fault.NotFound}, Response: `{"items":[` + doneExample + `]}`,
}

type listOrderRefundsInput struct{ OrderPath }

func (s *server) listOrderRefunds(ctx context.Context, in *listOrderRefundsInput) (*rest.Answer[rest.List[refundView]], error) {
	shop := caller(ctx).Shop
	if _, err := s.app.Store.Order(ctx, shop, in.OrderNo); err != nil {
		return nil, err
	}
	found, err := s.app.Store.RefundsOf(ctx, shop, in.OrderNo)
	return rest.ListOf(viewRefund)(found, "", err)
}

var listRefunds = rest.Operation{
	Route: "GET /v1/refunds", ID: "listRefunds", Tag: "Refunds", Summary: "Refunds, the highest number first",
	Details:  "A number begins with a digit for its cause, then the time: of each cause the newest come first.",
	Response: `{"items":[` + parkedExample + `]}`,
}

type listRefundsInput struct {
	rest.PageParams
	Status refundStatus `query:"status"`
	Parked bool         `query:"parked" doc:"true: only those that wait for a person"`
}

func (s *server) listRefunds(ctx context.Context, in *listRefundsInput) (*rest.Answer[rest.List[refundView]], error) {
	f := app.RefundFilter{Status: payment.RefundStatus(in.Status), Parked: in.Parked}
	return rest.ListOf(viewRefund)(s.app.Store.ListRefunds(ctx, caller(ctx).Shop, f, page(in.PageParams)))
}

// RefundPath is the refund number of a path.
type RefundPath struct {
	RefundNo string `path:"refundNo" maxLength:"64" example:"32026060204000012300000000033"`
}

var getRefund = rest.Operation{
	Route: "GET /v1/refunds/{refundNo}", ID: "getRefund", Tag: "Refunds", Summary: "A refund",
	Codes: []fault.Code{fault.NotFound}, Response: doneExample,
}

type getRefundInput struct {
	RefundPath
	rest.IfNoneMatch
}

func (s *server) getRefund(ctx context.Context, in *getRefundInput) (*rest.Tagged[refundView], error) {
	return rest.TaggedOf(in.IfNoneMatch, viewRefund)(s.app.Store.Refund(ctx, caller(ctx).Shop, in.RefundNo))
}
