package wechatpay

import (
	"bytes"
	"io"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// The columns of a trade bill that are read, by their names. Those from
// tradeRequired on may be missing.
const (
	tradeAt = iota
	tradeApp
	tradeMerchant
	tradeTransaction
	tradeNo
	tradeState
	tradeCurrency
	tradeSettled
	tradeRefundID
	tradeRefundNo
	tradeRefundCash
	tradeRefundCoupon
	tradeRefundState
	tradeFee
	tradeAmount
	tradeRefundAmount
	tradeRate
	tradeColumnCount
)

const tradeRequired = tradeRate

var (
	tradeColumns = []string{
		"交易时间", "公众账号ID", "商户号", "微信订单号", "商户订单号", "交易状态", "货币种类", "应结订单金额",
		"微信退款单号", "商户退款单号", "退款金额", "充值券退款金额", "退款状态", "手续费", "订单金额", "申请退款金额", "费率",
	}
	// The merchant's own text: the goods' name and what it attached.
	tradeFree = []string{"商品名称", "商户数据包"}
	// The totals: the number of rows, and sums of the columns in tradeSums.
	tradeTotals = []string{
		"总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额", "申请退款总金额",
	}
	tradeSums = [...]struct{ column, places int }{
		{tradeSettled, 2}, {tradeRefundCash, 2}, {tradeRefundCoupon, 2}, {tradeFee, 5}, {tradeAmount, 2}, {tradeRefundAmount, 2},
	}
)

// Places in tradeSums.
const (
	sumFee = iota + 3
	sumAmount
	sumRefund
)

// maxSum bounds a sum of fees, in thousandths of a fen; other sums are
// bounded by money.Max.
const maxSum = 1 << 60

// trades reads a trade bill.
type trades struct {
	*sheet
	columns  layout
	value    [tradeColumnCount][]byte
	amounts  [len(tradeSums)]int64
	sums     [len(tradeSums)]int64
	scratch  []byte
	app      string // of the row before, which is mostly the same
	merchant string
	currency string
}

// readTrades reads a whole trade bill row by row.
func readTrades(in io.Reader, emit func(payment.BillRow) error) (payment.BillSummary, error) {
	t := &trades{sheet: newSheet(in)}
	var sum payment.BillSummary
	line, err := t.next()
	if err != nil {
		return sum, t.cut(err)
	}
	if t.columns, err = t.header(line, tradeColumns, tradeRequired, tradeFree...); err != nil {
		return sum, err
	}
	for {
		if line, err = t.next(); err != nil {
			return sum, t.cut(err)
		}
		if len(line) == 0 || line[0] != '`' {
			break
		}
		row, err := t.trade(line)
		if err != nil {
			return sum, err
		}
		if row.Kind == payment.BillPayment {
			sum.Payments, sum.Paid = sum.Payments+1, sum.Paid+row.Amount
		} else {
			sum.Refunds, sum.Refunded = sum.Refunds+1, sum.Refunded+row.Amount
		}
		if err := emit(row); err != nil {
			return sum, err
		}
	}
	if err := t.totals(line, sum.Payments+sum.Refunds); err != nil {
		return sum, err
	}
	sum.Fee = t.sums[sumFee]
	return sum, t.end()
}

// trade reads one row. It makes one allocation: its names are parts of one
// string, apart from those that are the same in all rows.
func (t *trades) trade(line []byte) (payment.BillRow, error) {
	v := t.value[:]
	if err := t.row(line, &t.columns, v); err != nil {
		return payment.BillRow{}, err
	}
	for i, s := range tradeSums {
		n, ok := decimal(v[s.column], s.places)
		if !ok || n > money.Max || n < 0 && i != sumFee {
			return payment.BillRow{}, t.bad("%s is not an amount", tradeColumns[s.column])
		}
		t.amounts[i] = n
		t.sums[i] += n
		if limit := money.Max; t.sums[i] > limit && i != sumFee || t.sums[i] > maxSum || t.sums[i] < -maxSum {
			return payment.BillRow{}, t.bad("the sum of %s is too large", tradeColumns[s.column])
		}
	}
	r := payment.BillRow{Line: t.line, Fee: t.amounts[sumFee]}
	var ok bool
	if r.At, ok = moment(v[tradeAt]); !ok {
		return payment.BillRow{}, t.bad("交易时间 is not a time")
	}
	if r.Rate, ok = rate(v[tradeRate]); !ok {
		return payment.BillRow{}, t.bad("费率 is not a rate")
	}
	switch state := v[tradeState]; string(state) {
	case "SUCCESS":
		r.Kind, r.Amount, r.Reported, r.Done = payment.BillPayment, t.amounts[sumAmount], "SUCCESS", true
	case "REFUND", "REVOKED": // revoked: taken back at the counter
		r.Kind, r.Amount, r.Reported = payment.BillRefund, t.amounts[sumRefund], refundState(v[tradeRefundState])
		r.Done = r.Reported == "SUCCESS"
	default:
		return payment.BillRow{}, t.bad("交易状态 is %q, which is not known", short(string(state), 32))
	}
	if r.Amount < 1 {
		return payment.BillRow{}, t.bad("the row is of no amount")
	}
	t.names(&r)
	return r, nil
}

// names fills in the row's texts.
func (t *trades) names(r *payment.BillRow) {
	v := &t.value
	for _, same := range []struct {
		last *string
		now  []byte
	}{{&t.app, v[tradeApp]}, {&t.merchant, v[tradeMerchant]}, {&t.currency, v[tradeCurrency]}} {
		if *same.last != string(same.now) {
			*same.last = string(same.now)
		}
	}
	r.App, r.Merchant, r.Currency = t.app, t.merchant, t.currency
	b := append(t.scratch[:0], v[tradeNo]...)
	no := len(b)
	b = append(b, v[tradeTransaction]...)
	transaction := len(b)
	refundNo := transaction
	if r.Kind == payment.BillRefund { // payments have 0 or nothing there
		b = append(b, v[tradeRefundNo]...)
		refundNo = len(b)
		b = append(b, v[tradeRefundID]...)
	}
	t.scratch = b
	all := string(b)
	r.PaymentNo, r.TransactionID = all[:no], all[no:transaction]
	r.RefundNo, r.RefundID = all[transaction:refundNo], all[refundNo:]
}

// refundState is a refund's state; the known ones cost no allocation.
func refundState(b []byte) string {
	switch string(b) {
	case "SUCCESS":
		return "SUCCESS"
	case "PROCESSING":
		return "PROCESSING"
	case "FAIL":
		return "FAIL"
	}
	return short(string(b), 32)
}

// rate reads a rate like 0.60% in millionths; -1 when there is none.
func rate(b []byte) (int64, bool) {
	if len(b) == 0 {
		return -1, true
	}
	b, ok := bytes.CutSuffix(b, []byte("%"))
	n, read := decimal(b, 4)
	return n, ok && read && len(b) > 0 && n >= 0 && n <= 1_000_000
}

// totals compares the file's count and sums with those of its rows.
func (t *trades) totals(header []byte, rows int64) error {
	l, err := t.header(header, tradeTotals, len(tradeTotals))
	if err != nil {
		return err
	}
	line, err := t.next()
	if err != nil {
		return t.cut(err)
	}
	v := make([][]byte, len(tradeTotals))
	if err := t.row(line, &l, v); err != nil {
		return err
	}
	if n, ok := decimal(v[0], 0); !ok || n != rows || len(v[0]) == 0 {
		return t.bad("it counts %s rows, there are %d", short(string(v[0]), 20), rows)
	}
	for i, s := range tradeSums {
		if n, ok := decimal(v[i+1], s.places); !ok || n != t.sums[i] {
			return t.bad("%s is not the sum of the rows", tradeTotals[i+1])
		}
	}
	return nil
}
