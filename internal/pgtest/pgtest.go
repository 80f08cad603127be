// Package pgtest starts a throw-away PostgreSQL: for tests, and for the
// benchmark of the binary when nobody names a database.
//
// It promises to leave nothing behind. The server is watched over by a shell
// that holds one end of a pipe; when its starter stops it or exits, by
// whatever means, the pipe closes, the shell ends the server by its own
// process id and removes the directory.
//
// The server listens on a unix socket in its own directory and on nothing
// else, so that no port has to be free and nobody else can reach it.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say what the server is for. The zero value is for tests: it is
// fast, and a crash of the machine would lose its data.
type Options struct {
	// Fsync makes commits durable, as a production server would: for
	// benchmarks, and for tests that kill.
	Fsync bool
	// Config are settings of postgresql.conf, over the package's own.
	Config map[string]string
}

// Server is a running PostgreSQL.
type Server struct {
	dir  string
	cmd  *exec.Cmd
	hold io.Closer // the pipe that keeps it running

	names    atomic.Int64
	mu       sync.Mutex // creating from a template locks it
	template string
	emptying string   // statements that empty a database made from the template
	used     []string // databases that were emptied, see ReusedDatabase
	stop     sync.Once
	err      error
}

// ErrNoPostgres says that no PostgreSQL is installed here.
var ErrNoPostgres = errors.New("no PostgreSQL found: neither initdb on the PATH nor in the usual places")

// Start makes a new cluster and runs it. The caller stops it.
func Start(o Options) (*Server, error) {
	bin, err := findBin()
	if err != nil {
		return nil, err
	}
	// The system's own directory for temporary files: the path of a unix
	// socket's path is limited in length, and another user must be able to reach it.
	dir, err := os.MkdirTemp("/tmp", "tandem-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.start(bin, o); err != nil {
		err = fmt.Errorf("start PostgreSQL: %w%s", err, s.lastWords())
		_ = s.Stop()
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func (s *Server) start(bin string, o Options) error {
	attr, err := asOrdinaryUser(s.dir)
	if err != nil {
		return err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", filepath.Join(s.dir, "data"), "--username", role,
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = s.dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}

	config := map[string]string{
		"listen_addresses": "", "unix_socket_directories": s.dir, "max_connections": "100",
		"shared_buffers": "128MB", "max_wal_size": "4GB", "jit": "off", "timezone": "UTC",
	}
	if !o.Fsync {
		maps.Copy(config, map[string]string{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})
	}
	maps.Copy(config, o.Config)
	args := []string{"-c", keeper, "sh", s.dir, filepath.Join(bin, "postgres"), "-D", filepath.Join(s.dir, "data")}
	for _, k := range slices.Sorted(maps.Keys(config)) {
		args = append(args, "-c", k+"="+config[k])
	}
	s.cmd = exec.Command("/bin/sh", args...)
	s.cmd.Dir, s.cmd.SysProcAttr = s.dir, attr
	if s.hold, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	return s.ready(30 * time.Second)
}

// keeper runs the server ($2 …) until its standard input ends, then ends the
// server at once, by the signal $END or QUIT, and removes the directory ($1).
const keeper = `dir=$1; shift
"$@" >"$dir/log" 2>&1 &
server=$!
cat >/dev/null
kill -"${END:-QUIT}" "$server" 2>/dev/null
wait "$server"
cd / && rm -rf "$dir"`

const role = "tandem"

// PID is the number of the process that keeps the server: all of PostgreSQL
// are its descendants.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// URL is the address of a database of the server.
func (s *Server) URL(database string) string {
	return "postgres://" + role + "@/" + database + "?host=" + s.dir
}

func (s *Server) ready(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		err := s.exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready within %v: %w", within, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}

// lastWords is the end of the server's log.
func (s *Server) lastWords() string {
	log, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil || len(log) == 0 {
		return ""
	}
	return "\n" + string(bytes.TrimSpace(log[max(0, len(log)-4096):]))
}

// Stop ends the server and removes all that it had. It may be called more
// than once.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		if s.hold != nil {
			_ = s.hold.Close()
		}
		if s.cmd != nil {
			s.err = s.cmd.Wait()
		}
	})
	return s.err
}

// Template makes one database with prepare (migrations, say); Create copies
// it from then on, which is much faster than to prepare each.
func (s *Server) Template(ctx context.Context, prepare func(ctx context.Context, url string) error) error {
	if err := s.exec(ctx, "CREATE DATABASE prepared"); err != nil {
		return err
	}
	if err := prepare(ctx, s.URL("prepared")); err != nil {
		return err
	}
	emptying, err := statementsToEmpty(ctx, s.URL("prepared"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.template, s.emptying = "prepared", emptying
	return nil
}

// Create makes a new database and returns its address.
func (s *Server) Create(ctx context.Context) (url string, drop func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.create(ctx, s.template)
}

// CreateEmpty is Create without the template.
func (s *Server) CreateEmpty(ctx context.Context) (url string, drop func() error, err error) {
	return s.create(ctx, "template1")
}

func (s *Server) create(ctx context.Context, template string) (string, func() error, error) {
	if template == "" {
		template = "template1"
	}
	name := fmt.Sprintf("db%d", s.names.Add(1))
	if err := s.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		return "", nil, err
	}
	drop := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return s.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}
	return s.URL(name), drop, nil
}

// TB is what this package needs of testing.TB; a program that is no test
// need not know that package.
type TB interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
}

// NewDatabase is Create for a test; the database goes with the test.
func (s *Server) NewDatabase(t TB) string {
	t.Helper()
	return forTest(t, s.Create)
}

// NewEmptyDatabase is CreateEmpty for a test.
func (s *Server) NewEmptyDatabase(t TB) string {
	t.Helper()
	return forTest(t, s.CreateEmpty)
}

func forTest(t TB, create func(context.Context) (string, func() error, error)) string {
	t.Helper()
	url, drop, err := create(t.Context())
	if err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return url
}
