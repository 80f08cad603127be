package alipay

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

const (
	detailsHead = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
	summaryHead = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"
)

// row is a row of the details.
type row struct {
	tradeNo, outTradeNo, subject, remark string
	created, done                        time.Time
	store, operator, terminal            string
	refund                               string // the out_request_no; "": a payment
	amount, coupon, fee                  int64  // fen, negative for what the merchant loses
}

// rowOf is a movement as the bill has it.
func rowOf(m *trade.Movement) row {
	t := m.Trade
	r := row{
		tradeNo: m.Payment.TransactionID, outTradeNo: t.No, subject: t.Description, remark: details(t).body,
		created: details(t).began, done: m.At, store: details(t).store, operator: details(t).operator, terminal: details(t).terminal,
		amount: m.Amount, coupon: m.Coupon, fee: feeSign * m.Fee,
	}
	if m.Refund != nil {
		r.refund, r.amount, r.coupon, r.fee = m.Refund.No, -m.Amount, -m.Coupon, -r.fee
	}
	return r
}

// cell keeps a text within its cell: the file knows no quotation marks. Commas
// stay in names, as in real files; elsewhere a reader could not tell them from separators.
func cell(s string, commas bool) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == ',' && !commas {
			return ' '
		}
		return c
	}, s)
}

func (r row) line() string {
	kind := "交易"
	if r.refund != "" {
		kind = "退款"
	}
	zero := wire.Yuan(0)
	return strings.Join([]string{
		r.tradeNo + "\t", r.outTradeNo + "\t", kind + "\t", cell(r.subject, true), wireTime(r.created), wireTime(r.done),
		cell(r.store, false) + "\t", "\t", cell(r.operator, false) + "\t", cell(r.terminal, false) + "\t", "*沙箱(" + logonID + ")\t",
		wire.Yuan(r.amount), wire.Yuan(r.amount), zero, zero, wire.Yuan(r.coupon), zero, zero, "", zero + "\t", zero,
		cell(r.refund, false) + "\t", wire.Yuan(r.fee), zero, cell(r.remark, false),
	}, ",")
}

// totals are what the ends of both files say.
type totals struct {
	payments, refunds          int
	paid, back, coupons, fees  int64
	account, from, to, printed string
}

// write writes the ZIP as a stream. The names of its entries are GBK and not
// marked as UTF-8, as the real ones are.
func (b *bill) write(to io.Writer, seller string, moves []*trade.Movement, now time.Time, fault faults.Fault) error {
	if fault == faults.HalfAnswer {
		to = &breaksOff{w: to, left: 200}
	}
	codec, name := simplifiedchinese.GBK, b.days[0].Format("20060102")
	if len(b.days) > 1 {
		name = b.days[0].Format("200601")
	}
	if b.has(faults.BillWrongEncoding) {
		codec = encoding.Nop
	}
	stamp := func(t time.Time) string { return t.In(trade.China).Format("2006年01月02日 15:04:05") }
	sum := totals{
		account: seller + "0156", from: stamp(b.days[0]), to: stamp(b.days[len(b.days)-1].AddDate(0, 0, 1)), printed: stamp(now),
	}
	z := zip.NewWriter(to)
	for _, file := range []struct {
		name string
		text func(w *bufio.Writer)
	}{
		{"业务明细", func(w *bufio.Writer) { b.details(w, trade.Alter(slices.Clone(moves), b.faults), &sum) }},
		{"业务明细(汇总)", sum.write},
	} {
		gbk, err := simplifiedchinese.GBK.NewEncoder().String(sum.account + "_" + name + "_" + file.name + ".csv")
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: gbk, NonUTF8: true, Method: zip.Deflate, Modified: now.In(trade.China)}
		if b.has(faults.BillZipBomb) {
			if err := bomb(z, header); err != nil {
				return err
			}
			break
		}
		entry, err := z.CreateHeader(header)
		if err != nil {
			return err
		}
		w := bufio.NewWriter(encoding.ReplaceUnsupported(codec.NewEncoder()).Writer(questionMarks{entry}))
		file.text(w)
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return z.Close()
}

// details writes the first file and counts for the second.
func (b *bill) details(w *bufio.Writer, moves []*trade.Movement, sum *totals) {
	sum.head(w, "#支付宝业务明细查询", "#-----------------------------------------业务明细列表----------------------------------------", detailsHead)
	for i, m := range moves {
		r := rowOf(m)
		line := r.line()
		if b.has(faults.BillTruncated) && i == len(moves)-1 {
			fmt.Fprint(w, line[:strings.Index(line, " ")]) // within the time
			return
		}
		fmt.Fprint(w, line+lineEnd)
		sum.fees += r.fee
		sum.coupons += r.coupon
		if r.refund == "" {
			sum.payments++
			sum.paid += r.amount
		} else {
			sum.refunds++
			sum.back += r.amount
		}
	}
	if b.has(faults.BillBadCount) {
		sum.payments++
	}
	fmt.Fprint(w, strings.Join([]string{
		"#-----------------------------------------业务明细列表结束------------------------------------",
		fmt.Sprintf("#交易合计：%d笔，商家实收共%s元，商家优惠共0.00元", sum.payments, wire.Yuan(sum.paid)),
		fmt.Sprintf("#退款合计：%d笔，商家实收退款共%s元，商家优惠退款共0.00元", sum.refunds, wire.Yuan(sum.back)),
		"#导出时间：[" + sum.printed + "]", "",
	}, lineEnd))
}

func (s *totals) head(w *bufio.Writer, lines ...string) {
	fmt.Fprint(w, strings.Join([]string{
		lines[0], "#账号：[" + s.account + "]", "#起始日期：[" + s.from + "]   终止日期：[" + s.to + "]", lines[1], lines[2], "",
	}, lineEnd))
}

// write writes the second file: the merchant has no shops, so the sum is all.
func (s *totals) write(w *bufio.Writer) {
	s.head(w, "#支付宝业务汇总查询", "#-----------------------------------------业务汇总列表----------------------------------------", summaryHead)
	got := s.paid + s.back
	fmt.Fprint(w, strings.Join([]string{
		fmt.Sprintf("合计\t,\t,%d,%d,%s,%s,%s,0.00,0.00,%s,0.00,%s", s.payments, s.refunds, wire.Yuan(got), wire.Yuan(got),
			wire.Yuan(s.coupons), wire.Yuan(s.fees), wire.Yuan(got+feeSign*-s.fees)),
		"#----------------------------------------业务汇总列表结束-------------------------------------",
		"#导出时间：[" + s.printed + "]", "",
	}, lineEnd))
}

// questionMarks writes one for each character that GBK does not have. The
// encoder leaves a substitute character, which no other text here can have.
type questionMarks struct{ w io.Writer }

func (q questionMarks) Write(p []byte) (int, error) {
	if _, err := q.w.Write(bytes.ReplaceAll(p, []byte{encoding.ASCIISub}, []byte("?"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// bomb is an entry of 1 GiB of zeros that packs into one MiB. One piece is
// packed and then repeated, since packing them all would take seconds.
func bomb(z *zip.Writer, header *zip.FileHeader) error {
	const piece, pieces = 16 << 20, 64
	zeros := make([]byte, 1<<20)
	var packed bytes.Buffer
	pack, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return err
	}
	sum := uint32(0)
	for range piece / len(zeros) {
		if _, err := pack.Write(zeros); err != nil {
			return err
		}
	}
	if err := pack.Flush(); err != nil { // up to a byte, so that it can be repeated
		return err
	}
	for range piece * pieces / len(zeros) {
		sum = crc32.Update(sum, crc32.IEEETable, zeros)
	}
	last := []byte{3, 0} // an empty block that ends the data
	header.CRC32, header.UncompressedSize64 = sum, piece*pieces
	header.CompressedSize64 = uint64(packed.Len()*pieces + len(last)) //nolint:gosec // lengths
	entry, err := z.CreateRaw(header)
	if err != nil {
		return err
	}
	for range pieces {
		if _, err := entry.Write(packed.Bytes()); err != nil {
			return err
		}
	}
	_, err = entry.Write(last)
	return err
}

// breaksOff fails after some bytes, which it writes.
type breaksOff struct {
	w    io.Writer
	left int
}

func (b *breaksOff) Write(p []byte) (int, error) {
	if len(p) <= b.left {
		b.left -= len(p)
		return b.w.Write(p)
	}
	n, err := b.w.Write(p[:b.left])
	b.left = 0
	if err == nil {
		err = errors.New("broken off")
	}
	return n, err
}
