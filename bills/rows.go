package bills

import (
	"encoding/binary"
	"time"

	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// The rows as files keep them: each put has its get beside it, and both name
// the fields in the same order.

func putBillRow(b []byte, t *payment.BillRow) []byte {
	b = append(b, byte(t.Kind))
	b = putInt(b, t.Line)
	for _, s := range [...]string{t.PaymentNo, t.RefundNo, t.TransactionID, t.RefundID, t.Currency, t.Merchant, t.App, t.Reported} {
		b = putText(b, s)
	}
	for _, v := range [...]int64{t.Amount, t.Fee, t.Rate} {
		b = putInt(b, v)
	}
	b = putTime(b, t.At)
	return putBool(b, t.Done)
}

func getBillRow(r *rowReader) payment.BillRow {
	t := payment.BillRow{Kind: payment.BillKind(r.byte()), Line: r.int()}
	for _, s := range [...]*string{&t.PaymentNo, &t.RefundNo, &t.TransactionID, &t.RefundID, &t.Currency, &t.Merchant, &t.App, &t.Reported} {
		*s = r.text()
	}
	for _, v := range [...]*int64{&t.Amount, &t.Fee, &t.Rate} {
		*v = r.int()
	}
	t.At, t.Done = r.time(), r.byte() == 1
	return t
}

func putOurs(b []byte, o *reconcile.Ours) []byte {
	b = append(b, byte(o.Kind))
	for _, s := range [...]string{o.PaymentNo, o.RefundNo, o.TransactionID, o.Currency, o.Merchant, o.App, o.State} {
		b = putText(b, s)
	}
	b = putInt(b, o.Amount)
	b = putTime(putTime(b, o.At), o.CreatedAt)
	return putBool(b, o.Settled)
}

func getOurs(r *rowReader) reconcile.Ours {
	o := reconcile.Ours{Kind: payment.BillKind(r.byte())}
	for _, s := range [...]*string{&o.PaymentNo, &o.RefundNo, &o.TransactionID, &o.Currency, &o.Merchant, &o.App, &o.State} {
		*s = r.text()
	}
	o.Amount = r.int()
	o.At, o.CreatedAt = r.time(), r.time()
	o.Settled = r.byte() == 1
	return o
}

func putBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func putFundRow(b []byte, f *payment.FundRow) []byte {
	for _, s := range [...]string{f.TransactionID, f.FlowID, f.Business, f.Voucher} {
		b = putText(b, s)
	}
	b = putInt(putInt(putInt(b, f.Line), f.Amount), f.Balance)
	return putBool(putTime(b, f.At), f.In)
}

func getFundRow(r *rowReader) payment.FundRow {
	var f payment.FundRow
	for _, s := range [...]*string{&f.TransactionID, &f.FlowID, &f.Business, &f.Voucher} {
		*s = r.text()
	}
	f.Line, f.Amount, f.Balance = r.int(), r.int(), r.int()
	f.At, f.In = r.time(), r.byte() == 1
	return f
}

// rowReader reads a row in the order in which it was put.
type rowReader struct {
	b  []byte
	at int
}

func putText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func putInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// putTime keeps microseconds, as the stores do; a zero time stays zero.
func putTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return putInt(b, 0)
	}
	return putInt(b, t.UnixMicro())
}

func (r *rowReader) text() string {
	n, k := binary.Uvarint(r.b[r.at:])
	r.at += k + int(n)
	return string(r.b[r.at-int(n) : r.at])
}

func (r *rowReader) byte() byte {
	r.at++
	return r.b[r.at-1]
}

func (r *rowReader) int() int64 {
	v, k := binary.Varint(r.b[r.at:])
	r.at += k
	return v
}

func (r *rowReader) time() time.Time {
	us := r.int()
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
