package app_test

import (
	"context"
	"slices"
	"testing"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

// What the closing of payments loads: not an order that was paid and of
// which nothing can be paid any more.
func TestClosingLoads(t *testing.T) {
	i := slices.IndexFunc(app.Reactions, func(r app.Reaction) bool { return r.Name == "payments" })
	for _, tt := range []struct {
		name  string
		event event.Event
		want  []string
	}{
		{"none can", event.Event{Type: event.OrderPaid, Order: "1", Payments: []string{}}, nil},
		{"one can", event.Event{Type: event.OrderPaid, Order: "1", Payments: []string{"2"}}, []string{"1"}},
		{"not said", event.Event{Type: event.OrderPaid, Order: "1"}, []string{"1"}},
		{"read back as none", reread(t, event.Event{Type: event.OrderPaid, Order: "1", Payments: []string{}}), nil},
		{"read back as not said", reread(t, event.Event{Type: event.OrderPaid, Order: "1"}), []string{"1"}},
		{"closing", event.Event{Type: event.OrderClosing, Order: "1"}, []string{"1"}},
	} {
		var n app.Needs
		app.Reactions[i].Needs(&tt.event, &n)
		if got := n.Of(rows.Orders.Info()); !slices.Equal(got, tt.want) {
			t.Errorf("%s: looks at %q, want %q", tt.name, got, tt.want)
		}
	}
}

func reread(t *testing.T, e event.Event) (back event.Event) {
	t.Helper()
	var events []event.Event
	text, err := format.Events.Encode(&[]event.Event{e})
	if err == nil {
		err = format.Events.Decode(text, &events)
	}
	if err != nil {
		t.Fatal(err)
	}
	return events[0]
}

// recordingStore collects the jobs that are stored and the orders that commands
// need.
type recordingStore struct {
	unit.Store
	jobs   *[]app.Job
	orders *[]string
}

type recordingUnit struct {
	unit.Unit
	o recordingStore
}

func (o recordingStore) Begin(ctx context.Context, shop string, n unit.Needs) (unit.Unit, *unit.Loaded, error) {
	*o.orders = append(*o.orders, n.Of(rows.Orders.Info())...)
	u, l, err := o.Store.Begin(ctx, shop, n)
	return recordingUnit{u, o}, l, err
}

func (u recordingUnit) Commit(ctx context.Context, c *unit.Changes) error {
	_, jobs := unit.Written(c, rows.Jobs)
	for _, j := range jobs {
		*u.o.jobs = append(*u.o.jobs, *j)
	}
	return u.Unit.Commit(ctx, c)
}

// An order that is paid names what else can still be paid, and that is closed
// at the channel; one that has nothing else is not loaded again.
func TestPaidOrderClosesTheOthers(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		var jobs []app.Job
		var orders []string
		r := scene(t, func(func(unit.Store) unit.Store) *harness.Harness {
			return open(func(s unit.Store) unit.Store { return recordingStore{s, &jobs, &orders} })
		})
		for _, others := range []int{0, 1, 2} {
			o := place(t, r, harness.Cart("u", "A"))
			paid := pay(t, r, o.No, 0)
			want := []string{}
			for range others {
				want = append(want, pay(t, r, o.No, 0).No)
			}
			slices.Sort(want)
			jobs, orders = nil, nil
			callback(t, r, paid.No, r.Gate.Pay(paid.No))
			r.React()

			records, err := r.Store.OrderEvents(ctx, shop.Default, o.No, 0)
			if err != nil {
				t.Fatal(err)
			}
			var named []string
			for i := range records {
				for _, e := range records[i].Events {
					if e.Type == event.OrderPaid {
						named = e.Payments
					}
				}
			}
			slices.Sort(named)
			if named == nil || !slices.Equal(named, want) {
				t.Errorf("%d others: order.paid names %q, want %q", others, named, want)
			}
			var closed []string
			for _, e := range jobs {
				if e.Kind == app.JobClosePayment {
					closed = append(closed, e.Payment)
				}
			}
			slices.Sort(closed)
			if !slices.Equal(closed, want) && len(closed)+len(want) > 0 {
				t.Errorf("%d others: %q are to be closed, want %q", others, closed, want)
			}
			if loaded := slices.Contains(orders, o.No); loaded != (others > 0) {
				t.Errorf("%d others: loaded the order: %t", others, loaded)
			}
			r.Audit()
		}
	})
}
