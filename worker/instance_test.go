package worker_test

// The engine, its databases, the worker and the hub together: an order is
// placed and paid, what follows follows, and who listens hears of it.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/coder/websocket"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/engine"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/push"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/worker"
)

const patience = 3 * time.Minute

// instance is a harness whose commands wakes a hub and a worker, as a server's does.
type instance struct {
	*harness.Harness
	url string
}

func begin(t *testing.T, r *harness.Harness, channel app.Channels) *instance {
	t.Helper()
	if channel != nil {
		r.Channels = channel // all instances talk to one gateway
	}
	log := slog.New(slog.DiscardHandler)
	hub := push.New(push.Options{
		Store: r.Store, Auth: &app.Auth{Store: r.Store, Tokens: r.Tokens}, Tracer: r.Tracer, Clock: r.Clock, Log: log,
	})
	w := worker.New(worker.Options{App: r.App, Bills: r.Reconciler, Shops: r.Store.Shops, Clock: r.Clock, Log: log})
	var after *outbox.Outbox
	commands := engine.New(r.Store, rows.Schema, engine.Options{
		Clock: r.Clock, Committers: r.Committers, Log: log, Prepare: r.Caches.Prepare,
		Committed: func(c *unit.Changes) {
			r.Caches.Committed(c)
			hub.Publish(c.Shop, c.Records)
			after.Wake(c.Shop, c.Records)
			if c.Touches(rows.Jobs) {
				w.WakeJobs()
			}
		},
	})
	r.App.Engine = commands
	after = outbox.New(outbox.Options{Store: r.Store, Engine: commands, Followers: outbox.Reactions(app.Reactions), Clock: r.Clock, Log: log})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 3)
	go func() { ended <- hub.Run(ctx) }()
	go func() { ended <- w.Run(ctx) }()
	go func() { ended <- after.Run(ctx) }()
	mux := http.NewServeMux()
	mux.Handle("GET /v1/ws", hub.WebSocket())
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		hub.Close(context.Background())
		server.Close()
		stop()
		if err := errors.Join(<-ended, <-ended, <-ended); err != nil {
			t.Error(err)
		}
		commands.Close()
	})
	return &instance{r, server.URL}
}

type message struct {
	Type   string `json:"type"`
	Seq    int64  `json:"seq"`
	Status string `json:"status"`
}

type client struct {
	t *testing.T
	c *websocket.Conn
}

func (i *instance) listen(t *testing.T, orderNo string, after int64) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, i.url+"/v1/ws?token="+i.Tokens.Issue(shop.Default, orderNo), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	if err := c.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"subscribe","orderNo":%q,"after":%d}`, orderNo, after)); err != nil {
		t.Fatal(err)
	}
	l := &client{t, c}
	if m := l.next(); m.Type != "subscribed" {
		t.Fatalf("%+v", m)
	}
	return l
}

func (c *client) next() (m message) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, data, err := c.c.Read(ctx)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// until reads up to the event, checks that the numbers rise by one from
// after, and returns the types.
func (c *client) until(kind string, after int64) []string {
	c.t.Helper()
	var types []string
	for {
		m := c.next()
		if after++; m.Seq != after {
			c.t.Fatalf("%+v, want seq %d", m, after)
		}
		if types = append(types, m.Type); m.Type == kind {
			return types
		}
	}
}

func (i *instance) place(t *testing.T, n int) string {
	t.Helper()
	o, _, err := i.PlaceOrder(context.Background(), shop.Default, harness.Key(n), harness.Cart(fmt.Sprint("u", n), "A"))
	if err != nil {
		t.Fatal(err)
	}
	return o.No
}

func (i *instance) open(t *testing.T, orderNo string) string {
	t.Helper()
	p, _, err := i.OpenPayment(context.Background(), shop.Default, orderNo, harness.Key(0), app.OpenPayment{Channel: "gate", Method: payment.Native})
	if err != nil {
		t.Fatal(err)
	}
	return p.No
}

func (i *instance) callback(t *testing.T, paymentNo string, f payment.Fact) {
	t.Helper()
	a, verdict, err := i.Callback(context.Background(), shop.Default, "gate", http.Header{}, harness.Callback(paymentNo, f))
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("callback: %+v %s %v", a, verdict, err)
	}
}

// TestPaid: the buyer hears every step, and the stock follows by itself.
func TestPaid(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		i := begin(t, open(nil), nil)
		i.Sku("A", 1000, 10)
		no := i.place(t, 1)
		c := i.listen(t, no, 0)
		p := i.open(t, no)
		i.callback(t, p, i.Gate.Pay(p))
		if got := c.until("order.paid", 0); len(got) != 5 {
			t.Errorf("heard %q", got)
		}
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			d, err := i.Store.Sku(t.Context(), shop.Default, "A")
			if err != nil {
				t.Fatal(err)
			}
			if d.OnHand == 9 && d.Reserved == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the stock does not follow: %+v", d)
			}
		}
		i.Audit()
	})
}

// TestExpired: a clock that is moved closes the order, without a request.
func TestExpired(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		i := begin(t, open(nil), nil)
		i.Sku("A", 1000, 10)
		no := i.place(t, 1)
		c := i.listen(t, no, 1)
		i.Clock.Advance(16 * time.Minute)
		c.until("order.closed", 1)
	})
}

// TestTwoInstances: orders whose steps happen on two instances are heard on
// both, each step once and in order, while both workers follow everything.
func TestTwoInstances(t *testing.T) {
	open := harness.Postgres(t)
	a := begin(t, open(nil), nil)
	b := begin(t, open(nil), a.Gate)
	const orders = 60
	a.Sku("A", 1000, orders)
	errs := harness.Together(orders, func(n int) error {
		i, j := a, b
		if n%2 > 0 {
			i, j = b, a
		}
		no := i.place(t, n)
		here, there := i.listen(t, no, 0), j.listen(t, no, 0)
		p := j.open(t, no)
		q := i.open(t, no) // a second attempt, which the payment of the first ends
		j.callback(t, p, a.Gate.Pay(p))
		x, y := here.until("order.paid", 0), there.until("order.paid", 0)
		if fmt.Sprint(x) != fmt.Sprint(y) {
			return fmt.Errorf("%s heard %q here and %q there (and %s)", no, x, y, q)
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	a.Audit()
}
