package wechatpay

import (
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

type vector struct {
	Name    string
	Now     int64
	Headers map[string]string
	Body    string
	Expect  struct {
		Authentic     bool
		FailStage     string `json:"fail_stage"`
		OutTradeNo    string `json:"out_trade_no"`
		OutRefundNo   string `json:"out_refund_no"`
		TransactionID string `json:"transaction_id"`
		Plaintext     *struct {
			transaction
			OutRefundNo  string `json:"out_refund_no"`
			RefundID     string `json:"refund_id"`
			RefundStatus string `json:"refund_status"`
		}
		RefundFen int64           `json:"refund_fen"`
		Raw       json.RawMessage `json:"-"`
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
					t.Errorf("a refused callback said something: %s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := v.Expect.Plaintext
			expected := payment.Notice{ID: n.ID, Type: n.Type, Plain: n.Plain, PaymentNo: want.OutTradeNo, RefundNo: want.OutRefundNo}
			at, err := time.Parse(time.RFC3339, want.SuccessTime)
			if err != nil {
				t.Fatal(err)
			}
			if want.OutRefundNo != "" {
				expected.Fact = payment.Fact{
					ID: "refund/" + want.OutRefundNo, Kind: payment.Refunded, Source: payment.ByCallback,
					RefundNo: want.OutRefundNo, TransactionID: want.RefundID, Amount: v.Expect.RefundFen, Currency: "CNY",
					Merchant: want.MchID, Reported: want.RefundStatus, At: at.UTC(), ReceivedAt: now.UTC(),
				}
			} else {
				expected.Fact = payment.Fact{
					ID: "paid/" + want.TransactionID, Kind: payment.Paid, Source: payment.ByCallback,
					TransactionID: want.TransactionID, Amount: want.Amount.Total, Currency: want.Amount.Currency,
					Merchant: want.MchID, App: want.AppID, Reported: "SUCCESS", At: at.UTC(), ReceivedAt: now.UTC(),
				}
			}
			if diff := cmp.Diff(expected, n); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(v.Body, `"id":"`+n.ID+`"`) || !strings.Contains(v.Body, `"event_type":"`+n.Type+`"`) {
				t.Errorf("id %q or type %q is not the body's", n.ID, n.Type)
			}
			var raw struct{ Expect struct{ Plaintext any } }
			_ = json.Unmarshal([]byte(file(t, "vectors", v.Name+".json")), &raw)
			var got any
			if err := json.Unmarshal(n.Plain, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(raw.Expect.Plaintext, got); diff != "" {
				t.Errorf("plain: %s", diff)
			}
		})
	}
}

// TestSigning compares with signatures made without any payment SDK.
func TestSigning(t *testing.T) {
	type signed struct{ Message, Signature, Authorization, PaySign, Sign string }
	type response struct {
		Message string
		Headers map[string]string
	}
	var doc struct {
		Wechat struct {
			Post     signed   `json:"request_post"`
			Get      signed   `json:"request_get"`
			OK       response `json:"response_200"`
			Empty    response `json:"response_204_empty_body"`
			JSAPIPay signed   `json:"jsapi_pay"`
			AppPay   signed   `json:"app_pay"`
		}
	}
	if err := json.Unmarshal([]byte(file(t, "signing.json")), &doc); err != nil {
		t.Fatal(err)
	}
	c := testChannel(t, Options{})

	for name, s := range map[string]signed{"post": doc.Wechat.Post, "get": doc.Wechat.Get} {
		t.Run("request "+name, func(t *testing.T) {
			line := strings.SplitN(s.Message, "\n", 5)
			cred := &credential{
				merchant: c.merchant, now: c.now,
				nonce: func() string { return line[3] },
			}
			got, err := cred.GenerateAuthorizationHeader(t.Context(), line[0], line[1], strings.TrimSuffix(line[4], "\n"))
			if err != nil || got != s.Authorization {
				t.Errorf("got %s, %v\nwant %s", got, err, s.Authorization)
			}
		})
	}

	pay := strings.Split(doc.Wechat.JSAPIPay.Message, "\n")
	prepayID := strings.TrimPrefix(pay[3], "prepay_id=")
	got, err := c.merchant.jsapiParams(vectorTime, pay[2], prepayID)
	if diff := cmp.Diff(map[string]string{
		"appId": appID, "timeStamp": "1795359600", "nonceStr": pay[2], "package": pay[3],
		"signType": "RSA", "paySign": doc.Wechat.JSAPIPay.PaySign,
	}, got); err != nil || diff != "" {
		t.Errorf("jsapi: %v %s", err, diff)
	}
	got, err = c.merchant.appParams(vectorTime, pay[2], prepayID)
	if diff := cmp.Diff(map[string]string{
		"appid": appID, "partnerid": mchID, "prepayid": prepayID, "package": "Sign=WXPay",
		"noncestr": pay[2], "timestamp": "1795359600", "sign": doc.Wechat.AppPay.Sign,
	}, got); err != nil || diff != "" {
		t.Errorf("app: %v %s", err, diff)
	}

	for name, r := range map[string]response{"200": doc.Wechat.OK, "204 with empty body": doc.Wechat.Empty} {
		t.Run("response "+name, func(t *testing.T) {
			h := http.Header{}
			for k, v := range r.Headers {
				h.Set(k, v)
			}
			line := strings.SplitN(r.Message, "\n", 3)
			body := []byte(strings.TrimSuffix(line[2], "\n"))
			if err := c.keys.verify(vectorTime, h, body); err != nil {
				t.Error(err)
			}
			if c.keys.verify(vectorTime, h, append(body, ' ')) == nil {
				t.Error("one byte more verifies as well")
			}
			if c.keys.verify(vectorTime.Add(301*time.Second), h, body) == nil {
				t.Error("it verifies after five minutes")
			}
		})
	}
}
