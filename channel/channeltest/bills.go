package channeltest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// bill must be whole; it gives its rows.
func (s suite) bill(day payment.Day) []payment.BillRow {
	s.Helper()
	rows, sum, err := s.readBill(s.Context(), day)
	s.must(err)
	want := payment.BillSummary{Fee: sum.Fee, Bytes: sum.Bytes}
	var fee int64
	for _, r := range rows {
		if fee += r.Fee; r.Kind == payment.BillPayment {
			want.Payments, want.Paid = want.Payments+1, want.Paid+r.Amount
		} else {
			want.Refunds, want.Refunded = want.Refunds+1, want.Refunded+r.Amount
		}
	}
	if diff := cmp.Diff(want, sum); diff != "" || fee != sum.Fee || sum.Bytes == 0 {
		s.Errorf("the summary is %+v, the fees of the rows are %d: %s", sum, fee, diff)
	}
	return rows
}

func (s suite) readBill(ctx context.Context, day payment.Day) (rows []payment.BillRow, sum payment.BillSummary, err error) {
	sum, err = s.accounts().Bill(ctx, day, func(r payment.BillRow) error { rows = append(rows, r); return nil })
	return rows, sum, err
}

// moved is a day on which three payments were paid, one of them refunded in
// two parts and one in whole, and one stayed open. It ends the day.
func (s suite) moved() (day payment.Day, refunds []payment.RefundRequest) {
	s.Helper()
	for i := range 3 {
		s.bought(fmt.Sprintf("CTBILL%04d", i))
	}
	s.open("CTBILL0009")
	for i, part := range []int64{300, 88} {
		refunds = append(refunds, s.refundOf("CTBILL0001", fmt.Sprintf("CTBR%d", i), part))
	}
	refunds = append(refunds, s.refundOf("CTBILL0002", "CTBR2", amount))
	for _, r := range refunds {
		s.refund(r)
		s.refunded(r)
	}
	day, err := s.NextDay()
	s.must(err)
	return day, refunds
}

func billRows(s suite) {
	today := payment.DayOf(s.Now(), s.accounts().Zone())
	day, refunds := s.moved()
	if day != today {
		s.Errorf("the day was %s, now %s has ended", today, day)
	}
	rows := s.bill(day)
	byNo := map[string]payment.BillRow{}
	line := int64(0)
	from, to := day.Span(s.accounts().Zone())
	for _, r := range rows {
		key := r.PaymentNo
		if r.Kind == payment.BillRefund {
			key = r.RefundNo
		}
		if _, twice := byNo[key]; twice || key == "" {
			s.Errorf("%q is there twice", key)
		}
		byNo[key] = r
		if r.Line <= line {
			s.Errorf("line %d after line %d", r.Line, line)
		}
		line = r.Line
		if !r.Done || r.Reported == "" || r.TransactionID == "" || r.Currency != "" && r.Currency != "CNY" {
			s.Errorf("the row is %+v", r)
		}
		if r.At.Before(from) || !r.At.Before(to) {
			s.Errorf("%s is not of %s", r.At, day)
		}
	}
	if want := 3 + len(refunds); len(rows) != want {
		s.Fatalf("it has %d rows, want %d: %+v", len(rows), want, rows)
	}
	for i := range 3 {
		no := fmt.Sprintf("CTBILL%04d", i)
		f := s.query(no, payment.Paid)
		r := byNo[no]
		if r.Kind != payment.BillPayment || r.Amount != amount || r.TransactionID != f.TransactionID || r.RefundNo != "" {
			s.Errorf("%s: the row is %+v, the fact %+v", no, r, f)
		}
		s.ours(r, f)
	}
	for _, want := range refunds {
		f := s.became(want, payment.Refunded)
		r := byNo[want.RefundNo]
		if r.Kind != payment.BillRefund || r.Amount != want.Amount || r.PaymentNo != want.PaymentNo || r.TransactionID != want.TransactionID {
			s.Errorf("%s: the row is %+v", want.RefundNo, r)
		}
		if f.TransactionID != "" && r.RefundID != f.TransactionID {
			s.Errorf("%s: the row is of refund %q, the fact of %q", want.RefundNo, r.RefundID, f.TransactionID)
		}
		s.ours(r, f)
	}
	if diff := cmp.Diff(rows, s.bill(day)); diff != "" {
		s.Errorf("read twice: %s", diff)
	}
}

// ours requires what a bill says of merchant and app to be what facts say.
func (s suite) ours(r payment.BillRow, f payment.Fact) {
	s.Helper()
	if r.Merchant != "" && r.Merchant != f.Merchant || r.App != "" && f.App != "" && r.App != f.App {
		s.Errorf("the row is of %s in %s, the fact of %s in %s", r.Merchant, r.App, f.Merchant, f.App)
	}
}

func billOfNothing(s suite) {
	s.open("CTBILL0001") // not paid: nothing moved
	day, err := s.NextDay()
	s.must(err)
	rows, _, err := s.readBill(s.Context(), day)
	s.fails("bill", err, payment.ErrNoBill)
	if len(rows) > 0 {
		s.Errorf("rows all the same: %+v", rows)
	}
}

func billOfToday(s suite) {
	s.bought("CTBILL0001")
	rows, _, err := s.readBill(s.Context(), payment.DayOf(s.Now(), s.accounts().Zone()))
	if err == nil || len(rows) > 0 {
		s.Errorf("a day that is not over has a bill: %v, %+v", err, rows)
	}
}

func billNotTaken(s suite) {
	day, _ := s.moved()
	full := errors.New("full")
	calls := 0
	_, err := s.accounts().Bill(s.Context(), day, func(payment.BillRow) error { calls++; return full })
	s.fails("bill", err, full)
	if calls != 1 {
		s.Errorf("%d rows were given", calls)
	}
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, _, err = s.readBill(ctx, day)
	s.fails("cancelled", err, payment.ErrUnknown)
	s.bill(day)
}

// badBills are never taken for good.
func badBills(s suite) {
	day, _ := s.moved()
	want := s.bill(day)
	for _, fault := range []BillFault{BillTruncated, BillWrongHash, BillWrongCount, BillWrongEncoding, BillBomb} {
		s.Run(string(fault), func(t *testing.T) {
			s := suite{T: t, Fixture: s.Fixture}
			if err := s.BreakBill(fault); errors.Is(err, errors.ErrUnsupported) {
				s.Skip("this gateway has no such fault")
			} else {
				s.must(err)
			}
			_, _, err := s.readBill(s.Context(), day)
			var bad *payment.BadBillError
			if !errors.As(err, &bad) && !errors.Is(err, payment.ErrUnknown) {
				s.Errorf("got %v, want a *payment.BadBillError or %v", err, payment.ErrUnknown)
			}
			if diff := cmp.Diff(want, s.bill(day)); diff != "" {
				s.Errorf("the next is another: %s", diff)
			}
		})
	}
}

// brokenBill breaks the way to the bill. A download is not signed by the
// channel, so that there is no signature to spoil.
func brokenBill(s suite) {
	day, _ := s.moved()
	for _, call := range []Call{Bill, Download} {
		for _, f := range faults {
			switch {
			case call == Download && (f.fault == CorruptSignature || f.fault == ProbeSignature || f.fault == Unsigned):
				continue
			case !s.breaks(call, f.fault):
				continue
			}
			_, _, err := s.readBill(s.Context(), day)
			if !errors.Is(err, payment.ErrUnknown) && !errors.Is(err, payment.ErrBusy) {
				s.Errorf("%s, %s: got %v", call, f.fault, err)
			}
			if rows := s.bill(day); len(rows) != 6 {
				s.Errorf("%s, %s: the next has %d rows", call, f.fault, len(rows))
			}
		}
	}
}
