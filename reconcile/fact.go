package reconcile

import "github.com/tandem-pay/tandem/payment"

// Fact is what a difference proves about the payment: the same fact, under the
// same id, that a callback or a query of the channel would have given, so that
// settling it again changes nothing. It returns false when the bill proves
// nothing: the row lacks a number, or a person must look first.
//
// A second payment (PaidTwice) is a fact as well, as evidence; it does not heal the difference.
func Fact(d Difference, opt Options) (payment.Fact, bool) {
	t := d.Theirs
	if t == nil || !t.Done {
		return payment.Fact{}, false
	}
	f := payment.Fact{
		Source: payment.ByBill, Amount: t.Amount, Currency: t.Currency,
		Merchant: opt.merchant(t), App: opt.app(t), Reported: t.Reported, At: t.At,
	}
	switch d.Class {
	case PaymentUnsettled, PaymentLate, PaidTwice:
		f.ID, f.Kind, f.TransactionID = "paid/"+t.TransactionID, payment.Paid, t.TransactionID
		return f, d.Heals || d.Class == PaidTwice && t.TransactionID != ""
	case RefundUnsettled, RefundUnknown:
		f.ID, f.Kind, f.RefundNo, f.TransactionID = "refund/"+t.RefundNo, payment.Refunded, t.RefundNo, t.RefundID
		return f, d.Heals
	default:
		return payment.Fact{}, false
	}
}
