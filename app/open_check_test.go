package app_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// picky is a channel that refuses small amounts before it is called.
type picky struct{ *harness.Gate }

func (picky) Check(r payment.PrepayRequest) *payment.WrongFieldError {
	if r.Amount < 100 {
		return &payment.WrongFieldError{Field: "/amount", Message: "at least 100"}
	}
	return nil
}

func (c picky) Channel(context.Context, string, string) (app.Configured, error) {
	return app.Configured{Channel: c, Merchant: "mch", App: "app"}, nil
}

// TestRefusedBeforeItIsStored: what the channel would refuse leaves no payment,
// and the order as it was.
func TestRefusedBeforeItIsStored(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		r.App.Channels = picky{r.Gate}
		o := place(t, r, harness.Cart("u", "A", "C5"))
		_, _, err := r.OpenPayment(ctx, shop.Default, o.No, "k", app.OpenPayment{Channel: "gate", Method: payment.Native, Amount: 99})
		if e, ours := errors.AsType[*fault.Error](err); !ours || e.Code != fault.ValidationFailed || e.Fields[0].Pointer != "/amount" {
			t.Errorf("refused with %v", err)
		}
		if v := view(t, r, o.No); v.Order.Status != order.PendingPayment || len(v.Payments) != 0 || r.Gate.Prepays != 0 {
			t.Errorf("%s with %d payments, %d calls", v.Order.Status, len(v.Payments), r.Gate.Prepays)
		}
		p := pay(t, r, o.No, 100)
		if left := p.ExpiresAt.Sub(r.Clock.Now()); left < 2*time.Minute {
			t.Errorf("it lives for %s", left)
		}
		r.Audit()
	})
}

// TestMisconfigured: a channel that refuses its settings says so, with its reason.
func TestMisconfigured(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		status payment.Status
	}{
		{"nobody has signed it", fmt.Errorf("%w: %w", payment.ErrUnknown, &payment.MisconfiguredError{Code: "isv.invalid-signature", Message: "m", Check: "Check appPrivateKey."}), payment.StatusCreated},
		{"certainly", &payment.RejectedError{Code: "NO_AUTH", Message: "m", Check: "Check mchId."}, payment.StatusFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open opener) {
				r := scene(t, open)
				o := place(t, r, harness.Cart("u", "A", "C5"))
				r.Gate.Fail = func(string, string) (error, bool) { return tt.err, false }
				p, _, err := r.OpenPayment(ctx, shop.Default, o.No, "k", app.OpenPayment{Channel: "gate", Method: payment.Native})
				if !fault.Is(err, fault.ChannelMisconfigured) {
					t.Errorf("refused with %v", err)
				}
				if d, err := r.Store.Payment(ctx, shop.Default, p.No); err != nil || d.Status != tt.status {
					t.Errorf("the payment is %s, %v", d.Status, err)
				}
				r.Audit()
			})
		})
	}
}
