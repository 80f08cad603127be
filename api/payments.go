package api

import (
	"context"
	"errors"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/payment"
)

func (s *server) mountPayments() {
	rest.Add(s.rest, openPayment, s.openPayment)
	rest.Add(s.rest, getPayment, s.getPayment)
	rest.Add(s.rest, closePayment, s.closePayment)
	rest.Add(s.rest, syncPayment, s.syncPayment)
}

const paymentExample = `{"paymentNo":"22026060104001012300000000025","orderNo":"12026060104000012300000000017","channel":"wechatpay","method":"native",` +
	`"amount":16276,"currency":"CNY","status":"pending","action":{"kind":"qr_code","codeUrl":"weixin://wxpay/bizpayurl?pr=p4lpSuKzz"},` +
	`"expiresAt":"2026-06-01T04:15:00.123Z","createdAt":"2026-06-01T04:00:10.5Z","refundedAmount":0,"refundingAmount":0}`

var channelCodes = []fault.Code{
	fault.ChannelNotConfigured,
	fault.ChannelRejected,
	fault.ChannelUnavailable,
	fault.ChannelTimeout,
	fault.ChannelMisconfigured,
}

var openPayment = rest.Operation{
	Route: "POST /v1/orders/{orderNo}/payments", ID: "openPayment", Tag: "Payments",
	Summary: "Open a payment of an order", Access: byToken, Status: 201,
	Details: "The payment is stored, then requested from the channel. If the channel's answer is lost (502, 504), repeat with the same " +
		"Idempotency-Key: the identical request is sent again, and nothing can be paid twice by it. An order has at most 50 payments.",
	Codes: append([]fault.Code{
		fault.IdempotencyKeyRequired, fault.IdempotencyKeyReused, fault.NotFound, fault.OrderNotPayable, fault.AmountExceedsDue,
	}, channelCodes...),
	Request: `{"channel":"wechatpay","method":"native"}`, Response: paymentExample,
}

type openPaymentInput struct {
	OrderPath
	rest.KeyRequired
	Body struct {
		Channel string        `json:"channel" minLength:"1" maxLength:"64" example:"wechatpay" doc:"A channel of the shop, by its name"`
		Method  paymentMethod `json:"method" doc:"One that the channel offers"`
		Amount  *int64        `json:"amount,omitempty" minimum:"1" maximum:"1000000000000000" doc:"Minor units; when absent the next instalment, or all that is due. Of an order in instalments it must be one of them, or all that is due"`
		Payer   payer         `json:"payer,omitzero"`

		ReturnURL string `json:"returnUrl,omitempty" maxLength:"255" doc:"Where the channel sends the buyer afterwards"`
	} `nameHint:"PaymentRequest"`
}

type payer struct {
	OpenID string `json:"openId,omitempty" maxLength:"128" doc:"jsapi: who pays, as the channel knows them"`
}

type openPaymentOutput struct {
	rest.Replay
	Body paymentView
}

func (s *server) openPayment(ctx context.Context, in *openPaymentInput) (*openPaymentOutput, error) {
	c, err := in.mine(ctx)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	request := app.OpenPayment{
		Channel: b.Channel, Method: payment.Method(b.Method), OpenID: b.Payer.OpenID,
		ReturnURL: b.ReturnURL, ClientIP: rest.CallOf(ctx).ClientIP(),
	}
	if b.Amount != nil {
		request.Amount = *b.Amount
	}
	d, replayed, err := s.app.OpenPayment(ctx, c.Shop, in.OrderNo, in.IdempotencyKey, request)
	if err != nil {
		return nil, err
	}
	return &openPaymentOutput{rest.Replayed(replayed), viewPayment(d)}, nil
}

// PaymentPath is the payment number of a path.
type PaymentPath struct {
	PaymentNo string `path:"paymentNo" maxLength:"64" example:"22026060104001012300000000025"`
}

// mine reads a payment whose order the caller must reach.
func (s *server) mine(ctx context.Context, p PaymentPath) (app.Identity, payment.Data, error) {
	c := caller(ctx)
	d, err := s.app.Store.Payment(ctx, c.Shop, p.PaymentNo)
	if err != nil {
		return c, d, err
	}
	rest.CallOf(ctx).Note("orderNo", d.Order)
	return c, d, c.Reaches(d.Order)
}

var getPayment = rest.Operation{
	Route: "GET /v1/payments/{paymentNo}", ID: "getPayment", Tag: "Payments", Summary: "A payment", Access: byToken,
	Codes: []fault.Code{fault.NotFound}, Response: paymentExample,
}

type getPaymentInput struct {
	PaymentPath
	rest.IfNoneMatch
}

func (s *server) getPayment(ctx context.Context, in *getPaymentInput) (*rest.Tagged[paymentView], error) {
	_, d, err := s.mine(ctx, in.PaymentPath)
	return rest.TaggedOf(in.IfNoneMatch, viewPayment)(d, err)
}

var closePayment = rest.Operation{
	Route: "POST /v1/payments/{paymentNo}/close", ID: "closePayment", Tag: "Payments", Summary: "Close an open payment at the channel",
	Details: "The channel is queried first: if the payment has been paid, it stays paid, and the answer is `payment_not_closable`. " +
		"Closing a payment that is not open changes nothing.",
	Codes:    append([]fault.Code{fault.NotFound, fault.PaymentNotClosable, fault.IdempotencyKeyReused}, channelCodes...),
	Response: paymentExample,
}

type closePaymentInput struct {
	PaymentPath
	rest.KeyAccepted
}

func (s *server) closePayment(ctx context.Context, in *closePaymentInput) (*rest.Repeatable[paymentView], error) {
	c, _, err := s.mine(ctx, in.PaymentPath)
	if err != nil {
		return nil, err
	}
	name := "close payment " + in.PaymentNo
	return rest.RepeatableOf(viewPayment)(app.Idempotent(ctx, s.app, c.Shop, name, in.IdempotencyKey, nil, func() (payment.Data, error) {
		d, err := s.app.ClosePayment(ctx, c.Shop, in.PaymentNo)
		if err == nil && d.Status == payment.StatusSucceeded {
			err = fault.New(fault.PaymentNotClosable, "payment %s has been paid", d.No)
		}
		return d, unanswered(d.Channel, err)
	}))
}

// unanswered makes one of our codes of a channel's uncertain answer.
func unanswered(channel string, err error) error {
	if err == nil {
		return nil
	}
	if _, ours := errors.AsType[*fault.Error](err); ours {
		return err
	}
	if m := payment.Misconfigured(err); m != nil {
		return app.Misconfigured(channel, m).Because(err)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.ChannelTimeout, "%s did not answer in time; try again", channel).Because(err)
	case errors.Is(err, payment.ErrUnknown), errors.Is(err, payment.ErrNotExist), errors.Is(err, payment.ErrBusy):
		return fault.New(fault.ChannelUnavailable, "%s gave no certain answer; try again", channel).Because(err)
	}
	if rejected, ok := errors.AsType[*payment.RejectedError](err); ok {
		return fault.New(fault.ChannelRejected, "%s refused: %s %s", channel, rejected.Code, rejected.Message)
	}
	return err
}

var syncPayment = rest.Operation{
	Route: "POST /v1/payments/{paymentNo}/sync", ID: "syncPayment", Tag: "Payments",
	Summary: "Query the channel for a payment now", Access: byToken,
	Details: "The result is applied as a callback's is. The channel is queried at most every 3 seconds for a payment; in between " +
		"the answer is the payment as it is. A repeat with an Idempotency-Key gets the first answer again: " +
		"to query again, send another key or none.",
	Codes: append([]fault.Code{fault.NotFound, fault.IdempotencyKeyReused}, channelCodes...), Response: paymentExample,
}

type syncPaymentInput struct {
	PaymentPath
	rest.KeyAccepted
}

func (s *server) syncPayment(ctx context.Context, in *syncPaymentInput) (*rest.Repeatable[paymentView], error) {
	c, _, err := s.mine(ctx, in.PaymentPath)
	if err != nil {
		return nil, err
	}
	return rest.RepeatableOf(viewPayment)(app.Idempotent(ctx, s.app, c.Shop, "sync payment "+in.PaymentNo, in.IdempotencyKey, nil,
		func() (payment.Data, error) { return s.app.SyncPaymentNow(ctx, c.Shop, in.PaymentNo) }))
}
