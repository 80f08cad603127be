package alipay

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// stageOf is where a notification is refused, "" when it is accepted.
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

type set = map[string]string

// TestRead reads authentic notifications of every kind.
func TestRead(t *testing.T) {
	c, key := testChannel(t, Options{}), testKey(t, "alipay_platform")
	paid := paidFact(payment.ByCallback)
	with := func(change func(*payment.Fact)) payment.Fact { f := paid; change(&f); return f }
	closed := with(func(f *payment.Fact) {
		f.ID, f.Kind, f.Reported, f.At = "closed", payment.Closed, "TRADE_CLOSED", time.Time{}
	})
	hinted := func(no, word string) *payment.Fact {
		return &payment.Fact{
			ID: "refund/" + no + "/open", Kind: payment.Open, Source: payment.ByCallback, RefundNo: no, Merchant: seller, App: appID,
			Reported: word, At: time.Date(2026, 11, 22, 14, 59, 55, 321e6, time.UTC), ReceivedAt: vectorTime.UTC(),
		}
	}
	returned := func(amount int64, word string) payment.Fact {
		return with(func(f *payment.Fact) { f.Returned, f.Reported = amount, word })
	}
	back := func(more set) set {
		s := set{"refund_fee": "1.50", "gmt_refund": "2026-11-22 22:59:55.321", "out_biz_no": "REF1"}
		for name, value := range more {
			s[name] = value
		}
		return s
	}
	for _, row := range []struct {
		name   string
		change set
		want   payment.Fact
		hint   *payment.Fact
	}{
		{"paid", nil, paid, nil},
		{"finished", set{"trade_status": "TRADE_FINISHED"}, with(func(f *payment.Fact) { f.Reported = "TRADE_FINISHED" }), nil},
		{"of another seller", set{"seller_id": "2088999999999999"}, with(func(f *payment.Fact) { f.Merchant = "2088999999999999" }), nil},
		{"of another app", set{"app_id": "2021999999999999"}, with(func(f *payment.Fact) { f.App = "2021999999999999" }), nil},
		{"of another amount", set{"total_amount": "0.01"}, with(func(f *payment.Fact) { f.Amount = 1 }), nil},
		{"without a time", set{"gmt_payment": ""}, with(func(f *payment.Fact) { f.At = time.Time{} }), nil},
		{"with fields of tomorrow", set{"tomorrow": "1", "out_biz_no": "X"}, paid, nil},
		{"with nothing refunded", set{"refund_fee": "0.00"}, paid, nil},
		{"waiting", set{"trade_status": "WAIT_BUYER_PAY", "gmt_payment": ""}, with(func(f *payment.Fact) {
			f.ID, f.Kind, f.Reported, f.At = "open", payment.Open, "WAIT_BUYER_PAY", time.Time{}
		}), nil},
		{"closed unpaid", set{"trade_status": "TRADE_CLOSED", "gmt_payment": "", "gmt_close": "2026-11-22 22:59:50"}, closed, nil},
		{"closed unpaid, with a refund of nothing", set{"trade_status": "TRADE_CLOSED", "gmt_payment": "", "refund_fee": "0.00"}, closed, nil},
		{"closed, and was paid", set{"trade_status": "TRADE_CLOSED"}, returned(900, "TRADE_CLOSED"), nil},
		{"refunded in part", back(nil), returned(150, "TRADE_SUCCESS"), hinted("REF1", "TRADE_SUCCESS")},
		{"refunded in full", back(set{"refund_fee": "9.00", "trade_status": "TRADE_CLOSED"}), returned(900, "TRADE_CLOSED"), hinted("REF1", "TRADE_CLOSED")},
		{"refunded in full, without a time of payment", back(set{"refund_fee": "9.00", "trade_status": "TRADE_CLOSED", "gmt_payment": ""}),
			with(func(f *payment.Fact) { f.Returned, f.Reported, f.At = 900, "TRADE_CLOSED", time.Time{} }), hinted("REF1", "TRADE_CLOSED")},
		{"refunded by hand", back(set{"out_biz_no": ""}), returned(150, "TRADE_SUCCESS"), nil},
		{"refunded by hand, without a transaction", back(set{"out_biz_no": "", "trade_no": ""}), *hinted("PAY00000001", "TRADE_SUCCESS"), nil},
		{"refunded, without the sum", back(set{"refund_fee": ""}), returned(payment.ReturnedSome, "TRADE_SUCCESS"), hinted("REF1", "TRADE_SUCCESS")},
		{"refunded in full, without the sum", back(set{"refund_fee": "", "trade_status": "TRADE_CLOSED"}), returned(900, "TRADE_CLOSED"), hinted("REF1", "TRADE_CLOSED")},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := notification(key, row.change)
			before := bytes.Clone(body)
			n, err := c.Read(vectorTime, nil, body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, n.Fact) + cmp.Diff(row.hint, n.Hint); diff != "" {
				t.Error(diff)
			}
			refundNo := row.want.RefundNo
			if row.hint != nil {
				refundNo = row.hint.RefundNo
			}
			if n.ID != "N1" || n.PaymentNo != "PAY00000001" || n.RefundNo != refundNo || n.Type != row.want.Reported || len(n.Plain) == 0 {
				t.Errorf("the notice is %+v", n)
			}
			if !bytes.Equal(before, body) {
				t.Error("it changed what it read")
			}
		})
	}
}

// TestReadRefuses spoils notifications. Those that are signed again are
// authentic, and are not what the protocol says.
func TestReadRefuses(t *testing.T) {
	c, key := testChannel(t, Options{}), testKey(t, "alipay_platform")
	good := string(notification(key, nil))
	edit := func(f func(url.Values)) []byte {
		v, err := url.ParseQuery(good)
		if err != nil {
			t.Fatal(err)
		}
		f(v)
		return []byte(v.Encode())
	}
	old := func(name, value string) []byte { return edit(func(v url.Values) { v.Set(name, value) }) }
	signed := func(change set) []byte { return notification(key, change) }
	for _, row := range []struct {
		name string
		body []byte
		want payment.Stage
	}{
		{"as it should be", []byte(good), ""},
		{"in another order", []byte(strings.Join(reversed(strings.Split(good, "&")), "&")), ""},
		{"nothing", nil, payment.StageSignature},
		{"64 KiB and a byte", []byte(good + "&a=" + strings.Repeat("x", MaxCallback)), payment.StageSize},
		{"JSON", []byte(`{"sign":"x"}`), payment.StageSignature},
		{"a broken escape", []byte(good + "&a=%zz"), payment.StageSignature},
		{"a semicolon", []byte(good + ";a=1"), payment.StageSignature},
		{"many fields", []byte(good + strings.Repeat("&a", 300)), payment.StageSignature},
		{"very many fields", edit(func(v url.Values) {
			for i := range 300 {
				v.Set(strings.Repeat("a", i+1), "")
			}
		}), payment.StageSignature},
		{"a field more", old("refund_fee", "9.00"), payment.StageSignature},
		{"an empty field more", old("a", ""), payment.StageSignature},
		{"a field less", edit(func(v url.Values) { v.Del("subject") }), payment.StageSignature},
		{"another amount", old("total_amount", "900.00"), payment.StageSignature},
		{"an amount given twice", edit(func(v url.Values) { v.Add("total_amount", "900.00") }), payment.StageSignature},
		{"the same given twice", edit(func(v url.Values) { v.Add("total_amount", "9.00") }), payment.StageSignature},
		{"a sign given twice", edit(func(v url.Values) { v.Add("sign", "x") }), payment.StageSignature},
		{"no sign", edit(func(v url.Values) { v.Del("sign") }), payment.StageSignature},
		{"an empty sign", old("sign", ""), payment.StageSignature},
		{"a sign that is no base64", old("sign", "!"), payment.StageSignature},
		{"no sign_type", edit(func(v url.Values) { v.Del("sign_type") }), payment.StageSignature},
		{"a weaker sign_type", old("sign_type", "RSA"), payment.StageSignature},
		{"a sign_type of tomorrow", old("sign_type", "RSA3"), payment.StageSignature},
		{"a certificate", old("alipay_cert_sn", "1"), payment.StageSerial},
		{"no certificate", old("alipay_cert_sn", ""), payment.StageSerial},
		{"by somebody else", notification(testKey(t, "attacker"), nil), payment.StageSignature},
		{"by ourselves", notification(testKey(t, "alipay_app"), nil), payment.StageSignature},
		{"decoded twice", []byte(strings.ReplaceAll(good, "%25", "%")), payment.StageSignature},
		{"no notify_id", signed(set{"notify_id": ""}), payment.StageBody},
		{"no notify_type", signed(set{"notify_type": ""}), payment.StageBody},
		{"another notify_type", signed(set{"notify_type": "dut_user_sign"}), payment.StageBody},
		{"no app", signed(set{"app_id": ""}), payment.StageBody},
		{"no seller", signed(set{"seller_id": ""}), payment.StageBody},
		{"no payment", signed(set{"out_trade_no": ""}), payment.StageBody},
		{"no trade", signed(set{"trade_no": ""}), payment.StageBody},
		{"no state", signed(set{"trade_status": ""}), payment.StageBody},
		{"a state of tomorrow", signed(set{"trade_status": "TRADE_PENDING"}), payment.StageBody},
		{"no amount", signed(set{"total_amount": ""}), payment.StageBody},
		{"nothing paid", signed(set{"total_amount": "0.00"}), payment.StageBody},
		{"less than nothing paid", signed(set{"total_amount": "-9.00"}), payment.StageBody},
		{"words paid", signed(set{"total_amount": "nine"}), payment.StageBody},
		{"words refunded", signed(set{"refund_fee": "one"}), payment.StageBody},
		{"less than nothing refunded", signed(set{"refund_fee": "-1.50"}), payment.StageBody},
		{"not UTF-8", signed(set{"subject": "\xc9\xcc\xc6\xb7"}), payment.StageBody},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := c.Read(vectorTime, nil, row.body)
			if got := stageOf(t, err); got != row.want {
				t.Fatalf("refused at %q (%v), want %q", got, err, row.want)
			}
			if diff := cmp.Diff(payment.Notice{}, n); row.want != "" && diff != "" {
				t.Errorf("a refused notification said something: %s", diff)
			}
		})
	}
}

func reversed(s []string) []string { slices.Reverse(s); return s }

// TestReadHeeds the body alone, at any time.
func TestReadHeeds(t *testing.T) {
	c, key := testChannel(t, Options{}), testKey(t, "alipay_platform")
	body := notification(key, nil)
	h := http.Header{"Content-Type": {"application/json"}, "Sign": {"x"}}
	for _, at := range []time.Time{vectorTime, vectorTime.Add(-48 * time.Hour), vectorTime.AddDate(1, 0, 0)} {
		if n, err := c.Read(at, h, body); err != nil || !n.Fact.ReceivedAt.Equal(at) {
			t.Errorf("%s: %v, %v", at, n.Fact.ReceivedAt, err)
		}
	}
	cfg := testConfig(t)
	cfg.SellerID = ""
	n, err := channelOf(t, cfg, Options{}).Read(vectorTime, nil, body)
	if err != nil || n.Fact.Merchant != "" {
		t.Errorf("no seller is configured, and the fact names %q, %v", n.Fact.Merchant, err)
	}
}

// TestReadCallsNobody: the library would ask the gateway for a certificate.
func TestReadCallsNobody(t *testing.T) {
	g := newGateway(t, always(okNode))
	c := g.channel(t, Options{})
	for _, more := range []string{"", "&alipay_cert_sn=1", "&alipay_cert_sn="} {
		_, _ = c.Read(vectorTime, nil, append(notification(testKey(t, "attacker"), nil), more...))
	}
	if requested := g.methods(); requested != nil {
		t.Errorf("requested %s", requested)
	}
}

// TestReadEveryByteCounts changes every byte of genuine notifications in turn.
func TestReadEveryByteCounts(t *testing.T) {
	c := testChannel(t, Options{})
	body := []byte(vectors(t)[0].Body)
	want, err := c.Read(vectorTime, nil, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] ^= 1
		if n, err := c.Read(vectorTime, nil, body); err == nil {
			t.Errorf("byte %d changed is accepted: %s", i, cmp.Diff(want, n))
		}
		body[i] ^= 1
	}
}

func TestAnswer(t *testing.T) {
	c := testChannel(t, Options{})
	if yes := c.Answer(true); yes.Status != 200 || string(yes.Body) != "success" {
		t.Errorf("%d %q", yes.Status, yes.Body)
	}
	if no := c.Answer(false); no.Status != 200 || string(no.Body) != "failure" {
		t.Errorf("%d %q", no.Status, no.Body)
	}
	if c.Zone().String() != "+08:00" || c.Kind() != "alipay" {
		t.Errorf("%s in %s", c.Kind(), c.Zone())
	}
}

// FuzzRead looks for a panic, and for an accepted notification that nobody
// signed. Behind the signature the fuzzer cannot go, so the bytes are signed
// for it as well.
func FuzzRead(f *testing.F) {
	c, key := testChannel(f, Options{}), testKey(f, "alipay_platform")
	signed := map[string]bool{}
	for _, v := range vectors(f) {
		if form, err := url.ParseQuery(v.Body); err == nil {
			signed[message(form, "sign", "sign_type")] = true
		}
		f.Add([]byte(v.Body))
	}
	f.Add(notification(key, set{"trade_status": "TRADE_CLOSED", "refund_fee": "0.00"}))
	f.Add(notification(key, set{"refund_fee": "1.50", "out_biz_no": "R"}))
	signed[message(mustParse(f, notification(key, set{"trade_status": "TRADE_CLOSED", "refund_fee": "0.00"})), "sign", "sign_type")] = true
	signed[message(mustParse(f, notification(key, set{"refund_fee": "1.50", "out_biz_no": "R"})), "sign", "sign_type")] = true
	f.Add([]byte("sign_type=RSA2&sign=AAAA"))
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := c.Read(vectorTime, nil, body)
		stageOf(t, err)
		form, bad := url.ParseQuery(string(body))
		if err == nil && (bad != nil || !signed[message(form, "sign", "sign_type")]) {
			t.Fatalf("nobody signed %q", body)
		}
		if bad != nil || err == nil {
			return
		}
		own := set{}
		for name, values := range form {
			if name != "sign" && name != "sign_type" && name != "" {
				own[name] = values[0]
			}
		}
		if n, err = c.Read(vectorTime, nil, notification(key, own)); err != nil {
			stageOf(t, err)
			return
		}
		if n.PaymentNo == "" || n.ID == "" || n.Fact.ID == "" || n.Fact.Kind == payment.Paid && n.Fact.Amount < 1 {
			t.Fatalf("accepted, and says nothing: %+v", n)
		}
	})
}

func mustParse(t testing.TB, body []byte) url.Values {
	v, err := url.ParseQuery(string(body))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func BenchmarkRead(b *testing.B) {
	c := testChannel(b, Options{})
	v := vectors(b)[0]
	body := []byte(v.Body)
	b.Run("genuine", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Read(vectorTime, nil, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("without a sign_type", func(b *testing.B) {
		junk := bytes.Replace(body, []byte("sign_type=RSA2"), nil, 1)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Read(vectorTime, nil, junk); err == nil {
				b.Fatal("accepted")
			}
		}
	})
}
