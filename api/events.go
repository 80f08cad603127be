package api

import (
	"context"
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/format"
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

// eventData is the payload of an event, of the payload type of its type.
type eventData struct{ payload any }

// MarshalJSON is the payload's.
func (d eventData) MarshalJSON() ([]byte, error) { return json.Marshal(d.payload) }

// Schema is any of the payload types.
func (eventData) Schema(r huma.Registry) *huma.Schema {
	s := &huma.Schema{Description: "What the event says; its members follow from `type`"}
	for _, t := range format.PayloadTypes() {
		of := format.PayloadType(t)
		ref := r.Schema(of, true, of.Name())
		r.SchemaFromRef(ref.Ref).Description = "The data of `" + string(t) + "`"
		s.AnyOf = append(s.AnyOf, ref)
	}
	other := reflect.TypeFor[format.OtherData]()
	ref := r.Schema(other, true, other.Name())
	r.SchemaFromRef(ref.Ref).Description = "The data of a type that this release does not know"
	s.AnyOf = append(s.AnyOf, ref)
	return s
}

func viewEvents(r event.Record) []eventView {
	out := make([]eventView, len(r.Events))
	for i := range r.Events {
		e := &r.Events[i]
		out[i] = eventView{
			SpecVersion: "1.0", ID: r.Position.String() + "/" + strconv.Itoa(i+1), Source: "/shops/" + r.Shop, Type: string(e.Type),
			Subject: e.Order, Time: at(r.At), TraceParent: r.Trace, ContentType: "application/json",
			Data: eventData{format.Payload(e)},
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
