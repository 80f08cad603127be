package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/payment"
)

// The operations on a refund that waits for a person.

var retryRefund = rest.Operation{
	Route: "POST /v1/refunds/{refundNo}/retry", ID: "retryRefund", Tag: "Refunds", Summary: "Try a refund again at once",
	Details: "What waits for a person is tried again under its number. What has failed at the channel is requested again under a new " +
		"`refundNoAtChannel`, and its amount is reserved again.",
	Codes: []fault.Code{fault.NotFound, fault.RefundNotOpen, fault.RefundExceedsPaid, fault.IdempotencyKeyReused}, Response: refundExample,
}

type retryRefundInput struct {
	RefundPath
	rest.KeyAccepted
}

func (s *server) retryRefund(ctx context.Context, in *retryRefundInput) (*rest.Repeatable[refundView], error) {
	return rest.RepeatableOf(viewRefund)(s.app.RetryRefund(ctx, caller(ctx).Shop, in.RefundNo, in.IdempotencyKey))
}

var confirmRefund = rest.Operation{
	Route: "POST /v1/refunds/{refundNo}/confirm", ID: "confirmRefund", Tag: "Refunds", Summary: "Confirm that the buyer has the money",
	Details: "For what was paid by hand, or seen in the merchant's console. The reason is kept as evidence, and what is left of the refund " +
		"succeeds. Confirming a refund that has succeeded changes nothing.",
	Codes:   []fault.Code{fault.NotFound, fault.IdempotencyKeyReused},
	Request: `{"reason":"paid by bank transfer 20260603-17"}`, Response: doneExample,
}

type confirmRefundInput struct {
	RefundPath
	rest.KeyAccepted
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"How the buyer was paid; at most 500 bytes"`
	} `nameHint:"RefundConfirmation"`
}

func (s *server) confirmRefund(ctx context.Context, in *confirmRefundInput) (*rest.Repeatable[refundView], error) {
	shop := caller(ctx).Shop
	return rest.RepeatableOf(viewRefund)(app.Idempotent(ctx, s.app, shop, "confirm refund "+in.RefundNo, in.IdempotencyKey, in.Body.Reason,
		func() (payment.RefundData, error) { return s.app.ConfirmRefund(ctx, shop, in.RefundNo, in.Body.Reason) }))
}

var giveUpRefund = rest.Operation{
	Route: "POST /v1/refunds/{refundNo}/give-up", ID: "giveUpRefund", Tag: "Refunds", Summary: "Record that the channel will never send it",
	Details: "For a refund about which the channel gives no answer, after a check in the merchant's console: what is pending of it fails, and `retry` " +
		"makes another under a new number. If the channel reports later that the money has gone, the refund succeeds.",
	Codes:   []fault.Code{fault.NotFound, fault.IdempotencyKeyReused},
	Request: `{"reason":"not in the merchant's console after three days"}`, Response: failedExample,
}

type giveUpRefundInput struct {
	RefundPath
	rest.KeyAccepted
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"How it is known; at most 500 bytes"`
	} `nameHint:"RefundGivenUp"`
}

func (s *server) giveUpRefund(ctx context.Context, in *giveUpRefundInput) (*rest.Repeatable[refundView], error) {
	shop := caller(ctx).Shop
	return rest.RepeatableOf(viewRefund)(app.Idempotent(ctx, s.app, shop, "give up refund "+in.RefundNo, in.IdempotencyKey, in.Body.Reason,
		func() (payment.RefundData, error) { return s.app.GiveUpRefund(ctx, shop, in.RefundNo, in.Body.Reason) }))
}

var abnormalRefund = rest.Operation{
	Route: "POST /v1/refunds/{refundNo}/abnormal", ID: "abnormalRefund", Tag: "Refunds", Summary: "Send a stuck refund another way",
	Details: "For a part that is parked as `abnormal`. It goes to a bank card of the buyer's (`bank`, `account` and `name`, all three), or back to the " +
		"merchant, who then pays the buyer by hand and confirms. The card goes to the channel encrypted; it is not stored, not logged and in no " +
		"answer. So no answer is kept for an Idempotency-Key here: a repeat sends the request again under the same number, which pays once, " +
		"and is `refund_not_open` when the money has gone.",
	Codes:   append([]fault.Code{fault.NotFound, fault.RefundNotOpen}, channelCodes...),
	Request: `{"to":"buyer","bank":"ICBC_DEBIT","account":"6222020000000000000","name":"张三"}`, Response: parkedExample,
}

type abnormalRefundInput struct {
	RefundPath
	rest.KeyAccepted
	Body struct {
		PaymentNo string `json:"paymentNo,omitempty" maxLength:"64" doc:"Which part, when several are stuck"`
		To        string `json:"to" enum:"buyer,merchant"`
		Bank      string `json:"bank,omitempty" maxLength:"64" doc:"The channel's code of the bank"`
		Account   string `json:"account,omitempty" maxLength:"64" doc:"The card's number"`
		Name      string `json:"name,omitempty" maxLength:"64" doc:"Its holder"`
	} `nameHint:"AbnormalRefund"`
}

func (s *server) abnormalRefund(ctx context.Context, in *abnormalRefundInput) (*rest.Answer[refundView], error) {
	b := &in.Body
	for _, f := range []struct{ pointer, value string }{{"/bank", b.Bank}, {"/account", b.Account}, {"/name", b.Name}} {
		switch toBuyer := b.To == "buyer"; {
		case toBuyer && f.value == "":
			return nil, fault.Invalidf(f.pointer, "is required when the money goes to the buyer")
		case !toBuyer && f.value != "":
			return nil, fault.Invalidf(f.pointer, "leave it out when the money goes to the merchant")
		}
	}
	to := payment.AbnormalRefund{ToMerchant: b.To == "merchant", Bank: b.Bank, Account: b.Account, Name: b.Name}
	return rest.AnswerOf(viewRefund)(s.app.AbnormalRefund(ctx, caller(ctx).Shop, in.RefundNo, b.PaymentNo, to))
}
