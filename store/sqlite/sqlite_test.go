package sqlite_test

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/store/sqlite"
	"github.com/tandem-pay/tandem/store/storetest"
)

func TestStore(t *testing.T) {
	texts := map[string]bool{}
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, storetest.Backend{OneWriter: true, Open: func(t *testing.T) storetest.Store {
			s := open(t)
			t.Cleanup(func() {
				for _, text := range s.Texts() {
					texts[text] = true
				}
			})
			return s
		}})
	})
	if !t.Failed() {
		testPlans(t, texts)
	}
}

// testPlans: whatever the suite had the stores do, they find it by an index.
// Nothing reads a whole table or shop but what lists it.
func testPlans(t *testing.T, texts map[string]bool) {
	fresh := open(t)
	for text := range texts {
		plan, err := fresh.Plan(t.Context(), text)
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
	if len(texts) < 100 {
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
