package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/shop"
)

// issue makes a template, and coupons of it for a user.
func issue(t *testing.T, r *harness.Harness, user string, template marketing.Template, codes ...string) {
	t.Helper()
	template.Name, template.Kind = template.ID, "amount_off"
	must(t)(nil, second(r.PutTemplate(ctx, shop.Default, "", template, true)))
	for part := range slices.Chunk(codes, app.MaxIssue) {
		must(t)(nil, second(r.IssueCoupons(ctx, shop.Default, "", app.IssueCoupons{Template: template.ID, User: user, Codes: part})))
	}
}

// TestQuoteBest reads the wallet: what is in it, what it can be used for, and
// that the codes that were chosen are what an order takes.
func TestQuoteBest(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		soon, later := r.Clock.Now().Add(time.Hour), r.Clock.Now().Add(2*time.Hour)
		issue(t, r, "u", marketing.Template{ID: "big", AmountOff: 400, Threshold: 2000}, "BIG")
		issue(t, r, "u", marketing.Template{ID: "stack", AmountOff: 100, Stackable: true}, "S1", "S2")
		issue(t, r, "u", marketing.Template{ID: "soon", AmountOff: 300, ValidUntil: &soon}, "SOON")
		issue(t, r, "u", marketing.Template{ID: "late", AmountOff: 900, ValidFrom: &later}, "LATE")
		issue(t, r, "u", marketing.Template{ID: "gone", AmountOff: 900}, "GONE")
		must(t)(r.RevokeCoupon(ctx, shop.Default, "GONE"))
		issue(t, r, "v", marketing.Template{ID: "hers", AmountOff: 900}, "HERS")
		best := func(user string, units int64) string {
			t.Helper()
			c, err := r.QuoteBest(ctx, shop.Default, app.Cart{User: user, Items: []app.Item{{Sku: "A", Quantity: units}}})
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%d %s of %d %v", c.Quote.Payable, strings.Join(c.Codes, ","), c.Of, c.Stopped)
		}
		for _, tt := range []struct {
			name  string
			user  string
			units int64
			want  string
		}{
			{"below the threshold", "u", 1, "500 SOON,S1,S2 of 3 false"},
			{"at the threshold", "u", 2, "1400 BIG,S1,S2 of 4 false"},
			{"without coupons", "w", 2, "2000  of 0 false"},
			{"hers alone", "v", 1, "100 HERS of 1 false"},
		} {
			if got := best(tt.user, tt.units); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			}
		}
		in := harness.Cart("u", "A", "SOON", "S1", "S2")
		if d := place(t, r, in); d.Payable != 500 {
			t.Errorf("the order comes to %d", d.Payable)
		}
		if got := best("u", 1); got != "1000  of 0 false" {
			t.Errorf("when they are locked: %s", got)
		}
		r.Clock.Advance(3 * time.Hour)
		if got := best("u", 1); got != "100 LATE of 1 false" {
			t.Errorf("when they have begun and ended: %s", got)
		}
		r.Audit()
	})
}

// TestQuoteBestOfMany: a wallet that is too large to read says so; the
// soonest to expire are read.
func TestQuoteBestOfMany(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		soon := r.Clock.Now().Add(time.Hour)
		codes := make([]string, app.MaxWalletRead)
		for i := range codes {
			codes[i] = fmt.Sprintf("M%04d", i)
		}
		issue(t, r, "u", marketing.Template{ID: "many", AmountOff: 1}, codes...)
		issue(t, r, "u", marketing.Template{ID: "more", AmountOff: 2, ValidUntil: &soon}, "Z")
		c, err := r.QuoteBest(ctx, shop.Default, harness.Cart("u", "A").Cart)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Stopped || c.Of != app.MaxWalletRead || !slices.Equal(c.Codes, []string{"Z"}) {
			t.Errorf("%+v", c)
		}
	})
}

func TestQuoteRefuses(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		for _, tt := range []struct {
			name string
			cart app.Cart
			code fault.Code
		}{
			{"an unknown sku", harness.Cart("u", "none").Cart, fault.SkuNotFound},
			{"no user", harness.Cart("", "A").Cart, fault.ValidationFailed},
			{"nothing", app.Cart{User: "u"}, fault.ValidationFailed},
		} {
			if _, err := r.QuoteBest(ctx, shop.Default, tt.cart); fault.CodeOf(err) != tt.code {
				t.Errorf("best of %s: %v, want %s", tt.name, err, tt.code)
			}
			if _, err := r.Quote(ctx, shop.Default, tt.cart); fault.CodeOf(err) != tt.code {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
			}
			if _, err := r.Quote(ctx, "nowhere", harness.Cart("u", "A").Cart); !fault.Is(err, fault.NotFound) {
				t.Errorf("a shop that is not there: %v", err)
			}
		}
	})
}
