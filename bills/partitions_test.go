package bills_test

import (
	"cmp"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/bills"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/reconcile"
)

// TestPartitions: the rows of a day come back from the files as they went in,
// whatever they hold: other people write the bills.
func TestPartitions(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "1", "微信支付", "a\x00b"}), rapid.String())
	whole := rapid.OneOf(rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64}), rapid.Int64())
	// The stores keep microseconds, and so do the files.
	at := rapid.Custom(func(t *rapid.T) time.Time {
		if us := rapid.Int64Range(-1<<50, 1<<52).Draw(t, "us"); us != 0 {
			return time.UnixMicro(us).UTC()
		}
		return time.Time{}
	})
	kind := rapid.SampledFrom([]payment.BillKind{payment.BillPayment, payment.BillRefund})
	row := rapid.Custom(func(t *rapid.T) payment.BillRow {
		return payment.BillRow{
			Kind: kind.Draw(t, "kind"), Line: whole.Draw(t, "line"), PaymentNo: text.Draw(t, "payment"), RefundNo: text.Draw(t, "refund"),
			TransactionID: text.Draw(t, "transaction"), RefundID: text.Draw(t, "refundID"), Amount: whole.Draw(t, "amount"), Fee: whole.Draw(t, "fee"), Rate: whole.Draw(t, "rate"),
			Currency: text.Draw(t, "currency"), Merchant: text.Draw(t, "merchant"), App: text.Draw(t, "app"), Reported: text.Draw(t, "word"),
			Done: rapid.Bool().Draw(t, "done"), At: at.Draw(t, "at"),
		}
	})
	our := rapid.Custom(func(t *rapid.T) reconcile.Ours {
		return reconcile.Ours{
			Kind: kind.Draw(t, "kind"), PaymentNo: text.Draw(t, "payment"), RefundNo: text.Draw(t, "refund"), TransactionID: text.Draw(t, "transaction"),
			Amount: whole.Draw(t, "amount"), Currency: text.Draw(t, "currency"), Merchant: text.Draw(t, "merchant"), App: text.Draw(t, "app"),
			State: text.Draw(t, "state"), Settled: rapid.Bool().Draw(t, "settled"), At: at.Draw(t, "at"), CreatedAt: at.Draw(t, "created"),
		}
	})
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		const parts = 4
		theirs, ours := rapid.SliceOf(row).Draw(rt, "theirs"), rapid.SliceOf(our).Draw(rt, "ours")
		gotTheirs, gotOurs, err := bills.RoundTrip(dir, theirs, ours, parts)
		if err != nil {
			rt.Fatal(err)
		}
		// They come back part by part, each in the order in which it was written.
		slices.SortStableFunc(theirs, func(a, b payment.BillRow) int {
			return cmp.Compare(reconcile.Partition(a.PaymentNo, parts), reconcile.Partition(b.PaymentNo, parts))
		})
		slices.SortStableFunc(ours, func(a, b reconcile.Ours) int {
			return cmp.Compare(reconcile.Partition(a.PaymentNo, parts), reconcile.Partition(b.PaymentNo, parts))
		})
		if !slices.Equal(gotTheirs, theirs) {
			rt.Fatalf("theirs differ: %s", gocmp.Diff(theirs, gotTheirs))
		}
		if !slices.Equal(gotOurs, ours) {
			rt.Fatalf("ours differ: %s", gocmp.Diff(ours, gotOurs))
		}
	})
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%d files are left behind (%v)", len(left), err)
	}
}
