package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoBouncer says that no PgBouncer is installed here.
var ErrNoBouncer = errors.New("no pgbouncer found on the PATH or in /usr/sbin")

// Bouncer is a PgBouncer before a Server, with the settings that Debian's
// package has but for addresses and the mode.
type Bouncer struct{ server *Server }

// StartBouncer runs PgBouncer before the server in a mode: session or
// transaction. It needs no port, and leaves nothing behind, as the server.
func (s *Server) StartBouncer(mode string) (*Bouncer, error) {
	bin, err := exec.LookPath("pgbouncer")
	if err != nil {
		if bin, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			return nil, ErrNoBouncer
		}
	}
	dir, err := os.MkdirTemp("/tmp", "tandem-pgb-")
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("[databases]\n* = host=%s user=%s\n[pgbouncer]\nlisten_port = 5432\nunix_socket_dir = %s\n"+
		"auth_type = any\npool_mode = %s\n", s.dir, role, dir, mode)
	b := &Bouncer{server: &Server{dir: dir}}
	if err := b.start(bin, config); err != nil {
		err = fmt.Errorf("start PgBouncer: %w%s", err, b.server.lastWords())
		return nil, errors.Join(err, b.Stop(), os.RemoveAll(dir))
	}
	return b, nil
}

func (b *Bouncer) start(bin, config string) error {
	s := b.server
	file := filepath.Join(s.dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil { //nolint:gosec // read by another user; holds no secret
		return err
	}
	attr, err := asOrdinaryUser(s.dir)
	if err != nil {
		return err
	}
	s.cmd = exec.Command("/bin/sh", "-c", keeper, "sh", s.dir, bin, "-q", file)
	s.cmd.Dir, s.cmd.SysProcAttr, s.cmd.Env = s.dir, attr, append(os.Environ(), "END=TERM")
	if s.hold, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	return b.ready(30 * time.Second)
}

func (b *Bouncer) ready(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, b.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready within %v: %w", within, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// URL is the address of a database of the server through PgBouncer.
func (b *Bouncer) URL(database string) string { return b.server.URL(database) }

// Through is the address of a database of the server, given its own address,
// through PgBouncer.
func (b *Bouncer) Through(url string) (string, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return "", err
	}
	return b.URL(c.Database), nil
}

// Stop ends PgBouncer and removes what it had.
func (b *Bouncer) Stop() error { return b.server.Stop() }
