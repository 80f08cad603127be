// Package steps makes the steps of an order's life for tests: each is one use
// case of a backend under test, and fails the test if it is refused.
package steps

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/unit"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// Open makes a backend on the test's database; called again it makes another
// instance. wrap may put faults before the store.
type Open = func(wrap func(unit.Store) unit.Store) *harness.Harness

// Shop is a backend with a shop that sells A (10.00, 25 units) and B (3.00,
// limited to 2 a buyer), has a coupon C5 of 5.00, and a user who is blocked.
func Shop(t *testing.T, open Open) *harness.Harness {
	t.Helper()
	r, ctx := open(nil), context.Background()
	r.Sku("A", 1000, 25)
	ten := int64(10)
	Must(t)(r.PutSku(ctx, shop.Default, "B", inventory.Definition{Name: "B", Price: 300, Stock: &ten, MaxPerUser: 2}))
	Must(t)(
		nil,
		Err(r.PutTemplate(ctx, shop.Default, "", marketing.Template{ID: "five", Name: "5 off", Kind: "amount_off", AmountOff: 500}, true)),
	)
	Must(t)(nil, Err(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: "five", Codes: []string{"C5"}})))
	Must(t)(r.PutUser(ctx, shop.Default, shop.User{ID: "blocked", Blocked: true}))
	return r
}

// Second is another instance on the database of r, with its time and channel.
func Second(open Open, r *harness.Harness) *harness.Harness {
	other := open(nil)
	other.Clock.Advance(r.Clock.Now().Sub(other.Clock.Now()))
	other.Gate, other.Channels = r.Gate, r.Gate
	return other
}

// Must fails the test for an error.
func Must(t *testing.T) func(any, error) {
	t.Helper()
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Err is the error of a use case that can be repeated.
func Err[T any](_ T, _ bool, err error) error { return err }

// Place places an order.
func Place(t *testing.T, r *harness.Harness, in app.PlaceOrder) order.Data {
	t.Helper()
	d, _, err := r.PlaceOrder(context.Background(), shop.Default, harness.Key(0), in)
	Must(t)(nil, err)
	return d
}

// Draft makes a draft.
func Draft(t *testing.T, r *harness.Harness, in app.PlaceOrder) order.Data {
	t.Helper()
	d, _, err := r.DraftOrder(context.Background(), shop.Default, harness.Key(0), in)
	Must(t)(nil, err)
	return d
}

// Submit submits a draft, at the version expected if one is given.
func Submit(r *harness.Harness, no string, expected ...int64) (order.Data, error) {
	var e *int64
	if len(expected) > 0 {
		e = &expected[0]
	}
	d, _, err := r.SubmitDraft(context.Background(), shop.Default, no, "", nil, e)
	return d, err
}

// Pay opens a payment; 0 is all that is due.
func Pay(t *testing.T, r *harness.Harness, orderNo string, amount int64) payment.Data {
	t.Helper()
	p, _, err := r.OpenPayment(
		context.Background(), shop.Default, orderNo, harness.Key(0),
		app.OpenPayment{Channel: "gate", Method: payment.Native, Amount: amount},
	)
	Must(t)(nil, err)
	return p
}

// Callback delivers a fact about a payment and returns the HTTP status that
// the channel gets.
func Callback(t *testing.T, r *harness.Harness, no string, f payment.Fact) int {
	t.Helper()
	a, _, err := r.Callback(context.Background(), shop.Default, "gate", http.Header{}, harness.Callback(no, f))
	Must(t)(nil, err)
	return a.Status
}

// View reads an order with its payments.
func View(t *testing.T, r *harness.Harness, no string) app.OrderView {
	t.Helper()
	v, err := r.Store.Order(context.Background(), shop.Default, no)
	Must(t)(nil, err)
	return v
}

// Refund promises a refund.
func Refund(t *testing.T, r *harness.Harness, orderNo string, request order.RefundRequest) payment.RefundData {
	t.Helper()
	d, _, err := r.RequestRefund(
		context.Background(), shop.Default, orderNo, harness.Key(0), app.RequestRefund{RefundRequest: request, Reason: "不喜欢"},
	)
	Must(t)(nil, err)
	return d
}

// Refunds is an order's refunds as text: cause, amount and state.
func Refunds(t *testing.T, r *harness.Harness, orderNo string) string {
	t.Helper()
	all, err := r.Store.RefundsOf(context.Background(), shop.Default, orderNo)
	Must(t)(nil, err)
	var out []string
	for _, d := range all {
		s := fmt.Sprint(d.Cause, " ", d.Amount, " ", d.Status)
		for _, a := range d.Allocations {
			if a.Parked != "" {
				s += " (" + string(a.Parked) + ")"
			}
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// Rest lets reactions and refunds run until nothing is left to do.
func Rest(t *testing.T, r *harness.Harness) {
	t.Helper()
	for range 50 {
		r.React()
		n, err := r.RunRefunds(context.Background(), shop.Default)
		Must(t)(nil, err)
		if n == 0 {
			return
		}
	}
	t.Fatal("refunds do not come to rest")
}
