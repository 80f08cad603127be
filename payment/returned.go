package payment

import (
	"fmt"
	"slices"
)

// returned is what the facts of a payment say of the money that went back.
type returned struct {
	ours    int64 // by refunds of Tandem's, minor units
	named   int64 // by other refunds with a number
	others  int64 // by others than Tandem's, as the channel's totals say
	claimed int64 // in all, as the channel says, whatever explains it
	some    bool  // the channel says that some of it went, and no refund of ours explains it
}

// sum is what has gone back, as far as it counts. A refund that the channel
// counts in its total is one that it may name later: the larger of the two counts.
func (r *returned) sum() int64 { return r.ours + max(r.named, r.others) }

// foreign is how much of what the channel says to have gone back in all is no
// refund of Tandem's.
func (r *returned) foreign(total int64) int64 {
	if total == ReturnedSome {
		return ReturnedSome
	}
	return max(0, total-r.ours)
}

func (p *Payment) returned() (r returned) {
	largest := map[string]int64{} // of a refund that was reported with two amounts
	for i := range p.d.Facts {
		f := &p.d.Facts[i]
		if p.mismatch(*f) != "" {
			continue
		}
		switch {
		case f.Kind == Refunded:
			more := max(0, f.Amount-largest[f.ID])
			largest[f.ID] += more
			if f.Ours {
				r.ours += more
			} else {
				r.named += more
			}
		case f.Kind != Paid || f.TransactionID != p.d.TransactionID:
		case f.Returned == ReturnedSome:
			r.some = r.some || f.Foreign == ReturnedSome
		default:
			r.claimed = max(r.claimed, f.Returned)
			r.others = max(r.others, f.Foreign)
		}
	}
	return r
}

// resolveReturned computes what went back of a payment that succeeded, and what
// does not fit.
func (p *Payment) resolveReturned() {
	r := p.returned()
	p.d.Refunded = min(r.sum(), p.d.Amount)
	switch {
	case r.sum() > p.d.Amount:
		p.d.Anomaly = fmt.Sprintf("refunds: %d went back of %d", r.sum(), p.d.Amount)
	case p.d.Anomaly != "":
	case r.claimed > r.sum():
		p.d.Anomaly = fmt.Sprintf("refunds: the channel says that %d went back, our books have %d", r.claimed, r.sum())
	case r.some && r.sum() == 0:
		p.d.Anomaly = "refunds: the channel says that money went back, and not how much"
	}
}

// held says that the money arrived with the report that an unknown part of it
// has gone back: nobody knows yet what there is to apply. That it had arrived
// whole may have been reported before; then it was applied.
func (p *Payment) held() bool {
	if p.d.Status != StatusSucceeded {
		return false
	}
	i := slices.IndexFunc(p.d.Facts, func(f Fact) bool {
		return f.Kind == Paid && f.TransactionID == p.d.TransactionID && p.mismatch(f) == ""
	})
	if i < 0 || p.d.Facts[i].Returned != ReturnedSome {
		return false
	}
	r := p.returned()
	return r.sum() == 0
}

// knows says that a report of what has gone back in all adds nothing: as much is
// known. A payment with many refunds would have as many such reports.
func (p *Payment) knows(f *Fact) bool {
	if f.Kind != Paid || f.Returned == 0 || p.d.Status != StatusSucceeded || f.TransactionID != p.d.TransactionID || p.mismatch(*f) != "" {
		return false
	}
	r := p.returned()
	return f.Returned <= r.sum() && r.sum() > 0
}

// Found adds to a fact that was reported what we find out about it: whether it
// is about a refund of Tandem's, and what of the money that has gone back can be
// none. While nothing was paid no refund of Tandem's can be under way.
func (p *Payment) Found(f Fact, ours bool) Fact {
	f.Ours, f.Foreign = ours, 0
	if f.Kind == Paid && p.d.Status != StatusSucceeded {
		r := p.returned()
		f.Foreign = r.foreign(f.Returned)
	}
	return f
}

// Unexplained says whether the channel says that more went back than counts, and
// that may be refunds of Tandem's that are under way.
func (d *Data) Unexplained() bool {
	return d.Status == StatusSucceeded && slices.ContainsFunc(d.Facts, func(f Fact) bool {
		return f.Kind == Paid && f.TransactionID == d.TransactionID && f.Foreign == 0 &&
			(f.Returned == ReturnedSome && d.Refunded == 0 || f.Returned > d.Refunded)
	})
}

// Unexpected counts what the channel says to have gone back in all: no refund of
// Tandem's that is under way explains it; and with some, because there is none of
// Tandem's, that an unknown part of it has. It returns how much more has gone
// back with that.
func (p *Payment) Unexpected(some bool) (more int64) {
	before, r := p.d.Refunded, p.returned()
	p.d.Facts = slices.Clone(p.d.Facts) // clones share the old one
	for i := range p.d.Facts {
		f := &p.d.Facts[i]
		if f.Kind == Paid && f.Foreign == 0 && (some || f.Returned > 0) {
			f.Foreign = r.foreign(f.Returned)
		}
	}
	p.resolve(p.d.ClosedAt)
	return p.d.Refunded - before
}

// Left is how much of the money that arrived has not gone back, in minor units.
func (d *Data) Left() int64 { return d.Amount - d.Refunded }
