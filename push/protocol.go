package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
)

// request is a client's message:
//
//	{"type":"auth","token":"ct_…"}
//	{"type":"subscribe","orderNo":"…","after":7}   after: the last seq that the client has
//	{"type":"subscribe"}                           with a client token: its order
//	{"type":"subscribe","userId":"…"}              with a secret key; after: a position
//	{"type":"subscribe","shop":true,"after":"7"} likewise
//	{"type":"unsubscribe","orderNo":"…"}           without a name: everything
type request struct {
	Type  string          `json:"type"`
	Token string          `json:"token"`
	Order string          `json:"orderNo"`
	User  string          `json:"userId"`
	Shop  bool            `json:"shop"`
	After json.RawMessage `json:"after"`

	seq   *int64  // After of an order
	place *string // After of the log
}

const maxName = 64 // bytes of an order number or user id

// parse reads a client's message. Its error is a fault.
func parse(data []byte) (*request, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var q request
	if err := d.Decode(&q); err != nil {
		// encoding/json has no error type of its own for this.
		if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return nil, fault.New(fault.UnknownField, "there is no field %s in these messages", name)
		}
		return nil, fault.New(fault.ValidationFailed, "not a JSON object that this socket understands")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.ValidationFailed, "one JSON object in each message")
	}
	return &q, q.check()
}

func (q *request) check() error {
	named := 0
	for _, is := range []bool{q.Order != "", q.User != "", q.Shop} {
		if is {
			named++
		}
	}
	switch {
	case q.Type != "auth" && q.Type != "subscribe" && q.Type != "unsubscribe":
		return fault.Invalidf("/type", "must be auth, subscribe or unsubscribe")
	case q.Type == "auth" && q.Token == "":
		return fault.Invalidf("/token", "required: ct_… or sk_…")
	case named > 1:
		return fault.Invalidf("", "name one of orderNo, userId and shop")
	case len(q.Order) > maxName:
		return fault.Invalidf("/orderNo", "at most %d characters", maxName)
	case len(q.User) > maxName:
		return fault.Invalidf("/userId", "at most %d characters", maxName)
	case q.After == nil || string(q.After) == "null":
		return nil
	case q.User != "" || q.Shop:
		var s string
		if json.Unmarshal(q.After, &s) == nil {
			_, err := event.ParsePosition(s)
			if _, former := event.ParseFormer(s); err == nil || former {
				q.place = &s
				return nil
			}
		}
		return fault.Invalidf("/after", "must be a position as the messages carry it")
	}
	var seq int64
	if err := json.Unmarshal(q.After, &seq); err != nil || seq < 0 {
		return fault.Invalidf("/after", "must be the last seq that you have, or 0 for all")
	}
	q.seq = &seq
	return nil
}

// answer is what the server says beside events.
type answer format.PushAnswer

// frame of the answer; at is where the order's sequence stands after it.
func (a answer) frame(at int64) frame { return encode(at, a.Type, a) }
