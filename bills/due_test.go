package bills_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/internal/harness/steps"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/shop"
)

// channelRow sets a channel up in the store: the daily job goes by what is
// configured there.
func channelRow(t *testing.T, r *harness.Harness, name string) {
	t.Helper()
	c := &app.Command{Shop: shop.Default, Name: "put channel", Needs: app.Needs{rows.Channels.Keys(name)}}
	_, err := app.Run(ctx, r.App, c, func(tx *app.Tx) error {
		tx.PutChannel(&rows.Channel{Name: name, Kind: "gate", Sealed: []byte("x"), UpdatedAt: tx.Now()})
		return nil
	})
	steps.Must(t)(nil, err)
}

// TestReconcileDue: what the daily job requests of the channel, hour by hour. A
// row is a moment, counted from noon of the first day where the channel is,
// what the channel says then, and the days that were requested.
func TestReconcileDue(t *testing.T) {
	type moment struct {
		at        time.Duration
		err       error
		requested string // days, 0 is the first
	}
	const hour, day = time.Hour, 24 * time.Hour
	for _, tt := range []struct {
		name    string
		moments []moment
	}{
		{"not before ten, and once", []moment{
			{hour, nil, "-1"}, // yesterday; nothing is due before it
			{12*hour + time.Minute, nil, ""},
			{21*hour + 50*time.Minute, nil, ""},
			{22*hour + time.Minute, nil, "0"},
			{22*hour + 10*time.Minute, nil, ""},
			{30 * hour, nil, ""},
			{46*hour + time.Minute, nil, "1"},
		}},
		{"not ready: again an hour later", []moment{
			{22 * hour, payment.ErrBillNotReady, "0"},
			{22*hour + 30*time.Minute, nil, ""},
			{23*hour + time.Minute, payment.ErrBillNotReady, "0"},
			{24*hour + 2*time.Minute, nil, "0"},
			{26 * hour, nil, ""},
		}},
		{"failed: again an hour later", []moment{
			{22 * hour, payment.ErrUnknown, "0"},
			{22*hour + 50*time.Minute, nil, ""},
			{23*hour + time.Minute, nil, "0"},
		}},
		{"failed for two days, then both", []moment{
			{22 * hour, payment.ErrUnknown, "0"},
			{46 * hour, payment.ErrUnknown, "1 0"},
			{48 * hour, nil, "1 0"},
		}},
		{"nobody was at home for some days", []moment{
			{22 * hour, nil, "0"},
			{4*day - 2*hour, nil, "3 2 1"},
			{4*day - hour, nil, ""},
		}},
		{"checked every five minutes at most", []moment{
			{22*hour - 2*time.Minute, nil, ""},
			{22*hour + time.Minute, nil, ""},
			{22*hour + 4*time.Minute, nil, "0"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, open steps.Open) {
				r := open(nil)
				noon(r)
				start := r.Clock.Now()
				channelRow(t, r, "gate")
				for _, m := range tt.moments {
					r.Clock.Advance(start.Add(m.at).Sub(r.Clock.Now()))
					var requested []string
					r.Gate.Fail = func(call, no string) (error, bool) {
						if call == "bill" {
							requested = append(requested, no)
						}
						return m.err, false
					}
					steps.Must(t)(r.ReconcileDue(ctx, shop.Default))
					var want []string
					for _, days := range strings.Fields(m.requested) {
						n, err := strconv.Atoi(days)
						steps.Must(t)(nil, err)
						want = append(want, payment.DayOf(start.AddDate(0, 0, n), r.Gate.Zone()).String())
					}
					if !slices.Equal(requested, want) {
						t.Errorf("at %s: requested %v, want %v", m.at, requested, want)
					}
				}
			})
		})
	}
}

// TestReconcileTwoInstances: two instances that reconcile one day at once
// find what one finds, and heal it once.
func TestReconcileTwoInstances(t *testing.T) {
	open := harness.Postgres(t)
	r := steps.Shop(t, open)
	day := noon(r)
	for i := range 6 {
		b := billed{t: t, r: r, o: steps.Place(t, r, harness.Cart(harness.Key(i), "A"))}
		b.p = steps.Pay(t, r, b.o.No, 0)
		switch i % 3 {
		case 0: // unsettled
			r.Gate.Pay(b.p.No)
			b.bill(paidRow(r, &b.p))
		case 1: // paid twice
			b.paid().bill(paidRow(r, &b.p))
			r.Gate.PayAgain(b.p.No)
			b.bill(paidRow(r, &b.p), func(t *payment.BillRow) { t.TransactionID, t.At = "2"+b.p.No, t.At.Add(time.Second) })
		case 2: // missing
			b.paid()
		}
	}
	morning(r, day, 11)
	instances := []*harness.Harness{r, steps.Second(open, r)}
	if err := errors.Join(harness.Together(6, func(i int) error {
		d, err := instances[i%2].Reconcile(ctx, shop.Default, "gate", day, nil)
		if err == nil && d.Status != rows.ReconciliationDone {
			err = errors.New(d.Error)
		}
		return err
	})...); err != nil {
		t.Fatal(err)
	}
	steps.Rest(t, r)
	if words, _ := found(t, r, day); words != "paid_twice healed, paid_twice healed, payment_missing open, payment_missing open, payment_unsettled healed, payment_unsettled healed" {
		t.Errorf("found %s", words)
	}
	if report := r.Audit(); report.Suspense != 0 || report.Payments != 8 {
		t.Errorf("%d payments, %d in suspense", report.Payments, report.Suspense)
	}
	d, err := r.Store.Reconciliation(ctx, shop.Default, day.String()+"/gate")
	if err != nil || d.Runs != 6 {
		t.Errorf("%d runs (%v)", d.Runs, err)
	}
}
