package alipay

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

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
