package payment_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/payment"
)

var now = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func opened() *payment.Payment {
	return payment.New("1001", "wechatpay", "mch1", "app1", "", payment.PrepayRequest{
		PaymentNo: "2001", Method: payment.Native, Amount: 900, Currency: "CNY", ExpiresAt: now.Add(15 * time.Minute),
	}, now)
}

func paid(id string, change func(*payment.Fact)) payment.Fact {
	f := payment.Fact{ID: "paid/" + id, Kind: payment.Paid, Source: payment.ByCallback, TransactionID: id, Amount: 900, Currency: "CNY", Merchant: "mch1", App: "app1", At: now.Add(time.Minute)}
	if change != nil {
		change(&f)
	}
	return f
}

var (
	closed = payment.Fact{ID: "closed", Kind: payment.Closed, Source: payment.ByClose}
	failed = payment.Fact{ID: "failed/PAYERROR", Kind: payment.Failed, Source: payment.ByQuery}
	back   = payment.Fact{ID: "refund/r1", Kind: payment.Refunded, Amount: 300, Merchant: "mch1"}
	more   = payment.Fact{ID: "refund/r2", Kind: payment.Refunded, Amount: 700, Merchant: "mch1"}
	open   = payment.Fact{ID: "open", Kind: payment.Open, Source: payment.ByQuery}
)

func TestSettle(t *testing.T) {
	for _, tt := range []struct {
		name    string
		facts   []payment.Fact
		last    payment.Outcome
		status  payment.Status
		anomaly string
	}{
		{"paid", []payment.Fact{paid("a", nil)}, payment.Settled, payment.StatusSucceeded, ""},
		{"paid twice over", []payment.Fact{paid("a", nil), paid("a", nil)}, payment.Repeated, payment.StatusSucceeded, ""},
		{"reported by callback and query", []payment.Fact{paid("a", nil), paid("a", func(f *payment.Fact) { f.Source = payment.ByQuery })}, payment.Repeated, payment.StatusSucceeded, ""},
		{"success after failure", []payment.Fact{failed, paid("a", nil)}, payment.Settled, payment.StatusSucceeded, ""},
		{"success after close", []payment.Fact{closed, paid("a", nil)}, payment.Settled, payment.StatusSucceeded, ""},
		{"failure after success", []payment.Fact{paid("a", nil), failed}, payment.Recorded, payment.StatusSucceeded, ""},
		{"close after success", []payment.Fact{paid("a", nil), closed}, payment.Recorded, payment.StatusSucceeded, ""},
		{"closed", []payment.Fact{closed}, payment.NowClosed, payment.StatusClosed, ""},
		{"failed, then closed", []payment.Fact{failed, closed}, payment.NowClosed, payment.StatusClosed, ""},
		{"still open", []payment.Fact{open}, payment.StillOpen, payment.StatusCreated, ""},
		{"wrong amount", []payment.Fact{paid("a", func(f *payment.Fact) { f.Amount = 899 })}, payment.Anomalous, payment.StatusCreated, "amount: paid 899, asked 900"},
		{"wrong currency", []payment.Fact{paid("a", func(f *payment.Fact) { f.Currency = "USD" })}, payment.Anomalous, payment.StatusCreated, "currency: paid USD, asked CNY"},
		{"wrong merchant", []payment.Fact{paid("a", func(f *payment.Fact) { f.Merchant = "mch2" })}, payment.Anomalous, payment.StatusCreated, "merchant: paid to mch2, ours is mch1"},
		{"wrong app", []payment.Fact{paid("a", func(f *payment.Fact) { f.App = "app2" })}, payment.Anomalous, payment.StatusCreated, "app: paid in app2, ours is app1"},
		{"refunded in part", []payment.Fact{paid("a", nil), back}, payment.GoneBack, payment.StatusSucceeded, ""},
		{"refunded, reported twice", []payment.Fact{paid("a", nil), back, back}, payment.Repeated, payment.StatusSucceeded, ""},
		{"refund reported first", []payment.Fact{back, paid("a", nil)}, payment.Settled, payment.StatusSucceeded, ""},
		{"refund of nothing", []payment.Fact{back}, payment.Recorded, payment.StatusCreated, ""},
		{"refunded by another", []payment.Fact{paid("a", nil), {ID: "refund/r1", Kind: payment.Refunded, Amount: 300, Merchant: "mch2"}}, payment.Anomalous, payment.StatusSucceeded, "merchant: refunded by mch2, ours is mch1"},
		{"more refunded than paid", []payment.Fact{paid("a", nil), back, more}, payment.GoneBack, payment.StatusSucceeded, "refunds: 1000 went back of 900"},
		{"wrong, then right", []payment.Fact{paid("a", func(f *payment.Fact) { f.Amount = 1 }), paid("b", nil)}, payment.Settled, payment.StatusSucceeded, "amount: paid 1, asked 900"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := opened()
			var last payment.Outcome
			for _, f := range tt.facts {
				last = p.Settle(f, now)
			}
			d := p.Data()
			if last != tt.last || d.Status != tt.status || d.Anomaly != tt.anomaly {
				t.Errorf("got %s, %s %q; want %s, %s %q", last, d.Status, d.Anomaly, tt.last, tt.status, tt.anomaly)
			}
			if d.Status != payment.StatusSucceeded && d.Suspense() != 0 {
				t.Errorf("%d in suspense without money", d.Suspense())
			}
			if d.Open() == d.NextQueryAt.IsZero() {
				t.Errorf("%s: next query at %v", d.Status, d.NextQueryAt)
			}
		})
	}
}

// TestOrderOfFactsDoesNotMatter: the state is a function of the set.
func TestOrderOfFactsDoesNotMatter(t *testing.T) {
	all := []payment.Fact{
		paid("a", nil), paid("b", func(f *payment.Fact) { f.At = now.Add(2 * time.Minute) }), closed, failed,
		paid("c", func(f *payment.Fact) { f.Amount = 1 }), paid("d", func(f *payment.Fact) { f.App = "app2" }),
		{ID: "failed/other", Kind: payment.Failed}, back, more, open,
	}
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 0, 7, rapid.ID[int]).Draw(t, "facts")
		reported := append(append([]int{}, set...), rapid.SliceOfN(rapid.SampledFrom(append(set, len(all)-1)), 0, 4).Draw(t, "again")...)
		state := func(order []int) string {
			p := opened()
			for i, f := range order {
				p.Settle(all[f], now.Add(time.Duration(i)*time.Second))
			}
			d := p.Data()
			return fmt.Sprint(d.Status, d.Anomaly, d.TransactionID != "", d.NextQueryAt.IsZero(), d.Refunded, len(d.Facts))
		}
		one := state(reported)
		other := state(rapid.Permutation(reported).Draw(t, "order"))
		if one != other {
			t.Errorf("%s\nin another order\n%s", one, other)
		}
	})
}

func TestTakenLate(t *testing.T) {
	p := opened()
	p.Settle(paid("a", nil), now)
	if p.Accepted(payment.Action{Kind: "qr_code"}) || p.Data().Status != payment.StatusSucceeded {
		t.Errorf("a late prepay answer changed the state to %s", p.Data().Status)
	}
}
