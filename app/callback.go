package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// MaxCallback is the most bytes that a callback may have: 64 KiB. The caller
// reads one more at most.
const MaxCallback = 64 << 10

// Of the refused callbacks of one shop's channel, RefusedKept in a minute are
// noted and logged, and RefusedInAll at most are kept; more are only counted,
// so that nobody can fill disk or log with rubbish.
const (
	RefusedKept  = 10
	RefusedInAll = 1000
)

// CallbackNote is what is kept of callbacks that are not kept whole.
type CallbackNote = rows.CallbackNote

// Callback is CallbackFrom of an unknown address.
func (a *App) Callback(ctx context.Context, shop, channel string, header http.Header, body []byte) (payment.CallbackAnswer, string, error) {
	return a.CallbackFrom(ctx, shop, channel, "", header, body)
}

// CallbackFrom takes one delivery of a channel's callback: verified, stored raw
// with its verdict, settled, and only then acknowledged. The second result
// is the verdict, for metrics. What is refused is answered with a 4xx: it is
// the sender's fault. A repeat is counted and not stored again.
func (a *App) CallbackFrom(
	ctx context.Context, shop, channel, remote string, header http.Header, body []byte,
) (payment.CallbackAnswer, string, error) {
	ch, err := a.Channels.Channel(ctx, shop, channel)
	if err != nil {
		return payment.CallbackAnswer{}, "no_channel", err
	}
	now := a.Clock.Now().UTC()
	notice, err := ch.Read(now, header, body)
	if err != nil {
		n := CallbackNote{Channel: channel, Reason: err.Error(), Remote: remote, At: now}
		verdict, status := string(payment.NotFactual), http.StatusBadRequest
		if refused, ok := errors.AsType[*payment.RefusedError](err); ok {
			verdict += ":" + string(refused.Stage)
			n.Stage, n.Reason, status = string(refused.Stage), refused.Reason, refusalStatus(refused.Stage)
		}
		a.noteRefused(ctx, shop, header, n)
		answer := ch.Answer(false)
		answer.Status = status
		return answer, verdict, nil
	}
	matters := evidence(header)
	kept, err := format.Header.Encode(&matters)
	if err != nil {
		return payment.CallbackAnswer{}, "no_header", err
	}
	x := ChannelMessage{Channel: channel, Kind: MessageCallback, At: now, Header: kept, Body: body, MessageID: notice.ID, Detail: notice.Type}
	if notice.Hint != nil {
		outcome, err := a.Settle(ctx, shop, notice.PaymentNo, *notice.Hint, x)
		if err != nil {
			a.Log.ErrorContext(ctx, "a callback could not be applied", "shop", shop, "paymentNo", notice.PaymentNo, "error", err)
			return ch.Answer(false), "not_applied", nil
		}
		if outcome != payment.Repeated { // it is stored whole already
			x.Header, x.Body = nil, nil
		}
	}
	outcome, err := a.Settle(ctx, shop, notice.PaymentNo, notice.Fact, x)
	if err != nil {
		// Not applied, so not acknowledged: the channel will send it again.
		a.Log.ErrorContext(ctx, "a callback could not be applied", "shop", shop, "paymentNo", notice.PaymentNo, "error", err)
		return ch.Answer(false), "not_applied", nil
	}
	answer := ch.Answer(outcome != payment.Orphan)
	if outcome == payment.Orphan {
		answer.Status = http.StatusNotFound
	}
	return answer, string(outcome), nil
}

// refusalStatus is the HTTP status of a callback that failed a check.
func refusalStatus(s payment.Stage) int {
	switch s {
	case payment.StageSize:
		return http.StatusRequestEntityTooLarge
	case payment.StageTimestamp, payment.StageSerial, payment.StageSignature:
		return http.StatusUnauthorized
	case payment.StageDecrypt, payment.StageBody:
	}
	return http.StatusBadRequest
}

// evidenceHeaders are the headers of a callback that matter: those that its
// signature covers, and those that name it to the channel's support.
var evidenceHeaders = []string{
	"Content-Type", requestIDHeader, serialHeader, "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Signature-Type", "Wechatpay-Timestamp",
}

const (
	requestIDHeader = "Request-Id"
	serialHeader    = "Wechatpay-Serial"
)

// maxHeader bounds a header that is kept; signatures have some 350 bytes.
const maxHeader = 1024

// evidence is the part of a callback's header that is kept.
func evidence(h http.Header) map[string][]string {
	kept := map[string][]string{}
	for _, name := range evidenceHeaders {
		if v := h.Get(name); v != "" && len(v) <= maxHeader {
			kept[name] = []string{v}
		}
	}
	return kept
}

// keep stores a channel message that changes nothing else.
func (a *App) keep(ctx context.Context, shop string, x ChannelMessage) error {
	_, err := Run(ctx, a, &Command{Shop: shop, Name: "keep channel message", Trace: a.Tracer.Parent(ctx)}, func(tx *Tx) error {
		tx.Keep(x)
		return nil
	})
	return err
}

// noteRefused notes and logs a refused callback while its minute's share
// lasts. Notes write over each other in a ring, whose place follows from the
// minute, so that it needs no counter.
func (a *App) noteRefused(ctx context.Context, shop string, h http.Header, n CallbackNote) {
	place, ok := a.refused.take(shop+"/"+n.Channel, n.At)
	if !ok {
		return
	}
	n.Serial, n.RequestID = clip(h.Get(serialHeader)), clip(h.Get(requestIDHeader))
	n.Reason, n.Remote = clip(n.Reason), clip(n.Remote)
	minute := n.At.Unix() / 60
	n.ID = fmt.Sprintf("refused/%s/%03d", n.Channel, (minute*RefusedKept+int64(place))%RefusedInAll)
	a.Log.InfoContext(ctx, "a callback was refused", "shop", shop, "channel", n.Channel, "stage", n.Stage, "reason", n.Reason,
		"serial", n.Serial, "remote", n.Remote, "requestId", n.RequestID)
	_, err := Run(ctx, a, &Command{
		Shop: shop, Name: "note refused callback", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.CallbackNotes.Keys(n.ID)},
	}, func(tx *Tx) error {
		return tx.note(n)
	})
	if err != nil {
		a.Log.WarnContext(ctx, "a refused callback was not noted", "shop", shop, "channel", n.Channel, "error", err)
	}
}

// clip makes a text of the sender's one that every store takes, and short.
func clip(s string) string {
	out := make([]rune, 0, min(len(s), maxNoted))
	for _, r := range s {
		if len(out) == maxNoted {
			break
		}
		if r < ' ' || r == 0x7f {
			r = '.'
		}
		out = append(out, r)
	}
	return string(out)
}

// maxNoted is the most characters of a text in a note.
const maxNoted = 200

// note stores a note, over the one that has its id.
func (t *Tx) note(n CallbackNote) error {
	old, err := unit.Get(t.Tx, rows.CallbackNotes, n.ID)
	if err != nil {
		return err
	}
	n.Version = 0
	if old != nil {
		n.Version = old.Version
	}
	unit.Put(t.Tx, rows.CallbackNotes, n)
	return nil
}

// keepOnce stores a callback that tells nothing new the first time that it
// comes, if it was not stored as news, and counts it afterwards.
func (t *Tx) keepOnce(x ChannelMessage) error {
	if x.Kind != MessageCallback {
		t.Keep(x)
		return nil
	}
	n := CallbackNote{
		ID: "repeats/" + x.Channel + "/" + x.Payment, Channel: x.Channel, Order: x.Order, Payment: x.Payment, At: t.Now(),
	}
	old, err := unit.Get(t.Tx, rows.CallbackNotes, n.ID)
	if err != nil {
		return err
	}
	if old == nil && x.Verdict == string(payment.Orphan) {
		t.Keep(x)
	}
	n.Times = 1
	if old != nil {
		n.Times += old.Times
	}
	return t.note(n)
}

// share counts takes per key and minute.
type share struct {
	mu     sync.Mutex
	minute time.Time
	taken  map[string]int
}

// take says whether there is something left, and how much was taken before.
func (s *share) take(key string, now time.Time) (before int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := now.Truncate(time.Minute); !m.Equal(s.minute) || s.taken == nil {
		s.minute, s.taken = m, map[string]int{}
	}
	before = s.taken[key]
	s.taken[key]++
	return before, before < RefusedKept
}
