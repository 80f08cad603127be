package wechatpay

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"
	"github.com/wechatpay-apiv3/wechatpay-go/core/consts"

	"github.com/tandem-pay/tandem/payment"
)

const (
	// refreshEvery is how old the list of certificates may become. A new one
	// is listed a day before it is used.
	refreshEvery = 10 * time.Hour
	// refreshGap is the least time between two requests for the list, so that
	// messages of invented serials cannot make us call all the time.
	refreshGap = time.Minute
)

var _ payment.Refresher = (*Channel)(nil)

// renewal keeps the platform certificates up to date. One request at a time
// is under way; a call meanwhile waits for that one.
type renewal struct {
	mu     sync.Mutex
	flight *flight
	tried  time.Time
	done   time.Time // when a list was last taken in
}

// flight is one request for the list.
type flight struct {
	over chan struct{} // closed when err is there
	err  error
}

// WantsRefresh says that a message came with the serial of a certificate that
// is not held. A callback is then refused; after a Refresh the channel's own
// repetition of it passes.
func (c *Channel) WantsRefresh() bool { return c.keys.stale(c.now()) }

// RefreshDue says whether a worker shall call Refresh now: the list is older
// than ten hours, or a certificate is missing, and the last attempt is a minute
// ago. It is never due when only public keys are configured.
func (c *Channel) RefreshDue(now time.Time) bool {
	if !c.keys.renewable {
		return false
	}
	c.renewal.mu.Lock()
	defer c.renewal.mu.Unlock()
	return passed(now, c.renewal.tried, refreshGap) && (c.keys.stale(now) || passed(now, c.renewal.done, refreshEvery))
}

// passed says that d has gone by since t; a clock that was put back does not
// make us wait for it.
func passed(now, t time.Time, d time.Duration) bool {
	return t.IsZero() || now.Sub(t) >= d || now.Before(t)
}

// Refresh fetches the platform certificates of WeChat Pay and adds the new ones
// in. It does nothing when only public keys are configured.
func (c *Channel) Refresh(ctx context.Context) error {
	if !c.keys.renewable {
		return nil
	}
	return c.refresh(ctx, false)
}

// errTooSoon says that the list was requested a moment ago.
var errTooSoon = errors.New("the certificates were requested less than a minute ago")

// renew is the refresh that an answer of an unknown certificate causes.
func (c *Channel) renew(ctx context.Context) error { return c.refresh(ctx, true) }

func (c *Channel) refresh(ctx context.Context, spare bool) error {
	if err := ctx.Err(); err != nil {
		return unknown(cause(err))
	}
	r := &c.renewal
	r.mu.Lock()
	f := r.flight
	if f == nil {
		now := c.now()
		if spare && !passed(now, r.tried, refreshGap) {
			r.mu.Unlock()
			return errTooSoon
		}
		f = &flight{over: make(chan struct{})}
		r.flight, r.tried = f, now
		// It outlives the caller who gives up: others may be waiting for it.
		go c.fly(context.WithoutCancel(ctx), f)
	}
	r.mu.Unlock()
	select {
	case <-f.over:
		return f.err
	case <-ctx.Done():
		return unknown(cause(ctx.Err()))
	}
}

func (c *Channel) fly(ctx context.Context, f *flight) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	missing := c.keys.missing.Swap(nil) // what is marked from now on, this list need not have
	f.err = c.fetchCertificates(ctx)
	r := &c.renewal
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flight = nil
	if f.err == nil {
		r.done = c.now()
	} else {
		c.keys.missing.CompareAndSwap(nil, missing)
	}
	close(f.over)
}

// listMeans: there is no list where there are no certificates.
var listMeans = noState(map[string]error{"RESOURCENOTEXISTS": errRejected, codeNotExist: errRejected})

// fetchCertificates requests the list, accepts it if one of the listed or
// held keys has signed it, and adds what is new.
func (c *Channel) fetchCertificates(ctx context.Context) error {
	list := &listValidator{c: c}
	_, err := c.get(ctx, core.NewClientWithValidator(c.client, list), "/v3/certificates", listMeans)
	if err != nil {
		return err
	}
	c.keys.add(list.listed)
	return nil
}

// get requests an address of the API and returns the verified answer's body.
func (c *Channel) get(ctx context.Context, client *core.Client, uri string, also map[string]error) ([]byte, error) {
	resp, err := client.Get(ctx, consts.WechatPayAPIServer+uri)
	if err := outcome(resp, err, http.StatusOK, also); err != nil {
		return nil, err
	}
	body, err := readBack(resp.Response)
	if err != nil {
		return nil, unknown(errNotProtocol)
	}
	return body, nil
}

// listValidator verifies a list of certificates with the keys that are held or
// with those of the list itself. On first use nothing else could verify it;
// that a certificate decrypts with our APIv3 key is what makes it count.
type listValidator struct {
	c      *Channel
	listed map[string]heldKey
}

var _ auth.Validator = (*listValidator)(nil)

func (v *listValidator) Validate(_ context.Context, response *http.Response) error {
	body, err := readBack(response)
	if err != nil {
		return err
	}
	now := v.c.now()
	listed, err := v.c.readCertificates(now, body)
	if err != nil {
		return err
	}
	all := maps.Clone(listed)
	maps.Copy(all, v.c.keys.set.Load().byID) // what is held counts first
	if err := newKeyring(all, "").verify(now, response.Header, body); err != nil {
		return err
	}
	v.listed = listed
	return nil
}

func (v *listValidator) GetAcceptSerial(context.Context) (string, error) {
	serial, _ := v.c.keys.accepted(v.c.now())
	return serial, nil
}

// readCertificates decrypts a list. It is refused as a whole when one of the
// certificates is not what the list says; expired ones are left out.
func (c *Channel) readCertificates(now time.Time, body []byte) (map[string]heldKey, error) {
	var list struct {
		Data []struct {
			Serial    string `json:"serial_no"`
			Encrypted sealed `json:"encrypt_certificate"`
		} `json:"data"`
	}
	if !utf8.Valid(body) || json.Unmarshal(body, &list) != nil {
		return nil, errNotProtocol
	}
	if len(list.Data) == 0 || len(list.Data) > maxConfigured {
		return nil, errNotProtocol
	}
	keys := make(map[string]heldKey, len(list.Data))
	for _, one := range list.Data {
		text, err := c.unseal(&one.Encrypted)
		if err != nil {
			return nil, errNotProtocol
		}
		if !hexShape.MatchString(one.Serial) || !strings.Contains(string(text), "-BEGIN CERTIFICATE-") {
			return nil, errNotProtocol
		}
		key, err := publicKey(one.Serial, string(text))
		if err != nil || !key.cert {
			return nil, errNotProtocol
		}
		if !key.expired(now) {
			keys[one.Serial] = key
		}
	}
	return keys, nil
}
