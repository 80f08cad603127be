package api

import (
	"context"
	"io"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountNotify() {
	rest.Add(s.rest, notify, s.notify)
	rest.Add(s.rest, listRefusedCallbacks, s.listRefusedCallbacks)
}

var notify = rest.Operation{
	Route: "POST /v1/notify/{shop}/{channel}", ID: "notify", Tag: "Channels",
	Summary: "Where a channel calls back", Access: rest.Anyone, AnyQuery: true, Raw: true, Quiet: true,
	Details: "In the channel's own protocol, which signs its messages. A callback is acknowledged only after what it " +
		"reports has been applied; otherwise the channel sends it again. One that is refused gets a 4xx and is listed by " +
		"`GET /v1/refused-callbacks`.",
	Codes: []fault.Code{fault.ChannelNotConfigured},
}

type notifyInput struct {
	Shop    string `path:"shop" maxLength:"64"`
	Channel string `path:"channel" maxLength:"64"`

	body []byte
}

// Resolve reads the raw body: the signature covers its exact bytes. One byte
// more than a callback may have is enough to refuse it.
func (in *notifyInput) Resolve(hc huma.Context) []error {
	var err error
	if in.body, err = io.ReadAll(io.LimitReader(hc.BodyReader(), app.MaxCallback+1)); err != nil {
		return []error{fault.New(fault.ValidationFailed, "the body ended too early").Because(err)}
	}
	return nil
}

type notifyOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *server) notify(ctx context.Context, in *notifyInput) (*notifyOutput, error) {
	c := rest.CallOf(ctx)
	answer, verdict, err := s.app.CallbackFrom(ctx, in.Shop, in.Channel, c.ClientIP(), c.Request.Header, in.body)
	if s.Callback != nil {
		channel := in.Channel
		if err != nil {
			channel = "unknown" // not a channel of a shop: anybody can invent names
		}
		s.Callback(channel, verdict)
	}
	if err != nil {
		return nil, err
	}
	return &notifyOutput{answer.Status, answer.ContentType, answer.Body}, nil
}

// refusedCallbackView is a callback that failed a check.
type refusedCallbackView struct {
	At        time.Time `json:"at"`
	Channel   string    `json:"channel"`
	Stage     string    `json:"stage" example:"signature" doc:"The check that it failed: size, timestamp, serial, signature, decrypt or body"`
	Reason    string    `json:"reason"`
	Serial    string    `json:"serial,omitempty" doc:"Of the key that it says it was signed with"`
	Remote    string    `json:"remote,omitempty" doc:"The address that it came from"`
	RequestID string    `json:"requestId,omitempty" doc:"The channel's id of the delivery"`
}

func viewRefusedCallback(n app.CallbackNote) refusedCallbackView {
	return refusedCallbackView{at(n.At), n.Channel, n.Stage, n.Reason, n.Serial, n.Remote, n.RequestID}
}

var listRefusedCallbacks = rest.Operation{
	Route: "GET /v1/refused-callbacks", ID: "listRefusedCallbacks", Tag: "Channels",
	Summary: "Callbacks that were refused: forged, damaged, or signed with a key that is not configured",
	Details: "Newest first. At most 10 in a minute and 1,000 in all are noted per channel, without bodies; metrics count all of them.",
	Response: `{"items":[{"at":"2026-06-01T04:15:00Z","channel":"wechatpay","stage":"signature","reason":"the signature does not verify",` +
		`"serial":"5157F09EFDC096DE15EBE81A47057A7232F1B8E1","remote":"203.0.113.7"}]}`,
}

type listRefusedCallbacksInput struct {
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"At most this many"`
	Channel string `query:"channel" maxLength:"64" doc:"Only of this one"`
}

func (s *server) listRefusedCallbacks(
	ctx context.Context,
	in *listRefusedCallbacksInput,
) (*rest.Answer[rest.List[refusedCallbackView]], error) {
	found, err := s.app.Store.RefusedCallbacks(ctx, caller(ctx).Shop, in.Channel, in.Limit)
	return rest.ListOf(viewRefusedCallback)(found, "", err)
}
