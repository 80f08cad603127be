package postgres_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// proxy stands between a store and the server. It can hold back what the
// store says, or what the server answers, from now on.
type proxy struct {
	url string

	mu        sync.Mutex
	moved     *sync.Cond
	questions bool // held back
	answers   bool
	queries   int // how many were sent
	ends      []net.Conn
}

func newProxy(t *testing.T, url string) *proxy {
	address, server, ok := strings.Cut(url, "?host=")
	if !ok {
		t.Fatalf("no socket in %s", url)
	}
	dir, err := os.MkdirTemp("/tmp", "tandem-proxy-")
	if err != nil {
		t.Fatal(err)
	}
	const socket = ".s.PGSQL.5432"
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{url: address + "?host=" + dir}
	p.moved = sync.NewCond(&p.mu)
	t.Cleanup(func() {
		p.hold(false, false)
		l.Close()
		os.RemoveAll(dir)
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.ends {
			c.Close()
		}
	})
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", filepath.Join(server, socket))
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.ends = append(p.ends, client, server)
			p.mu.Unlock()
			go p.carry(server, client, &p.questions)
			go p.carry(client, server, &p.answers)
		}
	}()
	return p
}

// carry carries bytes one way; what is held back arrives later, even when
// its sender is gone by then.
func (p *proxy) carry(to, from net.Conn, held *bool) {
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		if held == &p.questions && n > 0 {
			p.queries++
		}
		for *held {
			p.moved.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err == io.EOF {
				to.Close()
			}
			return
		}
	}
}

func (p *proxy) hold(questions, answers bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.questions, p.answers = questions, answers
	p.moved.Broadcast()
}

func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queries
}
