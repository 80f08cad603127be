package format

import "github.com/tandem-pay/tandem/reconcile"

// Summary is reconciliations.summary: what the match of a day came to.
var Summary = object("reconciliations.summary",
	func(d *reconcile.Summary) *summary {
		s := &summary{
			OurPayments: total(d.OurPayments), OurRefunds: total(d.OurRefunds),
			TheirPayments: total(d.TheirPayments), TheirRefunds: total(d.TheirRefunds),
			Fee: d.Fee, Matched: d.Matched, TooMuch: d.TooMuch,
		}
		if d.Classes != nil {
			s.Classes = make(map[reconcile.Class]total, len(d.Classes))
			for c, t := range d.Classes {
				s.Classes[c] = total(t)
			}
		}
		return s
	},
	func(s *summary, d *reconcile.Summary) {
		*d = reconcile.Summary{
			OurPayments: reconcile.Total(s.OurPayments), OurRefunds: reconcile.Total(s.OurRefunds),
			TheirPayments: reconcile.Total(s.TheirPayments), TheirRefunds: reconcile.Total(s.TheirRefunds),
			Fee: s.Fee, Matched: s.Matched, TooMuch: s.TooMuch,
		}
		if s.Classes != nil {
			d.Classes = make(map[reconcile.Class]reconcile.Total, len(s.Classes))
			for c, t := range s.Classes {
				d.Classes[c] = reconcile.Total(t)
			}
		}
	})

type summary struct {
	version
	OurPayments   total                     `json:"ourPayments"`
	OurRefunds    total                     `json:"ourRefunds"`
	TheirPayments total                     `json:"theirPayments"`
	TheirRefunds  total                     `json:"theirRefunds"`
	Fee           int64                     `json:"fee"` // thousandths of a minor unit
	Matched       int64                     `json:"matched"`
	Classes       map[reconcile.Class]total `json:"classes,omitempty"`
	TooMuch       bool                      `json:"tooMuch,omitempty"`
}

type total struct {
	Count  int64 `json:"count"`
	Amount int64 `json:"amount"`
}
