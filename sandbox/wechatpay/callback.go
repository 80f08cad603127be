package wechatpay

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// Signing chooses the platform key that signs callbacks.
type Signing string

// The choices. Mixed takes turns, as merchants see it who move from the
// certificate to the public key.
const (
	Mixed         Signing = "mixed"
	ByCertificate Signing = "certificate"
	ByPublicKey   Signing = "public_key"
)

// Valid says whether it is one of the choices.
func (s Signing) Valid() bool { return s == Mixed || s == ByCertificate || s == ByPublicKey }

// Accepted says whether the shop's answer ends the tries.
func (w *Emulator) Accepted(status int, _ []byte) bool {
	return status == http.StatusOK || status == http.StatusNoContent
}

// Callback makes the n-th try of a notice and says which kind of key it is
// signed with. It needs no lock. Taking turns by notice and try makes half of
// all first tries carry each key, and a retry the other one.
func (w *Emulator) Callback(n *trade.Notice, try int, forged faults.Fault) (http.Header, []byte, string, error) {
	keys, how := w.Keys(), w.signing
	if how == Mixed {
		how = ByCertificate
		if (n.Serial+uint64(try))%2 == 0 { //nolint:gosec // tries are counted from 0
			how = ByPublicKey
		}
	}
	name := keys.signing(w.Book.Now())
	if how == ByPublicKey {
		name = keys.PublicKeyID
	}
	c := callback{
		id: n.ID, salt: n.Salt, created: n.Created, event: paymentEvent,
		now: w.CallbackTime(), nonce: w.Random.Text(32, random.Alnum), forged: forged,
	}
	if n.Refund == nil {
		c.inside = w.paid(n.Trade, n.Payment)
	} else {
		c.event, c.inside = refundEvents[n.State], w.refundNotice(n)
	}
	header, body, err := makeCallback(keys, name, c)
	return header, body, string(how), err
}

// event is what a callback calls itself.
type event struct{ kind, of, summary string }

var (
	paymentEvent = event{"TRANSACTION.SUCCESS", "transaction", "支付成功"}
	refundEvents = map[trade.RefundState]event{
		trade.RefundSucceeded: {"REFUND.SUCCESS", "refund", "退款成功"},
		trade.RefundAbnormal:  {"REFUND.ABNORMAL", "refund", "退款异常"},
		trade.RefundClosed:    {"REFUND.CLOSED", "refund", "退款关闭"},
	}
)

// callback is all that goes into one callback.
type callback struct {
	id, salt string
	created  time.Time
	event    event
	inside   any // a Transaction or a RefundNotice
	now      time.Time
	nonce    string
	forged   faults.Fault
}

// makeCallback signs with the platform key of that name. The body depends on
// nothing that differs between tries.
func makeCallback(keys *Keys, name string, c callback) (http.Header, []byte, error) {
	plain, err := json.Marshal(c.inside)
	if err != nil {
		return nil, nil, err
	}
	sealed, err := encrypt(keys.APIv3Key, c.salt, c.event.of, plain)
	if err != nil {
		return nil, nil, err
	}
	type resource struct {
		OriginalType   string `json:"original_type"`
		Algorithm      string `json:"algorithm"`
		Ciphertext     string `json:"ciphertext"`
		AssociatedData string `json:"associated_data"`
		Nonce          string `json:"nonce"`
	}
	body, err := json.Marshal(struct {
		ID           string   `json:"id"`
		CreateTime   string   `json:"create_time"`
		ResourceType string   `json:"resource_type"`
		EventType    string   `json:"event_type"`
		Summary      string   `json:"summary"`
		Resource     resource `json:"resource"`
	}{
		c.id, wireTime(c.created), "encrypt-resource", c.event.kind, c.event.summary,
		resource{c.event.of, aeadAlgorithm, sealed, c.event.of, c.salt},
	})
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "*/*")
	header.Set("User-Agent", "Mozilla/4.0") // as the real one calls itself
	header.Set("Request-Id", c.nonce[:min(26, len(c.nonce))]+"-0")
	serial, key := keys.platformKey(name, c.now)
	if err := sign(header, serial, key, c.now, c.nonce, 0, body, c.forged); err != nil {
		return nil, nil, err
	}
	return header, body, nil
}

// SignCallback makes a success callback for any transaction, true or not,
// without a trade: benches sign thousands before they start, and tests sign
// what no gateway would send. It is signed with the platform certificate's
// key as at now. The nonce, up to 32 characters, decides the callback's id
// and encryption too: the same arguments give the same callback, and each
// callback needs a nonce of its own. "" draws one.
func SignCallback(keys *Keys, now time.Time, nonce string, t Transaction) (http.Header, []byte, error) {
	return SignCallbackWith(keys, keys.PlatformSerial, now, nonce, t)
}

// SignCallbackWith is SignCallback with the choice of the platform key: its
// name is Keys.PlatformSerial or Keys.PublicKeyID.
func SignCallbackWith(keys *Keys, name string, now time.Time, nonce string, t Transaction) (http.Header, []byte, error) {
	return signCallback(keys, name, now, nonce, paymentEvent, t)
}

// SignRefundCallback is SignCallbackWith for refunds: the event follows from
// the notice's RefundStatus, which must be SUCCESS, ABNORMAL or CLOSED.
func SignRefundCallback(keys *Keys, name string, now time.Time, nonce string, n RefundNotice) (http.Header, []byte, error) {
	for state, status := range refundStatus {
		if e, ok := refundEvents[state]; ok && status == n.RefundStatus {
			return signCallback(keys, name, now, nonce, e, n)
		}
	}
	return nil, nil, fmt.Errorf("no callback reports the refund_status %q", n.RefundStatus)
}

func signCallback(keys *Keys, name string, now time.Time, nonce string, e event, inside any) (http.Header, []byte, error) {
	if nonce == "" {
		nonce = random.New(nil).Text(32, random.Alnum)
	}
	if keys.platformKeys()[name] == nil {
		return nil, nil, fmt.Errorf("there is no platform key %q", name)
	}
	sum := sha256.Sum256([]byte(nonce))
	h := hex.EncodeToString(sum[:])
	return makeCallback(keys, name, callback{
		id:   h[:8] + "-" + h[8:12] + "-5" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32],
		salt: h[32:44], created: now, event: e, inside: inside, now: now, nonce: nonce,
	})
}
