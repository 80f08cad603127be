package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/sandbox/trade"
)

// Run delivers callbacks until ctx ends or the gateway is closed, by a fixed
// number of workers. It returns nil then. Only one Run may be under way.
func (g *Gateway) Run(ctx context.Context) error {
	if !g.running.CompareAndSwap(false, true) {
		return errors.New("sandbox: Run is running already")
	}
	defer g.running.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.env.Life, cancel)()

	work := make(chan *trade.Delivery)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(work)
	for range g.options.Workers {
		workers.Go(func() {
			for d := range work {
				g.deliver(ctx, d)
			}
		})
	}

	var alarm <-chan time.Time // fires when the delivery due at alarmAt is due
	var alarmAt time.Time
	for ctx.Err() == nil {
		d, next, ok := g.book.Next()
		if d != nil {
			select {
			case work <- d:
			case <-ctx.Done():
				g.book.PutBack(d)
			}
			continue
		}
		// An alarm that is too early costs one look; setting one per look
		// would pile them up in a clock that stands still.
		if ok && (alarm == nil || next.Before(alarmAt)) {
			alarm, alarmAt = g.alarm(next), next
		}
		select {
		case <-g.book.Changed:
		case <-alarm:
			alarm = nil
		case <-ctx.Done():
		}
	}
	return nil
}

// alarm returns a channel that receives at t. A clock that is moved between
// reading it and waiting on it would ring late by that much: hence the loop.
func (g *Gateway) alarm(t time.Time) <-chan time.Time {
	for {
		before := g.book.Now()
		ch := g.book.Clock.After(t.Sub(before))
		if g.book.Now().Sub(before) < 100*time.Millisecond || !g.book.Now().Before(t) {
			return ch
		}
	}
}

// DeliverDue delivers everything that is due by now, one after another in the
// order of being due, retries that become due on the way included, and returns
// how many tries it made. It is Run for a caller that wants no goroutines: a
// simulation, or a test on a clock that stands still.
func (g *Gateway) DeliverDue(ctx context.Context) int {
	tries := 0
	for ctx.Err() == nil {
		d, _, _ := g.book.Next()
		if d == nil {
			break
		}
		tries += g.deliver(ctx, d)
	}
	return tries
}

// NextDelivery is when the next callback is due, or a refund's end, which
// makes one; ok is false when nothing is.
func (g *Gateway) NextDelivery() (due time.Time, ok bool) { return g.book.NextDue() }

// deliver makes one try, or two at once, and returns how many it made.
func (g *Gateway) deliver(ctx context.Context, d *trade.Delivery) int {
	send := g.book.Begin(d)
	attempts := make([]trade.Attempt, send.Copies)
	var others sync.WaitGroup
	for i := 1; i < send.Copies; i++ {
		others.Go(func() { attempts[i] = g.attempt(ctx, d.Notice, send, i) })
	}
	attempts[0] = g.attempt(ctx, d.Notice, send, 0)
	others.Wait()
	accepted := slices.ContainsFunc(attempts, func(a trade.Attempt) bool { return a.OK })
	if !accepted && ctx.Err() != nil { // we are stopping: this says nothing about the shop
		g.book.PutBack(d)
	} else {
		g.book.Finish(d, attempts)
	}
	return send.Copies
}

// attempt sends the n-th copy of the notice. A forged one is never OK, whatever the
// shop answers: the true one must still come.
func (g *Gateway) attempt(ctx context.Context, n *trade.Notice, send trade.Send, nth int) trade.Attempt {
	a := trade.Attempt{At: g.book.Now(), Forged: send.Forged}
	p := g.protocolOf(n.Trade)
	header, body, key, err := p.Callback(n, send.Try+nth, send.Forged)
	a.Key = key
	var answer []byte
	if err == nil {
		a.Status, answer, err = g.post(ctx, send.URL, header, body)
	}
	switch {
	case err != nil:
		a.Error = err.Error()
	case send.Forged != "":
		if p.Accepted(a.Status, answer) {
			a.Error = "the shop accepted a wrong signature"
		}
	default:
		a.OK = p.Accepted(a.Status, answer)
	}
	g.options.Log.Debug("sandbox: callback sent", "outTradeNo", n.Trade.No, "id", n.ID, "status", a.Status, "ok", a.OK, "error", a.Error)
	return a
}

func (g *Gateway) post(ctx context.Context, url string, header http.Header, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = header
	res, err := g.options.Client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("send: %w", err)
	}
	defer res.Body.Close()
	// The status counts for some protocols, the text for others. A text that
	// breaks off is judged by what came of it.
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	return res.StatusCode, answer, nil
}

// protocolOf is the protocol of a trade, as this package knows it.
func (g *Gateway) protocolOf(t *trade.Trade) protocol {
	for _, p := range g.protocols {
		if p.Name() == t.Protocol.Name() {
			return p
		}
	}
	panic("sandbox: a trade of an unknown protocol")
}
