package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// A role is what only one instance may be at a time. It is an advisory lock of
// a transaction that lives as long as the instance, so that it ends with the
// instance, however that ends, also behind a pooler. The transaction reads
// nothing, and so keeps nothing alive. The address of the holder is the name of
// its connection, and so is stored nowhere.

// roleClass is the first half of the locks of roles; the second is the role.
// The number is any.
const roleClass = 741_426_510

// addressSize is how many bytes of a connection's name PostgreSQL keeps.
const addressSize = 63

// Hold takes a role for this instance at an address of at most 63 bytes. If
// another instance has it, holder is that one's address and release is nil.
func (s *Store) Hold(ctx context.Context, role int32, address string) (release func() error, holder string, err error) {
	if len(address) > addressSize {
		return nil, "", fmt.Errorf("the address %s has more than %d bytes", address, addressSize)
	}
	conn, err := pgx.ConnectConfig(ctx, s.read.Config().ConnConfig)
	if err != nil {
		return nil, "", err
	}
	leave := func() error { return conn.Close(context.WithoutCancel(ctx)) } // which unlocks
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return nil, "", errors.Join(err, leave())
	}
	for _, setting := range [][2]string{{"idle_in_transaction_session_timeout", "0"}, {"application_name", address}} {
		if _, err := conn.Exec(ctx, "SELECT set_config($1, $2, true)", setting[0], setting[1]); err != nil {
			return nil, "", errors.Join(err, leave())
		}
	}
	for {
		var ours bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1, $2)", int32(roleClass), role).Scan(&ours); err != nil {
			return nil, "", errors.Join(err, leave())
		}
		if ours {
			return leave, "", nil
		}
		// The holder may leave between the two questions: then the role is free.
		if holder, err = s.Holder(ctx, role); err != nil || holder != "" {
			return nil, holder, errors.Join(err, leave())
		}
	}
}

// Holder is the address of the instance that has the role, "" if none has.
func (s *Store) Holder(ctx context.Context, role int32) (address string, err error) {
	err = s.read.QueryRow(ctx, `
		SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
		  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND l.classid = $1::int::oid AND l.objid = $2::int::oid`, int32(roleClass), role).Scan(&address)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return address, err
}
