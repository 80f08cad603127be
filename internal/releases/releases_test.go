package releases_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tandem-pay/tandem/internal/releases"
)

// TestManifest: what is said of every database is complete.
func TestManifest(t *testing.T) {
	for _, d := range releases.All(t) {
		t.Run(d.Release+"/"+d.Name, func(t *testing.T) {
			if d.Clock.IsZero() || d.MasterKey == "" || d.Commit == "" || d.About == "" || len(d.Unfollowed) == 0 || len(d.Closing) == 0 {
				t.Errorf("%+v", d)
			}
			if (d.Store == releases.Postgres) != (d.Transactions > 0) || d.Stuck && d.Store != releases.Postgres {
				t.Errorf("%s with %d transactions, stuck %t", d.Store, d.Transactions, d.Stuck)
			}
			if len(d.Audit) != len(d.Shops) {
				t.Errorf("%d audits of %d shops", len(d.Audit), len(d.Shops))
			}
			known := map[string]bool{}
			for _, s := range d.Shops {
				if s.Keys[0].Revoked || s.Secret() == "" || !slices.ContainsFunc(s.Keys, func(k releases.Key) bool { return k.Revoked }) {
					t.Errorf("shop %s: %+v", s.ID, s.Keys)
				}
				for _, o := range s.Orders {
					known[o.No] = true
				}
			}
			for _, no := range slices.Concat(d.Unfollowed, d.Closing) {
				if !known[no] {
					t.Errorf("order %s is of no shop", no)
				}
			}
			for _, r := range d.Replays(t) {
				if d.Shop(t, r.Shop).Secret() != r.APIKey || r.Key == "" || r.Answer == "" || r.Status/100 != 2 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// TestData: the folder of a database has its files.
func TestData(t *testing.T) {
	for _, d := range releases.All(t) {
		dir := d.Data(t)
		want := []string{"master.key"}
		if d.Store == releases.SQLite {
			want = append(want, "tandem.db")
		}
		files, err := os.ReadDir(dir)
		if err != nil || len(files) != len(want) {
			t.Fatalf("%s/%s: %v %v", d.Release, d.Name, files, err)
		}
		for _, name := range want {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
				t.Errorf("%s/%s: %s: %v", d.Release, d.Name, name, err)
			}
		}
	}
}

// TestDocuments: every kind of stored document is there, as JSON.
func TestDocuments(t *testing.T) {
	for _, column := range []string{
		"coupon_templates.doc", "events.body", "exchanges.header", "idempotency_keys.answer", "orders.extra", "orders.snapshot",
		"payments.detail", "promotions.doc", "reconciliations.summary", "refunds.detail", "river_job.args", "river_job.errors",
		"river_job.metadata", "rule_history.doc", "shops.policies", "skus.categories", "users.tags",
	} {
		docs := releases.Documents(t, "v0.2", column)
		if len(docs) == 0 {
			t.Errorf("%s: no documents", column)
		}
		for name, doc := range docs {
			if !json.Valid(doc) {
				t.Errorf("%s/%s is no JSON", column, name)
			}
		}
	}
}
