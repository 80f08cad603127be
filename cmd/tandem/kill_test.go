package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/internal/prepared"
)

// process is an instance in a process of its own, which can be killed.
type process struct {
	cmd *exec.Cmd
	url string
}

func spawn(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"serve", "--listen", "127.0.0.1:0", "--no-demo", "--log-level", "error"}, args...)...)
	cmd.Env = append(os.Environ(), "TANDEM_API_KEY="+testKey)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd}
	t.Cleanup(func() { p.kill() })
	s := bufio.NewScanner(out)
	for s.Scan() {
		if f := strings.Fields(s.Text()); len(f) == 2 && f[0] == "API" {
			p.url = strings.TrimSuffix(f[1], "/v1")
			go io.Copy(io.Discard, out)
			return p
		}
	}
	t.Fatalf("the server ended before it was ready: %v", cmd.Wait())
	return nil
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	_ = p.cmd.Wait()
}

// orderLoad places orders from many clients until stop, and keeps the numbers
// that were acknowledged.
type orderLoad struct {
	acked sync.Map // order number → key
	n     atomic.Int64
	stop  context.CancelFunc
	done  sync.WaitGroup
}

func startLoad(t *testing.T, servers ...*process) *orderLoad {
	ctx, cancel := context.WithCancel(t.Context())
	l := &orderLoad{stop: cancel}
	for i := range 16 {
		c := client{t, servers[i%len(servers)].url, testKey}
		l.done.Go(func() {
			for j := 0; ctx.Err() == nil; j++ {
				key := fmt.Sprintf("load-%s-%d-%d", t.Name(), i, j)
				status, out, err := c.try("POST", "/v1/orders", obj{"userId": fmt.Sprint("u", i), "items": []obj{{"sku": "TEA", "quantity": 1}}}, "Idempotency-Key: "+key)
				if err != nil {
					return // the server is gone
				}
				if status == 201 {
					l.acked.Store(out["orderNo"], key)
					l.n.Add(1)
				}
			}
		})
	}
	return l
}

// reach waits until so many orders have been acknowledged.
func (l *orderLoad) reach(t *testing.T, n int64) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for l.n.Load() < n {
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d orders in time", l.n.Load(), n)
		}
		time.Sleep(time.Millisecond) // a poll: the condition decides, not the time
	}
}

// check requires every acknowledged order to be there, and its key to give it again.
func (l *orderLoad) check(t *testing.T, p *process) {
	t.Helper()
	c := client{t, p.url, testKey}
	orders := map[string]bool{}
	for cursor := ""; ; {
		out := c.must(200, "GET", "/v1/orders?limit=100&cursor="+cursor, nil)
		for _, o := range out["items"].([]any) {
			orders[o.(obj)["orderNo"].(string)] = true
		}
		if cursor, _ = out["nextCursor"].(string); cursor == "" {
			break
		}
	}
	checked := 0
	l.acked.Range(func(no, key any) bool {
		if !orders[no.(string)] {
			t.Errorf("acknowledged order %s is lost", no)
		}
		if checked++; checked%20 == 0 {
			user := strings.Split(key.(string), "-")
			again := c.must(201, "POST", "/v1/orders", obj{"userId": "u" + user[len(user)-2], "items": []obj{{"sku": "TEA", "quantity": 1}}}, "Idempotency-Key: "+key.(string))
			if again["orderNo"] != no {
				t.Errorf("key %s gave %s, now %s", key, no, again["orderNo"])
			}
		}
		return true
	})
	t.Logf("%d orders acknowledged, %d stored", checked, len(orders))
}

func auditFlags(t *testing.T, args ...string) {
	t.Helper()
	if code := run(t.Context(), append([]string{"audit", "--prices"}, args...), streams{t.Output(), t.Output()}); code != 0 {
		t.Errorf("audit: exit %d", code)
	}
}

// limits puts promotions in force of which there is less than the load takes.
func (c client) limits() {
	c.must(200, "PUT", "/v1/skus/MUG", obj{"name": "Mug", "price": 300, "stock": 40})
	for _, p := range []obj{
		{"id": "some", "name": "some", "kind": "amount_off", "threshold": 1, "amountOff": 7, "usageLimit": 60, "perUserLimit": 9},
		{"id": "spent", "name": "spent", "kind": "percent_off", "percentOff": 10, "budget": 5000},
		{"id": "once", "name": "once", "kind": "amount_off", "threshold": 1, "amountOff": 3, "firstOrderOnly": true},
		{"id": "mug", "name": "mug", "kind": "gift", "threshold": 1, "giftSku": "MUG", "giftQuantity": 1},
	} {
		c.must(201, "POST", "/v1/promotions", p)
	}
}

// TestKill: kill -9 in the middle of a load loses no acknowledged order, and
// no limit of a promotion is passed.
func TestKill(t *testing.T) {
	for _, db := range []string{"sqlite", "postgres"} {
		t.Run(db, func(t *testing.T) {
			args := []string{"--data", prepared.Data(t)}
			if db == "postgres" {
				args = append(args, "--db", pg.NewDatabase(t))
			}
			p := spawn(t, args...)
			client{t, p.url, testKey}.shop()
			client{t, p.url, testKey}.limits()
			for round := range 3 {
				l := startLoad(t, p)
				l.reach(t, int64(100+50*round))
				p.kill()
				l.stop()
				l.done.Wait()
				p = spawn(t, args...)
				l.check(t, p)
			}
			p.kill()
			auditFlags(t, args...)
		})
	}
}

// TestKillOneOfTwo: one instance is killed, the other goes on; nothing that
// either acknowledged is lost.
func TestKillOneOfTwo(t *testing.T) {
	args := []string{"--data", prepared.Data(t), "--db", pg.NewDatabase(t)}
	one, two := spawn(t, args...), spawn(t, append(args, "--no-sandbox")...)
	client{t, one.url, testKey}.shop()
	client{t, one.url, testKey}.limits()
	l := startLoad(t, one, two)
	l.reach(t, 200)
	one.kill()
	l.reach(t, l.n.Load()+100) // the other takes orders all the while
	l.stop()
	l.done.Wait()
	l.check(t, two)
	two.kill()
	auditFlags(t, args...)
}

// TestDrain: after SIGTERM what is in flight is answered, and the exit is 0.
func TestDrain(t *testing.T) {
	args := []string{"--data", prepared.Data(t)}
	p := spawn(t, append([]string{"--drain-delay", "0s"}, args...)...)
	client{t, p.url, testKey}.shop()
	l := startLoad(t, p)
	l.reach(t, 100)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	l.stop()
	l.done.Wait()
	again := spawn(t, args...)
	l.check(t, again)
	again.kill()
	auditFlags(t, args...)
}
