package push

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// WebSocket serves GET /v1/ws.
func (h *Hub) WebSocket() http.Handler { return http.HandlerFunc(h.serveWebSocket) }

func (h *Hub) accept(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: slices.Contains(h.o.Origins, "*"), // see the package comment
		OriginPatterns:     h.o.Origins,
	})
	if err != nil {
		return nil, err // the answer is written
	}
	c.SetReadLimit(maxMessage)
	return c, nil
}

func (h *Hub) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	// The request's context ends when this handler returns, and means
	// nothing of the connection until then.
	s, err := h.admit(context.WithoutCancel(r.Context()), r)
	if errors.Is(err, errFull) {
		h.refuse(w, r, err)
		return
	}
	if err != nil {
		h.o.Problem(w, r, err)
		return
	}
	defer h.dismiss(s)
	c, err := h.accept(w, r)
	if err != nil {
		return
	}
	defer c.CloseNow()
	ws := &socket{s: s, c: c, received: make(chan received)}
	s.out = ws
	var wg sync.WaitGroup
	defer wg.Wait()
	defer s.cut()
	wg.Go(ws.read)
	// Once it is to go, a write that hangs and the closing handshake have a
	// moment left.
	stop := context.AfterFunc(s.ctx, func() { time.AfterFunc(closeGrace, s.cut) })
	defer stop()

	err = ws.serve(r, &wg)
	s.end()
	h.parted(err)
	var bye *closing
	if errors.As(err, &bye) && bye != errGone {
		_ = c.Close(bye.code, bye.reason)
	}
}

// refuse reports to a client that there are too many sockets: over WebSocket,
// where a browser can see it, unless too many are being refused already.
func (h *Hub) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if h.refused.Add(1) > maxRefused {
		h.refused.Add(-1)
		h.o.Problem(w, r, err)
		return
	}
	defer h.refused.Add(-1)
	c, err := h.accept(w, r)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), closeGrace)
	defer cancel()
	c.CloseRead(ctx)
	_ = c.Close(errFull.code, errFull.reason)
}

// parted counts those that were too slow.
func (h *Hub) parted(err error) {
	if errors.Is(err, errSlow) && h.o.Observe.Slow != nil {
		h.o.Observe.Slow()
	}
}

// socket is a subscriber's WebSocket.
type socket struct {
	s        *subscriber
	c        *websocket.Conn
	received chan received
	pinging  atomic.Bool
}

// serve owns the socket until it ends, and returns why it did.
func (ws *socket) serve(r *http.Request, wg *sync.WaitGroup) error {
	s, o := ws.s, &ws.s.hub.o
	if token := tokenOf(r); token != "" {
		if err := s.authenticate(token); err != nil {
			return s.why(err)
		}
	} else {
		s.late = time.AfterFunc(o.AuthTimeout, func() { s.kick(errLate) })
		defer s.late.Stop()
	}
	// Apart from each other, so that after a restart the pings of all
	// sockets do not come at once.
	ping := time.NewTicker(o.PingEvery - rand.N(o.PingEvery/8+1)) //nolint:gosec // it only spreads load
	defer ping.Stop()
	return s.loop(ws.received, ping.C, func() error {
		if !ws.pinging.Swap(true) {
			wg.Go(ws.ping)
		}
		return nil
	})
}

// ping checks that the client is there.
func (ws *socket) ping() {
	defer ws.pinging.Store(false)
	ctx, cancel := context.WithTimeout(ws.s.hard, 2*ws.s.hub.o.SendTimeout)
	defer cancel()
	if err := ws.c.Ping(ctx); err != nil {
		ws.s.kick(errGone)
	}
}

// read hands the client's messages to the owner. It goes on, to no avail,
// when the socket is to go: only so is the end of the closing handshake seen.
func (ws *socket) read() {
	for {
		kind, data, err := ws.c.Read(ws.s.hard)
		if err != nil {
			ws.s.kick(errGone)
			return
		}
		var a received
		if kind != websocket.MessageText {
			a.err = errBinary
		} else {
			a.request, a.err = parse(data)
		}
		select {
		case ws.received <- a:
		case <-ws.s.ctx.Done():
		}
	}
}

// write implements sink.
func (ws *socket) write(f *frame) error {
	ctx, cancel := context.WithTimeout(ws.s.hard, ws.s.hub.o.SendTimeout)
	defer cancel()
	err := ws.c.Write(ctx, websocket.MessageText, f.data)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return errSlow
	}
	return errGone
}

// tokenOf finds the token in the Authorization header or in ?token=.
func tokenOf(r *http.Request) string {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return r.URL.Query().Get("token")
}
