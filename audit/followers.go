package audit

import (
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/rows"
)

// follower is what a follower of the log says of itself.
type follower struct {
	name string
	app.Pending
}

func (a *auditor) cursor(follower string, p event.Position) error {
	a.cursors[follower] = p
	return nil
}

func (a *auditor) putAside(r rows.ParkedRecord) error {
	a.parked[r.ID] = true
	return nil
}

// checkFollowers compares what each follower has done, as the rows say, with
// its cursor and with what is parked.
func (a *auditor) checkFollowers() {
	for _, f := range a.followers {
		f.Tasks(func(t *app.Task) {
			behind := a.cursors[f.name] < t.At || a.parked[rows.ParkedID(f.name, t.At)]
			switch {
			case t.Done && behind:
				a.offend(9, t.Subject, "%s has done what is at %d, and has not come to it", f.name, t.At)
			case t.Done:
			case behind:
				a.r.Pending++
				a.count(t.Returned)
			case t.Unseen:
			case !t.Choice:
				a.offend(9, t.Subject, "%s (%s has passed %d)", t.Left, f.name, t.At)
			}
			for _, u := range t.Units {
				a.reserve(u)
			}
			a.count(t.Counts)
		})
	}
}

// checkPromised compares what orders promise back with their refunds.
func (a *auditor) checkPromised() {
	for no, o := range a.orders {
		// A refund that somebody else made may have taken what was promised.
		if o.refunding > o.pending {
			a.offend(7, "order "+no, "promises %d back, its refunds under way are of %d", o.refunding, o.pending)
		}
	}
}
