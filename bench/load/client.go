package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// requestTime bounds one request: a server that takes longer is down.
const requestTime = 30 * time.Second

// client is one keep-alive connection. It is for one goroutine.
type client struct {
	target Target
	conn   net.Conn
	r      *bufio.Reader
	out    []byte
	in     []byte
	body   []byte      // for whoever composes bodies
	stop   func() bool // unhooks the connection from its context
	limit  time.Time   // the connection's present deadline
}

// dial connects. When ctx ends, the connection breaks: nobody waits for an
// answer that cannot come.
func dial(ctx context.Context, t Target) (*client, error) {
	c := &client{target: t}
	return c, c.redial(ctx)
}

func (c *client) redial(ctx context.Context) error {
	c.close()
	d := net.Dialer{Timeout: requestTime}
	conn, err := d.DialContext(ctx, "tcp", c.target.Addr)
	if err != nil {
		return err
	}
	c.conn, c.limit = conn, time.Time{}
	c.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if c.r == nil {
		c.r = bufio.NewReaderSize(conn, 16<<10)
	} else {
		c.r.Reset(conn)
	}
	return nil
}

func (c *client) close() {
	if c.conn != nil {
		c.stop()
		_ = c.conn.Close()
		c.conn = nil
	}
}

// begin starts a request. Headers and the body come next.
func (c *client) begin(method, path string) {
	b := append(c.out[:0], method...)
	b = append(append(append(b, ' '), path...), " HTTP/1.1\r\nHost: "...)
	c.out = append(append(b, c.target.Addr...), "\r\n"...)
}

func (c *client) header(name, value string) {
	b := append(append(c.out, name...), ": "...)
	c.out = append(append(b, value...), "\r\n"...)
}

// authorized adds the secret key.
func (c *client) authorized() { c.header("Authorization", "Bearer "+c.target.Key) }

// send finishes the request with a body, nil for none, and reads the answer.
// What it returns is good until the next call.
func (c *client) send(body []byte) (status int, answer []byte, err error) {
	b := c.out
	if body != nil {
		b = append(b, "Content-Type: application/json\r\nContent-Length: "...)
		b = append(strconv.AppendInt(b, int64(len(body)), 10), "\r\n"...)
	}
	b = append(append(b, "\r\n"...), body...)
	c.out = b
	if c.conn == nil {
		return 0, nil, net.ErrClosed
	}
	// A deadline costs a little: it is moved now and then, not each time.
	if now := time.Now(); c.limit.Sub(now) < requestTime {
		c.limit = now.Add(2 * requestTime)
		if err := c.conn.SetDeadline(c.limit); err != nil {
			return 0, nil, err
		}
	}
	if _, err := c.conn.Write(b); err != nil {
		return 0, nil, err
	}
	return c.read()
}

// call is a whole request with the secret key.
func (c *client) call(method, path string, body []byte) (status int, answer []byte, err error) {
	c.begin(method, path)
	c.authorized()
	return c.send(body)
}

// post is call with an idempotency key.
func (c *client) post(path, key string, body []byte) (status int, answer []byte, err error) {
	c.begin("POST", path)
	c.authorized()
	c.header("Idempotency-Key", key)
	return c.send(body)
}

// deliver sends a channel's callback, which carries its own headers.
func (c *client) deliver(path string, h http.Header, body []byte) (status int, answer []byte, err error) {
	c.begin("POST", path)
	for name, values := range h {
		if name != "Content-Type" {
			c.header(name, values[0])
		}
	}
	return c.send(body)
}

var errProtocol = errors.New("not an HTTP/1.1 answer")

func (c *client) read() (status int, body []byte, err error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, errProtocol
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, errProtocol
	}
	length, chunked, last := 0, false, false
	for {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return 0, nil, errProtocol
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		case bytes.EqualFold(name, []byte("Connection")):
			last = bytes.EqualFold(value, []byte("close"))
		}
	}
	c.in = c.in[:0]
	if chunked {
		err = c.readChunks()
	} else {
		err = c.readBody(length)
	}
	if last {
		c.close()
	}
	return status, c.in, err
}

func (c *client) readBody(n int) error {
	at := len(c.in)
	if need := at + n; need > cap(c.in) {
		c.in = append(make([]byte, 0, 2*need), c.in...)
	}
	c.in = c.in[:at+n]
	_, err := io.ReadFull(c.r, c.in[at:])
	return err
}

func (c *client) readChunks() error {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil {
			return errProtocol
		}
		if err := c.readBody(int(n)); err != nil {
			return err
		}
		if _, err := c.r.Discard(2); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

// text finds the string member of that name in a JSON document: the first
// one, and one without escapes, as numbers and codes are.
func text(doc []byte, name string) string {
	v := member(doc, name)
	if len(v) == 0 || v[0] != '"' {
		return ""
	}
	end := bytes.IndexByte(v[1:], '"')
	if end < 0 {
		return ""
	}
	return string(v[1 : 1+end])
}

// number finds the integer member of that name.
func number(doc []byte, name string) (n int64) {
	for _, c := range member(doc, name) {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int64(c-'0')
	}
	return n
}

func member(doc []byte, name string) []byte {
	for {
		i := bytes.Index(doc, []byte(name))
		if i < 0 {
			return nil
		}
		before, after := doc[:i], doc[i+len(name):]
		if bytes.HasSuffix(before, []byte{'"'}) && bytes.HasPrefix(after, []byte(`":`)) {
			return after[2:]
		}
		doc = after
	}
}

// refusal is an answer other than the expected one.
type refusal struct {
	status int
	code   string
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.status, r.code, r.body) }

func refused(status int, body []byte) error {
	code := text(body, "code")
	if code == "" {
		code = "http_" + strconv.Itoa(status)
	}
	return &refusal{status, code, string(body[:min(len(body), 400)])}
}

// errorCode is what an error is counted under.
func errorCode(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.code
	}
	return "connection"
}
