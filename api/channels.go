package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountChannels() {
	rest.Add(s.rest, putChannel, s.putChannel)
	rest.Add(s.rest, getChannel, s.getChannel)
	rest.Add(s.rest, listChannels, s.listChannels)
	s.documentSettings()
}

// channelSettings are the settings of a channel of any kind. Each kind
// checks its own, and names what is wrong by JSON pointer.
type channelSettings json.RawMessage

// UnmarshalJSON keeps the text.
func (c *channelSettings) UnmarshalJSON(b []byte) error {
	return (*json.RawMessage)(c).UnmarshalJSON(b)
}

// MarshalJSON writes the text.
func (c channelSettings) MarshalJSON() ([]byte, error) { return json.RawMessage(c).MarshalJSON() }

// Schema demands no more than what all kinds have.
func (channelSettings) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"kind"}, AdditionalProperties: true,
		Properties: map[string]*huma.Schema{"kind": {Type: huma.TypeString, Description: "The protocol"}},
	}
}

// documentSettings adds to every schema of channelSettings which kinds there
// are and which settings each has.
func (s *server) documentSettings() {
	if s.Book == nil {
		return
	}
	var names []string
	var text strings.Builder
	text.WriteString("The settings of its kind:\n")
	for _, k := range s.Book.Kinds {
		names = append(names, k.Kind)
		text.WriteString("\n- `" + k.Kind + "`: " + strings.Join(k.Settings, ", ") + ".")
	}
	item := s.rest.OpenAPI().Paths["/v1/channels/{channel}"]
	for _, content := range []map[string]*huma.MediaType{
		item.Put.RequestBody.Content, item.Put.Responses["200"].Content, item.Get.Responses["200"].Content,
	} {
		schema := content["application/json"].Schema
		schema.Description = text.String()
		kind := schema.Properties["kind"]
		kind.Enum = rest.Enum(names).Enum
		kind.PrecomputeMessages()
	}
}

const (
	channelBody = `{"kind":"wechatpay","mchId":"1900007291","appId":"wxd678efh567hg6787","merchantSerial":"5157F09EFDC096DE15EBE81A47057A7232F1B8E1",` +
		`"merchantPrivateKey":"-----BEGIN PRIVATE KEY-----…","apiV3Key":"0123456789abcdef0123456789abcdef","platformKeys":[{"serial":"PUB_KEY_ID_0119000072912026","pem":"-----BEGIN PUBLIC KEY-----…"}]}`
	channelExample = `{"kind":"wechatpay","mchId":"1900007291","appId":"wxd678efh567hg6787","merchantSerial":"5157F09EFDC096DE15EBE81A47057A7232F1B8E1",` +
		`"merchantPrivateKey":"****","apiV3Key":"****","platformKeys":[{"serial":"PUB_KEY_ID_0119000072912026","pem":"-----BEGIN PUBLIC KEY-----…"}]}`
)

// ChannelPath is the name of a channel in a path.
type ChannelPath struct {
	Channel string `path:"channel" maxLength:"64" example:"wechatpay"`
}

var putChannel = rest.Operation{
	Route: "PUT /v1/channels/{channel}", ID: "putChannel", Tag: "Channels", Summary: "Set up a channel",
	Details: "Secrets are encrypted at rest and never shown again: the answer has them masked.",
	Request: channelBody, Response: channelExample,
}

type putChannelInput struct {
	ChannelPath
	Body channelSettings
}

func (s *server) putChannel(ctx context.Context, in *putChannelInput) (*rest.Answer[channelSettings], error) {
	return rest.AnswerOf(viewSettings)(s.app.PutChannel(ctx, s.Book, caller(ctx).Shop, in.Channel, json.RawMessage(in.Body)))
}

func viewSettings(m json.RawMessage) channelSettings { return channelSettings(m) }

var getChannel = rest.Operation{
	Route: "GET /v1/channels/{channel}", ID: "getChannel", Tag: "Channels", Summary: "A channel's settings, secrets masked",
	Codes: []fault.Code{fault.NotFound}, Response: channelExample,
}

type getChannelInput struct {
	ChannelPath
	rest.IfNoneMatch
}

func (s *server) getChannel(ctx context.Context, in *getChannelInput) (*rest.Tagged[channelSettings], error) {
	return rest.TaggedOf(in.IfNoneMatch, viewSettings)(s.Book.Settings(ctx, caller(ctx).Shop, in.Channel))
}

// channelView is a channel in a list.
type channelView struct {
	Channel   string    `json:"channel"`
	Kind      string    `json:"kind"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func viewChannel(r rows.Channel) channelView { return channelView{r.Name, r.Kind, at(r.UpdatedAt)} }

var listChannels = rest.Operation{
	Route: "GET /v1/channels", ID: "listChannels", Tag: "Channels", Summary: "All channels",
	Response: `{"items":[{"channel":"wechatpay","kind":"wechatpay","updatedAt":"2026-06-01T03:00:00Z"}]}`,
}

func (s *server) listChannels(ctx context.Context, _ *struct{}) (*rest.Answer[rest.List[channelView]], error) {
	rows, err := s.app.Store.ListChannels(ctx, caller(ctx).Shop)
	return rest.ListOf(viewChannel)(rows, "", err)
}
