package alipay_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/alipay"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// What an order may look like.
func TestOrderRules(t *testing.T) {
	b := newBench(t)
	for i, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"out_trade_no", strings.Repeat("A_z9", 16), "10000"},
		{"out_trade_no", strings.Repeat("A", 65), "ACQ.INVALID_PARAMETER"},
		{"out_trade_no", "WITH-HYPHEN", "ACQ.INVALID_PARAMETER"},
		{"out_trade_no", "", "ACQ.INVALID_PARAMETER"},
		{"out_trade_no", nil, "ACQ.INVALID_PARAMETER"},
		{"out_trade_no", []int{1}, "ACQ.INVALID_PARAMETER"},

		{"total_amount", "0.01", "10000"},
		{"total_amount", "1", "10000"},
		{"total_amount", "1.0", "10000"},
		{"total_amount", 12.5, "10000"},
		{"total_amount", "100000000.00", "10000"},
		{"total_amount", "100000000.01", "ACQ.INVALID_PARAMETER"},
		{"total_amount", "0.00", "ACQ.INVALID_PARAMETER"},
		{"total_amount", "0.001", "ACQ.INVALID_PARAMETER"},
		{"total_amount", "-1", "ACQ.INVALID_PARAMETER"},
		{"total_amount", "1e2", "ACQ.INVALID_PARAMETER"},
		{"total_amount", "1,000.00", "ACQ.INVALID_PARAMETER"},
		{"total_amount", ".5", "ACQ.INVALID_PARAMETER"},
		{"total_amount", "", "ACQ.INVALID_PARAMETER"},

		{"subject", strings.Repeat("茶", 256), "10000"},
		{"subject", strings.Repeat("茶", 257), "ACQ.INVALID_PARAMETER"},
		{"subject", "", "ACQ.INVALID_PARAMETER"},
		{"seller_id", "2088000000000001", "10000"},
		{"seller_id", "2088000000000009", "ACQ.PARTNER_ERROR"},
		{"discountable_amount", "", "10000"},
		{"operator_id", nil, "10000"},
		{"goods_detail", []any{map[string]any{"goods_id": "1", "quantity": 1, "price": 88.88}}, "10000"},
		{"a_member_of_next_year", "x", "10000"},

		{"timeout_express", "1m", "10000"},
		{"timeout_express", "15d", "10000"},
		{"timeout_express", "1c", "10000"},
		{"timeout_express", "16d", "ACQ.INVALID_PARAMETER"},
		{"timeout_express", "0m", "ACQ.INVALID_PARAMETER"},
		{"timeout_express", "1.5h", "ACQ.INVALID_PARAMETER"},
		{"timeout_express", "90", "ACQ.INVALID_PARAMETER"},
		{"qr_code_timeout_express", "30m", "10000"},
		{"qr_code_timeout_express", "soon", "ACQ.INVALID_PARAMETER"},
		{"time_expire", wireTime(b.Now().Add(time.Minute)), "10000"},
		{"time_expire", wireTime(b.Now().Add(-time.Minute)), "ACQ.INVALID_PARAMETER"},
		{"time_expire", "2026-11-22T23:00:00+08:00", "ACQ.INVALID_PARAMETER"},
	} {
		n := b.call("trade.precreate", asked(fmt.Sprintf("RULE%d", i), c.name, c.value))
		if got := fmt.Sprint(n["code"], n["sub_code"]); !strings.Contains(got, c.want) {
			t.Errorf("%s = %v: %v %v", c.name, c.value, n, n["sub_msg"])
		}
	}
	for url, want := range map[string]string{
		"": "10000", "http://10.0.0.1/n": "10000", "ftp://x/n": "ACQ.INVALID_PARAMETER", "https://x/n?a=1": "ACQ.INVALID_PARAMETER",
		"https://x/" + strings.Repeat("n", 250): "ACQ.INVALID_PARAMETER",
	} {
		p := b.params("alipay.trade.precreate", asked("URL"+fmt.Sprint(len(url))), func(p alipay.Params) { p["notify_url"] = url })
		_, n, _ := b.openAnswer(b.post(p).Body.Bytes())
		if got := fmt.Sprint(n["code"], n["sub_code"]); !strings.Contains(got, want) {
			t.Errorf("notify_url %q: %v", url, n)
		}
	}
}

// The life of a trade, one step a line: each does something and then says what
// query and close answer. Close comes last, for it changes things.
func TestTradeStates(t *testing.T) {
	for _, c := range []struct {
		name          string
		do            func(b *bench) error
		status, close string
	}{
		{"nobody ever asked", func(*bench) error { return nil }, "40004 ACQ.TRADE_NOT_EXIST", "40004 ACQ.TRADE_NOT_EXIST"},
		{"not scanned", func(b *bench) error { b.precreated("NO1"); return nil }, "40004 ACQ.TRADE_NOT_EXIST", "40004 ACQ.TRADE_NOT_EXIST"},
		{"scanned", func(b *bench) error { b.scanned("NO1"); return nil }, "WAIT_BUYER_PAY", "10000 <nil>"},
		{"failed", func(b *bench) error { b.precreated("NO1"); return b.Fail("NO1") }, "WAIT_BUYER_PAY", "10000 <nil>"},
		{"paid", func(b *bench) error { b.paidFor("NO1"); return nil }, "TRADE_SUCCESS", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"paid silently", func(b *bench) error { b.precreated("NO1"); return b.PaySilently("NO1") }, "TRADE_SUCCESS", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"paid by failing first", func(b *bench) error { b.precreated("NO1"); _ = b.Fail("NO1"); return b.Pay("NO1") }, "TRADE_SUCCESS", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"paid a year ago", func(b *bench) error {
			b.paidFor("NO1")
			b.Clock.Advance(366 * 24 * time.Hour)
			return nil
		}, "TRADE_FINISHED", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"closed", func(b *bench) error {
			b.scanned("NO1")
			b.call("trade.close", biz("out_trade_no", "NO1"))
			return nil
		}, "TRADE_CLOSED", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"late by timeout_express", func(b *bench) error {
			b.scanned("NO1", "timeout_express", "15m")
			b.Clock.Advance(15*time.Minute + time.Second)
			return nil
		}, "TRADE_CLOSED", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"timeout_express counts from the scan", func(b *bench) error {
			b.precreated("NO1", "timeout_express", "15m")
			b.Clock.Advance(time.Hour)
			err := b.Scan("NO1")
			b.Clock.Advance(14 * time.Minute)
			return err
		}, "WAIT_BUYER_PAY", "10000 <nil>"},
		{"late by qr_code_timeout_express", func(b *bench) error {
			b.precreated("NO1", "qr_code_timeout_express", "10m")
			b.Clock.Advance(9 * time.Minute)
			err := b.Scan("NO1")
			b.Clock.Advance(2 * time.Minute)
			return err
		}, "TRADE_CLOSED", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"late by time_expire", func(b *bench) error {
			b.scanned("NO1", "time_expire", wireTime(b.Now().Add(5*time.Minute)), "timeout_express", "1h")
			b.Clock.Advance(5*time.Minute + time.Second)
			return nil
		}, "TRADE_CLOSED", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"within fifteen days", func(b *bench) error { b.scanned("NO1"); b.Clock.Advance(14 * 24 * time.Hour); return nil }, "WAIT_BUYER_PAY", "10000 <nil>"},
		{"after fifteen days", func(b *bench) error {
			b.scanned("NO1")
			b.Clock.Advance(15*24*time.Hour + time.Second)
			return nil
		}, "TRADE_CLOSED", "40004 ACQ.TRADE_STATUS_ERROR"},
		{"an old code cannot be scanned", func(b *bench) error {
			b.precreated("NO1")
			b.Clock.Advance(2*time.Hour + time.Second)
			if err := b.Pay("NO1"); err != trade.ErrExpired {
				return fmt.Errorf("paid: %v", err)
			}
			return nil
		}, "40004 ACQ.TRADE_NOT_EXIST", "40004 ACQ.TRADE_NOT_EXIST"},
		{"an old code can be renewed", func(b *bench) error {
			b.precreated("NO1")
			b.Clock.Advance(3 * time.Hour)
			b.precreated("NO1")
			return b.Pay("NO1")
		}, "TRADE_SUCCESS", "40004 ACQ.TRADE_STATUS_ERROR"},
	} {
		b := newBench(t)
		if err := c.do(b); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := b.status("NO1"); got != c.status {
			t.Errorf("%s: %v", c.name, got)
		}
		if got := b.call("trade.close", biz("out_trade_no", "NO1")).String(); got != c.close {
			t.Errorf("%s: close answers %s", c.name, got)
		}
	}
}

// "1c" ends with the day, in China.
func TestEndOfDay(t *testing.T) {
	b := newBench(t)
	b.scanned("TODAY", "timeout_express", "1c")
	at := b.Now().In(trade.China)
	b.Clock.Advance(time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, trade.China).Sub(at))
	if got := b.status("TODAY"); got != "WAIT_BUYER_PAY" {
		t.Errorf("at midnight: %v", got)
	}
	b.Clock.Advance(time.Nanosecond)
	if got := b.status("TODAY"); got != "TRADE_CLOSED" {
		t.Errorf("after midnight: %v", got)
	}
}

// A number belongs to one order for good.
func TestRepeatedOrders(t *testing.T) {
	for _, c := range []struct {
		name  string
		first func(b *bench)
		again []any
		want  string
	}{
		{"the same", nil, nil, "10000 <nil>"},
		{"the same amount in other words", nil, []any{"total_amount", "088.88"}, "10000 <nil>"},
		{"another amount", nil, []any{"total_amount", "88.89"}, "40004 ACQ.CONTEXT_INCONSISTENT"},
		{"another subject", nil, []any{"subject", "x"}, "40004 ACQ.CONTEXT_INCONSISTENT"},
		{"another deadline", nil, []any{"timeout_express", "1h"}, "40004 ACQ.CONTEXT_INCONSISTENT"},
		{"scanned", func(b *bench) { _ = b.Scan("NO1") }, nil, "10000 <nil>"},
		{"scanned, another amount", func(b *bench) { _ = b.Scan("NO1") }, []any{"total_amount", "1"}, "40004 ACQ.CONTEXT_INCONSISTENT"},
		{"paid", func(b *bench) { _ = b.Pay("NO1") }, nil, "40004 ACQ.TRADE_HAS_SUCCESS"},
		{"paid, another amount", func(b *bench) { _ = b.Pay("NO1") }, []any{"total_amount", "1"}, "40004 ACQ.TRADE_HAS_SUCCESS"},
		{"closed", func(b *bench) {
			_ = b.Scan("NO1")
			b.call("trade.close", biz("out_trade_no", "NO1"))
		}, nil, "40004 ACQ.TRADE_HAS_CLOSE"},
		{"refunded in full", func(b *bench) {
			_ = b.Pay("NO1")
			b.call("trade.refund", biz("out_trade_no", "NO1", "refund_amount", "88.88"))
		}, nil, "40004 ACQ.TRADE_HAS_CLOSE"},
	} {
		b := newBench(t)
		first := b.call("trade.precreate", asked("NO1"))
		if c.first != nil {
			c.first(b)
		}
		again := b.call("trade.precreate", asked("NO1", c.again...))
		if again.String() != c.want {
			t.Errorf("%s: %v", c.name, again)
		}
		if again["code"] == "10000" && again["qr_code"] != first["qr_code"] {
			t.Errorf("%s: another code", c.name)
		}
	}
}

// The same number in two protocols names two trades.
func TestOneNumberInTwoProtocols(t *testing.T) {
	b := newBench(t)
	b.precreated("BOTH000001")
	b.Place("BOTH000001")
	if err := b.Pay("alipay:BOTH000001"); err != nil {
		t.Fatal(err)
	}
	if got := b.status("BOTH000001"); got != "TRADE_SUCCESS" {
		t.Errorf("Alipay's trade is %v", got)
	}
	if tx := b.Query("BOTH000001"); tx.TradeState != "NOTPAY" {
		t.Errorf("WeChat's trade is %s", tx.TradeState)
	}
	if v, err := b.Trade("wechatpay:BOTH000001"); err != nil || v.State != trade.Open || v.Channel != "wechatpay" {
		t.Errorf("%+v %v", v, err)
	}
	if err := b.Pay("BOTH000001"); err != nil {
		t.Fatal(err)
	}
	if tx := b.Query("BOTH000001"); tx.TradeState != "SUCCESS" {
		t.Errorf("without a protocol the first one is meant: %s", tx.TradeState)
	}
	if err := b.Pay("other:BOTH000001"); err != trade.ErrNoTrade {
		t.Errorf("paid at a protocol that there is not: %v", err)
	}
}

// trade_no counts for more than out_trade_no; both may be absent for nobody.
func TestFindsByEitherNumber(t *testing.T) {
	b := newBench(t)
	b.paidFor("FIRST")
	b.scanned("SECOND")
	number := func(no string) any { return b.call("trade.query", biz("out_trade_no", no))["trade_no"] }
	for _, c := range []struct {
		ask  map[string]any
		want string
	}{
		{biz("trade_no", number("FIRST")), "FIRST"},
		{biz("trade_no", number("SECOND")), "SECOND"},
		{biz("trade_no", number("FIRST"), "out_trade_no", "SECOND"), "FIRST"},
		{biz("trade_no", "", "out_trade_no", "SECOND"), "SECOND"},
		{biz("trade_no", "2026112222001400000000000000"), "40004 ACQ.TRADE_NOT_EXIST"},
		{biz("trade_no", ""), "40004 ACQ.INVALID_PARAMETER"},
	} {
		n := b.call("trade.query", c.ask)
		if n["out_trade_no"] != c.want && n.String() != c.want {
			t.Errorf("%v: %v", c.ask, n)
		}
	}
}

// Cancel succeeds whatever there is, and refunds what was paid.
func TestCancel(t *testing.T) {
	for _, c := range []struct {
		name                 string
		do                   func(b *bench)
		want, action, status string
	}{
		{"nobody knows it", func(*bench) {}, "10000 <nil>", "close", "40004 ACQ.TRADE_NOT_EXIST"},
		{"not scanned", func(b *bench) { b.precreated("NO1") }, "10000 <nil>", "close", "40004 ACQ.TRADE_NOT_EXIST"},
		{"waiting", func(b *bench) { b.scanned("NO1") }, "10000 <nil>", "close", "TRADE_CLOSED"},
		{"paid", func(b *bench) { b.paidFor("NO1") }, "10000 <nil>", "refund", "TRADE_CLOSED"},
		{"paid, a part refunded", func(b *bench) {
			b.paidFor("NO1")
			b.call("trade.refund", biz("out_trade_no", "NO1", "refund_amount", "8.88", "out_request_no", "R1"))
		}, "10000 <nil>", "refund", "TRADE_CLOSED"},
		{"paid long ago", func(b *bench) { b.paidFor("NO1"); b.Clock.Advance(25 * time.Hour) }, "40004 ACQ.TRADE_CANCEL_TIME_OUT", "", "TRADE_SUCCESS"},
		{"finished", func(b *bench) { b.paidFor("NO1"); b.Clock.Advance(366 * 24 * time.Hour) }, "40004 ACQ.TRADE_HAS_FINISHED", "", "TRADE_FINISHED"},
		{"merchant short", func(b *bench) { b.paidFor("NO1"); b.MustArm(faults.Refund, faults.InsufficientBalance, 1) }, "40004 ACQ.SELLER_BALANCE_NOT_ENOUGH", "", "TRADE_SUCCESS"},
	} {
		b := newBench(t)
		c.do(b)
		n := b.call("trade.cancel", biz("out_trade_no", "NO1"))
		action, _ := n["action"].(string)
		if n.String() != c.want || action != c.action {
			t.Errorf("%s: %v", c.name, n)
		}
		if got := b.status("NO1"); got != c.status {
			t.Errorf("%s: %v afterwards", c.name, got)
		}
		if c.name == "not scanned" && b.Pay("NO1") != nil {
			t.Error("a code that was cancelled unscanned cannot be paid")
		}
	}
}

// The oldest trades make room, and leave no trace of their numbers.
func TestTradesAreBounded(t *testing.T) {
	b := newBench(t, func(o *sandbox.Options) { o.MaxTrades = 2 })
	b.paidFor("OLD")
	no := b.call("trade.query", biz("out_trade_no", "OLD"))["trade_no"]
	b.scanned("NEW", "timeout_express", "15m")
	b.precreated("NEWER")
	if got := b.call("trade.query", biz("trade_no", no)).String(); got != "40004 ACQ.TRADE_NOT_EXIST" {
		t.Errorf("found what made room: %s", got)
	}
	if n := b.Size(); n.Transactions != 1 || n.Trades != 2 {
		t.Errorf("%d numbers, %d trades", n.Transactions, n.Trades)
	}
}
