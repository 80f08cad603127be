package app_test

import (
	"sync"
	"testing"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

// TestLastKey: a shop keeps a key that works, also when keys revoke each other
// at once, and a secret that was revoked does not come back.
func TestLastKey(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		r := open(nil)
		first, _, err := r.AddKey(ctx, shop.Default, "first", "sk_the_first_one")
		must(t)(nil, err)
		if err := r.RevokeKey(ctx, shop.Default, first.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("the last key: %v, want conflict", err)
		}
		second, secret, err := r.AddKey(ctx, shop.Default, "second", "")
		must(t)(nil, err)
		var both sync.WaitGroup
		errs := make([]error, 2)
		for i, id := range []string{first.ID, second.ID} {
			both.Go(func() { errs[i] = r.RevokeKey(ctx, shop.Default, id) })
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("two keys revoked at once: %v", errs)
		}
		revoked := map[bool]string{true: "sk_the_first_one", false: secret}[errs[0] == nil]
		if _, _, err := r.AddKey(ctx, shop.Default, "again", revoked); !fault.Is(err, fault.Conflict) {
			t.Errorf("a revoked secret: %v, want conflict", err)
		}
		for i, id := range []string{first.ID, second.ID} {
			if again := r.RevokeKey(ctx, shop.Default, id); (again == nil) != (errs[i] == nil) {
				t.Errorf("key %d revoked again: %v", i, again)
			}
		}
		if err := r.RevokeKey(ctx, shop.Default, "key_none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("no key: %v", err)
		}
	})
}
