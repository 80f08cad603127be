package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/reconcile"
)

func (s *server) mountDiscrepancies() {
	rest.Add(s.rest, listDiscrepancies, s.listDiscrepancies)
	rest.Add(s.rest, getDiscrepancy, s.getDiscrepancy)
	rest.Add(s.rest, resolveDiscrepancy, s.resolveDiscrepancy)
}

// discrepancyClass is what kind of difference it is, see reconcile.Classes.
type discrepancyClass string

// Schema lists the classes that are recorded.
func (discrepancyClass) Schema(huma.Registry) *huma.Schema {
	var s []any
	for i := range reconcile.Classes {
		if c := &reconcile.Classes[i]; !c.Quiet {
			s = append(s, string(c.Class))
		}
	}
	return &huma.Schema{Type: huma.TypeString, Enum: s}
}

// discrepancyView is one difference between our books and a channel's bill.
type discrepancyView struct {
	ID      string            `json:"id" example:"2026-06-01_wechatpay_0f3c5a9d1b7e4f2086ac91d2c4b8e7f5" doc:"The same whenever the day is reconciled"`
	Channel string            `json:"channel"`
	Date    string            `json:"date" example:"2026-06-01"`
	Class   discrepancyClass  `json:"class"`
	Status  discrepancyStatus `json:"status" doc:"healed: by what the bill proves, or no longer found by a later run. resolved: by a person"`
	Meaning bilingual         `json:"meaning" doc:"What the class means"`
	Advice  bilingual         `json:"advice" doc:"What to do about it"`

	PaymentNo     string `json:"paymentNo,omitempty"`
	RefundNo      string `json:"refundNo,omitempty" doc:"As the channel knows it"`
	TransactionID string `json:"transactionId,omitempty" doc:"The channel's number"`
	OurAmount     int64  `json:"ourAmount" doc:"Minor units; 0 where we have nothing"`
	TheirAmount   int64  `json:"theirAmount" doc:"Minor units; 0 where the bill has nothing"`
	Detail        string `json:"detail"`

	Resolution string     `json:"resolution,omitempty" doc:"How it was closed"`
	CreatedAt  time.Time  `json:"createdAt"`
	ResolvedAt *time.Time `json:"resolvedAt,omitempty"`
}

// bilingual is a text for operators.
type bilingual struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

func viewDiscrepancy(d rows.Discrepancy) discrepancyView {
	about := reconcile.Of(reconcile.Class(d.Class))
	return discrepancyView{
		ID: d.ID, Channel: d.Channel, Date: d.Day, Class: discrepancyClass(d.Class), Status: discrepancyStatus(d.Status),
		Meaning: bilingual{about.Meaning, about.MeaningZH}, Advice: bilingual{about.Do, about.DoZH},
		PaymentNo: d.PaymentNo, RefundNo: d.RefundNo, TransactionID: d.TransactionID, OurAmount: d.Ours, TheirAmount: d.Theirs,
		Detail: d.Detail, Resolution: d.Resolution, CreatedAt: at(d.CreatedAt), ResolvedAt: atOrNil(d.ResolvedAt),
	}
}

const (
	discrepancyHead = `{"id":"2026-06-01_wechatpay_0f3c5a9d1b7e4f2086ac91d2c4b8e7f5","channel":"wechatpay","date":"2026-06-01","class":"payment_unknown",` +
		`"meaning":{"en":"The bill has a payment that we do not know.","zh":"账单中的支付我方没有记录。"},` +
		`"advice":{"en":"Find who else takes money through this merchant account; refund it if nobody does.","zh":"查明是否有其他系统使用该商户号收款；若没有则退款。"},` +
		`"paymentNo":"A-20260601-77","transactionId":"4200000000202606010000000077","ourAmount":0,"theirAmount":8888,"detail":"line 118: 8888 CNY","createdAt":"2026-06-02T02:00:01Z",`
	openDiscrepancy     = discrepancyHead + `"status":"open"}`
	resolvedDiscrepancy = discrepancyHead + `"status":"resolved","resolution":"taken by the cash desk at the stand, which has booked it","resolvedAt":"2026-06-02T03:00:00Z"}`
)

var listDiscrepancies = rest.Operation{
	Route: "GET /v1/discrepancies", ID: "listDiscrepancies", Tag: "Reconciliation",
	Summary:  "What differs between our books and the channels', newest day first",
	Response: `{"items":[` + openDiscrepancy + `]}`,
}

type listDiscrepanciesInput struct {
	rest.PageParams
	Channel string            `query:"channel" maxLength:"64"`
	Date    string            `query:"date" maxLength:"10" example:"2026-06-01"`
	Class   discrepancyClass  `query:"class"`
	Status  discrepancyStatus `query:"status"`
}

func (s *server) listDiscrepancies(ctx context.Context, in *listDiscrepanciesInput) (*rest.Answer[rest.List[discrepancyView]], error) {
	f := app.DiscrepancyFilter{Channel: in.Channel, Day: in.Date, Class: string(in.Class), Status: rows.DiscrepancyStatus(in.Status)}
	return rest.ListOf(viewDiscrepancy)(s.app.Store.ListDiscrepancies(ctx, caller(ctx).Shop, f, page(in.PageParams)))
}

// DiscrepancyPath is the id of a discrepancy in a path: a day, a channel and
// a hash.
type DiscrepancyPath struct {
	ID string `path:"id" maxLength:"128" example:"2026-06-01_wechatpay_0f3c5a9d1b7e4f2086ac91d2c4b8e7f5"`
}

var getDiscrepancy = rest.Operation{
	Route: "GET /v1/discrepancies/{id}", ID: "getDiscrepancy", Tag: "Reconciliation", Summary: "A discrepancy",
	Codes: []fault.Code{fault.NotFound}, Response: openDiscrepancy,
}

type getDiscrepancyInput struct {
	DiscrepancyPath
	rest.IfNoneMatch
}

func (s *server) getDiscrepancy(ctx context.Context, in *getDiscrepancyInput) (*rest.Tagged[discrepancyView], error) {
	return rest.TaggedOf(in.IfNoneMatch, viewDiscrepancy)(s.app.Store.Discrepancy(ctx, caller(ctx).Shop, in.ID))
}

var resolveDiscrepancy = rest.Operation{
	Route: "POST /v1/discrepancies/{id}/resolve", ID: "resolveDiscrepancy",
	Tag: "Reconciliation", Summary: "Close a discrepancy with what was done about it",
	Details: "It moves no money. The same reason again changes nothing; a discrepancy that was closed for another reason is `discrepancy_closed`.",
	Codes:   []fault.Code{fault.NotFound, fault.DiscrepancyClosed, fault.IdempotencyKeyReused},
	Request: `{"reason":"taken by the cash desk at the stand, which has booked it"}`, Response: resolvedDiscrepancy,
}

type resolveDiscrepancyInput struct {
	DiscrepancyPath
	rest.KeyAccepted
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"What was done about it; at most 1000 bytes"`
	} `nameHint:"DiscrepancyResolution"`
}

func (s *server) resolveDiscrepancy(ctx context.Context, in *resolveDiscrepancyInput) (*rest.Repeatable[discrepancyView], error) {
	return rest.RepeatableOf(viewDiscrepancy)(s.bills.ResolveDiscrepancy(ctx, caller(ctx).Shop, in.ID, in.IdempotencyKey, in.Body.Reason))
}
