package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/store/storetest"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/store/sqlite"
)

// crashes names the file that this test binary, run again, writes until it
// is killed.
const crashes = "TANDEM_TEST_CRASH_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashes); path != "" {
		if err := writeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestKilled kills a process that writes, again and again: whatever it has
// been acknowledged is there, and nothing by halves.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tandem.db")
	makeSku(t, openFile(t, path), 0)
	acknowledged := int64(0)
	for range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), crashes+"="+path)
		cmd.Stderr = t.Output()
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		first := acknowledged
		for lines.Scan() {
			n, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if acknowledged = n; acknowledged == first+40 {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		if acknowledged < first+40 {
			t.Fatalf("it ended by itself after %d commits", acknowledged-first)
		}

		s := openFile(t, path)
		made := read(t, s)
		if made < acknowledged || made > acknowledged+1 {
			t.Errorf("%d commits are there, %d were acknowledged", made, acknowledged)
		}
		acknowledged = made
	}
	if db, err := sql.Open("sqlite", path); err != nil {
		t.Fatal(err)
	} else {
		var is string
		if err := errors.Join(db.QueryRow("PRAGMA integrity_check").Scan(&is), db.Close()); err != nil || is != "ok" {
			t.Errorf("the file is %q (%v)", is, err)
		}
	}
}

// TestClosed: a store that was closed leaves one file, which can be copied.
func TestClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tandem.db")
	s := openFile(t, path)
	makeSku(t, s, 0)
	for range 3 {
		if _, err := add(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	read(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(path + "*")
	if err != nil || len(left) != 1 {
		t.Errorf("left are %v (%v)", left, err)
	}
	if _, _, err := s.Begin(t.Context(), "default", unit.Needs{}); err == nil {
		t.Error("it begins a unit after it was closed")
	}
}

func writeUntilKilled(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	for {
		n, err := add(ctx, s)
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// makeSku makes a sku of which the version counts commits.
func makeSku(t *testing.T, s *sqlite.Store, version int64) {
	t.Helper()
	if err := s.EnsureShop(t.Context(), shop.Shop{ID: "default", Currency: "CNY", CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	u, _, err := s.Begin(t.Context(), "default", unit.Needs{})
	if err != nil {
		t.Fatal(err)
	}
	err = u.Commit(t.Context(), (&storetest.Changes{Now: time.Now(), Skus: storetest.Added(inventory.Data{Sku: "a", Version: version})}).Unit(shop.Shop{ID: "default"}))
	if err != nil {
		t.Fatal(err)
	}
}

// add commits one more: the sku, a key, a record and a job.
func add(ctx context.Context, s *sqlite.Store) (int64, error) {
	u, l, err := s.Begin(ctx, "default", unit.Needs{rows.Skus.Keys("a")})
	if err != nil {
		return 0, err
	}
	defer u.Rollback()
	old := unit.Of(l, rows.Skus)[0]
	now := old
	now.OnHand++
	return now.OnHand, u.Commit(ctx, (&storetest.Changes{
		Now:  time.Now(),
		Skus: storetest.Changed(old, now), Marker: fmt.Sprint("commit ", now.OnHand),
		Records: []event.Record{{Order: "1", Events: []event.Event{{Type: event.OrderPlaced, Order: "1", Seq: now.OnHand}}}},
		Jobs:    storetest.Added(rows.Job{ID: fmt.Sprint(now.OnHand), Kind: "k", Due: time.Now(), CreatedAt: time.Now()}),
	}).Unit(shop.Shop{ID: "default"}))
}

// read counts the commits and makes sure that each is there in full.
func read(t *testing.T, s *sqlite.Store) int64 {
	t.Helper()
	d, err := s.Sku(t.Context(), "default", "a")
	if err != nil {
		t.Fatal(err)
	}
	var keys, records int64
	err = s.Scan(t.Context(), "default", unit.Scan{
		Visits: []unit.Visit{unit.Each(rows.Keys, func(unit.SavedKey) error { keys++; return nil })},
		Record: func(r event.Record) error {
			if records++; r.Events[0].Seq != records {
				t.Errorf("record %d is that of commit %d", records, r.Events[0].Seq)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if d.Version != d.OnHand+1 || keys != d.OnHand || records != d.OnHand {
		t.Errorf("%d on hand, version %d, %d keys, %d records", d.OnHand, d.Version, keys, records)
	}
	return d.OnHand
}

// TestTwoProcesses: a second process on the file, which knows nothing of the
// first one's turns, costs time and no more.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tandem.db")
	first, second := openFile(t, path), openFile(t, path)
	makeSku(t, first, 0)
	var all sync.WaitGroup
	for _, s := range []*sqlite.Store{first, second, first, second} {
		all.Go(func() {
			for range 50 {
				if _, err := add(t.Context(), s); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := read(t, second); n != 200 {
		t.Errorf("%d of 200 commits", n)
	}
}
