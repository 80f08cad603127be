package rows

import (
	"time"

	"github.com/tandem-pay/tandem/unit"
)

// ChannelMessage is a request to a channel, its response or a callback, kept
// as evidence and shown by the timeline.
type ChannelMessage struct {
	ID        int64 // given by the store
	Order     string
	Payment   string
	Channel   string
	Kind      string // prepay, callback, …
	Verdict   string // what became of it: an outcome, a refusal's stage, or how the call ended
	Detail    string
	At        time.Time
	TookUS    int64 // microseconds
	Trace     string
	Header    []byte // JSON, of callbacks
	Body      []byte // as it came, of callbacks; never of calls, which carry our signature
	MessageID string // the channel's id of a notification
}

// ChannelMessages are kept with the change that they caused, if any.
var ChannelMessages = unit.Declare(Schema, unit.Spec[ChannelMessage]{
	Rank: 200, Table: "channel_messages", Appended: true,
	Columns: []unit.Column[ChannelMessage]{
		unit.Int("id", func(m *ChannelMessage) *int64 { return &m.ID }).Assigned(),
		unit.Text("order_no", func(m *ChannelMessage) *string { return &m.Order }),
		unit.Text("payment_no", func(m *ChannelMessage) *string { return &m.Payment }),
		unit.Text("channel", func(m *ChannelMessage) *string { return &m.Channel }),
		unit.Text("kind", func(m *ChannelMessage) *string { return &m.Kind }),
		unit.Text("verdict", func(m *ChannelMessage) *string { return &m.Verdict }),
		unit.Text("detail", func(m *ChannelMessage) *string { return &m.Detail }),
		unit.Time("at", func(m *ChannelMessage) *time.Time { return &m.At }),
		unit.Int("took_us", func(m *ChannelMessage) *int64 { return &m.TookUS }),
		unit.Text("trace", func(m *ChannelMessage) *string { return &m.Trace }),
		raw("header", func(m *ChannelMessage) *[]byte { return &m.Header }),
		unit.Bytes("body", func(m *ChannelMessage) *[]byte { return &m.Body }).Heavy(),
		unit.Text("message_id", func(m *ChannelMessage) *string { return &m.MessageID }),
	},
})
