package postgres

import (
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// What is written of the kinds of rows follows from their declarations: this
// file spells it in PostgreSQL's SQL.

var types = map[unit.Type]string{
	unit.TypeText: "text", unit.TypeInt: "bigint", unit.TypeBool: "boolean",
	unit.TypeTime: "timestamptz", unit.TypeBytes: "bytea", unit.TypeJSON: "json",
}

// virtual are the queries of the kinds that have no table of their own.
var virtual = map[*unit.Info]string{
	rows.Buyers.Info(): `SELECT k.x FROM unnest($2::text[]) AS k(x) CROSS JOIN LATERAL (SELECT FROM orders
		WHERE shop = $1 AND user_id = k.x AND user_id <> '' AND status NOT IN ('closed', 'draft')
			AND NOT (status = 'refunded' AND coalesce((extra->>'limitsBack')::boolean, false)) LIMIT 1) AS r`,
	rows.RetiredPromotions.Info(): `SELECT k.x, r.version FROM unnest($2::text[]) AS k(x)
		CROSS JOIN LATERAL (SELECT version FROM rule_history
			WHERE shop = $1 AND kind = 'promotion' AND id = k.x ORDER BY since DESC LIMIT 1) AS r`,
}

// statements are those of one kind.
type statements struct {
	load    string // the rows of the keys in $2, locked unless the kind is not
	held    string // of a single kind: locked
	through string // of an owner: also those that own the owned rows in $3
	owned   string // of an owned kind: the rows of the owners in $2
	ownedBy string // likewise, and of the owners of the rows in $3
	insert  string
	change  []string
	remove  string
}

var kinds = allStatements()

func allStatements() map[*unit.Info]*statements {
	all := map[*unit.Info]*statements{}
	for _, k := range rows.Schema.Kinds() {
		all[k.Info()] = statementsOf(k.Info())
	}
	return all
}

func statementsOf(k *unit.Info) *statements {
	s := &statements{}
	columns := strings.Join(k.Read(false), ", ")
	switch {
	case k.Virtual:
		s.load = virtual[k]
		return s
	case k.Single:
		s.load = "SELECT " + columns + " FROM " + k.Table + " WHERE shop = $1"
		s.held = s.load + " FOR UPDATE"
	case k.Owner != nil:
		// Owned rows are written only by those who hold their owner, whose lock
		// is theirs too: a lock of their own would cost a write for each.
		of := fmt.Sprintf(` CROSS JOIN LATERAL (SELECT * FROM %s WHERE shop = $1 AND %s = k.x AND %s <> '' OFFSET 0) AS r ORDER BY %s`,
			k.Table, k.OwnedBy, k.OwnedBy, k.Key)
		s.owned = "SELECT " + columns + " FROM unnest($2::text[]) AS k(x)" + of
		s.ownedBy = "SELECT " + columns + " FROM " + ownersThrough(k) + of
	case k.Appended:
	case k.Unlocked:
		s.load = unlocked(k.Table, k.Key, columns)
	default:
		s.load = locked(k.Table, k.Key, columns)
	}
	if k.Owned != nil {
		// Two statements and not one: the second sees what was committed about
		// the owned rows while the first waited for the owners.
		s.through = fmt.Sprintf(`SELECT %s FROM %s CROSS JOIN LATERAL (SELECT * FROM %s WHERE shop = $1 AND %s = k.x FOR UPDATE) AS r`,
			columns, ownersThrough(k.Owned), k.Table, k.Key)
	}
	var inserted []string
	for _, c := range k.Inserted() {
		inserted = append(inserted, k.Columns[c].Name+" "+types[k.Columns[c].Type])
	}
	s.insert = insertAll(k.Table, inserted...)
	for _, u := range k.Updates {
		s.change = append(s.change, changeOf(k, u))
	}
	if len(k.Updates) > 0 && !k.Single {
		where, arrays, _ := guarded(k, k.Updates[0].Guards)
		s.remove = deleteAll(k.Table, where, arrays...)
	}
	return s
}

// ownersThrough are the keys in $2 and those of the owners of the rows in $3.
func ownersThrough(owned *unit.Info) string {
	return fmt.Sprintf(`(SELECT DISTINCT x COLLATE "C" FROM (
			SELECT x FROM unnest($2::text[]) AS o(x)
			UNION ALL
			SELECT p.%s FROM unnest($3::text[]) AS m(x)
				CROSS JOIN LATERAL (SELECT %s FROM %s WHERE shop = $1 AND %s = m.x OFFSET 0) AS p
		) AS u ORDER BY 1) AS k(x)`, owned.OwnedBy, owned.OwnedBy, owned.Table, owned.Key)
}

// guarded is the condition that finds a row as it was loaded, and the arrays
// that it is given: the keys first.
func guarded(k *unit.Info, guards []int) (where string, arrays []string, again string) {
	where, arrays = k.Key+" = n.k", []string{"k text"}
	for i, g := range guards {
		c := k.Columns[g]
		arrays = append(arrays, fmt.Sprintf("w%d %s", i, types[c.Type]))
		same := "="
		if c.Type == unit.TypeTime {
			same = "IS NOT DISTINCT FROM" // it may be NULL
		}
		where += fmt.Sprintf(" AND %s %s n.w%d", c.Name, same, i)
		if i == 0 {
			again = fmt.Sprintf("r.%s %s n.w0", c.Name, same)
		}
	}
	return where, arrays, again
}

func changeOf(k *unit.Info, u unit.Update) string {
	if k.Single {
		return changeSingle(k, u)
	}
	where, arrays, again := guarded(k, u.Guards)
	var set []string
	for i, c := range u.Set {
		set = append(set, fmt.Sprintf("%s = n.c%d", k.Columns[c].Name, i))
		arrays = append(arrays, fmt.Sprintf("c%d %s", i, types[k.Columns[c].Type]))
	}
	if k.Owner != nil {
		return updateGuarded(k.Table, strings.Join(set, ", "), where, again, arrays...)
	}
	return updateAll(k.Table, strings.Join(set, ", "), where, arrays...)
}

// changeSingle changes the row of the shop. As with updateAll, the statement
// fails if the row is not as it was.
func changeSingle(k *unit.Info, u unit.Update) string {
	var set []string
	at := 2
	where := "shop = $1"
	for _, g := range u.Guards {
		where += fmt.Sprintf(" AND %s = $%d::%s", k.Columns[g].Name, at, types[k.Columns[g].Type])
		at++
	}
	for _, c := range u.Set {
		set = append(set, fmt.Sprintf("%s = $%d::%s", k.Columns[c].Name, at, types[k.Columns[c].Type]))
		at++
	}
	return fmt.Sprintf("WITH changed AS (UPDATE %s SET %s WHERE %s RETURNING 1) SELECT 1 / count(*)::int FROM changed",
		k.Table, strings.Join(set, ", "), where)
}

// write adds the statement of a write.
func (w *writer) write(x *unit.Write) {
	sql, args := w.statement(x)
	w.add(sql, args...)
}

// statement is that of a write, with what it is given from $2 on.
func (w *writer) statement(x *unit.Write) (sql string, args []any) {
	s := kinds[x.Kind]
	add := func(v any, err error) {
		if err != nil && w.err == nil {
			w.err = err
		}
		switch t := v.(type) {
		case []time.Time:
			v = instants(t)
		case time.Time:
			v = timestamp(t)
		}
		args = append(args, v)
	}
	if x.Op == unit.Insert {
		for _, c := range x.Kind.Inserted() {
			add(x.Column(c))
		}
		return s.insert, args
	}
	if x.Kind.Single {
		u := x.Kind.Updates[x.Way]
		for _, g := range u.Guards {
			add(x.Was(0, g))
		}
		for _, c := range u.Set {
			add(x.Value(0, c))
		}
		return s.change[x.Way], args
	}
	args = append(args, x.Keys())
	if x.Op == unit.Delete {
		for _, g := range x.Kind.Updates[0].Guards {
			add(x.ColumnWas(g))
		}
		return s.remove, args
	}
	u := x.Kind.Updates[x.Way]
	for _, g := range u.Guards {
		add(x.ColumnWas(g))
	}
	for _, c := range u.Set {
		add(x.Column(c))
	}
	return s.change[x.Way], args
}

// columns are those of a kind, as scan reads them.
func columns(k unit.Any) string { return strings.Join(k.Info().Read(false), ", ") }

// lightColumns leaves out what is large.
func lightColumns(k unit.Any) string { return strings.Join(k.Info().Read(true), ", ") }

// scan reads rows of a kind. It is for one query: it uses its memory again.
func scan[D any](k *unit.Kind[D]) scanner[D] { return scanInto(k, false) }

// scanLight is scan of the lightColumns.
func scanLight[D any](k *unit.Kind[D]) scanner[D] { return scanInto(k, true) }

func scanInto[D any](k *unit.Kind[D], light bool) scanner[D] {
	var buf []any
	return func(r pgx.Rows, d *D) error {
		buf = k.Dest(buf[:0], d, light)
		return r.Scan(places(buf)...)
	}
}

// places are where pgx is to put the columns.
func places(dest []any) []any {
	for i, p := range dest {
		switch p := p.(type) {
		case *time.Time:
			dest[i] = moment{p}
		case unit.Decoder:
			dest[i] = decoded{p}
		}
	}
	return dest
}

// decoded scans a document in its stored format; NULL leaves it as it is.
type decoded struct{ d unit.Decoder }

func (d decoded) ScanBytes(b []byte) error {
	if b == nil {
		return nil
	}
	return d.d.Decode(b)
}

// fill has the rows of a query filed.
func fill(l *unit.Loaded, k unit.Any, room int) func(pgx.Rows) error {
	found := k.NewRows(room)
	l.Put(k.Info(), found)
	return fillRows(found)
}

func fillRows(to unit.Rows) func(pgx.Rows) error {
	return func(r pgx.Rows) error {
		for r.Next() {
			if err := r.Scan(places(to.Next())...); err != nil {
				return err
			}
		}
		return r.Err()
	}
}
