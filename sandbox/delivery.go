package sandbox

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// notice is one callback to the shop, in all its tries. What announce sets
// does not change; the rest is guarded by Gateway.mu.
type notice struct {
	trade   *trade
	payment *payment
	refund  *refund     // nil: it tells of the payment
	state   RefundState // of the refund, when it was announced
	at      time.Time   // of that state
	account string      // where the refund goes, then
	total   int64       // fen of the payment that had gone back by then
	url     string
	id      string
	salt    string // 12 characters: the nonce of the encryption
	created time.Time
	first   time.Time // when the first try is due; the plan counts from here
	serial  uint64    // its number among all notices
	forge   Fault     // what is wrong with the signature of the first try
	copies  int       // of the first try, at the same moment
	behind  Fault     // what it waits for to have gone first: Reordered or RefundBeforePayment
	again   int       // how often to send it once more after it was accepted
	lost    bool

	delivered bool
	next      time.Time // of the planned try; zero: none
	tries     int
	attempts  []Attempt // the last few
}

// Attempt is one try to deliver a callback.
type Attempt struct {
	At     time.Time `json:"at"`
	Key    string    `json:"key"`              // certificate or public_key: what it was signed with
	Forged Fault     `json:"forged,omitempty"` // set when the signature was wrong on purpose
	Status int       `json:"status,omitempty"` // of the shop's answer
	Error  string    `json:"error,omitempty"`  // when there was none
	OK     bool      `json:"ok"`
}

// keepAttempts is how many attempts of a callback are remembered: all of the
// plan and a few by hand.
const keepAttempts = 20

// delivery is a notice that is due at some time.
type delivery struct {
	notice *notice
	due    time.Time
	order  uint64 // of being queued, to break ties
	try    int    // index in the plan; byHand when it is outside of it
}

const byHand = -1

// queue is a heap of deliveries, the earliest first.
type queue []*delivery

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*delivery)) }
func (q queue) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].order < q[j].order
	}
	return q[i].due.Before(q[j].due)
}
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}

// announce makes the notices that tell of p, and queues them if the shop is
// to be told. g.mu is held.
func (g *Gateway) announce(t *trade, p *payment, tell bool) {
	g.tell(OpCallback, notice{trade: t, payment: p, url: t.notifyURL, created: g.now()}, tell && t.notifyURL != "")
}

// announceRefund makes and queues the notices that tell of what has become of
// r. A shop that gave no address is not told. g.mu is held.
func (g *Gateway) announceRefund(r *refund, at time.Time) {
	if r.notifyURL != "" && r.trade.speaks.tells(r.state) {
		g.tell(OpRefundCallback, notice{trade: r.trade, payment: r.payment, refund: r, state: r.state, at: at, account: r.account, total: r.payment.returned, url: r.notifyURL, created: at}, true)
	}
}

// tell makes notices after the pattern, struck by a fault of op or not.
func (g *Gateway) tell(op Op, pattern notice, tell bool) {
	t, now := pattern.trade, pattern.created
	fresh := func() *notice {
		g.noticed++
		n := new(notice)
		*n = pattern
		n.id, n.salt, n.first, n.serial, n.copies = g.random.uuid(), g.random.text(12, alnum), now, g.noticed, 1
		t.notices = append(t.notices, n)
		return n
	}
	n := fresh()
	if !tell {
		return
	}
	switch hit := g.strike(op, t.no); hit.Fault {
	case Lost:
		n.lost = true
		return
	case Duplicated:
		n.again = 1
	case Twins:
		n.copies = 2
	case Delayed:
		n.first = now.Add(hit.Delay)
	case Reordered, RefundBeforePayment:
		n.first, n.behind = now.Add(hit.Delay), hit.Fault
		g.held = append(g.held, n)
	case SecondID:
		g.enqueue(fresh(), now, 0)
	case SigntestProbe, CorruptSignature, Unsigned:
		n.forge = hit.Fault
	}
	g.enqueue(n, n.first, 0)
}

// resend queues every notice of t for a try right now, outside of the plan.
// g.mu is held.
func (g *Gateway) resend(t *trade) error {
	if len(t.notices) == 0 {
		return ErrUnpaid
	}
	for _, n := range t.notices {
		g.enqueue(n, g.now(), byHand)
	}
	return nil
}

func (g *Gateway) enqueue(n *notice, due time.Time, try int) {
	if try != byHand {
		n.next = due
	}
	g.queued++
	heap.Push(&g.queue, &delivery{notice: n, due: due, order: g.queued, try: try})
	g.wake()
}

// wake lets Run look at what is due.
func (g *Gateway) wake() {
	select {
	case g.kick <- struct{}{}:
	default: // Run has been told already
	}
}

// release lets go of the notices that were held until one like this had been
// sent. g.mu is held.
func (g *Gateway) release(sent *notice) {
	g.held = slices.DeleteFunc(g.held, func(n *notice) bool {
		switch {
		case n == sent || n.tries > 0: // its time was up
			return true
		case n.behind == RefundBeforePayment && (sent.refund == nil || sent.payment != n.payment):
			return false
		}
		i := slices.IndexFunc(g.queue, func(d *delivery) bool { return d.notice == n && d.try == 0 })
		if i >= 0 {
			n.first, n.next = g.now(), g.now()
			g.queue[i].due = n.first
			heap.Fix(&g.queue, i)
			g.wake()
		}
		return true
	})
}

// pop takes the earliest delivery that is due. When there is none it says
// when the next one will be; ok is false when the queue is empty.
func (g *Gateway) pop() (d *delivery, next time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.catchUp()
	now := g.now()
	for len(g.queue) > 0 {
		if d = g.queue[0]; d.due.After(now) {
			break
		}
		heap.Pop(&g.queue)
		if d.notice.delivered && d.try != byHand {
			d.notice.next = time.Time{} // it got through by hand meanwhile
			continue
		}
		return d, time.Time{}, true
	}
	next, ok = g.nextDue()
	return nil, next, ok
}

// nextDue is when the next delivery or task is due. g.mu is held.
func (g *Gateway) nextDue() (due time.Time, ok bool) {
	if len(g.queue) > 0 {
		due, ok = g.queue[0].due, true
	}
	if len(g.agenda) > 0 && (!ok || g.agenda[0].due.Before(due)) {
		due, ok = g.agenda[0].due, true
	}
	return due, ok
}

// Run delivers callbacks until ctx ends or the gateway is closed, by a fixed
// number of workers. It returns nil then. Only one Run may be under way.
func (g *Gateway) Run(ctx context.Context) error {
	if !g.running.CompareAndSwap(false, true) {
		return errors.New("sandbox: Run is running already")
	}
	defer g.running.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.life, cancel)()

	work := make(chan *delivery)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(work)
	for range g.workers {
		workers.Go(func() {
			for d := range work {
				g.deliver(ctx, d)
			}
		})
	}

	var alarm <-chan time.Time // fires when the delivery due at alarmAt is due
	var alarmAt time.Time
	for ctx.Err() == nil {
		d, next, ok := g.pop()
		if d != nil {
			select {
			case work <- d:
			case <-ctx.Done():
				g.putBack(d)
			}
			continue
		}
		// An alarm that is too early costs one look; setting one per look
		// would pile them up in a clock that stands still.
		if ok && (alarm == nil || next.Before(alarmAt)) {
			alarm, alarmAt = g.alarm(next), next
		}
		select {
		case <-g.kick:
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
		before := g.now()
		ch := g.clock.After(t.Sub(before))
		if g.now().Sub(before) < 100*time.Millisecond || !g.now().Before(t) {
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
		d, _, _ := g.pop()
		if d == nil {
			break
		}
		tries += g.deliver(ctx, d)
	}
	return tries
}

// NextDelivery is when the next callback is due, or a refund's end, which
// makes one; ok is false when nothing is.
func (g *Gateway) NextDelivery() (due time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.nextDue()
}

func (g *Gateway) putBack(d *delivery) {
	g.mu.Lock()
	defer g.mu.Unlock()
	heap.Push(&g.queue, d)
}

// deliver makes one try, or two at once, and plans what follows.
func (g *Gateway) deliver(ctx context.Context, d *delivery) int {
	n := d.notice
	copies, forge := 1, Fault("")
	if d.try == 0 {
		copies, forge = n.copies, n.forge
	}
	g.mu.Lock()
	first := n.tries
	n.tries += copies
	g.mu.Unlock()

	attempts := make([]Attempt, copies)
	var twins sync.WaitGroup
	for i := 1; i < copies; i++ {
		twins.Go(func() { attempts[i] = g.attempt(ctx, n, first+i, forge) })
	}
	attempts[0] = g.attempt(ctx, n, first, forge)
	twins.Wait()
	ok := slices.ContainsFunc(attempts, func(a Attempt) bool { return a.OK })
	if !ok && ctx.Err() != nil { // we are going away: this says nothing about the shop
		g.putBack(d)
		return copies
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(n)
	n.attempts = append(n.attempts, attempts...)
	if extra := len(n.attempts) - keepAttempts; extra > 0 {
		n.attempts = append([]Attempt(nil), n.attempts[extra:]...)
	}
	if ok {
		n.delivered = true
		if n.again > 0 {
			n.again--
			g.enqueue(n, g.now(), byHand)
		}
	}
	if d.try == byHand {
		return copies
	}
	n.next = time.Time{}
	if plan := n.trade.speaks.schedule(); !n.delivered && !n.trade.gone && d.try < len(plan) {
		due := n.first
		for _, wait := range plan[:d.try+1] {
			due = due.Add(wait)
		}
		g.enqueue(n, due, d.try+1)
	}
	return copies
}

// attempt sends the notice once. A forged one is never OK, whatever the shop
// says: the true one must still come.
func (g *Gateway) attempt(ctx context.Context, n *notice, try int, forge Fault) Attempt {
	a := Attempt{At: g.now(), Forged: forge}
	header, body, key, err := n.trade.speaks.callback(n, try, forge)
	a.Key = key
	var answer []byte
	if err == nil {
		a.Status, answer, err = g.post(ctx, n.url, header, body)
	}
	switch {
	case err != nil:
		a.Error = err.Error()
	case forge != "":
		if n.trade.speaks.accepted(a.Status, answer) {
			a.Error = "the shop accepted a wrong signature"
		}
	default:
		a.OK = n.trade.speaks.accepted(a.Status, answer)
	}
	g.log.Debug("sandbox: callback sent", "outTradeNo", n.trade.no, "id", n.id, "status", a.Status, "ok", a.OK, "error", a.Error)
	return a
}

func (g *Gateway) post(ctx context.Context, url string, header http.Header, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = header
	res, err := g.client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("send: %w", err)
	}
	defer res.Body.Close()
	// The status counts for some protocols, the text for others. A text that
	// breaks off is judged by what came of it.
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	return res.StatusCode, answer, nil
}
