package sqlite

import (
	"fmt"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// What is written of the kinds of rows follows from their declarations: this
// file spells it in SQLite's SQL. Rows are written one by one.

// virtual are the queries of the kinds that have no table of their own.
var virtual = map[*unit.Info]string{
	rows.Buyers.Info(): `SELECT value FROM json_each(?2) AS k WHERE EXISTS (SELECT 1 FROM orders INDEXED BY orders_user
		WHERE shop = ?1 AND user_id = k.value AND status NOT IN ('closed', 'draft')
			AND NOT (status = 'refunded' AND coalesce(json_extract(extra, '$.limitsBack'), 0)))`,
	rows.RetiredPromotions.Info(): `SELECT id, max(version) FROM rule_history
		WHERE shop = ? AND kind = 'promotion' AND id IN (SELECT value FROM json_each(?)) GROUP BY id`,
}

// kindStatements are those of one kind.
type kindStatements struct {
	load    string // the rows of the keys in ?2
	through string // of an owner: also those that own the owned rows in ?3
	owned   string // of an owned kind: the rows of the owners in ?2 and of those of the rows in ?3
	insert  string
	change  []string
	remove  string
}

var kinds = allStatements()

func allStatements() map[*unit.Info]*kindStatements {
	all := map[*unit.Info]*kindStatements{}
	for _, k := range rows.Schema.Kinds() {
		all[k.Info()] = statementsOf(k.Info())
	}
	return all
}

func statementsOf(k *unit.Info) *kindStatements {
	s := &kindStatements{}
	selected := "SELECT " + strings.Join(k.Read(false), ", ") + " FROM " + k.Table
	switch {
	case k.Virtual:
		s.load = virtual[k]
		return s
	case k.Single:
		s.load = selected + " WHERE shop = ?"
	case !k.Appended:
		s.load = selected + " WHERE shop = ? AND " + k.Key + " IN (SELECT value FROM json_each(?))"
	}
	if k.Owned != nil {
		s.through = selected + " WHERE shop = ?1 AND " + k.Key + " IN " + ownersThrough(k.Owned)
	}
	if k.Owner != nil {
		s.owned = fmt.Sprintf("%s INDEXED BY %s WHERE shop = ?1 AND %s IN %s", selected, ownedIndex[k], k.OwnedBy, ownersThrough(k))
	}
	var names []string
	for _, c := range k.Inserted() {
		names = append(names, k.Columns[c].Name)
	}
	s.insert = "INSERT INTO " + k.Table + " (shop, " + strings.Join(names, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(names)) + ")"
	for _, u := range k.Updates {
		var set []string
		for _, c := range u.Set {
			set = append(set, k.Columns[c].Name+" = ?")
		}
		s.change = append(s.change, "UPDATE "+k.Table+" SET "+strings.Join(set, ", ")+where(k, u.Guards))
	}
	if len(k.Updates) > 0 {
		s.remove = "DELETE FROM " + k.Table + where(k, k.Updates[0].Guards)
	}
	return s
}

// ownedIndex names the index by which rows are found by their owner: SQLite
// would rather read all of the shop, for they are in that order.
var ownedIndex = map[*unit.Info]string{rows.Payments.Info(): "payments_order"}

// ownersThrough are the owners that are named, and those of the owned rows
// that are named. The cross join goes from left to right.
func ownersThrough(owned *unit.Info) string {
	return fmt.Sprintf(`(SELECT value FROM json_each(?2)
	UNION ALL SELECT p.%s FROM json_each(?3) AS named CROSS JOIN %s AS p WHERE p.shop = ?1 AND p.%s = named.value)`,
		owned.OwnedBy, owned.Table, owned.Key)
}

// where finds a row as it was loaded.
func where(k *unit.Info, guards []int) string {
	w := " WHERE shop = ?"
	if !k.Single {
		w += " AND " + k.Key + " = ?"
	}
	for _, g := range guards {
		w += " AND " + k.Columns[g].Name + " IS ?"
	}
	return w
}

// writeRows writes the rows of a write.
func (u *openUnit) writeRows(x *unit.Write) error {
	s := kinds[x.Kind]
	for i := range x.Len {
		var text string
		switch x.Op {
		case unit.Insert:
			text = s.insert
			u.args.start(u.shop)
			for _, c := range x.Kind.Inserted() {
				u.args.column(x.Kind, c)(x.Value(i, c))
			}
		case unit.Change:
			way := x.Kind.Updates[x.Way]
			text = s.change[x.Way]
			u.args.start()
			for _, c := range way.Set {
				u.args.column(x.Kind, c)(x.Value(i, c))
			}
			u.asLoaded(x, i, way.Guards)
		case unit.Delete:
			text = s.remove
			u.args.start()
			u.asLoaded(x, i, x.Kind.Updates[0].Guards)
		}
		if err := u.exec(text); err != nil {
			return err
		}
	}
	return nil
}

// asLoaded adds the parameters of where.
func (u *openUnit) asLoaded(x *unit.Write, row int, guards []int) {
	u.args.add(u.shop)
	if !x.Kind.Single {
		u.args.add(x.Key(row))
	}
	for _, g := range guards {
		u.args.column(x.Kind, g)(x.Was(row, g))
	}
}

// column adds a value of a column as the driver takes it.
func (a *args) column(k *unit.Info, c int) func(v any, err error) {
	return func(v any, err error) {
		if err != nil && a.err == nil {
			a.err = err
		}
		switch t := v.(type) {
		case time.Time:
			v = micros(t)
		case []byte:
			switch {
			case t == nil:
				v = nil
			case k.Columns[c].Type == unit.TypeJSON:
				v = string(t)
			}
		}
		a.add(v)
	}
}

// table is a kind of rows as it is read outside of units.
type table[D any] struct {
	name, key, columns string
	byKey, byKeys      string
	keyOf              func(*D) string
	scan               func(row, *D) error
}

func tableOf[D any](k *unit.Kind[D]) *table[D] {
	i := k.Info()
	t := &table[D]{name: i.Table, key: i.Key, columns: strings.Join(i.Read(false), ", "), keyOf: k.KeyOf}
	t.byKey = "SELECT " + t.columns + " FROM " + i.Table + " WHERE shop = ? AND " + i.Key + " = ?"
	t.byKeys = "SELECT " + t.columns + " FROM " + i.Table + " WHERE shop = ? AND " + i.Key + " IN (SELECT value FROM json_each(?))"
	t.scan = scanInto(k, false)
	return t
}

// scanInto scans the columns of a kind; light leaves out what is large.
func scanInto[D any](k *unit.Kind[D], light bool) func(row, *D) error {
	return func(r row, d *D) error {
		return r.Scan(places(k.Dest(make([]any, 0, len(k.Info().Columns)), d, light))...)
	}
}

// places are where database/sql is to put the columns.
func places(dest []any) []any {
	for i, p := range dest {
		switch p := p.(type) {
		case *time.Time:
			dest[i] = moment{p}
		case *[]byte:
			dest[i] = blob{p}
		case unit.Decoder:
			dest[i] = decoded{p}
		}
	}
	return dest
}

// decoded scans a document in its stored format; NULL leaves it as it is.
type decoded struct{ d unit.Decoder }

func (d decoded) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return d.d.Decode([]byte(v))
	case []byte:
		return d.d.Decode(v)
	}
	return fmt.Errorf("a document is stored as %T", v)
}

var (
	shops           = tableOf(rows.Shop)
	apiKeys         = tableOf(rows.APIKeys)
	channels        = tableOf(rows.Channels)
	users           = tableOf(rows.Users)
	orders          = tableOf(rows.Orders)
	payments        = tableOf(rows.Payments)
	refunds         = tableOf(rows.Refunds)
	coupons         = tableOf(rows.Coupons)
	skus            = tableOf(rows.Skus)
	promotions      = tableOf(rows.Promotions)
	templates       = tableOf(rows.Templates)
	reconciliations = tableOf(rows.Reconciliations)
	discrepancies   = tableOf(rows.Discrepancies)
	ruleVersions    = tableOf(rows.RuleVersions)
	parkedRecords   = tableOf(rows.Parked)
	callbackNotes   = tableOf(rows.CallbackNotes)
	jobs            = tableOf(rows.Jobs)
)
