package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/sandbox"
)

// IsolationOptions say what is beside the load on the channel that is well.
type IsolationOptions struct {
	Requests int64 // on it, at most: half of them openings, half callbacks
	Hanging  int   // clients that keep opening payments on the one that hangs; 0: it is left alone
}

// retryPause is how long a client waits after it found that a channel does not
// answer. Without it, those who are refused at once would measure what they
// cost, and not what the channel does to others.
const retryPause = 100 * time.Millisecond

// hangingOrders is how many orders the clients of the channel that hangs go
// round; the second time, each repeats its request.
const hangingOrders = 1024

// Isolation measures requests on a channel that is well, payments opened and
// callbacks settled in turn, while others open payments on a channel that
// hangs.
func Isolation(ctx context.Context, t Target, s *Shop, k *sandbox.Keys, o IsolationOptions, p Pace, progress Progress) (*Report, error) {
	if o.Requests < 2 || o.Requests > 2*MaxCallbacks {
		return nil, fmt.Errorf("%d requests: want 2 to %d", o.Requests, 2*MaxCallbacks)
	}
	if err := PutChannel(ctx, t, SlowChannel, ChannelSettings(k, SlowChannel)); err != nil {
		return nil, err
	}
	plain := &Shop{Name: s.Name, Skus: s.Skus} // without coupons
	fresh, opened, stuck := newLives(t, plain, k, o.Requests/2), newLives(t, plain, k, o.Requests/2), newLives(t, plain, k, hangingOrders)
	before := Pace{Clients: 64, For: 10 * time.Minute}
	for _, j := range []job{fresh.place(), opened.place(), opened.open(), stuck.place()} {
		if _, err := j.run(ctx, t, before, progress); err != nil {
			return nil, fmt.Errorf("isolation: %s: %w", j.stage, err)
		}
	}
	if err := opened.sign(ctx, progress); err != nil {
		return nil, err
	}

	run, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	count := hanging{begun: make(chan struct{})}
	stop := func() {}
	if o.Hanging > 0 {
		stop = stuck.keepOpening(run, &count, o.Hanging, fail)
		select {
		case <-count.begun:
		case <-run.Done():
		}
	}
	stage, err := openAndPay(fresh, opened).run(run, t, p, progress)
	stop()
	if cause := context.Cause(run); cause != nil {
		err = cause
	}
	if err != nil {
		return nil, fmt.Errorf("isolation: %w", err)
	}
	r := &Report{Scenario: "isolation", Rate: stage.Rate, Stages: []Stage{stage}}
	if o.Hanging > 0 {
		r.Note = fmt.Sprintf("%d payments requested at a channel that hangs, %d timed out, %d refused at once",
			count.opened.Load(), count.timedOut.Load(), count.refused.Load())
	}
	if stage.Seconds < 0.9*p.orDefaults().For.Seconds() {
		r.Note = strings.TrimPrefix(fmt.Sprintf("%s; all requests were made after %.1f s", r.Note, stage.Seconds), "; ")
	}
	return r, nil
}

// openAndPay opens payments of the fresh orders and pays those that are
// opened, in turn.
func openAndPay(fresh, opened *lives) job {
	return job{stage: "open and settle", total: int64(2 * len(fresh.list)), strict: true, do: func(c *client, i int64) error {
		if i%2 == 0 {
			return fresh.openOne(c, i/2)
		}
		return opened.pay(c, i/2)
	}}
}

// hanging counts how requests to a channel that hangs ended.
type hanging struct {
	opened, timedOut, refused atomic.Int64
	begun                     chan struct{} // closed at the first of them
}

// keepOpening has clients open payments at the channel that hangs until stop
// is called. That they are not answered is intended; fail gets
// anything else.
func (l *lives) keepOpening(ctx context.Context, count *hanging, clients int, fail context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := job{stage: "hang", strict: true, do: func(c *client, i int64) error {
			if count.opened.Add(1) == 1 {
				close(count.begun)
			}
			status, answer, err := l.requestPayment(c, i%int64(len(l.list)), SlowChannel)
			switch {
			case err != nil:
				return err
			case status == http.StatusGatewayTimeout:
				count.timedOut.Add(1)
			case status == http.StatusBadGateway:
				count.refused.Add(1)
			default:
				return refused(status, answer)
			}
			time.Sleep(retryPause)
			return nil
		}}.run(ctx, l.t, Pace{Clients: clients, For: time.Hour}, nil)
		if err != nil && !errors.Is(err, context.Canceled) {
			fail(fmt.Errorf("the channel that hangs: %w", err))
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
