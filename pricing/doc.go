// Package pricing computes what a cart costs. Price is a pure function: no
// I/O, no clock, no randomness; the same input gives the same bytes, and the
// order in which a client lists its lines makes no difference.
//
// Orders only store the result. A new kind of promotion is a new file in
// this package, a line in the table of kinds and, for a parameter that no kind
// had before, a member of Promotion; nothing outside changes.
//
// # Order of the rules
//
// Rules are applied in this order, each on the amounts that the earlier
// ones left; within a step by priority (higher first), then by id:
//
//  1. fixed_price
//  2. bundle, buy_x_get_y, nth_item, n_for_price, and whatever else is about single units.
//     A unit takes part in at most one rule of this step.
//  3. percent_off, amount_off, tiered and gift
//  4. coupons: percent_off, then amount_off, each in the order given
//
// Only a rule that is active, in date and has a line in scope is considered; the
// others cost next to nothing and are not listed. A considered rule is
// in Quote.Applied with more than 0 (a gift may be worth nothing), or in
// Quote.Skipped with a reason, never both. A coupon that was given is always in one of the two.
//
// # Exclusive groups
//
// A group is decided at the first of its members in a step. All members
// that are still considered, also those of later steps, are then measured on the
// amounts of that moment. The largest discount wins; ties go to the higher
// priority, then to the id that sorts first. A winner of this step applies
// there and then, and the group is over. If the winner belongs to a later
// step, the members of this step have lost, and the rest are measured again
// when that step comes: a winner is chosen by what it would give now, and may
// give another amount later.
//
// # Limits
//
// What limited promotions have given so far, whether this is the buyer's
// first order, and what is available of a gift are part of the input;
// Rules.Needs says which of it a cart needs. A rule whose limit is reached is
// skipped. So is one whose discount is larger than what its budget has left:
// a discount is never given in part. Applied.Limited says which counters an order
// moves: its number of uses by 1, what it has spent by Applied.Amount.
//
// # Coupons that do not stack
//
// At most one coupon that is not stackable applies, beside any number that
// are: of those given, the first that gives a discount. One
// that cannot (for example because its threshold is not met) does not prevent
// the next.
//
// # Explanations
//
// Skipped rules have a reason in English and Chinese. With Input.Explain applied
// rules say what they are for, and a rule whose threshold was reached before
// earlier discounts names them, and says when the cart would cost less without
// one of them and the rule would apply: for that the cart is priced again
// without it, at most 8 times a quote. No amount depends on it.
//
// # The best coupons
//
// Best finds, of a wallet, the coupons and their order that come to the lowest
// payable, by branch and bound over what the coupons' turns would do; it equals
// pricing every list of them. Up to 8 coupons that is exact in well under a
// millisecond, up to a dozen of different worth as a rule, and so are large
// wallets of a few templates. Beyond that a search may end at its limit of
// work (see maxWork) and says so.
//
// # Cost
//
// The benchmarks in bench_test.go with -cpu 1: processor time on a busy shared
// virtual machine that calls its processor "Intel Xeon"; on a quiet one they
// take about half:
//
//	20 lines, 100 promotions of all kinds, all considered     52 µs, 388 allocations
//	20 lines, 100 promotions, each with a share of every line      61 µs,  25 allocations
//	20 lines, 20 promotions, all considered                   12 µs,  52 allocations
//	20 lines, 10,000 promotions, 20 of them considered        17 µs,  53 allocations
//	20 lines, 20 promotions, explained                        13 µs,  68 allocations
//	2 lines, one coupon                                      0.9 µs,  12 allocations
//	Needs of 10,000 promotions that need nothing              16 ns,   0 allocations
//	Needs of 10,000 with limits, 20 of them considered         5 µs,   7 allocations
//	Compile of 10,000 promotions                              11 ms
//
// Without the collection of garbage, which looks through the 10,000 rules, both
// carts with 20 promotions take 8 µs. Each cart that the quote is priced again for, to explain, costs the same
// again.
package pricing
