package checkout_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tandem-pay/tandem/internal/prepared"
)

// server is the real tandem, as a process of its own.
type server struct {
	t    *testing.T
	url  string
	key  string
	data string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

var binary struct {
	once sync.Once
	dir  string
	err  error
	out  []byte
}

// build makes the binary once for all tests.
func build(t *testing.T) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "tandem-checkout-"); binary.err == nil {
			binary.out, binary.err = exec.Command("go", "build", "-o", binary.dir, "../cmd/tandem").CombinedOutput()
		}
	})
	if binary.err != nil {
		t.Fatalf("building tandem: %v\n%s", binary.err, binary.out)
	}
	return filepath.Join(binary.dir, "tandem")
}

// serve starts a server on a free port and on data; "" is a new folder with a
// database that is prepared.
func serve(t *testing.T, data string) *server {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts the server")
	}
	if data == "" {
		data = prepared.Data(t)
	}
	s := &server{t: t, data: data, cmd: exec.Command(build(t), "serve", "--listen", "127.0.0.1:0", "--data", data)}
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		switch value = strings.TrimSpace(value); name {
		case "demo":
			s.url = strings.TrimSuffix(value, "/demo")
		case "key":
			s.key = s.keptKey()
		}
		if s.url != "" && s.key != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return s
		}
	}
	s.stop()
	t.Fatalf("the server did not say where it is:\n%s", s.log.String())
	return nil
}

// keptKey is the secret key, which the server prints only when it has made it.
func (s *server) keptKey() string {
	text, err := os.ReadFile(filepath.Join(s.data, "api.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// stop shuts the server down and expects a clean exit.
func (s *server) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the server ended with %v:\n%s", err, s.log.String())
	}
	s.cmd = nil
}

// call calls the public API with the secret key.
func (s *server) call(method, path, body string, into any) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	s.send(http.DefaultClient, r, into)
}

func (s *server) send(c *http.Client, r *http.Request, into any) *http.Response {
	s.t.Helper()
	res, err := c.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			s.t.Fatalf("%s %s: %s %s", r.Method, r.URL, res.Status, raw)
		}
	}
	return res
}

// relay stands between a browser and the server, to be cut.
type relay struct {
	url string

	mu   sync.Mutex
	open map[net.Conn]bool
	down bool
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{url: "http://" + l.Addr().String(), open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = l.Close()
		r.cut(true)
	})
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", strings.TrimPrefix(to, "http://"))
			if err != nil || !r.keep(in, out) {
				_ = in.Close()
				continue
			}
			go r.pipe(in, out)
			go r.pipe(out, in)
		}
	}()
	return r
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if r.down {
			_ = c.Close()
		} else {
			r.open[c] = true
		}
	}
	return !r.down
}

func (r *relay) pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, to)
	delete(r.open, from)
}

// cut breaks all connections; down keeps new ones from coming up.
func (r *relay) cut(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
	for c := range r.open {
		_ = c.Close()
	}
}
