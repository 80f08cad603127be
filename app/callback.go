package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// MaxCallback is the most bytes that a callback may have: 64 KiB. The caller
// reads one more at most.
const MaxCallback = 64 << 10

// RefusedKept is how many refused callbacks of one shop's channel are stored
// in a minute; more are only counted, so that nobody can fill the disk with
// rubbish.
const RefusedKept = 60

// Callback takes one delivery of a channel's callback: verified, stored raw
// with its verdict, settled, and only then acknowledged. The second result
// is the verdict, for metrics.
func (a *App) Callback(ctx context.Context, shop, channel string, header http.Header, body []byte) (payment.CallbackAnswer, string, error) {
	ch, err := a.Channels.Channel(ctx, shop, channel)
	if err != nil {
		return payment.CallbackAnswer{}, "no_channel", err
	}
	now := a.Clock.Now().UTC()
	x := ChannelMessage{Channel: channel, Kind: MessageCallback, At: now, Header: headerJSON(header), Body: body}

	notice, err := ch.Read(now, header, body)
	if err != nil {
		verdict := string(payment.NotFactual)
		var refused *payment.RefusedError
		if errors.As(err, &refused) {
			verdict += ":" + string(refused.Stage)
		}
		x.Verdict, x.Detail = verdict, err.Error()
		if len(x.Body) > MaxCallback {
			x.Body = x.Body[:MaxCallback]
		}
		a.keepRefused(ctx, shop, x)
		return ch.Answer(false), verdict, nil
	}
	x.MessageID, x.Detail = notice.ID, notice.Type
	outcome, err := a.Settle(ctx, shop, notice.PaymentNo, notice.Fact, x)
	if err != nil {
		// Not applied, so not acknowledged: the channel will send it again.
		a.Log.ErrorContext(ctx, "a callback could not be applied", "shop", shop, "paymentNo", notice.PaymentNo, "error", err)
		return ch.Answer(false), "not_applied", nil
	}
	return ch.Answer(outcome != payment.Orphan), string(outcome), nil
}

// headerJSON is what json.Marshal makes of a header, without its reflection.
func headerJSON(h http.Header) []byte {
	if h == nil {
		return []byte("null")
	}
	names, size := make([]string, 0, len(h)), 2
	for name, values := range h {
		names, size = append(names, name), size+len(name)+6
		for _, v := range values {
			size += len(v) + 3
		}
	}
	slices.Sort(names)
	b := append(make([]byte, 0, size), '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(b, name), ":["...)
		for j, v := range h[name] {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, v)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendJSON appends a string. Headers hardly ever have anything in them that
// is written otherwise than it is.
func appendJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// keep stores a channel message that changes nothing else.
func (a *App) keep(ctx context.Context, shop string, x ChannelMessage) error {
	_, err := Run(ctx, a, &Command{Shop: shop, Name: "keep channel message", Trace: a.Tracer.Parent(ctx)}, func(tx *Tx) error {
		tx.Keep(x)
		return nil
	})
	return err
}

// keepRefused stores a refused callback while its minute's share lasts.
func (a *App) keepRefused(ctx context.Context, shop string, x ChannelMessage) {
	if !a.refused.take(shop+"/"+x.Channel, x.At) {
		return
	}
	if err := a.keep(ctx, shop, x); err != nil {
		a.Log.WarnContext(ctx, "a refused callback was not stored", "shop", shop, "channel", x.Channel, "error", err)
	}
}

// share counts takes per key and minute.
type share struct {
	mu     sync.Mutex
	minute time.Time
	taken  map[string]int
}

func (s *share) take(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := now.Truncate(time.Minute); !m.Equal(s.minute) || s.taken == nil {
		s.minute, s.taken = m, map[string]int{}
	}
	s.taken[key]++
	return s.taken[key] <= RefusedKept
}
