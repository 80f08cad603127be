// Package rows declares every kind of row that a shop's state consists of,
// each once: where it is stored, which column holds what, which document, how
// a change is guarded. The stores make their statements of it, the unit of work
// its memory, the audit its scan, and the suite of the stores its tests.
//
// To add a kind: a file here with its row and its declaration, its rank below, a
// migration for each store, a sample in store/storetest, and the verbs of app.Tx
// that give it its meaning.
//
// It promises that a kind that is declared here and not in the databases, or
// there and not here, fails a test of each store.
package rows

import (
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/unit"
)

// Schema is all kinds of rows. Their ranks are the order in which units lock
// and write; what comes between two is read after the first was locked.
var Schema, Keys = unit.NewSchema("idempotency_keys")

// The ranks.
const (
	rankShop = unit.KeyRank + 1 + iota
	rankCursors
	rankOrders
	rankPayments
	rankRefunds
	rankUsers
	rankCoupons
	rankSkus
	rankCounters
	rankBuyers // after the counters: an order that counted itself a buyer's first and was committed while we waited for its counter is seen
	rankPromotions
	rankRetired
	rankTemplates
	rankChannels
	rankAPIKeys
	rankReconciliations
	rankDiscrepancies
	rankParked
	rankRuleVersions
	rankChannelMessages
	rankJobs
)

// raw is a document that is kept as it is; nothing at all is NULL.
func raw[D any, B ~[]byte](name string, at func(*D) *B) unit.Column[D] {
	return unit.Document(name,
		func(d *D) ([]byte, error) {
			if b := *at(d); len(b) > 0 {
				return b, nil
			}
			return nil, nil
		},
		func(b []byte, d *D) error { *at(d) = append(B(nil), b...); return nil })
}

// stored is a document in a stored format.
func stored[D any](column string, f format.Doc[D]) unit.Column[D] {
	return unit.Document(column, f.Encode, f.Decode)
}
