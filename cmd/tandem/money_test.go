package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
)

// refunded waits for a refund's end.
func (c client) refunded(no, status string) obj {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if r := c.must(200, "GET", "/v1/refunds/"+no, nil); r["status"] == status {
			return r
		}
		c.must(200, "POST", "/v1/test/clock", obj{"advance": "5s"})
	}
	c.t.Fatalf("refund %s is not %s", no, status)
	return nil
}

// TestBothChannels: an order paid by each channel over its own wire protocol,
// refunded in part and whole, and its day reconciled by the command line with
// nothing left for a person; then the account's movements lie, and that shows.
func TestBothChannels(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		var cfg serveCmd
		sv := serve(t, func(c *serveCmd) {
			change(c)
			cfg = *c
		})
		c := sv.client(t)
		c.shop()
		wechat, _ := c.order("k1", "C1")
		first := c.pay(wechat, "p1")
		if err := sv.sandbox.Pay(first); err != nil {
			t.Fatal(err)
		}
		alipay, _ := c.order("k2", "C2")
		p := c.must(201, "POST", "/v1/orders/"+alipay+"/payments", obj{"channel": "alipay", "method": "precreate"}, "Idempotency-Key: p2")
		second := p["paymentNo"].(string)
		if err := sv.sandbox.Scan(second); err != nil {
			t.Fatal(err)
		}
		if err := sv.sandbox.Pay(second); err != nil {
			t.Fatal(err)
		}
		c.until(wechat, "paid")
		c.until(alipay, "paid")
		part := c.must(201, "POST", "/v1/orders/"+wechat+"/refunds", obj{"amount": 150}, "Idempotency-Key: r1")
		whole := c.must(201, "POST", "/v1/orders/"+alipay+"/refunds", obj{}, "Idempotency-Key: r2")
		c.refunded(part["refundNo"].(string), "succeeded")
		c.refunded(whole["refundNo"].(string), "succeeded")
		c.until(alipay, "refunded")

		zone := time.FixedZone("", 8*3600)
		for date, want := range map[string]int{
			sv.clock.Now().In(zone).AddDate(0, 0, -2).Format(time.DateOnly): 0, // nothing moved, and the gateway says so
			sv.clock.Now().In(zone).Format(time.DateOnly):                   1, // not over yet
			"yesterday": 2,
		} {
			var out, errs bytes.Buffer
			args := []string{"reconcile", "--channel", "wechatpay", "--date", date, "--data", cfg.Data}
			if cfg.DB != "" {
				args = append(args, "--db", cfg.DB)
			}
			if code := run(t.Context(), args, streams{&out, &errs}); code != want || want == 0 && !strings.Contains(out.String(), "nothing needs a person") {
				t.Errorf("reconcile %s: exit %d, want %d\n%s%s", date, code, want, out.String(), errs.String())
			}
		}

		day := sv.clock.Now().In(zone).Format(time.DateOnly)
		c.must(200, "POST", "/v1/test/clock", obj{"advance": "35h"})
		for _, channel := range []string{"wechatpay", "alipay"} {
			d := c.must(200, "POST", "/v1/reconciliations", obj{"channel": channel, "date": day})
			if s := d["summary"].(map[string]any); d["status"] != "done" || s["matched"] != 2.0 || s["classes"] != nil {
				t.Errorf("%s: %v", channel, d)
			}
		}
		// The daily job fetches bills of its own, each day's once, and may meet
		// the fault in our place: what it found we have healed then.
		var items []any
		var last obj
		for try := 0; len(items) == 0 && try < 10; try++ {
			if err := sv.sandbox.Arm(faults.FlowBill, faults.BillRowMissing, 1); err != nil {
				t.Fatal(err)
			}
			last = c.must(200, "POST", "/v1/reconciliations", obj{"channel": "wechatpay", "date": day})
			items = c.must(200, "GET", "/v1/discrepancies?status=open", nil)["items"].([]any)
		}
		if len(items) != 1 || items[0].(map[string]any)["class"] != "funds_differ" {
			t.Errorf("open: %v after %v", items, last)
		}
		c.must(200, "POST", "/v1/reconciliations", obj{"channel": "wechatpay", "date": day})
		if items := c.must(200, "GET", "/v1/discrepancies?status=open", nil)["items"].([]any); len(items) != 0 {
			t.Errorf("still open: %v", items)
		}
		if r := audited(t, sv.db); r.Suspense != 0 || r.Orders != 2 {
			t.Errorf("%+v", r)
		}
	})
}
