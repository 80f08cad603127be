package wire

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
)

// Call is how an authentic request is carried out.
type Call struct {
	Do     func()             // takes effect
	Broken func()             // answers that the gateway is broken
	Busy   func()             // answers that there are too many requests
	Answer func(faults.Fault) // answers with what Do came to, or what the fault makes of it
}

// Serve carries out a call as the fault says.
func (e *Env) Serve(rw http.ResponseWriter, r *http.Request, fault faults.Armed, c Call) {
	switch fault.Fault {
	case faults.Error500NoEffect:
		c.Broken()
		return
	case faults.RateLimited:
		c.Busy()
		return
	case faults.TimeoutNoEffect:
		e.hang(rw, r, fault.Delay)
	default: // the other faults take effect
	}
	c.Do()
	switch fault.Fault {
	case faults.Error500WithEffect:
		c.Broken()
		return
	case faults.TimeoutAfterCommit:
		e.hang(rw, r, fault.Delay)
	case faults.Slow:
		e.wait(r, fault.Delay)
	default: // the answer shows the others, or none was armed
	}
	c.Answer(fault.Fault)
}

// wait lets d pass on the gateway's clock, or until the client gives up.
func (e *Env) wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-e.Book.Clock.After(d):
	case <-r.Context().Done():
	case <-e.Life.Done():
	}
}

// hang waits and then closes the connection; it does not return. A GET is
// broken off within its answer: Go's client, and not only that, would silently
// repeat one that got no answer at all, and the shop would never notice.
func (e *Env) hang(rw http.ResponseWriter, r *http.Request, d time.Duration) {
	e.wait(r, d)
	if r.Method == http.MethodGet {
		rw.Header().Set("Content-Length", "1000")
		_, _ = rw.Write([]byte("{"))
		CutOff(rw)
	}
	panic(http.ErrAbortHandler)
}

// CutOff closes the connection behind what has been written. It does not
// return.
func CutOff(rw http.ResponseWriter) {
	_ = http.NewResponseController(rw).Flush()
	panic(http.ErrAbortHandler)
}

// HugeAnswer is the number of blanks in front of a huge answer.
const HugeAnswer = 100 << 20

// Blanks is how many blanks the fault puts in front of an answer.
func Blanks(fault faults.Fault) int {
	if fault == faults.HugeAnswer {
		return HugeAnswer
	}
	return 0
}

// WriteBlanks writes n blanks, which JSON ignores, from a small buffer.
func WriteBlanks(to io.Writer, n int) error {
	buf := bytes.Repeat([]byte(" "), 64<<10)
	for n > 0 {
		m, err := to.Write(buf[:min(n, len(buf))])
		if err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// WriteBody writes an answer with its length, or what the fault makes of it.
func WriteBody(rw http.ResponseWriter, status int, body []byte, fault faults.Fault) {
	blanks := Blanks(fault)
	rw.Header().Set("Content-Length", strconv.Itoa(blanks+len(body)))
	rw.WriteHeader(status)
	if fault == faults.HalfAnswer {
		_, _ = rw.Write(body[:len(body)/2])
		CutOff(rw)
	}
	if WriteBlanks(rw, blanks) == nil {
		_, _ = rw.Write(body)
	}
}
