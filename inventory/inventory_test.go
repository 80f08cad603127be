package inventory_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/money"
)

func stocked(t interface{ Fatal(...any) }, units int64) *inventory.Sku {
	s := inventory.New("A")
	if err := s.Define(inventory.Definition{Name: "A", Price: 100, Stock: &units}); err != nil {
		t.Fatal(err)
	}
	s.Drain()
	return s
}

// Every row is done to a sku with 10 on hand, 4 of them reserved.
func TestVerbs(t *testing.T) {
	stock := func(n int64) func(*inventory.Sku) error {
		return func(s *inventory.Sku) error {
			return s.Define(inventory.Definition{Name: "A", Price: 100, Stock: &n})
		}
	}
	define := func(d inventory.Definition) func(*inventory.Sku) error {
		return func(s *inventory.Sku) error { return s.Define(d) }
	}
	for _, tt := range []struct {
		name             string
		do               func(*inventory.Sku) error
		code             fault.Code
		onHand, reserved int64
		events           string
	}{
		{"reserve", func(s *inventory.Sku) error { return s.Reserve("o", 6) }, "", 10, 10, "stock.reserved 6"},
		{"reserve too many", func(s *inventory.Sku) error { return s.Reserve("o", 7) }, fault.OutOfStock, 10, 4, ""},
		{"reserve none", func(s *inventory.Sku) error { return s.Reserve("o", 0) }, fault.OutOfStock, 10, 4, ""},
		{"release", func(s *inventory.Sku) error { return s.Release("o", 4) }, "", 10, 0, "stock.released 4"},
		{"release too many", func(s *inventory.Sku) error { return s.Release("o", 5) }, fault.Internal, 10, 4, ""},
		{"sell", func(s *inventory.Sku) error { return s.Sell("o", 4) }, "", 6, 0, "stock.sold 4"},
		{"sell too many", func(s *inventory.Sku) error { return s.Sell("o", 5) }, fault.Internal, 10, 4, ""},
		{"add", func(s *inventory.Sku) error { return s.Adjust(5) }, "", 15, 4, "stock.adjusted 5"},
		{"take away", func(s *inventory.Sku) error { return s.Adjust(-6) }, "", 4, 4, "stock.adjusted -6"},
		{"take away what is reserved", func(s *inventory.Sku) error { return s.Adjust(-7) }, fault.OutOfStock, 10, 4, ""},
		{"add beyond the most", func(s *inventory.Sku) error { return s.Adjust(inventory.MaxStock) }, fault.ValidationFailed, 10, 4, ""},
		{"set", stock(20), "", 20, 4, "stock.adjusted 10"},
		{"set to what it is", stock(10), "", 10, 4, ""},
		{"set below what is reserved", stock(3), fault.OutOfStock, 10, 4, ""},
		{"set below nothing", stock(-1), fault.ValidationFailed, 10, 4, ""},
		{"define without stock", define(inventory.Definition{Name: "B", Price: 1}), "", 10, 4, ""},
		{"no name", define(inventory.Definition{Price: 1}), fault.ValidationFailed, 10, 4, ""},
		{"negative price", define(inventory.Definition{Name: "A", Price: -1}), fault.ValidationFailed, 10, 4, ""},
		{"price beyond the most", define(inventory.Definition{Name: "A", Price: money.Max + 1}), fault.ValidationFailed, 10, 4, ""},
		{"long name", define(inventory.Definition{Name: strings.Repeat("茶", 129)}), fault.ValidationFailed, 10, 4, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stocked(t, 10)
			if err := s.Reserve("before", 4); err != nil {
				t.Fatal(err)
			}
			s.Drain()
			if err := tt.do(s); fault.CodeOf(err) != tt.code {
				t.Errorf("%v, want %q", err, tt.code)
			}
			var events []string
			for _, e := range s.Drain() {
				events = append(events, fmt.Sprint(e.Type, " ", e.Quantity))
			}
			d := s.Data()
			if d.OnHand != tt.onHand || d.Reserved != tt.reserved || strings.Join(events, ", ") != tt.events {
				t.Errorf("%d of %d reserved, events %v; want %d of %d, %s", d.Reserved, d.OnHand, events, tt.reserved, tt.onHand, tt.events)
			}
		})
	}
}

// TestNoOversell: no sequence of verbs breaks 0 ≤ reserved ≤ onHand.
func TestNoOversell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stocked(t, rapid.Int64Range(0, 20).Draw(t, "stock"))
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			n := rapid.Int64Range(-25, 25).Draw(t, "units")
			before := s.Data()
			err := []func() error{
				func() error { return s.Reserve("o", n) }, func() error { return s.Release("o", n) },
				func() error { return s.Sell("o", n) }, func() error { return s.Adjust(n) },
			}[rapid.IntRange(0, 3).Draw(t, "verb")]()
			d := s.Data()
			if d.Reserved < 0 || d.Reserved > d.OnHand {
				t.Fatalf("%d of %d reserved", d.Reserved, d.OnHand)
			}
			if err != nil && (d.Reserved != before.Reserved || d.OnHand != before.OnHand) {
				t.Fatalf("refused and changed: %+v", d)
			}
		}
	})
}
