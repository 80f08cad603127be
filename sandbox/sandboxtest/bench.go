// Package sandboxtest is the harness of the sandbox's tests: a gateway with
// known keys on a clock that stands still, a shop that receives callbacks, and
// signed requests that a merchant would send.
package sandboxtest

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
)

//go:embed testdata/keys.json
var storedKeys []byte

// StoredKeys are Keys as a server keeps them.
func StoredKeys() []byte { return slices.Clone(storedKeys) }

// Keys are the keys with which the test vectors of WeChat Pay were signed. They
// were stored before there was Alipay.
var Keys = sync.OnceValue(func() *sandbox.Keys {
	keys := new(sandbox.Keys)
	if err := json.Unmarshal(storedKeys, keys); err != nil {
		panic(err)
	}
	return keys
})

// Bench is a gateway on a clock that stands still, and a shop to report to.
type Bench struct {
	*sandbox.Gateway
	T     testing.TB
	Clock *clock.Manual
	Shop  *Shop

	now func() time.Time // of requests
}

// New makes a bench. It starts the clock at the computer's time, since the
// official SDKs read that one; change may alter the options.
func New(t testing.TB, change ...func(*sandbox.Options)) *Bench {
	b := &Bench{T: t, Clock: clock.NewManual(time.Now()), Shop: &Shop{}}
	o := sandbox.Options{
		Clock: b.Clock, Keys: Keys(), Advance: b.Clock.Advance,
		Client:  &http.Client{Transport: b.Shop},
		APITime: time.Now, CallbackTime: time.Now,
	}
	for _, f := range change {
		f(&o)
	}
	b.now = o.APITime
	if c, is := o.Clock.(*clock.Manual); is {
		b.Clock = c
	}
	if b.now == nil {
		b.now = o.Clock.Now
	}
	b.Gateway = sandbox.New(o)
	t.Cleanup(b.Close)
	return b
}

// OnClock lets the wire carry the gateway's clock instead of the computer's.
func OnClock(o *sandbox.Options) { o.APITime, o.CallbackTime = nil, nil }

// Now is the time of the gateway's clock.
func (b *Bench) Now() time.Time { return b.Clock.Now() }

// RequestTime is the time that requests carry.
func (b *Bench) RequestTime() time.Time { return b.now() }

// Shop is the receiver of callbacks, without a network in between. It answers
// with the statuses in order and 204 after them; -1 is no answer at all.
type Shop struct {
	Answers []int
	During  func() // runs while a callback is being received

	mu  sync.Mutex
	got []Received
}

// Received is a callback as the shop got it.
type Received struct {
	URL    string
	Header http.Header
	Body   []byte
}

// RoundTrip implements http.RoundTripper.
func (s *Shop) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if s.During != nil {
		s.During()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, Received{r.URL.String(), r.Header.Clone(), body})
	status := http.StatusNoContent
	if len(s.Answers) > 0 {
		status, s.Answers = s.Answers[0], s.Answers[1:]
	}
	if status < 0 {
		return nil, errors.New("no answer in time")
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}}, nil
}

// All are the callbacks that have been received.
func (s *Shop) All() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.got...)
}

// MustArm arms a fault.
func (b *Bench) MustArm(op faults.Op, fault faults.Fault, count int, delay ...time.Duration) {
	b.T.Helper()
	b.MustArmOn("", op, fault, count, delay...)
}

// MustArmOn arms a fault of one trade.
func (b *Bench) MustArmOn(no string, op faults.Op, fault faults.Fault, count int, delay ...time.Duration) {
	b.T.Helper()
	if err := b.ArmOn(no, op, fault, count, delay...); err != nil {
		b.T.Fatal(err)
	}
}

// Control sends an unsigned request, as a program would.
func (b *Bench) Control(method, path, body string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	b.Handler().ServeHTTP(rec, req)
	return rec
}

// Encode is a body: a string as it is, anything else as JSON.
func Encode(t testing.TB, body any) []byte {
	t.Helper()
	switch v := body.(type) {
	case nil:
		return nil
	case string:
		return []byte(v)
	}
	out, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Code is the error code of an answer, or its status when it has none.
func Code(rec *httptest.ResponseRecorder) string {
	var no struct{ Code string }
	_ = json.Unmarshal(rec.Body.Bytes(), &no)
	return fmt.Sprintf("%d %s", rec.Code, no.Code)
}

// Base64 decodes.
func Base64(t testing.TB, s string) []byte {
	t.Helper()
	out, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Elsewhere is a transport that changes the scheme and host of requests: all
// that a shop has to change.
type Elsewhere struct{ Server *httptest.Server }

// RoundTrip implements http.RoundTripper.
func (e Elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", e.Server.Listener.Addr().String()
	return e.Server.Client().Transport.RoundTrip(r)
}
