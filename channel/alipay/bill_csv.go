package alipay

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// maxLine bounds a line of a bill, in bytes; Alipay's have about 300.
const maxLine = 64 << 10

// The columns that are read, by name.
var columns = [...]string{
	colTradeNo: "支付宝交易号", colPaymentNo: "商户订单号", colKind: "业务类型", colDone: "完成时间",
	colAmount: "订单金额（元）", colReceived: "商家实收（元）", colDiscount: "商家优惠（元）",
	colRefundNo: "退款批次号/请求号", colFee: "服务费（元）",
}

const (
	colTradeNo = iota
	colPaymentNo
	colKind
	colDone
	colAmount   // what the buyer owed: the payment's amount
	colReceived // what the merchant got of it
	colDiscount // what the merchant gave himself
	colRefundNo
	colFee
	wantedCols
)

// Text that the bill is recognised by, in its own encoding where rows are
// compared with it.
var (
	wordPayment = gbk("交易")
	wordRefund  = gbk("退款")
)

const (
	headName    = "商品名称"
	headCreated = "创建时间"
	headRemark  = "备注"
	textBegin   = "业务明细列表"
	textEnd     = "业务明细列表结束"
	textAccount = "#账号：["
	textDay     = "#起始日期：["
	textPaid    = "#交易合计："
	textBack    = "#退款合计："
)

// bill is one reading of a file.
//
// It splits the rows as they are, undecoded: no byte of a character of GB18030
// beyond the first is a comma, a TAB or the end of a line. Only lines with #,
// the header and unknown kinds of rows are decoded.
type bill struct {
	in     *bufio.Reader
	line   int64
	bytes  int64
	day    payment.Day
	seller string // that is compared; "" is none

	account           string // the seller that the bill is of
	dayRead           bool
	listed, ended     bool // the list has begun, has ended
	cols              int
	at                [wantedCols]int
	iName, iMade      int // where a name with commas is found out
	remarkIsLast      bool
	paid, back        tally
	saysPaid, saysOut *tally // the file's own counts
	fee               int64
	fields            [][]byte
	text              []byte
	lastDay           [10]byte // of the time read last
	lastMidnight      int64
}

// tally is what the file counts of payments or of refunds.
type tally struct {
	rows, received, discount int64
	amount                   int64 // which the file does not sum
}

// readBill reads the CSV of a day. All that it says of itself must be true.
func readBill(r io.Reader, day payment.Day, seller string, emit func(payment.BillRow) error) (payment.BillSummary, error) {
	b := &bill{in: bufio.NewReaderSize(r, maxLine), day: day, seller: seller, fields: make([][]byte, 0, 32)}
	for {
		line, err := b.in.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		b.line++
		b.bytes += int64(len(line))
		if err != nil && !errors.Is(err, io.EOF) {
			return payment.BillSummary{}, b.readError(err)
		}
		if err := b.take(bytes.TrimRight(line, "\r\n"), emit); err != nil {
			return payment.BillSummary{}, err
		}
	}
	return b.summary()
}

func (b *bill) readError(err error) error {
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return bad(b.line, "it is longer than 64 KiB")
	case errors.Is(err, payment.ErrUnknown):
		return err
	}
	return bad(b.line, "the archive is damaged")
}

// take takes one line.
func (b *bill) take(line []byte, emit func(payment.BillRow) error) error {
	switch {
	case len(line) == 0:
		return nil
	case line[0] == '#':
		text, err := decode(line)
		if err != nil {
			return bad(b.line, "it is not GB18030")
		}
		return b.note(text)
	case !b.listed:
		return bad(b.line, "a row stands before the list")
	case b.ended:
		return bad(b.line, "a row stands after the end of the list")
	case b.cols == 0:
		return b.header(line)
	}
	row, err := b.row(line)
	if err != nil {
		return err
	}
	return emit(row)
}

// note reads a line that says something of the bill.
func (b *bill) note(text string) error {
	switch {
	case strings.HasPrefix(text, textAccount):
		return b.noteAccount(text)
	case strings.HasPrefix(text, textDay):
		return b.noteDay(text)
	case strings.HasPrefix(text, textPaid):
		return b.noteTally(&b.saysPaid, strings.TrimPrefix(text, textPaid), "商家实收共", "商家优惠共")
	case strings.HasPrefix(text, textBack):
		return b.noteTally(&b.saysOut, strings.TrimPrefix(text, textBack), "商家实收退款共", "商家优惠退款共")
	case strings.Contains(text, textEnd):
		if b.cols == 0 || b.ended {
			return bad(b.line, "the end of the list stands where none is")
		}
		b.ended = true
	case strings.Contains(text, textBegin):
		if b.listed {
			return bad(b.line, "the list begins twice")
		}
		b.listed = true
	}
	return nil
}

func (b *bill) noteAccount(text string) error {
	account, _, ok := strings.Cut(strings.TrimPrefix(text, textAccount), "]")
	b.account = strings.TrimSuffix(account, accountSuffix)
	if !ok || !sellerShape.MatchString(b.account) {
		return bad(b.line, "the account is not a seller's")
	}
	if b.seller != "" && b.account != b.seller {
		return bad(b.line, "it is the bill of %s, not of %s", b.account, b.seller)
	}
	return nil
}

func (b *bill) noteDay(text string) error {
	from, _, _ := strings.Cut(strings.TrimPrefix(text, textDay), "]")
	t, err := time.ParseInLocation("2006年01月02日 15:04:05", from, chinaTime)
	start, _ := b.day.Span(chinaTime)
	if err != nil || !t.Equal(start) {
		return bad(b.line, "it is not the bill of %s", b.day)
	}
	b.dayRead = true
	return nil
}

// noteTally reads "6笔，商家实收共0.06元，商家优惠共0.00元".
func (b *bill) noteTally(to **tally, text, received, discount string) error {
	if !b.ended || *to != nil {
		return bad(b.line, "a sum stands where none is")
	}
	parts := strings.Split(text, "，")
	if len(parts) != 3 {
		return bad(b.line, "the sum is not one")
	}
	between := func(s, head, tail string) []byte {
		s, ok1 := strings.CutPrefix(s, head)
		s, ok2 := strings.CutSuffix(s, tail)
		if !ok1 || !ok2 {
			return nil
		}
		return []byte(s)
	}
	var t tally
	var err1, err2, err3 error
	t.rows, err1 = decimal(between(parts[0], "", "笔"), 0)
	t.received, err2 = decimal(between(parts[1], received, "元"), 2)
	t.discount, err3 = decimal(between(parts[2], discount, "元"), 2)
	if err := errors.Join(err1, err2, err3); err != nil {
		return bad(b.line, "the sum is not one")
	}
	*to = &t
	return nil
}

// header finds the columns by name.
func (b *bill) header(line []byte) error {
	text, err := decode(line)
	if err != nil {
		return bad(b.line, "the header is not GB18030")
	}
	names := strings.Split(text, ",")
	place := map[string]int{}
	for i, name := range names {
		name = strings.TrimSpace(name)
		if _, twice := place[name]; twice {
			return bad(b.line, "the column %s is there twice", short(name, 32))
		}
		place[name] = i
	}
	for i, name := range columns {
		at, ok := place[name]
		if !ok {
			return bad(b.line, "the column %s is missing", name)
		}
		b.at[i] = at
	}
	name, ok1 := place[headName]
	made, ok2 := place[headCreated]
	if !ok1 || !ok2 || made != name+1 || b.at[colDone] != made+1 {
		return bad(b.line, "the columns %s, %s and %s do not follow each other", headName, headCreated, columns[colDone])
	}
	b.iName, b.iMade = name, made
	b.remarkIsLast = strings.TrimSpace(names[len(names)-1]) == headRemark
	b.cols = len(names)
	return nil
}

// summary compares what the file says of itself with its rows.
func (b *bill) summary() (payment.BillSummary, error) {
	var none payment.BillSummary
	switch {
	case !b.ended:
		return none, bad(0, "it is cut off: the list does not end")
	case b.account == "" || !b.dayRead:
		return none, bad(0, "it does not say whose it is, or of which day")
	case b.saysPaid == nil || b.saysOut == nil:
		return none, bad(0, "it is cut off: the sums are missing")
	}
	for _, s := range [...]struct {
		what       string
		says, have int64
	}{
		{"payments", b.saysPaid.rows, b.paid.rows},
		{"fen received", b.saysPaid.received, b.paid.received},
		{"fen of discount", b.saysPaid.discount, b.paid.discount},
		{"refunds", b.saysOut.rows, b.back.rows},
		{"fen given back", b.saysOut.received, b.back.received},
		{"fen of discount given back", b.saysOut.discount, b.back.discount},
	} {
		if s.says != s.have {
			return none, bad(0, "it says %d %s, and has %d", s.says, s.what, s.have)
		}
	}
	return payment.BillSummary{
		Payments: b.paid.rows, Refunds: b.back.rows, Paid: b.paid.amount, Refunded: b.back.amount, Fee: b.fee, Bytes: b.bytes,
	}, nil
}

// decode reads text of the bill.
func decode(b []byte) (string, error) {
	s, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil || bytes.ContainsRune(s, '�') {
		return "", errors.New("not GB18030")
	}
	return string(s), nil
}

// gbk is text as the bill has it.
func gbk(s string) []byte {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		panic(err) // a constant of ours
	}
	return b
}

// decimal reads an amount with at most so many decimals as an integer of the
// last of them, without making anything.
func decimal(s []byte, decimals int) (int64, error) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	var v int64
	digits, after, dot := 0, 0, false
	for _, c := range s {
		switch {
		case c == '.' && !dot && digits > 0:
			dot = true
			continue
		case c < '0' || c > '9':
			return 0, errNotDecimal
		}
		digits++
		if dot {
			after++
		}
		if v = v*10 + int64(c-'0'); v > money.Max {
			return 0, errNotDecimal
		}
	}
	if digits == 0 || dot && after == 0 || after > decimals {
		return 0, errNotDecimal
	}
	for ; after < decimals; after++ {
		if v *= 10; v > money.Max {
			return 0, errNotDecimal
		}
	}
	if neg {
		v = -v
	}
	return v, nil
}

var errNotDecimal = errors.New("not an amount")
