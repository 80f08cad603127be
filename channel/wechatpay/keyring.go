package wechatpay

import (
	"crypto/rsa"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// maxKeys bounds the keyring. WeChat Pay has two certificates of a merchant's
// at most in use at once.
const maxKeys = 64

// heldKey is one key of WeChat Pay's.
type heldKey struct {
	pub   *rsa.PublicKey
	cert  bool      // of a certificate
	until time.Time // the certificate's end; zero: the key has none
}

// expired says that the key verifies nothing any more.
func (k heldKey) expired(now time.Time) bool { return !k.until.IsZero() && now.After(k.until) }

// keyset is what a keyring holds at one moment. It never changes.
type keyset struct {
	byID   map[string]heldKey
	accept string // the one configured first
}

// keyring holds WeChat Pay's keys by serial or public key id. Readers take no
// lock: the set is swapped as a whole.
type keyring struct {
	set   atomic.Pointer[keyset]
	swaps sync.Mutex // serialises those who swap
	// renewable: a certificate is configured, so there may be newer ones. In
	// pure public key mode WeChat Pay lists none.
	renewable bool
	// missing is the serial that a message last named and that was not held;
	// nil when no list is needed.
	missing atomic.Pointer[string]
}

// newKeyring holds the configured keys.
func newKeyring(byID map[string]heldKey, accept string) *keyring {
	k := &keyring{}
	for _, key := range byID {
		k.renewable = k.renewable || key.cert
	}
	k.set.Store(&keyset{byID: byID, accept: accept})
	return k
}

// find is the key that verifies at that time.
func (k *keyring) find(serial string, now time.Time) (*rsa.PublicKey, bool) {
	key, known := k.set.Load().byID[serial]
	if !known || key.expired(now) {
		if k.renewable && hexShape.MatchString(serial) {
			named := serial // else every serial would be put on the heap
			k.missing.Store(&named)
		}
		return nil, false
	}
	return key.pub, true
}

// stale says that a message came of a certificate that is still not held.
func (k *keyring) stale(now time.Time) bool {
	serial := k.missing.Load()
	if serial == nil {
		return false
	}
	key, held := k.set.Load().byID[*serial]
	return !held || key.expired(now)
}

// accepted names the key that answers shall be signed with, and that our
// secrets for WeChat Pay are encrypted with: the first configured, or when
// that has expired the one that lasts longest.
func (k *keyring) accepted(now time.Time) (string, *rsa.PublicKey) {
	set := k.set.Load()
	best := set.accept
	if set.byID[best].expired(now) {
		for serial, key := range set.byID {
			if key.expired(now) {
				continue
			}
			was := set.byID[best]
			if was.expired(now) || !was.until.IsZero() && (key.until.IsZero() || key.until.After(was.until)) {
				best = serial
			}
		}
	}
	return best, set.byID[best].pub
}

// add takes further keys in. Those that are held already stay as they are,
// and so does what was configured.
func (k *keyring) add(more map[string]heldKey) {
	k.swaps.Lock()
	defer k.swaps.Unlock()
	old := k.set.Load()
	next := maps.Clone(old.byID)
	for serial, key := range more {
		if _, held := next[serial]; !held && len(next) < maxKeys {
			next[serial] = key
		}
	}
	k.set.Store(&keyset{byID: next, accept: old.accept})
}
