package wechatpay

import (
	"encoding/json"
	"errors"
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
		OriginalType string `json:"original_type"`
		sealed
	} `json:"resource"`
}

// sealed is a content encrypted with the APIv3 key.
type sealed struct {
	Algorithm      string `json:"algorithm"`
	Ciphertext     []byte `json:"ciphertext"` // from base64; ends with the tag
	AssociatedData string `json:"associated_data"`
	Nonce          string `json:"nonce"`
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
	if env.Resource == nil {
		return nil, nil, refused(payment.StageDecrypt, "the notification has no resource")
	}
	plain, err := c.unseal(&env.Resource.sealed)
	if err != nil {
		return nil, nil, refused(payment.StageDecrypt, err.Error())
	}
	return &env, plain, nil
}

// unseal decrypts in place.
func (c *Channel) unseal(s *sealed) ([]byte, error) {
	switch {
	case s.Algorithm != "AEAD_AES_256_GCM":
		return nil, errors.New("the algorithm is not AEAD_AES_256_GCM")
	case len(s.Nonce) != nonceSize:
		return nil, errors.New("the nonce has not 12 bytes")
	}
	plain, err := c.aead.Open(s.Ciphertext[:0], []byte(s.Nonce), s.Ciphertext, []byte(s.AssociatedData))
	if err != nil {
		return nil, errors.New("the content does not decrypt with the APIv3 key")
	}
	return plain, nil
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
	r, err := readRefundObject(n.Plain)
	if err != nil {
		return refused(payment.StageBody, err.Error())
	}
	if r.MchID == "" || r.OutTradeNo == "" {
		return refused(payment.StageBody, "mchid or out_trade_no is missing")
	}
	if n.Type != "REFUND."+r.NotifiedAs {
		return refused(payment.StageBody, "the refund status does not fit the event type")
	}
	f, err := r.fact(r.NotifiedAs)
	if err != nil {
		return refused(payment.StageBody, err.Error())
	}
	f.Source, f.ReceivedAt, f.Merchant = payment.ByCallback, now.UTC(), r.MchID
	n.PaymentNo, n.RefundNo, n.Fact = r.OutTradeNo, r.OutRefundNo, f
	return nil
}
