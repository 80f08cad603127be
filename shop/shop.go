// Package shop holds the tenant and the buyer as far as Tandem knows them: a
// shop with its keys, and users with what pricing and the checks at placing
// an order need. Users that were never put are plain users.
package shop

import (
	"strings"
	"time"

	"github.com/tandem-pay/tandem/fault"
)

// Default is the shop that a single-shop installation never notices.
const Default = "default"

// Shop is the tenant. Every row, key, channel, event and number belongs to
// one shop.
type Shop struct {
	ID           string
	Name         string
	Currency     string // ISO 4217
	RulesVersion int64  // rises with every change of a promotion or template
	Policies     Policies
	CreatedAt    time.Time
}

// Key is a secret key of a shop. Only the hash of the secret is kept.
type Key struct {
	Shop      string
	ID        string // shown in lists; not the secret
	Hash      []byte // SHA-256 of the secret: it has 128 bits of chance or more, so no salt is needed
	Label     string
	CreatedAt time.Time
	RevokedAt time.Time // zero while it works
}

// User is a buyer.
type User struct {
	ID      string
	Level   string
	Tags    []string
	Blocked bool
	Version int64 // 0 before it was first saved
}

// CheckID refuses an id that is not 1–64 letters, digits and . _ - : @, the
// first a letter or digit. pointer names the field in the fault.
func CheckID(pointer, id string) error {
	ok := id != "" && len(id) <= 64 && strings.IndexByte("_.@:-", id[0]) < 0
	for i := 0; i < len(id) && ok; i++ {
		c := id[i]
		ok = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_.@:-", c) >= 0
	}
	if !ok {
		return fault.Invalidf(pointer, "must be 1 to 64 letters, digits or any of . _ - : @, beginning with a letter or digit")
	}
	return nil
}

// CheckShopID refuses the id of a shop that is not 1–64 letters, digits, - and
// _: it is a part of addresses and of the names of files.
func CheckShopID(id string) error {
	ok := id != "" && len(id) <= 64
	for i := 0; i < len(id) && ok; i++ {
		c := id[i]
		ok = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
	}
	if !ok {
		return fault.Invalidf("", "the id of a shop must be 1 to 64 letters, digits, - or _, and %q is not", id)
	}
	return nil
}
