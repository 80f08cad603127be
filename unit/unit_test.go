package unit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/unit"
)

// account is a row with a number that often moves and a name that seldom does.
type account struct {
	ID      string
	Name    string
	Amount  int64
	Version int64
}

// entry belongs to an account.
type entry struct {
	ID      string
	Account string
	Version int64
}

// note is only ever added.
type note struct{ Text string }

var (
	schema, keys = unit.NewSchema("keys")

	accounts = unit.Declare(schema, unit.Spec[account]{
		Rank: 1, Table: "accounts", Key: "id",
		Columns: []unit.Column[account]{
			unit.Text("id", func(a *account) *string { return &a.ID }),
			unit.Text("name", func(a *account) *string { return &a.Name }),
			unit.Int("amount", func(a *account) *int64 { return &a.Amount }),
			unit.Version("version", func(a *account) *int64 { return &a.Version }),
		},
		Narrow: []unit.Narrow[account]{{Columns: []string{"amount"}, When: func(before, after *account) bool { return before.Name == after.Name }}},
	})
	entries = unit.Declare(schema, unit.Spec[entry]{
		Rank: 2, Table: "entries", Key: "id", Owner: accounts, OwnedBy: "account",
		Columns: []unit.Column[entry]{
			unit.Text("id", func(e *entry) *string { return &e.ID }),
			unit.Text("account", func(e *entry) *string { return &e.Account }).Fixed(),
			unit.Version("version", func(e *entry) *int64 { return &e.Version }),
		},
	})
	notes = unit.Declare(schema, unit.Spec[note]{
		Rank: 3, Table: "notes", Appended: true,
		Columns: []unit.Column[note]{unit.Text("text", func(n *note) *string { return &n.Text })},
	})
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// batch has account a with 10, loaded at version 3, and its entry e; b is not
// there, and nothing else was asked for.
func batch() *unit.Batch {
	l := &unit.Loaded{}
	fill := func(k unit.Any, values ...[]any) {
		r := k.NewRows(1)
		for _, v := range values {
			for i, p := range r.Next() {
				switch p := p.(type) {
				case *string:
					*p = v[i].(string)
				case *int64:
					*p = int64(v[i].(int))
				}
			}
		}
		l.Put(k.Info(), r)
	}
	fill(accounts, []any{"a", "Ann", 10, 3})
	fill(entries, []any{"e", "a", 1})
	return unit.NewBatch(schema, "shop", "unique", now, unit.Sorted(unit.Needs{accounts.Keys("b", "a"), schema.Key("k")}), l, nil)
}

// step is one command: it adds to an account, and may refuse or panic then.
type step struct {
	id   string
	add  int64
	name string // sets the name
	end  string // refuse, panic
	key  string
}

func (s step) run(b *unit.Batch) (unit.Result, error) {
	return b.Run(&unit.Command{Shop: "shop", Name: "add", Key: s.key, Hash: []byte(s.id), Decide: func(tx *unit.Tx) (any, error) {
		a, err := unit.Get(tx, accounts, s.id)
		if err != nil {
			return nil, err
		}
		next := account{ID: s.id}
		if a != nil {
			next = *a
		}
		next.Amount += s.add
		if s.name != "" {
			next.Name = s.name
		}
		unit.Put(tx, accounts, next)
		unit.Append(tx, notes, note{fmt.Sprint(s.id, " ", next.Amount)})
		tx.Record([]event.Event{{Type: event.StockAdjusted, Order: s.id}})
		switch s.end {
		case "refuse":
			return nil, fault.New(fault.Conflict, "no")
		case "panic":
			panic("a defect")
		}
		return next.Amount, nil
	}})
}

// written is what a batch writes, as text.
func written(t *testing.T, b *unit.Batch) string {
	t.Helper()
	c := b.Changes()
	if c == nil {
		return ""
	}
	var out []string
	for i := range c.Writes {
		w := &c.Writes[i]
		for row := range w.Len {
			line := []string{[]string{"insert", "change", "delete"}[w.Op], w.Kind.Table}
			if w.Op == unit.Change {
				line = append(line, fmt.Sprint("way ", w.Way))
			}
			for column := range w.Kind.Columns {
				if w.Op == unit.Delete || w.Kind == keys.Info() && column > 0 {
					break
				}
				v, err := w.Value(row, column)
				if err != nil {
					t.Fatal(err)
				}
				line = append(line, fmt.Sprint(v))
			}
			out = append(out, strings.Join(line, " "))
		}
	}
	for _, r := range c.Records {
		out = append(out, fmt.Sprint("record ", r.Order, " ", len(r.Events)))
	}
	return strings.Join(out, "; ")
}

// TestBatch: a command sees what those before it did; one that is refused or
// panics leaves no trace; a row is written once, however many commands changed
// it, over what was loaded.
func TestBatch(t *testing.T) {
	marker := "insert keys batch/unique; "
	for _, tt := range []struct {
		name  string
		steps []step
		ends  string // of each step: its answer, or its fault
		want  string
	}{
		{"nothing", nil, "", ""},
		{"a change of the number alone is narrow", []step{{id: "a", add: 1}}, "11",
			marker + "change accounts way 1 a Ann 11 4; insert notes a 11; record a 1"},
		{"a change of the name is whole", []step{{id: "a", add: 1, name: "Bea"}}, "11",
			marker + "change accounts way 0 a Bea 11 4; insert notes a 11; record a 1"},
		{"one sees those before it", []step{{id: "a", add: 1}, {id: "a", add: 5}}, "11 16",
			marker + "change accounts way 1 a Ann 16 4; insert notes a 11; insert notes a 16; record a 1; record a 1"},
		{"a row that was absent is made", []step{{id: "b", add: 2}, {id: "b", add: 3}}, "2 5",
			marker + "insert accounts b  5 1; insert notes b 2; insert notes b 5; record b 1; record b 1"},
		{"refused", []step{{id: "a", add: 1, end: "refuse"}}, "conflict", ""},
		{"a refused one between others", []step{{id: "a", add: 1}, {id: "a", add: 100, end: "refuse"}, {id: "a", add: 1}}, "11 conflict 12",
			marker + "change accounts way 1 a Ann 12 4; insert notes a 11; insert notes a 12; record a 1; record a 1"},
		{"a panic", []step{{id: "a", add: 1, end: "panic"}, {id: "a", add: 2}}, "internal 12",
			marker + "change accounts way 1 a Ann 12 4; insert notes a 12; record a 1"},
		{"a key, and its duplicate", []step{{id: "a", add: 1, key: "k"}, {id: "a", add: 1, key: "k"}}, "11 replayed",
			"insert keys k; change accounts way 1 a Ann 11 4; insert notes a 11; record a 1"},
		{"a key for another request", []step{{id: "a", add: 1, key: "k"}, {id: "b", add: 1, key: "k"}}, "11 idempotency_key_reused",
			"insert keys k; change accounts way 1 a Ann 11 4; insert notes a 11; record a 1"},
		{"a refused one uses no key", []step{{id: "a", add: 1, key: "k", end: "refuse"}, {id: "a", add: 2, key: "k"}}, "conflict 12",
			"insert keys k; change accounts way 1 a Ann 12 4; insert notes a 12; record a 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := batch()
			var ends []string
			for _, s := range tt.steps {
				switch res, err := s.run(b); {
				case err != nil:
					ends = append(ends, string(fault.CodeOf(err)))
				case res.Replayed:
					ends = append(ends, "replayed")
				default:
					ends = append(ends, fmt.Sprint(res.Value))
				}
			}
			if got := strings.Join(ends, " "); got != tt.ends {
				t.Errorf("ended %q, want %q", got, tt.ends)
			}
			if got := written(t, b); got != tt.want {
				t.Errorf("writes\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestMissing: what was not loaded is asked for, and leaves no trace.
func TestMissing(t *testing.T) {
	b := batch()
	_, err := step{id: "c", add: 1}.run(b)
	more, ok := unit.IsMissing(err)
	if !ok || !slices.Equal(more.Of(accounts.Info()), []string{"c"}) {
		t.Errorf("%v asks for %v", err, more)
	}
	_, err = b.Run(&unit.Command{Decide: func(tx *unit.Tx) (any, error) {
		return nil, tx.Need(unit.Needs{accounts.Keys("a", "c", "d"), notes.Keys("x")})
	}})
	more, ok = unit.IsMissing(err)
	if !ok || !slices.Equal(more.Of(accounts.Info()), []string{"c", "d"}) {
		t.Errorf("%v asks for %v", err, more)
	}
	if w := written(t, b); w != "" {
		t.Errorf("writes %s", w)
	}
}

// TestOwned: the rows that belong to an owner are those that were loaded, and
// those that accepted commands made since.
func TestOwned(t *testing.T) {
	b := batch()
	owned := func() string {
		res, err := b.Run(&unit.Command{Decide: func(tx *unit.Tx) (any, error) {
			var ids []string
			for _, e := range unit.OwnedBy(tx, entries, "a") {
				ids = append(ids, e.ID)
			}
			return strings.Join(ids, " "), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return res.Value.(string)
	}
	put := func(id string, err error) {
		_, _ = b.Run(&unit.Command{Decide: func(tx *unit.Tx) (any, error) {
			unit.Put(tx, entries, entry{ID: id, Account: "a"})
			return nil, err
		}})
	}
	put("f", nil)
	put("g", errors.New("refused"))
	if got := owned(); got != "e f" {
		t.Errorf("a owns %q, want %q", got, "e f")
	}
	_, _ = b.Run(&unit.Command{Decide: func(tx *unit.Tx) (any, error) {
		unit.Remove(tx, entries, "e")
		return nil, nil
	}})
	if got := owned(); got != "f" {
		t.Errorf("a owns %q, want %q", got, "f")
	}
}

// TestNeeds: needs are merged to the order of the locks.
func TestNeeds(t *testing.T) {
	n := unit.Sorted(unit.Needs{entries.Keys("y"), accounts.Keys("b", "a")}, unit.Needs{accounts.Keys("a", "c"), schema.Key("k")})
	var got []string
	for _, a := range n {
		got = append(got, a.Kind.Table+" "+strings.Join(a.Keys, ","))
	}
	if s := strings.Join(got, "; "); s != "keys k; accounts a,b,c; entries y" {
		t.Error(s)
	}
}

// TestNewID: ids of a batch differ, and are in the order in which they are
// given.
func TestNewID(t *testing.T) {
	b := batch()
	var ids []string
	for range 3 {
		res, err := b.Run(&unit.Command{Decide: func(tx *unit.Tx) (any, error) { return tx.NewID(), nil }})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, res.Value.(string))
	}
	if !slices.IsSorted(ids) || ids[0] == ids[1] {
		t.Error(ids)
	}
}

// TestDeclare: a declaration that contradicts itself is a defect.
func TestDeclare(t *testing.T) {
	text := func(name string) unit.Column[account] {
		return unit.Text(name, func(a *account) *string { return &a.ID })
	}
	for _, tt := range []struct {
		name string
		spec unit.Spec[account]
	}{
		{"no key", unit.Spec[account]{Rank: 9, Table: "x", Columns: []unit.Column[account]{text("id")}}},
		{"a key that is no column", unit.Spec[account]{Rank: 9, Table: "x", Key: "no", Columns: []unit.Column[account]{text("id")}}},
		{"a guard that is no column", unit.Spec[account]{Rank: 9, Table: "x", Key: "id", Guard: "v", Columns: []unit.Column[account]{text("id")}}},
		{"a rank that is taken", unit.Spec[account]{Rank: 1, Table: "x", Key: "id", Columns: []unit.Column[account]{text("id")}}},
		{"a narrow change of no column", unit.Spec[account]{
			Rank: 9, Table: "x", Key: "id", Guard: "id", Columns: []unit.Column[account]{text("id")},
			Narrow: []unit.Narrow[account]{{Columns: []string{"no"}, When: func(_, _ *account) bool { return true }}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was accepted")
				}
			}()
			unit.Declare(schema, tt.spec)
		})
	}
}
