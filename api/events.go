package api

import (
	"context"
	"strconv"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
)

func (s *server) mountEvents() { rest.Add(s.rest, listEvents, s.listEvents) }

// eventView is an event as a CloudEvent 1.0.
type eventView struct {
	SpecVersion string    `json:"specversion" enum:"1.0"`
	ID          string    `json:"id" example:"42/1" doc:"Unique in the shop; the same whenever it is read"`
	Source      string    `json:"source" example:"/shops/default"`
	Type        string    `json:"type" example:"order.paid" doc:"One of those that the feed lists; new ones may come"`
	Subject     string    `json:"subject,omitempty" doc:"The order number"`
	Time        time.Time `json:"time"`
	TraceParent string    `json:"traceparent,omitempty" doc:"W3C trace context of its cause"`
	ContentType string    `json:"datacontenttype" enum:"application/json"`
	Data        eventData `json:"data"`
}

// eventData is what the event is about; only what its type needs is there.
type eventData struct {
	OrderNo     string        `json:"orderNo,omitempty"`
	Seq         int64         `json:"seq,omitempty" doc:"The order's count of events: 1, 2, 3, …"`
	Status      string        `json:"status,omitempty" doc:"The order's status after the event"`
	UserID      string        `json:"userId,omitempty"`
	PaymentNo   string        `json:"paymentNo,omitempty"`
	RefundNo    string        `json:"refundNo,omitempty"`
	Channel     string        `json:"channel,omitempty"`
	CouponCode  string        `json:"couponCode,omitempty"`
	Sku         string        `json:"sku,omitempty"`
	Amount      int64         `json:"amount,omitempty" doc:"Minor units"`
	Quantity    int64         `json:"quantity,omitempty"`
	Reason      string        `json:"reason,omitempty"`
	DueAt       *time.Time    `json:"dueAt,omitempty" doc:"Of an instalment"`
	CouponCodes []string      `json:"couponCodes,omitempty"`
	Units       []event.Units `json:"units,omitempty"`
}

func viewEvents(r event.Record) []eventView {
	out := make([]eventView, len(r.Events))
	for i := range r.Events {
		e := &r.Events[i]
		out[i] = eventView{
			SpecVersion: "1.0", ID: r.Position.String() + "/" + strconv.Itoa(i+1), Source: "/shops/" + r.Shop, Type: string(e.Type),
			Subject: e.Order, Time: at(r.At), TraceParent: r.Trace, ContentType: "application/json",
			Data: eventData{
				OrderNo: e.Order, Seq: e.Seq, Status: e.Status, UserID: e.User, PaymentNo: e.Payment, RefundNo: e.Refund, Channel: e.Channel,
				CouponCode: e.Coupon, Sku: e.Sku, Amount: e.Amount, Quantity: e.Quantity, Reason: e.Reason, DueAt: atOrNil(e.DueAt),
				CouponCodes: e.Coupons, Units: e.Units,
			},
		}
	}
	return out
}

var listEvents = rest.Operation{
	Route: "GET /v1/events", ID: "listEvents", Tag: "Events", Summary: "The shop's events from any position on, oldest first",
	Details: "Keep `nextCursor` and send it as `after` to continue; every page has it, the last one too. After an event " +
		"never comes an older one. `limit` counts commits, each of one or more events.\n\n" + aboutEvents(),
	Response: `{"items":[{"specversion":"1.0","id":"42/1","source":"/shops/default","type":"order.paid","subject":"12026060104000012300000000017",` +
		`"time":"2026-06-01T04:00:31.2Z","datacontenttype":"application/json","data":{"orderNo":"12026060104000012300000000017","seq":5,"status":"paid","amount":16276}}],"nextCursor":"42"}`,
}

type listEventsInput struct {
	After string `query:"after" maxLength:"64" example:"41" doc:"The nextCursor of the page before; from the beginning when absent"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type eventList struct {
	Items      []eventView `json:"items"`
	NextCursor string      `json:"nextCursor"`
}

func (s *server) listEvents(ctx context.Context, in *listEventsInput) (*rest.Answer[eventList], error) {
	after, err := app.ParseCursor(ctx, s.app.Store, caller(ctx).Shop, "after", in.After)
	if err != nil {
		return nil, err
	}
	records, err := s.app.Store.Events(ctx, caller(ctx).Shop, app.EventQuery{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := eventList{Items: []eventView{}, NextCursor: after.String()}
	for _, r := range records {
		out.Items = append(out.Items, viewEvents(r)...)
		out.NextCursor = r.Position.String()
	}
	return &rest.Answer[eventList]{Body: out}, nil
}
