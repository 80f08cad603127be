package wechatpay

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// stageOf is where a callback is refused, "" when it is accepted.
func stageOf(t *testing.T, err error) payment.Stage {
	t.Helper()
	var refused *payment.RefusedError
	if err != nil && !errors.As(err, &refused) {
		t.Fatalf("%v is not a refusal", err)
	}
	if refused == nil {
		return ""
	}
	return refused.Stage
}

// TestReadSpoiledHeaders spoils the outside of an authentic callback.
func TestReadSpoiledHeaders(t *testing.T) {
	c, p := testChannel(t, Options{}), newPlatform(t)
	good := notification(t, "TRANSACTION.SUCCESS", "transaction", paidContent)
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h[name] = []string{value} } }
	drop := func(name string) func(http.Header) { return func(h http.Header) { delete(h, name) } }
	twice := func(name string) func(http.Header) {
		return func(h http.Header) { h[name] = append(h[name], h[name]...) }
	}
	ts := func(d time.Duration) string { return strconv.FormatInt(vectorTime.Add(d).Unix(), 10) }
	for _, row := range []struct {
		name  string
		spoil func(http.Header)
		want  payment.Stage
	}{
		{"nothing", func(http.Header) {}, ""},
		{"no signature type", drop(headerType), ""},
		{"no headers", func(h http.Header) { clear(h) }, payment.StageTimestamp},
		{"no timestamp", drop(headerTimestamp), payment.StageTimestamp},
		{"no nonce", drop(headerNonce), payment.StageTimestamp},
		{"no signature", drop(headerSignature), payment.StageTimestamp},
		{"no serial", drop(headerSerial), payment.StageTimestamp},
		{"empty nonce", set(headerNonce, ""), payment.StageTimestamp},
		{"two timestamps", twice(headerTimestamp), payment.StageTimestamp},
		{"two nonces", twice(headerNonce), payment.StageTimestamp},
		{"two signatures", twice(headerSignature), payment.StageTimestamp},
		{"two serials", twice(headerSerial), payment.StageTimestamp},
		{"a line break in the nonce", set(headerNonce, "a\nb"), payment.StageTimestamp},
		{"timestamp of words", set(headerTimestamp, "now"), payment.StageTimestamp},
		{"timestamp with a sign", set(headerTimestamp, "+"+ts(0)), payment.StageTimestamp},
		{"timestamp with a fraction", set(headerTimestamp, ts(0)+".0"), payment.StageTimestamp},
		{"timestamp past int64", set(headerTimestamp, "9223372036854775808"), payment.StageTimestamp},
		{"timestamp at the end of time", set(headerTimestamp, "9223372036854775807"), payment.StageTimestamp},
		{"301 s old", set(headerTimestamp, ts(-301*time.Second)), payment.StageTimestamp},
		{"301 s ahead", set(headerTimestamp, ts(301*time.Second)), payment.StageTimestamp},
		{"300 s old, not signed so", set(headerTimestamp, ts(-300*time.Second)), payment.StageSignature},
		{"unknown serial", set(headerSerial, "7777"), payment.StageSerial},
		{"the other key's serial", set(headerSerial, certSerial), payment.StageSignature},
		{"other signature type", set(headerType, "WECHATPAY2-SM2-WITH-SM3"), payment.StageSignature},
		{"empty signature type", set(headerType, ""), payment.StageSignature},
		{"two signature types", twice(headerType), payment.StageSignature},
		{"another nonce", set(headerNonce, "other"), payment.StageSignature},
		{"signature not base64", set(headerSignature, "*!*"), payment.StageSignature},
		{"signature of nothing", set(headerSignature, "===="), payment.StageSignature},
		{"short signature", set(headerSignature, "AAAA"), payment.StageSignature},
		{"long signature", set(headerSignature, strings.Repeat("A", 1<<16)), payment.StageSignature},
		{"probe, not base64", set(headerSignature, "WECHATPAY/SIGNTEST/..."), payment.StageSignature},
		{"probe, base64", func(h http.Header) {
			h[headerSignature] = []string{"WECHATPAY/SIGNTEST/" + h[headerSignature][0][19:]}
		}, payment.StageSignature},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := p.sign(pubKeyID, vectorTime, good)
			row.spoil(h)
			_, err := c.Read(vectorTime, h, good)
			if got := stageOf(t, err); got != row.want {
				t.Errorf("refused at %q (%v), want %q", got, err, row.want)
			}
		})
	}
}

func TestReadFreshness(t *testing.T) {
	c, p := testChannel(t, Options{}), newPlatform(t)
	body := notification(t, "TRANSACTION.SUCCESS", "transaction", paidContent)
	h := p.sign(certSerial, vectorTime, body)
	for seconds, want := range map[int]payment.Stage{
		-301: payment.StageTimestamp, -300: "", 0: "", 300: "", 301: payment.StageTimestamp,
	} {
		_, err := c.Read(vectorTime.Add(time.Duration(seconds)*time.Second), h, body)
		if got := stageOf(t, err); got != want {
			t.Errorf("%d s later: %q, want %q", seconds, got, want)
		}
	}
}

// TestReadSpoiledBodies signs bodies that WeChat Pay would not send. They are
// authentic, so that nothing but the reading itself stands between them and us.
func TestReadSpoiledBodies(t *testing.T) {
	c, p := testChannel(t, Options{}), newPlatform(t)
	sealed := func(change func(top, resource map[string]any)) []byte {
		resource := map[string]any{
			"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "associated_data": "transaction",
			"nonce": "123456789012", "ciphertext": seal(t, "123456789012", "transaction", paidContent),
		}
		top := map[string]any{"id": "EV-1", "event_type": "TRANSACTION.SUCCESS", "resource": resource}
		change(top, resource)
		return toJSON(t, top)
	}
	about := func(plain string) []byte { return notification(t, "TRANSACTION.SUCCESS", "transaction", plain) }
	without := func(from, to string) []byte { return about(strings.Replace(paidContent, from, to, 1)) }
	refunded := func(plain string) []byte { return notification(t, "REFUND.SUCCESS", "refund", plain) }
	const refundContent = `{"mchid":"1900012345","out_trade_no":"PAY1","out_refund_no":"REF1","refund_status":"SUCCESS","amount":{"refund":150}}`

	for _, row := range []struct {
		name string
		body []byte
		want payment.Stage
	}{
		{"nothing spoiled", sealed(func(_, _ map[string]any) {}), ""},
		{"64 KiB", append(sealed(func(_, _ map[string]any) {}), bytes.Repeat([]byte(" "), 64<<10-len(sealed(func(_, _ map[string]any) {})))...), ""},
		{"64 KiB and one", bytes.Repeat([]byte(" "), 64<<10+1), payment.StageSize},
		{"empty", nil, payment.StageDecrypt},
		{"null", []byte("null"), payment.StageDecrypt},
		{"a list", []byte("[]"), payment.StageDecrypt},
		{"deep", []byte(strings.Repeat("[", 60<<10)), payment.StageDecrypt},
		{"deep in a member", []byte(`{"resource":` + strings.Repeat(`{"a":`, 10<<10)), payment.StageDecrypt},
		{"two values", append(sealed(func(_, _ map[string]any) {}), "{}"...), payment.StageDecrypt},
		{"invalid UTF-8", bytes.Replace(sealed(func(_, _ map[string]any) {}), []byte("EV-1"), []byte("EV-\xff"), 1), payment.StageDecrypt},
		{"no resource", sealed(func(top, _ map[string]any) { delete(top, "resource") }), payment.StageDecrypt},
		{"null resource", sealed(func(top, _ map[string]any) { top["resource"] = nil }), payment.StageDecrypt},
		{"resource is a word", sealed(func(top, _ map[string]any) { top["resource"] = "x" }), payment.StageDecrypt},
		{"other algorithm", sealed(func(_, r map[string]any) { r["algorithm"] = "AEAD_SM4_GCM" }), payment.StageDecrypt},
		{"no algorithm", sealed(func(_, r map[string]any) { delete(r, "algorithm") }), payment.StageDecrypt},
		{"nonce of 11 bytes", sealed(func(_, r map[string]any) { r["nonce"] = "12345678901" }), payment.StageDecrypt},
		{"nonce of 13 bytes", sealed(func(_, r map[string]any) { r["nonce"] = "1234567890123" }), payment.StageDecrypt},
		{"no nonce", sealed(func(_, r map[string]any) { delete(r, "nonce") }), payment.StageDecrypt},
		{"another nonce", sealed(func(_, r map[string]any) { r["nonce"] = "210987654321" }), payment.StageDecrypt},
		{"AAD absent", sealed(func(_, r map[string]any) {
			delete(r, "associated_data")
			r["ciphertext"] = seal(t, "123456789012", "", paidContent)
		}), ""},
		{"AAD empty", sealed(func(_, r map[string]any) {
			r["associated_data"] = ""
			r["ciphertext"] = seal(t, "123456789012", "", paidContent)
		}), ""},
		{"AAD lost on the way", sealed(func(_, r map[string]any) { delete(r, "associated_data") }), payment.StageDecrypt},
		{"ciphertext not base64", sealed(func(_, r map[string]any) { r["ciphertext"] = "*" }), payment.StageDecrypt},
		{"no ciphertext", sealed(func(_, r map[string]any) { delete(r, "ciphertext") }), payment.StageDecrypt},
		{"ciphertext shorter than a tag", sealed(func(_, r map[string]any) { r["ciphertext"] = "AAAA" }), payment.StageDecrypt},
		{"no id", sealed(func(top, _ map[string]any) { delete(top, "id") }), payment.StageBody},
		{"no event type", sealed(func(top, _ map[string]any) { delete(top, "event_type") }), payment.StageBody},
		{"unknown event type", sealed(func(top, _ map[string]any) { top["event_type"] = "MCHTRANSFER.BILL.FINISHED" }), payment.StageBody},
		{"unknown refund event", sealed(func(top, _ map[string]any) { top["event_type"] = "REFUND.MAYBE" }), payment.StageBody},
		{"original type of a refund", sealed(func(_, r map[string]any) { r["original_type"] = "refund" }), payment.StageBody},
		{"no original type", sealed(func(_, r map[string]any) { delete(r, "original_type") }), payment.StageBody},
		{"content empty", about(""), payment.StageBody},
		{"content null", about("null"), payment.StageBody},
		{"content not UTF-8", about("{\"appid\":\"\xff\"}"), payment.StageBody},
		{"no appid", without(`"appid"`, `"x"`), payment.StageBody},
		{"no mchid", without(`"mchid"`, `"x"`), payment.StageBody},
		{"no out_trade_no", without(`"out_trade_no"`, `"x"`), payment.StageBody},
		{"no transaction_id", without(`"transaction_id"`, `"x"`), payment.StageBody},
		{"no amount", without(`"amount"`, `"x"`), payment.StageBody},
		{"no total, but a payer_total", without(`"total":900,`, ``), payment.StageBody},
		{"amount of words", without(`"total":900`, `"total":"900"`), payment.StageBody},
		{"amount with a fraction", without(`"total":900`, `"total":900.5`), payment.StageBody},
		{"amount below nothing", without(`"total":900`, `"total":-900`), payment.StageBody},
		{"amount past money", without(`"total":900`, `"total":1000000000000001`), payment.StageBody},
		{"amount past int64", without(`"total":900`, `"total":9223372036854775808`), payment.StageBody},
		{"unpaid in a success", without(`"trade_state":"SUCCESS"`, `"trade_state":"NOTPAY"`), payment.StageBody},
		{"unknown trade state", without(`"trade_state":"SUCCESS"`, `"trade_state":"MAYBE"`), payment.StageBody},
		{"refunded since", without(`"trade_state":"SUCCESS"`, `"trade_state":"REFUND"`), ""},
		{"no success time", without(`"success_time"`, `"x"`), ""},
		{"no currency", without(`"currency":"CNY",`, ``), ""},
		{"refund", refunded(refundContent), ""},
		{"refund of nothing", refunded("{}"), payment.StageBody},
		{"refund that is a list", refunded("[]"), payment.StageBody},
		{"refund of nothing", refunded(strings.Replace(refundContent, "150", "0", 1)), payment.StageBody},
		{"refund without number", refunded(strings.Replace(refundContent, "out_refund_no", "x", 1)), payment.StageBody},
		{"refund without payment", refunded(strings.Replace(refundContent, "out_trade_no", "x", 1)), payment.StageBody},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := c.Read(vectorTime, p.sign(certSerial, vectorTime, row.body), row.body)
			if got := stageOf(t, err); got != row.want {
				t.Fatalf("refused at %q (%v), want %q", got, err, row.want)
			}
			if row.want == "" && n.RefundNo == "" && (n.Fact.ID != "paid/420000001" || n.Fact.Amount != 900 || n.Fact.Currency != "CNY") {
				t.Errorf("the fact is %+v", n.Fact)
			}
			if row.want == "" && n.RefundNo != "" && (n.Fact.ID != "refund/REF1" || n.Fact.Kind != payment.Refunded || n.Fact.Amount != 150) {
				t.Errorf("a refund has the fact %+v", n.Fact)
			}
		})
	}
}

// TestReadEveryByteCounts changes every byte of a genuine callback in turn.
func TestReadEveryByteCounts(t *testing.T) {
	c := testChannel(t, Options{})
	v := vectors(t)[0]
	h, body := v.header(), []byte(v.Body)
	if _, err := c.Read(vectorTime, h, body); err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] ^= 1
		if _, err := c.Read(vectorTime, h, body); stageOf(t, err) != payment.StageSignature {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		body[i] ^= 1
	}
}

// FuzzRead looks for a panic, and for an accepted callback that nobody signed.
// Behind the signature the fuzzer cannot go, so it is let in by the back door
// as well: the same bytes as an authentic body and as a decrypted content.
func FuzzRead(f *testing.F) {
	c := testChannel(f, Options{})
	signed := map[string]bool{}
	for _, v := range vectors(f) {
		h := v.header()
		signed[h.Get(headerTimestamp)+"\n"+h.Get(headerNonce)+"\n"+v.Body] = true
		f.Add(v.Now, h.Get(headerTimestamp), h.Get(headerNonce), h.Get(headerSerial), h.Get(headerSignature), []byte(v.Body))
	}
	f.Add(vectorTime.Unix(), "1795359600", "n", pubKeyID, "WECHATPAY/SIGNTEST/", []byte(paidContent))
	f.Add(vectorTime.Unix(), "1795359600", "n", certSerial, "", []byte(`{"resource":null}`))
	f.Add(vectorTime.Unix(), "1795359600", "n", certSerial, "AA==",
		[]byte(`{"resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"1","ciphertext":"AAAA"}}`))
	f.Fuzz(func(t *testing.T, now int64, ts, nonce, serial, signature string, body []byte) {
		n, err := c.Read(time.Unix(now, 0), http.Header{
			headerTimestamp: {ts}, headerNonce: {nonce}, headerSerial: {serial}, headerSignature: {signature},
		}, body)
		var refused *payment.RefusedError
		if err != nil && !errors.As(err, &refused) {
			t.Fatalf("%v is not a refusal", err)
		}
		if err == nil && !signed[ts+"\n"+nonce+"\n"+string(body)] {
			t.Fatalf("nobody signed %q", body)
		}
		if err == nil && n.PaymentNo == "" {
			t.Fatal("accepted, but about nothing")
		}
		_, _, _ = c.open(body)
		own := payment.Notice{Plain: body}
		if readPayment(&own, vectorTime) == nil && (own.Fact.ID == "" || own.Fact.Amount < 1) {
			t.Fatalf("a payment of nothing: %+v", own.Fact)
		}
		_ = readRefund(&own, vectorTime)
	})
}

func BenchmarkRead(b *testing.B) {
	c := testChannel(b, Options{})
	v := vectors(b)[0]
	h, body := v.header(), []byte(v.Body)
	b.Run("genuine", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Read(vectorTime, h, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("stale", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Read(vectorTime.Add(time.Hour), h, body); err == nil {
				b.Fatal("accepted")
			}
		}
	})
	b.Run("verification alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := c.keys.verify(vectorTime, h, body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
