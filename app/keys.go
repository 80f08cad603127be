package app

import (
	"bytes"
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
// sk_ and have at least 8 characters, and one that any shop has revoked stays
// so (Conflict).
func (a *App) AddKey(ctx context.Context, shopID, label, secret string) (shop.Key, string, error) {
	if secret == "" {
		secret = newID(SecretPrefix, a.Rand) + newID("", a.Rand)
	}
	if !strings.HasPrefix(secret, SecretPrefix) || len(secret) < 8 || len(secret) > 256 {
		return shop.Key{}, "", fault.Invalidf("/secret", "a secret key begins with sk_ and has 8 to 256 characters")
	}
	if err := a.checkNotRevoked(ctx, secret); err != nil {
		return shop.Key{}, "", err
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

// checkNotRevoked refuses a secret that was revoked.
func (a *App) checkNotRevoked(ctx context.Context, secret string) error {
	shops, err := a.Store.Shops(ctx)
	if err != nil {
		return err
	}
	hash := HashKey(secret)
	for i := range shops {
		keys, err := a.Store.ListKeys(ctx, shops[i].ID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if bytes.Equal(k.Hash, hash) && !k.RevokedAt.IsZero() {
				return fault.New(fault.Conflict, "this secret is key %s's, which was revoked; use another", k.ID)
			}
		}
	}
	return nil
}

// RevokeKey ends a key. It is refused within a few seconds on all instances.
// The last key of a shop that works is not revoked (Conflict): nobody could
// make another with it.
func (a *App) RevokeKey(ctx context.Context, shopID, id string) error {
	keys, err := a.Store.ListKeys(ctx, shopID)
	if err != nil {
		return err
	}
	var others []string
	for _, k := range keys {
		if k.ID != id && k.RevokedAt.IsZero() {
			others = append(others, k.ID)
		}
	}
	// The others are read again under their locks, so that two keys cannot
	// revoke each other at once.
	_, err = Run(ctx, a, &Command{
		Shop: shopID, Name: "revoke key", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.APIKeys.Keys(append(others, id)...)},
	}, func(tx *Tx) error {
		k, err := tx.APIKey(id)
		if err != nil {
			return err
		}
		if k == nil {
			return fault.New(fault.NotFound, "there is no key %s", id)
		}
		if !k.RevokedAt.IsZero() {
			return nil
		}
		for _, other := range others {
			if o, err := tx.APIKey(other); err != nil {
				return err
			} else if o != nil && o.RevokedAt.IsZero() {
				k.RevokedAt = tx.Now()
				tx.PutAPIKey(k)
				return nil
			}
		}
		return fault.New(fault.Conflict, "key %s is the last one of the shop; make another first, then revoke it", id)
	})
	return err
}
