package order_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// lines is a quote of lines given as quantity and payable; a negative payable
// is a gift.
func lines(of ...[2]int64) *pricing.Quote {
	q := &pricing.Quote{Currency: "CNY"}
	for i, l := range of {
		line := pricing.QuoteLine{Sku: fmt.Sprint("S", i), Quantity: l[0], Payable: max(l[1], 0), Gift: l[1] < 0}
		line.Total = line.Payable
		q.Lines = append(q.Lines, line)
		q.Total += line.Total
	}
	q.Payable = q.Total
	return q
}

func paidOrder(of ...[2]int64) *order.Order {
	o := place(order.Placement{Quote: lines(of...)})
	o.Settle(o.Data().Payable, now)
	o.Drain()
	return o
}

func items(pairs ...int64) order.RefundRequest {
	var a order.RefundRequest
	for i := 0; i < len(pairs); i += 2 {
		a.Items = append(a.Items, order.RefundItem{Line: int(pairs[i]), Quantity: pairs[i+1]})
	}
	return a
}

func TestRequestRefund(t *testing.T) {
	// Three units for 10.00 that cost 10.01 less a discount, two for 5, a gift.
	of := [][2]int64{{3, 1000}, {2, 5}, {1, -1}}
	for _, tt := range []struct {
		name   string
		before []order.RefundRequest
		ask    order.RefundRequest
		want   string
		err    fault.Code
	}{
		{"everything", nil, order.RefundRequest{}, "[{0 3 1000} {1 2 5}] 1005", ""},
		{"one of three", nil, items(0, 1), "[{0 1 333}] 333", ""},
		{"the second of three", []order.RefundRequest{items(0, 1)}, items(0, 1), "[{0 1 333}] 333", ""},
		{"the last of three has the cent", []order.RefundRequest{items(0, 1), items(0, 1)}, items(0, 1), "[{0 1 334}] 334", ""},
		{"two lines", nil, items(0, 3, 1, 1), "[{0 3 1000} {1 1 2}] 1002", ""},
		{"an amount", nil, order.RefundRequest{Amount: 100}, "[{0 0 100}] 100", ""},
		{"an amount over lines", nil, order.RefundRequest{Amount: 1003}, "[{0 0 998} {1 0 5}] 1003", ""},
		{"units after an amount", []order.RefundRequest{{Amount: 402}}, items(0, 3), "[{0 3 600}] 600", ""},
		{"the rest", []order.RefundRequest{items(0, 1), {Amount: 2}}, order.RefundRequest{}, "[{0 2 665} {1 2 5}] 670", ""},
		{"more than was paid", nil, order.RefundRequest{Amount: 1006}, "", fault.RefundExceedsPaid},
		{"more units than there are", nil, items(0, 4), "", fault.RefundExceedsPaid},
		{"units twice", []order.RefundRequest{items(0, 2)}, items(0, 2), "", fault.RefundExceedsPaid},
		{"nothing left", []order.RefundRequest{{}}, order.RefundRequest{}, "", fault.RefundExceedsPaid},
		{"a gift", nil, items(2, 1), "", fault.ValidationFailed},
		{"no such line", nil, items(3, 1), "", fault.ValidationFailed},
		{"a line twice", nil, items(0, 1, 0, 1), "", fault.ValidationFailed},
		{"no units", nil, items(0, 0), "", fault.ValidationFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := paidOrder(of...)
			for _, ask := range tt.before {
				if _, _, err := o.RequestRefund(ask); err != nil {
					t.Fatal(err)
				}
			}
			was := fmt.Sprint(o.Data())
			back, amount, err := o.RequestRefund(tt.ask)
			if got := fmt.Sprint(back, amount); fault.CodeOf(err) != tt.err || err == nil && got != tt.want {
				t.Errorf("%s, %v; want %s, %q", got, err, tt.want, tt.err)
			}
			if err != nil && fmt.Sprint(o.Data()) != was {
				t.Error("a refusal changed the order")
			}
			whole(t, o)
		})
	}
}

func TestRequestRefundTooEarly(t *testing.T) {
	o := place(order.Placement{Quote: lines([2]int64{1, 100})})
	o.Settle(40, now)
	if _, _, err := o.RequestRefund(order.RefundRequest{Amount: 10}); fault.CodeOf(err) != fault.RefundExceedsPaid {
		t.Error(err)
	}
}

// whole asserts what holds of every order at every moment.
func whole(t interface{ Errorf(string, ...any) }, o *order.Order) {
	d := o.Data()
	var back int64
	for _, r := range d.Returns {
		l := d.Items[r.Line]
		back += r.Amount
		if r.Amount < 0 || r.Amount > l.Payable || r.Quantity < 0 || r.Quantity > l.Quantity {
			t.Errorf("line %d of %d × %d gave back %d × %d", r.Line, l.Payable, l.Quantity, r.Amount, r.Quantity)
		}
	}
	if back != d.Refunded+d.Refunding || d.Refunding < 0 || d.Refundable() < 0 || d.Refunded > d.Paid {
		t.Errorf("paid %d, refunded %d, promised %d, the lines gave back %d", d.Paid, d.Refunded, d.Refunding, back)
	}
	if (d.Status == order.Refunded) != (d.Refunded == d.Paid && d.Paid == d.Payable && d.Payable > 0) {
		t.Errorf("%s with %d of %d gone", d.Status, d.Refunded, d.Paid)
	}
}

// TestRetriedRefundFailsAgain: a refund whose units another one has given since
// is tried again and fails again; no line falls below zero.
func TestRetriedRefundFailsAgain(t *testing.T) {
	o := paidOrder([2]int64{1, 1}, [2]int64{4, 2})
	back, amount, err := o.RequestRefund(items(1, 4))
	if err != nil {
		t.Fatal(err)
	}
	o.FailRefund(back, amount)
	if _, _, err := o.RequestRefund(items(1, 2)); err != nil {
		t.Fatal(err)
	}
	if err := o.RetryRefund(back, amount); err != nil {
		t.Fatal(err)
	}
	whole(t, o)
	o.FailRefund(back, amount)
	whole(t, o)
}

// TestAnyRefunds: any sequence of refunds that are asked, done, lost, tried
// again, or made by somebody else, ends at exactly what was paid; no line
// falls below zero on the way.
func TestAnyRefunds(t *testing.T) {
	type promise struct {
		back   []order.Return
		amount int64
		lost   bool
	}
	rapid.Check(t, func(t *rapid.T) {
		var of [][2]int64
		for range rapid.IntRange(1, 5).Draw(t, "lines") {
			of = append(of, [2]int64{rapid.Int64Range(1, 7).Draw(t, "units"), rapid.Int64Range(0, 50).Draw(t, "payable")})
		}
		of[0][1]++
		o := paidOrder(of...)
		var open []promise
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			d := o.Data()
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				line := rapid.IntRange(0, len(of)-1).Draw(t, "line")
				if back, n, err := o.RequestRefund(items(int64(line), rapid.Int64Range(1, 7).Draw(t, "quantity"))); err == nil {
					open = append(open, promise{back, n, false})
				}
			case 1:
				if back, n, err := o.RequestRefund(order.RefundRequest{Amount: rapid.Int64Range(1, 60).Draw(t, "amount")}); err == nil {
					open = append(open, promise{back, n, false})
				}
			case 2, 3:
				if len(open) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				switch p := &open[i]; {
				case p.lost:
					if o.RetryRefund(p.back, p.amount) == nil {
						p.lost = false
					}
				case rapid.Bool().Draw(t, "done"):
					o.CompleteRefund(min(p.amount, d.Refunding), event.Event{})
					open = append(open[:i], open[i+1:]...)
				default:
					o.FailRefund(p.back, p.amount)
					p.lost = true
				}
			case 4:
				if n := min(rapid.Int64Range(0, 10).Draw(t, "foreign"), d.Refundable()); n > 0 {
					o.RefundUnreserved(n, event.Event{})
				}
			}
			whole(t, o)
		}
		for _, p := range open {
			if !p.lost {
				o.CompleteRefund(p.amount, event.Event{})
			}
		}
		if d := o.Data(); d.Refundable() > 0 {
			_, n, err := o.RequestRefund(order.RefundRequest{})
			if err != nil || n != d.Refundable() {
				t.Fatalf("the rest: %d of %d, %v", n, d.Refundable(), err)
			}
			o.CompleteRefund(n, event.Event{})
		}
		whole(t, o)
		if d := o.Data(); d.Refunded != d.Paid || d.Status != order.Refunded {
			t.Errorf("%s: %d of %d", d.Status, d.Refunded, d.Paid)
		}
	})
}
