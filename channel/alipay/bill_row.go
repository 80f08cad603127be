package alipay

import (
	"bytes"
	"time"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// row reads one movement of money.
func (b *bill) row(line []byte) (payment.BillRow, error) {
	var none payment.BillRow
	if err := b.split(line); err != nil {
		return none, err
	}
	row := payment.BillRow{Line: b.line, Rate: -1, Currency: defaultCurrency, Done: true}
	if b.seller != "" {
		row.Merchant = b.account
	}
	sum := &b.paid
	sign := int64(1)
	switch kind := b.field(colKind); {
	case bytes.Equal(kind, wordPayment):
		row.Kind, row.Reported = payment.BillPayment, "交易"
	case bytes.Equal(kind, wordRefund):
		row.Kind, row.Reported, sum, sign = payment.BillRefund, "退款", &b.back, -1
	default:
		business, _ := decode(kind)
		return none, bad(b.line, "the business %q is not a known one", short(business, 32))
	}
	amount, err1 := decimal(b.field(colAmount), 2)
	received, err2 := decimal(b.field(colReceived), 2)
	discount, err3 := decimal(b.field(colDiscount), 2)
	fee, err4 := decimal(b.field(colFee), 5)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return none, bad(b.line, "an amount is not one")
	}
	if amount*sign <= 0 {
		return none, bad(b.line, "the amount of a %s has the wrong sign, or is nothing", row.Reported)
	}
	row.Amount = amount * sign
	// A payment costs fee, a refund gives some back, whatever sign it has.
	row.Fee = max(fee, -fee) * sign
	var err error
	if row.At, err = b.time(b.field(colDone)); err != nil {
		return none, err
	}
	b.names(&row)
	if row.TransactionID == "" || row.PaymentNo == "" {
		return none, bad(b.line, "a trade has no number")
	}
	if row.Kind == payment.BillRefund && row.RefundNo == "" {
		return none, bad(b.line, "a refund has no number")
	}
	sum.rows++
	sum.received += received
	sum.discount += discount
	sum.amount += row.Amount
	b.fee += row.Fee
	for _, total := range [...]int64{sum.received, sum.discount, sum.amount, b.fee} {
		if total > money.Max || total < -money.Max {
			return none, bad(b.line, "the sum of the amounts is too large")
		}
	}
	return row, nil
}

// field is a column of the present row.
func (b *bill) field(col int) []byte { return b.fields[b.at[col]] }

// names are the row's numbers. They share one string: three would cost more
// than all the rest of the row.
func (b *bill) names(row *payment.BillRow) {
	trade, ours, back := b.field(colTradeNo), b.field(colPaymentNo), b.field(colRefundNo)
	if row.Kind == payment.BillPayment {
		back = nil
	}
	b.text = append(append(append(b.text[:0], trade...), ours...), back...)
	s := string(b.text)
	row.TransactionID, s = s[:len(trade)], s[len(trade):]
	row.PaymentNo, row.RefundNo = s[:len(ours)], s[len(ours):]
}

// split cuts a row into as many fields as the header has. A row with more has
// a name or a remark with commas: the name is followed by two times, and the
// remark is last, so that only one way of cutting fits.
func (b *bill) split(line []byte) error {
	f := b.fields[:0]
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			f = append(f, trim(line))
			break
		}
		f = append(f, trim(line[:i]))
		line = line[i+1:]
		if len(f) > maxFields {
			return bad(b.line, "it has too many fields")
		}
	}
	b.fields = f
	over := len(f) - b.cols
	if over < 0 {
		return bad(b.line, "it has %d fields, the header has %d", len(f), b.cols)
	}
	if over == 0 {
		return nil
	}
	for s := range over + 1 {
		if !isTime(f[b.iMade+s]) || !isTime(f[b.iMade+1+s]) {
			continue
		}
		if s < over && !b.remarkIsLast {
			break
		}
		// What the name took moves all behind it; what is left over is remark.
		f = append(f[:b.iName+1], f[b.iName+1+s:]...)
		b.fields = f[:b.cols]
		return nil
	}
	return bad(b.line, "it has %d fields, the header has %d", len(f), b.cols)
}

// trim drops the TABs that keep spreadsheets from reading numbers.
func trim(f []byte) []byte {
	for len(f) > 0 && (f[len(f)-1] == '\t' || f[len(f)-1] == ' ') {
		f = f[:len(f)-1]
	}
	for len(f) > 0 && (f[0] == '\t' || f[0] == ' ') {
		f = f[1:]
	}
	return f
}

// isTime says whether a field looks like 2019-09-16 10:55:16.
func isTime(f []byte) bool {
	if len(f) != len(timeLayout) {
		return false
	}
	for i, c := range f {
		switch timeLayout[i] {
		case '-', ' ', ':':
			if c != timeLayout[i] {
				return false
			}
		default:
			if c < '0' || c > '9' {
				return false
			}
		}
	}
	return true
}

// time reads a time of China. A file is of one day, so its midnight is worked
// out once.
func (b *bill) time(f []byte) (time.Time, error) {
	if !isTime(f) {
		return time.Time{}, bad(b.line, "the time is not one")
	}
	if !bytes.Equal(f[:10], b.lastDay[:]) {
		t, err := time.ParseInLocation(time.DateOnly, string(f[:10]), chinaTime)
		if err != nil {
			return time.Time{}, bad(b.line, "the time is not one")
		}
		copy(b.lastDay[:], f)
		b.lastMidnight = t.Unix()
	}
	two := func(i int) int64 { return int64(f[i]-'0')*10 + int64(f[i+1]-'0') }
	h, m, s := two(11), two(14), two(17)
	if h > 23 || m > 59 || s > 59 {
		return time.Time{}, bad(b.line, "the time is not one")
	}
	return time.Unix(b.lastMidnight+h*3600+m*60+s, 0).UTC(), nil
}
