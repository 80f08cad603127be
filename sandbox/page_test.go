package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
)

// From the code_url to the result screen, mounted under a prefix.
func TestPhonePage(t *testing.T) {
	b := newBench(t)
	c, root := sandboxtest.Browse(t, http.StripPrefix("/gw", b.Handler()))
	rec := b.Send("POST", "/v3/pay/transactions/native", sandboxtest.Order("PHONE00001"))
	var prepaid struct{ Code_URL string }
	if err := json.Unmarshal(rec.Body.Bytes(), &prepaid); err != nil {
		t.Fatal(err)
	}
	page := sandboxtest.Get(t, c, "GET", root+"/gw/sandbox/scan?code_url="+url.QueryEscape(prepaid.Code_URL))
	if page.View() != "open" || !strings.Contains(page.Text, "8.88") || !strings.Contains(page.Text, "沙箱商品") {
		t.Fatalf("%d %s", page.Status, page.Text)
	}
	path, err := b.PayPath("PHONE00001")
	if err != nil || page.URL != root+"/gw"+path {
		t.Errorf("at %s, want %s", page.URL, path)
	}
	failed := sandboxtest.Get(t, c, "POST", page.URL+"/fail")
	if failed.View() != "failed" || b.Query("PHONE00001").TradeState != "PAYERROR" {
		t.Errorf("after the fail button: %s", failed.View())
	}
	paid := sandboxtest.Get(t, c, "POST", page.URL+"/pay?lang=zh")
	if paid.View() != "paid" || !strings.HasSuffix(paid.URL, path+"?lang=zh") || !strings.Contains(paid.Text, "支付成功") {
		t.Errorf("after the pay button: %s at %s", paid.View(), paid.URL)
	}
	if n := b.DeliverDue(ctx); n != 1 {
		t.Errorf("%d callbacks", n)
	}
	if again := sandboxtest.Get(t, c, "POST", page.URL+"/pay"); again.View() != "paid" {
		t.Errorf("paid again: %s", again.View())
	}
	if n := b.DeliverDue(ctx); n != 0 {
		t.Errorf("%d callbacks more", n)
	}
	if qr := sandboxtest.Get(t, c, "GET", page.URL+"/qr.png"); qr.Status != 200 || !strings.HasPrefix(qr.Text, "\x89PNG") {
		t.Errorf("QR code: %d", qr.Status)
	}
}

func TestPhonePageViews(t *testing.T) {
	b := newBench(t)
	c, root := sandboxtest.Browse(t, b.Handler())
	timed := sandboxtest.Order("VIEW-EXPIRED")
	timed["time_expire"] = b.Now().Add(5 * time.Minute).Format(time.RFC3339)
	if rec := b.Send("POST", "/v3/pay/transactions/native", timed); rec.Code != 200 {
		t.Fatal(rec.Body)
	}
	b.Place("VIEW-CLOSED")
	b.Place("VIEW-OLD")
	b.Send("POST", "/v3/pay/transactions/out-trade-no/VIEW-CLOSED/close", map[string]any{"mchid": b.Keys.MchID})
	b.Clock.Advance(2*time.Hour + time.Second)
	b.Place("VIEW-OPEN")
	for no, want := range map[string]string{
		"VIEW-OPEN": "open", "VIEW-EXPIRED": "expired", "VIEW-CLOSED": "closed", "VIEW-OLD": "link_expired",
	} {
		path, err := b.PayPath(no)
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range []string{"en", "zh"} {
			page := sandboxtest.Get(t, c, "GET", root+path+"?lang="+lang)
			if page.View() != want || page.Status != 200 || !strings.Contains(page.Text, map[string]string{"en": "no real money moves", "zh": "不会产生真实扣款"}[lang]) || strings.Contains(page.Text, "no value") {
				t.Errorf("%s: %s in %s", no, page.View(), lang)
			}
		}
		if want == "expired" || want == "closed" {
			if page := sandboxtest.Get(t, c, "POST", root+path+"/pay"); page.View() != want {
				t.Errorf("%s paid: %s", no, page.View())
			}
		}
	}
	b.Place("VIEW-OLD") // the same prepay again makes the link good again
	path, _ := b.PayPath("VIEW-OLD")
	if page := sandboxtest.Get(t, c, "GET", root+path); page.View() != "open" {
		t.Errorf("renewed: %s", page.View())
	}
	if page := sandboxtest.Get(t, c, "GET", root+"/pay/nowhere"); page.View() != "missing" || page.Status != 404 {
		t.Errorf("nowhere: %s", page.View())
	}
}

// The buyer of an H5 payment goes back to the shop, and nowhere dangerous.
func TestRedirectURL(t *testing.T) {
	b := newBench(t)
	c, root := sandboxtest.Browse(t, b.Handler())
	o := sandboxtest.Order("RETURN0001")
	o["scene_info"] = map[string]any{"payer_client_ip": "::1", "h5_info": map[string]any{"type": "Wap"}}
	rec := b.Send("POST", "/v3/pay/transactions/h5", o, func(r *http.Request) { r.Host = strings.TrimPrefix(root, "http://") })
	var prepaid struct{ H5_URL string }
	if err := json.Unmarshal(rec.Body.Bytes(), &prepaid); err != nil {
		t.Fatal(err)
	}
	back := "https://shop.example.test/orders/1?a=b&c=d"
	page := sandboxtest.Get(t, c, "GET", prepaid.H5_URL+"&redirect_url="+url.QueryEscape(back))
	if page.View() != "open" || page.Header.Get("Refresh") != "" {
		t.Fatalf("%s", page.Text)
	}
	action := regexp.MustCompile(`action="([^"]+/pay\?[^"]+)"`).FindStringSubmatch(page.Text)
	if action == nil {
		t.Fatal("no form to pay")
	}
	paid := sandboxtest.Get(t, c, "POST", root+"/pay/"+strings.ReplaceAll(action[1], "&amp;", "&"))
	if paid.Header.Get("Refresh") != "3; url="+back || !strings.Contains(paid.Text, `href="https://shop.example.test/orders/1?a=b&amp;c=d"`) {
		t.Errorf("%s %s", paid.Header.Get("Refresh"), paid.View())
	}
	path, _ := b.PayPath("RETURN0001")
	for _, bad := range []string{"javascript:alert(1)", "//evil.test", "data:text/html,x", "https://a.test/\r\nX: 1", "http://"} {
		page := sandboxtest.Get(t, c, "GET", root+path+"?redirect_url="+url.QueryEscape(bad))
		if page.Header.Get("Refresh") != "" || strings.Contains(page.Text, `id="back"`) {
			t.Errorf("returns to %q", bad)
		}
	}
}

// What a shop writes is shown, not run.
func TestPagesEscape(t *testing.T) {
	b := newBench(t)
	c, root := sandboxtest.Browse(t, b.Handler())
	o := sandboxtest.Order("ESCAPED|*1")
	o["description"] = `<script>alert(1)</script>`
	if rec := b.Send("POST", "/v3/pay/transactions/native", o); rec.Code != 200 {
		t.Fatal(rec.Body)
	}
	path, _ := b.PayPath("ESCAPED|*1")
	for _, at := range []string{path, "/sandbox/"} {
		page := sandboxtest.Get(t, c, "GET", root+at)
		if strings.Contains(page.Text, "<script") || !strings.Contains(page.Text, "&lt;script&gt;") {
			t.Errorf("%s is not escaped", at)
		}
		if !strings.Contains(page.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s has no policy", at)
		}
	}
	pay := regexp.MustCompile(`action="(trades/[^"]+/pay[^"]*)"`).FindStringSubmatch(sandboxtest.Get(t, c, "GET", root+"/sandbox/").Text)
	if pay == nil {
		t.Fatal("no form")
	}
	if page := sandboxtest.Get(t, c, "POST", root+"/sandbox/"+pay[1]); page.URL != root+"/sandbox/?lang=en" || !strings.Contains(page.Text, `data-state="paid"`) {
		t.Errorf("after the button: at %s", page.URL)
	}
}

func TestScan(t *testing.T) {
	b := newBench(t)
	rec := b.Send("POST", "/v3/pay/transactions/app", sandboxtest.Order("SCANNED001"))
	var prepaid struct{ Prepay_ID string }
	if err := json.Unmarshal(rec.Body.Bytes(), &prepaid); err != nil {
		t.Fatal(err)
	}
	path, _ := b.PayPath("SCANNED001")
	for query, want := range map[string]string{
		"prepay_id=" + prepaid.Prepay_ID:                        ".." + path,
		"code_url=+weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fpr%3Dabc": "../pay/abc",
		"":                                  "",
		"code_url=https%3A%2F%2Fevil.test":  "",
		"code_url=weixin://wxpay/bizpayurl": "",
		"code_url=weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fpr%3D..%2F..%2Fx": "",
		"prepay_id=wx1": "",
	} {
		rec := httptest.NewRecorder()
		b.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/sandbox/scan?"+query, nil))
		if got := rec.Header().Get("Location"); got != want || (want == "") != (rec.Code == http.StatusBadRequest) {
			t.Errorf("%s: %d to %q, want %q", query, rec.Code, got, want)
		}
	}
}
