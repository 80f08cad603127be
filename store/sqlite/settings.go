package sqlite

import (
	"context"
	"database/sql"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/shop"
)

const shopColumns = "shop, name, currency, rules_version, created_at, policies"

func scanShop(r row, s *shop.Shop) error {
	return r.Scan(&s.ID, &s.Name, &s.Currency, &s.RulesVersion, moment{&s.CreatedAt}, doc[shop.Policies]{&format.Policies, &s.Policies})
}

// A key has no version: it is only ever revoked.
var apiKeys = kind[shop.Key]{
	table: "api_keys", key: "key_id", guard: "revoked_at", moving: "label revoked_at", fixed: "hash created_at",
	keyOf:   func(k *shop.Key) string { return k.ID },
	guardOf: func(k *shop.Key) any { return micros(k.RevokedAt) },
	putMoving: func(a *args, k *shop.Key, _ int64) {
		a.add(k.Label)
		a.time(k.RevokedAt)
	},
	putFixed: func(a *args, k *shop.Key) {
		a.add(k.Hash)
		a.time(k.CreatedAt)
	},
	scan: func(r row, k *shop.Key) error {
		return r.Scan(&k.ID, &k.Label, moment{&k.RevokedAt}, blob{&k.Hash}, moment{&k.CreatedAt})
	},
}.ready()

// keysOfShops selects keys with the shop that they are of.
var keysOfShops = "SELECT " + apiKeys.columns + ", shop FROM api_keys WHERE "

func scanKeyOfShop(r row, k *shop.Key) error {
	return r.Scan(&k.ID, &k.Label, moment{&k.RevokedAt}, blob{&k.Hash}, moment{&k.CreatedAt}, &k.Shop)
}

var channels = kind[app.ChannelRow]{
	table: "channels", key: "name", guard: "version", moving: "kind sealed updated_at version",
	keyOf:     func(c *app.ChannelRow) string { return c.Name },
	versionOf: func(c *app.ChannelRow) int64 { return c.Version },
	putMoving: func(a *args, c *app.ChannelRow, version int64) {
		a.add(c.Kind, c.Sealed)
		a.time(c.UpdatedAt)
		a.add(version)
	},
	scan: func(r row, c *app.ChannelRow) error {
		return r.Scan(&c.Name, &c.Kind, blob{&c.Sealed}, moment{&c.UpdatedAt}, &c.Version)
	},
}.ready()

// Shops reads all shops, by id.
func (s *Store) Shops(ctx context.Context) ([]shop.Shop, error) {
	return all(ctx, s.reading, scanShop, "SELECT "+shopColumns+" FROM shops ORDER BY shop")
}

// ShopByID reads one shop.
func (s *Store) ShopByID(ctx context.Context, id string) (shop.Shop, error) {
	return one(ctx, s.reading, scanShop, noShop(id), shopRow, id)
}

// KeyByHash finds a key that was not revoked, of whatever shop.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (shop.Key, error) {
	return one(ctx, s.reading, scanKeyOfShop, fault.New(fault.NotFound, "there is no key with this hash"),
		keysOfShops+"hash = ? AND revoked_at IS NULL", hash)
}

// ListKeys reads the keys of a shop, newest first.
func (s *Store) ListKeys(ctx context.Context, id string) ([]shop.Key, error) {
	return all(ctx, s.reading, scanKeyOfShop, keysOfShops+"shop = ? ORDER BY created_at DESC, key_id", id)
}

// ChannelRow reads the stored settings of one channel.
func (s *Store) ChannelRow(ctx context.Context, shop, name string) (app.ChannelRow, error) {
	return one(ctx, s.reading, channels.scan, fault.New(fault.NotFound, "there is no channel %s", name), channels.byKey, shop, name)
}

// ListChannels reads the stored settings of all channels, by name.
func (s *Store) ListChannels(ctx context.Context, shop string) ([]app.ChannelRow, error) {
	return all(ctx, s.reading, channels.scan, "SELECT "+channels.columns+" FROM channels WHERE shop = ? ORDER BY name", shop)
}

// EnsureShop makes the shop if it is not there.
func (s *Store) EnsureShop(ctx context.Context, sh shop.Shop) error {
	var policies args
	document(&policies, &format.Policies, &sh.Policies)
	if policies.err != nil {
		return policies.err
	}
	return s.writing(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO shops ("+shopColumns+") VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			sh.ID, sh.Name, sh.Currency, sh.RulesVersion, micros(sh.CreatedAt), policies.list[0].Value)
		if err == nil {
			_, err = tx.Exec("INSERT INTO logs (shop, seq) VALUES (?, 0) ON CONFLICT DO NOTHING", sh.ID)
		}
		return err
	})
}

const updatePolicies = "UPDATE shops SET policies = ? WHERE shop = ?"

func (u *unit) policies(p *shop.Policies) error {
	if p == nil {
		return nil
	}
	document(u.args.start(), &format.Policies, p)
	u.args.add(u.shop)
	return u.exec(updatePolicies)
}

// Secret keeps the first value that is proposed, and gives it to everyone.
func (s *Store) Secret(ctx context.Context, name string, proposed []byte) (value []byte, err error) {
	err = s.writing(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT INTO secrets (shop, name, value) VALUES ('', ?, ?) ON CONFLICT DO NOTHING", name, proposed); err != nil {
			return err
		}
		return tx.QueryRow("SELECT value FROM secrets WHERE shop = '' AND name = ?", name).Scan(&value)
	})
	return value, err
}
