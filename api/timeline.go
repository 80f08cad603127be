package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountTimeline() { rest.Add(s.rest, getTimeline, s.getTimeline) }

var getTimeline = rest.Operation{
	Route: "GET /v1/orders/{orderNo}/timeline", ID: "getTimeline", Tag: "Orders", Summary: "The history of an order",
	Details: "Every event, call to the channel, callback with its outcome, line of a bill that settled something and decision of an operator, in order, with trace ids.",
	Codes:   []fault.Code{fault.NotFound},
	Response: `{"items":[{"at":"2026-06-01T04:00:00.123Z","kind":"event","type":"order.placed","seq":1,"status":"pending_payment","amount":16276,"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"},` +
		`{"at":"2026-06-01T04:00:10.51Z","kind":"prepay","paymentNo":"22026060104001012300000000025","channel":"wechatpay","verdict":"ok","tookMicros":48211,"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}]}`,
}

type getTimelineInput struct{ OrderPath }

func (s *server) getTimeline(ctx context.Context, in *getTimelineInput) (*rest.Answer[rest.List[app.TimelineEntry]], error) {
	entries, err := s.app.Timeline(ctx, caller(ctx).Shop, in.OrderNo)
	return rest.ListOf(viewEntry)(entries, "", err)
}

func viewEntry(e app.TimelineEntry) app.TimelineEntry {
	e.At = at(e.At)
	if e.DueAt != nil {
		e.DueAt = atOrNil(*e.DueAt)
	}
	return e
}
