package wechatpay

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

const (
	tradeHeader = "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类," +
		"应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率," +
		"订单金额,申请退款金额,费率备注"
	tradeTotalHeader = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"

	paidRow = "`2026-11-22 08:35:41,`wx8888,`1900012345,`0,`,`4200001,`PAY00000001,`oUser,`NATIVE,`SUCCESS,`OTHERS,`CNY," +
		"`9.00,`0.00,`0,`0,`0.00,`0.00,`,`,`茶, 两盒 \"新\",`{\"a\":[1,2]},`0.05400,`0.60%,`9.00,`0.00,`"
	backRow = "`2026-11-22 23:59:59,`wx8888,`1900012345,`0,`,`4200001,`PAY00000001,`oUser,`NATIVE,`REFUND,`OTHERS,`CNY," +
		"`0.00,`0.00,`5030001,`REF1,`3.00,`0.00,`ORIGINAL,`SUCCESS,`茶,`,`-0.01800,`0.60%,`0.00,`3.00,`"
	waitRow = "`2026-11-22 12:00:00,`wx8888,`1900012345,`0,`,`4200001,`PAY00000001,`oUser,`NATIVE,`REFUND,`OTHERS,`CNY," +
		"`0.00,`0.00,`5030002,`REF2,`1.00,`0.00,`ORIGINAL,`PROCESSING,`茶,`,`0.00000,`,`0.00,`1.00,`"

	fundHeader = "\ufeff记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"
	fundTotal  = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
	inRow      = "`2026-11-22 08:35:41,`4200001,`1001,`交易,`交易,`收入,`9.00,`109.00,`system,`结算总金额 9.00 元,`PAY00000001"
	feeRow     = "`2026-11-22 08:35:41,`4200001,`1002,`扣除交易手续费,`扣除交易手续费,`支出,`0.05,`108.95,`system,`,`PAY00000001"
)

// lines is a file of lines.
func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

// goodBill is a bill of a payment, a refund and another that is worked on.
func goodBill() string {
	return lines(tradeHeader, paidRow, backRow, waitRow, tradeTotalHeader, "`3,`9.00,`4.00,`0.00,`0.03600,`9.00,`4.00")
}

func goodFunds() string {
	return lines(fundHeader, inRow, feeRow, fundTotal, "`2.0,`1.0,`9.00,`1.0,`0.05")
}

// collect reads a trade bill.
func collect(text string) ([]payment.BillRow, payment.BillSummary, error) {
	var rows []payment.BillRow
	sum, err := readTrades(strings.NewReader(text), func(r payment.BillRow) error { rows = append(rows, r); return nil })
	return rows, sum, err
}

// collectFunds reads a fund flow.
func collectFunds(text string) ([]payment.FundRow, payment.FundSummary, error) {
	var rows []payment.FundRow
	sum, err := readFunds(strings.NewReader(text), func(r payment.FundRow) error { rows = append(rows, r); return nil })
	return rows, sum, err
}

// goodRows is what goodBill says.
func goodRows() []payment.BillRow {
	at := func(h, m, s int) time.Time { return time.Date(2026, 11, 22, h-8, m, s, 0, time.UTC) }
	paid := payment.BillRow{
		Kind: payment.BillPayment, Line: 2, PaymentNo: "PAY00000001", TransactionID: "4200001", Amount: 900, Fee: 5400, Rate: 6000,
		Currency: "CNY", Merchant: "1900012345", App: "wx8888", Reported: "SUCCESS", Done: true, At: at(8, 35, 41),
	}
	back, wait := paid, paid
	back.Kind, back.Line, back.RefundNo, back.RefundID, back.Amount, back.Fee, back.At = payment.BillRefund, 3, "REF1", "5030001", 300, -1800, at(23, 59, 59)
	wait.Kind, wait.Line, wait.RefundNo, wait.RefundID, wait.Amount, wait.Fee, wait.At = payment.BillRefund, 4, "REF2", "5030002", 100, 0, at(12, 0, 0)
	wait.Reported, wait.Done, wait.Rate = "PROCESSING", false, -1
	return []payment.BillRow{paid, back, wait}
}

// TestBillForms reads one bill in all the forms that it may have.
func TestBillForms(t *testing.T) {
	want := payment.BillSummary{Payments: 1, Refunds: 2, Paid: 900, Refunded: 400, Fee: 3600}
	// Columns in another order, one more in front, and none of the optional.
	swap := func(line string) string {
		sep := ","
		if line[0] == '`' {
			sep, line = ",`", line[1:]
		}
		f := strings.Split(strings.TrimPrefix(line, "\ufeff"), sep)
		f = append(append([]string{"新列"}, f[24], f[9], f[23]), append(append(f[:9:9], f[10:23]...), f[25:]...)...)
		line = strings.Join(f, sep)
		if sep == ",`" {
			line = "`" + line
		}
		return line
	}
	rows := goodRows()
	for _, row := range []struct {
		name, text string
	}{
		{"as it is", goodBill()},
		{"ended by LF alone", strings.ReplaceAll(goodBill(), "\r\n", "\n")},
		{"the last line not ended", strings.TrimRight(goodBill(), "\r\n")},
		{"without BOM", strings.TrimPrefix(goodBill(), "\ufeff")},
		{"empty lines behind", goodBill() + "\r\n\n"},
		{"counted in decimals", strings.Replace(goodBill(), "`3,", "`3.0,", 1)},
		{"amounts without places", strings.ReplaceAll(strings.ReplaceAll(goodBill(), "9.00", "9"), "`3.00", "`3.0")},
		{"columns elsewhere", lines(swap(tradeHeader), swap(paidRow), swap(backRow), swap(waitRow), tradeTotalHeader, "`3,`9.00,`4.00,`0.00,`0.03600,`9.00,`4.00")},
		{"separators in the goods' name", strings.Replace(goodBill(), "茶, 两盒", "茶,`两,`盒,`SUCCESS,`,`100.00", 1)},
		{"separators in what was attached", strings.Replace(goodBill(), "[1,2]", "[1,`2],`0.01,`0.60%,`0.01,`0.01,`", 1)},
	} {
		got, sum, err := collect(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if diff := cmp.Diff(want, sum); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
		if diff := cmp.Diff(rows, got); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

func TestBillOfNothing(t *testing.T) {
	rows, sum, err := collect(lines(tradeHeader, tradeTotalHeader, "`0,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00"))
	if err != nil || len(rows) > 0 || sum != (payment.BillSummary{}) {
		t.Errorf("%v, %v, %+v", err, rows, sum)
	}
}

// TestBadBills spoils a good bill in one place each.
func TestBadBills(t *testing.T) {
	good := goodBill()
	change := func(old, now string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("there is no %q", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	huge := fmt.Sprintf("%d.00", money.Max/100)
	for _, row := range []struct {
		name, text string
		line       int64
	}{
		{"empty", "", 1},
		{"BOM alone", "\ufeff", 1},
		{"a page", "<html>404</html>", 1},
		{"an answer", `{"code":"SYSTEM_ERROR"}`, 1},
		{"header alone", tradeHeader, 2},
		{"another bill's header", strings.Replace(good, "交易状态", "交易情况", 1), 1},
		{"a header twice", change("特约商户号", "商户号"), 1},
		{"no sums", change("\r\n"+tradeTotalHeader, ""), 5},
		{"cut within a row", good[:strings.Index(good, "`REF1")+3], 3},
		{"cut after the rows", good[:strings.Index(good, "总交易单数")], 5},
		{"cut in the totals' header", good[:strings.Index(good, "应结订单总金额")], 5},
		{"cut before the totals", good[:strings.Index(good, "`3,`9.00")], 6},
		{"cut within the totals", strings.TrimRight(good, "\r\n")[:len(good)-8], 6},
		{"a column less", change(",`REF1", ""), 3},
		{"a column more", strings.Replace(strings.Replace(good, "商品名称", "名称", 1), "`REF1", "`REF1,`x", 1), 3},
		{"no backtick", change("`2026-11-22 23", "2026-11-22 23"), 3},
		{"an empty line between", change("\r\n`2026-11-22 23", "\r\n\r\n`2026-11-22 23"), 3},
		{"not UTF-8", change("两盒", "\xc1\xbd\xba\xd0"), 2},
		{"GBK header", "\xbd\xbb\xd2\xd7\xca\xb1\xbc\xe4,", 1},
		{"UTF-16", "\xff\xfe\xa4\x4e", 1},
		{"unknown state", change("`SUCCESS,`OTHERS", "`MAYBE,`OTHERS"), 2},
		{"no state", change("`SUCCESS,`OTHERS", "`,`OTHERS"), 2},
		{"no time", change("2026-11-22 08:35:41", ""), 2},
		{"time of another form", change("2026-11-22 08:35:41", "2026-11-22T08:35:41"), 2},
		{"a day that is none", change("2026-11-22 08:35:41", "2026-02-29 08:35:41"), 2},
		{"an hour that is none", change("2026-11-22 08:35:41", "2026-11-22 24:35:41"), 2},
		{"amount of words", change("`9.00,`0.00,`\r\n", "`nine,`0.00,`\r\n"), 2},
		{"amount below nothing", change("`9.00,`0.00,`\r\n", "`-9.00,`0.00,`\r\n"), 2},
		{"amount of nothing", change("`9.00,`0.00,`\r\n", "`0.00,`0.00,`\r\n"), 2},
		{"amount missing", change("`9.00,`0.00,`\r\n", "`,`0.00,`\r\n"), 2},
		{"amount with half a fen", change("`9.00,`0.00,`\r\n", "`9.005,`0.00,`\r\n"), 2},
		{"amount with a point alone", change("`9.00,`0.00,`\r\n", "`9.,`0.00,`\r\n"), 2},
		{"amount with an exponent", change("`9.00,`0.00,`\r\n", "`9e2,`0.00,`\r\n"), 2},
		{"amount past money", change("`9.00,`0.00,`\r\n", "`10000000000000.01,`0.00,`\r\n"), 2},
		{"amount past int64", change("`9.00,`0.00,`\r\n", "`92233720368547758.08,`0.00,`\r\n"), 2},
		{"sum past money", strings.Replace(change("`9.00,`0.00,`\r\n", "`"+huge+",`0.00,`\r\n"), "`0.00,`3.00,`", "`"+huge+",`3.00,`", 1), 3},
		{"fee with six places", change("0.05400", "0.054001"), 2},
		{"rate without percent", change("0.60%", "0.60"), 2},
		{"rate of all", change("0.60%", "100.01%"), 2},
		{"a row less", change(waitRow+"\r\n", ""), 5},
		{"a row more", change(waitRow, waitRow+"\r\n"+waitRow), 7},
		{"count wrong", change("`3,`9.00", "`4,`9.00"), 6},
		{"count missing", change("`3,`9.00", "`,`9.00"), 6},
		{"count with a fraction", change("`3,`9.00", "`3.5,`9.00"), 6},
		{"settled sum wrong", change("`3,`9.00", "`3,`9.01"), 6},
		{"refund sum wrong", change("`4.00,`0.00,`0.03600", "`4.01,`0.00,`0.03600"), 6},
		{"coupon sum wrong", change("`4.00,`0.00,`0.03600", "`4.00,`0.01,`0.03600"), 6},
		{"fee sum wrong", change("`0.03600", "`0.03601"), 6},
		{"order sum wrong", change("`0.03600,`9.00", "`0.03600,`9.01"), 6},
		{"requested sum wrong", change("`9.00,`4.00\r\n", "`9.00,`4.01\r\n"), 6},
		{"a row after the totals", good + paidRow + "\r\n", 7},
		{"another bill after the totals", good + good, 7},
		{"a long line", change("两盒", strings.Repeat("盒", maxLine/3)), 2},
		{"a long header", strings.Repeat("a,", maxColumns) + "\n", 1},
		{"zeros", strings.Repeat("\x00", maxLine+1), 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := collect(row.text)
			var bad *payment.BadBillError
			if !errors.As(err, &bad) || bad.Line != row.line || bad.Reason == "" {
				t.Errorf("got %v, want a bad bill at line %d", err, row.line)
			}
		})
	}
}

// TestEmitFails stops at the row that could not be taken.
func TestEmitFails(t *testing.T) {
	full := errors.New("full")
	calls := 0
	_, err := readTrades(strings.NewReader(goodBill()), func(payment.BillRow) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d rows", err, calls)
	}
	calls = 0
	_, err = readFunds(strings.NewReader(goodFunds()), func(payment.FundRow) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d movements", err, calls)
	}
}

func TestFunds(t *testing.T) {
	in := payment.FundRow{
		Line: 2, TransactionID: "4200001", FlowID: "1001", Business: "交易", In: true, Amount: 900, Balance: 10900,
		Voucher: "PAY00000001", At: time.Date(2026, 11, 22, 0, 35, 41, 0, time.UTC),
	}
	fee := in
	fee.Line, fee.FlowID, fee.Business, fee.In, fee.Amount, fee.Balance = 3, "1002", "扣除交易手续费", false, 5, 10895
	for _, text := range []string{
		goodFunds(),
		strings.ReplaceAll(goodFunds(), "(元)", "（元）"),
		strings.ReplaceAll(goodFunds(), "(元)", ""),
		strings.Replace(goodFunds(), "9.00 元", "9.00,`元", 1),
		strings.ReplaceAll(goodFunds(), ".0,", ","),
	} {
		rows, sum, err := collectFunds(text)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]payment.FundRow{in, fee}, rows); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(payment.FundSummary{Rows: 2, Income: 1, Outgo: 1, InSum: 900, OutSum: 5}, sum); diff != "" {
			t.Error(diff)
		}
	}
	for _, row := range []struct{ name, old, now string }{
		{"header", "资金流水单号", "流水"},
		{"direction", "`收入", "`流入"},
		{"amount", "`9.00,`109", "`9.001,`109"},
		{"amount below nothing", "`9.00,`109", "`-9.00,`109"},
		{"balance", "`109.00", "`x"},
		{"time", "08:35:41", "08:35"},
		{"rows", "`2.0,", "`3.0,"},
		{"income", "`1.0,`9.00", "`2.0,`9.00"},
		{"income's sum", "`1.0,`9.00", "`1.0,`9.01"},
		{"expense", "`1.0,`0.05", "`0,`0.05"},
		{"expense's sum", "`1.0,`0.05", "`1.0,`0.06"},
		{"a row less", feeRow + "\r\n", ""},
		{"totals", fundTotal, "x"},
	} {
		if !strings.Contains(goodFunds(), row.old) {
			t.Fatalf("there is no %q", row.old)
		}
		var bad *payment.BadBillError
		if _, _, err := collectFunds(strings.Replace(goodFunds(), row.old, row.now, 1)); !errors.As(err, &bad) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestDecimal(t *testing.T) {
	for _, row := range []struct {
		text   string
		places int
		want   int64
		ok     bool
	}{
		{"0", 2, 0, true}, {"", 2, 0, true}, {"1", 2, 100, true}, {"1.5", 2, 150, true}, {"1.05", 2, 105, true}, {"-1.05", 2, -105, true},
		{"1.0500", 2, 105, true}, {"1.051", 2, 0, false}, {"0.00001", 5, 1, true}, {"20.0", 0, 20, true}, {"20.5", 0, 0, false},
		{"-", 2, 0, false}, {".5", 2, 0, false}, {"5.", 2, 0, false}, {"1.2.3", 2, 0, false}, {"+1", 2, 0, false}, {" 1", 2, 0, false},
		{"１", 2, 0, false}, {"0x1", 2, 0, false}, {"1,000.00", 2, 0, false}, {"--1", 2, 0, false},
		{"999999999999999999", 0, 999999999999999999, true}, {"999999999999999999", 2, 0, false}, {"9999999999999999999", 0, 0, false},
	} {
		if got, ok := decimal([]byte(row.text), row.places); got != row.want || ok != row.ok {
			t.Errorf("%q with %d places: %d %v", row.text, row.places, got, ok)
		}
	}
}

// TestMoment compares with the time package, over all days of some years.
func TestMoment(t *testing.T) {
	for _, year := range []int{1900, 2000, 2024, 2026} {
		for month := 0; month <= 13; month++ {
			for day := 0; day <= 32; day++ {
				text := fmt.Sprintf("%04d-%02d-%02d 07:08:09", year, month, day)
				want, err := time.ParseInLocation(time.DateTime, text, chinaTime)
				if got, ok := moment([]byte(text)); ok != (err == nil) || ok && !got.Equal(want) {
					t.Errorf("%s: %v %v, want %v %v", text, got, ok, want, err)
				}
			}
		}
	}
}

// FuzzTrades requires no panic, and of every bill that is taken for good the
// counts and sums that its rows have.
func FuzzTrades(f *testing.F) {
	f.Add([]byte(goodBill()))
	f.Add([]byte(lines(tradeHeader, tradeTotalHeader, "`0,`0,`0,`0,`0,`0,`0")))
	f.Add([]byte(strings.Replace(goodBill(), "茶, 两盒", "茶,`两,`盒", 1)))
	f.Add([]byte(goodBill()[:len(goodBill())/2]))
	f.Add([]byte(tradeHeader + "\n`,`,`\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var sum payment.BillSummary
		got, err := readTrades(bytes.NewReader(text), func(r payment.BillRow) error {
			if r.Amount < 1 || r.Amount > money.Max || r.Line < 2 || r.Rate < -1 {
				t.Fatalf("%+v", r)
			}
			if sum.Fee += r.Fee; r.Kind == payment.BillPayment {
				sum.Payments, sum.Paid = sum.Payments+1, sum.Paid+r.Amount
			} else {
				sum.Refunds, sum.Refunded = sum.Refunds+1, sum.Refunded+r.Amount
			}
			return nil
		})
		var bad *payment.BadBillError
		switch {
		case err != nil && !errors.As(err, &bad):
			t.Fatalf("%v is not a bad bill", err)
		case err == nil && got != sum:
			t.Fatalf("it says %+v, the rows are %+v", got, sum)
		}
	})
}

// FuzzFunds is the same for movements of the account.
func FuzzFunds(f *testing.F) {
	f.Add([]byte(goodFunds()))
	f.Add([]byte(goodFunds()[:len(goodFunds())/2]))
	f.Add([]byte(lines(fundHeader, fundTotal, "`0,`0,`0,`0,`0")))
	f.Fuzz(func(t *testing.T, text []byte) {
		var sum payment.FundSummary
		got, err := readFunds(bytes.NewReader(text), func(r payment.FundRow) error {
			if sum.Rows++; r.In {
				sum.Income, sum.InSum = sum.Income+1, sum.InSum+r.Amount
			} else {
				sum.Outgo, sum.OutSum = sum.Outgo+1, sum.OutSum+r.Amount
			}
			return nil
		})
		var bad *payment.BadBillError
		if err != nil && !errors.As(err, &bad) {
			t.Fatalf("%v is not a bad bill", err)
		}
		if err == nil && got != sum {
			t.Fatalf("it says %+v, the rows are %+v", got, sum)
		}
	})
}
