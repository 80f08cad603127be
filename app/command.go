package app

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/event"
)

// Command is one change of state on its way: what must be loaded, and a pure
// step over it.
type Command struct {
	Shop  string
	Name  string // for metrics and traces: "place order"
	Key   string // the caller's idempotency key, "" without one
	Hash  []byte // of the request that the key stands for; 32 bytes
	Trace string // W3C traceparent
	Needs Needs

	// Alone asks for a batch of its own: for changes of rules, which every
	// command of a batch must see alike.
	Alone bool

	// Decide reads and changes tx and returns the answer, or a fault and
	// no trace. It runs again from the start if it asks tx for what was not
	// loaded, so it must do nothing but change tx.
	Decide func(tx *Tx) (any, error)

	// Encode writes the answer in its stored format, to be kept under the Key;
	// nil is JSON, for a command that answers nothing.
	Encode func(answer any) ([]byte, error)
}

// EncodeAnswer writes an answer in its stored format.
func (c *Command) EncodeAnswer(answer any) ([]byte, error) {
	if c.Encode == nil {
		return json.Marshal(answer)
	}
	return c.Encode(answer)
}

// Result is the outcome of a command. With a Key, Replayed says that Answer
// is the first answer, as it is stored, and Value is nil.
type Result struct {
	Value    any
	Replayed bool
	Answer   []byte
}

// Needs names the rows that a command reads or changes. All are locked, a
// payment by the lock of its order, each kind in key order, the kinds in the
// order of the fields. A key that has no row is loaded too: as absent.
// Idempotency keys are read once all is locked: what their commands changed is
// never seen without them.
type Needs struct {
	Shop     bool     // the shop's own row, to change rules
	Keys     []string // idempotency keys
	Cursors  []string // followers of the log
	Orders   []string // with all their payments
	Payments []string // with their orders, and all those orders' payments
	Refunds  []string // by number; their orders are named by who asks
	Users    []string // read, not locked, unless absent rows are put
	Coupons  []string // codes
	Skus     []string
	Counters []string
	Buyers   []string // users: has one an order that was not closed? Read after the counters, not locked

	Promotions []string // for changing them; pricing works with the snapshot
	Templates  []string
	Channels   []string
	APIKeys    []string

	Reconciliations []string // ids, see ReconciliationData
	Discrepancies   []string // ids
}

// Merge adds what m needs.
func (n *Needs) Merge(m *Needs) {
	n.Shop = n.Shop || m.Shop
	for _, l := range n.lists(m) {
		*l.to = append(*l.to, *l.from...)
	}
}

// Sort sorts and dedupes every list: the order in which rows are locked.
func (n *Needs) Sort() {
	for _, l := range n.lists(n) {
		if len(*l.to) > 1 {
			slices.Sort(*l.to)
			*l.to = slices.Compact(*l.to)
		}
	}
}

type needList struct{ to, from *[]string }

func (n *Needs) lists(m *Needs) [16]needList {
	return [16]needList{
		{&n.Keys, &m.Keys}, {&n.Cursors, &m.Cursors}, {&n.Orders, &m.Orders}, {&n.Payments, &m.Payments},
		{&n.Refunds, &m.Refunds}, {&n.Users, &m.Users}, {&n.Coupons, &m.Coupons}, {&n.Skus, &m.Skus}, {&n.Counters, &m.Counters}, {&n.Buyers, &m.Buyers},
		{&n.Promotions, &m.Promotions}, {&n.Templates, &m.Templates}, {&n.Channels, &m.Channels}, {&n.APIKeys, &m.APIKeys},
		{&n.Reconciliations, &m.Reconciliations}, {&n.Discrepancies, &m.Discrepancies},
	}
}

// MissingError is returned by Decide when it asked for rows that the command
// did not name: the engine loads them too and decides again.
type MissingError struct{ Needs Needs }

func (*MissingError) Error() string { return "the command needs more than was loaded" }

// Job is a call to the outside that a change needs: stored with it,
// attempted after it, retried with backoff, parked after its last try.
type Job struct {
	Kind    string    // JobClosePayment, …
	Payment string    // payment number
	Refund  string    // number of a refund at the channel
	Due     time.Time // not before; zero: at once
	Trace   string
}

// The kinds of jobs.
const (
	// JobClosePayment queries a payment at the channel and closes it there,
	// or settles it if it was paid.
	JobClosePayment = "close_payment"
	// JobQueryRefund queries a refund at the channel after a callback that
	// says that its state changed, but not how.
	JobQueryRefund = "query_refund"
)

// ChannelMessage is one message to or from a channel, kept as evidence and told by
// the timeline.
type ChannelMessage struct {
	ID        int64 // given by the store
	Order     string
	Payment   string
	Channel   string
	Kind      string // see MessageCallback and its neighbours
	Verdict   string // an Outcome, a refusal's stage, or how the call ended
	Detail    string
	At        time.Time
	Took      time.Duration
	Trace     string
	Header    []byte // JSON, of callbacks
	Body      []byte // raw, of callbacks; never of calls, which carry our signature
	MessageID string // the channel's id of a notification
}

// SavedKey is an idempotency key with the first answer.
type SavedKey struct {
	Key    string
	Hash   []byte
	Answer []byte
	Order  string // the order that the answer is about: the key lives as long
}

// Change is a row before and after; Old is nil for a new row.
type Change[D any] struct {
	Old *D
	New D
}

// CursorChange moves a follower's cursor; Old nil makes it.
type CursorChange struct {
	Follower string
	Old      *event.Position
	New      event.Position
}
