package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/internal/releases"
)

// TestReleases: the database of every earlier release goes on working. Its
// tables are brought up to date, what was answered is answered again, what
// was left half done is done, and new orders are taken. That includes a
// database whose release had stopped reacting, because its dump had been
// restored into a server that counts transactions from the beginning.
func TestReleases(t *testing.T) {
	for _, d := range releases.All(t) {
		t.Run(d.Release+"/"+d.Name, func(t *testing.T) { goesOn(t, d) })
	}
}

// goesOn serves a database of a release and requires everything in order.
func goesOn(t *testing.T, d *releases.Database) {
	args := []string{"--data", d.Data(t)}
	sv := serve(t, func(c *serveCmd) {
		c.Data, c.NoDemo, c.APIKey, c.At = args[1], true, d.Shop(t, "default").Secret(), d.Clock
		c.SandboxBesideRealChannels = true // a shop of v0.2 has a channel of another merchant
		if d.Store == releases.Postgres {
			c.DB = d.Restore(t, pg)
			args = append(args, "--db", c.DB)
		}
	})
	for _, r := range d.Replays(t) {
		replay(t, sv, r)
	}
	for _, s := range d.Shops {
		c := client{t, sv.url, s.Secret()}
		cancelAgain(t, sv, s.ID, c)
		settled(t, sv, s.ID)
		for _, want := range s.Orders {
			got := c.must(200, "GET", "/v1/orders/"+want.No, nil)
			has := releases.Order{
				No: want.No, About: want.About, Status: got["status"].(string),
				Payable: amount(got, "payableAmount"), Paid: amount(got, "paidAmount"), Refunded: amount(got, "refundedAmount"),
			}
			if slices.Contains(d.Closing, want.No) && has.Status == "closed" {
				continue // the channel has answered
			}
			if has != want {
				t.Errorf("order is %+v, want %+v", has, want)
			}
		}
		for _, k := range s.Keys {
			status := map[bool]int{false: 200, true: 401}[k.Revoked]
			client{t, sv.url, k.Secret}.must(status, "GET", "/v1/shop", nil)
		}
	}
	// Each release's database has two jobs that were parked.
	parked := 0
	for _, s := range d.Shops {
		for _, j := range (client{t, sv.url, s.Secret()}).must(200, "GET", "/v1/jobs", nil)["items"].([]any) {
			job := j.(map[string]any)
			if job["kind"] != "close_payment" || job["paymentNo"] == "" || job["lastError"] == "" || job["attempts"] != 12.0 {
				t.Errorf("a parked job: %v", job)
			}
			parked++
		}
	}
	if parked != 2 {
		t.Errorf("%d parked jobs, want 2", parked)
	}
	c := client{t, sv.url, d.Shop(t, "default").Secret()}
	no := c.must(201, "POST", "/v1/orders", obj{"userId": "new", "items": []obj{{"sku": "TEA", "quantity": 1}}}, "Idempotency-Key: of-the-new-version")["orderNo"].(string)
	if err := sv.sandbox.Pay(c.pay(no, "payment-of-the-new-version")); err != nil {
		t.Fatal(err)
	}
	c.until(no, "paid")
	settled(t, sv, "default")
	auditFlags(t, args...)
}

func amount(order obj, member string) int64 { return int64(order[member].(float64)) }

// replay repeats a request that the release has answered.
func replay(t *testing.T, sv *server, r releases.Replay) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.Method, sv.url+r.Path, strings.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.APIKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", r.Key)
	if r.IfMatch != "" {
		req.Header.Set("If-Match", r.IfMatch)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != r.Status || string(answer) != r.Answer || resp.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s %s with key %s: %d, replayed %q\n%s\nwant %d\n%s", r.Method, r.Path, r.Key,
			resp.StatusCode, resp.Header.Get("Idempotent-Replayed"), answer, r.Status, r.Answer)
	}
}

// cancelAgain does what the audit asks for of orders that v0.2 closed and whose
// goods, which went with the first part, it did not take back.
func cancelAgain(t *testing.T, sv *server, shopID string, c client) {
	t.Helper()
	r, err := audit.Run(t.Context(), sv.db, shopID, logFollowers())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Offences {
		if no, is := strings.CutPrefix(o.Subject, "order "); is && strings.HasSuffix(o.Message, "cancel it again") {
			c.must(200, "POST", "/v1/orders/"+no+"/cancel", obj{})
		}
	}
}

// settled waits until a shop's reactions have caught up and the audit finds
// nothing.
func settled(t *testing.T, sv *server, shopID string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		r, err := audit.Run(t.Context(), sv.db, shopID, logFollowers())
		if err != nil {
			t.Fatal(err)
		}
		if r.Pending == 0 && len(r.Offences) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("shop %s: the followers have %d things to do still; offences:\n%s", shopID, r.Pending, fmt.Sprintln(r.Offences))
			return
		}
		time.Sleep(10 * time.Millisecond) // a poll: the condition decides, not the time
	}
}
