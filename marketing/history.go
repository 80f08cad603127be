package marketing

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/pricing"
)

// RuleChange is one version of one rule: what a promotion or a coupon
// template became when the shop's rules reached a version. It is kept for
// ever, so that an order can be priced again by the very rules that priced it.
type RuleChange struct {
	Since   int64 // the version of the shop's rules from which on it holds
	ID      string
	Version int64 // the rule's own
	At      time.Time

	// One of the two; neither: the promotion ID was deleted.
	Promotion *pricing.Promotion
	Template  *Template
}

// History gives a shop's rules at any version. It caches the last few that
// were requested. It is not safe for use by many at once.
type History struct {
	changes []RuleChange // by Since

	at         int64 // the version that the maps are at
	next       int   // the first change that is not in them
	promotions map[string]*pricing.Promotion
	templates  map[string]*Template

	recent []*Rules // the last ones that At made, oldest first
}

// recentRules is how many snapshots a History keeps ready. Orders come nearly
// in the order of the versions that priced them.
const recentRules = 8

// Add adds a change; they come in the order of Since.
func (h *History) Add(c RuleChange) { h.changes = append(h.changes, c) }

// At is the snapshot of the rules at a version. It is immutable and may be
// handed on.
func (h *History) At(version int64) *Rules {
	for _, r := range h.recent {
		if r.Version == version {
			return r
		}
	}
	if h.promotions == nil || version < h.at {
		h.next = 0
		h.promotions, h.templates = map[string]*pricing.Promotion{}, map[string]*Template{}
	}
	for ; h.next < len(h.changes) && h.changes[h.next].Since <= version; h.next++ {
		switch c := &h.changes[h.next]; {
		case c.Promotion != nil:
			h.promotions[c.ID] = c.Promotion
		case c.Template != nil:
			h.templates[c.ID] = c.Template
		default:
			delete(h.promotions, c.ID)
		}
	}
	h.at = version
	r := NewRules(version, values(h.promotions), values(h.templates))
	if len(h.recent) == recentRules {
		h.recent = slices.Delete(h.recent, 0, 1)
	}
	h.recent = append(h.recent, r)
	return r
}

// Promotions are the promotions at a version, by id.
func (h *History) Promotions(version int64) []pricing.Promotion {
	h.At(version)
	if h.at != version {
		h.recent = nil
		h.At(version)
	}
	all := values(h.promotions)
	slices.SortFunc(all, func(a, b pricing.Promotion) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func values[V any](m map[string]*V) []V {
	out := make([]V, 0, len(m))
	for v := range maps.Values(m) {
		out = append(out, *v)
	}
	return out
}
