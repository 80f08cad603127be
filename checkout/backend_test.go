package checkout_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// demoClient is a browser without a page.
type demoClient struct {
	s *server
	*http.Client
}

func (s *server) demoClient() *demoClient {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &demoClient{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// send sends a request with an Idempotency-Key, unless it is "".
func (v *demoClient) send(method, path, key, body string) (*http.Response, map[string]any) {
	v.s.t.Helper()
	r, err := http.NewRequest(method, v.s.url+path, strings.NewReader(body))
	if err != nil {
		v.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	var answer map[string]any
	res := v.s.send(v.Client, r, &answer)
	return res, answer
}

const twoCakes = `{"items":[{"sku":"demo-cheesecake","quantity":2}]}`

// An order of the demo has the same form as in the public API.
func TestAnOrderLooksLikeThePublicAPIs(t *testing.T) {
	s := serve(t, "")
	v := s.demoClient()
	res, placed := v.send("POST", "/demo/orders", "k1", twoCakes)
	if res.StatusCode != http.StatusCreated || res.Header.Get("Idempotent-Replayed") != "" {
		t.Fatalf("%s: %v", res.Status, placed)
	}
	token := placed["clientToken"]
	delete(placed, "clientToken")
	r, err := http.NewRequest("GET", s.url+strings.TrimPrefix(res.Header.Get("Location"), ".."), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.(string))
	var read map[string]any
	s.send(http.DefaultClient, r, &read)
	if diff := cmp.Diff(read, placed); diff != "" {
		t.Errorf("the API's order (-) and the demo's (+) differ:\n%s", diff)
	}

	// And so does a quote.
	_, quoted := v.send("POST", "/demo/quotes", "", twoCakes)
	var quote map[string]any
	s.call("POST", "/v1/quotes", `{"userId":"u",`+twoCakes[1:], &quote)
	if diff := cmp.Diff(quote, quoted); diff != "" {
		t.Errorf("the API's quote (-) and the demo's (+) differ:\n%s", diff)
	}

	// The same key is the same order; the same key of another buyer is another order.
	res, again := v.send("POST", "/demo/orders", "k1", twoCakes)
	if again["orderNo"] != placed["orderNo"] || again["clientToken"] != token || res.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the repeat gave %v", again)
	}
	if _, other := s.demoClient().send("POST", "/demo/orders", "k1", twoCakes); other["orderNo"] == placed["orderNo"] || other["orderNo"] == nil {
		t.Errorf("another buyer's order: %v", other)
	}
}

func TestTheDemoRefusesLikeThePublicAPI(t *testing.T) {
	s := serve(t, "")
	v := s.demoClient()
	v.send("POST", "/demo/orders", "used", twoCakes)
	s.call("PUT", "/v1/skus/TEA", `{"name":"Tea","price":1000,"stock":5}`, nil)
	s.call("POST", "/v1/coupon-templates", `{"id":"shop","name":"n","kind":"amount_off","amountOff":100}`, nil)
	s.call("POST", "/v1/coupons", `{"templateId":"shop","codes":["SHOP1"]}`, nil)
	for _, c := range []struct {
		name, path, key, body string
		status                int
		code                  string
	}{
		{"no key", "/demo/orders", "", twoCakes, 400, "idempotency_key_required"},
		{"a key with a blank", "/demo/orders", "a b", twoCakes, 400, "validation_failed"},
		{"a key that is too long", "/demo/orders", strings.Repeat("k", 129), twoCakes, 400, "validation_failed"},
		{"a key that was used", "/demo/orders", "used", `{"items":[{"sku":"demo-mug","quantity":1}]}`, 422, "idempotency_key_reused"},
		{"another price", "/demo/orders", "k2", `{"expectedPayableAmount":1,` + twoCakes[1:], 409, "price_changed"},
		{"somebody else's name", "/demo/orders", "k3", `{"userId":"u",` + twoCakes[1:], 400, "unknown_field"},
		{"no such product", "/demo/quotes", "", `{"items":[{"sku":"none","quantity":1}]}`, 404, "sku_not_found"},
		{"a product of the shop, quoted", "/demo/quotes", "", `{"items":[{"sku":"TEA","quantity":1}]}`, 404, "sku_not_found"},
		{"a product of the shop, at its best price", "/demo/quotes", "", `{"couponCodes":"best","items":[{"sku":"TEA","quantity":1}]}`, 404, "sku_not_found"},
		{"a product of the shop", "/demo/orders", "k4", `{"items":[{"sku":"demo-mug","quantity":1},{"sku":"TEA","quantity":1}]}`, 404, "sku_not_found"},
		{"a coupon of the shop, quoted", "/demo/quotes", "", `{"couponCodes":["SHOP1"],` + twoCakes[1:], 404, "coupon_not_found"},
		{"a coupon of the shop", "/demo/orders", "k5", `{"couponCodes":["SHOP1"],` + twoCakes[1:], 404, "coupon_not_found"},
		{"no coupon", "/demo/orders", "k6", `{"couponCodes":["none"],` + twoCakes[1:], 404, "coupon_not_found"},
		{"nothing", "/demo/quotes", "", `{"items":[]}`, 400, "validation_failed"},
		{"no body", "/demo/quotes", "", ``, 400, "validation_failed"},
		{"not JSON", "/demo/quotes", "", `{"items`, 400, "validation_failed"},
		{"two bodies", "/demo/quotes", "", twoCakes + twoCakes, 400, "validation_failed"},
		{"a body that is too large", "/demo/quotes", "", `{"items":[` + strings.Repeat(" ", 65<<10) + `]}`, 413, "body_too_large"},
	} {
		res, problem := v.send("POST", c.path, c.key, c.body)
		if res.StatusCode != c.status || problem["code"] != c.code || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %v; want %d %s", c.name, res.Status, problem, c.status, c.code)
		}
	}
	if made := s.orders(); len(made) != 1 {
		t.Errorf("%d orders; what is refused leaves no trace", len(made))
	}
}

// Only the demo's own page may post: a browser says from where.
func TestTheDemoRefusesPagesOfOtherSites(t *testing.T) {
	s := serve(t, "")
	v := s.demoClient()
	for _, c := range []struct {
		name, value string
		status      int
	}{
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Sec-Fetch-Site", "same-origin", 201},
		{"Origin", "http://evil.example", 403},
		{"Origin", "null", 403},
		{"Origin", s.url, 201},
	} {
		for path, status := range map[string]int{"/demo/orders": c.status, "/demo/coupons": c.status, "/demo/quotes": c.status} {
			r, err := http.NewRequest("POST", s.url+path, strings.NewReader(twoCakes))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "text/plain")
			r.Header.Set("Idempotency-Key", "k-"+c.value)
			r.Header.Set(c.name, c.value)
			var answer map[string]any
			res := s.send(v.Client, r, &answer)
			if refused := status == 403; refused != (res.StatusCode == 403) || refused && answer["code"] != "forbidden" || !refused && res.StatusCode >= 300 {
				t.Errorf("%s with %s: %s: %s %v", path, c.name, c.value, res.Status, answer)
			}
		}
	}
	if made := s.orders(); len(made) != 2 {
		t.Errorf("%d orders, want 2", len(made))
	}
}

func TestClaimingTwiceIsOneCoupon(t *testing.T) {
	s := serve(t, "")
	v := s.demoClient()
	_, first := v.send("POST", "/demo/coupons", "", "")
	_, second := v.send("POST", "/demo/coupons", "", "")
	if first["code"] == nil || first["code"] != second["code"] {
		t.Errorf("claimed %v, then %v", first, second)
	}
	if _, other := s.demoClient().send("POST", "/demo/coupons", "", ""); other["code"] == first["code"] {
		t.Errorf("two buyers have the coupon %v", other)
	}
	// Once an order holds it, the buyer can claim another.
	v.send("POST", "/demo/orders", "k", `{"couponCodes":["`+first["code"].(string)+`"],`+twoCakes[1:])
	if _, third := v.send("POST", "/demo/coupons", "", ""); third["code"] == nil || third["code"] == first["code"] {
		t.Errorf("after using %v: %v", first, third)
	}
}

func TestCodes(t *testing.T) {
	s := serve(t, "")
	v := s.demoClient()
	res, err := v.Get(s.url + "/demo/qr?text=weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fpr%3Dabc")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if picture, err := png.Decode(bytes.NewReader(raw)); err != nil || res.Header.Get("Content-Type") != "image/png" || picture.Bounds().Dx() < 200 {
		t.Errorf("a code of %d bytes as %s: %v", len(raw), res.Header.Get("Content-Type"), err)
	}
	for _, path := range []string{"/demo/qr", "/demo/qr?text=" + strings.Repeat("x", 513), "/demo/scan", "/demo/scan?code_url=" + strings.Repeat("x", 513)} {
		if res, problem := v.send("GET", path, "", ""); res.StatusCode < 400 || problem["code"] == nil {
			t.Errorf("%.40s: %s", path, res.Status)
		}
	}
	res, err = v.Get(s.url + "/demo/scan?code_url=weixin%3A%2F%2Fx%3Fa%26b")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || to != "/sandbox/scan?code_url=weixin%3A%2F%2Fx%3Fa%26b" {
		t.Errorf("%s to %q", res.Status, to)
	}
}

func TestFilesAreCachedByTheirContent(t *testing.T) {
	s := serve(t, "")
	for path, mime := range map[string]string{
		"/demo": "text/html", "/demo/app.js": "text/javascript", "/demo/style.css": "text/css",
		"/sdk/tandem.js": "text/javascript", "/sdk/watch.js": "text/javascript", "/sdk/tandem.d.ts": "text/plain",
	} {
		res, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), mime) {
			t.Errorf("%s: %s %s", path, res.Status, res.Header.Get("Content-Type"))
		}
		r, _ := http.NewRequest("GET", s.url+path, nil)
		r.Header.Set("If-None-Match", res.Header.Get("ETag"))
		if res := s.send(http.DefaultClient, r, nil); res.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %s", path, res.Status)
		}
	}
	for _, path := range []string{"/demo/none.js", "/sdk/none.js", "/sdk/"} {
		if res, err := http.Get(s.url + path); err != nil || res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %v %v", path, res, err)
		} else {
			_ = res.Body.Close()
		}
	}
}

// The first start is on nothing. A second start leaves everything as it is.
func TestSeedingTwice(t *testing.T) {
	s := serve(t, t.TempDir())
	s.demoClient().send("POST", "/demo/orders", "k", twoCakes)
	s.call("PUT", "/v1/skus/demo-mug", `{"name":"Mug","price":1,"stock":7}`, nil)
	before := s.demoData()
	s.stop()
	again := serve(t, s.data)
	if diff := cmp.Diff(before, again.demoData()); diff != "" {
		t.Errorf("the second start changed things:\n%s", diff)
	}
}

func (s *server) demoData() (all []string) {
	s.t.Helper()
	for _, path := range []string{"/v1/skus", "/v1/promotions", "/v1/coupon-templates/demo-welcome-5"} {
		var raw json.RawMessage
		s.call("GET", path, "", &raw)
		all = append(all, string(raw))
	}
	return all
}
