package wechatpay_test

import (
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/wechatpay"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// billBench stands at three in the afternoon in China, as the wire does.
func billBench(t *testing.T, change ...func(*sandbox.Options)) *bench {
	start := time.Date(2026, 11, 22, 15, 0, 0, 0, trade.China)
	clock := clock.NewManual(start)
	b := newBench(t, append([]func(*sandbox.Options){sandboxtest.OnClock, func(o *sandbox.Options) { o.Clock, o.Advance = clock, clock.Advance }}, change...)...)
	b.Clock = clock
	return b
}

// tomorrow moves the clock to ten o'clock of the next day.
func (b *bench) tomorrow() {
	now := b.Now().In(trade.China)
	b.Clock.Advance(time.Date(now.Year(), now.Month(), now.Day()+1, 10, 0, 0, 0, trade.China).Sub(now))
}

// link is what asking for a bill answers.
type link struct{ Hash_Type, Hash_Value, Download_URL string }

func (b *bench) ask(path string) link {
	b.T.Helper()
	rec := b.Send("GET", path, nil)
	var l link
	if err := json.Unmarshal(rec.Body.Bytes(), &l); rec.Code != 200 || err != nil || l.Hash_Type != "SHA1" {
		b.T.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	return l
}

func (b *bench) download(l link) *httptest.ResponseRecorder {
	b.T.Helper()
	at := strings.Index(l.Download_URL, "/v3/")
	rec := b.Send("GET", l.Download_URL[at:], nil)
	if rec.Header().Get("Wechatpay-Signature") != "" {
		b.T.Error("a download is signed")
	}
	return rec
}

func sha1Of(text []byte) string {
	sum := sha1.Sum(text)
	return hex.EncodeToString(sum[:])
}

// parsedBill is a bill as a careful shop reads it: by the names of columns.
type parsedBill struct {
	rows    []map[string]string
	summary map[string]string
}

func parseBill(t *testing.T, text []byte) parsedBill {
	t.Helper()
	rest, ok := strings.CutPrefix(string(text), "\xef\xbb\xbf")
	if !ok {
		t.Error("no byte order mark")
	}
	lines := strings.Split(strings.TrimSuffix(rest, "\r\n"), "\r\n")
	split := func(head, line string) map[string]string {
		names, cells := strings.Split(head, ","), strings.Split(strings.TrimPrefix(line, "`"), ",`")
		if len(names) != len(cells) {
			t.Fatalf("%d columns, %d cells: %s", len(names), len(cells), line)
		}
		out := map[string]string{}
		for i := range names {
			out[names[i]] = cells[i]
		}
		return out
	}
	var p parsedBill
	for _, line := range lines[1 : len(lines)-2] {
		p.rows = append(p.rows, split(lines[0], line))
	}
	p.summary = split(lines[len(lines)-2], lines[len(lines)-1])
	return p
}

// aDay has a payment, one with a coupon, and refunds of both.
func aDay(b *bench) {
	b.T.Helper()
	b.Paid("BILLED0001")
	b.Clock.Advance(time.Minute)
	b.MustArm(faults.Pay, faults.PlatformCoupon, 1)
	b.Paid("BILLED0002")
	b.Place("UNPAID0001")
	b.MustRefund("BILLED0001", "B1", 300)
	b.Clock.Advance(time.Minute)
	b.MustRefund("BILLED0002", "B2", 888)
	b.MustArm(faults.Refund, faults.RefundClosed, 1)
	b.MustRefund("BILLED0001", "B3", 100)
	b.Clock.Advance(time.Minute)
}

const dayPath = "/v3/bill/tradebill?bill_date=2026-11-22"

// The exact text of a row, and the columns of the three kinds.
func TestTradeBill(t *testing.T) {
	k := testKeys()
	b := billBench(t)
	aDay(b)
	v1, _ := b.Trade("BILLED0001")
	openID := b.Query("BILLED0001").Payer.OpenID
	r2 := refundIn(t, b.Send("GET", sandboxtest.RefundsPath+"/B2", nil))
	b.tomorrow()

	all := b.ask(dayPath)
	text := b.download(all).Body.Bytes()
	if sha1Of(text) != all.Hash_Value {
		t.Error("the hash is not that of the file")
	}
	lines := strings.Split(string(text), "\r\n")
	wantHead := "\xef\xbb\xbf交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
	wantRow := fmt.Sprintf("`2026-11-22 15:00:00,`%s,`%s,`0,`,`%s,`BILLED0001,`%s,`NATIVE,`SUCCESS,`OTHERS,`CNY,`8.88,`0.00,`0,`0,`0.00,`0.00,`,`,`沙箱商品,`tenant=7&order=1 中文,`0.05000,`0.60%%,`8.88,`0.00,`",
		k.AppID, k.MchID, v1.TransactionIDs[0], openID)
	wantSummary := "`4,`17.76,`11.88,`0.88,`0.04000,`17.76,`11.88"
	if lines[0] != wantHead || lines[1] != wantRow || lines[len(lines)-2] != wantSummary {
		t.Errorf("got\n%s\n%s\n%s\nwant\n%s\n%s\n%s", lines[0], lines[1], lines[len(lines)-2], wantHead, wantRow, wantSummary)
	}
	parsed := parseBill(t, text)
	refund := parsed.rows[3]
	for name, want := range map[string]string{
		"交易时间": "2026-11-22 15:02:02", "交易状态": "REFUND", "微信退款单号": r2.RefundID, "商户退款单号": "B2", "应结订单金额": "0.00", "订单金额": "0.00",
		"退款金额": "8.88", "充值券退款金额": "0.88", "申请退款金额": "8.88", "退款类型": "ORIGINAL", "退款状态": "SUCCESS", "手续费": "-0.05000",
	} {
		if refund[name] != want {
			t.Errorf("%s is %q, want %q", name, refund[name], want)
		}
	}
	if len(parsed.rows) != 4 || parsed.rows[1]["代金券金额"] != "0.88" || parsed.rows[2]["手续费"] != "-0.01000" {
		t.Errorf("%v", parsed.rows)
	}
	for _, c := range []struct {
		kind    string
		columns int
		rows    int
	}{{"ALL", 27, 4}, {"SUCCESS", 20, 2}, {"REFUND", 29, 2}} {
		got := parseBill(t, b.download(b.ask(dayPath+"&bill_type="+c.kind)).Body.Bytes())
		if len(got.rows) != c.rows || len(got.rows[0]) != c.columns || got.summary["总交易单数"] != fmt.Sprint(c.rows) {
			t.Errorf("%s: %d rows, %d columns, %v", c.kind, len(got.rows), len(got.rows[0]), got.summary)
		}
	}
}

// The account's bill adds up: each balance follows from the one before.
func TestFlowBill(t *testing.T) {
	b := billBench(t)
	aDay(b)
	b.tomorrow()
	got := parseBill(t, b.download(b.ask("/v3/bill/fundflowbill?bill_date=2026-11-22&account_type=BASIC")).Body.Bytes())
	var lines []string
	for _, r := range got.rows {
		lines = append(lines, fmt.Sprint(r["业务名称"], " ", r["收支类型"], r["收支金额(元)"], " ", r["账户结余(元)"]))
	}
	want := []string{
		"交易 收入8.88 8.88", "扣除交易手续费 支出0.05 8.83", "交易 收入8.88 17.71", "扣除交易手续费 支出0.05 17.66",
		"退款 支出2.99 14.67", "退款 支出8.83 5.84",
	}
	if strings.Join(lines, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", lines, want)
	}
	if s := fmt.Sprint(got.summary); s != "map[支出笔数:4.0 支出金额:11.92 收入笔数:2.0 收入金额:17.76 资金流水总笔数:6.0]" {
		t.Error(s)
	}
	if n := len(got.rows[0]); n != 11 {
		t.Errorf("%d columns", n)
	}
}

func TestBillPacked(t *testing.T) {
	b := billBench(t)
	aDay(b)
	b.tomorrow()
	l := b.ask(dayPath + "&tar_type=GZIP")
	unpack, err := gzip.NewReader(b.download(l).Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unpack)
	if err != nil || sha1Of(text) != l.Hash_Value || len(parseBill(t, text).rows) != 4 {
		t.Errorf("%v, %d bytes", err, len(text))
	}
}

// When there is a bill and when there is none, one line each; the payment is
// of 2026-11-22, three in the afternoon.
func TestBillRules(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, trade.China) }
	for _, c := range []struct {
		name  string
		now   time.Time
		early bool
		path  string
		want  string
	}{
		{"at ten", at(23, 10), false, dayPath, "200 "},
		{"before ten", at(23, 9), false, dayPath, "400 STATEMENT_CREATING"},
		{"the same day", at(22, 16), false, dayPath, "400 STATEMENT_CREATING"},
		{"the same day, early bills", at(22, 16), true, dayPath, "200 "},
		{"tomorrow's", at(22, 16), true, "/v3/bill/tradebill?bill_date=2026-11-23", "400 PARAM_ERROR"},
		{"nothing moved", at(23, 10), false, "/v3/bill/tradebill?bill_date=2026-11-21", "400 NO_STATEMENT_EXIST"},
		{"no refunds", at(23, 10), false, dayPath + "&bill_type=REFUND", "400 NO_STATEMENT_EXIST"},
		{"after three months", at(22+92, 16), false, dayPath, "200 "},
		{"after longer", at(22+94, 16), false, dayPath, "400 PARAM_ERROR"},
		{"no date", at(23, 10), false, "/v3/bill/tradebill", "400 PARAM_ERROR"},
		{"not a date", at(23, 10), false, "/v3/bill/tradebill?bill_date=20261122", "400 PARAM_ERROR"},
		{"another kind", at(23, 10), false, dayPath + "&bill_type=NONE", "400 PARAM_ERROR"},
		{"another packing", at(23, 10), false, dayPath + "&tar_type=ZIP", "400 PARAM_ERROR"},
		{"the account's", at(23, 10), false, "/v3/bill/fundflowbill?bill_date=2026-11-22", "200 "},
		{"another account's", at(23, 10), false, "/v3/bill/fundflowbill?bill_date=2026-11-22&account_type=FEES", "400 NO_STATEMENT_EXIST"},
		{"an unknown account's", at(23, 10), false, "/v3/bill/fundflowbill?bill_date=2026-11-22&account_type=X", "400 PARAM_ERROR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := billBench(t, func(o *sandbox.Options) { o.EarlyBills = c.early })
			b.Paid("RULED00001")
			b.Clock.Advance(c.now.Sub(b.Now()))
			if got := sandboxtest.Code(b.Send("GET", c.path, nil)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestBillLinkExpires(t *testing.T) {
	b := billBench(t)
	aDay(b)
	b.tomorrow()
	l := b.ask(dayPath)
	b.Clock.Advance(wechatpay.BillLife)
	if got := sandboxtest.Code(b.download(l)); got != "200 " {
		t.Errorf("at five minutes: %s", got)
	}
	b.Clock.Advance(time.Second)
	if got := sandboxtest.Code(b.download(l)); got != "400 INVALID_REQUEST" {
		t.Errorf("after five minutes: %s", got)
	}
	if got := sandboxtest.Code(b.Send("GET", wechatpay.BillPath+"?token=x", nil)); got != "400 INVALID_REQUEST" {
		t.Errorf("a token that never was: %s", got)
	}
	unsigned := httptest.NewRecorder()
	b.Handler().ServeHTTP(unsigned, httptest.NewRequest("GET", l.Download_URL, nil))
	if got := sandboxtest.Code(unsigned); got != "401 SIGN_ERROR" {
		t.Errorf("unsigned: %s", got)
	}
	for range wechatpay.MaxDownloads + 5 {
		b.ask(dayPath)
	}
	if got := b.WechatPay().Downloads(); got != wechatpay.MaxDownloads {
		t.Errorf("%d links", got)
	}
}

// A bill is made row by row: asking for one and downloading it takes little
// memory beside the list of its rows.
func TestBillIsStreamed(t *testing.T) {
	b := billBench(t)
	b.Paid("STREAMED01")
	b.tomorrow()
	one := b.WechatPay().MovementsOf("2026-11-22")[0]
	rows := slices.Repeat([]*trade.Movement{one}, 20_000)
	allocated := testing.AllocsPerRun(1, func() {
		if err := b.WechatPay().WriteTradeBill(io.Discard, rows); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 1000 {
		t.Errorf("%v allocations for %d rows", allocated, len(rows))
	}
}

// Descriptions cannot break out of their cells.
func TestBillTextsStayInTheirCells(t *testing.T) {
	b := billBench(t)
	o := sandboxtest.Order("COMMAS0001")
	o["description"], o["attach"] = "茶, \"杯\",`0.00,`x\n", `{"a":1,"b":[2,3]}`
	if rec := b.Send("POST", "/v3/pay/transactions/native", o); rec.Code != 200 {
		t.Fatal(rec.Body)
	}
	if err := b.Pay("COMMAS0001"); err != nil {
		t.Fatal(err)
	}
	b.tomorrow()
	p := parseBill(t, b.download(b.ask(dayPath)).Body.Bytes())
	if r := p.rows[0]; r["商户数据包"] != `{"a":1,"b":[2,3]}` || r["商品名称"] != "茶, \"杯\",'0.00,'x " {
		t.Errorf("%v", r)
	}
}
