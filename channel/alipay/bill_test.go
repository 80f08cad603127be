package alipay

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

var billDay = payment.Day{Year: 2026, Month: 11, Date: 20}

const billHeader = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户," +
	"订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称," +
	"商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"

const (
	rowPaid = "2026112022001458860515315453\t,PAY00000001\t,交易\t,下单测试,2026-11-20 10:55:16,2026-11-20 10:55:23,store\t,store\t,op\t,\t," +
		"*津水(602***@qq.com)\t,10.00,9.50,0.00,0.00,0.00,0.50,0.00,,0.00\t,0.00,\t,-0.06,0.00,下单测试"
	rowPaid2 = "2026112022001458860515315454\t,PAY00000002\t,交易\t,下单测试,2026-11-20 23:59:59,2026-11-20 23:59:59,\t,\t,\t,\t," +
		"*杨(137****2600)\t,20.00,20.00,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,-0.12,0.00,"
	rowBack = "2026112022001458860515315453\t,PAY00000001\t,退款\t,下单测试,2026-11-20 10:55:16,2026-11-20 11:00:00,store\t,store\t,op\t,\t," +
		"*津水(602***@qq.com)\t,-4.00,-3.80,0.00,0.00,0.00,-0.20,0.00,,0.00\t,0.00,REF00000001\t,0.02,0.00,下单测试"
)

// billText is a file in UTF-8, to be spoiled and then encoded.
func billText(rows ...string) string {
	return "#支付宝业务明细查询\n#账号：[" + seller + "0156]\n" +
		"#起始日期：[2026年11月20日 00:00:00]   终止日期：[2026年11月21日 00:00:00]\n" +
		"#-----------------------------------------业务明细列表----------------------------------------\n" +
		billHeader + "\n" + strings.Join(append(rows, ""), "\n") +
		"#-----------------------------------------业务明细列表结束------------------------------------\n" +
		"#交易合计：2笔，商家实收共29.50元，商家优惠共0.50元\n" +
		"#退款合计：1笔，商家实收退款共-3.80元，商家优惠退款共-0.20元\n" +
		"#导出时间：[2026年11月21日 05:46:49]\n"
}

func goodBill() string { return billText(rowPaid, rowPaid2, rowBack) }

var (
	wantRows = []payment.BillRow{
		{Kind: payment.BillPayment, Line: 6, PaymentNo: "PAY00000001", TransactionID: "2026112022001458860515315453", Amount: 1000, Fee: 6000,
			Rate: -1, Currency: "CNY", Merchant: seller, Reported: "交易", Done: true, At: time.Date(2026, 11, 20, 2, 55, 23, 0, time.UTC)},
		{Kind: payment.BillPayment, Line: 7, PaymentNo: "PAY00000002", TransactionID: "2026112022001458860515315454", Amount: 2000, Fee: 12000,
			Rate: -1, Currency: "CNY", Merchant: seller, Reported: "交易", Done: true, At: time.Date(2026, 11, 20, 15, 59, 59, 0, time.UTC)},
		{Kind: payment.BillRefund, Line: 8, PaymentNo: "PAY00000001", RefundNo: "REF00000001", TransactionID: "2026112022001458860515315453",
			Amount: 400, Fee: -2000, Rate: -1, Currency: "CNY", Merchant: seller, Reported: "退款", Done: true,
			At: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)},
	}
	wantSummary = payment.BillSummary{Payments: 2, Refunds: 1, Paid: 3000, Refunded: 400, Fee: 16000}
)

// read reads a file of the day.
func read(in io.Reader, seller string) ([]payment.BillRow, payment.BillSummary, error) {
	var rows []payment.BillRow
	s, err := readBill(in, billDay, seller, func(r payment.BillRow) error { rows = append(rows, r); return nil })
	return rows, s, err
}

// TestReadBill reads files that are whole, in every form that they may have.
func TestReadBill(t *testing.T) {
	replace := func(from, to string) string {
		text := strings.ReplaceAll(goodBill(), from, to)
		if text == goodBill() {
			t.Fatalf("there is no %q", from)
		}
		return text
	}
	for name, text := range map[string]string{
		"as it should be":                goodBill(),
		"with CRLF":                      replace("\n", "\r\n"),
		"without a last line end":        strings.TrimSuffix(goodBill(), "\n"),
		"without a time of export":       replace("#导出时间：[2026年11月21日 05:46:49]\n", ""),
		"with a comment more":            replace("#导出时间", "#说明：无\n#导出时间"),
		"with empty lines":               replace("#导出时间", "\n\r\n#导出时间"),
		"a fee without sign":             replace(",-0.06,", ",0.06,"),
		"a comma in the name":            replace("下单测试,2026-11-20 10", "下单,测试,2026-11-20 10"),
		"commas in name and remark":      replace("下单测试", "下,单,测,试"),
		"a comma in the remark":          strings.ReplaceAll(strings.ReplaceAll(goodBill(), "0.00,下单测试", "0.00,下单,测,试"), "0.00,\n", "0.00,,,\n"),
		"quotes in the name":             replace("下单测试,2026", "\"下单\",测试\",2026"),
		"a time in the name":             replace("下单测试,2026-11-20 10", "2026-11-20 10:55:16,下单,2026-11-20 10"),
		"a character of four bytes":      replace("下单测试", "下单𠮷试"),
		"characters with digits in them": replace("下单测试", "下单\u00e9\u0e01试"), // in GB18030 four bytes, two of them digits
	} {
		rows, s, err := read(bytes.NewReader(gbk(text)), seller)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(wantRows, rows); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		want := wantSummary
		want.Bytes = int64(len(gbk(text)))
		if diff := cmp.Diff(want, s); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestReadBillByName: the columns are found by name, wherever they are.
func TestReadBillByName(t *testing.T) {
	text := strings.ReplaceAll(goodBill(), billHeader, "新列,"+billHeader)
	for _, row := range []string{rowPaid, rowPaid2, rowBack} {
		text = strings.ReplaceAll(text, row, "新,"+row)
	}
	rows, _, err := read(bytes.NewReader(gbk(text)), "")
	if err != nil || len(rows) != 3 || rows[2].RefundNo != "REF00000001" || rows[1].Amount != 2000 {
		t.Errorf("%+v, %v", rows, err)
	}
	for _, r := range rows {
		if r.Merchant != "" {
			t.Errorf("no seller is configured, and a row names %s", r.Merchant)
		}
	}
}

// TestReadBillOfNothing: a bill may have no rows, if it says so.
func TestReadBillOfNothing(t *testing.T) {
	text := strings.NewReplacer("2笔，商家实收共29.50元，商家优惠共0.50元", "0笔，商家实收共0.00元，商家优惠共0.00元",
		"1笔，商家实收退款共-3.80元，商家优惠退款共-0.20元", "0笔，商家实收退款共0.00元，商家优惠退款共0.00元").Replace(billText())
	rows, s, err := read(bytes.NewReader(gbk(text)), seller)
	if err != nil || rows != nil || s != (payment.BillSummary{Bytes: int64(len(gbk(text)))}) {
		t.Errorf("%+v, %+v, %v", rows, s, err)
	}
}

// TestReadBillRefuses spoils a file. line is where that is noticed; 0 is the
// file as a whole.
func TestReadBillRefuses(t *testing.T) {
	good := goodBill()
	swap := func(from, to string) string {
		text := strings.Replace(good, from, to, 1)
		if text == good {
			t.Fatalf("there is no %q", from)
		}
		return text
	}
	row := func(from, to string) string {
		return strings.Replace(good, rowBack, strings.Replace(rowBack, from, to, 1), 1)
	}
	for _, c := range []struct {
		name string
		text string
		line int64
	}{
		{"nothing", "", 0},
		{"a page", "<html>", 1},
		{"cut within a row", good[:strings.Index(good, "REF00000001")], 8},
		{"cut after a row", good[:strings.Index(good, rowBack)], 0},
		{"cut before the sums", good[:strings.Index(good, "#交易合计")], 0},
		{"cut before the second sum", good[:strings.Index(good, "#退款合计")], 0},
		{"a row missing", swap(rowPaid2+"\n", ""), 0},
		{"a refund missing", swap(rowBack+"\n", ""), 0},
		{"a row twice", swap(rowPaid, rowPaid+"\n"+rowPaid), 0},
		{"another amount received", swap("10.00,9.50", "10.00,9.51"), 0},
		{"another discount", swap("0.50,0.00,,0.00", "0.51,0.00,,0.00"), 0},
		{"another refund", swap("-4.00,-3.80", "-4.00,-3.81"), 0},
		{"another count", swap("2笔", "3笔"), 0},
		{"another sum", swap("29.50元", "29.51元"), 0},
		{"another sum of refunds", swap("-3.80元", "3.80元"), 0},
		{"a sum of words", swap("29.50元", "多元"), 10},
		{"a sum that is short", swap("，商家优惠共0.50元", ""), 10},
		{"a sum twice", swap("#退款合计", "#交易合计：2笔，商家实收共29.50元，商家优惠共0.50元\n#退款合计"), 11},
		{"a sum too early", swap(rowPaid, "#交易合计：0笔，商家实收共0.00元，商家优惠共0.00元\n"+rowPaid), 6},
		{"of another day", swap("[2026年11月20日 00:00:00]", "[2026年11月19日 00:00:00]"), 3},
		{"of no day", swap("[2026年11月20日 00:00:00]", "[昨天]"), 3},
		{"without its day", swap("#起始日期", "#日期"), 0},
		{"of another merchant", swap(seller, "2088999999999999"), 2},
		{"of no merchant", swap(seller, "me"), 2},
		{"without its merchant", swap("#账号", "#帐号"), 0},
		{"a list that begins twice", swap(billHeader, "#---业务明细列表---\n"+billHeader), 5},
		{"a list without header", swap(billHeader+"\n", ""), 5},
		{"a list that ends at once", swap(billHeader, "#---业务明细列表结束---"), 5},
		{"a list that ends twice", swap("#交易合计", "#---业务明细列表结束---\n#交易合计"), 10},
		{"a row before the list", swap("#---", rowPaid+"\n#---"), 4},
		{"a row after the list", swap("#交易合计", rowPaid+"\n#交易合计"), 10},
		{"a column missing", swap("服务费（元）", "手续费（元）"), 5},
		{"a column twice", swap("门店编号", "商户订单号"), 5},
		{"names not before times", swap("商品名称,创建时间", "创建时间,商品名称"), 5},
		{"a field too few", row(",下单测试,2026", ",2026"), 8},
		{"an unknown business", row("退款", "理财"), 8},
		{"a refund that is a payment", row("退款", "交易"), 8},
		{"a refund of nothing", row("-4.00", "0.00"), 8},
		{"a refund that is positive", row("-4.00", "4.00"), 8},
		{"a refund without number", row("REF00000001", ""), 8},
		{"a refund without payment", row("PAY00000001", ""), 8},
		{"a trade without number", row("2026112022001458860515315453", ""), 8},
		{"an amount of words", row("-4.00", "many"), 8},
		{"no amount", row("-4.00", ""), 8},
		{"an amount with a plus", row("-4.00", "+4.00"), 8},
		{"an amount of a thousandth", row("-4.00", "-4.001"), 8},
		{"an amount with an exponent", row("-4.00", "-4e2"), 8},
		{"an amount past all money", row("-4.00", "-99999999999999999999"), 8},
		{"a fee of words", row(",0.02,", ",x,"), 8},
		{"no time", row("2026-11-20 11:00:00", ""), 8},
		{"a time of words", row("2026-11-20 11:00:00", "20 November at eleven"), 8},
		{"a day that is none", row("2026-11-20 11:00:00", "2026-02-30 11:00:00"), 8},
		{"an hour that is none", row("2026-11-20 11:00:00", "2026-11-20 24:00:00"), 8},
		{"a line of 64 KiB", row("下单测试", strings.Repeat("x", maxLine)), 8},
		{"a line of commas", row("下单测试", strings.Repeat(",", maxFields+1)), 8},
		{"a comma in another text", row("*津水(", "*津,水("), 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, s, err := read(bytes.NewReader(gbk(c.text)), seller)
			var bad *payment.BadBillError
			if !errors.As(err, &bad) || bad.Line != c.line || s != (payment.BillSummary{}) {
				t.Errorf("got %v, want a bad bill at line %d", err, c.line)
			}
		})
	}
	t.Run("in UTF-8", func(t *testing.T) {
		var bad *payment.BadBillError
		if _, _, err := read(strings.NewReader(good), seller); !errors.As(err, &bad) {
			t.Errorf("got %v", err)
		}
	})
}

// TestReadBillStops with the error of whoever takes the rows.
func TestReadBillStops(t *testing.T) {
	full := errors.New("full")
	n := 0
	_, err := readBill(bytes.NewReader(gbk(goodBill())), billDay, seller, func(payment.BillRow) error { n++; return full })
	if !errors.Is(err, full) || n != 1 {
		t.Errorf("%v after %d rows", err, n)
	}
}
