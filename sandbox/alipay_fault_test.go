package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/smartwalle/alipay/v3"
)

// What a client sees of each fault of a call, and whether it took effect: the
// close of a trade that waits.
func TestAlipayCallFaults(t *testing.T) {
	for _, c := range []struct {
		fault  Fault
		want   string // the status, or what broke, and then the code
		signed bool
		effect bool
	}{
		{TimeoutAfterCommit, "broken", false, true},
		{TimeoutNoEffect, "broken", false, false},
		{Error500NoEffect, "500", false, false},
		{Error500WithEffect, "500", false, true},
		{RateLimited, "200 40005 isv.app-call-limited", false, false},
		{CorruptSignature, "200 wrong", false, true},
		{SigntestSignature, "200 wrong", false, true},
		{Unsigned, "200 10000 <nil>", false, true},
		{HalfAnswer, "broken", false, true},
		{HugeAnswer, "200 10000 <nil>", true, true},
		{Slow, "200 10000 <nil>", true, true},
	} {
		b := newAlipayBench(t)
		server := httptest.NewServer(b.Handler())
		b.scanned("NO1")
		p := b.params("alipay.trade.close", biz("out_trade_no", "NO1"))
		b.arm(OpClose, c.fault, 1)
		if c.fault == Slow {
			go func() { // let the delay pass as soon as somebody waits for it
				for !b.clock.waits() {
					runtime.Gosched()
				}
				b.clock.Advance(time.Second)
			}()
		}
		res, err := http.Post(server.URL+"/gateway.do", "application/x-www-form-urlencoded", strings.NewReader(p.encode()))
		got, signed := "broken", false
		if err == nil {
			var text []byte
			if text, err = io.ReadAll(res.Body); err == nil {
				got, signed = b.judge(res.StatusCode, text)
			}
			res.Body.Close()
		}
		if got != c.want || signed != c.signed {
			t.Errorf("%s: %s, signed %t, %v", c.fault, got, signed, err)
		}
		if closed := b.status("NO1") == "TRADE_CLOSED"; closed != c.effect {
			t.Errorf("%s: took effect: %t", c.fault, closed)
		}
		server.Close()
	}
}

// judge says what a client can make of an answer.
func (b *alipayBench) judge(status int, text []byte) (got string, signed bool) {
	if status != 200 {
		return fmt.Sprint(status), false
	}
	body := strings.TrimLeft(string(text), " ")
	if len(text) > 100<<20 != (len(body) < len(text)) {
		return "not huge", false
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(body, `{"`), `":`)
	raw, signature, signed := strings.Cut(rest, `,"sign":"`)
	if signed && verify(&b.keys.Alipay.PlatformKey.PublicKey, raw, mustDecode(b.t, strings.TrimSuffix(signature, `"}`))) != nil {
		return fmt.Sprint(status, " wrong"), false
	}
	if !signed {
		_, n, _ := b.open([]byte(body))
		return fmt.Sprintf("%d %v", status, n), false
	}
	_, n, ok := b.open([]byte(body))
	if name != "alipay_trade_close_response" {
		return name, ok
	}
	return fmt.Sprintf("%d %v", status, n), ok
}

// waits says whether anybody waits for the clock.
func (c *VirtualClock) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) > 0
}

// A broken gateway shows as a 500 and as code 20000, by turns.
func TestAlipayBrokenInTwoWays(t *testing.T) {
	b := newAlipayBench(t)
	b.scanned("NO1")
	b.arm(OpQuery, Error500NoEffect, 4)
	var got []string
	for range 4 {
		rec := b.post(b.params("alipay.trade.query", biz("out_trade_no", "NO1")))
		if rec.Code == 500 {
			got = append(got, "500")
			continue
		}
		name, n, signed := b.open(rec.Body.Bytes())
		got = append(got, fmt.Sprint(name, " ", n, " ", signed))
	}
	proper := "error_response 20000 isp.unknow-error false"
	if fmt.Sprint(got) != fmt.Sprint([]string{"500", proper, "500", proper}) {
		t.Errorf("%q", got)
	}
}

// Faults are the same for every method, and those of one trade leave the
// others alone.
func TestAlipayFaultsAreOfAnOperationAndATrade(t *testing.T) {
	for method, op := range map[string]Op{
		"trade.precreate": OpPrepay, "trade.query": OpQuery, "trade.close": OpClose, "trade.cancel": OpClose,
		"trade.refund": OpRefund, "trade.fastpay.refund.query": OpQueryRefund, "data.dataservice.bill.downloadurl.query": OpBill,
	} {
		b := newAlipayBench(t)
		b.arm(op, RateLimited, 1)
		ask := asked("NO1", "refund_amount", "1.00", "out_request_no", "R1", "bill_type", "trade", "bill_date", "2026-01-01")
		if n := b.call(method, ask); n["code"] != "40005" {
			t.Errorf("%s: %v", method, n)
		}
		if n := b.call(method, ask); n["code"] == "40005" {
			t.Errorf("%s: a second time", method)
		}
	}
	b := newAlipayBench(t)
	b.paidFor("NO1")
	b.paidFor("NO2")
	if err := b.ArmOn("NO2", OpQuery, RateLimited, 1); err != nil {
		t.Fatal(err)
	}
	number := b.call("trade.query", biz("out_trade_no", "NO1"))["trade_no"]
	v, _ := b.Trade("NO2")
	for _, c := range []struct {
		ask  map[string]any
		want string
	}{
		{biz("trade_no", number), "10000"}, {biz("out_trade_no", "NO1"), "10000"},
		{biz("trade_no", v.TransactionIDs[0]), "40005"}, {biz("out_trade_no", "NO2"), "10000"},
	} {
		if n := b.call("trade.query", c.ask); n["code"] != c.want {
			t.Errorf("%v: %v", c.ask, n)
		}
	}
}

// The SDK believes nothing that a fault has spoilt.
func TestAlipaySDKRefusesForgedAnswers(t *testing.T) {
	b := sdkBench(t)
	c := b.client()
	b.scanned("NO1")
	for _, fault := range []Fault{CorruptSignature, SigntestSignature, Unsigned, TimeoutNoEffect, HalfAnswer, Error500NoEffect, Error500NoEffect, RateLimited} {
		b.arm(OpQuery, fault, 1)
		if got, err := c.TradeQuery(ctx, sdk.TradeQuery{OutTradeNo: "NO1"}); err == nil {
			t.Errorf("%s: %+v", fault, got)
		}
	}
	if got, err := c.TradeQuery(ctx, sdk.TradeQuery{OutTradeNo: "NO1"}); err != nil || !got.IsSuccess() {
		t.Errorf("afterwards: %+v %v", got, err)
	}
}

// Many at once on one trade: it is paid once, refunded once, and told of both.
func TestAlipayAtOnce(t *testing.T) {
	b := newAlipayBench(t)
	b.precreated("RACE")
	var all sync.WaitGroup
	var mu sync.Mutex
	paid, moved := 0, 0
	for range 16 {
		all.Go(func() {
			if b.Pay("RACE") == nil {
				mu.Lock()
				paid++
				mu.Unlock()
			}
			n := b.call("trade.refund", biz("out_trade_no", "RACE", "refund_amount", "8.88", "out_request_no", "R1"))
			if n["fund_change"] == "Y" {
				mu.Lock()
				moved++
				mu.Unlock()
			}
			b.DeliverDue(ctx)
		})
	}
	all.Wait()
	b.DeliverDue(ctx)
	if paid != 1 || moved != 1 || len(b.told.all()) != 2 {
		t.Errorf("paid %d times, refunded %d times, told %d times", paid, moved, len(b.told.all()))
	}
	if got := b.status("RACE"); got != "TRADE_SUCCESS" {
		t.Errorf("%v", got)
	}
}
