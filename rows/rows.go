// Package rows declares every kind of row that a shop's state consists of,
// each once: its table, its columns and documents, and how concurrent changes
// are detected. From the declaration the stores make their statements, the unit
// of work its memory, the audit its scan, and the suite of the stores its tests.
//
// To add a kind: a file here with its row and its declaration, its rank, a
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
// and write, in every instance. They go up in tens: the shop, the cursors, orders
// with their payments, refunds, users, coupons, skus, counters, then what changes
// seldom, then what is only added. A new kind takes a rank between two of these,
// or the next; no two kinds share one.
var Schema, Keys = unit.NewSchema("idempotency_keys") //nolint:revive // one call gives both

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
