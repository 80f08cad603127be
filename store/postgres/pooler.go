package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A connection pooler such as PgBouncer lends a server's process to a client:
// for a session, or for one transaction. It refuses most settings of a start-up
// message, a setting of the session may reach another client, and a statement
// that was prepared may not be there in the next transaction. So behind one:
//
//   - No statement has a name. Each is sent with its text; what its parameters
//     and columns are is asked for once a connection and kept.
//   - The settings of writing are sent with each transaction, for it alone, in
//     the round trip of BEGIN. Reading has none: on tables that were never
//     analysed its plans can be slower.
//   - Statements are not cancelled at the server when their caller goes away; the
//     connection is closed, which ends its transaction. PgBouncer 1.18, which is
//     Debian 12's, crashes on some requests to cancel.
//   - A process that broke while committing is known by the number that it says
//     itself; the one in the protocol is the pooler's.

// pooledMode keeps what a statement's parameters are, and prepares nothing by
// name.
const pooledMode = pgx.QueryExecModeCacheDescribe

// behindPooler says whether the process that answers is another than the one
// that the protocol names.
func behindPooler(ctx context.Context, url string) (pooled bool, err error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return false, fmt.Errorf("the database's address: %w", err)
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return false, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was done by it
	var pid uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return false, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	return pid != conn.PgConn().PID(), nil
}

// dialPooled dials connections on which a request to cancel is not sent.
func dialPooled(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &noCancel{Conn: c}, nil
	}
}

// noCancel is a connection to a pooler.
type noCancel struct {
	net.Conn
	begun bool
}

// cancelRequest is the code that a request to cancel has after its length, see
// "Message Formats" in PostgreSQL's documentation.
const cancelRequest = 80877102

// Write leaves out a request to cancel, which is all that its connection sends.
func (c *noCancel) Write(b []byte) (int, error) {
	first := !c.begun
	c.begun = true
	if first && len(b) >= 8 && binary.BigEndian.Uint32(b[4:]) == cancelRequest {
		return len(b), c.Close()
	}
	return c.Conn.Write(b)
}

// pooledBegin has the settings of writing for one transaction, and says which
// process it runs in.
var pooledBegin = func() string {
	var b strings.Builder
	b.WriteString("SELECT pg_backend_pid()")
	for _, name := range slices.Sorted(maps.Keys(writeSettings)) {
		fmt.Fprintf(&b, ", set_config('%s', '%s', true)", name, writeSettings[name])
	}
	return b.String()
}()

// queuePooled queues what a transaction behind a pooler begins with.
func queuePooled(b *pgx.Batch, pid *uint32) {
	b.Queue(pooledBegin).Query(func(r pgx.Rows) error {
		for r.Next() {
			values := make([]any, 1+len(writeSettings))
			values[0] = pid
			if err := r.Scan(values...); err != nil {
				return err
			}
		}
		return r.Err()
	})
}
