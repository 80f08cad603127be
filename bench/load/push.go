package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/coder/websocket"

	"github.com/tandem-pay/tandem/sandbox"
)

// Push is what subscribers saw of orders being paid.
type Push struct {
	Sockets  int   `json:"sockets"`
	Messages int64 `json:"messages"`
	// FromCommit counts from the event's own time: the moment that its batch
	// was decided, just before the commit began. So it has the commit in it,
	// and is never less than the time from the commit's end.
	FromCommit Latency `json:"fromCommitMs"`
	// FromAnswer counts from the moment that the payment's callback was
	// answered; a message that was sooner counts as 0.
	FromAnswer Latency `json:"fromAnswerMs"`
	MaxRate    float64 `json:"maxPerSecond"` // requests, half of them orders and half payments
	Rate       float64 `json:"perSecond"`    // while the messages were timed
}

// PushOptions say how much is listened to.
type PushOptions struct {
	Orders  int64 // that are paid: 4,500, of which two thirds are watched
	Sockets int   // 200; the watched orders are spread over them
}

// Listen finds the most orders placed and paid that the server does, and
// then, at half that rate, how long the message of a payment takes to a
// subscriber's socket.
func Listen(ctx context.Context, t Target, s *Shop, k *sandbox.Keys, o PushOptions, p Pace, progress Progress) (*Report, error) {
	if o.Orders <= 0 {
		o.Orders = 4500
	}
	if o.Sockets <= 0 {
		o.Sockets = 200
	}
	p.WarmUp, p.For = 0, 10*time.Minute
	l := newLives(t, s, k, o.Orders)
	for _, j := range []job{l.place(), l.open()} {
		if _, err := j.run(ctx, t, p, progress); err != nil {
			return nil, fmt.Errorf("push: %s: %w", j.stage, err)
		}
	}
	if err := l.sign(ctx, progress); err != nil {
		return nil, err
	}

	third := o.Orders / 3
	free := &Shop{Name: s.Name, Skus: s.Skus} // its orders have no coupons: those are the lives'
	most, err := l.placeAndPay(free, 0, third, 0).run(ctx, t, p, progress)
	if err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}

	w := &watch{
		index: make(map[string]int64, o.Orders), answered: make([]atomic.Int64, o.Orders),
		fromCommit: newHistogram(), fromAnswer: newHistogram(),
	}
	for i := third; i < o.Orders; i++ {
		w.index[l.list[i].order] = i
	}
	l.answered = func(i int64) { w.answered[i].Store(time.Now().UnixNano()) }
	end, err := w.listen(ctx, t, l.list[third:], o.Sockets)
	if err != nil {
		return nil, err
	}
	stage, err := l.placeAndPay(free, third, o.Orders, most.Rate/2).run(ctx, t, p, progress)
	if err := end(o.Orders-third, err); err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	most.Name, stage.Name = "most", "half"
	return &Report{Scenario: "push", Rate: stage.Rate, Stages: []Stage{most, stage}, Push: &Push{
		Sockets: o.Sockets, Messages: w.fromCommit.TotalCount(), MaxRate: most.Rate, Rate: stage.Rate,
		FromCommit: latency(w.fromCommit), FromAnswer: latency(w.fromAnswer),
	}}, nil
}

// placeAndPay pays the lives from one to another and places a new order
// beside each; rate 0 is as fast as it goes.
func (l *lives) placeAndPay(s *Shop, from, to int64, rate float64) job {
	keys := newKeys()
	return job{stage: "place and pay", total: 2 * (to - from), rate: rate, strict: true, do: func(c *client, i int64) error {
		if i%2 == 0 {
			c.body = cart(c.body[:0], s.Skus, 2, "")
			return want(http.StatusCreated)(c.post("/v1/orders", keys.of(i), c.body))
		}
		at := from + i/2
		err := l.pay(c, at)
		if l.answered != nil {
			l.answered(at)
		}
		return err
	}}
}

// watch collects the messages that say that an order is paid.
type watch struct {
	index    map[string]int64 // of an order among the lives
	answered []atomic.Int64   // when its callback was: Unix nanoseconds

	mu         sync.Mutex
	fromCommit *hdrhistogram.Histogram
	fromAnswer *hdrhistogram.Histogram
	early      []early
}

// early is a message that came before its callback was answered, or before
// the answer was noted.
type early struct {
	order int64
	at    time.Time
}

// lastMessage is how long the last message may take.
const lastMessage = 10 * time.Second

// listen subscribes sockets to the orders. The function that it returns
// waits for all messages and closes the sockets.
func (w *watch) listen(ctx context.Context, t Target, orders []life, sockets int) (end func(messages int64, err error) error, err error) {
	sockets = min(sockets, len(orders))
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	failed := make(chan error, sockets)
	each := (len(orders) + sockets - 1) / sockets
	for from := 0; from < len(orders); from += each {
		conn, err := subscribe(ctx, t, orders[from:min(from+each, len(orders))])
		if err != nil {
			cancel()
			return nil, fmt.Errorf("subscribe: %w", err)
		}
		readers.Go(func() {
			defer conn.CloseNow()
			if err := w.read(ctx, conn); ctx.Err() == nil {
				failed <- err
			}
		})
	}
	return func(messages int64, err error) error {
		defer func() { cancel(); readers.Wait() }()
		for over := time.Now().Add(lastMessage); err == nil && w.count() < messages; time.Sleep(5 * time.Millisecond) {
			select {
			case err = <-failed:
			default:
				if time.Now().After(over) {
					err = fmt.Errorf("%d of %d messages did not come", messages-w.count(), messages)
				}
			}
		}
		w.settleEarly()
		return err
	}, nil
}

func subscribe(ctx context.Context, t Target, orders []life) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, "ws://"+t.Addr+"/v1/ws", nil)
	if err != nil {
		return nil, err
	}
	say := func(message any) error {
		text, err := json.Marshal(message)
		if err != nil {
			return err
		}
		return conn.Write(ctx, websocket.MessageText, text)
	}
	err = say(map[string]string{"type": "auth", "token": t.Key})
	for i := 0; err == nil && i < len(orders); i++ {
		if err = say(map[string]string{"type": "subscribe", "orderNo": orders[i].order}); err == nil {
			err = until(ctx, conn, "subscribed")
		}
	}
	if err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return conn, nil
}

// until reads messages up to one of the given type.
func until(ctx context.Context, conn *websocket.Conn, kind string) error {
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		switch text(message, "type") {
		case kind:
			return nil
		case "error":
			return fmt.Errorf("%s", message)
		}
	}
}

func (w *watch) read(ctx context.Context, conn *websocket.Conn) error {
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		if text(message, "type") != "order.paid" {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, text(message, "at"))
		i, ours := w.index[text(message, "orderNo")]
		if err != nil || !ours {
			return fmt.Errorf("message %s: not about an order that was subscribed to", strconv.Quote(string(message)))
		}
		w.mu.Lock()
		record(w.fromCommit, now.Sub(at))
		if answeredAt := w.answered[i].Load(); answeredAt != 0 {
			record(w.fromAnswer, now.Sub(time.Unix(0, answeredAt)))
		} else {
			w.early = append(w.early, early{i, now})
		}
		w.mu.Unlock()
	}
}

func (w *watch) count() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fromCommit.TotalCount()
}

func (w *watch) settleEarly() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.early {
		record(w.fromAnswer, e.at.Sub(time.Unix(0, w.answered[e.order].Load())))
	}
}
