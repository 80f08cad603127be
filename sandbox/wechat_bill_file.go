package sandbox

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
)

// billFile is a form of bill: a head, rows, a summary.
type billFile interface {
	head() string
	row(b []byte, m *movement) []byte
	summary(b []byte, s *billSum) []byte
}

// billSum is what a summary tells, in fen.
type billSum struct {
	rows                             int64
	extra                            int64 // rows that the summary counts and that are not there
	paid, refunded, couponBack, fees int64
	income, incomes, outgo, outgoes  int64 // of the account: amounts and how many
}

func (s *billSum) add(m *movement) {
	s.rows++
	if m.refund == nil {
		s.paid += m.amount
		s.fees += m.fee
		s.income += m.amount
		s.incomes++
		if m.fee != 0 {
			s.outgo += m.fee
			s.outgoes++
		}
		return
	}
	s.refunded += m.amount
	s.couponBack += m.coupon
	s.fees -= m.fee
	s.outgo += m.amount - m.fee
	s.outgoes++
}

const (
	bom     = "\xef\xbb\xbf"
	newline = "\r\n"
)

// write writes the whole file, unpacked, row by row.
func (t *ticket) write(to io.Writer) error {
	out := bufio.NewWriterSize(to, 64<<10)
	start := bom
	if t.has(BillWrongEncoding) { // GBK knows no such mark
		start = ""
		translate := encoding.ReplaceUnsupported(simplifiedchinese.GBK.NewEncoder())
		out = bufio.NewWriterSize(transform.NewWriter(to, translate), 64<<10)
	}
	// An error of out shows again in Flush.
	_, _ = out.WriteString(start + t.file.head() + newline)
	var sum billSum
	b := make([]byte, 0, 1<<10)
	for _, m := range t.rows {
		b = t.file.row(b[:0], m)
		sum.add(m)
		if _, err := out.Write(b); err != nil {
			return err // a client that has gone saves us the other rows
		}
	}
	if t.has(BillBadCount) {
		sum.extra++
	}
	_, _ = out.Write(t.file.summary(b[:0], &sum))
	return out.Flush()
}

// send writes the file as it is downloaded: packed if it was asked for so,
// and with what the faults make of it.
func (t *ticket) send(to io.Writer, half bool) error {
	if t.has(BillZipBomb) {
		return writeZipBomb(to)
	}
	whole := t.size
	if half || t.has(BillTruncated) {
		whole /= 2
	}
	if !t.gzip {
		return t.write(&firstBytes{to, whole})
	}
	pack := gzip.NewWriter(to)
	if err := t.write(&firstBytes{pack, whole}); err != nil {
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
// one after another: one block is packed and sent many times, so that it
// costs us 16 KB and little time.
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
	cell func(b []byte, k *Keys, m *movement) []byte
}

// fixed is a cell that is the same in all rows.
func fixed(s string) func([]byte, *Keys, *movement) []byte {
	return func(b []byte, _ *Keys, _ *movement) []byte { return append(b, s...) }
}

// either is a cell of payments and another of refunds.
func either(payment, refund func([]byte, *Keys, *movement) []byte) func([]byte, *Keys, *movement) []byte {
	return func(b []byte, k *Keys, m *movement) []byte {
		if m.refund == nil {
			return payment(b, k, m)
		}
		return refund(b, k, m)
	}
}

func amountCell(b []byte, _ *Keys, m *movement) []byte { return appendYuan(b, m.amount) }
func couponCell(b []byte, _ *Keys, m *movement) []byte { return appendYuan(b, m.coupon) }

// allColumns is every column of the three bills of trades, in order.
var allColumns = []column{
	{"交易时间", func(b []byte, _ *Keys, m *movement) []byte { return appendBillTime(b, m.at) }},
	{"公众账号ID", func(b []byte, k *Keys, _ *movement) []byte { return append(b, k.AppID...) }},
	{"商户号", func(b []byte, k *Keys, _ *movement) []byte { return append(b, k.MchID...) }},
	{"特约商户号", fixed("0")},
	{"设备号", fixed("")},
	{"微信订单号", func(b []byte, _ *Keys, m *movement) []byte { return append(b, m.payment.transactionID...) }},
	{"商户订单号", func(b []byte, _ *Keys, m *movement) []byte { return append(b, m.trade.no...) }},
	{"用户标识", func(b []byte, _ *Keys, m *movement) []byte { return append(b, m.trade.wechat.openID...) }},
	{"交易类型", func(b []byte, _ *Keys, m *movement) []byte { return append(b, (*wechat)(nil).tradeType(m.trade)...) }},
	{"交易状态", either(fixed("SUCCESS"), fixed("REFUND"))},
	{"付款银行", fixed("OTHERS")},
	{"货币种类", fixed("CNY")},
	{"应结订单金额", either(amountCell, fixed("0.00"))},
	{"代金券金额", either(couponCell, fixed("0.00"))},
	{"退款申请时间", either(fixed(""), func(b []byte, _ *Keys, m *movement) []byte { return appendBillTime(b, m.refund.created) })},
	{"退款成功时间", either(fixed(""), func(b []byte, _ *Keys, m *movement) []byte { return appendBillTime(b, m.at) })},
	{"微信退款单号", either(fixed("0"), func(b []byte, _ *Keys, m *movement) []byte { return append(b, m.refund.id...) })},
	{"商户退款单号", either(fixed("0"), func(b []byte, _ *Keys, m *movement) []byte { return append(b, m.refund.no...) })},
	{"退款金额", either(fixed("0.00"), amountCell)},
	{"充值券退款金额", either(fixed("0.00"), couponCell)},
	{"退款类型", either(fixed(""), fixed("ORIGINAL"))},
	{"退款状态", either(fixed(""), fixed("SUCCESS"))},
	{"商品名称", func(b []byte, _ *Keys, m *movement) []byte {
		return append(b, billText.Replace(m.trade.description)...)
	}},
	{"商户数据包", func(b []byte, _ *Keys, m *movement) []byte {
		return append(b, billText.Replace(m.trade.wechat.attach)...)
	}},
	{"手续费", either(
		func(b []byte, _ *Keys, m *movement) []byte { return append(appendYuan(b, m.fee), "000"...) },
		func(b []byte, _ *Keys, m *movement) []byte { return append(appendYuan(b, -m.fee), "000"...) })},
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

func (f tradeBillFile) row(b []byte, m *movement) []byte {
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

func (f flowBillFile) row(b []byte, m *movement) []byte {
	id, no := m.payment.transactionID, m.trade.no
	if m.refund != nil {
		note := "退款总金额" + yuan(m.amount) + "元;含手续费" + yuan(m.fee) + "元"
		return f.flow(b, m.at, m.refund.id, "3", "退款", "支出", m.amount-m.fee, m.balance, f.keys.MchID+"API", note, m.refund.no)
	}
	b = f.flow(b, m.at, id, "1", "交易", "收入", m.amount, m.balance+m.fee, "system", "结算总金额 "+yuan(m.amount)+" 元", no)
	if m.fee == 0 {
		return b
	}
	return f.flow(b, m.at, id, "2", "扣除交易手续费", "支出", m.fee, m.balance, "system", "结算总金额 "+yuan(m.amount)+" 元", no)
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

func appendBillTime(b []byte, t time.Time) []byte { return t.In(china).AppendFormat(b, time.DateTime) }

// appendYuan writes fen as yuan with two decimals.
func appendYuan(b []byte, fen int64) []byte {
	if fen < 0 {
		b, fen = append(b, '-'), -fen
	}
	b = strconv.AppendInt(b, fen/100, 10)
	return append(b, '.', byte('0'+fen/10%10), byte('0'+fen%10))
}
