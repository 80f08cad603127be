//go:build bench

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-pay/tandem/audit"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/channel/guard"
	"github.com/tandem-pay/tandem/channel/kinds"
	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/sandbox"
)

// A load that is to say something of the guard must meet it: the channels of
// the bench are behind one, and the slow one wears it out.
func TestBenchChannelsAreGuarded(t *testing.T) {
	keys, err := sandbox.GenerateKeys(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			kind   string
			within time.Duration // of one call
			first  error
			last   error // of the eleventh call
		}{
			{load.BenchChannel, 0, nil, nil},
			{load.SlowChannel, 8 * time.Second, payment.ErrUnknown, guard.ErrOpen},
		} {
			var channel payment.Channel
			for _, k := range benchKinds(kinds.Options{Now: clock.New().Now}) {
				if k.Kind == tt.kind {
					c, err := k.Open(load.ChannelSettings(keys, tt.kind))
					if err != nil {
						t.Fatal(err)
					}
					channel = c.Channel
				}
			}
			if _, guarded := channel.(*guard.Channel); !guarded || channel.Kind() != tt.kind {
				t.Fatalf("%s: the channel is a %T of kind %s", tt.kind, channel, channel.Kind())
			}
			for n := range 11 {
				began := time.Now()
				_, err := channel.Prepay(t.Context(), payment.PrepayRequest{PaymentNo: "2"})
				want, within := tt.first, tt.within
				if n == 10 {
					want, within = tt.last, 0
				}
				if took := time.Since(began); !errors.Is(err, want) || took != within {
					t.Errorf("%s, call %d: %v after %s, want %v after %s", tt.kind, n+1, err, took, want, within)
				}
			}
		}
	})
}

// TestBenchLives takes a few orders through their whole lives at a server that
// it starts, on the channel that answers at once.
func TestBenchLives(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"bench", "--scenario", "lives", "--lives", "20", "--clients", "4", "--skus", "10", "--json"}, streams{&out, &errs})
	var got struct {
		Load  load.Report
		Audit audit.Report
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s", code, err, errs.String())
	}
	if len(got.Load.Stages) != 3 || got.Audit.Orders != 20 || got.Audit.Payments != 20 || len(got.Audit.Offences) > 0 {
		t.Errorf("%+v", got)
	}
}
