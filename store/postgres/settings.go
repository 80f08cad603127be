package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/shop"
)

// Shops reads all shops, by id.
func (s *Store) Shops(ctx context.Context) ([]shop.Shop, error) {
	return some(ctx, s, 8, scan(rows.Shop), "SELECT "+columns(rows.Shop)+" FROM shops ORDER BY shop")
}

// ShopByID reads one shop.
func (s *Store) ShopByID(ctx context.Context, id string) (shop.Shop, error) {
	return one(ctx, s, "shop", id, scan(rows.Shop), shopRow, id)
}

// KeyByHash finds a key that was not revoked, of whatever shop.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (shop.Key, error) {
	return one(
		ctx, s, "key", "with this hash", scan(rows.APIKeys),
		"SELECT "+columns(rows.APIKeys)+" FROM api_keys WHERE hash = $1 AND revoked_at IS NULL", hash,
	)
}

// ListKeys reads the keys of a shop, newest first.
func (s *Store) ListKeys(ctx context.Context, id string) ([]shop.Key, error) {
	return some(
		ctx, s, 8, scan(rows.APIKeys),
		"SELECT "+columns(rows.APIKeys)+" FROM api_keys WHERE shop = $1 ORDER BY created_at DESC NULLS LAST, key_id", id,
	)
}

// ChannelRow reads the stored settings of one channel.
func (s *Store) ChannelRow(ctx context.Context, shop, name string) (rows.Channel, error) {
	return one(
		ctx, s, "channel", name, scan(rows.Channels),
		"SELECT "+columns(rows.Channels)+" FROM channels WHERE shop = $1 AND name = $2", shop, name,
	)
}

// ListChannels reads the stored settings of all channels, by name.
func (s *Store) ListChannels(ctx context.Context, shop string) ([]rows.Channel, error) {
	return some(ctx, s, 8, scan(rows.Channels), "SELECT "+columns(rows.Channels)+" FROM channels WHERE shop = $1 ORDER BY name", shop)
}

// EnsureShop makes the shop if it is not there.
func (s *Store) EnsureShop(ctx context.Context, sh shop.Shop) error {
	w := &writer{shop: sh.ID}
	insert := unit.Inserting(rows.Shop, &sh)
	sql, args := w.statement(&insert)
	if w.err != nil {
		return w.err
	}
	conn, err := s.write.Acquire(ctx) // which knows how to write columns
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Exec(
		ctx,
		"WITH log AS (INSERT INTO logs (shop, seq) VALUES ($1, 0) ON CONFLICT (shop) DO NOTHING) "+sql+" ON CONFLICT (shop) DO NOTHING",
		append([]any{sh.ID}, args...)...,
	)
	return err
}

// Secret keeps the first value that is proposed, and gives it to everyone.
func (s *Store) Secret(ctx context.Context, name string, proposed []byte) ([]byte, error) {
	// Two statements: whoever loses sees the winner's value only in one that
	// begins after.
	if proposed != nil {
		if _, err := s.read.Exec(ctx, "INSERT INTO secrets (shop, name, value) VALUES ('', $1, $2) ON CONFLICT (shop, name) DO NOTHING", name, proposed); err != nil {
			return nil, err
		}
	}
	var value []byte
	err := s.read.QueryRow(ctx, "SELECT value FROM secrets WHERE shop = '' AND name = $1", name).Scan(&value)
	if proposed == nil && errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return value, err
}
