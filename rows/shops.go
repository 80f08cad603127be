package rows

import (
	"time"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

// Shop is the shop's own row. Every batch reads it; a command that changes
// the rules or the policies locks it (Shop.Lock).
var Shop = unit.Declare(Schema, unit.Spec[shop.Shop]{
	Rank: 10, Table: "shops", Single: true, Guard: "rules_version",
	Columns: []unit.Column[shop.Shop]{
		unit.Text("shop", func(s *shop.Shop) *string { return &s.ID }).Assigned(),
		unit.Text("name", func(s *shop.Shop) *string { return &s.Name }).Fixed(),
		unit.Text("currency", func(s *shop.Shop) *string { return &s.Currency }).Fixed(),
		unit.Int("rules_version", func(s *shop.Shop) *int64 { return &s.RulesVersion }),
		unit.Time("created_at", func(s *shop.Shop) *time.Time { return &s.CreatedAt }).Fixed(),
		policies,
	},
})

// policies is NULL for the defaults.
var policies = unit.Document("policies",
	func(s *shop.Shop) ([]byte, error) { return format.Policies.Encode(&s.Policies) },
	func(b []byte, s *shop.Shop) error { return format.Policies.Decode(b, &s.Policies) })

// APIKeys are the shop's secret keys. A key has no version: it is only ever
// revoked.
var APIKeys = unit.Declare(Schema, unit.Spec[shop.Key]{
	Rank: 150, Table: "api_keys", Key: "key_id", Guard: "revoked_at",
	Columns: []unit.Column[shop.Key]{
		unit.Text("shop", func(k *shop.Key) *string { return &k.Shop }).Assigned(),
		unit.Text("key_id", func(k *shop.Key) *string { return &k.ID }),
		unit.Bytes("hash", func(k *shop.Key) *[]byte { return &k.Hash }).Fixed(),
		unit.Text("label", func(k *shop.Key) *string { return &k.Label }),
		unit.Time("created_at", func(k *shop.Key) *time.Time { return &k.CreatedAt }).Fixed(),
		unit.Time("revoked_at", func(k *shop.Key) *time.Time { return &k.RevokedAt }),
	},
})

// Channel is a channel's settings. Sealed is their encrypted JSON.
type Channel struct {
	Name      string
	Kind      string
	Sealed    []byte
	Version   int64
	UpdatedAt time.Time
}

// Channels are the channels' settings.
var Channels = unit.Declare(Schema, unit.Spec[Channel]{
	Rank: 140, Table: "channels", Key: "name",
	Columns: []unit.Column[Channel]{
		unit.Text("name", func(c *Channel) *string { return &c.Name }),
		unit.Text("kind", func(c *Channel) *string { return &c.Kind }),
		unit.Bytes("sealed", func(c *Channel) *[]byte { return &c.Sealed }),
		unit.Version("version", func(c *Channel) *int64 { return &c.Version }),
		unit.Time("updated_at", func(c *Channel) *time.Time { return &c.UpdatedAt }),
	},
})

// Users are the buyers that were put. They are read without a lock: a change
// is guarded by their version.
var Users = unit.Declare(Schema, unit.Spec[shop.User]{
	Rank: 60, Table: "users", Key: "user_id", Unlocked: true,
	Columns: []unit.Column[shop.User]{
		unit.Text("user_id", func(u *shop.User) *string { return &u.ID }),
		unit.Text("level", func(u *shop.User) *string { return &u.Level }),
		stored("tags", format.Tags),
		unit.Bool("blocked", func(u *shop.User) *bool { return &u.Blocked }),
		unit.Version("version", func(u *shop.User) *int64 { return &u.Version }),
	},
})
