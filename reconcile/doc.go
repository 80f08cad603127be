// Package reconcile compares what our books have of a day with what a
// channel's bill has of it. It is pure: the caller reads the bill and the
// books, passes both in, and settles the facts that are returned.
//
// It promises:
//   - Every difference is reported under exactly one class, and nothing else is
//     reported (Classes describes the classes).
//   - The order of the rows does not matter, and another run over the same
//     rows gives the same differences, under the same ids.
//   - A day may be cut into partitions by payment number (Partition); the
//     differences and the summaries of the parts are those of the whole.
//   - What the bill proves is settled by the same payment.Fact that a callback
//     would give (Fact). A row whose money payment.Settle would refuse cannot
//     be healed, and is reported as the difference that it has.
//
// # Which row is a payment's own
//
// A payment that has its money is compared with the row of its transaction.
// One that has none is compared with the earliest row whose money is right,
// which is the one that Settle takes. Rows of other transactions are money
// that came a second time, unless the payment's own row should be here and is
// not: then the transaction differs.
//
// # Limits
//
// Fees are measured against the amount that was paid. A channel that takes
// its fee of less (because its own coupon paid a part) shows as a fee that
// differs. Amounts above money.Max are compared, but not added up.
//
// # Cost
//
// A match is one look into a map a row; only what differs allocates. The
// benchmark's bill without a difference, nine payments to a refund, shuffled,
// on a shared virtual machine that calls its processor "Intel Xeon, model
// 167":
//
//	   50,000 pairs    13 ms, 7.6 million rows a second,  2.6 MB
//	1,000,000 pairs   820 ms, 2.5 million rows a second, 72 MB (the map outgrows the caches)
//
// A row of ours takes 184 bytes and one of theirs 200, texts apart (about 100
// more for each); the match adds 50 to 75 a pair, and a difference some 600.
// Partitions of 50,000 pairs thus take about 35 MB, whatever the size of the
// day, and twice that if not one row matches.
package reconcile
