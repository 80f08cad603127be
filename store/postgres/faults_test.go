package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/store/storetest"

	"github.com/tandem-pay/tandem/unit"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/postgres"
)

// shopWith opens a store with a shop and one sku.
func shopWith(t *testing.T, url string) *postgres.Store {
	t.Helper()
	s := open(t, url, postgres.Options{})
	if err := s.EnsureShop(t.Context(), shop.Shop{ID: "default"}); err != nil {
		t.Fatal(err)
	}
	if err := write(t, s, *(&storetest.Changes{Skus: storetest.Added(inventory.Data{Sku: "a"})}).Unit(shop.Shop{ID: "default"})); err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, s *postgres.Store, c unit.Changes) error {
	t.Helper()
	return begin(t, s, app.Needs{}).Commit(t.Context(), &c)
}

func begin(t *testing.T, s *postgres.Store, n app.Needs) unit.Unit {
	t.Helper()
	u, _, err := s.Begin(t.Context(), "default", unit.Sorted(n))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Rollback)
	return u
}

func has(t *testing.T, s *postgres.Store, key string) bool {
	t.Helper()
	// As the engine does, it queries until it is answered: a lost connection's
	// process may be ending just now.
	has, err := s.HasKey(t.Context(), "default", key)
	for try := 1; err != nil && try < 10; try++ {
		has, err = s.HasKey(t.Context(), "default", key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return has
}

// oneWarm opens a store whose one write connection has prepared all that
// commits of marked need, so that only the commit itself remains to be sent.
func oneWarm(t *testing.T, url string) *postgres.Store {
	t.Helper()
	s := open(t, url, postgres.Options{WriteConns: 1})
	if err := write(t, s, *marked("warm " + t.Name())); err != nil {
		t.Fatal(err)
	}
	return s
}

func marked(key string) *unit.Changes {
	c := storetest.Changes{Now: time.Now(), Marker: key, Counters: []unit.Pair[rows.Counter]{storetest.Counted(key, nil, 1)}}
	return c.Unit(shop.Shop{ID: "default"})
}

// settle changes settings of the engine for one test.
func settle(t *testing.T, name, value string) {
	before := postgres.WriteSettings[name]
	postgres.WriteSettings[name] = value
	t.Cleanup(func() { postgres.WriteSettings[name] = before })
}

// others runs SQL on a connection of its own.
func others(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

const killWriters = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'tandem write%' AND datname = current_database()"

// TestRoundTrips counts what the package promises: one for Begin, one for
// Commit, once a connection has prepared its statements.
func TestRoundTrips(t *testing.T) {
	url := server.NewDatabase(t)
	shopWith(t, url)
	p := newProxy(t, url)
	s := oneWarm(t, p.url)
	needs := app.Needs{rows.Keys.Keys("k"), rows.Orders.Keys("o"), rows.Users.Keys("u"), rows.Skus.Keys("a"), rows.Counters.Keys("c")}
	begin(t, s, needs).Rollback()
	before := p.count()
	u := begin(t, s, needs)
	if n := p.count() - before; n != 1 {
		t.Errorf("begin took %d round trips", n)
	}
	if err := u.Commit(t.Context(), marked("m")); err != nil {
		t.Fatal(err)
	}
	if n := p.count() - before; n != 2 {
		t.Errorf("begin and commit took %d round trips", n)
	}
}

func TestBeginAfterTheServerCutAllConnections(t *testing.T) {
	url := server.NewDatabase(t)
	s := shopWith(t, url)
	for range 2 {
		var units []unit.Unit
		for range 4 { // all that the engine has
			units = append(units, begin(t, s, app.Needs{}))
		}
		for _, u := range units {
			u.Rollback()
		}
		others(t, url, killWriters)
	}
	begin(t, s, app.Needs{rows.Skus.Keys("a")}).Rollback()
}

func TestConnectionCutBeforeTheCommit(t *testing.T) {
	url := server.NewDatabase(t)
	s := shopWith(t, url)
	u := begin(t, s, app.Needs{rows.Skus.Keys("a")})
	others(t, url, killWriters)
	// Whether it is certain that the cut came before depends on whether the
	// system notices in time.
	err := u.Commit(t.Context(), marked("m"))
	if errors.Is(err, unit.ErrConflict) == errors.Is(err, unit.ErrCommitUnknown) {
		t.Errorf("commit: %v", err)
	}
	u.Rollback()
	if has(t, s, "m") {
		t.Error("it was committed")
	}
	if err := write(t, s, *marked("m")); err != nil {
		t.Errorf("another try: %v", err)
	}
}

// TestAnswerLost: the server commits, and the answer is lost.
func TestAnswerLost(t *testing.T) {
	url := server.NewDatabase(t)
	shopWith(t, url)
	p := newProxy(t, url)
	s := oneWarm(t, p.url)
	u := begin(t, s, app.Needs{rows.Skus.Keys("a")})
	p.hold(false, true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := u.Commit(ctx, marked("m")); !errors.Is(err, unit.ErrCommitUnknown) {
		t.Errorf("commit: %v", err)
	}
	u.Rollback()
	p.hold(false, false)
	if !has(t, s, "m") {
		t.Error("the marker of a commit that happened is not found")
	}
}

// TestCommitUnderway: the COMMIT is still on its way to the server when the
// marker is read. Whatever is answered must remain true.
func TestCommitUnderway(t *testing.T) {
	url := server.NewDatabase(t)
	p := newProxy(t, url)
	direct := shopWith(t, url)
	s := oneWarm(t, p.url)
	if has(t, s, "m") { // and a connection to read by
		t.Fatal("the marker is there")
	}
	u := begin(t, s, app.Needs{rows.Skus.Keys("a")})
	p.hold(true, false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := u.Commit(ctx, marked("m")); !errors.Is(err, unit.ErrCommitUnknown) {
		t.Errorf("commit: %v", err)
	}
	u.Rollback()

	// While nothing gets through there is no answer.
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if has, err := s.HasKey(short, "default", "m"); err == nil {
		t.Errorf("an answer out of nowhere: %v", has)
	}
	// The two orders in which the COMMIT and the question may arrive.
	p.hold(false, false)
	answer := has(t, s, "m")
	time.Sleep(200 * time.Millisecond)
	if later := has(t, direct, "m"); later != answer {
		t.Errorf("the answer was %v, and then it became %v", answer, later)
	}
}

// TestLateCommit is TestCommitUnderway with only the engine's connection held
// back: the question arrives first for sure.
func TestLateCommit(t *testing.T) {
	url := server.NewDatabase(t)
	direct := shopWith(t, url)
	p := newProxy(t, url)
	s := oneWarm(t, p.url)
	u := begin(t, s, app.Needs{rows.Skus.Keys("a")})
	p.hold(true, false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := u.Commit(ctx, marked("m")); !errors.Is(err, unit.ErrCommitUnknown) {
		t.Errorf("commit: %v", err)
	}
	u.Rollback()
	postgres.ReadDirectly(t.Context(), t, s, url)
	if has(t, s, "m") {
		t.Fatal("the COMMIT is still held back, and done")
	}
	p.hold(false, false)
	time.Sleep(300 * time.Millisecond)
	if has(t, direct, "m") {
		t.Error("it was committed after the store had said that it was not")
	}
	// The stock row is free.
	begin(t, direct, app.Needs{rows.Skus.Keys("a")}).Rollback()
}

func TestLockTimeout(t *testing.T) {
	settle(t, "lock_timeout", "100ms")
	s := shopWith(t, server.NewDatabase(t))
	holder := begin(t, s, app.Needs{rows.Skus.Keys("a")})
	_, _, err := s.Begin(t.Context(), "default", unit.Needs{rows.Skus.Keys("a")})
	if !errors.Is(err, unit.ErrConflict) {
		t.Errorf("begin behind a lock: %v", err)
	}
	holder.Rollback()
	begin(t, s, app.Needs{rows.Skus.Keys("a")}).Rollback()
}

// TestHungInstance: one that stops in the middle of a unit does not hold its
// rows for ever, and learns that its unit is over.
func TestHungInstance(t *testing.T) {
	settle(t, "idle_in_transaction_session_timeout", "200ms")
	s := shopWith(t, server.NewDatabase(t))
	hung := begin(t, s, app.Needs{rows.Skus.Keys("a")})
	begin(t, s, app.Needs{rows.Skus.Keys("a")}).Rollback()
	err := hung.Commit(t.Context(), marked("m"))
	if !errors.Is(err, unit.ErrConflict) && !errors.Is(err, unit.ErrCommitUnknown) {
		t.Errorf("commit of a unit that is over: %v", err)
	}
	if has(t, s, "m") {
		t.Error("it was committed")
	}
}

// TestKeysAreComparedByBytes: rows are locked in the order in which Go sorts
// their keys, so no key may have the order of a language.
func TestKeysAreComparedByBytes(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), server.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), `SELECT i.indexrelid::regclass || '.' || a.attname
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
		JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
		WHERE c.relnamespace = 'public'::regnamespace AND c.relname !~ '^(river|goose)' AND t.typname = 'text' AND l.collname <> 'C'`)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(wrong) > 0 {
		t.Errorf("%v %v", wrong, err)
	}
}
