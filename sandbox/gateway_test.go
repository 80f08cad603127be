package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLoadOrCreateKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "below", "keys.json")
	now := time.Date(2026, 11, 22, 23, 0, 0, 0, china)
	var wg sync.WaitGroup
	made := make([]*Keys, 3)
	for i := range made {
		wg.Go(func() {
			var err error
			if made[i], err = LoadOrCreateKeys(path, nil, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	again, err := LoadOrCreateKeys(path, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range made {
		if string(encode(t, k)) != string(encode(t, again)) {
			t.Error("not everybody has the same keys")
		}
	}
	if !now.AddDate(5, 0, 0).Equal(again.PlatformCert.NotAfter) || len(again.MerchantSerial) != 40 || len(again.AppID) != 18 || len(again.MchID) != 10 {
		t.Errorf("%+v", again.Merchant())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".keys-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Keys that do not fit together are refused, not discovered by a shop.
func TestKeysAreChecked(t *testing.T) {
	good := string(encode(t, testKeys()))
	var parts map[string]string
	if err := json.Unmarshal([]byte(good), &parts); err != nil {
		t.Fatal(err)
	}
	for name := range parts {
		spoilt := map[string]string{}
		for k, v := range parts {
			spoilt[k] = v
		}
		spoilt[name] = ""
		if err := json.Unmarshal(encode(t, spoilt), new(Keys)); err == nil {
			t.Errorf("accepted without %s", name)
		}
	}
	parts["platformPrivateKey"] = parts["publicKeyPrivateKey"]
	if err := json.Unmarshal(encode(t, parts), new(Keys)); err == nil {
		t.Error("accepted a certificate of another key")
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKeys(path, nil, time.Now()); err == nil {
		t.Error("loaded a broken file")
	}
}

// A full store drops what was finished first, and what is open only when
// nothing is finished.
func TestTradesAreBounded(t *testing.T) {
	b := newBench(t, func(o *Options) { o.MaxTrades = 3 })
	has := func(want ...string) {
		t.Helper()
		var got []string
		for _, v := range b.Trades(10) {
			got = append(got, strings.TrimPrefix(v.OutTradeNo, "BOUNDED"))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("kept %v, want %v", got, want)
		}
	}
	b.place("BOUNDED1")
	b.place("BOUNDED2")
	b.place("BOUNDED3")
	if err := b.Pay("BOUNDED3"); err != nil {
		t.Fatal(err)
	}
	id := b.query("BOUNDED3").TransactionID
	if err := b.Pay("BOUNDED2"); err != nil {
		t.Fatal(err)
	}
	b.place("BOUNDED4")
	has("4", "2", "1")
	if got := code(b.send("GET", "/v3/pay/transactions/id/"+id+"?mchid="+b.keys.MchID, nil)); got != "404 ORDER_NOT_EXIST" {
		t.Errorf("a dropped payment: %s", got)
	}
	b.place("BOUNDED5")
	has("5", "4", "1")
	b.place("BOUNDED6")
	has("6", "5", "4")
	b.shop.answers = []int{500, 500, 500}
	if n := b.DeliverDue(ctx); n != 2 {
		t.Errorf("%d callbacks of dropped trades", n)
	}
	if _, ok := b.NextDelivery(); ok {
		t.Error("a retry for a dropped trade")
	}
	if g := b.Gateway; len(g.trades.byNo) != 3 || len(g.trades.byToken) != 3 || len(g.trades.byTransaction) != 0 || g.trades.done.Len() != 0 {
		t.Error("something of a dropped trade is left")
	}
}

// Whoever comes first, pay or close: exactly one of them wins.
func TestPayAndCloseRace(t *testing.T) {
	b := newBench(t)
	for i := range 20 {
		no := fmt.Sprintf("RACING%04d", i)
		b.place(no)
		var paid, closed atomic.Int32
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if b.Pay(no) == nil {
					paid.Add(1)
				}
			})
			wg.Go(func() {
				rec := b.send("POST", "/v3/pay/transactions/out-trade-no/"+no+"/close", map[string]any{"mchid": b.keys.MchID})
				switch code(rec) {
				case "204 ":
					closed.Add(1)
				case "400 ORDERPAID":
				default:
					t.Errorf("close: %d %s", rec.Code, rec.Body)
				}
			})
		}
		wg.Wait()
		v, _ := b.Trade(no)
		if paid.Load() == 1 != (v.State == Paid) || closed.Load() > 0 != (v.State == Closed) || len(v.TransactionIDs) != int(paid.Load()) {
			t.Errorf("paid %d, closed %d, it is %s", paid.Load(), closed.Load(), v.State)
		}
	}
}

func TestVirtualClock(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := NewVirtualClock(start)
	now, soon, later := c.After(0), c.After(time.Minute), c.After(time.Hour)
	if at := <-now; at != start {
		t.Error(at)
	}
	c.Advance(time.Minute - 1)
	select {
	case <-soon:
		t.Error("too early")
	default:
	}
	c.Advance(1)
	if at := <-soon; at != start.Add(time.Minute) {
		t.Error(at)
	}
	c.Advance(-time.Hour) // never backwards
	if at := c.Now(); at != start.Add(time.Minute) {
		t.Error(at)
	}
	c.Advance(24 * time.Hour)
	<-later

	r := NewRunningClock()
	hour, short := r.After(time.Hour), r.After(time.Millisecond)
	<-short // by itself
	r.Advance(time.Hour)
	<-hour // by being moved
	if ahead := time.Until(r.Now()); ahead < 59*time.Minute || ahead > 61*time.Minute {
		t.Errorf("ahead by %v", ahead)
	}
	var _ Clock = SystemClock{}
	if (SystemClock{}).Now().IsZero() {
		t.Error("no time")
	}
	<-(SystemClock{}).After(0)
}

// The strings are of the alphabet, all of it, and the same reader gives the
// same ones.
func TestRandom(t *testing.T) {
	seeded := func() *random { return newRandom(&counter{}) }
	if a, b := seeded().text(32, alnum), seeded().text(32, alnum); a != b || strings.Trim(a, alnum) != "" {
		t.Errorf("%q %q", a, b)
	}
	drawn := newRandom(rand.NewChaCha8([32]byte{})).text(5000, digits)
	for _, d := range digits {
		if n := strings.Count(drawn, string(d)); n < 440 || n > 560 {
			t.Errorf("%c came up %d times", d, n)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an empty reader did not panic")
		}
	}()
	newRandom(strings.NewReader("")).text(1, digits)
}

type counter struct{ n byte }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		c.n += 37
		p[i] = c.n
	}
	return len(p), nil
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	broken := *testKeys()
	broken.APIv3Key = "short"
	for _, o := range []Options{
		{Keys: &broken}, {Keys: testKeys(), Signing: "x"}, {Rand: io.LimitReader(strings.NewReader(""), 0)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("accepted %+v", o)
				}
			}()
			New(o)
		}()
	}
	if _, err := json.Marshal(&broken); err == nil || errors.Unwrap(err) == nil {
		t.Errorf("marshalled broken keys: %v", err)
	}
}

func BenchmarkPrepay(b *testing.B) {
	bench := newBench(b)
	n := 0
	for b.Loop() {
		n++
		bench.place(fmt.Sprintf("BENCHED%08d", n)) // signs, verifies and signs
	}
}

// BenchmarkStore is a prepay without the cryptography.
func BenchmarkStore(b *testing.B) {
	bench := newBench(b)
	n := 0
	for b.Loop() {
		n++
		body := encode(b, order(fmt.Sprintf("BENCHED%08d", n)))
		p, _ := parsePrepay(wechatMethods[0], body, false)
		bench.mu.Lock()
		bench.trades.add(bench.wechat.open(wechatMethods[0], p, bench.now()))
		bench.mu.Unlock()
	}
}

func BenchmarkSignCallback(b *testing.B) {
	tx := Transaction{OutTradeNo: "BENCHED1", TransactionID: "4200", TradeState: "SUCCESS", Amount: Amount{Total: 1, Currency: "CNY"}}
	now, n := time.Now(), 0
	for b.Loop() {
		n++
		if _, _, err := SignCallback(testKeys(), now, fmt.Sprint(n), tx); err != nil {
			b.Fatal(err)
		}
	}
}
