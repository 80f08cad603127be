package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// callback implements protocol. Taking turns by notice and try makes half of
// all first tries carry each key, and a retry the other one.
func (w *wechat) callback(n *notice, try int, forge Fault) (http.Header, []byte, string, error) {
	keys, how := w.g.keys, w.g.signing
	if how == Mixed {
		how = ByCertificate
		if (n.serial+uint64(try))%2 == 0 {
			how = ByPublicKey
		}
	}
	name := keys.PlatformSerial
	if how == ByPublicKey {
		name = keys.PublicKeyID
	}
	header, body, err := makeCallback(keys, name, callback{
		id: n.id, salt: n.salt, created: n.created, transaction: w.paid(n.trade, n.payment),
		now: w.g.callTime(), nonce: w.g.random.text(32, alnum), forge: forge,
	})
	return header, body, string(how), err
}

// callback is all that goes into one callback.
type callback struct {
	id, salt    string
	created     time.Time
	transaction Transaction
	now         time.Time
	nonce       string
	forge       Fault
}

// makeCallback signs with the platform key of that name. The body depends on
// nothing that differs between tries.
func makeCallback(keys *Keys, name string, c callback) (http.Header, []byte, error) {
	plain, err := json.Marshal(c.transaction)
	if err != nil {
		return nil, nil, err
	}
	sealed, err := encrypt(keys.APIv3Key, c.salt, "transaction", plain)
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
		c.id, c.created.In(china).Format(time.RFC3339), "encrypt-resource", "TRANSACTION.SUCCESS", "支付成功",
		resource{"transaction", aeadAlgorithm, sealed, "transaction", c.salt},
	})
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "*/*")
	header.Set("User-Agent", "Mozilla/4.0") // as the real one calls itself
	header.Set("Request-Id", c.nonce[:min(26, len(c.nonce))]+"-0")
	serial, key := keys.platformKey(name)
	if err := seal(header, serial, key, c.now, c.nonce, body, c.forge); err != nil {
		return nil, nil, err
	}
	return header, body, nil
}

// SignedCallback makes a callback for a trade that has been paid, as it would
// be sent now: with the id and body of the one that the gateway itself sends,
// under a fresh timestamp, nonce and signature.
func (g *Gateway) SignedCallback(outTradeNo string) (http.Header, []byte, error) {
	var n *notice
	err := g.withTrade(outTradeNo, func(t *trade) error {
		if len(t.notices) == 0 {
			return ErrUnpaid
		}
		n = t.notices[0]
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	header, body, _, err := n.trade.speaks.callback(n, 0, "")
	return header, body, err
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
	if nonce == "" {
		nonce = newRandom(nil).text(32, alnum)
	}
	if name != keys.PlatformSerial && name != keys.PublicKeyID {
		return nil, nil, fmt.Errorf("there is no platform key %q", name)
	}
	sum := sha256.Sum256([]byte(nonce))
	h := hex.EncodeToString(sum[:])
	return makeCallback(keys, name, callback{
		id:   h[:8] + "-" + h[8:12] + "-5" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32],
		salt: h[32:44], created: now, transaction: t, now: now, nonce: nonce,
	})
}
