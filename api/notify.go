package api

import (
	"context"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountNotify() { rest.Add(s.rest, notify, s.notify) }

var notify = rest.Operation{
	Route: "POST /v1/notify/{shop}/{channel}", ID: "notify", Tag: "Channels",
	Summary: "Where a channel calls back", Access: rest.Anyone, AnyQuery: true, Raw: true,
	Details: "In the channel's own protocol, which signs its messages. A callback is acknowledged only after what it " +
		"reports has been applied; otherwise the channel sends it again.",
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
	answer, verdict, err := s.app.Callback(ctx, in.Shop, in.Channel, rest.CallOf(ctx).Request.Header, in.body)
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
