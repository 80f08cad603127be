package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/bench/load"
)

// client calls the API as a careful shop does: what was not answered for
// certain it repeats, with the same key.
type client struct {
	base    string
	key     string
	http    *http.Client
	calls   atomic.Int64
	repeats atomic.Int64
}

func newClient(t load.Target) *client {
	return &client{base: "http://" + t.Addr, key: t.Key, http: &http.Client{
		Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256},
	}}
}

// refusal is a certain no.
type refusal struct {
	status int
	code   string
	detail string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.status, r.code, r.detail) }

// maxTries is how often a careful shop sends a request; then it reads what
// became of it.
const maxTries = 6

// do makes a call and repeats it while its outcome is not certain. key "" is
// for what may be repeated without one.
func (c *client) do(ctx context.Context, method, path, key string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	for try := 1; ; try++ {
		again, err := c.attempt(ctx, method, path, key, body, out)
		if err == nil || !again || try == maxTries || ctx.Err() != nil {
			return err
		}
		c.repeats.Add(1)
		select {
		case <-time.After(time.Duration(try) * 20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *client) attempt(ctx context.Context, method, path, key string, body []byte, out any) (again bool, err error) {
	c.calls.Add(1)
	q, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(path, "/v1/") {
		q.Header.Set("Authorization", "Bearer "+c.key)
		if key != "" && method == http.MethodPost {
			q.Header.Set("Idempotency-Key", key)
		}
	}
	resp, err := c.http.Do(q)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return true, err
	}
	if resp.StatusCode >= 300 {
		var p struct{ Code, Detail string }
		_ = json.Unmarshal(answer, &p) // an answer without is known by its status
		if p.Detail == "" {
			p.Detail = string(answer[:min(len(answer), 200)])
		}
		again := resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests
		return again, &refusal{resp.StatusCode, p.Code, p.Detail}
	}
	if out == nil || len(answer) == 0 {
		return false, nil
	}
	return false, json.Unmarshal(answer, out)
}

// pulse is what is open at the server, by its metrics: it changes while
// the server works.
func (c *client) pulse(ctx context.Context) (string, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/metrics", nil)
	if err != nil {
		return "", err
	}
	resp, err := c.http.Do(q)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var pulse strings.Builder
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		for _, name := range []string{"tandem_open_payments", "tandem_channel_calls_total", "tandem_batch_commands_count", "tandem_parked"} {
			if strings.HasPrefix(lines.Text(), name) {
				pulse.WriteString(lines.Text())
			}
		}
	}
	return pulse.String(), nil
}

// must is do for what has to succeed.
func (c *client) must(ctx context.Context, method, path, key string, in, out any) error {
	if err := c.do(ctx, method, path, key, in, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
