package checkout_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// received is what a listener received.
type received struct {
	Seqs                                []int
	Types, Statuses, Transports, Errors []string
}

func (p *tab) received() (h received) {
	p.t.Helper()
	p.js(`({ ...received, watch: undefined })`, &h)
	return h
}

// wantSeqs fails unless the listener received from..to, each once, in order.
func (h *received) wantSeqs(t *testing.T, from, to int) {
	t.Helper()
	var want []int
	for n := from; n <= to; n++ {
		want = append(want, n)
	}
	if !slices.Equal(h.Seqs, want) {
		t.Errorf("got %v; want %d to %d, each once", h.Seqs, from, to)
	}
}

// quick never leaves polling for another transport.
const quick = `window.quick = sdk.createCheckout({ timing: { ...timing, retrySocket: 1e6 } }); `

func TestListening(t *testing.T) {
	f := newFake(t)
	p := f.page()
	f.happen("payment.created") // between placing and listening
	p.js(quick+`window.received = listen(quick); 0`, nil)
	p.until(`received.transports.includes('websocket')`)
	f.happen("payment.pending", "payment.succeeded", "order.paid")
	p.until(`received.statuses.includes('paid')`)
	h := p.received()
	h.wantSeqs(t, 2, 5)
	if sockets, streams, polls := f.attempts(); streams+polls > 0 || sockets != 1 {
		t.Errorf("%d sockets, %d streams, %d polls; want one socket", sockets, streams, polls)
	}
	p.js(`received.watch.close(); 0`, nil)
	if h := p.received(); !slices.Equal(h.Transports, []string{"websocket", "closed"}) {
		t.Errorf("transports %v", h.Transports)
	}
}

// A listener without a version begins with the present state.
func TestListeningWithoutAVersion(t *testing.T) {
	f := newFake(t)
	p := f.page()
	f.happen("payment.created", "order.paid")
	p.js(quick+`window.received = listen(quick, { ...order, version: undefined }); 0`, nil)
	p.until(`received.seqs.length === 1`)
	f.happen("order.completed")
	p.until(`received.seqs.length === 2`)
	if h := p.received(); !slices.Equal(h.Seqs, []int{3, 4}) || h.Types[0] != "subscribed" || h.Statuses[0] != "paid" {
		t.Errorf("got %+v; want the state at 3, then 4", h)
	}
	// A version that the server has never had must not make it miss events.
	p.js(quick+`window.received = listen(quick, { ...order, version: 99 }); 0`, nil)
	p.until(`received.seqs.length === 1`)
	f.happen("order.refunded")
	p.until(`received.seqs.length === 2`)
	if h := p.received(); !slices.Equal(h.Seqs, []int{4, 5}) {
		t.Errorf("got %v; want 4 and 5", h.Seqs)
	}
}

func TestACutSocketLosesNothing(t *testing.T) {
	f := newFake(t)
	f.cuts = []int{1, 0, -1, 2}
	p := f.page()
	p.js(quick+`window.received = listen(quick); 0`, nil)
	p.until(`received.transports.includes('websocket')`)
	f.happen("a", "b", "c", "d", "e")
	f.happen("f", "order.paid")
	p.until(`received.statuses.includes('paid')`)
	h := p.received()
	h.wantSeqs(t, 2, 8)
	if sockets, streams, polls := f.attempts(); sockets < 5 || streams+polls > 0 {
		t.Errorf("%d sockets, %d streams, %d polls; want five or more sockets and nothing else", sockets, streams, polls)
	}
	if !slices.Contains(h.Transports, "reconnecting") {
		t.Errorf("transports %v; want a report of reconnecting", h.Transports)
	}
}

func TestDuplicatesAreReportedOnceAndGapsAreRead(t *testing.T) {
	f := newFake(t)
	f.twice, f.skip = true, 4
	p := f.page()
	p.js(quick+`window.received = listen(quick); 0`, nil)
	p.until(`received.transports.includes('websocket')`)
	f.happen("a", "b", "c", "d", "order.paid")
	p.until(`received.statuses.includes('paid')`)
	h := p.received()
	h.wantSeqs(t, 2, 6)
	if sockets, _, _ := f.attempts(); sockets != 2 {
		t.Errorf("%d sockets; want a second one to read the gap", sockets)
	}
}

func TestDownToEvents(t *testing.T) {
	f := newFake(t)
	f.noSockets, f.cuts = true, []int{2, 0, 1}
	p := f.page()
	p.js(quick+`window.received = listen(quick); 0`, nil)
	p.until(`received.transports.includes('sse')`)
	f.happen("a", "b", "c", "d", "e", "order.paid")
	p.until(`received.statuses.includes('paid')`)
	h := p.received()
	h.wantSeqs(t, 2, 7)
	if sockets, _, polls := f.attempts(); sockets != 3 || polls > 0 {
		t.Errorf("%d sockets, %d polls; want 3 refused and none", sockets, polls)
	}
}

func TestDownToPolling(t *testing.T) {
	f := newFake(t)
	f.noSockets, f.noStreams = true, true
	p := f.page()
	p.js(quick+`window.received = listen(quick); 0`, nil)
	p.until(`received.transports.includes('polling')`)
	f.happen("a")
	p.until(`received.seqs.includes(2)`)
	f.happen("b", "order.paid")
	p.until(`received.statuses.includes('paid')`)
	h := p.received()
	if last := h.Seqs[len(h.Seqs)-1]; last != 4 || !slices.IsSorted(h.Seqs) || len(slices.Compact(slices.Clone(h.Seqs))) != len(h.Seqs) {
		t.Errorf("got %v; want rising numbers up to 4", h.Seqs)
	}
	if sockets, streams, polls := f.attempts(); sockets != 3 || streams != 3 || polls > 6 {
		t.Errorf("%d sockets, %d streams, %d polls; want 3, 3 and a held request for each change", sockets, streams, polls)
	}
}

// A listener that polls changes to a better transport when the network allows it.
func TestUpAgain(t *testing.T) {
	f := newFake(t)
	f.noSockets, f.noStreams = true, true
	p := f.page()
	p.js(`const c = sdk.createCheckout({ timing: { ...timing, retrySocket: 0 } }); window.received = listen(c); 0`, nil)
	p.until(`received.transports.includes('polling')`)
	f.happen("a")
	p.until(`received.seqs.includes(2)`)
	f.set(func(f *fake) { f.noSockets = false })
	p.until(`received.watch.transport === 'websocket'`)
	f.happen("b", "order.paid")
	p.until(`received.statuses.includes('paid')`)
	h := p.received()
	h.wantSeqs(t, 2, 4)
}

func TestABadTokenEndsIt(t *testing.T) {
	f := newFake(t)
	p := f.page()
	for _, without := range []string{"", "WebSocket: null"} {
		p.js(fmt.Sprintf(`window.received = listen(sdk.createCheckout({ timing, %s }), { ...order, clientToken: 'ct_bad' }); 0`, without), nil)
		p.until(`received.errors.length > 0`)
		if h := p.received(); h.Errors[0] != "unauthorized" || len(h.Seqs) != 0 || h.Transports[len(h.Transports)-1] != "closed" {
			t.Errorf("without %q: %+v", without, h)
		}
	}
	if sockets, streams, polls := f.attempts(); sockets != 1 || streams != 1 || polls != 0 {
		t.Errorf("%d sockets, %d streams, %d polls; want one attempt each time", sockets, streams, polls)
	}
}

// Whatever connections do, and when: each event is reported once, in order.
func TestListeningThroughAnything(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			f := newFake(t)
			for range 12 {
				f.cuts = append(f.cuts, r.IntN(6)-1)
			}
			f.twice = r.IntN(2) == 0
			f.skip = 2 + r.IntN(30)
			p := f.page()
			// Failures never add up to polling here, which reports fewer changes.
			p.js(`const c = sdk.createCheckout({ timing: { ...timing, socketTries: 1 + 2 * `+fmt.Sprint(seed%2)+`, retrySocket: 1e6 } });
				window.received = listen(c, order); 0`, nil)
			for range 10 {
				f.happen("a", "b", "c")
				p.until(`received.seqs.length > ` + fmt.Sprint(r.IntN(2)))
			}
			f.happen("order.paid")
			p.until(`received.statuses.includes('paid')`)
			h := p.received()
			if slices.Contains(h.Transports, "polling") {
				if !slices.IsSorted(h.Seqs) || len(slices.Compact(slices.Clone(h.Seqs))) != len(h.Seqs) || h.Seqs[len(h.Seqs)-1] != 32 {
					t.Errorf("got %v", h.Seqs)
				}
				return
			}
			h.wantSeqs(t, 2, 32)
		})
	}
}
