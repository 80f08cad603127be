package wechatpay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

func TestSignCallback(t *testing.T) {
	keys, now := testKeys(), time.Now()
	tx := wechatpay.Transaction{OutTradeNo: "NOWHERE001", TransactionID: "4200", TradeState: "SUCCESS", Amount: wechatpay.Amount{Total: 1, Currency: "CNY"}}
	h1, body1, err := wechatpay.SignCallback(keys, now, "a-nonce", tx)
	if err != nil {
		t.Fatal(err)
	}
	h2, body2, _ := wechatpay.SignCallback(keys, now, "a-nonce", tx)
	if !bytes.Equal(body1, body2) || h1.Get("Wechatpay-Signature") != h2.Get("Wechatpay-Signature") {
		t.Error("the same nonce gave another callback")
	}
	n1, got, err := sandboxtest.Received{Header: h1, Body: body1}.Read()
	if err != nil || *got.OutTradeNo != "NOWHERE001" {
		t.Fatal(err)
	}
	h3, body3, err := wechatpay.SignCallbackWith(keys, keys.PublicKeyID, now, "", tx)
	if err != nil {
		t.Fatal(err)
	}
	n3, _, err := sandboxtest.Received{Header: h3, Body: body3}.Read()
	if err != nil || n1.ID == n3.ID || h3.Get("Wechatpay-Serial") != keys.PublicKeyID {
		t.Errorf("%v %v", n3, err)
	}
	if _, _, err := wechatpay.SignCallbackWith(keys, "?", now, "", tx); err == nil {
		t.Error("signed with a key that does not exist")
	}
}

func BenchmarkSignCallback(b *testing.B) {
	tx := wechatpay.Transaction{OutTradeNo: "BENCHED1", TransactionID: "4200", TradeState: "SUCCESS", Amount: wechatpay.Amount{Total: 1, Currency: "CNY"}}
	now, n := time.Now(), 0
	for b.Loop() {
		n++
		if _, _, err := wechatpay.SignCallback(testKeys(), now, fmt.Sprint(n), tx); err != nil {
			b.Fatal(err)
		}
	}
}

// A callback that was made elsewhere is read by the same test helper that
// reads ours, and ours has the same members.
func TestCallbackHasTheShapeOfTheVector(t *testing.T) {
	text, err := os.ReadFile("testdata/callback.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Headers   map[string]string
		Body      string
		Plaintext map[string]any
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	if _, err := sandboxtest.VerifiesWith(h, []byte(v.Body)); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.Paid("SHAPED0001")
	b.DeliverDue(ctx)
	ours := b.Shop.All()[0]
	names := func(text []byte) string {
		var m map[string]any
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		if r, ok := m["resource"].(map[string]any); ok {
			return fmt.Sprint(wire.SortedNames(m), wire.SortedNames(r))
		}
		return fmt.Sprint(wire.SortedNames(m))
	}
	if got, want := names(ours.Body), names([]byte(v.Body)); got != want {
		t.Errorf("members %s, want %s", got, want)
	}
	n, _ := b.MustRead(ours)
	if got, want := names([]byte(n.Resource.Plaintext)), fmt.Sprint(wire.SortedNames(v.Plaintext)); got != want {
		t.Errorf("plaintext %s, want %s", got, want)
	}
	for name := range v.Headers {
		if ours.Header.Get(name) == "" {
			t.Errorf("header %s is missing", name)
		}
	}
}
