package reconcile

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/tandem-pay/tandem/payment"
)

// Difference is one thing in which our books and the channel's bill differ.
// A pair of rows that differs in two ways is two differences.
type Difference struct {
	Class         Class
	Kind          payment.BillKind
	PaymentNo     string
	RefundNo      string
	TransactionID string // the channel's number of the payment
	RefundID      string // the channel's number of the refund
	// Ours and Theirs are copies of the rows; nil where a side has none.
	Ours   *Ours
	Theirs *payment.BillRow
	// Amount is the money in question in minor units: of an amount that
	// differs theirs less ours, of rows that stand there too often what is too
	// much, of a fee 0, otherwise the row's whole amount.
	Amount int64
	Detail string
	// Heals says that the fact that Fact makes of it settles it.
	Heals bool
}

// ID is made from class and numbers alone, so that another run over the same
// day finds the same difference under the same id. It is unique within a
// channel and a day: the caller adds those two.
func (d *Difference) ID() string {
	back := ""
	if d.RefundNo == "" || d.Class == RefundTwice {
		back = d.RefundID
	}
	h := sha256.New()
	var size [8]byte
	for _, s := range []string{string(d.Class), string(rune(d.Kind)), d.PaymentNo, d.RefundNo, d.TransactionID, back} {
		// Their numbers are foreign text: with the lengths no two lists of
		// numbers read alike.
		binary.BigEndian.PutUint64(size[:], uint64(len(s)))
		h.Write(size[:])
		h.Write([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// sorted puts differences in an order that is a function of what they are. Of
// those with one ID (a refund that stands there twice in each of two states)
// it keeps the first.
func sorted(ds []Difference) []Difference {
	slices.SortFunc(ds, func(a, b Difference) int {
		return cmp.Or(a.compare(&b), after(b.done(), a.done()), cmp.Compare(a.line(), b.line()),
			cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.CompactFunc(ds, func(a, b Difference) bool { return a.compare(&b) == 0 })
}

// compare finds those equal that have one ID.
func (d *Difference) compare(e *Difference) int {
	n := cmp.Or(cmp.Compare(d.PaymentNo, e.PaymentNo), cmp.Compare(d.RefundNo, e.RefundNo), cmp.Compare(d.TransactionID, e.TransactionID),
		cmp.Compare(d.Class, e.Class), cmp.Compare(d.Kind, e.Kind))
	if n == 0 && (d.RefundNo == "" || d.Class == RefundTwice) {
		n = cmp.Compare(d.RefundID, e.RefundID)
	}
	return n
}

func (d *Difference) done() bool { return d.Theirs != nil && d.Theirs.Done }

func (d *Difference) line() int64 {
	if d.Theirs == nil {
		return 0
	}
	return d.Theirs.Line
}
