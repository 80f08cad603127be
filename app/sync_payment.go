package app

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/payment"
)

// SyncPayment queries a payment at the channel now, and settles the answer. It
// returns the payment as it is afterwards.
func (a *App) SyncPayment(ctx context.Context, shop, no string) (payment.Data, error) {
	p, err := a.Store.Payment(ctx, shop, no)
	if err != nil {
		return p, err
	}
	ch, err := a.Channels.Channel(ctx, shop, p.Channel)
	if err != nil {
		return p, err
	}
	if err := a.queryAndSettle(ctx, shop, &ch, p); err != nil {
		return p, channelFault(p.Channel, err)
	}
	return a.Store.Payment(ctx, shop, no)
}

// SyncEvery is how long a payment's last answer stands for those who ask for
// another; each instance keeps its own time.
const SyncEvery = 3 * time.Second

// SyncPaymentNow is SyncPayment for callers who may ask as often as they like:
// the channel is queried at most once in SyncEvery for a payment, and
// otherwise the payment is returned as it is.
func (a *App) SyncPaymentNow(ctx context.Context, shop, no string) (payment.Data, error) {
	if !a.synced.due(shop+"/"+no, a.Clock.Now()) {
		return a.Store.Payment(ctx, shop, no)
	}
	p, err := a.SyncPayment(ctx, shop, no)
	if err != nil {
		a.synced.forget(shop + "/" + no) // there is no answer that could stand
	}
	return p, err
}

// paced says when something was done last, by key.
type paced struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due says whether it may be done again, and notes that it is.
func (p *paced) due(key string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.last[key]; ok && now.Sub(at) < SyncEvery {
		return false
	}
	if len(p.last) >= maxPaced {
		maps.DeleteFunc(p.last, func(_ string, at time.Time) bool { return now.Sub(at) >= SyncEvery })
	}
	if p.last == nil || len(p.last) >= maxPaced {
		p.last = map[string]time.Time{}
	}
	p.last[key] = now
	return true
}

func (p *paced) forget(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, key)
}

// maxPaced bounds the memory of a paced.
const maxPaced = 10_000

// queryAndSettle queries the channel once and settles the answer. The error is
// the channel's (or the engine's); ErrNotExist is one.
func (a *App) queryAndSettle(ctx context.Context, shop string, ch *Configured, p payment.Data) error {
	f, x, err := a.query(ctx, ch, p)
	if err != nil {
		if kept := a.queryUnanswered(ctx, shop, p, x); kept != nil {
			return kept
		}
		return err
	}
	_, err = a.Settle(context.WithoutCancel(ctx), shop, p.No, f, x)
	return err
}

func (a *App) query(ctx context.Context, ch *Configured, p payment.Data) (payment.Fact, ChannelMessage, error) {
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	x := ChannelMessage{Order: p.Order, Payment: p.No, Channel: p.Channel, Kind: MessageQuery, At: a.Clock.Now().UTC()}
	began := time.Now()
	call, end := a.Tracer.Start(call, "channel query", p.Trace)
	f, err := ch.Query(call, p.No)
	end(err)
	x.TookUS = time.Since(began).Microseconds()
	if err != nil {
		x.Verdict, x.Detail = verdict(err), err.Error()
	}
	return f, x, err
}

// queryUnanswered records a query without an answer, and schedules the next one.
func (a *App) queryUnanswered(ctx context.Context, shop string, p payment.Data, x ChannelMessage) error {
	_, err := Run(context.WithoutCancel(ctx), a, &Command{
		Shop: shop, Name: "query unanswered", Trace: p.Trace, Needs: Needs{rows.Payments.Keys(p.No)},
	}, func(tx *Tx) error {
		q, err := tx.Payment(p.No)
		if err != nil {
			return err
		}
		if d := q.Data(); d.Open() || !d.NextQueryAt.IsZero() {
			q.Queried(tx.Now())
			tx.PutPayment(q)
		}
		tx.Keep(x)
		return nil
	})
	return err
}

// ClosePayment closes an open payment at the channel, or settles it if it was
// paid: it always queries the channel first, and money wins. A payment that is
// not open is returned as it is. The error is a channel's sentinel if the
// channel gave no certain answer: then the payment is unchanged.
func (a *App) ClosePayment(ctx context.Context, shop, no string) (payment.Data, error) {
	p, err := a.Store.Payment(ctx, shop, no)
	if err != nil || !p.Open() {
		return p, err
	}
	ch, err := a.Channels.Channel(ctx, shop, p.Channel)
	if err != nil {
		return p, err
	}
	err = a.queryAndSettle(ctx, shop, &ch, p)
	switch {
	case err == nil:
		if p, err = a.Store.Payment(ctx, shop, no); err != nil || !p.Open() {
			return p, err
		}
	case errors.Is(err, payment.ErrNotExist):
		if p.Status == payment.StatusPending {
			// The channel accepted our prepay, but nobody has opened the code
			// yet: before then this channel has nothing that it could close.
			return a.settleClosed(ctx, shop, p, NobodyOpened, ChannelMessage{})
		}
		// The channel may still be working on our prepay. After a while it is
		// certain that the prepay never arrived.
		if a.Clock.Now().Sub(p.CreatedAt) < neverThere {
			return p, err
		}
		return a.settleClosed(ctx, shop, p, "never reached the channel", ChannelMessage{})
	default:
		return p, err
	}
	return a.closeAt(ctx, shop, &ch, p)
}

// NobodyOpened is the reason of a close that could not be made at the channel.
// The code can still be paid until it expires; such money is late.
const NobodyOpened = "nobody had opened it"

// neverThere is the age from which a payment that the channel does not know is
// assumed never to have reached it. It is well over the longest call.
const neverThere = 30 * time.Second

func (a *App) closeAt(ctx context.Context, shop string, ch *Configured, p payment.Data) (payment.Data, error) {
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	x := ChannelMessage{At: a.Clock.Now().UTC()}
	began := time.Now()
	call, end := a.Tracer.Start(call, "channel close", p.Trace)
	err := ch.Close(call, p.No)
	end(err)
	x.TookUS = time.Since(began).Microseconds()
	switch {
	case err == nil:
		return a.settleClosed(ctx, shop, p, "closed by us", x)
	case errors.Is(err, payment.ErrClosed):
		return a.settleClosed(ctx, shop, p, "was closed", x)
	case errors.Is(err, payment.ErrPaid):
		if err := a.queryAndSettle(ctx, shop, ch, p); err != nil {
			return p, err
		}
		return a.Store.Payment(ctx, shop, p.No)
	}
	x.Order, x.Payment, x.Channel, x.Kind, x.Verdict, x.Detail = p.Order, p.No, p.Channel, MessageClose, verdict(err), err.Error()
	if kept := a.queryUnanswered(ctx, shop, p, x); kept != nil {
		return p, kept
	}
	return p, err
}

func (a *App) settleClosed(ctx context.Context, shop string, p payment.Data, reason string, x ChannelMessage) (payment.Data, error) {
	x.Order, x.Payment, x.Channel, x.Kind, x.Detail = p.Order, p.No, p.Channel, MessageClose, reason
	if x.At.IsZero() {
		x.At = a.Clock.Now().UTC()
	}
	f := payment.Fact{ID: "closed", Kind: payment.Closed, Source: payment.ByClose, Reported: reason}
	if _, err := a.Settle(context.WithoutCancel(ctx), shop, p.No, f, x); err != nil {
		return p, err
	}
	return a.Store.Payment(ctx, shop, p.No)
}
