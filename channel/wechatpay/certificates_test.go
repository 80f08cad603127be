package wechatpay

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

const (
	nextSerial  = "6157F09EFDC096DE15EBE81A47057A7232F1B8E2"
	otherSerial = "7157F09EFDC096DE15EBE81A47057A7232F1B8E3"
)

// certificate is one of a list, as WeChat Pay's side has it.
type certificate struct {
	serial string
	until  time.Time
	key    *rsa.PrivateKey
	spoil  func(map[string]any) // of its entry in the list; nil: as it should be
	text   string               // instead of the certificate
}

func (p certificate) pem(t testing.TB) string {
	number, _ := new(big.Int).SetString(p.serial, 16)
	template := &x509.Certificate{SerialNumber: number, NotBefore: p.until.AddDate(-5, 0, 0), NotAfter: p.until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &p.key.PublicKey, p.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// listOf is the answer that lists certificates.
func listOf(t testing.TB, all ...certificate) string {
	var data []any
	for _, one := range all {
		text := one.text
		if text == "" {
			text = one.pem(t)
		}
		sealed := map[string]any{
			"algorithm": "AEAD_AES_256_GCM", "nonce": "123456789012", "associated_data": "certificate",
			"ciphertext": seal(t, "123456789012", "certificate", text),
		}
		entry := map[string]any{
			"serial_no": one.serial, "effective_time": "2026-11-22T00:00:00+08:00", "expire_time": one.until.Format(time.RFC3339),
			"encrypt_certificate": sealed,
		}
		if one.spoil != nil {
			one.spoil(entry)
		}
		data = append(data, entry)
	}
	return string(toJSON(t, map[string]any{"data": data}))
}

// rotating is a gateway that lists certificates, and counts how often it was
// requested the list.
type rotating struct {
	*gateway
	list   func() (status int, body, signer string)
	signer string // of all other answers
	lists  atomic.Int32
	clock  atomic.Int64 // seconds, ours and WeChat Pay's
}

func newRotating(t testing.TB) *rotating {
	r := &rotating{signer: nextSerial}
	r.clock.Store(vectorTime.Unix())
	r.gateway = newGateway(t, func(s seen) answer {
		status, body, signer := 200, paidContent, r.signer
		if s.URI == "/v3/certificates" {
			r.lists.Add(1)
			status, body, signer = r.list()
		}
		return answer{status: status, body: body, how: func(h http.Header) {
			if status < 300 {
				maps.Copy(h, r.sign(signer, r.time(), []byte(body)))
			}
		}}
	})
	r.keys[nextSerial], r.keys[otherSerial] = r.keys["attacker"], r.keys[pubKeyID]
	r.list = func() (int, string, string) { return 200, listOf(t, r.next(), r.held()), certSerial }
	return r
}

func (r *rotating) time() time.Time { return time.Unix(r.clock.Load(), 0) }

// next is the certificate that follows the configured one.
func (r *rotating) next() certificate {
	return certificate{serial: nextSerial, until: vectorTime.AddDate(5, 0, 0), key: r.keys[nextSerial]}
}

// held is the configured one.
func (r *rotating) held() certificate {
	return certificate{serial: certSerial, until: vectorTime.AddDate(10, 0, 0), key: r.keys[certSerial]}
}

// channel holds the one certificate alone.
func (r *rotating) channel(t testing.TB) *Channel {
	cfg := testConfig(t)
	cfg.BaseURL, cfg.PlatformKeys = r.URL, cfg.PlatformKeys[1:]
	return channelOf(t, cfg, Options{Clock: r.time})
}

// callback is a callback signed with that key now.
func (r *rotating) callback(t testing.TB, c *Channel, serial string) error {
	body := notification(t, "TRANSACTION.SUCCESS", "transaction", paidContent)
	_, err := c.Read(r.time(), r.sign(serial, r.time(), body), body)
	return err
}

// TestNewCertificateOnAnswer: an answer that is signed with a certificate
// which is not held yet makes the channel request the list, once.
func TestNewCertificateOnAnswer(t *testing.T) {
	r := newRotating(t)
	c := r.channel(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := makeCall(t.Context(), c, "query"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := r.lists.Load(); n != 1 {
		t.Errorf("the list was requested %d times", n)
	}
	if err := r.callback(t, c, nextSerial); err != nil {
		t.Error(err)
	}
	if err := r.callback(t, c, certSerial); err != nil {
		t.Error("the old one no longer counts:", err)
	}
	if c.WantsRefresh() || c.RefreshDue(r.time()) {
		t.Error("it wants another list")
	}
}

// TestNewCertificateOnCallback: a callback calls nothing. It is refused, and
// its repetition passes once a worker has refreshed.
func TestNewCertificateOnCallback(t *testing.T) {
	r := newRotating(t)
	c := r.channel(t)
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.keys[otherSerial] = r.keys[pubKeyID]
	later := r.next()
	later.serial, later.key = otherSerial, r.keys[otherSerial]
	r.list = func() (int, string, string) { return 200, listOf(t, later), nextSerial }
	r.clock.Add(2 * 60)
	if c.RefreshDue(r.time()) {
		t.Error("a refresh is due without a reason")
	}
	if stage := stageOf(t, r.callback(t, c, otherSerial)); stage != payment.StageSerial || !c.WantsRefresh() || !c.RefreshDue(r.time()) {
		t.Errorf("refused at %q, wants %v, due %v", stage, c.WantsRefresh(), c.RefreshDue(r.time()))
	}
	if n := r.lists.Load(); n != 1 {
		t.Fatalf("reading requested the list: %d", n)
	}
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, serial := range []string{otherSerial, nextSerial, certSerial} {
		if err := r.callback(t, c, serial); err != nil {
			t.Errorf("%s: %v", serial, err)
		}
	}
	// What is no certificate's serial requests nothing.
	for _, serial := range []string{"PUB_KEY_ID_0119", "x", strings.Repeat("A", 65)} {
		r.keys[serial] = r.keys[pubKeyID]
		if stage := stageOf(t, r.callback(t, c, serial)); stage != payment.StageSerial || c.WantsRefresh() {
			t.Errorf("%s: refused at %q, wants %v", serial, stage, c.WantsRefresh())
		}
	}
}

// TestInventedSerials cannot make us request it more than once a minute.
func TestInventedSerials(t *testing.T) {
	r := newRotating(t)
	c := r.channel(t)
	r.signer = otherSerial // never listed
	for minute := range int32(3) {
		for range 5 {
			if err := makeCall(t.Context(), c, "query"); !errors.Is(err, payment.ErrUnknown) {
				t.Fatal(err)
			}
		}
		if n := r.lists.Load(); n != minute+1 {
			t.Fatalf("requested %d times in minute %d", n, minute)
		}
		if c.RefreshDue(r.time()) {
			t.Error("due within the minute")
		}
		r.clock.Add(60)
	}
	if !c.RefreshDue(r.time()) {
		t.Error("not due after the minute")
	}
}

// TestFirstUse has a list that only its own certificates can verify.
func TestFirstUse(t *testing.T) {
	r := newRotating(t)
	c := r.channel(t)
	r.clock.Store(vectorTime.AddDate(11, 0, 0).Unix()) // what is configured has expired
	next := r.next()
	next.until = r.time().AddDate(5, 0, 0)
	r.list = func() (int, string, string) { return 200, listOf(t, next), nextSerial }
	if stage := stageOf(t, r.callback(t, c, certSerial)); stage != payment.StageSerial || !c.WantsRefresh() {
		t.Errorf("an expired certificate: refused at %q", stage)
	}
	if err := makeCall(t.Context(), c, "query"); err != nil {
		t.Error(err)
	}
	if serial, _ := c.keys.accepted(r.time()); serial != nextSerial {
		t.Errorf("it requests answers signed with %s", serial)
	}
	if got := r.last().Header.Get(headerSerial); got != certSerial {
		t.Errorf("the first call named %s", got)
	}
	if err := makeCall(t.Context(), c, "query"); err != nil || r.last().Header.Get(headerSerial) != nextSerial {
		t.Errorf("the next call named %s: %v", r.last().Header.Get(headerSerial), err)
	}
}

// TestBadLists are not trusted, and leave the keyring as it was.
func TestBadLists(t *testing.T) {
	entry := func(name string, v any) func(map[string]any) { return func(e map[string]any) { e[name] = v } }
	inside := func(name string, v any) func(map[string]any) {
		return func(e map[string]any) { e["encrypt_certificate"].(map[string]any)[name] = v }
	}
	for _, row := range []struct {
		name   string
		status int
		change func(*certificate) // of the second in the list
		list   string             // instead
		signer string
		want   error
	}{
		{"signed with another key", 200, nil, "", pubKeyID, payment.ErrUnknown},
		{"of another serial", 200, entry2("serial_no", otherSerial), "", certSerial, payment.ErrUnknown},
		{"without a serial", 200, entry2("serial_no", ""), "", certSerial, payment.ErrUnknown},
		{"not encrypted with our key", 200, func(c *certificate) { c.spoil = inside("ciphertext", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") }, "", certSerial, payment.ErrUnknown},
		{"of another algorithm", 200, func(c *certificate) { c.spoil = inside("algorithm", "AEAD_SM4_GCM") }, "", certSerial, payment.ErrUnknown},
		{"with a short nonce", 200, func(c *certificate) { c.spoil = inside("nonce", "1") }, "", certSerial, payment.ErrUnknown},
		{"nothing encrypted", 200, func(c *certificate) { c.spoil = entry("encrypt_certificate", nil) }, "", certSerial, payment.ErrUnknown},
		{"a public key in it", 200, func(c *certificate) { c.text = file(t, "keys", "wechat_pubkey.public.pem") }, "", certSerial, payment.ErrUnknown},
		{"rubbish in it", 200, func(c *certificate) { c.text = "-----BEGIN CERTIFICATE-----" }, "", certSerial, payment.ErrUnknown},
		{"empty", 200, nil, `{"data":[]}`, certSerial, payment.ErrUnknown},
		{"no list", 200, nil, `[]`, certSerial, payment.ErrUnknown},
		{"too long", 200, nil, `{"data":[` + strings.Repeat("{},", maxConfigured) + `{}]}`, certSerial, payment.ErrUnknown},
		{"none available", 404, nil, `{"code":"RESOURCE_NOT_EXISTS","message":"无可用的平台证书"}`, certSerial, errAnyRejection},
		{"forbidden", 403, nil, `{"code":"NO_AUTH","message":"平台证书已过期失效"}`, certSerial, errAnyRejection},
		{"busy", 429, nil, `{"code":"FREQUENCY_LIMITED"}`, certSerial, payment.ErrBusy},
		{"in trouble", 500, nil, `{"code":"SYSTEM_ERROR"}`, certSerial, payment.ErrUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRotating(t)
			c := r.channel(t)
			next := r.next()
			if row.change != nil {
				row.change(&next)
			}
			body := row.list
			if body == "" {
				body = listOf(t, r.held(), next)
			}
			r.list = func() (int, string, string) { return row.status, body, row.signer }
			if stageOf(t, r.callback(t, c, nextSerial)) != payment.StageSerial {
				t.Fatal("the callback passed")
			}
			if err := c.Refresh(t.Context()); !is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if len(c.keys.set.Load().byID) != 1 || !c.WantsRefresh() {
				t.Errorf("%d keys, wants %v", len(c.keys.set.Load().byID), c.WantsRefresh())
			}
			if stageOf(t, r.callback(t, c, nextSerial)) != payment.StageSerial {
				t.Error("the callback passed afterwards")
			}
			r.clock.Add(61)
			if !c.RefreshDue(r.time()) {
				t.Error("it does not want to try again")
			}
		})
	}
}

func entry2(name string, v any) func(*certificate) {
	return func(c *certificate) { c.spoil = func(e map[string]any) { e[name] = v } }
}

// TestExpiredInList is left out, and the rest is taken.
func TestExpiredInList(t *testing.T) {
	r := newRotating(t)
	c := r.channel(t)
	gone := r.next()
	gone.serial, gone.key, gone.until = otherSerial, r.keys[otherSerial], vectorTime.Add(-time.Second)
	r.list = func() (int, string, string) { return 200, listOf(t, gone, r.next()), nextSerial }
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.callback(t, c, nextSerial); err != nil {
		t.Error(err)
	}
	if stageOf(t, r.callback(t, c, otherSerial)) != payment.StageSerial {
		t.Error("the expired one verifies")
	}
	r.clock.Store(vectorTime.AddDate(5, 0, 0).Add(time.Second).Unix())
	if stageOf(t, r.callback(t, c, nextSerial)) != payment.StageSerial {
		t.Error("it verifies after its end")
	}
}

// TestRefreshDue is the worker's question over a day.
func TestRefreshDue(t *testing.T) {
	r := newRotating(t)
	c := r.channel(t)
	step := func(what string, d time.Duration, want bool) {
		t.Helper()
		r.clock.Add(int64(d / time.Second))
		if got := c.RefreshDue(r.time()); got != want {
			t.Errorf("%s: due %v", what, got)
		}
	}
	refresh := func(ok bool) {
		t.Helper()
		if err := c.Refresh(t.Context()); (err == nil) != ok {
			t.Fatal(err)
		}
	}
	step("at the start", 0, true)
	refresh(true)
	step("at once", 0, false)
	step("after nine hours", 9*time.Hour, false)
	step("after ten", time.Hour, true)
	good := r.list
	r.list = func() (int, string, string) { return 500, "", "" }
	refresh(false)
	step("after a failure", 30*time.Second, false)
	step("a minute after a failure", 30*time.Second, true)
	r.list = good
	refresh(true)
	step("at last", time.Hour, false)
	step("the clock was put back", -2*time.Hour, true)
	if n := r.lists.Load(); n != 3 {
		t.Errorf("requested %d times", n)
	}

	cfg := testConfig(t)
	cfg.BaseURL, cfg.PlatformKeys = r.URL, cfg.PlatformKeys[:1]
	c = channelOf(t, cfg, Options{Clock: r.time})
	step("with a public key alone", 1000*time.Hour, false)
	refresh(true)
	if stageOf(t, r.callback(t, c, certSerial)) != payment.StageSerial || c.WantsRefresh() {
		t.Error("with a public key alone, a certificate is requested")
	}
	if n := r.lists.Load(); n != 3 {
		t.Errorf("with a public key alone, requested %d times", n-3)
	}
}

// TestRefreshWaits: who gives up waiting does not spoil it for the others.
func TestRefreshWaits(t *testing.T) {
	r := newRotating(t)
	requested, release := make(chan struct{}), make(chan struct{})
	good := r.list
	r.list = func() (int, string, string) { close(requested); <-release; return good() }
	c := r.channel(t)
	ctx, cancel := context.WithCancel(t.Context())
	impatient, patient := make(chan error, 1), make(chan error, 1)
	go func() { impatient <- c.Refresh(ctx) }()
	<-requested
	go func() { patient <- c.Refresh(t.Context()) }()
	cancel()
	if err := <-impatient; !errors.Is(err, payment.ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	if err := <-patient; err != nil {
		t.Error(err)
	}
	if n := r.lists.Load(); n != 1 {
		t.Errorf("requested %d times", n)
	}
}

// TestKeyringIsShared reads with one key while others come.
func TestKeyringIsShared(t *testing.T) {
	c := testChannel(t, Options{})
	p := newPlatform(t)
	body := notification(t, "TRANSACTION.SUCCESS", "transaction", paidContent)
	h := p.sign(certSerial, vectorTime, body)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 100 {
				if i == 0 {
					c.keys.add(map[string]heldKey{fmt.Sprintf("%08X", j): {pub: &p.keys[pubKeyID].PublicKey}})
				} else if _, err := c.Read(vectorTime, h, body); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(c.keys.set.Load().byID); n != maxKeys {
		t.Errorf("%d keys are held", n)
	}
}
