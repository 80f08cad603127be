package app

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/format"
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
	kept, err := format.Header.Encode((*map[string][]string)(&header))
	if err != nil {
		return payment.CallbackAnswer{}, "no_header", err
	}
	x := ChannelMessage{Channel: channel, Kind: MessageCallback, At: now, Header: kept, Body: body}

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
	if notice.Hint != nil {
		if _, err := a.Settle(ctx, shop, notice.PaymentNo, *notice.Hint, x); err != nil {
			a.Log.ErrorContext(ctx, "a callback could not be applied", "shop", shop, "paymentNo", notice.PaymentNo, "error", err)
			return ch.Answer(false), "not_applied", nil
		}
	}
	outcome, err := a.Settle(ctx, shop, notice.PaymentNo, notice.Fact, x)
	if err != nil {
		// Not applied, so not acknowledged: the channel will send it again.
		a.Log.ErrorContext(ctx, "a callback could not be applied", "shop", shop, "paymentNo", notice.PaymentNo, "error", err)
		return ch.Answer(false), "not_applied", nil
	}
	return ch.Answer(outcome != payment.Orphan), string(outcome), nil
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
