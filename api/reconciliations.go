package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

func (s *server) mountReconciliations() {
	rest.Add(s.rest, reconcileDay, s.reconcileDay)
	rest.Add(s.rest, listReconciliations, s.listReconciliations)
	rest.Add(s.rest, getReconciliation, s.getReconciliation)
}

// reconciliationView is one day of one channel, as last reconciled.
type reconciliationView struct {
	Channel string `json:"channel"`
	Date    string `json:"date" example:"2026-06-01" doc:"A day in the channel's time zone"`
	Status  string `json:"status" enum:"waiting,done,failed" doc:"waiting: the channel has no bill yet"`
	Runs    int64  `json:"runs"`

	StartedAt  time.Time    `json:"startedAt" doc:"Of the last run; so below"`
	FinishedAt time.Time    `json:"finishedAt"`
	Error      string       `json:"error,omitempty" doc:"Why it was not done; the day is tried again every hour"`
	Summary    *summaryView `json:"summary,omitempty" doc:"Of the last run that was done"`
}

// summaryView is the result of a day.
type summaryView struct {
	OurPayments   totalView            `json:"ourPayments" doc:"By our books"`
	OurRefunds    totalView            `json:"ourRefunds"`
	TheirPayments totalView            `json:"theirPayments" doc:"By the bill"`
	TheirRefunds  totalView            `json:"theirRefunds"`
	Fee           int64                `json:"fee" doc:"Of all rows, in thousandths of a minor unit"`
	Matched       int64                `json:"matched" doc:"Pairs in which nothing differs"`
	Classes       map[string]totalView `json:"classes,omitempty" doc:"What differs, by class"`
	TooMuch       bool                 `json:"tooMuch,omitempty" doc:"A sum was too large to be counted"`
}

type totalView struct {
	Count  int64 `json:"count"`
	Amount int64 `json:"amount" doc:"Minor units"`
}

func viewSummary(sum *reconcile.Summary) *summaryView {
	v := &summaryView{
		OurPayments: totalView(sum.OurPayments), OurRefunds: totalView(sum.OurRefunds),
		TheirPayments: totalView(sum.TheirPayments), TheirRefunds: totalView(sum.TheirRefunds),
		Fee: sum.Fee, Matched: sum.Matched, TooMuch: sum.TooMuch,
	}
	if len(sum.Classes) > 0 {
		v.Classes = make(map[string]totalView, len(sum.Classes))
		for c, t := range sum.Classes {
			v.Classes[string(c)] = totalView(t)
		}
	}
	return v
}

func viewReconciliation(d rows.Reconciliation) reconciliationView {
	v := reconciliationView{
		Channel: d.Channel, Date: d.Day, Status: string(d.Status), Runs: d.Runs,
		StartedAt: at(d.StartedAt), FinishedAt: at(d.FinishedAt), Error: d.Error,
	}
	if len(d.Summary) > 0 {
		var sum reconcile.Summary
		if format.Summary.Decode(d.Summary, &sum) == nil {
			v.Summary = viewSummary(&sum)
		}
	}
	return v
}

const reconciliationExample = `{"channel":"wechatpay","date":"2026-06-01","status":"done","runs":1,"startedAt":"2026-06-02T02:00:00Z","finishedAt":"2026-06-02T02:00:01Z",` +
	`"summary":{"ourPayments":{"count":120,"amount":1066560},"ourRefunds":{"count":2,"amount":17776},"theirPayments":{"count":121,"amount":1075448},` +
	`"theirRefunds":{"count":2,"amount":17776},"fee":6452688,"matched":122,"classes":{"payment_unknown":{"count":1,"amount":8888}}}}`

var reconcileDay = rest.Operation{
	Route: "POST /v1/reconciliations", ID: "reconcile", Tag: "Reconciliation", Summary: "Reconcile a day of a channel now",
	Details: "Fetches the channel's bill, matches it with our books, settles what the bill proves and records the other differences; the answer comes when it " +
		"is done. A million rows take some 20 seconds: for scripts there is `tandem reconcile`, which shows its progress. Each channel's day is reconciled " +
		"automatically at ten in the morning; use this to run it again. Differences that no longer exist are then marked healed, and none is recorded twice. " +
		"A bill that is not available yet or not complete is not an error of the request: see `status` and `error`. When the client disconnects the run ends; it can be repeated.",
	Codes:   []fault.Code{fault.ChannelNotConfigured, fault.IdempotencyKeyReused},
	Request: `{"channel":"wechatpay","date":"2026-06-01"}`, Response: reconciliationExample,
}

type reconcileDayInput struct {
	rest.KeyAccepted
	Body struct {
		Channel string `json:"channel" minLength:"1" maxLength:"64" example:"wechatpay"`
		Date    string `json:"date" maxLength:"10" example:"2026-06-01" doc:"A day that is over in the channel's time zone"`
	} `nameHint:"ReconciliationRun"`
}

func (s *server) reconcileDay(ctx context.Context, in *reconcileDayInput) (*rest.Repeatable[reconciliationView], error) {
	shop, channel := caller(ctx).Shop, in.Body.Channel
	day, err := payment.ParseDay(in.Body.Date)
	if err != nil {
		return nil, fault.Invalidf("/date", "must be a day like 2026-06-01")
	}
	return rest.RepeatableOf(viewReconciliation)(
		app.Idempotent(ctx, s.app, shop, "reconcile", in.IdempotencyKey, format.ReconcileRequest(in.Body),
			func() (rows.Reconciliation, error) { return s.bills.Reconcile(ctx, shop, channel, day, nil) }),
	)
}

var listReconciliations = rest.Operation{
	Route: "GET /v1/reconciliations", ID: "listReconciliations", Tag: "Reconciliation", Summary: "Days that were reconciled, newest first",
	Response: `{"items":[` + reconciliationExample + `]}`,
}

type listReconciliationsInput struct {
	rest.PageParams
	Channel string `query:"channel" maxLength:"64"`
}

func (s *server) listReconciliations(
	ctx context.Context, in *listReconciliationsInput,
) (*rest.Answer[rest.List[reconciliationView]], error) {
	return rest.ListOf(viewReconciliation)(s.app.Store.ListReconciliations(ctx, caller(ctx).Shop, in.Channel, page(in.PageParams)))
}

var getReconciliation = rest.Operation{
	Route: "GET /v1/reconciliations/{date}/{channel}", ID: "getReconciliation", Tag: "Reconciliation", Summary: "A day of a channel",
	Codes: []fault.Code{fault.NotFound}, Response: reconciliationExample,
}

type getReconciliationInput struct {
	Date string `path:"date" maxLength:"10" example:"2026-06-01"`
	ChannelPath
	rest.IfNoneMatch
}

func (s *server) getReconciliation(ctx context.Context, in *getReconciliationInput) (*rest.Tagged[reconciliationView], error) {
	return rest.TaggedOf(in.IfNoneMatch, viewReconciliation)(s.app.Store.Reconciliation(ctx, caller(ctx).Shop, in.Date+"/"+in.Channel))
}
