package sqlite_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-pay/tandem/store/sqlite"
	"github.com/tandem-pay/tandem/store/storetest"
)

func TestStore(t *testing.T) {
	texts := new(texts)
	fresh := open(t)
	whole := func() bool { return false }
	// It is the last Cleanup but those of open: the tests of the suite that run
	// in parallel are over, and the store that they share is closed.
	t.Cleanup(func() {
		if !t.Failed() {
			testPlans(t, fresh, texts.seen, whole())
		}
	})
	whole = storetest.Run(t, storetest.Backend{OneWriter: true, Open: func(t *testing.T) storetest.Store {
		s := open(t)
		t.Cleanup(func() { texts.add(s.Texts()) })
		return s
	}})
}

// texts are the statements that the stores of the suite were given.
type texts struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (x *texts) add(texts []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.seen == nil {
		x.seen = map[string]bool{}
	}
	for _, text := range texts {
		x.seen[text] = true
	}
}

// testPlans: whatever the suite had the stores do, they find it by an index.
// Nothing reads a whole table or shop but what lists it. The whole suite has
// them do nearly everything.
func testPlans(t *testing.T, fresh *sqlite.Store, texts map[string]bool, whole bool) {
	for text := range texts {
		plan, err := fresh.Plan(context.Background(), text) // the test's own context is over
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		lists := strings.Contains(text, "LIMIT ?") || strings.Contains(text, "WHERE shop = ? ORDER BY") || strings.Contains(text, " shops ") ||
			slices.Contains(sqlite.OfAllShops, text)
		for _, step := range plan {
			table := strings.HasPrefix(step, "SCAN") && !strings.HasPrefix(step, "SCAN CONSTANT ROW") && !strings.Contains(step, "VIRTUAL TABLE")
			few := strings.Contains(step, "payments_suspense") || // the index has hardly any of a shop's payments
				strings.Contains(step, "logs USING") // of which a shop has one row
			if (table || strings.HasSuffix(step, "(shop=?)") && !few) && !lists {
				t.Errorf("%s\nreads too much:\n%s", text, strings.Join(plan, "\n"))
			}
			small := strings.Contains(text, "FROM api_keys") || strings.Contains(text, "INDEXED BY coupons_user") // of one shop, of one user
			if step == "USE TEMP B-TREE FOR ORDER BY" && !small {
				t.Errorf("%s\nsorts:\n%s", text, strings.Join(plan, "\n"))
			}
		}
	}
	if whole && len(texts) < 100 {
		t.Errorf("only %d statements were seen", len(texts))
	}
}

func open(t testing.TB) *sqlite.Store {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "50% off? #1.db"))
}

func openFile(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
