package settings_test

import (
	"net/url"
	"testing"

	"github.com/tandem-pay/tandem/channel/settings"
)

func TestEncrypted(t *testing.T) {
	for address, want := range map[string]bool{
		"https://api.mch.weixin.qq.com": true,
		"http://api.mch.weixin.qq.com":  false,
		"http://openapi.alipay.com":     false,
		"http://203.0.113.7":            false,
		"http://127.0.0.1:8080":         true,
		"http://[::1]:8080":             true,
		"http://10.0.0.7":               true,
		"http://localhost:8080":         true,
		"http://sandbox:8080":           true,
		"http://sandbox.invalid":        true,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := settings.Encrypted(u); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}

func TestPEM(t *testing.T) {
	const want = "-----BEGIN\nkey\n"
	for _, pasted := range []string{want, `-----BEGIN\nkey\n`, `-----BEGIN\r\nkey\r\n`} {
		if got := settings.PEM(pasted); got != want {
			t.Errorf("%q is %q", pasted, got)
		}
	}
}
