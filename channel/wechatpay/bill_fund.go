package wechatpay

import (
	"io"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// The columns of a fund flow that are read, by their names.
const (
	fundAt = iota
	fundTransaction
	fundFlow
	fundBusiness
	fundDirection
	fundAmount
	fundBalance
	fundVoucher
	fundColumnCount
)

var (
	fundColumns = []string{
		"记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "收支类型", "收支金额", "账户结余", "业务凭证号",
	}
	// Who requested it, and a remark.
	fundFree   = []string{"资金变更提交申请人", "备注"}
	fundTotals = []string{"资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额"}
)

// funds reads a fund flow.
type funds struct {
	*sheet
	columns  layout
	value    [fundColumnCount][]byte
	sum      payment.FundSummary
	scratch  []byte
	business string // of the row before
}

// readFunds reads a whole fund flow row by row.
func readFunds(in io.Reader, emit func(payment.FundRow) error) (payment.FundSummary, error) {
	f := &funds{sheet: newSheet(in)}
	line, err := f.next()
	if err != nil {
		return f.sum, f.cut(err)
	}
	if f.columns, err = f.header(line, fundColumns, len(fundColumns), fundFree...); err != nil {
		return f.sum, err
	}
	for {
		if line, err = f.next(); err != nil {
			return f.sum, f.cut(err)
		}
		if len(line) == 0 || line[0] != '`' {
			break
		}
		row, err := f.movement(line)
		if err != nil {
			return f.sum, err
		}
		if err := emit(row); err != nil {
			return f.sum, err
		}
	}
	if err := f.totals(line); err != nil {
		return f.sum, err
	}
	return f.sum, f.end()
}

// movement reads one row, and counts it.
func (f *funds) movement(line []byte) (payment.FundRow, error) {
	v := f.value[:]
	if err := f.row(line, &f.columns, v); err != nil {
		return payment.FundRow{}, err
	}
	r := payment.FundRow{Line: f.line}
	var ok bool
	if r.At, ok = moment(v[fundAt]); !ok {
		return payment.FundRow{}, f.bad("记账时间 is not a time")
	}
	if r.Amount, ok = decimal(v[fundAmount], 2); !ok || r.Amount < 0 || r.Amount > money.Max {
		return payment.FundRow{}, f.bad("收支金额 is not an amount")
	}
	if r.Balance, ok = decimal(v[fundBalance], 2); !ok || r.Balance < -money.Max || r.Balance > money.Max {
		return payment.FundRow{}, f.bad("账户结余 is not an amount")
	}
	f.sum.Rows++
	sum := &f.sum.OutSum
	switch string(v[fundDirection]) {
	case "收入":
		r.In, sum = true, &f.sum.InSum
		f.sum.Income++
	case "支出":
		f.sum.Outgo++
	default:
		return payment.FundRow{}, f.bad("收支类型 is neither 收入 nor 支出")
	}
	if *sum += r.Amount; *sum > money.Max {
		return payment.FundRow{}, f.bad("the sum of 收支金额 is too large")
	}
	if f.business != string(v[fundBusiness]) {
		f.business = string(v[fundBusiness])
	}
	r.Business = f.business
	b := append(f.scratch[:0], v[fundTransaction]...)
	transaction := len(b)
	b = append(b, v[fundFlow]...)
	flow := len(b)
	b = append(b, v[fundVoucher]...)
	f.scratch = b
	all := string(b)
	r.TransactionID, r.FlowID, r.Voucher = all[:transaction], all[transaction:flow], all[flow:]
	return r, nil
}

// totals compares the file's counts and sums with those of its rows.
func (f *funds) totals(header []byte) error {
	l, err := f.header(header, fundTotals, len(fundTotals))
	if err != nil {
		return err
	}
	line, err := f.next()
	if err != nil {
		return f.cut(err)
	}
	v := make([][]byte, len(fundTotals))
	if err := f.row(line, &l, v); err != nil {
		return err
	}
	for i, want := range []struct {
		n      int64
		places int
	}{{f.sum.Rows, 0}, {f.sum.Income, 0}, {f.sum.InSum, 2}, {f.sum.Outgo, 0}, {f.sum.OutSum, 2}} {
		// Counts are sometimes written as 20.0.
		if n, ok := decimal(v[i], want.places); !ok || n != want.n || len(v[i]) == 0 {
			return f.bad("%s is not that of the rows", fundTotals[i])
		}
	}
	return nil
}

// FundForm is how WeChat Pay's account movements belong to its bill: by the
// sandbox's samples; not confirmed for refunds.
func (c *Channel) FundForm() payment.FundForm {
	return payment.FundForm{ByRefund: true, Trades: []string{"交易", "退款", "扣除交易手续费"}}
}
