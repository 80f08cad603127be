package order_test

import (
	"fmt"
	"slices"
	"strings"
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
		{"everything", nil, order.RefundRequest{}, "[{0 3 1000 0} {1 2 5 0}] 1005", ""},
		{"one of three", nil, items(0, 1), "[{0 1 333 0}] 333", ""},
		{"the second of three", []order.RefundRequest{items(0, 1)}, items(0, 1), "[{0 1 333 0}] 333", ""},
		{"the last of three has the cent", []order.RefundRequest{items(0, 1), items(0, 1)}, items(0, 1), "[{0 1 334 0}] 334", ""},
		{"two lines", nil, items(0, 3, 1, 1), "[{0 3 1000 0} {1 1 2 0}] 1002", ""},
		{"an amount", nil, order.RefundRequest{Amount: 100}, "[{0 0 100 0}] 100", ""},
		{"an amount over lines", nil, order.RefundRequest{Amount: 1003}, "[{0 0 998 0} {1 0 5 0}] 1003", ""},
		{"units after an amount", []order.RefundRequest{{Amount: 402}}, items(0, 3), "[{0 3 600 0}] 600", ""},
		{"the rest", []order.RefundRequest{items(0, 1), {Amount: 2}}, order.RefundRequest{}, "[{0 2 665 0} {1 2 5 0}] 670", ""},
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

// refundPart is one payment's part of a refund, as package payment has it.
type refundPart struct {
	amount int64
	state  byte // p: pending, g: gone, s: stands, l: released
}

// promise is a refund with its parts.
type promise struct {
	back  []order.Return
	parts []refundPart
}

func (p *promise) held() (sum int64) {
	for _, x := range p.parts {
		if x.state != 'l' {
			sum += x.amount
		}
	}
	return sum
}

func (p *promise) any(states string) bool {
	return slices.ContainsFunc(p.parts, func(x refundPart) bool { return strings.ContainsRune(states, rune(x.state)) })
}

func (p *promise) end(o *order.Order, i int, what string) {
	was, x := p.held(), &p.parts[i]
	switch what {
	case "gone":
		before := x.state
		x.state = 'g'
		held := order.Held{Before: was, After: p.held()}
		if before == 'l' {
			amount := min(x.amount, o.Data().Paid-o.Data().Refunded)
			o.RefundReleased(p.back, held, amount, lost(o, amount), event.Event{})
			return
		}
		o.CompleteRefund(p.back, held, x.amount, x.amount, event.Event{})
	case "failed": // at the channel
		x.state = 's'
		if p.any("pg") {
			return
		}
		for j := range p.parts {
			p.parts[j].state = 'l'
		}
		o.ReleaseRefund(p.back, order.Held{Before: was}, was)
	case "given up": // by an operator
		amount := int64(0)
		for j := range p.parts {
			if y := &p.parts[j]; y.state == 'p' || y.state == 's' {
				y.state, amount = 'l', amount+y.amount
			}
		}
		o.ReleaseRefund(p.back, order.Held{Before: was, After: p.held()}, amount)
	}
}

func (p *promise) retry(o *order.Order) error {
	was, again := p.held(), int64(0)
	for _, x := range p.parts {
		if x.state == 'l' {
			again += x.amount
		}
	}
	if again > 0 {
		if err := o.ReserveAgain(p.back, order.Held{Before: was, After: was + again}, again); err != nil {
			return err
		}
	}
	for i := range p.parts {
		if p.parts[i].state != 'g' {
			p.parts[i].state = 'p'
		}
	}
	return nil
}

// lost is what cannot stay reserved when amount goes back without a reserve.
func lost(o *order.Order, amount int64) int64 {
	d := o.Data()
	return max(0, amount-d.Refundable())
}

// split divides an amount into parts.
func split(back []order.Return, amount, first int64) *promise {
	p := &promise{back: back, parts: []refundPart{{amount, 'p'}}}
	if amount == 0 { // units that cost nothing: no payment gives a part
		p.parts = nil
	}
	if first > 0 && first < amount {
		p.parts = []refundPart{{first, 'p'}, {amount - first, 'p'}}
	}
	return p
}

// TestRefundOfParts: the units and the share of a refund go back once, however
// its parts end.
func TestRefundOfParts(t *testing.T) {
	for _, tt := range []struct {
		name string
		ends []string // of the parts, in turns
		want string   // the lines that gave, refunded, promised
		next string   // what one more unit gives, or the refusal
	}{
		{"both wait", []string{"", ""}, "[{0 1 1000 0}] 0 1000", "1000"},
		{"both have gone", []string{"gone", "gone"}, "[{0 1 1000 0}] 1000 0", "1000"},
		{"one failed, one waits", []string{"failed", ""}, "[{0 1 1000 0}] 0 1000", "1000"},
		{"one failed, one has gone", []string{"failed", "gone"}, "[{0 1 1000 0}] 500 500", "1000"},
		{"both failed", []string{"failed", "failed"}, "[] 0 0", "1000"},
		{"one has gone, then given up", []string{"gone", "given up"}, "[{0 1 500 500}] 500 0", "1000"},
		{"given up", []string{"given up", ""}, "[] 0 0", "1000"},
		{"given up, and one went all the same", []string{"given up", "gone"}, "[{0 1 500 500}] 500 0", "1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := paidOrder([2]int64{2, 2000})
			back, amount, err := o.RequestRefund(items(0, 1))
			if err != nil {
				t.Fatal(err)
			}
			p := split(back, amount, 500)
			for i, how := range tt.ends {
				p.end(o, i, how)
			}
			d := o.Data()
			if got := fmt.Sprint(d.Returns, d.Refunded, d.Refunding); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			whole(t, o)
			_, again, err := o.RequestRefund(items(0, 1))
			if got := fmt.Sprint(again); err != nil || got != tt.next {
				t.Errorf("one more unit: %s, %v; want %s", got, err, tt.next)
			}
			whole(t, o)
		})
	}
}

// TestRefundTriedAgain: a refund that was given up is tried again only while
// its units are not refunded otherwise.
func TestRefundTriedAgain(t *testing.T) {
	o := paidOrder([2]int64{1, 1}, [2]int64{4, 2})
	back, amount, err := o.RequestRefund(items(1, 4))
	if err != nil {
		t.Fatal(err)
	}
	p := split(back, amount, 0)
	p.end(o, 0, "failed")
	if err := p.retry(o); err != nil {
		t.Fatal(err)
	}
	whole(t, o)
	p.end(o, 0, "failed")
	whole(t, o)
	if _, _, err := o.RequestRefund(items(1, 2)); err != nil {
		t.Fatal(err)
	}
	was := fmt.Sprint(o.Data().Returns)
	if err := p.retry(o); fault.CodeOf(err) != fault.RefundExceedsPaid {
		t.Fatal(err)
	}
	whole(t, o)
	if got := fmt.Sprint(o.Data().Returns); got != was {
		t.Errorf("a refusal changed the order: %s, was %s", got, was)
	}
}

// TestAnyRefunds: any sequence of refunds over one or two payments whose parts
// are done, lost, given up, tried again, or made by somebody else, ends at
// exactly what was paid; no line falls below zero on the way, and no unit's
// share goes back twice.
func TestAnyRefunds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var of [][2]int64
		for range rapid.IntRange(1, 5).Draw(t, "lines") {
			of = append(of, [2]int64{rapid.Int64Range(1, 7).Draw(t, "units"), rapid.Int64Range(0, 50).Draw(t, "payable")})
		}
		of[0][1]++
		o := paidOrder(of...)
		var all []*promise
		unitsOnly, again, over := true, false, false
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			d := o.Data()
			first := rapid.Int64Range(0, 30).Draw(t, "first part")
			switch rapid.IntRange(0, 8).Draw(t, "what") {
			case 0, 1:
				line := rapid.IntRange(0, len(of)-1).Draw(t, "line")
				if back, n, err := o.RequestRefund(items(int64(line), rapid.Int64Range(1, 7).Draw(t, "quantity"))); err == nil {
					all = append(all, split(back, n, first))
				}
			case 2:
				if !rapid.Bool().Draw(t, "by amount") {
					continue
				}
				if back, n, err := o.RequestRefund(order.RefundRequest{Amount: rapid.Int64Range(1, 60).Draw(t, "amount")}); err == nil {
					all, unitsOnly = append(all, split(back, n, first)), false
				}
			case 3:
				n := min(rapid.Int64Range(0, 10).Draw(t, "foreign"), d.Refundable())
				if n > 0 && rapid.Bool().Draw(t, "made at the console") {
					o.RefundUnreserved(n, lost(o, n), event.Event{})
					unitsOnly = false
				}
			case 4:
				if len(all) > 0 {
					p := all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
					again = again || p.any("l")
					was := fmt.Sprint(o.Data().Returns)
					if err := p.retry(o); err != nil && fmt.Sprint(o.Data().Returns) != was {
						t.Errorf("a refusal changed the order: %v", err)
					}
				}
			default:
				all := slices.DeleteFunc(slices.Clone(all), func(p *promise) bool { return len(p.parts) == 0 })
				if len(all) == 0 {
					continue
				}
				p := all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
				i := rapid.IntRange(0, len(p.parts)-1).Draw(t, "part")
				switch how := rapid.SampledFrom([]string{"gone", "failed", "given up"}).Draw(t, "end"); {
				case p.parts[i].state == 'g', how == "failed" && p.parts[i].state != 'p':
				case how == "gone" && p.parts[i].state == 'l' && p.parts[i].amount > d.Refundable():
				default:
					again = again || p.parts[i].state == 'l'
					p.end(o, i, how)
				}
			}
			whole(t, o)
			// Once a refund that was given up has gone all the same, after its
			// units were refunded otherwise, they have been returned twice.
			over = over || !eachUnitOnce(t, o, all, unitsOnly, again)
		}
		for _, p := range all {
			for i := range p.parts {
				if p.parts[i].state == 'p' || p.parts[i].state == 's' {
					p.end(o, i, "gone")
				}
			}
		}
		if d := o.Data(); d.Refundable() > 0 {
			back, n, err := o.RequestRefund(order.RefundRequest{})
			if err != nil || n != d.Refundable() {
				t.Fatalf("the rest: %d of %d, %v", n, d.Refundable(), err)
			}
			split(back, n, 0).end(o, 0, "gone")
		}
		whole(t, o)
		if d := o.Data(); d.Refunded != d.Paid || d.Status != order.Refunded {
			t.Errorf("%s: %d of %d", d.Status, d.Refunded, d.Paid)
		}
	})
}

// eachUnitOnce compares the lines with the refunds that hold something of them.
// A refund that was given up, and is tried again or goes all the same, gives the
// share that it had, so that a minor unit can be left to be refunded by amount.
func eachUnitOnce(t *rapid.T, o *order.Order, all []*promise, unitsOnly, again bool) (fits bool) {
	d := o.Data()
	units, share := make([]int64, len(d.Items)), make([]int64, len(d.Items))
	fits = true
	for _, p := range all {
		if p.held() == 0 && len(p.parts) > 0 {
			continue
		}
		for _, r := range p.back {
			units[r.Line] += r.Quantity
			share[r.Line] += r.Amount
			fits = fits && units[r.Line] <= d.Items[r.Line].Quantity
		}
	}
	if !fits {
		return false
	}
	for i, l := range d.Items {
		var had order.Return
		for _, r := range d.Returns {
			if r.Line == i {
				had = r
			}
		}
		if had.Quantity != units[i] {
			t.Errorf("line %d: %d units were returned, its refunds say %d", i, had.Quantity, units[i])
		}
		if unitsOnly && (share[i] > l.Payable || !again && units[i] == l.Quantity && share[i] != l.Payable) {
			t.Errorf("line %d of %d × %d: the shares of %d units are %d", i, l.Payable, l.Quantity, units[i], share[i])
		}
	}
	return true
}
