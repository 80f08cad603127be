package channeltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

func itself(s suite) {
	if s.Channel.Kind() == "" {
		s.Error("it has no kind")
	}
	methods := s.Channel.Methods()
	for i, m := range methods {
		if m == "" || slices.Contains(methods[:i], m) {
			s.Errorf("methods are %q", methods)
		}
	}
	for _, m := range s.Called {
		if !slices.Contains(methods, m) {
			s.Errorf("%q is called but is no method", m)
		}
	}
	// The caller may do what it likes with the answer.
	methods[0] = "mine"
	if s.Channel.Methods()[0] == "mine" {
		s.Error("methods are shared with the caller")
	}
}

// usable requires an action that a device can act on.
func (s suite) usable(what string, a payment.Action) {
	s.Helper()
	var ok bool
	switch a.Kind {
	case "qr_code":
		ok = a.CodeURL != "" && a.URL == "" && a.Params == nil
	case "redirect":
		ok = a.URL != "" && a.CodeURL == "" && a.Params == nil
	case "sdk_params":
		ok = len(a.Params) > 0 && a.URL == "" && a.CodeURL == ""
	}
	if !ok {
		s.Errorf("%s: no usable action: %+v", what, a)
	}
}

func prepayEveryMethod(s suite) {
	for i, m := range s.Channel.Methods() {
		no := fmt.Sprintf("CTEVERY%04d", i)
		a, err := s.Channel.Prepay(s.Context(), s.request(m, no))
		s.must(err)
		s.usable(string(m), a)
		s.show(no)
		s.query(no, payment.Open)
		s.must(s.Pay(no))
		s.query(no, payment.Paid)
	}
}

// prepayTerms requires the gateway to know where to send the callback and when
// the payment ends: no answer shows that either was forgotten.
func prepayTerms(s suite) {
	for i, m := range s.Channel.Methods() {
		r := s.request(m, fmt.Sprintf("CTTERMS%04d", i))
		r.NotifyURL += "/" + string(m)
		r.ExpiresAt = s.Now().Add(time.Duration(37+i) * time.Minute).Truncate(time.Second)
		_, err := s.Channel.Prepay(s.Context(), r)
		s.must(err)
		s.show(r.PaymentNo)
		notify, expires, err := s.Terms(r.PaymentNo)
		s.must(err)
		if notify != r.NotifyURL || !expires.Equal(r.ExpiresAt) {
			s.Errorf("%s: the gateway notifies %q and ends it at %s, want %q and %s", m, notify, expires, r.NotifyURL, r.ExpiresAt)
		}
	}
}

func prepayRepeated(s suite) {
	for i, m := range s.Channel.Methods() {
		no := fmt.Sprintf("CTREPEAT%04d", i)
		r := s.request(m, no)
		first, err := s.Channel.Prepay(s.Context(), r)
		s.must(err)
		for range 3 {
			again, err := s.Channel.Prepay(s.Context(), r)
			s.must(err)
			s.usable(string(m), again)
			if again.Kind != first.Kind {
				s.Errorf("%s: first %q, then %q", m, first.Kind, again.Kind)
			}
		}
		s.show(no)
		s.must(s.Pay(no))
		s.query(no, payment.Paid)
	}
}

func prepayByMany(s suite) {
	const no = "CTMANY0001"
	r := s.request(s.method(), no)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			a, err := s.Channel.Prepay(s.Context(), r)
			if err != nil {
				s.Error(err)
				return
			}
			s.usable("one of many", a)
			if _, err := s.Channel.Query(s.Context(), no); err != nil && !errors.Is(err, payment.ErrNotExist) {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	s.show(no)
	s.query(no, payment.Open)
}

func prepayOtherAmount(s suite) {
	const no = "CTOTHER0001"
	s.open(no)
	r := s.request(s.method(), no)
	r.Amount++
	// A certain refusal, or an outcome that only a query can explain: never an action.
	var rejected *payment.RejectedError
	if _, err := s.Channel.Prepay(s.Context(), r); !errors.As(err, &rejected) && !errors.Is(err, payment.ErrUnknown) {
		s.Errorf("another amount under the same number: got %v", err)
	}
	s.must(s.Pay(no))
	if f := s.query(no, payment.Paid); f.Amount != amount {
		s.Errorf("it was paid with %d", f.Amount)
	}
}

func prepayNoMethod(s suite) {
	_, err := s.Channel.Prepay(s.Context(), s.request("carrier-pigeon", "CTPIGEON0001"))
	s.rejects("an unknown method", err)
	_, err = s.Channel.Query(s.Context(), "CTPIGEON0001")
	s.fails("query afterwards", err, payment.ErrNotExist)
}

func prepayPaid(s suite) {
	const no = "CTPAID0001"
	s.open(no)
	s.must(s.Pay(no))
	_, err := s.Channel.Prepay(s.Context(), s.request(s.method(), no))
	s.fails("prepay", err, payment.ErrPaid)
}

func prepayClosed(s suite) {
	const no = "CTCLOSED0001"
	s.open(no)
	s.must(s.Channel.Close(s.Context(), no))
	_, err := s.Channel.Prepay(s.Context(), s.request(s.method(), no))
	s.fails("prepay", err, payment.ErrClosed)
}

func queryUnknown(s suite) {
	_, err := s.Channel.Query(s.Context(), "CTNOBODY0001")
	s.fails("query", err, payment.ErrNotExist)
}

func queryPaid(s suite) {
	const no = "CTQUERY0001"
	s.open(no)
	if f := s.query(no, payment.Open); f.TransactionID != "" && f.Amount != 0 && f.Amount != amount {
		s.Errorf("open: %+v", f)
	}
	s.must(s.Pay(no))
	f := s.query(no, payment.Paid)
	if f.Amount != amount || f.Currency != "CNY" || f.TransactionID == "" || f.Merchant == "" || f.App == "" || f.At.IsZero() {
		s.Errorf("paid: %+v", f)
	}
	if diff := cmp.Diff(f, s.query(no, payment.Paid)); diff != "" {
		s.Errorf("queried twice: %s", diff)
	}
}

func queryFailed(s suite) {
	if s.Fail == nil {
		s.Skip("this gateway has no failing attempts")
	}
	const no = "CTFAIL0001"
	s.open(no)
	s.must(s.Fail(no))
	s.query(no, payment.Failed)
	s.must(s.Pay(no)) // a later attempt may succeed
	s.query(no, payment.Paid)
}

func queryShut(s suite) {
	if s.Shut == nil {
		s.Skip("this gateway closes nothing by itself")
	}
	const no = "CTSHUT0001"
	s.open(no)
	s.must(s.Shut(no))
	s.query(no, payment.Closed)
	_, err := s.Channel.Prepay(s.Context(), s.request(s.method(), no))
	s.fails("prepay afterwards", err, payment.ErrClosed)
}

func closeOpen(s suite) {
	const no = "CTCLOSE0001"
	s.open(no)
	s.must(s.Channel.Close(s.Context(), no))
	s.query(no, payment.Closed)
	if err := s.Pay(no); err == nil {
		s.Error("it could be paid after it was closed")
	}
}

func closeTwice(s suite) {
	const no = "CTCLOSE0002"
	s.open(no)
	s.must(s.Channel.Close(s.Context(), no))
	if err := s.Channel.Close(s.Context(), no); err != nil {
		s.fails("the second time", err, payment.ErrClosed)
	}
	s.query(no, payment.Closed)
}

func closePaid(s suite) {
	const no = "CTCLOSE0003"
	s.open(no)
	s.must(s.Pay(no))
	s.fails("close", s.Channel.Close(s.Context(), no), payment.ErrPaid)
	s.query(no, payment.Paid)
}

func closeUnknown(s suite) {
	s.fails("close", s.Channel.Close(s.Context(), "CTNOBODY0002"), payment.ErrNotExist)
}

func cancelled(s suite) {
	const no = "CTCANCEL0001"
	s.open(no)
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, err := s.Channel.Prepay(ctx, s.request(s.method(), "CTCANCEL0002"))
	s.fails("prepay", err, payment.ErrUnknown)
	_, err = s.Channel.Query(ctx, no)
	s.fails("query", err, payment.ErrUnknown)
	s.fails("close", s.Channel.Close(ctx, no), payment.ErrUnknown)
	s.query(no, payment.Open)
}

// brokenPrepay repeats after each fault what a caller does: query, then the
// identical prepay.
func brokenPrepay(s suite) {
	for i, f := range faults {
		no := fmt.Sprintf("CTBREAKP%04d", i)
		if !s.breaks(Prepay, f.fault) {
			continue
		}
		r := s.request(s.method(), no)
		a, err := s.Channel.Prepay(s.Context(), r)
		s.fails(string(f.fault), err, f.want)
		if diff := cmp.Diff(payment.Action{}, a); diff != "" {
			s.Errorf("%s: an action all the same: %s", f.fault, diff)
		}
		if f.effect && s.Show == nil {
			s.query(no, payment.Open)
		} else {
			_, err = s.Channel.Query(s.Context(), no)
			s.fails(string(f.fault)+", query", err, payment.ErrNotExist)
		}
		a, err = s.Channel.Prepay(s.Context(), r)
		s.must(err)
		s.usable(string(f.fault)+", repeated", a)
		s.show(no)
		s.must(s.Pay(no))
		s.query(no, payment.Paid)
	}
}

func brokenQuery(s suite) {
	for i, f := range faults {
		no := fmt.Sprintf("CTBREAKQ%04d", i)
		s.open(no)
		s.must(s.Pay(no))
		if !s.breaks(Query, f.fault) {
			continue
		}
		fact, err := s.Channel.Query(s.Context(), no)
		s.fails(string(f.fault), err, f.want)
		if diff := cmp.Diff(payment.Fact{}, fact); diff != "" {
			s.Errorf("%s: a fact all the same: %s", f.fault, diff)
		}
		s.query(no, payment.Paid)
	}
}

// hugeQuery requires an answer of any size to end in bounded time.
func hugeQuery(s suite) {
	const no = "CTHUGE0001"
	s.open(no)
	s.must(s.Pay(no))
	if !s.breaks(Query, HugeAnswer) {
		s.Skip("this gateway has no huge answers")
	}
	_, err := s.Channel.Query(s.Context(), no)
	s.fails("query", err, payment.ErrUnknown)
	s.query(no, payment.Paid)
}

func brokenClose(s suite) {
	for i, f := range faults {
		no := fmt.Sprintf("CTBREAKC%04d", i)
		s.open(no)
		if !s.breaks(Close, f.fault) {
			continue
		}
		s.fails(string(f.fault), s.Channel.Close(s.Context(), no), f.want)
		if f.effect {
			s.query(no, payment.Closed)
			continue
		}
		s.query(no, payment.Open)
		s.must(s.Channel.Close(s.Context(), no))
		s.query(no, payment.Closed)
	}
}
