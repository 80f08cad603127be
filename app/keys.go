package app

import (
	"context"
	"crypto/sha256"
	"strings"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

// SecretPrefix begins every secret key.
const SecretPrefix = "sk_"

// HashKey is the form in which a secret key is stored.
func HashKey(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// AddKey makes a secret key of a shop and returns the secret: the only time
// that it can be seen. secret "" has one made up; a given one must begin with
// sk_ and have at least 8 characters.
func (a *App) AddKey(ctx context.Context, shopID, label, secret string) (shop.Key, string, error) {
	if secret == "" {
		secret = newID(SecretPrefix, a.Rand) + newID("", a.Rand)
	}
	if !strings.HasPrefix(secret, SecretPrefix) || len(secret) < 8 || len(secret) > 256 {
		return shop.Key{}, "", fault.Invalidf("/secret", "a secret key begins with sk_ and has 8 to 256 characters")
	}
	k := shop.Key{Shop: shopID, ID: newID("key_", a.Rand), Hash: HashKey(secret), Label: label}
	out, _, err := Do(ctx, a, &Command{
		Shop: shopID, Name: "add key", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.APIKeys.Keys(k.ID)},
	}, func(tx *Tx) (out shop.Key, err error) {
		k := k
		k.CreatedAt = tx.Now()
		tx.PutAPIKey(&k)
		return k, nil
	})
	return out, secret, err
}

// RevokeKey ends a key. It is refused within a few seconds on all instances.
func (a *App) RevokeKey(ctx context.Context, shopID, id string) error {
	_, err := Run(ctx, a, &Command{
		Shop: shopID, Name: "revoke key", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.APIKeys.Keys(id)},
	}, func(tx *Tx) error {
		k, err := tx.APIKey(id)
		if err != nil {
			return err
		}
		if k == nil {
			return fault.New(fault.NotFound, "there is no key %s", id)
		}
		if k.RevokedAt.IsZero() {
			k.RevokedAt = tx.Now()
			tx.PutAPIKey(k)
		}
		return nil
	})
	return err
}
