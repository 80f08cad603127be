package checkout_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tandem-pay/tandem/checkout"
)

// fake is a server that behaves like the public API and can inject all faults
// that the SDK must handle. It serves a page that has the SDK as window.sdk.
type fake struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	faults   map[string][]fault // by kind of request, taken one by one
	sent     []sent
	answers  map[string]string // by idempotency key
	orders   int
	payments map[string]string // status by payment number
	held     chan struct{}     // closed when a held request has come in
	release  chan struct{}

	events  []event // of the one order
	changed chan struct{}
	sockets int // attempts
	streams int
	polls   int
	// cuts says after how many messages each of the next connections breaks, -1:
	// before the first. Once it is empty, connections do not break.
	cuts      []int
	noSockets bool
	noStreams bool
	twice     bool // every message is sent two times
	skip      int  // a number that live connections leave out, once
}

// fault is what happens to one request.
type fault struct {
	status int    // answered with it and nothing done; 0: it is done
	retry  string // Retry-After
	code   string
	drop   bool // done, and the connection cut instead of an answer
	half   bool // done, and the connection cut in the middle of the answer
	hold   bool // done, and answered once released
}

type sent struct {
	kind, key, body string
	at              time.Time
}

type event struct {
	Type   string    `json:"type"`
	Order  string    `json:"orderNo"`
	Seq    int       `json:"seq"`
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

const (
	fakeOrder = "100000001"
	fakeToken = "ct_fake"
)

func newFake(t *testing.T) *fake {
	f := &fake{
		t: t, faults: map[string][]fault{}, answers: map[string]string{}, payments: map[string]string{},
		held: make(chan struct{}), release: make(chan struct{}), changed: make(chan struct{}),
		events: []event{{"order.placed", fakeOrder, 1, "pending_payment", time.Now().UTC()}},
	}
	mux := http.NewServeMux()
	mux.Handle("GET /sdk/", checkout.SDK())
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(rw, fakePage)
	})
	mux.HandleFunc("POST /v1/orders", f.writing("order", f.order))
	mux.HandleFunc("POST /v1/quotes", f.writing("quote", f.quote))
	mux.HandleFunc("POST /v1/orders/{no}/payments", f.writing("payment", f.payment))
	mux.HandleFunc("GET /v1/orders/{no}", f.poll)
	mux.HandleFunc("GET /v1/orders/{no}/events", f.stream)
	mux.HandleFunc("GET /v1/ws", f.socket)
	f.Server = httptest.NewUnstartedServer(mux)
	// A browser repeats a request by itself when a kept connection breaks.
	// That hides no failure, but makes the counts wrong.
	f.Config.SetKeepAlivesEnabled(false)
	f.Start()
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

const fakePage = `<!doctype html><title>fake</title><button id=b>Buy</button><button id=c>Other</button>
<script type=module>
import * as sdk from '/sdk/tandem.js';
window.sdk = sdk;
window.timing = { backoff: 20, backoffCap: 80, quoteDelay: 10 };
window.checkout = sdk.createCheckout({ timing });
window.cart = { userId: 'u', items: [{ sku: 'a', quantity: 2 }, { sku: 'b', quantity: 1 }] };
window.order = { orderNo: '` + fakeOrder + `', clientToken: '` + fakeToken + `', version: 1 };
window.caught = (promise) => promise.then((value) => ({ value }), (e) => ({ code: e.code, status: e.status, detail: e.detail, errors: e.errors, traceId: e.traceId, unknown: e.unknown }));
window.listen = (checkout, order = window.order) => {
  const received = { seqs: [], types: [], statuses: [], transports: [], errors: [] };
  received.watch = checkout.watch(order, {
    onChange: (c) => { received.seqs.push(c.seq); received.types.push(c.type); received.statuses.push(c.status); },
    onTransport: (t) => received.transports.push(t),
    onError: (e) => received.errors.push(e.code),
  });
  return received;
};
</script>`

// page opens the fake's page.
func (f *fake) page() *tab {
	p := newTab(f.t)
	p.visit(f.URL)
	p.until("window.listen !== undefined")
	return p
}

func (f *fake) fail(kind string, faults ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults[kind] = faults
}

// awaitHeld waits until a request that is to be held has come in.
func (f *fake) awaitHeld() {
	f.t.Helper()
	f.mu.Lock()
	held := f.held
	f.mu.Unlock()
	select {
	case <-held:
	case <-time.After(pageTimeout):
		f.t.Fatal("the request never came")
	}
}

// requests returns the requests of a kind since the last call.
func (f *fake) requests(kind string) (out []sent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.sent {
		if a.kind == kind {
			out = append(out, a)
		}
	}
	f.sent = nil
	return out
}

// writing executes a request once per key, and then does what its fault says.
func (f *fake) writing(kind string, do func(r *http.Request, body string) string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		key := r.Header.Get("Idempotency-Key")
		f.mu.Lock()
		f.sent = append(f.sent, sent{kind, key, string(raw), time.Now()})
		var is fault
		if len(f.faults[kind]) > 0 {
			is, f.faults[kind] = f.faults[kind][0], f.faults[kind][1:]
		}
		var answer string
		replayed := false
		if is.status == 0 {
			if answer, replayed = f.answers[key]; !replayed || key == "" {
				answer, replayed = do(r, string(raw)), false
				f.answers[key] = answer
			}
			if replayed && kind == "payment" {
				answer = f.paymentJSON(answer)
			}
		}
		held, release := f.held, f.release
		f.mu.Unlock()

		switch {
		case is.status != 0:
			if is.retry != "" {
				rw.Header().Set("Retry-After", is.retry)
			}
			rw.Header().Set("Content-Type", "application/problem+json")
			rw.WriteHeader(is.status)
			_, _ = fmt.Fprintf(rw, `{"code":%q,"detail":"refused","status":%d,"traceId":"t1","errors":[{"pointer":"/items","message":"m"}]}`, is.code, is.status)
			return
		case is.drop:
			panic(http.ErrAbortHandler)
		case is.half:
			rw.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = io.WriteString(rw, answer[:len(answer)/2])
			_ = http.NewResponseController(rw).Flush()
			panic(http.ErrAbortHandler)
		case is.hold:
			close(held)
			select {
			case <-release:
			case <-r.Context().Done():
				return
			}
		}
		if kind == "payment" && !replayed {
			answer = f.paymentJSON(answer)
		}
		rw.Header().Set("Content-Type", "application/json")
		if replayed {
			rw.Header().Set("Idempotent-Replayed", "true")
		}
		rw.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(rw, answer)
	}
}

func (f *fake) order(*http.Request, string) string {
	f.orders++
	return fmt.Sprintf(`{"orderNo":"%d","clientToken":%q,"status":"pending_payment","version":1,"payableAmount":100}`, f.orders, fakeToken)
}

func (f *fake) quote(_ *http.Request, body string) string {
	return fmt.Sprintf(`{"payableAmount":1,"of":%s}`, body)
}

// payment answers with the number alone; paymentJSON has the state.
func (f *fake) payment(r *http.Request, _ string) string {
	if r.Header.Get("Authorization") != "Bearer "+fakeToken {
		f.t.Errorf("a payment was requested with %q", r.Header.Get("Authorization"))
	}
	no := "2" + strconv.Itoa(len(f.payments))
	f.payments[no] = "pending"
	return no
}

func (f *fake) paymentJSON(no string) string {
	return fmt.Sprintf(`{"paymentNo":%q,"status":%q,"action":{"kind":"qr_code","codeUrl":"weixin://x"}}`, no, f.payments[no])
}

// happen adds events to the order.
func (f *fake) happen(types ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range types {
		last := f.events[len(f.events)-1]
		status := last.Status
		if t == "order.paid" || t == "order.partially_paid" {
			status = strings.TrimPrefix(t, "order.")
		}
		f.events = append(f.events, event{t, fakeOrder, last.Seq + 1, status, time.Now().UTC()})
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// set changes the fake's behaviour.
func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// attempts counts the connections so far.
func (f *fake) attempts() (sockets, streams, polls int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sockets, f.streams, f.polls
}

func (f *fake) next(after int) (events []event, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.events, func(e event) bool { return e.Seq > after })
	if i >= 0 {
		events = slices.Clone(f.events[i:])
	}
	return events, f.changed
}

// deliver runs one connection: the state, then everything after what the client
// has, until the connection is to be cut.
func (f *fake) deliver(r *http.Request, after *int, send func(v any) error) {
	f.mu.Lock()
	left := 1 << 30
	if len(f.cuts) > 0 {
		left, f.cuts = f.cuts[0], f.cuts[1:]
	}
	last := f.events[len(f.events)-1]
	f.mu.Unlock()
	if left < 0 {
		return
	}
	at := last.Seq
	if after != nil {
		at = min(*after, last.Seq)
	}
	if send(map[string]any{"type": "subscribed", "orderNo": fakeOrder, "status": last.Status, "seq": last.Seq}) != nil {
		return
	}
	for {
		events, changed := f.next(at)
		for _, e := range events {
			if left == 0 {
				return
			}
			left--
			at = e.Seq
			f.mu.Lock()
			skipped, times := e.Seq == f.skip, 1
			if skipped {
				f.skip = 0
			}
			if f.twice {
				times = 2
			}
			f.mu.Unlock()
			for range times {
				if !skipped && send(e) != nil {
					return
				}
			}
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func (f *fake) socket(rw http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.sockets++
	refused := f.noSockets
	f.mu.Unlock()
	if refused {
		http.Error(rw, "this network has no sockets", http.StatusForbidden)
		return
	}
	c, err := websocket.Accept(rw, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }() // no goodbye: cut
	var auth, subscribe struct {
		Type, Token, OrderNo string
		After                *int
	}
	for _, into := range []any{&auth, &subscribe} {
		_, raw, err := c.Read(r.Context())
		if err != nil || json.Unmarshal(raw, into) != nil {
			return
		}
	}
	if auth.Type != "auth" || auth.Token != fakeToken {
		_ = c.Close(websocket.StatusPolicyViolation, "bad token")
		return
	}
	ctx := c.CloseRead(r.Context())
	f.deliver(r.WithContext(ctx), subscribe.After, func(v any) error {
		raw, _ := json.Marshal(v)
		return c.Write(ctx, websocket.MessageText, raw)
	})
}

func (f *fake) stream(rw http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.streams++
	refused := f.noStreams
	f.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "Bearer "+fakeToken:
		http.Error(rw, "no", http.StatusUnauthorized)
		return
	case refused:
		http.Error(rw, "this proxy buffers", http.StatusBadGateway)
		return
	}
	rw.Header().Set("Content-Type", "text/event-stream")
	var after *int
	if n, err := strconv.Atoi(r.Header.Get("Last-Event-ID")); err == nil {
		after = &n
	}
	f.deliver(r, after, func(v any) error {
		raw, _ := json.Marshal(v)
		_, err := fmt.Fprintf(rw, ": a comment\nevent: x\nid: 1\ndata: %s\n\n", raw)
		if err == nil {
			err = http.NewResponseController(rw).Flush()
		}
		return err
	})
	panic(http.ErrAbortHandler)
}

func (f *fake) poll(rw http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.polls++
	f.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+fakeToken {
		http.Error(rw, "no", http.StatusUnauthorized)
		return
	}
	for {
		f.mu.Lock()
		last, changed := f.events[len(f.events)-1], f.changed
		f.mu.Unlock()
		etag := fmt.Sprintf(`"%d"`, last.Seq)
		if r.Header.Get("If-None-Match") != etag {
			rw.Header().Set("ETag", etag)
			_, _ = fmt.Fprintf(rw, `{"orderNo":%q,"status":%q,"version":%d}`, fakeOrder, last.Status, last.Seq)
			return
		}
		if r.URL.Query().Get("wait") == "" {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}
