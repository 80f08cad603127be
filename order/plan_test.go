package order_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
)

// part is an instalment; due 0 has no date of its own.
func part(amount int64, due time.Duration) order.Instalment {
	i := order.Instalment{Amount: amount}
	if due > 0 {
		i.DueAt = now.Add(due)
	}
	return i
}

const day = 24 * time.Hour

func TestCheckPlan(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan []order.Instalment
		at   string // the field at fault
	}{
		{"none", nil, ""},
		{"deposit and rest", []order.Instalment{part(30, 0), part(70, 3*day)}, ""},
		{"one part", []order.Instalment{part(100, 0)}, "/instalments"},
		{"too many", make([]order.Instalment, order.MaxInstalments+1), "/instalments"},
		{"nothing", []order.Instalment{part(100, 0), part(0, day)}, "/instalments/1/amount"},
		{"negative", []order.Instalment{part(-1, 0), part(101, day)}, "/instalments/0/amount"},
		{"in the past", []order.Instalment{part(30, 0), {Amount: 70, DueAt: now.Add(-day)}}, "/instalments/1/dueAt"},
		{"too far", []order.Instalment{part(30, 0), part(70, 400*day)}, "/instalments/1/dueAt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := order.CheckPlan(tt.plan, now)
			if (err == nil) != (tt.at == "") || err != nil && !strings.Contains(fmt.Sprintf("%+v", fault.From(err).Fields), tt.at) {
				t.Errorf("%v", err)
			}
		})
	}
}

func planned(goods order.GoodsAt, plan ...order.Instalment) *order.Order {
	return place(order.Placement{Quote: lines([2]int64{1, 100}), Plan: plan, GoodsAt: goods})
}

func TestPlanMustAddUp(t *testing.T) {
	_, err := order.Place(order.Placement{No: "1", Quote: lines([2]int64{1, 100}), Now: now, Plan: []order.Instalment{part(30, 0), part(69, day)}})
	if fault.CodeOf(err) != fault.PriceChanged {
		t.Error(err)
	}
}

// Every row pays parts of 30 now, 50 in three days and 20 in five, in the
// order given, and says what the order waits for then.
func TestPlan(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pay     []int64
		next    int64
		expires time.Duration // from now
		remind  time.Duration
		status  order.Status
	}{
		{"nothing yet", nil, 30, order.DefaultExpiry, 2 * day, order.PendingPayment},
		{"in order", []int64{30}, 50, 3 * day, 2 * day, order.PartiallyPaid},
		{"two", []int64{30, 50}, 20, 5 * day, 4 * day, order.PartiallyPaid},
		{"last first", []int64{20}, 30, order.DefaultExpiry, 2 * day, order.PartiallyPaid},
		{"middle first", []int64{50, 30}, 20, 5 * day, 4 * day, order.PartiallyPaid},
		{"all at once", []int64{100}, 0, 0, 0, order.Paid},
		{"all parts", []int64{20, 50, 30}, 0, 0, 0, order.Paid},
		{"a sum that is no part", []int64{60}, 20, 3 * day, 2 * day, order.PartiallyPaid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := planned(order.AllParts, part(30, 0), part(50, 3*day), part(20, 5*day))
			for _, amount := range tt.pay {
				if got := o.Settle(amount, now); got != amount {
					t.Fatalf("took %d of %d", got, amount)
				}
			}
			d := o.Data()
			if d.Status != tt.status || d.Status.Live() && (d.NextPart() != tt.next || !d.ExpiresAt.Equal(now.Add(tt.expires)) || !d.RemindAt.Equal(now.Add(tt.remind))) {
				t.Errorf("%s, next %d, expires in %s, reminds in %s", d.Status, d.NextPart(), d.ExpiresAt.Sub(now), d.RemindAt.Sub(now))
			}
			var paid int64
			for _, p := range d.Plan {
				paid += p.Paid
				if p.Paid < 0 || p.Paid > p.Amount {
					t.Errorf("part %+v", p)
				}
			}
			if paid != d.Paid {
				t.Errorf("the parts have %d of %d", paid, d.Paid)
			}
		})
	}
}

func TestPlanAttempt(t *testing.T) {
	for amount, want := range map[int64]fault.Code{30: "", 70: "", 100: "", 50: fault.AmountExceedsDue, 29: fault.AmountExceedsDue, 101: fault.AmountExceedsDue} {
		o := planned(order.AllParts, part(30, 0), part(70, 3*day))
		if err := o.Attempt(amount); fault.CodeOf(err) != want {
			t.Errorf("%d: %v, want %q", amount, err, want)
		}
	}
}

func TestRemindAndWait(t *testing.T) {
	o := planned(order.AllParts, part(30, 0), part(50, 3*day), part(20, 5*day))
	o.Settle(30, now)
	o.Drain()
	recorded := func() string {
		var types []string
		for _, e := range o.Drain() {
			types = append(types, fmt.Sprint(e.Type, " ", e.Amount, " ", e.DueAt.Sub(now)))
		}
		return strings.Join(types, "; ")
	}
	o.Remind(now.Add(2 * day))
	if got := recorded(); got != "order.instalment_due 50 72h0m0s" {
		t.Error(got)
	}
	o.Remind(now.Add(2 * day))
	if got := recorded(); got != "" {
		t.Errorf("recorded again: %s", got)
	}
	o.WaitOn(now.Add(3 * day))
	if got, d := recorded(), o.Data(); got != "order.instalment_overdue 50 72h0m0s" || !d.ExpiresAt.Equal(now.Add(5*day)) || d.NextPart() != 50 {
		t.Errorf("%s, %+v", got, d)
	}
	o.WaitOn(now.Add(5 * day))
	if got, d := recorded(), o.Data(); got != "order.instalment_overdue 20 120h0m0s" || d.ExpiresAt.Before(now.Add(365*day)) {
		t.Errorf("%s, %+v", got, d)
	}
	if got := o.Settle(70, now.Add(6*day)); got != 70 || o.Data().Status != order.Paid {
		t.Errorf("took %d, %s", got, o.Data().Status)
	}
}

// The goods go once: with the first part, or with all.
func TestGoodsAt(t *testing.T) {
	for _, tt := range []struct {
		goods order.GoodsAt
		want  string
	}{
		{order.AllParts, "order.partially_paid 0; order.paid 1"},
		{order.FirstPart, "order.partially_paid 1; order.paid 0"},
	} {
		o := planned(tt.goods, part(30, 0), part(70, 3*day))
		o.Drain()
		o.Settle(30, now)
		o.Settle(70, now)
		var events []string
		for _, e := range o.Drain() {
			events = append(events, fmt.Sprint(e.Type, " ", len(e.Units)))
		}
		if got := strings.Join(events, "; "); got != tt.want {
			t.Errorf("%q: %s", tt.goods, got)
		}
	}
}
