package app_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/shop"
)

// tally counts outcomes by code; "" is success.
func tally(errs []error) map[fault.Code]int {
	n := map[fault.Code]int{}
	for _, err := range errs {
		n[fault.CodeOf(err)]++
	}
	return n
}

// TestSubmitDuplicates: 20 at once with one key, and 20 without: one order each;
// the duplicates all get it, of the others one.
func TestSubmitDuplicates(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		for _, tt := range []struct {
			key      string
			accepted int
		}{{"duplicates", 20}, {"", 1}} {
			no := drafted(t, r, harness.Cart("u", "A")).No
			got := make([]order.Data, 20)
			n := tally(harness.Together(20, func(i int) (err error) {
				got[i], _, err = instances[i%len(instances)].SubmitDraft(ctx, shop.Default, no, tt.key, nil, nil)
				return err
			}))
			if n[""] != tt.accepted || n[""]+n[fault.OrderFrozen] != 20 {
				t.Errorf("key %q: %v", tt.key, n)
			}
			for i := range got {
				if got[i].No != "" && got[i].Seq != 2 {
					t.Errorf("key %q: duplicate %d got %+v", tt.key, i, got[i])
				}
			}
			if e := orderEvents(t, r, no); e != "drafted placed" {
				t.Errorf("key %q: %s", tt.key, e)
			}
		}
		if s, err := r.Store.Sku(ctx, shop.Default, "A"); err != nil || s.Reserved != 2 {
			t.Errorf("%d reserved (%v)", s.Reserved, err)
		}
		r.Audit()
	})
}

// TestSubmitForOne: ten drafts with one coupon are submitted at once: one has
// it, the others are drafts still.
func TestSubmitForOne(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		nos := make([]string, 10)
		for i := range nos {
			nos[i] = drafted(t, r, harness.Cart(fmt.Sprint("u", i), "A", "C5")).No
		}
		if n := tally(harness.Together(10, func(i int) error {
			_, err := submit(instances[i%len(instances)], nos[i], 500)
			return err
		})); n[""] != 1 || n[fault.CouponUnavailable] != 9 {
			t.Errorf("%v", n)
		}
		drafts, _, err := r.Store.ListOrders(ctx, shop.Default, app.OrderFilter{Status: order.Draft}, app.Page{Limit: 20})
		if err != nil || len(drafts) != 9 {
			t.Errorf("%d drafts are left (%v)", len(drafts), err)
		}
		r.Audit()
	})
}

// TestEditorsRace: editors who all saw the same version: one edits, the others
// are refused; and who only prices is not disturbed by them.
func TestEditorsRace(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		no := drafted(t, r, harness.Cart("u", "A")).No
		errs := harness.Together(12, func(i int) error {
			one := instances[i%len(instances)]
			if i >= 10 {
				_, _, err := one.PriceDraft(ctx, shop.Default, no, "", nil)
				return err
			}
			in := harness.Cart("u", "A")
			in.Items[0].Quantity = int64(2 + i)
			_, err := one.EditDraft(ctx, shop.Default, no, app.Versions{1}, in)
			return err
		})
		if n := tally(errs[:10]); n[""] != 1 || n[fault.PreconditionFailed] != 9 || errors.Join(errs[10:]...) != nil {
			t.Errorf("%v, priced: %v", n, errs[10:])
		}
		if e := orderEvents(t, r, no); e != "drafted edited" {
			t.Errorf("%s", e)
		}
		r.Audit()
	})
}

// TestEditOrSubmit: a draft is edited, submitted, discarded and paid for at
// once. Whatever wins, the order is of the items that it was submitted with,
// and who came too late is refused.
func TestEditOrSubmit(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		for round := range 5 {
			no := drafted(t, r, harness.Cart("u", "A")).No
			var placed order.Data
			errs := harness.Together(4, func(i int) (err error) {
				one := instances[(i+round)%len(instances)]
				switch i {
				case 0:
					in := harness.Cart("u", "A")
					in.Items[0].Quantity = 2
					_, err = one.EditDraft(ctx, shop.Default, no, app.Versions{1}, in)
				case 1:
					placed, _, err = one.SubmitDraft(ctx, shop.Default, no, "", app.Versions{1}, nil)
				case 2:
					_, _, err = one.CancelOrder(ctx, shop.Default, no, "", "")
				default:
					_, _, err = one.OpenPayment(ctx, shop.Default, no, harness.Key(i), app.OpenPayment{Channel: "gate", Method: "native"})
				}
				return err
			})
			for i, ok := range [][]fault.Code{{"", fault.PreconditionFailed, fault.OrderFrozen}, {"", fault.PreconditionFailed, fault.OrderFrozen}, {""}, {"", fault.OrderNotPayable}} {
				found := false
				for _, code := range ok {
					found = found || fault.CodeOf(errs[i]) == code
				}
				if !found {
					t.Errorf("round %d, %d: %v", round, i, errs[i])
				}
			}
			if errs[0] == nil && errs[1] == nil {
				t.Errorf("round %d: it was edited and submitted as it was before", round)
			}
			if errs[1] == nil && (placed.Payable != 1000 || placed.Items[0].Quantity != 1) {
				t.Errorf("round %d: placed %+v", round, placed)
			}
			rest(t, r)
			// One that was cancelled while it was being paid for waits for the
			// channel's answer.
			for _, p := range view(t, r, no).Payments {
				must(t)(nil, r.RunJob(ctx, shop.Default, app.Job{Kind: app.JobClosePayment, Payment: p.No}))
			}
			rest(t, r)
			if s := view(t, r, no).Order.Status; s != order.Closed {
				t.Errorf("round %d: %s", round, s)
			}
		}
		r.Audit()
	})
}

// TestDraftDuplicates: twenty at once with one key make one draft, and a repeat is
// answered when what it ordered is priced no more.
func TestDraftDuplicates(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		in := harness.Cart("u", "A")
		in.Expected = new(int64)
		*in.Expected = 1000
		nos := make([]string, 20)
		if err := errors.Join(harness.Together(20, func(i int) error {
			d, _, err := instances[i%len(instances)].DraftOrder(ctx, shop.Default, "one", in)
			nos[i] = d.No
			return err
		})...); err != nil {
			t.Error(err)
		}
		r.Sku("A", 2000, 25)
		d, replayed, err := r.DraftOrder(ctx, shop.Default, "one", in)
		if err != nil || !replayed || d.Payable != 1000 {
			t.Errorf("again, dearer: %+v %v %v", d, replayed, err)
		}
		for i, no := range append(nos, d.No) {
			if no != nos[0] {
				t.Errorf("duplicate %d has draft %s, not %s", i, no, nos[0])
			}
		}
		if _, _, err := r.DraftOrder(ctx, shop.Default, "two", in); !fault.Is(err, fault.PriceChanged) {
			t.Errorf("another key: %v", err)
		}
		r.Audit()
	})
}
