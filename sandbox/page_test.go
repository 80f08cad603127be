package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browse is a browser: it follows redirects, relative ones too.
func browse(t *testing.T, h http.Handler) (*http.Client, string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar}, server.URL
}

type seen struct {
	url, text string
	status    int
	header    http.Header
}

func get(t *testing.T, c *http.Client, method, url string, header ...string) seen {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var text strings.Builder
	buf := make([]byte, 1<<16)
	for {
		n, err := res.Body.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return seen{res.Request.URL.String(), text.String(), res.StatusCode, res.Header}
}

var viewShape = regexp.MustCompile(`data-view="(\w+)"`)

func (s seen) view() string {
	if m := viewShape.FindStringSubmatch(s.text); m != nil {
		return m[1]
	}
	return s.text
}

// From the code_url to the result screen, mounted under a prefix.
func TestPhonePage(t *testing.T) {
	b := newBench(t)
	c, root := browse(t, http.StripPrefix("/gw", b.Handler()))
	rec := b.send("POST", "/v3/pay/transactions/native", order("PHONE00001"))
	var prepaid struct{ Code_URL string }
	if err := json.Unmarshal(rec.Body.Bytes(), &prepaid); err != nil {
		t.Fatal(err)
	}
	page := get(t, c, "GET", root+"/gw/sandbox/scan?code_url="+url.QueryEscape(prepaid.Code_URL))
	if page.view() != "open" || !strings.Contains(page.text, "8.88") || !strings.Contains(page.text, "沙箱商品") {
		t.Fatalf("%d %s", page.status, page.text)
	}
	path, err := b.PayPath("PHONE00001")
	if err != nil || page.url != root+"/gw"+path {
		t.Errorf("at %s, want %s", page.url, path)
	}
	failed := get(t, c, "POST", page.url+"/fail")
	if failed.view() != "failed" || b.query("PHONE00001").TradeState != failedTradeState {
		t.Errorf("after the fail button: %s", failed.view())
	}
	paid := get(t, c, "POST", page.url+"/pay?lang=zh")
	if paid.view() != "paid" || !strings.HasSuffix(paid.url, path+"?lang=zh") || !strings.Contains(paid.text, "支付成功") {
		t.Errorf("after the pay button: %s at %s", paid.view(), paid.url)
	}
	if n := b.DeliverDue(ctx); n != 1 {
		t.Errorf("%d callbacks", n)
	}
	if again := get(t, c, "POST", page.url+"/pay"); again.view() != "paid" {
		t.Errorf("paid again: %s", again.view())
	}
	if n := b.DeliverDue(ctx); n != 0 {
		t.Errorf("%d callbacks more", n)
	}
	if qr := get(t, c, "GET", page.url+"/qr.png"); qr.status != 200 || !strings.HasPrefix(qr.text, "\x89PNG") {
		t.Errorf("QR code: %d", qr.status)
	}
}

func TestPhonePageViews(t *testing.T) {
	b := newBench(t)
	c, root := browse(t, b.Handler())
	timed := order("VIEW-EXPIRED")
	timed["time_expire"] = b.now().Add(5 * time.Minute).Format(time.RFC3339)
	if rec := b.send("POST", "/v3/pay/transactions/native", timed); rec.Code != 200 {
		t.Fatal(rec.Body)
	}
	b.place("VIEW-CLOSED")
	b.place("VIEW-OLD")
	b.send("POST", "/v3/pay/transactions/out-trade-no/VIEW-CLOSED/close", map[string]any{"mchid": b.keys.MchID})
	b.clock.Advance(codeURLLife + time.Second)
	b.place("VIEW-OPEN")
	for no, want := range map[string]string{
		"VIEW-OPEN": "open", "VIEW-EXPIRED": "expired", "VIEW-CLOSED": "closed", "VIEW-OLD": "link_expired",
	} {
		path, err := b.PayPath(no)
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range []string{"en", "zh"} {
			page := get(t, c, "GET", root+path+"?lang="+lang)
			if page.view() != want || page.status != 200 || !strings.Contains(page.text, vocabulary[lang]["sandbox"]) || strings.Contains(page.text, "no value") {
				t.Errorf("%s: %s in %s", no, page.view(), lang)
			}
		}
		if want == "expired" || want == "closed" {
			if page := get(t, c, "POST", root+path+"/pay"); page.view() != want {
				t.Errorf("%s paid: %s", no, page.view())
			}
		}
	}
	b.place("VIEW-OLD") // the same prepay again makes the link good again
	path, _ := b.PayPath("VIEW-OLD")
	if page := get(t, c, "GET", root+path); page.view() != "open" {
		t.Errorf("renewed: %s", page.view())
	}
	if page := get(t, c, "GET", root+"/pay/nowhere"); page.view() != "missing" || page.status != 404 {
		t.Errorf("nowhere: %s", page.view())
	}
}

// The buyer of an H5 payment goes back to the shop, and nowhere dangerous.
func TestRedirectURL(t *testing.T) {
	b := newBench(t)
	c, root := browse(t, b.Handler())
	o := order("RETURN0001")
	o["scene_info"] = map[string]any{"payer_client_ip": "::1", "h5_info": map[string]any{"type": "Wap"}}
	rec := b.send("POST", "/v3/pay/transactions/h5", o, func(r *http.Request) { r.Host = strings.TrimPrefix(root, "http://") })
	var prepaid struct{ H5_URL string }
	if err := json.Unmarshal(rec.Body.Bytes(), &prepaid); err != nil {
		t.Fatal(err)
	}
	back := "https://shop.example.test/orders/1?a=b&c=d"
	page := get(t, c, "GET", prepaid.H5_URL+"&redirect_url="+url.QueryEscape(back))
	if page.view() != "open" || page.header.Get("Refresh") != "" {
		t.Fatalf("%s", page.text)
	}
	action := regexp.MustCompile(`action="([^"]+/pay\?[^"]+)"`).FindStringSubmatch(page.text)
	if action == nil {
		t.Fatal("no form to pay")
	}
	paid := get(t, c, "POST", root+"/pay/"+strings.ReplaceAll(action[1], "&amp;", "&"))
	if paid.header.Get("Refresh") != "3; url="+back || !strings.Contains(paid.text, `href="https://shop.example.test/orders/1?a=b&amp;c=d"`) {
		t.Errorf("%s %s", paid.header.Get("Refresh"), paid.view())
	}
	path, _ := b.PayPath("RETURN0001")
	for _, bad := range []string{"javascript:alert(1)", "//evil.test", "data:text/html,x", "https://a.test/\r\nX: 1", "http://"} {
		page := get(t, c, "GET", root+path+"?redirect_url="+url.QueryEscape(bad))
		if page.header.Get("Refresh") != "" || strings.Contains(page.text, `id="back"`) {
			t.Errorf("returns to %q", bad)
		}
	}
}

// What a shop writes is shown, not run.
func TestPagesEscape(t *testing.T) {
	b := newBench(t)
	c, root := browse(t, b.Handler())
	o := order("ESCAPED|*1")
	o["description"] = `<script>alert(1)</script>`
	if rec := b.send("POST", "/v3/pay/transactions/native", o); rec.Code != 200 {
		t.Fatal(rec.Body)
	}
	path, _ := b.PayPath("ESCAPED|*1")
	for _, at := range []string{path, "/sandbox/"} {
		page := get(t, c, "GET", root+at)
		if strings.Contains(page.text, "<script") || !strings.Contains(page.text, "&lt;script&gt;") {
			t.Errorf("%s is not escaped", at)
		}
		if !strings.Contains(page.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s has no policy", at)
		}
	}
	pay := regexp.MustCompile(`action="(trades/[^"]+/pay[^"]*)"`).FindStringSubmatch(get(t, c, "GET", root+"/sandbox/").text)
	if pay == nil {
		t.Fatal("no form")
	}
	if page := get(t, c, "POST", root+"/sandbox/"+pay[1]); page.url != root+"/sandbox/?lang=en" || !strings.Contains(page.text, `data-state="paid"`) {
		t.Errorf("after the button: at %s", page.url)
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ query, header, want string }{
		{"", "", "en"},
		{"", "zh-CN,zh;q=0.9,en;q=0.8", "zh"},
		{"", "en-US,en;q=0.9,zh;q=0.8", "en"},
		{"", "en;q=0.1, ZH-TW;q=0.2", "zh"},
		{"", "fr,de", "en"},
		{"", "fr, zh;q=0.5", "zh"},
		{"", "zh;q=0", "en"},
		{"", "zh;q=x,,;", "en"},
		{"?lang=zh", "en", "zh"},
		{"?lang=en", "zh", "en"},
		{"?lang=fr", "zh", "zh"},
	} {
		r := httptest.NewRequest("GET", "/"+c.query, nil)
		r.Header.Set("Accept-Language", c.header)
		if got := language(r); got != c.want {
			t.Errorf("%q %q: %s", c.query, c.header, got)
		}
	}
	if len(vocabulary["zh"]) != len(vocabulary["en"]) {
		t.Error("the languages have different words")
	}
	for key := range vocabulary["zh"] {
		if vocabulary["en"][key] == "" {
			t.Errorf("no English for %q", key)
		}
	}
}

func TestScan(t *testing.T) {
	b := newBench(t)
	rec := b.send("POST", "/v3/pay/transactions/app", order("SCANNED001"))
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
