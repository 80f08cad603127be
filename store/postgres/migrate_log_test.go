package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/store/postgres"
)

// TestLogMigrated: one line a log as the release before dense positions left
// it. Records are "tx-id", their orders are named by their place in the line;
// H stands for a number of transactions that this server has not come to. One
// whose order is in capitals is one that no reaction is for.
func TestLogMigrated(t *testing.T) {
	const ahead = 1 << 40
	for _, tt := range []struct {
		name    string
		records string // tx-id order
		cursor  string // of the reaction "stock"
		log     string // the orders by position
		at      event.Position
		parked  string
	}{
		{"nothing", "", "", "", 0, ""},
		{"no reaction yet", "3-1a 4-2b", "", "ab", 0, ""},
		{"healthy", "3-1a 4-2b 9-3c", "4-2", "abc", 2, ""},
		{"healthy, all reacted to", "3-1a 4-2b 9-3c", "9-3", "abc", 3, ""},
		{"healthy, a slow writer's ids came first", "5-1a 4-2b 6-3c", "4-2", "bac", 1, ""},
		{"healthy, one transaction", "4-2b 4-1a 4-3c", "4-1", "abc", 1, ""},
		{"the cursor's record is gone", "3-1a 5-3c 6-4d", "4-2", "acd", 1, ""},
		{"the cursor's record is gone, and all after it", "3-1a", "4-2", "a", 1, ""},
		{"restored, all had been reacted to", "H1-1a H2-2b 3-3c 4-4d", "H2-2", "abcd", 2, ""},
		{"restored, something was left", "H1-1a H2-2b H3-3c 3-4d 4-5e", "H1-1", "abcde", 1, ""},
		{"restored, and the slow writer's ids came first", "H3-1a H2-2b 4-3c 3-4d", "H2-2", "badc", 1, ""},
		{"restored, no reaction before or since", "H1-1a 3-2b", "", "ab", 0, ""},
		{"restored, and nothing written since", "H1-1a H2-2b", "H1-1", "ab", 1, ""},
		// Its reaction began behind the restore: what is before it in the log
		// had no reaction, and of what it has read it is not known.
		{"restored, reacted to only since", "H1-1a H2-2B 3-3c 4-4d 5-5e", "4-4", "aBcde", 4, "ac"},
		{"restored long ago", "20001-1a 20002-2b 20003-3C 3-4d 20003-5e 20004-6f", "20003-5", "abCdef", 5, "d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := server.NewDatabase(t)
			s := open(t, url, postgres.Options{})
			ctx := t.Context()
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(s.Migrate(ctx))
			must(s.MigrateDownTo(ctx, 5))
			conn, err := pgx.Connect(ctx, url)
			must(err)
			defer conn.Close(ctx)
			exec := func(sql string, args ...any) {
				t.Helper()
				_, err := conn.Exec(ctx, sql, args...)
				must(err)
			}
			place := func(text string) (tx, id int64, name string) {
				text, far := strings.CutPrefix(text, "H")
				_, _ = fmt.Sscanf(text, "%d-%d%s", &tx, &id, &name)
				if far {
					tx += ahead
				}
				return tx, id, name
			}
			exec("INSERT INTO shops (shop, name, currency, rules_version) VALUES ('s', '', 'CNY', 0)")
			var places []event.Former
			for _, r := range strings.Fields(tt.records) {
				tx, id, name := place(r)
				places = append(places, event.Former{Tx: tx, ID: id})
				exec(`INSERT INTO events (shop, tx, id, order_no, trace, first_seq, last_seq, ending, body) VALUES ('s', $1, $2, $3, '', 1, 1, $4, '[{"type":"order.closed"}]')`,
					tx, id, name, name == strings.ToLower(name))
			}
			exec("SELECT setval('events_id', 100)")
			if tt.cursor != "" {
				tx, id, _ := place(tt.cursor)
				exec("INSERT INTO positions (shop, reaction, tx, id) VALUES ('s', 'stock', $1, $2)", tx, id)
			}
			for round := range 2 { // and again, from what the way down makes of it
				must(s.Migrate(ctx))
				records, err := s.Events(ctx, "s", app.EventQuery{Limit: 100})
				must(err)
				log := ""
				for i, r := range records {
					log += r.Order
					if r.Position != event.Position(i+1) {
						t.Errorf("position %v after %d", r.Position, i)
					}
				}
				at, _, err := s.Cursor(ctx, "s", "stock")
				must(err)
				if log != tt.log || at != tt.at {
					t.Errorf("log %q, cursor %d; want %q, %d", log, at, tt.log, tt.at)
				}
				end, err := s.EndOfLog(ctx, "s")
				must(err)
				if int(end) != len(tt.log) {
					t.Errorf("the end is %d", end)
				}
				if round > 0 {
					break
				}
				rows, _ := conn.Query(ctx, "SELECT order_no FROM parked_records WHERE shop = 's' ORDER BY position")
				parked, err := pgx.CollectRows(rows, pgx.RowTo[string])
				must(err)
				if got := strings.Join(parked, ""); got != tt.parked {
					t.Errorf("parked %q, want %q", got, tt.parked)
				}
				for i, f := range places {
					p, err := s.FormerPosition(ctx, "s", f)
					must(err)
					if name := strings.Fields(tt.records)[i]; !strings.HasSuffix(name, string(tt.log[p-1])) {
						t.Errorf("what was %s is at %d", name, p)
					}
				}
				if _, err := s.FormerPosition(ctx, "s", event.Former{Tx: 3, ID: 77}); !fault.Is(err, fault.NotFound) {
					t.Error(err)
				}
				must(s.MigrateDownTo(ctx, 5))
			}
		})
	}
}
