package wechatpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/services/certificates"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// listed are the serials that the official SDK finds listed, decrypted and
// read as certificates.
func (b *bench) listed() (serials []string) {
	b.T.Helper()
	service := certificates.CertificatesApiService{Client: b.SDK(b.Keys.PublicKeyID)}
	answer, _, err := service.DownloadCertificates(ctx)
	if err != nil {
		b.T.Fatal(err)
	}
	for _, d := range answer.Data {
		text, err := utils.DecryptAES256GCM(b.Keys.APIv3Key, *d.EncryptCertificate.AssociatedData, *d.EncryptCertificate.Nonce, *d.EncryptCertificate.Ciphertext)
		if err != nil {
			b.T.Fatal(err)
		}
		cert, err := utils.LoadCertificate(text)
		if err != nil || utils.GetCertificateSerialNumber(*cert) != *d.SerialNo {
			b.T.Fatalf("%s: %v", *d.SerialNo, err)
		}
		serials = append(serials, *d.SerialNo)
	}
	return serials
}

// A new certificate is listed at once, signs a day later, and the old one
// verifies all along.
func TestRotation(t *testing.T) {
	b := newBench(t, func(o *sandbox.Options) { o.Signing = wechatpay.ByCertificate })
	old := b.Keys.PlatformSerial
	fresh, err := b.WechatPay().RotateCertificate(wechatpay.RotationNotice)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(b.listed()); got != fmt.Sprint([]string{old, fresh}) {
		t.Errorf("listed: %s", got)
	}
	verifier := verifiers.NewSHA256WithRSAVerifier(core.NewCertificateMapWithList(wechatpay.PlatformCerts(b.WechatPay().Keys())))
	paid := 0
	signer := func() string {
		paid++
		b.Paid(fmt.Sprintf("ROTATED%03d", paid))
		b.DeliverDue(ctx)
		all := b.Shop.All()
		got := all[len(all)-1]
		serial := got.Header.Get("Wechatpay-Serial")
		message := sandboxtest.AnswerMessage(got.Header, got.Body)
		if err := verifier.Verify(context.Background(), serial, message, got.Header.Get("Wechatpay-Signature")); err != nil {
			t.Error(err)
		}
		return serial
	}
	if got := signer(); got != old {
		t.Errorf("at once, %s signs", got)
	}
	b.Clock.Advance(wechatpay.RotationNotice - time.Second)
	if got := signer(); got != old {
		t.Errorf("a second before, %s signs", got)
	}
	b.Clock.Advance(time.Second)
	if got := signer(); got != fresh {
		t.Errorf("after a day, %s signs", got)
	}
	// A shop that names its key is answered with it, old or new.
	for _, name := range []string{old, fresh, b.Keys.PublicKeyID} {
		rec := b.Send("GET", "/v3/certificates", nil, func(r *http.Request) { r.Header.Set("Wechatpay-Serial", name) })
		if got := rec.Header().Get("Wechatpay-Serial"); got != name {
			t.Errorf("asked for %s, answered with %s", name, got)
		}
	}
	if got := b.Send("GET", "/v3/certificates", nil).Header().Get("Wechatpay-Serial"); got != fresh {
		t.Errorf("asked for none, answered with %s", got)
	}
	if got := len(b.WechatPay().Keys().Merchant().PlatformKeys); got != 3 {
		t.Errorf("%d keys to configure", got)
	}
	next, err := b.WechatPay().RotateCertificate(wechatpay.RotationNotice)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.WechatPay().ActivateCertificate(); err != nil || got != next || wechatpay.SigningAt(b.WechatPay().Keys(), b.Now()) != next {
		t.Errorf("made to sign at once: %s %v", got, err)
	}
}

// Rotated keys can be stored and used again, and what was stored before there
// were any can be loaded.
func TestRotatedKeysAreStored(t *testing.T) {
	b := newBench(t)
	if _, err := b.WechatPay().ActivateCertificate(); err == nil {
		t.Error("activated the first certificate")
	}
	fresh, err := b.WechatPay().RotateCertificate(0)
	if err != nil {
		t.Fatal(err)
	}
	if len(testKeys().Rotated) != 0 {
		t.Error("the caller's keys were changed")
	}
	stored := sandboxtest.Encode(t, b.WechatPay().Keys())
	loaded := new(wechatpay.Keys)
	if err := json.Unmarshal(stored, loaded); err != nil {
		t.Fatal(err)
	}
	if string(sandboxtest.Encode(t, loaded)) != string(stored) || wechatpay.SigningAt(loaded, b.Now()) != fresh {
		t.Error("loaded keys differ")
	}
	again := newBench(t, func(o *sandbox.Options) { o.Keys = &sandbox.Keys{WechatPay: loaded, Alipay: sandboxtest.Keys().Alipay} })
	if got := again.Send("GET", "/v3/certificates", nil).Header().Get("Wechatpay-Serial"); got != fresh {
		t.Errorf("signed with %s", got)
	}
	var broken map[string]any
	if err := json.Unmarshal(stored, &broken); err != nil {
		t.Fatal(err)
	}
	broken["rotated"].([]any)[0].(map[string]any)["privateKey"] = broken["merchantPrivateKey"]
	if json.Unmarshal(sandboxtest.Encode(t, broken), new(wechatpay.Keys)) == nil {
		t.Error("loaded a certificate of another key")
	}
}
