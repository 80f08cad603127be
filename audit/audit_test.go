package audit_test

import (
	"context"
	"testing"

	"github.com/tandem-pay/tandem/outbox"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

func TestMain(m *testing.M) { harness.Main(m) }

// forged shows the audit orders that are not as they are stored.
type forged struct {
	app.Admin
	forge func(*app.OrderView)
}

func (f forged) Scan(ctx context.Context, shopID string, s unit.Scan) error {
	for i := range s.Visits {
		if check := unit.Family[order.Data, payment.Data](s.Visits[i]); check != nil {
			s.Visits[i] = unit.EachFamily(rows.Orders, rows.Payments, func(o order.Data, p []payment.Data) error {
				v := app.OrderView{Order: o, Payments: p}
				f.forge(&v)
				return check(v.Order, v.Payments)
			})
		}
	}
	return f.Admin.Scan(ctx, shopID, s)
}

// TestAuditDrafts: the audit finds a draft that holds something, and what is
// half a draft.
func TestAuditDrafts(t *testing.T) {
	harness.Each(t, func(t *testing.T, open steps.Open) {
		r := steps.Shop(t, open)
		steps.Draft(t, r, harness.Cart("u", "A", "C5"))
		r.Audit()
		for name, forge := range map[string]func(*app.OrderView){
			"a coupon":   func(v *app.OrderView) { v.Order.Coupons = []string{"C5"} },
			"a limit":    func(v *app.OrderView) { v.Order.Counts = []event.Count{{Name: "x"}} },
			"a payment":  func(v *app.OrderView) { v.Payments = make([]payment.Data, 1) },
			"no request": func(v *app.OrderView) { v.Order.Draft = nil },
			"live":       func(v *app.OrderView) { v.Order.Status = order.PendingPayment },
			"a price":    func(v *app.OrderView) { v.Order.Payable-- },
		} {
			report, err := audit.Run(t.Context(), forged{r.Store, forge}, shop.Default, outbox.Reactions(app.Reactions))
			steps.Must(t)(nil, err)
			found := false
			for _, o := range report.Offences {
				found = found || o.Invariant == 1
			}
			if !found {
				t.Errorf("%s: %v", name, report.Offences)
			}
		}
	})
}
