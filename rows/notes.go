package rows

import (
	"time"

	"github.com/tandem-pay/tandem/unit"
)

// CallbackNote is what is kept of callbacks that are not kept whole: of one
// that was refused, or of the repeats of an authentic one.
type CallbackNote struct {
	ID        string // refused/<channel>/<place in its ring>, or repeats/<channel>/<payment number>
	Channel   string
	Order     string // of repeats, when the payment is ours
	Payment   string // of repeats
	Stage     string // of a refused one: the check that it failed
	Reason    string // why
	Serial    string // of the key that it says it was signed with
	Remote    string // the address that it came from
	RequestID string // the channel's
	At        time.Time
	Times     int64 // how many repeats; 0 of a refused one
	Version   int64
}

// CallbackNotes are bounded: refused ones write over the oldest of their
// channel, and a payment has one row for all repeats.
var CallbackNotes = unit.Declare(Schema, unit.Spec[CallbackNote]{
	Rank: 220, Table: "callback_notes", Key: "id",
	Columns: []unit.Column[CallbackNote]{
		unit.Text("id", func(n *CallbackNote) *string { return &n.ID }),
		unit.Text("channel", func(n *CallbackNote) *string { return &n.Channel }),
		unit.Text("order_no", func(n *CallbackNote) *string { return &n.Order }),
		unit.Text("payment_no", func(n *CallbackNote) *string { return &n.Payment }),
		unit.Text("stage", func(n *CallbackNote) *string { return &n.Stage }),
		unit.Text("reason", func(n *CallbackNote) *string { return &n.Reason }),
		unit.Text("serial", func(n *CallbackNote) *string { return &n.Serial }),
		unit.Text("remote", func(n *CallbackNote) *string { return &n.Remote }),
		unit.Text("request_id", func(n *CallbackNote) *string { return &n.RequestID }),
		unit.Time("at", func(n *CallbackNote) *time.Time { return &n.At }),
		unit.Int("times", func(n *CallbackNote) *int64 { return &n.Times }),
		unit.Version("version", func(n *CallbackNote) *int64 { return &n.Version }),
	},
})
