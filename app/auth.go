package app

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/fault"
)

// Identity is who makes a request: a shop with its secret key, or a browser with the
// client token of one order.
type Identity struct {
	Shop  string
	Order string // of a client token: the only order it reaches; "" for a secret key
}

// Secret says whether it is the shop itself.
func (i Identity) Secret() bool { return i.Order == "" }

// Reaches refuses an order that the identity has no right to. Another
// shop's orders are not found anyway; another order of the same shop is
// forbidden to a client token.
func (i Identity) Reaches(orderNo string) error {
	if i.Order != "" && i.Order != orderNo {
		return fault.New(fault.Forbidden, "this client token is for another order")
	}
	return nil
}

// Auth knows keys and tokens. It is safe for use by many at once.
type Auth struct {
	Store  Settings
	Tokens *Tokens

	mu    sync.Mutex
	known map[string]knownKey
}

type knownKey struct {
	shop    string
	checked time.Time // wall clock
}

// How long a key that was found is valid without reading the store again, and
// how many are kept.
const (
	keyFresh = 5 * time.Second
	keysKept = 10_000
)

// Authenticate finds out whose token it is: "sk_…" or "ct_…".
func (a *Auth) Authenticate(ctx context.Context, token string) (Identity, error) {
	if strings.HasPrefix(token, clientPrefix) {
		if shop, orderNo, ok := a.Tokens.Check(token); ok {
			return Identity{Shop: shop, Order: orderNo}, nil
		}
		return Identity{}, unauthorized()
	}
	if !strings.HasPrefix(token, SecretPrefix) || len(token) > 256 {
		return Identity{}, unauthorized()
	}
	a.mu.Lock()
	have, ok := a.known[token]
	a.mu.Unlock()
	if ok && time.Since(have.checked) < keyFresh {
		return Identity{Shop: have.shop}, nil
	}
	k, err := a.Store.KeyByHash(ctx, HashKey(token))
	if fault.Is(err, fault.NotFound) {
		a.mu.Lock()
		delete(a.known, token)
		a.mu.Unlock()
		return Identity{}, unauthorized()
	}
	if err != nil {
		return Identity{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || len(a.known) >= keysKept {
		a.known = map[string]knownKey{}
	}
	a.known[token] = knownKey{k.Shop, time.Now()}
	return Identity{Shop: k.Shop}, nil
}

func unauthorized() error {
	return fault.New(fault.Unauthorized, "send Authorization: Bearer sk_… (a secret key) or ct_… (the client token of an order)")
}
