package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
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
			Rate: -1, Currency: "CNY", Merchant: seller, Word: "交易", Done: true, At: time.Date(2026, 11, 20, 2, 55, 23, 0, time.UTC)},
		{Kind: payment.BillPayment, Line: 7, PaymentNo: "PAY00000002", TransactionID: "2026112022001458860515315454", Amount: 2000, Fee: 12000,
			Rate: -1, Currency: "CNY", Merchant: seller, Word: "交易", Done: true, At: time.Date(2026, 11, 20, 15, 59, 59, 0, time.UTC)},
		{Kind: payment.BillRefund, Line: 8, PaymentNo: "PAY00000001", RefundNo: "REF00000001", TransactionID: "2026112022001458860515315453",
			Amount: 400, Fee: -2000, Rate: -1, Currency: "CNY", Merchant: seller, Word: "退款", Done: true,
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
	replace := func(old, new string) string {
		text := strings.ReplaceAll(goodBill(), old, new)
		if text == goodBill() {
			t.Fatalf("there is no %q", old)
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
	swap := func(old, new string) string {
		text := strings.Replace(good, old, new, 1)
		if text == good {
			t.Fatalf("there is no %q", old)
		}
		return text
	}
	row := func(old, new string) string {
		return strings.Replace(good, rowBack, strings.Replace(rowBack, old, new, 1), 1)
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

// archive packs files as Alipay does: names in GBK, and not marked.
func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: string(gbk(files[i])), NonUTF8: true, Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(gbk(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	detailName = seller + "0156_20261120_业务明细.csv"
	sumName    = seller + "0156_20261120_业务明细(汇总).csv"
)

// billGate answers with a link to itself, and there with a file.
type billGate struct {
	*gateway
	status int
	file   []byte
	cut    bool
	link   string // instead of the file's
	asked  string // the link that was followed
}

func newBillGate(t testing.TB, file []byte) *billGate {
	b := &billGate{file: file}
	b.gateway = newGateway(t, func(seen) answer {
		if b.link == "" {
			b.link = strings.TrimSuffix(b.URL, "/gateway.do") + "/bill?token=s3cret"
		}
		return answer{node: `{"code":"10000","msg":"Success","bill_download_url":"` + b.link + `"}`}
	})
	return b
}

// RoundTrip answers for the host of the files.
func (b *billGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		return http.DefaultTransport.RoundTrip(r)
	}
	b.asked = r.URL.String()
	var body io.Reader = bytes.NewReader(b.file)
	if b.cut {
		body = io.MultiReader(bytes.NewReader(b.file[:len(b.file)/2]), broken{})
	}
	status := b.status
	if status == 0 {
		status = 200
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// bill reads the bill of the day, and looks that nothing of it is left behind.
func (b *billGate) bill(t *testing.T, ctx context.Context, now time.Time) ([]payment.BillRow, payment.BillSummary, error) {
	t.Helper()
	dir := t.TempDir()
	c := b.channel(t, Options{Transport: b, TempDir: dir, Clock: func() time.Time { return now }})
	var rows []payment.BillRow
	s, err := c.Bill(ctx, billDay, func(r payment.BillRow) error { rows = append(rows, r); return nil })
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it leaves %s behind", left[0].Name())
	}
	if err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "://")) {
		t.Errorf("the error tells the link: %v", err)
	}
	return rows, s, err
}

func TestBill(t *testing.T) {
	b := newBillGate(t, archive(t, sumName, "#支付宝业务汇总查询\n", detailName, goodBill()))
	rows, s, err := b.bill(t, t.Context(), vectorTime)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantRows, rows); diff != "" {
		t.Error(diff)
	}
	want := wantSummary
	want.Bytes = int64(len(gbk(goodBill())))
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	asked := b.last()
	checkSigned(t, asked.Params)
	if diff := cmp.Diff(map[string]any{"bill_type": "trade", "bill_date": "2026-11-20"}, bizOf(t, asked.Params)); diff != "" {
		t.Error(diff)
	}
	if !strings.HasSuffix(b.asked, "/bill?token=s3cret") || !strings.HasPrefix(b.asked, "http://127.0.0.1:") {
		t.Errorf("followed %s", b.asked)
	}
}

// TestBillFrom follows links to Alipay's own hosts, over TLS whatever they say.
func TestBillFrom(t *testing.T) {
	for link, want := range map[string]string{
		"http://dwbillcenter.alipay.com/downloadBillFile.resource?a=1&b=2": "https://dwbillcenter.alipay.com/downloadBillFile.resource?a=1&b=2",
		"https://dwbillcenter.alipay.com/x":                                "https://dwbillcenter.alipay.com/x",
		"http://dwbillcenter.dl.alipaydev.com/x":                           "https://dwbillcenter.dl.alipaydev.com/x",
	} {
		b := newBillGate(t, archive(t, detailName, goodBill()))
		b.link = link
		if _, _, err := b.bill(t, t.Context(), vectorTime); err != nil || b.asked != want {
			t.Errorf("%s: followed %s, %v", link, b.asked, err)
		}
	}
}

// TestBillRefuses spoils the archive.
func TestBillRefuses(t *testing.T) {
	whole := archive(t, detailName, goodBill())
	damaged := bytes.Clone(whole)
	damaged[len(damaged)/3] ^= 0x40
	many := make([]string, 0, 40)
	for i := range 17 {
		many = append(many, fmt.Sprintf("%d.txt", i), "x")
	}
	zeros := strings.Repeat("0", 1<<20)
	for _, row := range []struct {
		name string
		set  func(*billGate)
		want error // nil: a BadBillError
	}{
		{"nothing", func(b *billGate) { b.file = nil }, nil},
		{"a page", func(b *billGate) { b.file = []byte("<html>the link has expired</html>") }, nil},
		{"cut short", func(b *billGate) { b.file = whole[:len(whole)-9] }, nil},
		{"damaged", func(b *billGate) { b.file = damaged }, nil},
		{"no files", func(b *billGate) { b.file = archive(t) }, nil},
		{"many files", func(b *billGate) { b.file = archive(t, many...) }, nil},
		{"the sums alone", func(b *billGate) { b.file = archive(t, sumName, goodBill()) }, nil},
		{"two files of trades", func(b *billGate) { b.file = archive(t, detailName, goodBill(), "b_"+detailName, goodBill()) }, nil},
		{"a file that is not the bill's", func(b *billGate) { b.file = archive(t, "业务明细.exe", goodBill()) }, nil},
		{"a bomb", func(b *billGate) { b.file = archive(t, detailName, zeros) }, nil},
		{"a bad bill in it", func(b *billGate) { b.file = archive(t, detailName, billText(rowPaid)) }, nil},
		{"a connection that breaks", func(b *billGate) { b.cut = true }, payment.ErrUnknown},
		{"403", func(b *billGate) { b.status = 403 }, payment.ErrUnknown},
		{"302", func(b *billGate) { b.status = 302 }, payment.ErrUnknown},
		{"500", func(b *billGate) { b.status = 500 }, payment.ErrUnknown},
		{"429", func(b *billGate) { b.status = 429 }, payment.ErrBusy},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBillGate(t, whole)
			row.set(b)
			_, s, err := b.bill(t, t.Context(), vectorTime)
			var bad *payment.BadBillError
			if row.want == nil && !errors.As(err, &bad) || row.want != nil && !errors.Is(err, row.want) || s != (payment.BillSummary{}) {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// TestBillNotThere: "there is none" is believed when there should be one.
func TestBillNotThere(t *testing.T) {
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, chinaTime) }
	for _, row := range []struct {
		now   time.Time
		want  error
		asked bool
	}{
		{at(20, 12, 0), payment.ErrBillNotReady, false},
		{at(20, 23, 59), payment.ErrBillNotReady, false},
		{at(21, 0, 0), payment.ErrBillNotReady, true},
		{at(21, 9, 59), payment.ErrBillNotReady, true},
		{at(21, 10, 0), payment.ErrNoBill, true},
		{at(30, 0, 0), payment.ErrNoBill, true},
	} {
		g := newGateway(t, always(no("40004", "isp.bill_not_exist")))
		c := g.channel(t, Options{Clock: func() time.Time { return row.now }})
		_, err := c.Bill(t.Context(), billDay, nil)
		if !errors.Is(err, row.want) || (len(g.methods()) > 0) != row.asked {
			t.Errorf("at %s: %v", row.now, err)
		}
	}
}

// TestBillEnds when its time is over, however slow whoever takes the rows is.
func TestBillEnds(t *testing.T) {
	var big strings.Builder
	for range 2000 {
		big.WriteString(strings.Replace(rowPaid, "测试", fmt.Sprint(time.Now().UnixNano()), 1) + "\n")
	}
	b := newBillGate(t, archive(t, detailName, billText(strings.TrimSuffix(big.String(), "\n"))))
	c := b.channel(t, Options{Transport: b, TempDir: t.TempDir()})
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	_, err := c.Bill(ctx, billDay, func(payment.BillRow) error { rows++; cancel(); return nil })
	if !errors.Is(err, payment.ErrUnknown) || !errors.Is(err, context.Canceled) || rows > 1000 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// bigBill is a file of n rows of which every third is a refund.
func bigBill(n int) []byte {
	var b bytes.Buffer
	head, _, _ := strings.Cut(billText(), "#-----------------------------------------业务明细列表结束")
	b.Write(gbk(head))
	name := gbk("下单测试，第二件半价 (黑色)")
	paid, back := 0, 0
	for i := range n {
		kind, amount, number := "交易", "19.90", ""
		if paid++; i%3 == 2 {
			kind, amount, number = "退款", "-19.90", fmt.Sprintf("2026112010551%016d", i)
			paid--
			back++
		}
		fmt.Fprintf(&b, "20261120220014%014d\t,22026112010551%015d\t,%s\t,%s,2026-11-20 10:55:16,2026-11-20 10:55:%02d,\t,\t,\t,\t,*(602***@qq.com)\t,"+
			"%s,%s,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,%s\t,-0.11,0.00,%s\n", i, i, gbk(kind), name, i%60, amount, amount, number, name)
	}
	b.Write(gbk(fmt.Sprintf("#----业务明细列表结束----\n#交易合计：%d笔，商家实收共%d.%02d元，商家优惠共0.00元\n"+
		"#退款合计：%d笔，商家实收退款共-%d.%02d元，商家优惠退款共0.00元\n",
		paid, paid*1990/100, paid*1990%100, back, back*1990/100, back*1990%100)))
	return b.Bytes()
}

func TestReadBigBill(t *testing.T) {
	const n = 50_000
	file := bigBill(n)
	var sum int64
	allocs := testing.AllocsPerRun(1, func() {
		sum = 0
		if _, err := readBill(bytes.NewReader(file), billDay, seller, func(r payment.BillRow) error { sum += r.Amount; return nil }); err != nil {
			t.Fatal(err)
		}
	})
	if sum != n*1990 {
		t.Errorf("the rows add up to %d", sum)
	}
	if allocs > n+1000 {
		t.Errorf("%.0f allocations for %d rows", allocs, n)
	}
}

// BenchmarkBill reads a packed bill of a hundred thousand rows.
func BenchmarkBill(b *testing.B) {
	const n = 100_000
	text := bigBill(n)
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w, err := z.Create(detailName)
	if err == nil {
		_, err = w.Write(text)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		b.Fatal(err)
	}
	rows := func(b *testing.B, open func() io.Reader) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := readBill(open(), billDay, seller, func(payment.BillRow) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("text", func(b *testing.B) { rows(b, func() io.Reader { return bytes.NewReader(text) }) })
	b.Run("packed", func(b *testing.B) {
		rows(b, func() io.Reader {
			r, err := unpack(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
			if err != nil {
				b.Fatal(err)
			}
			return r
		})
	})
}

// FuzzReadBill looks for a panic, and for a bill that is accepted although its
// rows are not what it says.
func FuzzReadBill(f *testing.F) {
	for _, text := range []string{
		goodBill(), billText(), billText(rowPaid), strings.ReplaceAll(goodBill(), "下单", "a,b"), strings.ReplaceAll(goodBill(), "\n", "\r\n"),
	} {
		f.Add(gbk(text))
	}
	f.Add(bigBill(9))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, s, err := read(bytes.NewReader(file), "")
		if err != nil {
			var bad *payment.BadBillError
			if !errors.As(err, &bad) {
				t.Fatalf("%v is not a bad bill", err)
			}
			return
		}
		got := payment.BillSummary{Bytes: int64(len(file))}
		line := int64(5)
		for _, r := range rows {
			got.Fee += r.Fee
			if r.Amount < 1 || r.PaymentNo == "" || r.TransactionID == "" || r.Line <= line {
				t.Fatalf("a row says nothing: %+v", r)
			}
			line = r.Line
			switch r.Kind {
			case payment.BillPayment:
				got.Payments, got.Paid = got.Payments+1, got.Paid+r.Amount
			case payment.BillRefund:
				got.Refunds, got.Refunded = got.Refunds+1, got.Refunded+r.Amount
			}
		}
		if diff := cmp.Diff(got, s); diff != "" {
			t.Fatal(diff)
		}
	})
}
