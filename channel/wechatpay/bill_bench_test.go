package wechatpay

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"testing"

	"github.com/tandem-pay/tandem/payment"
)

// bigBill is a bill of n rows that differ as real ones do, a tenth of them
// refunds.
func bigBill(n int) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, tradeHeader)
	var paid, back, fee int64
	for i := range n {
		at := fmt.Sprintf("2026-11-22 %02d:%02d:%02d", i/3600%24, i/60%60, i%60)
		no := fmt.Sprintf("PAY2026112200%09d", i*7919%1_000_000_000)
		amount := int64(100 + i*37%100_000)
		if i%10 == 9 {
			back += amount
			fmt.Fprintf(&b, "`%s,`wx8888aaaa9999bbbb,`1900012345,`0,`,`42000000012026112%011d,`%s,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`NATIVE,`REFUND,`OTHERS,`CNY,"+
				"`0.00,`0.00,`503000000120261122%010d,`REF%s,`%d.%02d,`0.00,`ORIGINAL,`SUCCESS,`商品 %d,`,`0.00000,`0.60%%,`0.00,`%d.%02d,`\r\n",
				at, i, no, i, no, amount/100, amount%100, i%97, amount/100, amount%100)
			continue
		}
		paid, fee = paid+amount, fee+amount*6
		fmt.Fprintf(&b, "`%s,`wx8888aaaa9999bbbb,`1900012345,`0,`,`42000000012026112%011d,`%s,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`NATIVE,`SUCCESS,`OTHERS,`CNY,"+
			"`%d.%02d,`0.00,`0,`0,`0.00,`0.00,`,`,`商品 %d,`order-%d,`%d.%05d,`0.60%%,`%d.%02d,`0.00,`\r\n",
			at, i, no, amount/100, amount%100, i%97, i, amount*6/100_000, amount*6%100_000, amount/100, amount%100)
	}
	fmt.Fprintf(&b, "%s\r\n`%d,`%d.%02d,`%d.%02d,`0.00,`%d.%05d,`%d.%02d,`%d.%02d\r\n", tradeTotalHeader, n,
		paid/100, paid%100, back/100, back%100, fee/100_000, fee%100_000, paid/100, paid%100, back/100, back%100)
	return b.Bytes()
}

// packed is a file as it is sent.
func packed(text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text)
	_ = z.Close()
	return b.Bytes()
}

func BenchmarkTrades(b *testing.B) {
	const rows = 100_000
	plain := bigBill(rows)
	gz := packed(plain)
	for _, row := range []struct {
		name string
		in   func() (io.Reader, error)
	}{
		{"parsed", func() (io.Reader, error) { return bytes.NewReader(plain), nil }},
		{"hashed", func() (io.Reader, error) { return unpack(bytes.NewReader(plain), maxBill) }},
		{"unpacked", func() (io.Reader, error) { return unpack(bytes.NewReader(gz), maxBill) }},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				in, err := row.in()
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				if _, err := readTrades(in, func(payment.BillRow) error { n++; return nil }); err != nil || n != rows {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
