package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

// Shops reads all shops, by id.
func (s *Store) Shops(ctx context.Context) ([]shop.Shop, error) {
	return all(ctx, s.reading, shops.scan, "SELECT "+shops.columns+" FROM shops ORDER BY shop")
}

// ShopByID reads one shop.
func (s *Store) ShopByID(ctx context.Context, id string) (shop.Shop, error) {
	return one(ctx, s.reading, shops.scan, noShop(id), shopRow, id)
}

// KeyByHash finds a key that was not revoked, of whatever shop.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (shop.Key, error) {
	return one(ctx, s.reading, apiKeys.scan, fault.New(fault.NotFound, "there is no key with this hash"),
		"SELECT "+apiKeys.columns+" FROM api_keys WHERE hash = ? AND revoked_at IS NULL", hash)
}

// ListKeys reads the keys of a shop, newest first.
func (s *Store) ListKeys(ctx context.Context, id string) ([]shop.Key, error) {
	return all(ctx, s.reading, apiKeys.scan, "SELECT "+apiKeys.columns+" FROM api_keys WHERE shop = ? ORDER BY created_at DESC, key_id", id)
}

// ChannelRow reads the stored settings of one channel.
func (s *Store) ChannelRow(ctx context.Context, shop, name string) (rows.Channel, error) {
	return one(ctx, s.reading, channels.scan, fault.New(fault.NotFound, "there is no channel %s", name), channels.byKey, shop, name)
}

// ListChannels reads the stored settings of all channels, by name.
func (s *Store) ListChannels(ctx context.Context, shop string) ([]rows.Channel, error) {
	return all(ctx, s.reading, channels.scan, "SELECT "+channels.columns+" FROM channels WHERE shop = ? ORDER BY name", shop)
}

// EnsureShop makes the shop if it is not there.
func (s *Store) EnsureShop(ctx context.Context, sh shop.Shop) error {
	insert := unit.Inserting(rows.Shop, &sh)
	a := (&args{}).start(sh.ID)
	for _, c := range insert.Kind.Inserted() {
		a.column(insert.Kind, c)(insert.Value(0, c))
	}
	if a.err != nil {
		return a.err
	}
	return s.writing(ctx, func(tx *sql.Tx) error {
		values := make([]any, len(a.list))
		for i := range a.list {
			values[i] = a.list[i].Value
		}
		_, err := tx.Exec(kinds[insert.Kind].insert+" ON CONFLICT DO NOTHING", values...)
		if err == nil {
			_, err = tx.Exec("INSERT INTO logs (shop, seq) VALUES (?, 0) ON CONFLICT DO NOTHING", sh.ID)
		}
		return err
	})
}

// Secret keeps the first value that is proposed, and gives it to everyone.
func (s *Store) Secret(ctx context.Context, name string, proposed []byte) (value []byte, err error) {
	err = s.writing(ctx, func(tx *sql.Tx) error {
		if proposed != nil {
			if _, err := tx.Exec("INSERT INTO secrets (shop, name, value) VALUES ('', ?, ?) ON CONFLICT DO NOTHING", name, proposed); err != nil {
				return err
			}
		}
		err := tx.QueryRow("SELECT value FROM secrets WHERE shop = '' AND name = ?", name).Scan(&value)
		if proposed == nil && errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return value, err
}
