package push_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/push"
	"github.com/tandem-pay/tandem/shop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	shopID    = "s1"
	secret    = "sk_test_secret"
	timeout   = 3 * time.Minute // never waited for when all is well
	otherShop = "s2"
)

// ledger is a store in memory: what is committed shows at once.
type ledger struct {
	mu      sync.Mutex
	records []event.Record
	orders  map[string]*order.Data
	fail    error
	broken  error // of OrderEvents alone
	polls   int   // calls of Events
	reads   int   // calls of Order
	onPoll  func()
}

func newLedger() *ledger { return &ledger{orders: map[string]*order.Data{}} }

// commit writes one record of the order's next events. An order that is not
// there begins.
func (l *ledger) commit(orderNo string, types ...event.Type) event.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.orders[orderNo]
	if d == nil {
		d = &order.Data{No: orderNo, User: "user-of-" + orderNo, Status: order.PendingPayment}
		l.orders[orderNo] = d
	}
	r := event.Record{
		Position: event.Position(len(l.records) + 1), Shop: shopID, Order: orderNo, At: time.Now(),
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	for _, t := range types {
		e := event.Event{Type: t, Order: orderNo, Status: string(d.Status)}
		if of, _, _ := strings.Cut(string(t), "."); of == "order" || of == "payment" || of == "refund" {
			d.Seq++
			e.Seq = d.Seq
			if of == "refund" {
				e.Refund = "r1"
			}
		}
		if t == event.InstalmentDue {
			e.DueAt = r.At.Add(time.Hour)
		}
		if t == event.OrderPaid {
			d.Status = order.Paid
			e.Status, e.User = string(d.Status), d.User
		}
		r.Events = append(r.Events, e)
	}
	l.records = append(l.records, r)
	return r
}

func (l *ledger) Order(_ context.Context, shop, no string) (app.OrderView, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if l.fail != nil {
		return app.OrderView{}, l.fail
	}
	d := l.orders[no]
	if d == nil || shop != shopID {
		return app.OrderView{}, fault.New(fault.NotFound, "there is no order %s", no)
	}
	return app.OrderView{Order: *d}, nil
}

func (l *ledger) Events(_ context.Context, shop string, q app.EventQuery) ([]event.Record, error) {
	l.mu.Lock()
	poll := l.onPoll
	l.mu.Unlock()
	if poll != nil {
		poll()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.polls++
	if l.fail != nil || shop != shopID {
		return nil, l.fail
	}
	rest := l.records[min(int(q.After), len(l.records)):]
	return append([]event.Record(nil), rest[:min(q.Limit, len(rest))]...), nil
}

func (l *ledger) OrderEvents(_ context.Context, _, orderNo string, after int64) ([]event.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := cmp.Or(l.fail, l.broken); err != nil {
		return nil, err
	}
	var out []event.Record
	for _, r := range l.records {
		if r.Order != orderNo {
			continue
		}
		newer, numbered := false, false
		for _, e := range r.Events {
			numbered = numbered || e.Seq > 0
			newer = newer || e.Seq > after
		}
		if newer || !numbered {
			out = append(out, r)
		}
	}
	return out, nil
}

func (l *ledger) FormerPosition(_ context.Context, _ string, f event.Former) (event.Position, error) {
	return event.Position(f.ID), nil
}

func (l *ledger) EndOfLog(_ context.Context, shop string) (event.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil || shop != shopID {
		return 0, l.fail
	}
	return event.Position(len(l.records)), nil
}

func (l *ledger) breakDown(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

func (l *ledger) count(of *int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *of
}

// keys knows one secret key, until it is revoked.
type keys struct {
	app.Settings
	revoked, away atomic.Bool
}

func (k *keys) KeyByHash(_ context.Context, hash []byte) (shop.Key, error) {
	if k.away.Load() {
		return shop.Key{}, errors.New("away")
	}
	if string(hash) != string(app.HashKey(secret)) || k.revoked.Load() {
		return shop.Key{}, fault.New(fault.NotFound, "no such key")
	}
	return shop.Key{Shop: shopID}, nil
}

// world is a hub behind a real server.
type world struct {
	t      testing.TB
	log    *ledger
	hub    *push.Hub
	keys   *keys
	tokens *app.Tokens
	server *httptest.Server
	open   atomic.Int64
	slow   atomic.Int64
	sent   atomic.Int64
}

// small listens with small buffers, so that a reader who stops is noticed.
type small struct{ net.Listener }

func (l small) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		_ = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return c, err
}

func newWorld(t testing.TB, l *ledger, change func(*push.Options)) *world {
	w := &world{t: t, log: l, keys: &keys{}, tokens: app.NewTokens([]byte("0123456789abcdef0123456789abcdef"))}
	o := push.Options{
		Store: l, Auth: &app.Auth{Store: w.keys, Tokens: w.tokens}, PollEvery: time.Millisecond,
		Log: slog.New(slog.DiscardHandler),
		Observe: push.Observe{
			Sockets: func(open int) { w.open.Store(int64(open)) },
			Sent:    func(n int) { w.sent.Add(int64(n)) },
			Slow:    func() { w.slow.Add(1) },
		},
	}
	if change != nil {
		change(&o)
	}
	w.hub = push.New(o)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- w.hub.Run(ctx) }()
	mux := http.NewServeMux()
	mux.Handle("GET /v1/ws", w.hub.WebSocket())
	mux.Handle("GET /v1/orders/{orderNo}/events", w.hub.SSE())
	w.server = httptest.NewUnstartedServer(mux)
	w.server.Listener = small{w.server.Listener}
	w.server.Start()
	t.Cleanup(func() {
		at, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		w.hub.Close(at)
		w.server.Close()
		stop()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return w
}

func (w *world) token(orderNo string) string { return w.tokens.Issue(shopID, orderNo) }

// publish commits and notifies the hub, as the engine does.
func (w *world) publish(orderNo string, types ...event.Type) {
	w.hub.Publish(shopID, []event.Record{w.log.commit(orderNo, types...)})
}

// message is anything that the server says.
type message struct {
	Type     string `json:"type"`
	Order    string `json:"orderNo"`
	User     string `json:"userId"`
	Shop     bool   `json:"shop"`
	Seq      int64  `json:"seq"`
	Status   string `json:"status"`
	Message  string `json:"message"`
	At       string `json:"at"`
	Payment  string `json:"paymentNo"`
	Refund   string `json:"refundNo"`
	DueAt    string `json:"dueAt"`
	Position string `json:"position"`
	Code     string `json:"code"`
	Detail   string `json:"detail"`
}

type client struct {
	t testing.TB
	c *websocket.Conn
}

// dial connects; query is what comes after /v1/ws.
func (w *world) dial(query string) *client { return w.dialWith(query, nil) }

func (w *world) dialWith(query string, header http.Header) *client {
	w.t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return c, err
	}}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, _, err := websocket.Dial(ctx, w.server.URL+"/v1/ws"+query, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: tr}, HTTPHeader: header,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.CloseNow(); tr.CloseIdleConnections() })
	return &client{w.t, c}
}

func (c *client) say(text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := c.c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("write %s: %v", text, err)
	}
}

func (c *client) read() (message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	_, data, err := c.c.Read(ctx)
	if err != nil {
		return message{}, err
	}
	var m message
	return m, json.Unmarshal(data, &m)
}

func (c *client) next() message {
	c.t.Helper()
	m, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// want reads one message and checks its type and seq.
func (c *client) want(kind string, seq int64) message {
	c.t.Helper()
	m := c.next()
	if m.Type != kind || m.Seq != seq {
		c.t.Fatalf("got %+v, want %s with seq %d", m, kind, seq)
	}
	return m
}

// wantClose reads up to the end and checks how it is announced.
func (c *client) wantClose(code websocket.StatusCode, reason string) {
	c.t.Helper()
	for {
		_, err := c.read()
		if err == nil {
			continue
		}
		var ce websocket.CloseError
		if !asClose(err, &ce) || ce.Code != code || !strings.Contains(ce.Reason, reason) {
			c.t.Fatalf("closed with %v, want %d %q", err, code, reason)
		}
		return
	}
}

// until waits for what must come.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	end := time.Now().Add(timeout)
	for !is() {
		if time.Now().After(end) {
			w.t.Fatalf("%s did not come", what)
		}
		time.Sleep(time.Millisecond)
	}
}
