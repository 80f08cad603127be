package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a server that was started for a load.
type Process struct {
	URL string

	cmd    *exec.Cmd
	ended  chan struct{}
	err    error // of the process, once ended is closed
	stderr tail
}

// startTime is how long a server may take until it says where it is.
const startTime = 60 * time.Second

// Start runs a server that prints the address of its API when it is ready,
// as `tandem serve` does: a line with "API" and a URL that ends in /v1. The
// process lives until Stop; if whoever started it exits, it exits too where
// the system can see to that.
func Start(ctx context.Context, program string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.SysProcAttr = dieWithParent()
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// The system ends a child with the thread that started it, not with the
	// process, so one goroutine keeps the thread for as long as the process runs.
	started := make(chan error, 1)
	urls := make(chan string, 1)
	go func() {
		defer close(p.ended)
		defer keepThread()()
		if err := p.cmd.Start(); err != nil {
			p.err = err
			started <- err
			return
		}
		started <- nil
		findURL(out, urls)
		p.err = p.cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	select {
	case p.URL = <-urls:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("%s ended: %w\n%s", program, p.err, p.stderr.String())
	case <-time.After(startTime):
		err = fmt.Errorf("%s is not ready after %s", program, startTime)
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, p.Stop())
}

// findURL reads what a server prints to its end.
func findURL(out io.Reader, urls chan<- string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) == 2 && f[0] == "API" {
			select {
			case urls <- strings.TrimSuffix(f[1], "/v1"):
			default:
			}
		}
	}
	_, _ = io.Copy(io.Discard, out) // a line that was too long
}

// stopTime is how long a server may take to drain.
const stopTime = 30 * time.Second

// Stop ends the server as an operator would, and waits for it. What it wrote
// to its standard error is in the error if it failed.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("%s did not stop within %s\n%s", p.cmd.Path, stopTime, p.stderr.String())
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", p.cmd.Path, p.err, p.stderr.String())
	}
	return nil
}

// Said is the end of what the server wrote to its standard error.
func (p *Process) Said() string { return p.stderr.String() }

// PID is the number of its process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Memory is the server's resident memory in bytes, as Linux reports it.
func (p *Process) Memory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("the system does not say how much memory a process has")
}

// tail keeps the last that was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailKept = 256 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - tailKept; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
