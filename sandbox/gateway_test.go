package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

func TestLoadOrCreateKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "below", "keys.json")
	now := time.Date(2026, 11, 22, 23, 0, 0, 0, trade.China)
	var wg sync.WaitGroup
	made := make([]*sandbox.Keys, 3)
	for i := range made {
		wg.Go(func() {
			var err error
			if made[i], err = sandbox.LoadOrCreateKeys(path, nil, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	again, err := sandbox.LoadOrCreateKeys(path, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range made {
		if string(sandboxtest.Encode(t, k)) != string(sandboxtest.Encode(t, again)) {
			t.Error("not everybody has the same keys")
		}
	}
	if !now.AddDate(5, 0, 0).Equal(again.WechatPay.PlatformCert.NotAfter) || len(again.WechatPay.MerchantSerial) != 40 || len(again.WechatPay.AppID) != 18 || len(again.WechatPay.MchID) != 10 {
		t.Errorf("%+v", again.WechatPay.Merchant())
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
	good := string(sandboxtest.Encode(t, sandboxtest.Keys()))
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
		if err := json.Unmarshal(sandboxtest.Encode(t, spoilt), new(sandbox.Keys)); err == nil {
			t.Errorf("accepted without %s", name)
		}
	}
	parts["platformPrivateKey"] = parts["publicKeyPrivateKey"]
	if err := json.Unmarshal(sandboxtest.Encode(t, parts), new(sandbox.Keys)); err == nil {
		t.Error("accepted a certificate of another key")
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.LoadOrCreateKeys(path, nil, time.Now()); err == nil {
		t.Error("loaded a broken file")
	}
}

// A full store drops what was finished first, and what is open only when
// nothing is finished.
func TestTradesAreBounded(t *testing.T) {
	b := newBench(t, func(o *sandbox.Options) { o.MaxTrades = 3 })
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
	b.Place("BOUNDED1")
	b.Place("BOUNDED2")
	b.Place("BOUNDED3")
	if err := b.Pay("BOUNDED3"); err != nil {
		t.Fatal(err)
	}
	id := b.Query("BOUNDED3").TransactionID
	if err := b.Pay("BOUNDED2"); err != nil {
		t.Fatal(err)
	}
	b.Place("BOUNDED4")
	has("4", "2", "1")
	if got := sandboxtest.Code(b.Send("GET", "/v3/pay/transactions/id/"+id+"?mchid="+b.Keys.MchID, nil)); got != "404 ORDER_NOT_EXIST" {
		t.Errorf("a dropped payment: %s", got)
	}
	b.Place("BOUNDED5")
	has("5", "4", "1")
	b.Place("BOUNDED6")
	has("6", "5", "4")
	b.Shop.Answers = []int{500, 500, 500}
	if n := b.DeliverDue(ctx); n != 2 {
		t.Errorf("%d callbacks of dropped trades", n)
	}
	if _, ok := b.NextDelivery(); ok {
		t.Error("a retry for a dropped trade")
	}
	if n := b.Size(); n.Trades != 3 || n.Tokens != 3 || n.Transactions != 0 || n.Done != 0 {
		t.Error("something of a dropped trade is left")
	}
}

// Whoever comes first, pay or close: exactly one of them wins.
func TestPayAndCloseRace(t *testing.T) {
	b := newBench(t)
	for i := range 20 {
		no := fmt.Sprintf("RACING%04d", i)
		b.Place(no)
		var paid, closed atomic.Int32
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if b.Pay(no) == nil {
					paid.Add(1)
				}
			})
			wg.Go(func() {
				rec := b.Send("POST", "/v3/pay/transactions/out-trade-no/"+no+"/close", map[string]any{"mchid": b.Keys.MchID})
				switch sandboxtest.Code(rec) {
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
		if paid.Load() == 1 != (v.State == trade.Paid) || closed.Load() > 0 != (v.State == trade.Closed) || len(v.TransactionIDs) != int(paid.Load()) {
			t.Errorf("paid %d, closed %d, it is %s", paid.Load(), closed.Load(), v.State)
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	wechat := *testKeys()
	wechat.APIv3Key = "short"
	broken := sandbox.Keys{WechatPay: &wechat, Alipay: sandboxtest.Keys().Alipay}
	for _, o := range []sandbox.Options{
		{Keys: &broken}, {Keys: sandboxtest.Keys(), Signing: "x"}, {Rand: io.LimitReader(strings.NewReader(""), 0)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("accepted %+v", o)
				}
			}()
			sandbox.New(o)
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
		bench.Place(fmt.Sprintf("BENCHED%08d", n)) // signs, verifies and signs
	}
}
