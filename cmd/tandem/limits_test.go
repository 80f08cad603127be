package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// shortLimits are limits that a test can wait for. What must not end is
// waited for longer than any of them.
func shortLimits(t *testing.T, change func(*httpLimits)) {
	t.Helper()
	before := limitsOf
	t.Cleanup(func() { limitsOf = before })
	limitsOf.Header, limitsOf.Request, limitsOf.Body, limitsOf.Unread = 200*time.Millisecond, 300*time.Millisecond, 200*time.Millisecond, 100*time.Millisecond
	if change != nil {
		change(&limitsOf)
	}
}

// dial opens a connection and sends what a slow client has sent so far.
func dial(t *testing.T, url, sent string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, sent); err != nil {
		t.Fatal(err)
	}
	return c
}

// slowBodies are requests whose body never ends, one for each kind of path.
var slowBodies = []string{
	"POST /v1/notify/default/wechatpay", "POST /v1/notify/default/alipay", "POST /v1/notify/none/none", "GET /metrics", "POST /metrics",
	"POST /demo/api/orders", "GET /demo", "POST /demo/nothing", "GET /sdk/tandem.js", "POST /nothing", "DELETE /v1/nothing", "POST /v1/orders",
	"POST /v1/quotes", "GET /v1/orders", "GET /v1/ws", "GET /v1/orders/1/events", "PUT /healthz", "GET /readyz", "GET /docs", "GET /openapi.json",
	"POST /v3/pay/transactions/native", "POST /gateway.do", "GET /pay/x", "POST /sandbox/trades/1/pay", "OPTIONS /v1/orders/1", "GET /",
}

const slowHead = " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + testKey +
	"\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 100\r\n\r\n{"

// A client that does not send its request gets no more than the limits,
// whatever it calls.
func TestSlowRequestsEnd(t *testing.T) {
	shortLimits(t, nil)
	sv := serve(t, nil)
	sent := map[string]string{"half a header": "GET /v1/orders HTTP/1.1\r\nHost: x\r\nX-", "nothing": ""}
	for _, call := range slowBodies {
		sent[call] = call + slowHead
	}
	connections := map[string]net.Conn{}
	for name, text := range sent {
		connections[name] = dial(t, sv.url, text)
	}
	for name, c := range connections {
		if err := c.SetReadDeadline(time.Now().Add(openFor)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays open, with the answer %.200q", name, answer)
		}
		if status := strings.SplitN(string(answer), " ", 3); len(status) > 1 && status[1] >= "5" {
			t.Errorf("%s: %.200s", name, answer)
		}
	}
}

// openFor is how long a connection that ends by the short limits is waited
// for, on a machine that has other work as well.
const openFor = 20 * time.Second

// Slow bodies do not hold up the end of the server.
func TestSlowBodiesDoNotHoldTheEnd(t *testing.T) {
	shortLimits(t, func(l *httpLimits) {
		l.Request, l.Body, l.Unread, l.Drain = time.Hour, time.Hour, time.Hour, 50*time.Millisecond
	})
	for _, call := range slowBodies[:2] {
		parent := t
		t.Run(call, func(t *testing.T) {
			var began time.Time
			t.Cleanup(func() { // after the server's own
				if took := time.Since(began); took > openFor {
					t.Errorf("stopped after %s", took)
				}
			})
			sv := serve(t, nil)
			dial(parent, sv.url, call+slowHead)
			wait(t, "the request", func() bool {
				sv.http.mu.Lock()
				defer sv.http.mu.Unlock()
				return len(sv.http.waiting) > 0
			})
			began = time.Now()
		})
	}
}

// What waits on purpose goes on beyond the limits of reading and writing.
func TestWaitingGoesOn(t *testing.T) {
	shortLimits(t, func(l *httpLimits) { l.Answer = 5 * time.Second })
	sv := serve(t, nil)
	c := sv.client(t)
	c.shop()
	no, token := c.order("k1")
	read := c.must(200, "GET", "/v1/orders/"+no, nil)
	events := c.listen(no, token)
	poll := make(chan error, 1)
	go func() {
		r, _ := http.NewRequest("GET", sv.url+"/v1/orders/"+no+"?wait=3s", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("If-None-Match", fmt.Sprintf("%q", fmt.Sprint(read["version"])))
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusNotModified && resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("the long poll ended with %s", resp.Status)
			}
		}
		poll <- err
	}()
	stream := dial(t, sv.url, "GET /v1/orders/"+no+"/events?token="+url.QueryEscape(token)+" HTTP/1.1\r\nHost: x\r\n\r\n")
	if line, err := bufio.NewReader(stream).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatal(line, err)
	}
	if err := <-poll; err != nil {
		t.Error(err)
	}
	c.must(200, "POST", "/v1/orders/"+no+"/cancel", obj{})
	wantEvent(t, events, "order.closed")
}
