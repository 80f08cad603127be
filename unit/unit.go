// Package unit is the unit of work: how a batch of commands of one shop reads
// and changes rows, whatever the rows are.
//
// A kind of rows is declared once (Declare): its table, key, columns with the
// place of each in the row, document, version. From that follow what a command
// can need, the loading and locking in one order, the rows as the commands of
// a batch leave them, what is written and how a row is guarded against changes
// by others, the audit's scan, the statements of both stores and the suite
// that tests them.
//
// It promises:
//   - a command sees the effects of those before it in its batch; one that is
//     refused, or panics, leaves no trace;
//   - a row that a command reads was loaded, and locked unless its kind is
//     Unlocked: what was not is requested, and the command decides again;
//   - rows are locked, and written, by the rank of their kinds and within a
//     kind by key, in every instance;
//   - a change is written only over the row that was loaded.
//
// What it costs: a map entry for a row that was loaded or requested, an
// indirect call for each column that is read or written. In a batch of 256
// orders that is less than a tenth of what the database takes.
package unit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
)

// Command is one change of state on its way: what must be loaded, and a pure
// step over it.
type Command struct {
	Shop  string
	Name  string // for metrics and traces: "place order"
	Key   string // the caller's idempotency key, "" without one
	Hash  []byte // of the request that the key stands for
	Trace string // W3C traceparent
	Needs Needs

	// Alone requires a batch of its own: for changes that every command of a
	// batch must see alike.
	Alone bool

	// Decide reads and changes tx and returns the answer, or a fault and no
	// trace. It runs again from the start if it reads from tx what was not
	// loaded, so it must do nothing but change tx.
	Decide func(tx *Tx) (any, error)

	// Encode writes the answer in its stored format, to be kept under the Key;
	// nil is JSON.
	Encode func(answer any) ([]byte, error)
}

// EncodeAnswer writes an answer in its stored format.
func (c *Command) EncodeAnswer(answer any) ([]byte, error) {
	if c.Encode == nil {
		return json.Marshal(answer)
	}
	return c.Encode(answer)
}

// SameRequest says whether a hash, saved or of a command in flight, is of the
// command's request.
func (c *Command) SameRequest(hash []byte) bool { return bytes.Equal(hash, c.Hash) }

// Result is the outcome of a command. With a Key, Replayed says that Answer
// is the first answer, as it is stored, and Value is nil.
type Result struct {
	Value    any
	Replayed bool
	Answer   []byte
}

// Store is what the engine needs of a database.
type Store interface {
	// Begin opens a transaction, locks and loads what is needed (see Sorted)
	// in one round trip. The row of the shop is always loaded, and locked if
	// it is requested. A shop that does not exist is a not_found fault.
	Begin(ctx context.Context, shop string, n Needs) (Unit, *Loaded, error)
	// HasKey says whether an idempotency key, or a marker, was committed. It
	// is queried when a commit's outcome is unknown, and retried until answered.
	HasKey(ctx context.Context, shop, key string) (bool, error)
}

// Unit is one open transaction.
type Unit interface {
	// Commit writes all changes and commits, in one round trip. ErrConflict
	// means that nothing was written and that another try may succeed;
	// ErrCommitUnknown that it may have been committed.
	Commit(ctx context.Context, c *Changes) error
	// Rollback gives up. It is safe after Commit.
	Rollback()
}

// What a commit may say beside success.
var (
	// ErrConflict: a row was changed or a key won by another instance, or
	// the database says to try again.
	ErrConflict = errors.New("the batch met another instance's change")
	// ErrCommitUnknown: the connection broke while committing.
	ErrCommitUnknown = errors.New("the outcome of the commit is unknown")
)
