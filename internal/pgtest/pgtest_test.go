package pgtest_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/internal/pgtest"
)

// asChild makes the test binary start a server, print its address and wait
// to be killed.
const asChild = "PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	s, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	println(s.URL("postgres"))
	select {}
}

func start(t *testing.T) *pgtest.Server {
	t.Helper()
	s, err := pgtest.Start(pgtest.Options{Config: map[string]string{"work_mem": "7MB"}})
	if errors.Is(err, pgtest.ErrNoPostgres) {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var got string
	if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestServer(t *testing.T) {
	s := start(t)
	err := s.Template(t.Context(), func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "CREATE TABLE t AS SELECT 'prepared' AS x; CREATE TABLE rows (id serial)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var url string
	t.Run("a database of one test", func(t *testing.T) {
		url = s.NewDatabase(t)
		if got := query(t, url, "SELECT x FROM t"); got != "prepared" {
			t.Errorf("from the template: %q", got)
		}
		if got := query(t, url, "SHOW work_mem"); got != "7MB" {
			t.Errorf("work_mem = %s", got)
		}
		if got := query(t, s.NewEmptyDatabase(t), "SELECT count(*)::text FROM pg_tables WHERE tablename = 't'"); got != "0" {
			t.Error("the empty database has the template's table")
		}
	})
	if _, err := pgx.Connect(t.Context(), url); err == nil {
		t.Error("the database is still there after its test")
	}
	var first string
	for range 2 {
		t.Run("a database that is used again", func(t *testing.T) {
			url := s.ReusedDatabase(t)
			if first = cmp.Or(first, url); url != first {
				t.Errorf("%s, want %s again", url, first)
			}
			if got := query(t, url, "SELECT (SELECT x FROM t) || (SELECT count(*) FROM rows)"); got != "prepared0" {
				t.Errorf("it holds %q", got)
			}
			if got := query(t, url, "WITH r AS (INSERT INTO rows DEFAULT VALUES RETURNING id) SELECT id::text FROM r"); got != "1" {
				t.Errorf("the sequence gives %s", got)
			}
		})
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dirOf(s.URL("x"))); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func dirOf(url string) string {
	_, dir, _ := strings.Cut(url, "?host=")
	return dir
}

// TestKilled kills a process that runs a server and finds nothing left.
func TestKilled(t *testing.T) {
	_ = start(t).Stop() // or skip
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), asChild+"=1")
	out, err := child.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	dir := dirOf(strings.TrimSpace(line))
	if _, err := os.Stat(dir); dir == "" || err != nil {
		t.Fatalf("the child said %q: %v", line, err)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	for range 500 {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s is still there", dir)
}
