package pricing

import (
	"cmp"
	"slices"
	"strings"
)

// Limits on one search for the best coupons.
const (
	// MaxWallet is how many coupons of different discounts a search considers:
	// the soonest to expire. Of equal coupons it needs no more than could be
	// used together.
	MaxWallet = 200

	// maxWork is how many examinations of a line one search may take, or as much
	// other work: 5 to 25 ms of one core, and not 50. There is no clock here, so that
	// the same wallet gets the same answer however busy the machine is.
	maxWork = 3_000_000
)

// Choice is the best that a wallet can do for a cart.
type Choice struct {
	Quote   *Quote
	Codes   []string // in the order to give them; none when none takes anything off
	Of      int      // how many coupons of the wallet could take something off by themselves
	Stopped bool     // the search ended at a limit: there may be a better choice
}

// Best prices the cart with the coupons of the wallet that together, and in
// the best order, bring it to the lowest payable: of all that the rules allow,
// so at most MaxCoupons, and at most one that is not stackable. Of choices
// that come to the same the one with fewest coupons is taken, then the one
// whose coupons expire first, then the one whose codes sort first. Coupons of
// the wallet that are Refused, or that take nothing off, are left out. The
// wallet's order does not matter, and neither it nor the input is changed;
// in.Coupons is not used.
//
// Promotions are priced once, for coupons come after them. The search over
// the coupons is in search.go. Choice.Stopped says whether it was stopped, and
// the best choice found until then is returned.
//
// The errors are those of Price; and a code that is twice in the wallet.
func Best(in Input, wallet []Coupon) (Choice, error) {
	in.Coupons = nil
	c, err := promoted(&in, nil)
	if err != nil {
		return Choice{}, err
	}
	wallet = slices.Clone(wallet)
	slices.SortFunc(wallet, func(a, b Coupon) int {
		return cmp.Or(a.expires(&b), strings.Compare(a.Code, b.Code))
	})
	if err := checkWallet(wallet); err != nil {
		return Choice{}, err
	}
	s := newSearch(c, c.openCoupons(wallet))
	s.run()
	var chosen []Coupon
	codes := make([]string, 0, len(s.best.path))
	for _, at := range s.chosen() {
		chosen = append(chosen, wallet[at])
		codes = append(codes, wallet[at].Code)
	}
	c.useCoupons(chosen, nil)
	in.Coupons = chosen
	c.sayWhatIf(&in)
	return Choice{Quote: c.quote(in.Currency), Codes: codes, Of: s.usable, Stopped: s.stopped}, nil
}

// expires compares by ValidUntil; what never expires comes last.
func (u *Coupon) expires(other *Coupon) int {
	switch never, neither := u.ValidUntil.IsZero(), other.ValidUntil.IsZero(); {
	case never && neither:
		return 0
	case never:
		return 1
	case neither:
		return -1
	}
	return u.ValidUntil.Compare(other.ValidUntil)
}

// checkWallet refuses a code that is there twice: it could be taken twice.
func checkWallet(wallet []Coupon) error {
	seen := make(map[string]bool, len(wallet))
	var f faults
	for i := range wallet {
		if seen[wallet[i].Code] {
			f.add("/couponCodes", "%s is in the wallet twice", wallet[i].Code)
		}
		seen[wallet[i].Code] = true
	}
	return f.err()
}
