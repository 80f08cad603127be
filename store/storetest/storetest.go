// Package storetest is the one suite that every store must pass: each
// store's own test is a constructor. What a store may promise beyond it, how
// it fares when a connection breaks, say, it tests itself.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/unit"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/shop"
)

// Store is all that a store is.
type Store interface {
	unit.Store
	app.Reader
	app.Admin
	Migrate(ctx context.Context) error
	MigrateDown(ctx context.Context) error
	MigrateDownTo(ctx context.Context, version int64) error
	// CheckSchema is the check of tables that opening the store makes.
	CheckSchema(ctx context.Context) error
	Exec(ctx context.Context, text string) error
	// Tables are the columns of each table.
	Tables(ctx context.Context) (map[string][]string, error)
}

// Backend is a store under test.
type Backend struct {
	// Open opens a store on a new, migrated database, which goes with the
	// test.
	Open func(t *testing.T) Store
	// OneWriter says that a second Begin waits until the first unit is over.
	OneWriter bool
}

// Run runs the whole suite. Tests that can share a database do: each has a
// shop of its own in it, which shows on the way that shops do not mix.
//
// When all tests are over, which is in a Cleanup at the earliest, whole says
// whether each of them ran: -run may have left some out.
func Run(t *testing.T, b Backend) (whole func() bool) {
	var ran atomic.Int64
	shared := b.Open(t)
	alone := []struct {
		name string
		run  func(*env)
	}{
		{"migrations", testMigrations},
		{"migrations with rows in the tables", testMigrateRows},
		{"migrations with drafts", testMigrateDrafts},
		{"a migration of coupons", testMigrateCoupons},
		{"a migration of the log", testMigrateLog},
		{"tables of a newer release", testNewerSchema},
	}
	sharing := []struct {
		name string
		run  func(*env)
	}{
		{"every kind of row", testKinds},
		{"what is declared is stored, and what is stored declared", testSchema},
		{"shops", testShops},
		{"policies", testPolicies},
		{"secrets", testSecrets},
		{"rows come back as they were written", testRows},
		{"zero values and odd text come back too", testOddRows},
		{"drafts until they are placed", testDrafts},
		{"absent rows are absent", testAbsent},
		{"payments bring their orders", testPaymentsBringOrders},
		{"a row that exists is not made again", testInsertConflict},
		{"a row that moved on is not changed", testVersionConflict},
		{"checks in the tables", testChecks},
		{"rollback leaves no trace", testRollback},
		{"shops do not mix", testShopsApart},
		{"rules", testRules},
		{"the history of rules", testRuleHistory},
		{"buyers and counters", testBought},
		{"issuing coupons keeps the template's version", testIssued},
		{"keys and markers", testKeys},
		{"catalogue", testCatalogue},
		{"what a price depends on", testFacts},
		{"coupons", testCoupons},
		{"coupons that expire", testDueCoupons},
		{"orders", testOrders},
		{"orders to price again", testPriced},
		{"refunds", testRefunds},
		{"what a channel took", testSettled},
		{"refunds of a time", testRefundsOfTime},
		{"orphans", testOrphans},
		{"suspense", testSuspense},
		{"reconciliations", testReconciliations},
		{"settings", testSettings},
		{"work that is due", testWork},
		{"the log", testLog},
		{"the log of one order", testOrderEvents},
		{"the log under concurrent writers", testLateWriter},
		{"nothing in the log is missed", testNothingMissed},
		{"records of one order stay in order", testCausalOrder},
		{"cursors", testCursors},
		{"parked records", testParked},
		{"callback notes", testNotes},
		{"the ends of all logs", testEnds},
		{"channel messages", testChannelMessages},
		{"scan", testScan},
		{"one writer at a time", testOneWriter},
		{"hot rows", testHotRows},
		{"duplicates under one key", testDuplicates},
		{"a context that is over", testContextOver},
	}
	for _, test := range sharing {
		t.Run(test.name, func(t *testing.T) {
			ran.Add(1)
			test.run(newEnv(t, b, shared))
		})
	}
	for _, test := range alone {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			ran.Add(1)
			test.run(newEnv(t, b, b.Open(t)))
		})
	}
	return func() bool { return ran.Load() == int64(len(sharing)+len(alone)) }
}

// env is a test with a shop of its own.
type env struct {
	*testing.T
	Store
	backend Backend
	shop    string
}

var shops atomic.Int64

// now is the time of all tests, to the microsecond: what a store keeps.
var now = time.Date(2026, 11, 22, 9, 30, 0, 123456000, time.UTC)

func newEnv(t *testing.T, b Backend, s Store) *env {
	e := &env{T: t, Store: s, backend: b}
	e.shop = e.newShop()
	return e
}

func (e *env) newShop() string {
	e.Helper()
	id := fmt.Sprintf("shop-%d", shops.Add(1))
	if err := e.EnsureShop(e.Context(), shop.Shop{ID: id, Name: "店 " + id, Currency: "CNY", CreatedAt: now}); err != nil {
		e.Fatal(err)
	}
	return id
}

// begin opens a unit that is rolled back when the test ends, if not before.
func (e *env) begin(n needs) (unit.Unit, *loaded) {
	e.Helper()
	ctx, cancel := context.WithTimeout(e.Context(), 3*time.Minute)
	defer cancel()
	u, l, err := e.beginAt(ctx, e.shop, n)
	if err != nil {
		e.Fatalf("begin: %v", err)
	}
	e.Cleanup(u.Rollback)
	return u, l
}

// beginAt is Begin of a shop.
func (e *env) beginAt(ctx context.Context, shop string, n needs) (unit.Unit, *loaded, error) {
	u, l, err := e.Begin(ctx, shop, n.Unit())
	if err != nil {
		return nil, nil, err
	}
	return u, LoadedOf(l), nil
}

// load reads rows through a unit and gives it up.
func (e *env) load(n needs) *loaded {
	e.Helper()
	u, l := e.begin(n)
	u.Rollback()
	return l
}

// write commits changes in a unit of their own.
func (e *env) write(c changes) {
	e.Helper()
	if err := e.try(c); err != nil {
		e.Fatalf("commit: %v", err)
	}
}

// try is write that may fail.
func (e *env) try(c changes) error {
	e.Helper()
	u, _ := e.begin(needs{})
	return e.commit(u, c)
}

func (e *env) commit(u unit.Unit, c changes) error {
	e.Helper()
	if c.Now.IsZero() {
		c.Now = now
	}
	sh := shop.Shop{ID: e.shop}
	if c.BumpRules || c.Policies != nil {
		var err error
		sh, err = e.ShopByID(e.Context(), e.shop)
		e.must(err)
	}
	return u.Commit(e.Context(), c.Unit(sh))
}

func (e *env) same(what string, want, got any) {
	e.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		e.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// conflicts demands ErrConflict and nothing else.
func (e *env) conflicts(what string, err error) {
	e.Helper()
	if !errors.Is(err, unit.ErrConflict) || errors.Is(err, unit.ErrCommitUnknown) {
		e.Errorf("%s: got %v, want a conflict", what, err)
	}
}

// refuses demands that a check with this name refused the commit.
func (e *env) refuses(constraint string, err error) {
	e.Helper()
	switch {
	case err == nil:
		e.Errorf("%s: committed", constraint)
	case errors.Is(err, unit.ErrConflict), errors.Is(err, unit.ErrCommitUnknown):
		e.Errorf("%s: %v; another try would do no better", constraint, err)
	case !strings.Contains(err.Error(), constraint):
		e.Errorf("%s is not named by: %v", constraint, err)
	}
}

// counter is a change that shows whether a commit was written.
func counter(name string) unit.Pair[rows.Counter] { return counted(name, nil, 1) }

// written says whether the counter is there.
func (e *env) written(name string) bool {
	e.Helper()
	_, ok := e.load(needs{Counters: []string{name}}).Counters[name]
	return ok
}
