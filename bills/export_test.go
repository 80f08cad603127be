package bills

import (
	"errors"

	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// RoundTrip puts the rows of a day into files as a reconciliation does, and
// reads them back, part by part.
func RoundTrip(dir string, theirs []payment.BillRow, ours []reconcile.Ours, parts int) ([]payment.BillRow, []reconcile.Ours, error) {
	theirsBack, err := roundTrip(dir, "theirs", theirs, parts, func(t *payment.BillRow) string { return t.PaymentNo }, putBillRow, getBillRow)
	oursBack, err2 := roundTrip(dir, "ours", ours, parts, func(o *reconcile.Ours) string { return o.PaymentNo }, putOurs, getOurs)
	return theirsBack, oursBack, errors.Join(err, err2)
}

func roundTrip[T any](dir, name string, rows []T, parts int, key func(*T) string, put func([]byte, *T) []byte, get func(*rowReader) T) (back []T, err error) {
	p, err := newPartitions(dir, name, parts, put, get)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		err = errors.Join(err, p.add(key(&rows[i]), &rows[i]))
	}
	for part := range parts {
		read, readErr := p.read(part)
		back, err = append(back, read...), errors.Join(err, readErr)
	}
	return back, errors.Join(err, p.Close())
}
