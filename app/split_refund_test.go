package app_test

import (
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

// splitScene is an order that was paid by two payments, and a refund that takes a
// part of each, not finished by the channel.
type splitScene struct {
	*harness.Harness
	order  string
	refund payment.RefundData
}

// newSplitScene is an order of items that was paid by payments of the amounts, one
// after the other. The gate leaves refunds open.
func newSplitScene(
	t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness, price int64, items []app.Item, amounts ...int64,
) *splitScene {
	t.Helper()
	s := &splitScene{Harness: scene(t, open)}
	for _, it := range items {
		s.Sku(it.Sku, price, 10)
	}
	s.order = place(t, s.Harness, app.PlaceOrder{Cart: app.Cart{User: "u", Items: items}}).No
	for _, amount := range amounts {
		p := pay(t, s.Harness, s.order, amount)
		callback(t, s.Harness, p.No, s.Gate.Pay(p.No))
		s.Clock.Advance(time.Second)
	}
	s.Gate.Slow(true)
	return s
}

// request requests a refund, and has the channel begin it.
func (s *splitScene) request(t *testing.T, in order.RefundRequest) {
	t.Helper()
	s.refund = refund(t, s.Harness, s.order, in)
	must(t)(s.RunRefunds(ctx, shop.Default))
}

func (s *splitScene) finish(t *testing.T, part int, kind payment.FactKind) {
	t.Helper()
	a := s.refund.Allocations[part]
	callback(t, s.Harness, a.Payment, s.Gate.Finish(a.No, kind))
}

func (s *splitScene) giveUp(t *testing.T) {
	t.Helper()
	must(t)(s.GiveUpRefund(ctx, shop.Default, s.refund.No, "seen at the console"))
}

func (s *splitScene) retry(t *testing.T) {
	t.Helper()
	must(t)(nil, second(s.RetryRefund(ctx, shop.Default, s.refund.No, "")))
}

// TestSplitRefund: units and their share belong to the refund, not to its parts;
// however the parts end, a unit's share goes back once.
func TestSplitRefund(t *testing.T) {
	for _, tt := range []struct {
		name    string
		units   int64 // of the first refund
		life    func(t *testing.T, s *splitScene)
		refunds string
		// refunded and reserved of the order, and what the next unit gives; 0:
		// it is refused
		refunded, refunding, next int64
	}{
		{"both parts succeed", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.Refunded)
			s.finish(t, 1, payment.Refunded)
		}, "asked 1000 succeeded", 1000, 0, 1000},
		{"given up, then the same unit again", 1, func(t *testing.T, s *splitScene) {
			s.giveUp(t)
		}, "asked 1000 failed (given_up) (given_up)", 0, 0, 1000},
		{"both parts fail at the channel", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.RefundFailed)
			s.finish(t, 1, payment.RefundFailed)
		}, "asked 1000 failed (given_up) (given_up)", 0, 0, 1000},
		{"both units, both parts fail: they can be refunded again", 2, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.RefundFailed)
			s.finish(t, 1, payment.RefundFailed)
		}, "asked 2000 failed (given_up) (given_up)", 0, 0, 1000},
		{"one part fails at the channel: all of it stays promised", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.RefundFailed)
		}, "asked 1000 pending (given_up)", 0, 1000, 1000},
		{"one part fails, the other goes: it waits for a person", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.RefundFailed)
			s.finish(t, 1, payment.Refunded)
		}, "asked 1000 pending (given_up)", 500, 500, 1000},
		{"one part goes, the other fails: it waits for a person", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 1, payment.Refunded)
			s.finish(t, 0, payment.RefundFailed)
		}, "asked 1000 pending (given_up)", 500, 500, 1000},
		{"one part goes, the other fails and is retried", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.RefundFailed)
			s.finish(t, 1, payment.Refunded)
			s.Gate.Slow(false)
			s.retry(t)
			rest(t, s.Harness)
		}, "asked 1000 succeeded", 1000, 0, 1000},
		{"one part goes, the other fails and is paid by hand", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.RefundFailed)
			s.finish(t, 1, payment.Refunded)
			must(t)(s.ConfirmRefund(ctx, shop.Default, s.refund.No, "in cash, receipt 7"))
		}, "asked 1000 succeeded", 1000, 0, 1000},
		{"one part goes, the rest is given up: the next unit gives its own share", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.RefundFailed)
			s.finish(t, 1, payment.Refunded)
			s.giveUp(t)
		}, "asked 1000 failed (given_up)", 500, 0, 1000},
		{"given up, then a retry that succeeds: the other unit goes", 1, func(t *testing.T, s *splitScene) {
			s.giveUp(t)
			for _, a := range s.refund.Allocations {
				s.Gate.Finish(a.No, payment.RefundFailed) // as the operator saw
			}
			s.Gate.Slow(false)
			s.retry(t)
			rest(t, s.Harness)
		}, "asked 1000 succeeded", 1000, 0, 1000},
		{"given up, and both went all the same", 1, func(t *testing.T, s *splitScene) {
			s.giveUp(t)
			s.finish(t, 0, payment.Refunded)
			s.finish(t, 1, payment.Refunded)
		}, "asked 1000 succeeded", 1000, 0, 1000},
		{"a part that was given up by the channel goes all the same", 1, func(t *testing.T, s *splitScene) {
			s.finish(t, 0, payment.RefundFailed)
			s.finish(t, 0, payment.Refunded)
			s.finish(t, 1, payment.Refunded)
		}, "asked 1000 succeeded", 1000, 0, 1000},
		{"both units given up, one of them refunded otherwise: no retry", 2, func(t *testing.T, s *splitScene) {
			s.giveUp(t)
			refund(t, s.Harness, s.order, order.RefundRequest{Items: []order.RefundItem{{Line: 0, Quantity: 1}}})
			_, _, err := s.RetryRefund(ctx, shop.Default, s.refund.No, "")
			if !fault.Is(err, fault.RefundExceedsPaid) {
				t.Errorf("the retry: %v", err)
			}
		}, "asked 1000 pending; asked 2000 failed (given_up) (given_up)", 0, 1000, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
				s := newSplitScene(t, open, 1000, []app.Item{{Sku: "K", Quantity: 2}}, 1500, 500)
				s.request(t, order.RefundRequest{Items: []order.RefundItem{{Line: 0, Quantity: tt.units}}})

				tt.life(t, s)
				s.React()
				s.Audit()
				d := view(t, s.Harness, s.order).Order
				if got := refunds(t, s.Harness, s.order); got != tt.refunds || d.Refunded != tt.refunded || d.Refunding != tt.refunding {
					t.Errorf("%q, refunded %d, promised %d\nwant %q, %d, %d", got, d.Refunded, d.Refunding, tt.refunds, tt.refunded, tt.refunding)
				}
				again, _, err := s.RequestRefund(ctx, shop.Default, s.order, "again", app.RequestRefund{
					RefundRequest: order.RefundRequest{Items: []order.RefundItem{{Line: 0, Quantity: 1}}},
				})
				if again.Amount != tt.next || (err == nil) != (tt.next > 0) {
					t.Errorf("one more unit gives %d (%v), want %d", again.Amount, err, tt.next)
				}
				s.Audit()
			})
		})
	}
}

// TestSplitRefundOfLines: a refund of three lines over two payments that is
// given up leaves no line with less than nothing.
func TestSplitRefundOfLines(t *testing.T) {
	harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
		s := newSplitScene(t, open, 1, []app.Item{{Sku: "L0", Quantity: 1}, {Sku: "L1", Quantity: 1}, {Sku: "L2", Quantity: 1}}, 1, 2)
		s.request(t, order.RefundRequest{})
		for i := range s.refund.Allocations {
			s.finish(t, i, payment.RefundFailed)
			s.Audit()
		}
		if d := view(t, s.Harness, s.order).Order; len(d.Returns) > 0 || d.Refunding != 0 {
			t.Errorf("the lines gave %v, promised %d", d.Returns, d.Refunding)
		}
	})
}

// TestLateRefundTakesReserve: parts of a refund that was given up go all the
// same, after the same units were refunded again. What a payment does not have
// any more is reserved for nobody, and what is left can be refunded.
func TestLateRefundTakesReserve(t *testing.T) {
	for name, late := range map[string]func(t *testing.T, s *splitScene){
		"reported by the channel": func(t *testing.T, s *splitScene) {
			for i := range s.refund.Allocations {
				s.finish(t, i, payment.Refunded)
				s.Audit()
			}
		},
		"confirmed by an operator": func(t *testing.T, s *splitScene) {
			must(t)(s.ConfirmRefund(ctx, shop.Default, s.refund.No, "seen at the console after all"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open func(func(unit.Store) unit.Store) *harness.Harness) {
				s := newSplitScene(t, open, 333, []app.Item{{Sku: "K", Quantity: 3}}, 500, 499)
				two := order.RefundRequest{Items: []order.RefundItem{{Line: 0, Quantity: 2}}}
				s.request(t, two)
				s.giveUp(t)

				// The channel pays the small part of the second, and refuses the other.
				second := refund(t, s.Harness, s.order, two)
				s.Gate.Slow(false)
				s.Gate.Fail = func(_, no string) (error, bool) {
					if no == second.Allocations[0].No {
						return &payment.RejectedError{Code: "TOO_MUCH"}, false
					}
					return nil, true
				}
				must(t)(s.RunRefunds(ctx, shop.Default))
				s.Gate.Fail = nil
				s.Audit()

				late(t, s)
				s.Audit()
				d := view(t, s.Harness, s.order).Order
				left := d.Refundable()
				if left != d.Paid-d.Refunded-d.Refunding || left <= 0 {
					t.Fatalf("paid %d, refunded %d, refunding %d: %d is left", d.Paid, d.Refunded, d.Refunding, left)
				}
				if rest := refund(t, s.Harness, s.order, order.RefundRequest{}); rest.Amount != left {
					t.Errorf("the rest is %d, want %d", rest.Amount, left)
				}
				s.Audit()
			})
		})
	}
}
