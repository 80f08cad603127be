package alipay_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/alipay"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// noon starts the gateway's clock at noon of a day in China.
func noon(o *sandbox.Options) {
	o.Clock.(*clock.Manual).Advance(time.Date(2030, 3, 9, 12, 0, 0, 0, trade.China).Sub(o.Clock.Now()))
	o.APITime = o.Clock.Now
}

// billOf asks for the bill and downloads it.
func (b *bench) billOf(date string) *httptest.ResponseRecorder {
	b.T.Helper()
	n := b.call("data.dataservice.bill.downloadurl.query", biz("bill_type", "trade", "bill_date", date))
	if n["code"] != "10000" {
		b.T.Fatalf("bill of %s: %v", date, n)
	}
	return b.download(n["bill_download_url"].(string))
}

func (b *bench) download(link string) *httptest.ResponseRecorder {
	b.T.Helper()
	u, err := url.Parse(link)
	if err != nil {
		b.T.Fatal(err)
	}
	rec := httptest.NewRecorder()
	b.Handler().ServeHTTP(rec, httptest.NewRequest("GET", u.RequestURI(), nil))
	return rec
}

// unpackBill returns the lines of the two files, decoded, and their names.
func unpackBill(t *testing.T, packed []byte) (names []string, lines [][]string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	gbk := simplifiedchinese.GBK.NewDecoder()
	for _, f := range z.File {
		name, err := gbk.String(f.Name)
		if err != nil || !f.NonUTF8 || f.Flags&0x800 != 0 {
			t.Errorf("name %q, flags %x, %v", f.Name, f.Flags, err)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(gbk.Reader(r)) // checks length and CRC
		if err != nil {
			t.Fatal(err)
		}
		names, lines = append(names, name), append(lines, strings.Split(string(text), "\r\n"))
	}
	return names, lines
}

// A day's payments and refunds come back out of the ZIP, line by line.
func TestBill(t *testing.T) {
	b := newBench(t, noon)
	b.scanned("BILL1", "subject", "茶, 两杯 😀", "body", "a,b", "store_id", "S1", "operator_id", "O1", "terminal_id", "T1")
	b.Clock.Advance(10 * time.Second)
	if err := b.Pay("BILL1"); err != nil {
		t.Fatal(err)
	}
	b.MustArm(faults.Pay, faults.PlatformCoupon, 1)
	b.paidFor("BILL2", "total_amount", "100.00")
	b.Clock.Advance(time.Hour)
	b.call("trade.refund", biz("out_trade_no", "BILL1", "refund_amount", "8.88", "out_request_no", "BACK1"))
	b.scanned("UNPAID")
	one := b.call("trade.query", biz("out_trade_no", "BILL1"))["trade_no"]
	two := b.call("trade.query", biz("out_trade_no", "BILL2"))["trade_no"]
	b.Clock.Advance(22 * time.Hour)

	rec := b.billOf("2030-03-09")
	if rec.Header().Get("Content-Type") != "application/zip" {
		t.Errorf("%v", rec.Header())
	}
	names, lines := unpackBill(t, rec.Body.Bytes())
	if fmt.Sprint(names) != "[20880000000000010156_20300309_业务明细.csv 20880000000000010156_20300309_业务明细(汇总).csv]" {
		t.Errorf("%v", names)
	}
	for i, want := range []string{
		"#支付宝业务明细查询", "#账号：[20880000000000010156]", "#起始日期：[2030年03月09日 00:00:00]   终止日期：[2030年03月10日 00:00:00]",
		"#-----------------------------------------业务明细列表----------------------------------------",
		"支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注",
		fmt.Sprintf("%s\t,BILL1\t,交易\t,茶, 两杯 ?,2030-03-09 12:00:00,2030-03-09 12:00:10,S1\t,\t,O1\t,T1\t,*沙箱(138****0001)\t,88.88,88.88,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,-0.53,0.00,a b", one),
		fmt.Sprintf("%s\t,BILL2\t,交易\t,沙箱商品 A+B & 50%%=半价,2030-03-09 12:00:10,2030-03-09 12:00:10,\t,\t,\t,\t,*沙箱(138****0001)\t,100.00,100.00,0.00,0.00,10.00,0.00,0.00,,0.00\t,0.00,\t,-0.60,0.00,", two),
		fmt.Sprintf("%s\t,BILL1\t,退款\t,茶, 两杯 ?,2030-03-09 12:00:00,2030-03-09 13:00:10,S1\t,\t,O1\t,T1\t,*沙箱(138****0001)\t,-8.88,-8.88,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,BACK1\t,0.05,0.00,a b", one),
		"#-----------------------------------------业务明细列表结束------------------------------------",
		"#交易合计：2笔，商家实收共188.88元，商家优惠共0.00元", "#退款合计：1笔，商家实收退款共-8.88元，商家优惠退款共0.00元",
		"#导出时间：[2030年03月10日 11:00:10]", "",
	} {
		if i >= len(lines[0]) || lines[0][i] != want {
			t.Errorf("details, line %d:\n%q, want\n%q", i+1, lines[0][min(i, len(lines[0])-1)], want)
		}
	}
	for i, want := range []string{
		"#支付宝业务汇总查询", "#账号：[20880000000000010156]", "#起始日期：[2030年03月09日 00:00:00]   终止日期：[2030年03月10日 00:00:00]",
		"#-----------------------------------------业务汇总列表----------------------------------------", alipay.SummaryHead,
		"合计\t,\t,2,1,180.00,180.00,10.00,0.00,0.00,-1.08,0.00,178.92",
		"#----------------------------------------业务汇总列表结束-------------------------------------", "#导出时间：[2030年03月10日 11:00:10]", "",
	} {
		if i >= len(lines[1]) || lines[1][i] != want {
			t.Errorf("summary, line %d:\n%q, want\n%q", i+1, lines[1][min(i, len(lines[1])-1)], want)
		}
	}
}

// When there is a bill, and when its link works.
func TestBillIsReady(t *testing.T) {
	b := newBench(t, noon)
	b.paidFor("NO1")
	ask := func(kind, date string) string {
		return b.call("data.dataservice.bill.downloadurl.query", biz("bill_type", kind, "bill_date", date)).String()
	}
	for _, c := range []struct {
		wait             time.Duration
		kind, date, want string
	}{
		{0, "trade", "2030-03-09", "40004 isp.invalid_arguments"},
		{0, "trade", "2030-03", "40004 isp.invalid_arguments"},
		{0, "trade", "2030-03-08", "40004 isp.bill_not_exist"},
		{0, "trade", "09.03.2030", "40004 isp.invalid_arguments"},
		{0, "signcustomer", "2030-03-08", "40004 isp.invalid_arguments"},
		{0, "trade", "", "40004 ACQ.INVALID_PARAMETER"},
		{12*time.Hour - time.Second, "trade", "2030-03-09", "40004 isp.invalid_arguments"},
		{time.Second, "trade", "2030-03-09", "40004 isp.bill_not_exist"},
		{10*time.Hour - time.Second, "trade", "2030-03-09", "40004 isp.bill_not_exist"},
		{time.Second, "trade", "2030-03-09", "10000 <nil>"},
		{30 * 24 * time.Hour, "trade", "2030-03", "10000 <nil>"},
		{0, "trade", "2030-02", "40004 isp.bill_not_exist"},
	} {
		b.Clock.Advance(c.wait)
		if got := ask(c.kind, c.date); got != c.want {
			t.Errorf("%s %s at %s: %s", c.kind, c.date, wireTime(b.Now()), got)
		}
	}
	n := b.call("data.dataservice.bill.downloadurl.query", biz("bill_type", "trade", "bill_date", "2030-03"))
	link := n["bill_download_url"].(string)
	b.Clock.Advance(30 * time.Second)
	if rec := b.download(link); rec.Code != 200 {
		t.Errorf("after 30 s: %d", rec.Code)
	} else if names, _ := unpackBill(t, rec.Body.Bytes()); !strings.Contains(names[0], "_203003_") {
		t.Errorf("%v", names)
	}
	b.Clock.Advance(time.Second)
	if rec := b.download(link); rec.Code != 403 {
		t.Errorf("after 31 s: %d", rec.Code)
	}
	if rec := b.download(alipay.BillPath + "?token="); rec.Code != 403 {
		t.Errorf("without a token: %d", rec.Code)
	}
}

// A bill that lies, one lie a line: what is left of "two payments of 88.88".
func TestBillFaults(t *testing.T) {
	for _, c := range []struct {
		fault      faults.Fault
		rows       string // out_trade_no, amount and fee of each
		count, end string
	}{
		{"", "NO1 88.88 -0.53|NO2 88.88 -0.53", "2笔", "导出时间"},
		{faults.BillRowMissing, "NO2 88.88 -0.53", "1笔", "导出时间"},
		{faults.BillRowTwice, "NO1 88.88 -0.53|NO1 88.88 -0.53|NO2 88.88 -0.53", "3笔", "导出时间"},
		{faults.BillRowExtra, "NO1 88.88 -0.53|NO2 88.88 -0.53|STRAYNO1 1.00 -0.01", "3笔", "导出时间"},
		{faults.BillAmountAltered, "NO1 89.88 -0.53|NO2 88.88 -0.53", "2笔", "导出时间"},
		{faults.BillFeeAltered, "NO1 88.88 -0.54|NO2 88.88 -0.53", "2笔", "导出时间"},
		{faults.BillBadCount, "NO1 88.88 -0.53|NO2 88.88 -0.53", "3笔", "导出时间"},
		{faults.BillTruncated, "NO1 88.88 -0.53", "", "\t,NO2\t,交易\t,沙箱商品"},
	} {
		b := newBench(t, noon)
		b.paidFor("NO1")
		b.paidFor("NO2")
		b.Clock.Advance(24 * time.Hour)
		if c.fault != "" {
			b.MustArm(faults.Bill, c.fault, 1)
		}
		_, lines := unpackBill(t, b.billOf("2030-03-09").Body.Bytes())
		var rows []string
		var count string
		for _, line := range lines[0] {
			if f := strings.Split(line, ","); len(f) == 25 && !strings.HasPrefix(line, "支付宝交易号") {
				rows = append(rows, strings.TrimSpace(f[1])+" "+f[11]+" "+f[22])
			}
			if rest, ok := strings.CutPrefix(line, "#交易合计："); ok {
				count, _, _ = strings.Cut(rest, "，")
			}
		}
		if got := strings.Join(rows, "|"); got != c.rows || count != c.count {
			t.Errorf("%s: %s, %s", c.fault, got, count)
		}
		if last := strings.Join(lines[0][len(lines[0])-2:], ""); !strings.Contains(last, c.end) {
			t.Errorf("%s: ends in %q", c.fault, last)
		}
		if again, _ := unpackBill(t, b.billOf("2030-03-09").Body.Bytes()); len(again) != 2 {
			t.Errorf("%s: %v afterwards", c.fault, again)
		}
	}
}

// The faults of the file as a whole, and of its download.
func TestBillDownloadFaults(t *testing.T) {
	b := newBench(t, noon)
	b.paidFor("NO1")
	b.Clock.Advance(24 * time.Hour)
	b.MustArm(faults.Bill, faults.BillWrongEncoding, 1)
	packed := b.billOf("2030-03-09").Body.Bytes()
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || !strings.HasPrefix(string(text), "#支付宝业务明细查询") {
		t.Errorf("wrong encoding: %.60q %v", text, err)
	}
	server := httptest.NewServer(b.Handler())
	defer server.Close()
	fetch := func(fault faults.Fault) (int, int, error) {
		n := b.call("data.dataservice.bill.downloadurl.query", biz("bill_type", "trade", "bill_date", "2030-03-09"))
		u, _ := url.Parse(n["bill_download_url"].(string))
		b.MustArm(faults.Download, fault, 1)
		res, err := http.Get(server.URL + u.RequestURI())
		if err != nil {
			return 0, 0, err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return res.StatusCode, len(text), err
	}
	for _, c := range []struct {
		fault  faults.Fault
		status int
		broken bool
	}{
		{faults.Error500NoEffect, 500, false}, {faults.Error500WithEffect, 500, false}, {faults.RateLimited, 429, false},
		{faults.HalfAnswer, 200, true}, {faults.TimeoutNoEffect, 200, true}, {faults.TimeoutAfterCommit, 200, true}, {faults.HugeAnswer, 200, false},
	} {
		status, n, err := fetch(c.fault)
		if status != c.status || (err != nil) != c.broken || (c.fault == faults.HugeAnswer) != (n > 100<<20) {
			t.Errorf("%s: %d, %d bytes, %v", c.fault, status, n, err)
		}
	}
	b.MustArm(faults.Bill, faults.BillZipBomb, 1)
	packed = b.billOf("2030-03-09").Body.Bytes()
	if z, err = zip.NewReader(bytes.NewReader(packed), int64(len(packed))); err != nil || len(packed) > 2<<20 || z.File[0].UncompressedSize64 != 1<<30 {
		t.Fatalf("bomb: %d bytes, %v", len(packed), err)
	}
	if r, err = z.File[0].Open(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(r, 40<<20)); err != nil || n != 40<<20 { // more than a piece
		t.Errorf("bomb: %d bytes unpacked, %v", n, err)
	}
}
