package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/shop"
)

const (
	shopColumns    = "shop, name, currency, rules_version, created_at, policies"
	apiKeyColumns  = "shop, key_id, hash, label, created_at, revoked_at"
	channelColumns = "name, kind, sealed, version, updated_at"
)

func scanShop(rows pgx.Rows, s *shop.Shop) error {
	return rows.Scan(&s.ID, &s.Name, &s.Currency, &s.RulesVersion, moment{&s.CreatedAt}, doc[shop.Policies]{&format.Policies, &s.Policies})
}

func scanAPIKey(rows pgx.Rows, k *shop.Key) error {
	return rows.Scan(&k.Shop, &k.ID, &k.Hash, &k.Label, moment{&k.CreatedAt}, moment{&k.RevokedAt})
}

func scanChannel(rows pgx.Rows, c *app.ChannelRow) error {
	return rows.Scan(&c.Name, &c.Kind, &c.Sealed, &c.Version, moment{&c.UpdatedAt})
}

// Shops reads all shops, by id.
func (s *Store) Shops(ctx context.Context) ([]shop.Shop, error) {
	return some(ctx, s, 8, scanShop, "SELECT "+shopColumns+" FROM shops ORDER BY shop")
}

// ShopByID reads one shop.
func (s *Store) ShopByID(ctx context.Context, id string) (shop.Shop, error) {
	return one(ctx, s, "shop", id, scanShop, shopRow, id)
}

// KeyByHash finds a key that was not revoked, of whatever shop.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (shop.Key, error) {
	return one(ctx, s, "key", "with this hash", scanAPIKey, "SELECT "+apiKeyColumns+" FROM api_keys WHERE hash = $1 AND revoked_at IS NULL", hash)
}

// ListKeys reads the keys of a shop, newest first.
func (s *Store) ListKeys(ctx context.Context, id string) ([]shop.Key, error) {
	return some(ctx, s, 8, scanAPIKey, "SELECT "+apiKeyColumns+" FROM api_keys WHERE shop = $1 ORDER BY created_at DESC NULLS LAST, key_id", id)
}

// ChannelRow reads the stored settings of one channel.
func (s *Store) ChannelRow(ctx context.Context, shop, name string) (app.ChannelRow, error) {
	return one(ctx, s, "channel", name, scanChannel, "SELECT "+channelColumns+" FROM channels WHERE shop = $1 AND name = $2", shop, name)
}

// ListChannels reads the stored settings of all channels, by name.
func (s *Store) ListChannels(ctx context.Context, shop string) ([]app.ChannelRow, error) {
	return some(ctx, s, 8, scanChannel, "SELECT "+channelColumns+" FROM channels WHERE shop = $1 ORDER BY name", shop)
}

// EnsureShop makes the shop if it is not there.
func (s *Store) EnsureShop(ctx context.Context, sh shop.Shop) error {
	policies, err := format.Policies.Encode(&sh.Policies)
	if err != nil {
		return err
	}
	_, err = s.read.Exec(ctx, "WITH log AS (INSERT INTO logs (shop, seq) VALUES ($1, 0) ON CONFLICT (shop) DO NOTHING) "+
		"INSERT INTO shops ("+shopColumns+") VALUES ($1, $2, $3, $4, $5, $6::json) ON CONFLICT (shop) DO NOTHING",
		sh.ID, sh.Name, sh.Currency, sh.RulesVersion, timestamp(sh.CreatedAt), policies)
	return err
}

const updatePolicies = "UPDATE shops SET policies = $2::json WHERE shop = $1" // the unit holds that shop

func (w *writer) policies(p *shop.Policies) {
	if p == nil {
		return
	}
	d, err := format.Policies.Encode(p)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.add(updatePolicies, d)
}

// Secret keeps the first value that is proposed, and gives it to everyone.
func (s *Store) Secret(ctx context.Context, name string, proposed []byte) ([]byte, error) {
	// Two statements: whoever loses sees the winner's value only in one that
	// begins after.
	if _, err := s.read.Exec(ctx, "INSERT INTO secrets (shop, name, value) VALUES ('', $1, $2) ON CONFLICT (shop, name) DO NOTHING", name, proposed); err != nil {
		return nil, err
	}
	var value []byte
	err := s.read.QueryRow(ctx, "SELECT value FROM secrets WHERE shop = '' AND name = $1", name).Scan(&value)
	return value, err
}

var (
	insertChannels = insertAll("channels", "name text", "kind text", "sealed bytea", "version bigint", "updated_at timestamptz")
	updateChannels = updateAll("channels", "kind = n.kind, sealed = n.sealed, version = n.version + 1, updated_at = n.updated_at",
		"name = n.name AND version = n.version", "name text", "version bigint", "kind text", "sealed bytea", "updated_at timestamptz")

	insertAPIKeys = insertAll("api_keys", "key_id text", "hash bytea", "label text", "created_at timestamptz", "revoked_at timestamptz")
	// A key has no version: it is only ever revoked.
	updateAPIKeys = updateAll("api_keys", "label = n.label, revoked_at = n.revoked_at",
		"key_id = n.id AND revoked_at IS NOT DISTINCT FROM n.was", "id text", "was timestamptz", "label text", "revoked_at timestamptz")
)

func (w *writer) channels(changes []app.Change[app.ChannelRow]) {
	added, changed := split(changes)
	if len(added) > 0 {
		type row = *app.ChannelRow
		w.add(insertChannels, column(added, func(c row) string { return c.Name }), column(added, func(c row) string { return c.Kind }),
			column(added, func(c row) []byte { return c.Sealed }), column(added, func(row) int64 { return 1 }),
			times(added, func(c row) time.Time { return c.UpdatedAt }))
	}
	if len(changed) > 0 {
		type change = *app.Change[app.ChannelRow]
		w.add(updateChannels, column(changed, func(c change) string { return c.Old.Name }), column(changed, func(c change) int64 { return c.Old.Version }),
			column(changed, func(c change) string { return c.New.Kind }), column(changed, func(c change) []byte { return c.New.Sealed }),
			times(changed, func(c change) time.Time { return c.New.UpdatedAt }))
	}
}

func (w *writer) apiKeys(changes []app.Change[shop.Key]) {
	added, changed := split(changes)
	if len(added) > 0 {
		type row = *shop.Key
		w.add(insertAPIKeys, column(added, func(k row) string { return k.ID }), column(added, func(k row) []byte { return k.Hash }),
			column(added, func(k row) string { return k.Label }), times(added, func(k row) time.Time { return k.CreatedAt }),
			times(added, func(k row) time.Time { return k.RevokedAt }))
	}
	if len(changed) > 0 {
		type change = *app.Change[shop.Key]
		w.add(updateAPIKeys, column(changed, func(c change) string { return c.Old.ID }), times(changed, func(c change) time.Time { return c.Old.RevokedAt }),
			column(changed, func(c change) string { return c.New.Label }), times(changed, func(c change) time.Time { return c.New.RevokedAt }))
	}
}
