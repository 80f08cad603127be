package order_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

var now = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func placed(payable int64) *order.Order {
	return place(order.Placement{Quote: &pricing.Quote{
		Currency: "CNY", Total: payable, Payable: payable,
		Lines: []pricing.QuoteLine{{Sku: "A", Quantity: 1, UnitPrice: payable, Total: payable, Payable: payable}},
	}})
}

// place is order.Place of what must be right.
func place(p order.Placement) *order.Order {
	p.No, p.User, p.Now = "1001", "u", now
	o, err := order.Place(p)
	if err != nil {
		panic(err)
	}
	return o
}

// Every row is a life: what is done to an order of 100, and what it is then.
func TestLife(t *testing.T) {
	attempt := func(amount int64) func(*order.Order) error {
		return func(o *order.Order) error { return o.Attempt(amount) }
	}
	settle := func(amount, takes int64) func(*order.Order) error {
		return func(o *order.Order) error {
			if got := o.Settle(amount, now); got != takes {
				return fault.New("took", "%d of %d, want %d", got, amount, takes)
			}
			return nil
		}
	}
	fail := func(o *order.Order) error { o.AttemptFailed("x"); return nil }
	requestClose := func(o *order.Order) error {
		return o.BeginToClose(order.Ending{By: order.ByRequest, Reason: order.Cancelled})
	}
	closing := func(o *order.Order) error {
		return o.Close(order.Ending{By: order.ByRequest, Reason: order.Cancelled}, now)
	}
	type step = func(*order.Order) error
	for _, tt := range []struct {
		name   string
		steps  []step
		err    fault.Code // of the last step
		status order.Status
		events string
	}{
		{"placed", nil, "", order.PendingPayment, "order.placed"},
		{"paid", []step{attempt(100), settle(100, 100)}, "", order.Paid, "order.placed order.paid"},
		{"paid in two", []step{attempt(30), settle(30, 30), attempt(70), settle(70, 70)}, "", order.Paid, "order.placed order.partially_paid order.paid"},
		{"overpaid", []step{settle(60, 60), settle(60, 40)}, "", order.Paid, "order.placed order.partially_paid order.paid"},
		{"paid again", []step{settle(100, 100), settle(100, 0)}, "", order.Paid, "order.placed order.paid"},
		{"failed", []step{attempt(100), fail}, "", order.PaymentFailed, "order.placed order.payment_failed"},
		{"failed, new attempt, paid", []step{fail, attempt(100), settle(100, 100)}, "", order.Paid, "order.placed order.payment_failed order.paid"},
		{"success after failure", []step{fail, settle(100, 100)}, "", order.Paid, "order.placed order.payment_failed order.paid"},
		{"cancelled", []step{closing}, "", order.Closed, "order.placed order.closed"},
		{"late money", []step{closing, settle(100, 0)}, "", order.Closed, "order.placed order.closed"},
		{"closing, then paid", []step{requestClose, settle(100, 100)}, "", order.Paid, "order.placed order.closing order.paid"},
		{"closing, then closed", []step{requestClose, closing}, "", order.Closed, "order.placed order.closing order.closed"},
		{"closing requested twice", []step{requestClose, requestClose}, "", order.PendingPayment, "order.placed order.closing"},
		{"part paid, cancelled", []step{settle(30, 30), closing}, "", order.Closed, "order.placed order.partially_paid order.closed"},

		{"too much", []step{attempt(101)}, fault.AmountExceedsDue, order.PendingPayment, "order.placed"},
		{"more than the rest", []step{settle(30, 30), attempt(71)}, fault.AmountExceedsDue, order.PartiallyPaid, "order.placed order.partially_paid"},
		{"pay what is paid", []step{settle(100, 100), attempt(1)}, fault.OrderNotPayable, order.Paid, "order.placed order.paid"},
		{"pay what is closed", []step{closing, attempt(1)}, fault.OrderNotPayable, order.Closed, "order.placed order.closed"},
		{"pay what closes", []step{requestClose, attempt(1)}, fault.OrderNotPayable, order.PendingPayment, "order.placed order.closing"},
		{"cancel what is paid", []step{settle(100, 100), closing}, fault.OrderNotCancellable, order.Paid, "order.placed order.paid"},
		{"cancel twice", []step{closing, closing}, fault.OrderNotCancellable, order.Closed, "order.placed order.closed"},
		{"request to close what is paid", []step{settle(100, 100), requestClose}, fault.OrderNotCancellable, order.Paid, "order.placed order.paid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := placed(100)
			var err error
			for i, s := range tt.steps {
				if err = s(o); err != nil && i < len(tt.steps)-1 {
					t.Fatalf("step %d: %v", i, err)
				}
			}
			if got := fault.CodeOf(err); got != tt.err {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			d := o.Data()
			var types []string
			for i, e := range o.Drain() {
				types = append(types, string(e.Type))
				if e.Seq != int64(i)+1 || e.Order != d.No {
					t.Errorf("event %d: %+v", i, e)
				}
			}
			if got := strings.Join(types, " "); d.Status != tt.status || got != tt.events || d.Seq != int64(len(types)) {
				t.Errorf("%s at %d: %s\nwant %s: %s", d.Status, d.Seq, got, tt.status, tt.events)
			}
			if d.Paid < 0 || d.Paid > d.Payable || (d.Status == order.Paid) != (d.Paid == d.Payable) {
				t.Errorf("%s with %d of %d", d.Status, d.Paid, d.Payable)
			}
		})
	}
}

func TestNothingToPay(t *testing.T) {
	o := placed(0)
	if d := o.Data(); d.Status != order.Paid || d.PaidAt != now || d.Seq != 2 {
		t.Errorf("%+v", d)
	}
}
