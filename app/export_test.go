package app

import (
	"errors"

	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// DerivedNumber is the number of an automatic refund: tests tell facts about
// it before anybody has made it.
var DerivedNumber = derivedNumber

// HeaderJSON is how a callback's header is stored.
var HeaderJSON = headerJSON

// RoundTrip puts the rows of a day into files as a reconciliation does, and
// reads them back, part by part.
func RoundTrip(dir string, theirs []payment.BillRow, ours []reconcile.Ours, parts int) (theirsBack []payment.BillRow, oursBack []reconcile.Ours, err error) {
	a, err := newSpill(dir, "theirs", parts)
	if err != nil {
		return nil, nil, err
	}
	defer a.Close()
	b, err := newSpill(dir, "ours", parts)
	if err != nil {
		return nil, nil, err
	}
	defer b.Close()
	for i := range theirs {
		err = errors.Join(err, a.add(reconcile.Partition(theirs[i].PaymentNo, parts), func(buf []byte) []byte { return putBillRow(buf, &theirs[i]) }))
	}
	for i := range ours {
		err = errors.Join(err, b.add(reconcile.Partition(ours[i].PaymentNo, parts), func(buf []byte) []byte { return putOurs(buf, &ours[i]) }))
	}
	for part := range parts {
		err = errors.Join(err,
			a.each(part, func(r *rowReader) error { theirsBack = append(theirsBack, billRow(r)); return nil }),
			b.each(part, func(r *rowReader) error { oursBack = append(oursBack, ourRow(r)); return nil }))
	}
	return theirsBack, oursBack, err
}
