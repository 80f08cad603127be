package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/internal/prepared"
	"github.com/tandem-pay/tandem/shop"
)

// secure makes a start a production one that is complete.
func secure(c *serveCmd) {
	c.Production, c.PublicURL = true, "https://pay.example.com"
	c.MasterKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	c.APIKey = "sk_a_key_that_is_long_enough"
}

// TestProductionRefuses: --production names all that is missing or must not be,
// before it touches anything.
func TestProductionRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*serveCmd)
		says   string
	}{
		{"no public URL", func(c *serveCmd) { c.PublicURL = "" }, "--public-url"},
		{"a public URL without TLS", func(c *serveCmd) { c.PublicURL = "http://pay.example.com" }, "--public-url"},
		{"no master key", func(c *serveCmd) { c.MasterKey = "" }, "--master-key-file"},
		{"a short key", func(c *serveCmd) { c.APIKey = "sk_short" }, "TANDEM_API_KEY"},
		{"a test clock", func(c *serveCmd) { c.At = time.Unix(1, 0) }, "--at"},
		{"a sandbox", func(c *serveCmd) { c.SandboxBesideRealChannels = true }, "--sandbox-beside-real-channels"},
		{"nothing but the word", func(c *serveCmd) { c.PublicURL, c.MasterKey = "", "" }, "--public-url https://…: channels and browsers reach the server there\n--production needs --master-key-file"},
		{"a sandbox beside none", func(c *serveCmd) { c.Production, c.NoSandbox, c.SandboxBesideRealChannels = false, true, true }, "--sandbox-beside-real-channels"},
	} {
		data := filepath.Join(t.TempDir(), "data")
		_, _, err := launch(t, func(cfg *serveCmd) { cfg.Data = data; secure(cfg); c.change(cfg) })
		var usage usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a usage error with %q", c.name, err, c.says)
		}
		if _, err := os.Stat(data); err == nil {
			t.Errorf("%s: the folder was made", c.name)
		}
	}
}

// TestDemoOnlyWithSandbox: no demo, no sandbox and no test clock in production,
// and no demo wherever there is no sandbox.
func TestDemoOnlyWithSandbox(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*serveCmd)
		on     bool
	}{
		{"by default", func(*serveCmd) {}, true},
		{"--no-sandbox", func(c *serveCmd) { c.NoSandbox = true }, false},
		{"--production", secure, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, change func(*serveCmd)) {
				data := prepared.Data(t)
				sv, _ := launched(t, func(cfg *serveCmd) { change(cfg); cfg.Data, cfg.NoDemo = data, false; c.change(cfg) })
				addr := "http://" + sv.addr
				for _, path := range []string{"/demo", "/demo/products", "/sandbox/", "/v3/certificates"} {
					resp, err := http.Get(addr + path)
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					if (resp.StatusCode != http.StatusNotFound) != c.on {
						t.Errorf("%s: %s", path, resp.Status)
					}
				}
				shopClient := client{t, addr, sv.cfg.APIKey}
				if status, _ := shopClient.call("POST", "/v1/test/clock", obj{"advance": "1s"}); (status == 200) != c.on {
					t.Errorf("the test clock: %d", status)
				}
				for _, list := range []string{"/v1/skus", "/v1/promotions", "/v1/coupon-templates", "/v1/channels"} {
					items := shopClient.must(200, "GET", list, nil)["items"].([]any)
					if (len(items) > 0) != c.on {
						t.Errorf("%s: %d", list, len(items))
					}
				}
				audited(t, sv.db)
			})
		})
	}
}

// TestKeyIsPrintedOnce: the secret key is printed when it was made and at no
// other start, and in production none is made.
func TestKeyIsPrintedOnce(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		for _, without := range []bool{false, true} {
			data := prepared.Data(t)
			url := pg.NewDatabase(t)
			begin := func(more func(*serveCmd)) (printed string, sv *server) {
				sv, stop := launched(t, func(c *serveCmd) {
					change(c)
					c.Data, c.APIKey, c.NoSandbox = data, "", without
					if c.DB != "" {
						c.DB = url
					}
					more(c)
				})
				defer stop()
				var out bytes.Buffer
				sv.greet(&out)
				return out.String(), sv
			}
			first, _ := begin(func(*serveCmd) {})
			if strings.Count(first, app.SecretPrefix) != 1 {
				t.Errorf("without sandbox %t: the first start printed\n%s", without, first)
			}
			for _, more := range []func(*serveCmd){func(*serveCmd) {}, func(c *serveCmd) { c.APIKey = testKey }} {
				if again, _ := begin(more); strings.Contains(again, app.SecretPrefix) {
					t.Errorf("without sandbox %t: a later start printed\n%s", without, again)
				}
			}
		}
	})
	for _, key := range []string{"", "sk_a_key_that_is_long_enough"} {
		data := prepared.Data(t)
		sv, _ := launched(t, func(c *serveCmd) { secure(c); c.Data, c.APIKey = data, key })
		var out bytes.Buffer
		sv.greet(&out)
		if strings.Contains(out.String(), app.SecretPrefix) {
			t.Errorf("in production it printed\n%s", out.String())
		}
		if keys, err := sv.db.ListKeys(t.Context(), shop.Default); err != nil || (len(keys) > 0) != (key != "") {
			t.Errorf("in production there are %d keys, %v", len(keys), err)
		}
	}
}

// TestRevokedKeyStaysRevoked: a key that was revoked is refused after a start
// with it, and the server runs on.
func TestRevokedKeyStaysRevoked(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		data := prepared.Data(t)
		at := func(c *serveCmd) { change(c); c.Data = data }
		sv, stop := launched(t, at)
		c := sv.client(t)
		first := c.must(200, "GET", "/v1/keys", nil)["items"].([]any)[0].(obj)["id"].(string)
		c.must(409, "DELETE", "/v1/keys/"+first, nil)
		other := client{t, sv.url, c.must(201, "POST", "/v1/keys", obj{})["secret"].(string)}
		other.must(204, "DELETE", "/v1/keys/"+first, nil)
		stop()
		sv, _ = launched(t, at)
		sv.client(t).must(401, "GET", "/v1/shop", nil)
		other.url = sv.url
		other.must(200, "GET", "/v1/shop", nil)
		if keys := other.must(200, "GET", "/v1/keys", nil)["items"].([]any); len(keys) != 2 {
			t.Errorf("keys: %v", keys)
		}
		audited(t, sv.db)
	})
}
