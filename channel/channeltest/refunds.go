package channeltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// accounts is the channel as what gives money back.
func (s suite) accounts() payment.Accounts {
	s.Helper()
	a, ok := s.Channel.(payment.Accounts)
	if !ok {
		s.Fatal("the channel is no payment.Accounts")
	}
	return a
}

// refundOf is a refund of a paid payment, as a caller makes it.
func (s suite) refundOf(paymentNo, refundNo string, amountBack int64) payment.RefundRequest {
	return payment.RefundRequest{
		RefundNo: refundNo, PaymentNo: paymentNo, TransactionID: s.query(paymentNo, payment.Paid).TransactionID,
		Amount: amountBack, Total: amount, Currency: "CNY", Reason: "不想要了 & <b>", NotifyURL: s.NotifyURL,
	}
}

// bought is a payment that has been paid.
func (s suite) bought(paymentNo string) {
	s.Helper()
	s.open(paymentNo)
	s.must(s.Pay(paymentNo))
}

// refund must be taken: the money has gone, or will.
func (s suite) refund(r payment.RefundRequest) payment.Fact {
	s.Helper()
	f, err := s.accounts().Refund(s.Context(), r)
	s.must(err)
	if f.Kind != payment.Refunded && f.Kind != payment.Open {
		s.Fatalf("the refund is %q", f.Kind)
	}
	s.isOf(r, f, payment.ByRefund)
	return f
}

// isOf compares a fact with the refund that it must be about.
func (s suite) isOf(r payment.RefundRequest, f payment.Fact, by payment.Source) {
	s.Helper()
	if f.ID == "" || f.RefundNo != r.RefundNo || f.Amount != r.Amount || f.Source != by || f.ReceivedAt.IsZero() || f.Reported == "" {
		s.Errorf("the fact is %+v, the refund %+v", f, r)
	}
}

// refunded requires the refund, once settled, to have gone.
func (s suite) refunded(r payment.RefundRequest) payment.Fact {
	s.Helper()
	s.must(s.Settle())
	return s.became(r, payment.Refunded)
}

// became queries the refund.
func (s suite) became(r payment.RefundRequest, want payment.FactKind) payment.Fact {
	s.Helper()
	f, err := s.accounts().QueryRefund(s.Context(), r)
	if err != nil || f.Kind != want {
		s.Fatalf("refund %s: %q, %v; want %q", r.RefundNo, f.Kind, err, want)
	}
	s.isOf(r, f, payment.ByQuery)
	if want == payment.Refunded && (f.Merchant == "" || f.Currency != "CNY") {
		s.Errorf("the fact is %+v", f)
	}
	return f
}

// unmade requires a refund that the channel does not know.
func (s suite) unmade(r payment.RefundRequest) {
	s.Helper()
	_, err := s.accounts().QueryRefund(s.Context(), r)
	s.fails("query of "+r.RefundNo, err, payment.ErrNotExist)
}

// left requires this much of the payment not to have been refunded: that much
// can be, and not a fen more.
func (s suite) left(paymentNo string, rest int64) {
	s.Helper()
	more := s.refundOf(paymentNo, "CTRMORE"+paymentNo, rest+1)
	_, err := s.accounts().Refund(s.Context(), more)
	s.rejects("one fen more than is left", err)
	s.unmade(more)
	if rest > 0 {
		last := s.refundOf(paymentNo, "CTRREST"+paymentNo, rest)
		s.refund(last)
		s.refunded(last)
	}
}

func refundWhole(s suite) {
	const no = "CTRWHOLE0001"
	s.bought(no)
	paid := s.query(no, payment.Paid)
	r := s.refundOf(no, "CTRW1", amount)
	first := s.refund(r)
	if first.Kind == payment.Open {
		s.became(r, payment.Open)
	}
	f := s.refunded(r)
	if f.At.IsZero() {
		s.Error("nobody says when the money went")
	}
	if diff := cmp.Diff(f, s.became(r, payment.Refunded)); diff != "" {
		s.Errorf("queried twice: %s", diff)
	}
	// What was paid stays paid: the money that went back is another fact.
	if again := s.query(no, payment.Paid); again.ID != paid.ID || again.Amount != amount {
		s.Errorf("the payment was %+v and is %+v", paid, again)
	}
	s.left(no, 0)
}

func refundParts(s suite) {
	const no = "CTRPARTS0001"
	s.bought(no)
	seen := map[string]bool{}
	for i, part := range []int64{1, 1000, amount - 1001} {
		r := s.refundOf(no, fmt.Sprintf("CTRP%d", i), part)
		s.refund(r)
		f := s.refunded(r)
		if seen[f.ID] {
			s.Errorf("%s is the fact of two refunds", f.ID)
		}
		seen[f.ID] = true
		s.query(no, payment.Paid)
	}
	s.left(no, 0)
}

func refundRepeated(s suite) {
	const no = "CTRAGAIN0001"
	s.bought(no)
	r := s.refundOf(no, "CTRA1", 500)
	s.refund(r)
	s.refund(r)
	want := s.refunded(r)
	if f := s.refund(r); f.Kind != payment.Refunded || f.ID != want.ID {
		s.Errorf("repeated afterwards: %+v; the query says %+v", f, want)
	}
	s.left(no, amount-500)
	s.refund(r) // and when the payment is used up
}

func refundByMany(s suite) {
	const no = "CTRMANY0001"
	s.bought(no)
	r := s.refundOf(no, "CTRM1", 700)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			// A channel that is busy with the first may say so.
			f, err := s.accounts().Refund(s.Context(), r)
			if err != nil && !errors.Is(err, payment.ErrUnknown) && !errors.Is(err, payment.ErrBusy) {
				s.Error(err)
			}
			if err == nil {
				s.isOf(r, f, payment.ByRefund)
			}
		})
	}
	wg.Wait()
	s.refund(r)
	s.refunded(r)
	s.left(no, amount-700)
}

func refundOtherAmount(s suite) {
	const no = "CTROTHER0001"
	s.bought(no)
	r := s.refundOf(no, "CTRO1", 300)
	s.refund(r)
	other := r
	for _, other.Amount = range []int64{1, 299, 301, amount} {
		f, err := s.accounts().Refund(s.Context(), other)
		var rejected *payment.RejectedError
		if !errors.As(err, &rejected) && !errors.Is(err, payment.ErrUnknown) {
			s.Errorf("%d under the same number: %+v, %v", other.Amount, f, err)
		}
	}
	s.refunded(r)
	s.left(no, amount-300)
}

func refundTooMuch(s suite) {
	const no = "CTRMUCH0001"
	s.bought(no)
	r := s.refundOf(no, "CTRT1", amount+1)
	_, err := s.accounts().Refund(s.Context(), r)
	s.rejects("more than was paid", err)
	first := s.refundOf(no, "CTRT2", 1000)
	s.refund(first)
	r = s.refundOf(no, "CTRT3", amount-999)
	_, err = s.accounts().Refund(s.Context(), r)
	s.rejects("more than is left", err)
	s.unmade(r)
	s.refunded(first)
	s.left(no, amount-1000)
}

// refundUnpaid is never a refund; whether the channel is sure of it or sends
// us to the query is its own matter.
func refundUnpaid(s suite) {
	const no = "CTRUNPAID0001"
	s.open(no)
	r := payment.RefundRequest{
		RefundNo: "CTRU1", PaymentNo: no, Amount: amount, Total: amount, Currency: "CNY", NotifyURL: s.NotifyURL,
	}
	f, err := s.accounts().Refund(s.Context(), r)
	var rejected *payment.RejectedError
	if !errors.As(err, &rejected) && !errors.Is(err, payment.ErrUnknown) {
		s.Errorf("refund: %+v, %v", f, err)
	}
	s.unmade(r)
	s.query(no, payment.Open)
	s.must(s.Pay(no))
	s.left(no, amount)
}

func refundUnknown(s suite) {
	r := payment.RefundRequest{
		RefundNo: "CTRN1", PaymentNo: "CTRNOBODY0001", Amount: amount, Total: amount, Currency: "CNY", NotifyURL: s.NotifyURL,
	}
	_, err := s.accounts().Refund(s.Context(), r)
	s.rejects("refund", err)
	s.unmade(r)
}

// refundRefusedHere can never pass, and must not look as if its outcome were
// unknown.
func refundRefusedHere(s suite) {
	const no = "CTRNEVER0001"
	s.bought(no)
	for name, change := range map[string]func(*payment.RefundRequest){
		"no number":            func(r *payment.RefundRequest) { r.RefundNo = "" },
		"a number with a path": func(r *payment.RefundRequest) { r.RefundNo = "../CTR1" },
		"a long number":        func(r *payment.RefundRequest) { r.RefundNo = strings.Repeat("9", 65) },
		"nothing":              func(r *payment.RefundRequest) { r.Amount = 0 },
		"less than nothing":    func(r *payment.RefundRequest) { r.Amount = -1 },
		"more than the total":  func(r *payment.RefundRequest) { r.Amount = r.Total + 1 },
		"dollars":              func(r *payment.RefundRequest) { r.Currency = "USD" },
	} {
		r := s.refundOf(no, "CTRNEVER1", 100)
		change(&r)
		_, err := s.accounts().Refund(s.Context(), r)
		s.rejects("refund of "+name, err)
	}
	s.left(no, amount)
}

func refundShort(s suite) {
	const no = "CTRSHORT0001"
	s.bought(no)
	r := s.refundOf(no, "CTRS1", amount)
	s.must(s.Short(true))
	f, err := s.accounts().Refund(s.Context(), r)
	s.fails("refund", err, payment.ErrShort)
	if diff := cmp.Diff(payment.Fact{}, f); diff != "" {
		s.Errorf("a fact all the same: %s", diff)
	}
	s.unmade(r)
	s.must(s.Short(false))
	s.refund(r) // identically
	s.refunded(r)
	s.left(no, 0)
}

func refundCancelled(s suite) {
	const no = "CTRGONE0001"
	s.bought(no)
	r := s.refundOf(no, "CTRG1", 100)
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, err := s.accounts().Refund(ctx, r)
	s.fails("refund", err, payment.ErrUnknown)
	_, err = s.accounts().QueryRefund(ctx, r)
	s.fails("query", err, payment.ErrUnknown)
	s.unmade(r)
	s.left(no, amount)
}

// brokenRefund does after each fault what a caller does: query, and only when
// the refund does not exist the identical request again.
func brokenRefund(s suite) {
	for i, f := range faults {
		no := fmt.Sprintf("CTRBREAK%04d", i)
		s.bought(no)
		r := s.refundOf(no, fmt.Sprintf("CTRB%d", i), 800)
		if !s.breaks(Refund, f.fault) {
			continue
		}
		fact, err := s.accounts().Refund(s.Context(), r)
		s.fails(string(f.fault), err, f.want)
		if diff := cmp.Diff(payment.Fact{}, fact); diff != "" {
			s.Errorf("%s: a fact all the same: %s", f.fault, diff)
		}
		if !f.effect {
			s.unmade(r)
			s.refund(r)
		}
		s.refunded(r)
		s.refund(r)
		s.left(no, amount-800)
	}
}

func queryRefundUnknown(s suite) {
	const no = "CTRASK0001"
	s.bought(no)
	r := s.refundOf(no, "CTRQ1", amount)
	s.unmade(r)
	s.refund(r)
	other := r
	other.RefundNo = "CTRQ2"
	s.unmade(other)
	s.refunded(r)
	s.unmade(other)
}

func brokenQueryRefund(s suite) {
	const no = "CTRASK0002"
	s.bought(no)
	r := s.refundOf(no, "CTRQ3", 100)
	s.refund(r)
	s.refunded(r)
	for _, f := range faults {
		if !s.breaks(QueryRefund, f.fault) {
			continue
		}
		fact, err := s.accounts().QueryRefund(s.Context(), r)
		s.fails(string(f.fault), err, f.want)
		if diff := cmp.Diff(payment.Fact{}, fact); diff != "" {
			s.Errorf("%s: a fact all the same: %s", f.fault, diff)
		}
		s.became(r, payment.Refunded)
	}
}

// refundEnds goes through the ends other than the good one.
func refundEnds(s suite) {
	if s.EndRefund == nil {
		s.Skip("this channel refunds at once or not at all")
	}
	const no = "CTRENDS0001"
	s.bought(no)
	stuck, failed := s.refundOf(no, "CTRE1", 200), s.refundOf(no, "CTRE2", 300)
	ids := map[string]bool{}
	for _, row := range []struct {
		r     payment.RefundRequest
		as    payment.FactKind
		first bool
	}{
		{stuck, payment.RefundStuck, true}, {stuck, payment.Refunded, false}, {failed, payment.RefundFailed, true},
	} {
		if row.first {
			s.refund(row.r)
		}
		s.must(s.EndRefund(no, row.r.RefundNo, row.as))
		f := s.became(row.r, row.as)
		if ids[f.ID] {
			s.Errorf("%s is the fact of two outcomes", f.ID)
		}
		ids[f.ID] = true
		n := s.refundNotice(no, row.r)
		if n.Fact.ID != f.ID || n.Fact.Kind != row.as {
			s.Errorf("the callback says %+v, the query %+v", n.Fact, f)
		}
	}
	s.left(no, amount-200) // what failed has left its share
}

// refundNotice reads the refund's callback.
func (s suite) refundNotice(paymentNo string, r payment.RefundRequest) payment.Notice {
	s.Helper()
	h, body, err := s.RefundCallback(paymentNo, r.RefundNo)
	s.must(err)
	n, err := s.Channel.Read(s.Now(), h, body)
	s.must(err)
	if n.ID == "" || n.Type == "" || n.PaymentNo != paymentNo || n.RefundNo != r.RefundNo || len(n.Plain) == 0 {
		s.Errorf("the notice is %+v", n)
	}
	if !s.RefundHints {
		s.isOf(r, n.Fact, payment.ByCallback)
		return n
	}
	if n.Fact.Kind != payment.Paid || n.Fact.Returned < r.Amount || n.Fact.Amount != amount {
		s.Errorf("it says of the payment %+v", n.Fact)
	}
	if n.Hint == nil || n.Hint.Kind != payment.Open || n.Hint.RefundNo != r.RefundNo || n.Hint.Amount != 0 ||
		n.Hint.Source != payment.ByCallback {
		s.Fatalf("the hint is %+v", n.Hint)
	}
	// The caller looks.
	f := s.became(r, payment.Refunded)
	if n.Hint.ID == "" || n.Hint.ID == f.ID || n.Hint.Merchant != f.Merchant {
		s.Errorf("the hint is %+v, and means %+v", n.Hint, f)
	}
	n.Fact = f
	return n
}

// refundCallbackAgrees requires one fact of one refund, from either source and
// however many others there are of the payment.
func refundCallbackAgrees(s suite) {
	const no = "CTRCALL0001"
	s.bought(no)
	for i, part := range []int64{400, 800, amount - 1200} {
		r := s.refundOf(no, fmt.Sprintf("CTRC%d", i), part)
		s.refund(r)
		f := s.refunded(r)
		n := s.refundNotice(no, r)
		if n.Fact.ID != f.ID || n.Fact.Kind != payment.Refunded || n.Fact.Merchant != f.Merchant || n.Fact.Currency != f.Currency {
			s.Errorf("the callback says %+v, the query %+v", n.Fact, f)
		}
		if again := s.refundNotice(no, r); again.Fact.ID != f.ID || again.ID != n.ID {
			s.Errorf("notified twice: %+v, then %+v", n, again)
		}
	}
}

func refundCallbackTampered(s suite) {
	const no = "CTRCALL0002"
	s.bought(no)
	r := s.refundOf(no, "CTRC9", amount)
	s.refund(r)
	s.refunded(r)
	h, body, err := s.RefundCallback(no, r.RefundNo)
	s.must(err)
	for i := 0; i < len(body); i += 1 + len(body)/97 {
		other := bytes.Clone(body)
		other[i] ^= 1
		s.refuses("with a changed byte", s.Now(), h, other, "")
	}
	if s.Fresh > 0 {
		s.refuses("replayed later", s.Now().Add(s.Fresh+2*time.Second), h, body, payment.StageTimestamp)
	}
}
