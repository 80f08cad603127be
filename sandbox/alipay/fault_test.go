package alipay_test

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

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
)

// What a client sees of each fault of a call, and whether it took effect: the
// close of a trade that waits.
func TestCallFaults(t *testing.T) {
	for _, c := range []struct {
		fault  faults.Fault
		want   string // the status, or what broke, and then the code
		signed bool
		effect bool
	}{
		{faults.TimeoutAfterCommit, "broken", false, true},
		{faults.TimeoutNoEffect, "broken", false, false},
		{faults.Error500NoEffect, "500", false, false},
		{faults.Error500WithEffect, "500", false, true},
		{faults.RateLimited, "200 40005 isv.app-call-limited", false, false},
		{faults.CorruptSignature, "200 wrong", false, true},
		{faults.SigntestSignature, "200 wrong", false, true},
		{faults.Unsigned, "200 10000 <nil>", false, true},
		{faults.HalfAnswer, "broken", false, true},
		{faults.HugeAnswer, "200 10000 <nil>", true, true},
		{faults.Slow, "200 10000 <nil>", true, true},
	} {
		b := newBench(t)
		server := httptest.NewServer(b.Handler())
		b.scanned("NO1")
		p := b.params("alipay.trade.close", biz("out_trade_no", "NO1"))
		b.MustArm(faults.Close, c.fault, 1)
		if c.fault == faults.Slow {
			go func() { // let the delay pass as soon as somebody waits for it
				for b.Clock.Waiting() == 0 {
					runtime.Gosched()
				}
				b.Clock.Advance(time.Second)
			}()
		}
		res, err := http.Post(server.URL+"/gateway.do", "application/x-www-form-urlencoded", strings.NewReader(p.Encode()))
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
func (b *bench) judge(status int, text []byte) (got string, signed bool) {
	if status != 200 {
		return fmt.Sprint(status), false
	}
	body := strings.TrimLeft(string(text), " ")
	if len(text) > 100<<20 != (len(body) < len(text)) {
		return "not huge", false
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(body, `{"`), `":`)
	raw, signature, signed := strings.Cut(rest, `,"sign":"`)
	if signed && rsakey.Verify(&b.keys.PlatformKey.PublicKey, raw, sandboxtest.Base64(b.T, strings.TrimSuffix(signature, `"}`))) != nil {
		return fmt.Sprint(status, " wrong"), false
	}
	if !signed {
		_, n, _ := b.openAnswer([]byte(body))
		return fmt.Sprintf("%d %v", status, n), false
	}
	_, n, ok := b.openAnswer([]byte(body))
	if name != "alipay_trade_close_response" {
		return name, ok
	}
	return fmt.Sprintf("%d %v", status, n), ok
}

// A broken gateway shows as a 500 and as code 20000, by turns.
func TestBrokenInTwoWays(t *testing.T) {
	b := newBench(t)
	b.scanned("NO1")
	b.MustArm(faults.Query, faults.Error500NoEffect, 4)
	var got []string
	for range 4 {
		rec := b.post(b.params("alipay.trade.query", biz("out_trade_no", "NO1")))
		if rec.Code == 500 {
			got = append(got, "500")
			continue
		}
		name, n, signed := b.openAnswer(rec.Body.Bytes())
		got = append(got, fmt.Sprint(name, " ", n, " ", signed))
	}
	proper := "error_response 20000 isp.unknow-error false"
	if fmt.Sprint(got) != fmt.Sprint([]string{"500", proper, "500", proper}) {
		t.Errorf("%q", got)
	}
}

// Faults are the same for every method, and those of one trade leave the
// others alone.
func TestFaultsAreOfAnOperationAndATrade(t *testing.T) {
	for method, op := range map[string]faults.Op{
		"trade.precreate": faults.Prepay, "trade.query": faults.Query, "trade.close": faults.Close, "trade.cancel": faults.Close,
		"trade.refund": faults.Refund, "trade.fastpay.refund.query": faults.QueryRefund, "data.dataservice.bill.downloadurl.query": faults.Bill,
	} {
		b := newBench(t)
		b.MustArm(op, faults.RateLimited, 1)
		ask := asked("NO1", "refund_amount", "1.00", "out_request_no", "R1", "bill_type", "trade", "bill_date", "2026-01-01")
		if n := b.call(method, ask); n["code"] != "40005" {
			t.Errorf("%s: %v", method, n)
		}
		if n := b.call(method, ask); n["code"] == "40005" {
			t.Errorf("%s: a second time", method)
		}
	}
	b := newBench(t)
	b.paidFor("NO1")
	b.paidFor("NO2")
	if err := b.ArmOn("NO2", faults.Query, faults.RateLimited, 1); err != nil {
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
func TestSDKRefusesForgedAnswers(t *testing.T) {
	b := sdkBench(t)
	c := b.client()
	b.scanned("NO1")
	for _, fault := range []faults.Fault{faults.CorruptSignature, faults.SigntestSignature, faults.Unsigned, faults.TimeoutNoEffect, faults.HalfAnswer, faults.Error500NoEffect, faults.Error500NoEffect, faults.RateLimited} {
		b.MustArm(faults.Query, fault, 1)
		if got, err := c.TradeQuery(ctx, sdk.TradeQuery{OutTradeNo: "NO1"}); err == nil {
			t.Errorf("%s: %+v", fault, got)
		}
	}
	if got, err := c.TradeQuery(ctx, sdk.TradeQuery{OutTradeNo: "NO1"}); err != nil || !got.IsSuccess() {
		t.Errorf("afterwards: %+v %v", got, err)
	}
}

// Many at once on one trade: it is paid once, refunded once, and both are reported.
func TestAtOnce(t *testing.T) {
	b := newBench(t)
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
	if paid != 1 || moved != 1 || len(b.shop.all()) != 2 {
		t.Errorf("paid %d times, refunded %d times, reported %d times", paid, moved, len(b.shop.all()))
	}
	if got := b.status("RACE"); got != "TRADE_SUCCESS" {
		t.Errorf("%v", got)
	}
}
