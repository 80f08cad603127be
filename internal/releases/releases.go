// Package releases holds databases as the releases of Tandem left them, so
// that every later version can prove that it goes on with each of them.
//
// Each release has a folder under testdata with:
//
//   - manifest.json: what the databases are and what they hold;
//   - <database>.tar.gz, a folder of --data with its SQLite file, or
//     <database>.sql.gz, a dump of PostgreSQL in plain SQL;
//   - <database>.replays.json.gz: requests with a key that the release has
//     answered, and what it answers to a repeat;
//   - documents/<table>.<column>/NNN.json: examples of every kind of JSON
//     document that is stored, byte by byte as the release wrote them.
//
// The folders are never edited: a database of a release does not change
// any more. The binary of a release made them, driven over HTTP, and was
// killed while it had work to do.
package releases

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/internal/pgtest"
)

//go:embed testdata
var testdata embed.FS

// Store is the kind of store that a database is for.
type Store string

// The stores.
const (
	SQLite   Store = "sqlite"
	Postgres Store = "postgres"
)

// Database is one database of a release.
type Database struct {
	Release string `json:"-"` // "v0.2"
	Commit  string `json:"-"` // that the release was built from

	Name  string `json:"name"`
	Store Store  `json:"store"`
	About string `json:"about"`
	// Stuck: reactions of its release never reach what was placed in it
	// last. Its dump had been restored into a server that counts transactions
	// from the beginning.
	Stuck bool `json:"stuck"`
	// Clock is what the server's clock said in the end, UTC. It had been moved
	// by days; a server that goes on with the database begins here, so that
	// nothing expires for being old.
	Clock time.Time `json:"clock"`
	// Transactions is the number of the last transaction of the PostgreSQL
	// that the database was dumped from.
	Transactions int64  `json:"transactions"`
	MasterKey    string `json:"masterKey"`
	Shops        []Shop `json:"shops"`
	// Unfollowed are the orders with an end that not all reactions have
	// followed.
	Unfollowed []string `json:"unfollowed"`
	// Closing are the orders that wait for the channel before they close.
	Closing []string `json:"closing"`
	// Audit is what tandem audit --prices --json of the release says, a report
	// for each shop.
	Audit []json.RawMessage `json:"audit"`
}

// Shop is a shop of a database.
type Shop struct {
	ID     string  `json:"id"`
	Keys   []Key   `json:"keys"` // the first is in force
	Orders []Order `json:"orders"`
}

// Key is an API key.
type Key struct {
	ID      string `json:"id"`
	Secret  string `json:"secret"`
	Revoked bool   `json:"revoked"`
}

// Order is what the release answers about an order; amounts are minor units.
type Order struct {
	No       string `json:"no"`
	About    string `json:"about"`
	Status   string `json:"status"`
	Payable  int64  `json:"payable"`
	Paid     int64  `json:"paid"`
	Refunded int64  `json:"refunded"`
}

// Replay is a request with an idempotency key that was answered. A repeat is
// answered with Status and Answer, byte by byte, marked as replayed.
type Replay struct {
	Shop    string `json:"shop"`
	APIKey  string `json:"apiKey"`
	Key     string `json:"key"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	IfMatch string `json:"ifMatch"`
	Body    string `json:"body"`
	Status  int    `json:"status"`
	Answer  string `json:"answer"`
	// First is the first answer where a repeat shows what was made as it has
	// become since, and Answer is that.
	First string `json:"first"`
}

// All lists the databases of all releases, oldest release first.
func All(t testing.TB) []*Database {
	t.Helper()
	dirs, err := testdata.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var out []*Database
	for _, d := range dirs {
		var m struct {
			Release   string      `json:"release"`
			Commit    string      `json:"commit"`
			Databases []*Database `json:"databases"`
		}
		read(t, path.Join(d.Name(), "manifest.json"), &m)
		for _, db := range m.Databases {
			db.Release, db.Commit = m.Release, m.Commit
			out = append(out, db)
		}
	}
	return out
}

// Shop finds a shop by its id.
func (d *Database) Shop(t testing.TB, id string) *Shop {
	t.Helper()
	for i := range d.Shops {
		if d.Shops[i].ID == id {
			return &d.Shops[i]
		}
	}
	t.Fatalf("%s/%s has no shop %q", d.Release, d.Name, id)
	return nil
}

// Secret is the shop's first key.
func (s *Shop) Secret() string { return s.Keys[0].Secret }

// Replays reads the requests that can be repeated.
func (d *Database) Replays(t testing.TB) (out []Replay) {
	t.Helper()
	read(t, path.Join(d.Release, d.Name+".replays.json.gz"), &out)
	return out
}

// Data makes a folder for --data as the release left it: the master key, and
// the SQLite file if the store is SQLite. It goes with the test.
func (d *Database) Data(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if d.Store == Postgres {
		if err := os.WriteFile(filepath.Join(dir, "master.key"), []byte(d.MasterKey+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for r := tar.NewReader(bytes.NewReader(content(t, path.Join(d.Release, d.Name+".tar.gz")))); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Restore makes a database of a server with what the release's dump has, and
// gives its address. It goes with the test.
//
// Unless the database is stuck the server has given out as many transaction
// numbers as the one that it comes from: it stands for the same server.
func (d *Database) Restore(t testing.TB, s *pgtest.Server) string {
	t.Helper()
	url := s.NewEmptyDatabase(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if !d.Stuck {
		const spend = `DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint < %d LOOP COMMIT; END LOOP; END $$`
		if _, err := conn.Exec(t.Context(), fmt.Sprintf(spend, d.Transactions)); err != nil {
			t.Fatal(err)
		}
	}
	dump := string(content(t, path.Join(d.Release, d.Name+".sql.gz")))
	if err := conn.PgConn().Exec(t.Context(), dump).Close(); err != nil {
		t.Fatalf("restore %s/%s: %v", d.Release, d.Name, err)
	}
	return url
}

// Documents reads the examples of one column of a release, such as
// "orders.snapshot", by file name.
func Documents(t testing.TB, release, column string) map[string][]byte {
	t.Helper()
	dir := path.Join("testdata", release, "documents", column)
	files, err := testdata.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]byte, len(files))
	for _, f := range files {
		if out[f.Name()], err = testdata.ReadFile(path.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// content is a file below testdata, unpacked if it is packed.
func content(t testing.TB, name string) []byte {
	t.Helper()
	b, err := testdata.ReadFile(path.Join("testdata", name))
	if err == nil && path.Ext(name) == ".gz" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(b)); err == nil {
			b, err = io.ReadAll(z)
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

func read(t testing.TB, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(content(t, name), v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
