package wechatpay

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// billFile is a form of bill: a head, rows, a summary.
type billFile interface {
	head() string
	row(b []byte, m *trade.Movement) []byte
	summary(b []byte, s *billSum) []byte
}

// billSum is what a summary says, in fen.
type billSum struct {
	rows                             int64
	extra                            int64 // rows that the summary counts and that are not there
	paid, refunded, couponBack, fees int64
	income, incomes, outgo, outgoes  int64 // of the account: amounts and how many
}

func (s *billSum) add(m *trade.Movement) {
	s.rows++
	if m.Refund == nil {
		s.paid += m.Amount
		s.fees += m.Fee
		s.income += m.Amount
		s.incomes++
		if m.Fee != 0 {
			s.outgo += m.Fee
			s.outgoes++
		}
		return
	}
	s.refunded += m.Amount
	s.couponBack += m.Coupon
	s.fees -= m.Fee
	s.outgo += m.Amount - m.Fee
	s.outgoes++
}

const (
	bom     = "\xef\xbb\xbf"
	newline = "\r\n"
)

// write writes the whole file, unpacked, row by row.
func (d *download) write(to io.Writer) error {
	out := bufio.NewWriterSize(to, 64<<10)
	start := bom
	if d.has(faults.BillWrongEncoding) { // GBK knows no such mark
		start = ""
		translate := encoding.ReplaceUnsupported(simplifiedchinese.GBK.NewEncoder())
		out = bufio.NewWriterSize(transform.NewWriter(to, translate), 64<<10)
	}
	// An error of out shows again in Flush.
	_, _ = out.WriteString(start + d.file.head() + newline)
	var sum billSum
	b := make([]byte, 0, 1<<10)
	for _, m := range d.rows {
		b = d.file.row(b[:0], m)
		sum.add(m)
		if _, err := out.Write(b); err != nil {
			return err // nobody reads the other rows when the client has gone
		}
	}
	if d.has(faults.BillBadCount) {
		sum.extra++
	}
	_, _ = out.Write(d.file.summary(b[:0], &sum))
	return out.Flush()
}

// send writes the file as it is downloaded: packed if the shop wants it so,
// and with what the faults make of it.
func (d *download) send(to io.Writer, half bool) error {
	if d.has(faults.BillZipBomb) {
		return writeZipBomb(to)
	}
	whole := d.size
	if half || d.has(faults.BillTruncated) {
		whole /= 2
	}
	if !d.gzip {
		return d.write(&firstBytes{to, whole})
	}
	pack := gzip.NewWriter(to)
	if err := d.write(&firstBytes{pack, whole}); err != nil {
		return err
	}
	if half {
		return pack.Flush() // without the end of the packed file
	}
	return pack.Close()
}

const (
	bombBlock  = 16 << 20
	bombBlocks = 64
)

// writeZipBomb writes 1 GiB of zeros, packed. A packed file may be several
// one after another: one block is packed and sent many times, which
// takes 16 KB and little time.
func writeZipBomb(to io.Writer) error {
	var block bytes.Buffer
	pack, err := gzip.NewWriterLevel(&block, gzip.BestCompression)
	if err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for range bombBlock / len(zeros) {
		if _, err := pack.Write(zeros); err != nil {
			return err
		}
	}
	if err := pack.Close(); err != nil {
		return err
	}
	for range bombBlocks {
		if _, err := to.Write(block.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// column is one of a bill of trades.
type column struct {
	name string
	cell func(b []byte, k *Keys, m *trade.Movement) []byte
}

// fixed is a cell that is the same in all rows.
func fixed(s string) func([]byte, *Keys, *trade.Movement) []byte {
	return func(b []byte, _ *Keys, _ *trade.Movement) []byte { return append(b, s...) }
}

// either is a cell of payments and another of refunds.
func either(payment, refund func([]byte, *Keys, *trade.Movement) []byte) func([]byte, *Keys, *trade.Movement) []byte {
	return func(b []byte, k *Keys, m *trade.Movement) []byte {
		if m.Refund == nil {
			return payment(b, k, m)
		}
		return refund(b, k, m)
	}
}

func amountCell(b []byte, _ *Keys, m *trade.Movement) []byte { return appendYuan(b, m.Amount) }
func couponCell(b []byte, _ *Keys, m *trade.Movement) []byte { return appendYuan(b, m.Coupon) }

// allColumns is every column of the three bills of trades, in order.
var allColumns = []column{
	{"交易时间", func(b []byte, _ *Keys, m *trade.Movement) []byte { return appendBillTime(b, m.At) }},
	{"公众账号ID", func(b []byte, k *Keys, _ *trade.Movement) []byte { return append(b, k.AppID...) }},
	{"商户号", func(b []byte, k *Keys, _ *trade.Movement) []byte { return append(b, k.MchID...) }},
	{"特约商户号", fixed("0")},
	{"设备号", fixed("")},
	{"微信订单号", func(b []byte, _ *Keys, m *trade.Movement) []byte { return append(b, m.Payment.TransactionID...) }},
	{"商户订单号", func(b []byte, _ *Keys, m *trade.Movement) []byte { return append(b, m.Trade.No...) }},
	{"用户标识", func(b []byte, _ *Keys, m *trade.Movement) []byte { return append(b, details(m.Trade).openID...) }},
	{"交易类型", func(b []byte, _ *Keys, m *trade.Movement) []byte {
		return append(b, tradeType(m.Trade)...)
	}},
	{"交易状态", either(fixed("SUCCESS"), fixed("REFUND"))},
	{"付款银行", fixed("OTHERS")},
	{"货币种类", fixed("CNY")},
	{"应结订单金额", either(amountCell, fixed("0.00"))},
	{"代金券金额", either(couponCell, fixed("0.00"))},
	{"退款申请时间", either(fixed(""), func(b []byte, _ *Keys, m *trade.Movement) []byte { return appendBillTime(b, m.Refund.Created) })},
	{"退款成功时间", either(fixed(""), func(b []byte, _ *Keys, m *trade.Movement) []byte { return appendBillTime(b, m.At) })},
	{"微信退款单号", either(fixed("0"), func(b []byte, _ *Keys, m *trade.Movement) []byte { return append(b, m.Refund.ID...) })},
	{"商户退款单号", either(fixed("0"), func(b []byte, _ *Keys, m *trade.Movement) []byte { return append(b, m.Refund.No...) })},
	{"退款金额", either(fixed("0.00"), amountCell)},
	{"充值券退款金额", either(fixed("0.00"), couponCell)},
	{"退款类型", either(fixed(""), fixed("ORIGINAL"))},
	{"退款状态", either(fixed(""), fixed("SUCCESS"))},
	{"商品名称", func(b []byte, _ *Keys, m *trade.Movement) []byte {
		return append(b, billText.Replace(m.Trade.Description)...)
	}},
	{"商户数据包", func(b []byte, _ *Keys, m *trade.Movement) []byte {
		return append(b, billText.Replace(details(m.Trade).attach)...)
	}},
	{"手续费", either(
		func(b []byte, _ *Keys, m *trade.Movement) []byte { return append(appendYuan(b, m.Fee), "000"...) },
		func(b []byte, _ *Keys, m *trade.Movement) []byte { return append(appendYuan(b, -m.Fee), "000"...) })},
	{"费率", fixed("0.60%")},
	{"订单金额", either(amountCell, fixed("0.00"))},
	{"申请退款金额", either(fixed("0.00"), amountCell)},
	{"费率备注", fixed("")},
}

// billText takes out of a text what would end its cell or its row: the file
// has no way to say that it does not.
var billText = strings.NewReplacer("`", "'", "\r", " ", "\n", " ")

// tradeBills are the columns of each kind of bill.
var tradeBills = map[string][]column{
	"ALL":     columnsWithout("退款申请时间", "退款成功时间"),
	"SUCCESS": columnsWithout("退款申请时间", "退款成功时间", "微信退款单号", "商户退款单号", "退款金额", "充值券退款金额", "退款类型", "退款状态", "申请退款金额"),
	"REFUND":  allColumns,
}

func columnsWithout(names ...string) (out []column) {
	for _, c := range allColumns {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+c.name+" ") {
			out = append(out, c)
		}
	}
	return out
}

// tradeBillFile is the bill of trades.
type tradeBillFile struct {
	keys    *Keys
	columns []column
}

func (f tradeBillFile) head() string {
	names := make([]string, len(f.columns))
	for i, c := range f.columns {
		names[i] = c.name
	}
	return strings.Join(names, ",")
}

func (f tradeBillFile) row(b []byte, m *trade.Movement) []byte {
	for i, c := range f.columns {
		b = appendTick(b, i)
		b = c.cell(b, f.keys, m)
	}
	return append(b, newline...)
}

func (f tradeBillFile) summary(b []byte, s *billSum) []byte {
	b = append(b, "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"+newline...)
	b = strconv.AppendInt(append(b, '`'), s.rows+s.extra, 10)
	b = appendYuan(append(b, ",`"...), s.paid)
	b = appendYuan(append(b, ",`"...), s.refunded)
	b = appendYuan(append(b, ",`"...), s.couponBack)
	b = append(appendYuan(append(b, ",`"...), s.fees), "000"...)
	b = appendYuan(append(b, ",`"...), s.paid)
	b = appendYuan(append(b, ",`"...), s.refunded)
	return append(b, newline...)
}

// flowBillFile is the bill of the account's movements: a payment is one row,
// its fee another, and a refund one that is less by the fee that came back.
type flowBillFile struct{ keys *Keys }

func (flowBillFile) head() string {
	return "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"
}

func (f flowBillFile) row(b []byte, m *trade.Movement) []byte {
	id, no := m.Payment.TransactionID, m.Trade.No
	if m.Refund != nil {
		note := "退款总金额" + wire.Yuan(m.Amount) + "元;含手续费" + wire.Yuan(m.Fee) + "元"
		return f.flow(b, m.At, m.Refund.ID, "3", "退款", "支出", m.Amount-m.Fee, m.Balance, f.keys.MchID+"API", note, m.Refund.No)
	}
	b = f.flow(b, m.At, id, "1", "交易", "收入", m.Amount, m.Balance+m.Fee, "system", "结算总金额 "+wire.Yuan(m.Amount)+" 元", no)
	if m.Fee == 0 {
		return b
	}
	return f.flow(b, m.At, id, "2", "扣除交易手续费", "支出", m.Fee, m.Balance, "system", "结算总金额 "+wire.Yuan(m.Amount)+" 元", no)
}

// flow is one row. The number of the flow follows from the business's, so
// that the same day always gives the same file.
func (flowBillFile) flow(b []byte, at time.Time, id, mark, kind, way string, amount, balance int64, who, note, voucher string) []byte {
	b = appendBillTime(append(b, '`'), at)
	for _, s := range []string{id, mark + id[1:], kind, kind, way} {
		b = append(append(b, ",`"...), s...)
	}
	b = appendYuan(append(b, ",`"...), amount)
	b = appendYuan(append(b, ",`"...), balance)
	for _, s := range []string{who, note, voucher} {
		b = append(append(b, ",`"...), s...)
	}
	return append(b, newline...)
}

// summary counts rows of the account, with the decimal that real files have.
func (flowBillFile) summary(b []byte, s *billSum) []byte {
	b = append(b, "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"+newline...)
	b = append(strconv.AppendInt(append(b, '`'), s.incomes+s.outgoes+s.extra, 10), ".0"...)
	b = append(strconv.AppendInt(append(b, ",`"...), s.incomes, 10), ".0"...)
	b = appendYuan(append(b, ",`"...), s.income)
	b = append(strconv.AppendInt(append(b, ",`"...), s.outgoes, 10), ".0"...)
	b = appendYuan(append(b, ",`"...), s.outgo)
	return append(b, newline...)
}

func appendTick(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return append(b, '`')
}

func appendBillTime(b []byte, t time.Time) []byte {
	return t.In(trade.China).AppendFormat(b, time.DateTime)
}

// appendYuan writes fen as yuan with two decimals.
func appendYuan(b []byte, fen int64) []byte {
	if fen < 0 {
		b, fen = append(b, '-'), -fen
	}
	b = strconv.AppendInt(b, fen/100, 10)
	return append(b, '.', byte('0'+fen/10%10), byte('0'+fen%10))
}
