package wechatpay

import (
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/payment"
)

// MaxCallback bounds the body of a callback; WeChat Pay's are about 1.3 KiB.
const MaxCallback = 64 << 10

// nonceSize is what AES-GCM takes; Go's panics on any other.
const nonceSize = 12

// envelope is the outside of a callback.
type envelope struct {
	ID        string `json:"id"`
	EventType string `json:"event_type"`
	Resource  *struct {
		OriginalType   string `json:"original_type"`
		Algorithm      string `json:"algorithm"`
		Ciphertext     []byte `json:"ciphertext"` // from base64; ends with the tag
		AssociatedData string `json:"associated_data"`
		Nonce          string `json:"nonce"`
	} `json:"resource"`
}

// refund is the part that concerns us of a REFUND callback's content.
type refund struct {
	MchID       string `json:"mchid"`
	OutTradeNo  string `json:"out_trade_no"`
	OutRefundNo string `json:"out_refund_no"`
	Status      string `json:"refund_status"` // SUCCESS, CLOSED or ABNORMAL
	SuccessTime string `json:"success_time"`
	Amount      struct {
		Refund int64 `json:"refund"` // fen
	} `json:"amount"`
}

// original is the kind of content that belongs to each event that we know.
var original = map[string]string{
	"TRANSACTION.SUCCESS": "transaction",
	"REFUND.SUCCESS":      "refund",
	"REFUND.ABNORMAL":     "refund",
	"REFUND.CLOSED":       "refund",
}

// Read verifies one callback and translates it; an error is always a
// *payment.RefusedError that names the first check it failed: size, then
// headers and timestamp, serial, signature, decryption, content.
//
// It does not compare merchant, app and amount with any payment: it does not
// know one.
func (c *Channel) Read(now time.Time, header http.Header, body []byte) (payment.Notice, error) {
	if len(body) > MaxCallback {
		return payment.Notice{}, refused(payment.StageSize, "the body is longer than 64 KiB")
	}
	if err := c.keys.verify(now, header, body); err != nil {
		return payment.Notice{}, err
	}
	env, plain, err := c.open(body)
	if err != nil {
		return payment.Notice{}, err
	}
	kind, known := original[env.EventType]
	switch {
	case !known:
		return payment.Notice{}, refused(payment.StageBody, "the event type is not a known one")
	case env.Resource.OriginalType != kind:
		return payment.Notice{}, refused(payment.StageBody, "the original type does not fit the event type")
	case env.ID == "":
		return payment.Notice{}, refused(payment.StageBody, "the notification has no id")
	}
	n := payment.Notice{ID: env.ID, Type: env.EventType, Plain: plain}
	if kind == "refund" {
		err = readRefund(&n, now)
	} else {
		err = readPayment(&n, now)
	}
	if err != nil {
		return payment.Notice{}, err
	}
	return n, nil
}

// open takes an authentic body apart and decrypts its content.
func (c *Channel) open(body []byte) (*envelope, []byte, error) {
	var env envelope
	if !utf8.Valid(body) || json.Unmarshal(body, &env) != nil {
		return nil, nil, refused(payment.StageDecrypt, "the body is not the JSON of a notification")
	}
	r := env.Resource
	switch {
	case r == nil:
		return nil, nil, refused(payment.StageDecrypt, "the notification has no resource")
	case r.Algorithm != "AEAD_AES_256_GCM":
		return nil, nil, refused(payment.StageDecrypt, "the algorithm is not AEAD_AES_256_GCM")
	case len(r.Nonce) != nonceSize:
		return nil, nil, refused(payment.StageDecrypt, "the nonce has not 12 bytes")
	}
	plain, err := c.aead.Open(r.Ciphertext[:0], []byte(r.Nonce), r.Ciphertext, []byte(r.AssociatedData))
	if err != nil {
		return nil, nil, refused(payment.StageDecrypt, "the content does not decrypt with the APIv3 key")
	}
	return &env, plain, nil
}

func readPayment(n *payment.Notice, now time.Time) error {
	t, err := readTransaction(n.Plain)
	if err != nil {
		return refused(payment.StageBody, err.Error())
	}
	f, err := t.fact()
	if err != nil {
		return refused(payment.StageBody, err.Error())
	}
	if f.Kind != payment.Paid {
		return refused(payment.StageBody, "the event is a success but the trade state is not")
	}
	f.Source, f.ReceivedAt = payment.ByCallback, now.UTC()
	n.PaymentNo, n.Fact = t.OutTradeNo, f
	return nil
}

func readRefund(n *payment.Notice, now time.Time) error {
	var r refund
	if !utf8.Valid(n.Plain) || json.Unmarshal(n.Plain, &r) != nil {
		return refused(payment.StageBody, "it is not a refund")
	}
	if r.MchID == "" || r.OutTradeNo == "" || r.OutRefundNo == "" {
		return refused(payment.StageBody, "mchid, out_trade_no or out_refund_no is missing")
	}
	if r.Amount.Refund < 1 {
		return refused(payment.StageBody, "the refund is of no amount")
	}
	n.PaymentNo, n.RefundNo = r.OutTradeNo, r.OutRefundNo
	n.Fact = payment.Fact{
		ID: "refund/" + r.OutRefundNo, Kind: payment.Refunded, Source: payment.ByCallback, ReceivedAt: now.UTC(),
		Amount: r.Amount.Refund, Merchant: r.MchID, Word: r.Status,
	}
	if n.Type != "REFUND.SUCCESS" {
		// Not the end of it: a success under the same number may follow.
		n.Fact.ID, n.Fact.Kind = "refund/"+r.OutRefundNo+"/"+r.Status, payment.RefundStuck
	}
	if at, err := time.Parse(time.RFC3339, r.SuccessTime); err == nil {
		n.Fact.At = at.UTC()
	}
	return nil
}
