package postgres

import (
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tandem-pay/tandem/format"
)

// The engine's statements are made here. They are planned once a connection,
// often while the tables are empty or have never been analysed, and then a
// scan of the whole shop looks as cheap as a look at a key; a plan made then
// is kept when there are millions of rows. So no statement leaves the choice:
//
//   - Rows are found in a subquery that depends on the key and cannot be
//     pulled up, for its lock or its OFFSET: it is run once a key, and with
//     both columns of the primary key given there is nothing better than its
//     index. (Other indexes that begin with the shop are partial, so that
//     they are no candidates.)
//   - Rows to be changed are found and locked likewise, and then changed by
//     their place in the table, which is cheaper than any index. The LIMIT is
//     for the planner, which takes a tenth of ten keys: with one key expected,
//     it begins with it.
//
// And the writing connections know no join but nested loops. A test reads the
// plans of all statements, for empty tables and for full ones.

// locked selects and locks the rows of the keys in $2, in their order: the
// caller sorts them. Every instance does, so that none waits in a circle.
func locked(table, key, columns string) string {
	return lookup(table, key, columns, "FOR UPDATE")
}

// unlocked is locked without a lock.
func unlocked(table, key, columns string) string {
	return lookup(table, key, columns, "OFFSET 0")
}

func lookup(table, key, columns, fence string) string {
	return fmt.Sprintf(`SELECT %s FROM unnest($2::text[]) AS k(x)
		CROSS JOIN LATERAL (SELECT * FROM %s WHERE shop = $1 AND %s = k.x %s) AS r`, columns, table, key, fence)
}

// insertAll inserts a row for each element of its arrays, $2 being that of
// the first column. A column is given as "name type".
func insertAll(table string, columns ...string) string {
	names, arrays := arrays(columns)
	return fmt.Sprintf("INSERT INTO %s (shop, %s) SELECT $1, n.* FROM unnest(%s) AS n", table, names, arrays)
}

// updateAll updates a row for each element of its arrays, named n.column; the
// table is r in set. If where does not find every one of them, the statement
// fails by dividing by zero, and the transaction with it: we learn how many
// rows were found only when the COMMIT behind it is on its way already.
func updateAll(table, set, where string, columns ...string) string {
	return everyOne("UPDATE "+table+" AS r SET "+set+" FROM", table, where, "FOR UPDATE", "", columns)
}

// updateGuarded is updateAll for rows that nobody else writes meanwhile, for
// they belong to others that the unit has locked: it spares the write that a
// lock costs. The row that is changed is looked at again all the same.
func updateGuarded(table, set, where, again string, columns ...string) string {
	return everyOne("UPDATE "+table+" AS r SET "+set+" FROM", table, where, "OFFSET 0", " AND "+again, columns)
}

// deleteAll is updateAll that deletes.
func deleteAll(table, where string, columns ...string) string {
	return everyOne("DELETE FROM "+table+" AS r USING", table, where, "FOR UPDATE", "", columns)
}

// missed is the SQLSTATE of the division by zero.
const missed = "22012"

func everyOne(change, table, where, fence, again string, columns []string) string {
	names, arrays := arrays(columns)
	return fmt.Sprintf(`WITH changed AS (%s (
			SELECT n.*, l.place FROM unnest(%s) AS n(%s)
			CROSS JOIN LATERAL (SELECT ctid AS place FROM %s WHERE shop = $1 AND %s %s) AS l
			LIMIT cardinality($2::text[])
		) AS n WHERE r.shop = $1 AND r.ctid = n.place%s RETURNING 1)
		SELECT 1 / (count(*) = cardinality($2::text[]))::int FROM changed`, change, arrays, names, table, where, fence, again)
}

func arrays(columns []string) (names, params string) {
	var n, p []string
	for i, c := range columns {
		name, typ, _ := strings.Cut(c, " ")
		n = append(n, name)
		p = append(p, fmt.Sprintf("$%d::%s[]", i+2, typ))
	}
	return strings.Join(n, ", "), strings.Join(p, ", ")
}

// writer gathers the statements of a commit.
type writer struct {
	shop  string
	batch pgx.Batch
	err   error // of a document that cannot be written
}

// add adds a statement; args begin at $2.
func (w *writer) add(sql string, args ...any) {
	w.batch.Queue(sql, append([]any{w.shop}, args...)...)
}

// column is one column of rows.
func column[R, C any](rows []R, of func(R) C) []C {
	out := make([]C, len(rows))
	for i := range rows {
		out[i] = of(rows[i])
	}
	return out
}

// times is a column of times; a zero time is NULL.
func times[R any](rows []R, of func(R) time.Time) instants { return column(rows, of) }

func timestamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// docs is a column of documents.
func docs[R, D any](w *writer, rows []R, f format.Doc[D], of func(R) *D) [][]byte {
	return column(rows, func(r R) []byte {
		b, err := f.Encode(of(r))
		if err != nil && w.err == nil {
			w.err = err
		}
		return b
	})
}

// doc scans a document.
type doc[D any] struct {
	format *format.Doc[D]
	into   *D
}

func (d doc[D]) ScanBytes(b []byte) error { return d.format.Decode(b, d.into) }

// moment scans a time, NULL as zero.
type moment struct{ t *time.Time }

func (m moment) ScanTimestamptz(v pgtype.Timestamptz) error {
	*m.t = time.Time{}
	if v.Valid {
		*m.t = v.Time.UTC()
	}
	return nil
}

// scanner reads the present row into d.
type scanner[D any] func(rows pgx.Rows, d *D) error

// all collects rows.
func all[D any](rows pgx.Rows, scan scanner[D], room int) ([]D, error) {
	defer rows.Close()
	out := make([]D, 0, room)
	for rows.Next() {
		var zero D
		out = append(out, zero)
		if err := scan(rows, &out[len(out)-1]); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}

// queue adds a query to the batch whose rows are collected in into.
func queue[D any](b *pgx.Batch, into *[]D, room int, scan scanner[D], sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = all(rows, scan, room)
		return err
	})
}
