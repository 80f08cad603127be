package alipay

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

type vector struct {
	Name    string
	Now     int64
	Headers map[string]string
	Body    string
	Expect  struct {
		Authentic    bool
		FailStage    string            `json:"fail_stage"`
		Fields       map[string]string `json:"fields"`
		AmountFen    int64             `json:"amount_fen"`
		StringToSign string            `json:"string_to_sign"`
	}
}

func (v vector) header() http.Header {
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return h
}

func vectors(t testing.TB) []vector {
	t.Helper()
	names, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	out := make([]vector, len(names))
	for i, name := range names {
		if err := json.Unmarshal([]byte(file(t, "vectors", filepath.Base(name))), &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestVectors(t *testing.T) {
	c := testChannel(t, Options{})
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			now := time.Unix(v.Now, 0)
			n, err := c.Read(now, v.header(), []byte(v.Body))
			if !v.Expect.Authentic {
				var refused *payment.RefusedError
				if !errors.As(err, &refused) || string(refused.Stage) != v.Expect.FailStage {
					t.Fatalf("got %v, want a refusal at %s", err, v.Expect.FailStage)
				}
				if diff := cmp.Diff(payment.Notice{}, n); diff != "" {
					t.Errorf("a refused notification said something: %s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var plain map[string]string
			if err := json.Unmarshal(n.Plain, &plain); err != nil {
				t.Fatal(err)
			}
			f := v.Expect.Fields
			if diff := cmp.Diff(f, plain); diff != "" {
				t.Errorf("plain: %s", diff)
			}
			want := payment.Notice{ID: f["notify_id"], Type: f["trade_status"], PaymentNo: f["out_trade_no"], RefundNo: f["out_biz_no"], Plain: n.Plain}
			if want.RefundNo != "" {
				at := time.Date(2026, 11, 22, 14, 59, 55, 321e6, time.UTC)
				want.Hint = &payment.Fact{
					ID: "refund/" + want.RefundNo + "/open", Kind: payment.Open, Source: payment.ByCallback, RefundNo: want.RefundNo,
					Merchant: f["seller_id"], App: f["app_id"], Reported: f["trade_status"], At: at, ReceivedAt: now.UTC(),
				}
			}
			at, err := time.ParseInLocation(time.DateTime, f["gmt_payment"], chinaTime)
			if err != nil {
				t.Fatal(err)
			}
			want.Fact = payment.Fact{
				ID: "paid/" + f["trade_no"], Kind: payment.Paid, Source: payment.ByCallback, TransactionID: f["trade_no"],
				Amount: n.Fact.Amount, Currency: "CNY", Merchant: f["seller_id"], App: f["app_id"], Reported: f["trade_status"],
				At: at.UTC(), ReceivedAt: now.UTC(),
			}
			if f["refund_fee"] != "" {
				back, err := money.ParseYuan(f["refund_fee"])
				if err != nil {
					t.Fatal(err)
				}
				want.Fact.Returned = back
			}
			if v.Expect.AmountFen != 0 && n.Fact.Amount != v.Expect.AmountFen || n.Fact.Amount < 1 {
				t.Errorf("the amount is %d, want %d", n.Fact.Amount, v.Expect.AmountFen)
			}
			if diff := cmp.Diff(want, n); diff != "" {
				t.Error(diff)
			}
			form, err := url.ParseQuery(v.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := message(form, "sign", "sign_type"); v.Expect.StringToSign != "" && got != v.Expect.StringToSign {
				t.Errorf("the tests sign %s", got)
			}
		})
	}
}

// TestSigning compares with signatures made without any payment SDK.
func TestSigning(t *testing.T) {
	var doc struct {
		Alipay struct {
			Request struct {
				Params map[string]string
				String string `json:"string_to_sign"`
				Sign   string
			}
			Response struct{ Raw string }
		}
	}
	if err := json.Unmarshal([]byte(file(t, "signing.json")), &doc); err != nil {
		t.Fatal(err)
	}
	c := testChannel(t, Options{})
	v := url.Values{}
	for name, value := range doc.Alipay.Request.Params {
		v.Set(name, value)
	}
	if got, err := c.sign(v); err != nil || got != doc.Alipay.Request.Sign {
		t.Errorf("got %s, %v\nwant %s", got, err, doc.Alipay.Request.Sign)
	}

	var said struct {
		QRCode string `json:"qr_code"`
	}
	raw := []byte(doc.Alipay.Response.Raw)
	if err := c.open("", raw, "alipay.trade.precreate", &said); err != nil || said.QRCode != "https://qr.alipay.com/bax00022tldi82dwzbvp6013" {
		t.Errorf("the answer: %+v, %v", said, err)
	}
	if err := c.open("", raw, "alipay.trade.query", &said); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("the answer to another call: %v", err)
	}
	accepted := 0
	for i := range raw {
		raw[i] ^= 1
		said.QRCode = ""
		err := c.open("", raw, "alipay.trade.precreate", &said)
		if err == nil {
			accepted++
			if said.QRCode != "https://qr.alipay.com/bax00022tldi82dwzbvp6013" {
				t.Fatalf("byte %d changed is accepted: %s", i, said.QRCode)
			}
		} else if !errors.Is(err, payment.ErrUnknown) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		raw[i] ^= 1
	}
	if accepted > 0 {
		t.Errorf("%d changed bytes were accepted", accepted)
	}
}
