// Package pricing computes what a cart costs. Price is a pure function: no
// I/O, no clock, no randomness; the same input gives the same bytes, and the
// order in which a client lists its lines cannot matter.
//
// Orders only store what comes out. A new kind of promotion is a new file in
// this package, a line in the table of kinds and, for a parameter that no kind
// had before, a member of Promotion; nothing outside changes.
//
// # Turns
//
// Rules take their turns in this order, each on the amounts that the earlier
// ones left; within a step by priority (higher first), then by id:
//
//  1. fixed_price
//  2. buy_x_get_y, and whatever else is about single units. A unit takes part
//     in at most one rule of this step.
//  3. percent_off and amount_off
//  4. coupons: percent_off, then amount_off, each in the order given
//
// Only a rule that is active, in date and has a line in scope has a turn; the
// others cost next to nothing and are not listed. A rule that had its turn is
// in Quote.Applied with more than 0, or in Quote.Skipped with a reason, never
// both. A coupon that was given is always in one of the two.
//
// # Exclusive groups
//
// A group's turn comes with the first of its members in a step. All members
// that are still in play, also those of later steps, are then measured on the
// amounts of that moment. The largest discount wins; ties go to the higher
// priority, then to the id that sorts first. A winner of this step applies
// there and then, and the group is over. If the winner belongs to a later
// step, the members of this step have lost, and the rest are measured again
// when that step comes: a winner is chosen by what it would give now, and is
// not promised that amount.
//
// # Coupons that do not stack
//
// At most one coupon that is not stackable applies, beside any number that
// are: of those given, the first that takes something off at its turn. One
// that cannot (its threshold is not met, say) does not stand in the way of
// the next.
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
// The benchmarks in bench_test.go with -cpu 1, best of six runs, on a shared
// virtual machine that calls its processor "Intel Xeon, model 167":
//
//	20 lines, 100 promotions of all kinds, all in play        25 µs, 169 allocations
//	20 lines, 100 promotions, each sharing in every line      45 µs,  24 allocations
//	20 lines, 10,000 promotions of which 20 are in play       11 µs,  31 allocations
//	2 lines, one coupon                                      0.6 µs,  11 allocations
//	Compile of 10,000 promotions                               7 ms
package pricing
