package app

import (
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// The rows of a reconciliation as a spill keeps them: each put has its reader
// beside it, and both name the fields in the same order.

func putBillRow(b []byte, t *payment.BillRow) []byte {
	b = append(b, byte(t.Kind))
	b = putInt(b, t.Line)
	for _, s := range [...]string{t.PaymentNo, t.RefundNo, t.TransactionID, t.RefundID, t.Currency, t.Merchant, t.App, t.Word} {
		b = putText(b, s)
	}
	for _, v := range [...]int64{t.Amount, t.Fee, t.Rate} {
		b = putInt(b, v)
	}
	b = putTime(b, t.At)
	return putBool(b, t.Done)
}

func billRow(r *rowReader) payment.BillRow {
	t := payment.BillRow{Kind: payment.BillKind(r.byte()), Line: r.int()}
	for _, s := range [...]*string{&t.PaymentNo, &t.RefundNo, &t.TransactionID, &t.RefundID, &t.Currency, &t.Merchant, &t.App, &t.Word} {
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

func ourRow(r *rowReader) reconcile.Ours {
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
