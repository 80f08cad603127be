package alipay_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	sdk "github.com/smartwalle/alipay/v3"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// sdkBench has the computer's time, since the SDK reads that one.
func sdkBench(t testing.TB, change ...func(*sandbox.Options)) *bench {
	return newBench(t, append([]func(*sandbox.Options){func(o *sandbox.Options) { o.APITime, o.CallbackTime = time.Now, time.Now }}, change...)...)
}

// sdkOrder is an order as the SDK sends it, empty strings included.
func sdkOrder(no, product string) sdk.Trade {
	return sdk.Trade{
		NotifyURL: "https://shop.example.test/ali/notify", ReturnURL: "https://shop.example.test/done?order=1",
		Subject: "茶 & <cup> 100%", OutTradeNo: no, TotalAmount: "88.88", ProductCode: product,
		GoodsDetail: []*sdk.GoodsDetail{{GoodsId: "1", GoodsName: "茶", Quantity: 1, Price: 88.88}}, TimeoutExpress: "30m",
	}
}

// Every method by an SDK that others use, through its own HTTP client, with
// the gateway under a prefix.
func TestSDK(t *testing.T) {
	b := sdkBench(t, func(o *sandbox.Options) { o.EarlyBills = true })
	c := b.client()

	made, err := c.TradePreCreate(ctx, sdk.TradePreCreate{Trade: sdkOrder("SDK1", "")})
	if err != nil || !made.IsSuccess() || !strings.HasPrefix(made.QRCode, "https://qr.alipay.com/") || made.OutTradeNo != "SDK1" {
		t.Fatalf("precreate: %+v %v", made, err)
	}
	query := func(no string) *sdk.TradeQueryRsp {
		t.Helper()
		got, err := c.TradeQuery(ctx, sdk.TradeQuery{OutTradeNo: no})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := query("SDK1"); got.IsSuccess() || got.SubCode != "ACQ.TRADE_NOT_EXIST" {
		t.Errorf("query of what nobody scanned: %+v", got)
	}
	if got, err := c.TradeClose(ctx, sdk.TradeClose{OutTradeNo: "SDK1"}); err != nil || got.SubCode != "ACQ.TRADE_NOT_EXIST" {
		t.Errorf("close of what nobody scanned: %+v %v", got, err)
	}
	if err := b.Pay("SDK1"); err != nil {
		t.Fatal(err)
	}
	got := query("SDK1")
	if got.TradeStatus != sdk.TradeStatusSuccess || got.TotalAmount != "88.88" || got.Subject != "茶 & <cup> 100%" || got.FundBillList[0].Amount != "88.88" {
		t.Errorf("query: %+v", got)
	}
	back, err := c.TradeRefund(ctx, sdk.TradeRefund{TradeNo: got.TradeNo, RefundAmount: "8.88", OutRequestNo: "R1", QueryOptions: []string{"refund_detail_item_list"}})
	if err != nil || back.FundChange != "Y" || back.RefundFee != "8.88" || back.RefundDetailItemList[0].Amount != "8.88" {
		t.Errorf("refund: %+v %v", back, err)
	}
	asked, err := c.TradeFastPayRefundQuery(ctx, sdk.TradeFastPayRefundQuery{OutTradeNo: "SDK1", OutRequestNo: "R1"})
	if err != nil || asked.RefundStatus != "REFUND_SUCCESS" || asked.RefundAmount != "8.88" {
		t.Errorf("refund query: %+v %v", asked, err)
	}
	none, err := c.TradeFastPayRefundQuery(ctx, sdk.TradeFastPayRefundQuery{OutTradeNo: "SDK1", OutRequestNo: "R2"})
	if err != nil || !none.IsSuccess() || none.RefundStatus != "" {
		t.Errorf("refund query of none: %+v %v", none, err)
	}
	undone, err := c.TradeCancel(ctx, sdk.TradeCancel{OutTradeNo: "SDK1"})
	if err != nil || undone.Action != "refund" || undone.RetryFlag != "N" {
		t.Errorf("cancel: %+v %v", undone, err)
	}
	if got := query("SDK1"); got.TradeStatus != sdk.TradeStatusClosed {
		t.Errorf("after cancel: %+v", got)
	}

	if _, err := c.TradePreCreate(ctx, sdk.TradePreCreate{Trade: sdkOrder("SDK2", "")}); err != nil {
		t.Fatal(err)
	}
	if err := b.Scan("SDK2"); err != nil {
		t.Fatal(err)
	}
	if got, err := c.TradeClose(ctx, sdk.TradeClose{OutTradeNo: "SDK2"}); err != nil || !got.IsSuccess() || got.TradeNo == "" {
		t.Errorf("close: %+v %v", got, err)
	}

	bill, err := c.BillDownloadURLQuery(ctx, sdk.BillDownloadURLQuery{BillType: "trade", BillDate: b.Now().In(trade.China).Format(time.DateOnly)})
	if err != nil || !strings.Contains(bill.BillDownloadURL, "/gw/sandbox/alipay/bill?") {
		t.Fatalf("bill: %+v %v", bill, err)
	}
	res, err := http.Get(bill.BillDownloadURL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if zip, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 200 || !strings.HasPrefix(string(zip), "PK") {
		t.Errorf("download: %d %q %v", res.StatusCode, zip, err)
	}
}

// What opens in a browser: the SDK's URL leads to the phone page, and from
// there, once paid, to the shop with parameters that the SDK verifies.
func TestPageProducts(t *testing.T) {
	for _, product := range []string{"page", "wap"} {
		b := sdkBench(t)
		c, home := b.client(), ""
		link := func(no string) *url.URL {
			u, err := c.TradePagePay(sdk.TradePagePay{Trade: sdkOrder(no, "FAST_INSTANT_TRADE_PAY")})
			if product == "wap" {
				u, err = c.TradeWapPay(sdk.TradeWapPay{Trade: sdkOrder(no, "QUICK_WAP_WAY"), QuitURL: "https://shop.example.test/cart"})
			}
			if err != nil {
				t.Fatal(err)
			}
			home = u.Scheme + "://" + u.Host + "/gw"
			return u
		}
		opened := link("PAGE1")
		if got := b.status("PAGE1"); got != "40004 ACQ.TRADE_NOT_EXIST" {
			t.Errorf("%s: exists before anybody opened it: %v", product, got)
		}
		browser := &http.Client{}
		page := sandboxtest.Get(t, browser, "GET", opened.String(), "Accept-Language", "zh")
		if page.View() != "open" || !strings.Contains(page.Text, "88.88") || !strings.Contains(page.Text, "支付宝") || !strings.Contains(page.Text, `class="alipay"`) {
			t.Fatalf("%s: %s", product, page.Text)
		}
		if got := b.status("PAGE1"); got != "WAIT_BUYER_PAY" {
			t.Errorf("%s: opened, but %v", product, got)
		}
		if again := sandboxtest.Get(t, browser, "GET", link("PAGE1").String()); again.URL != page.URL {
			t.Errorf("%s: opened again at %s", product, again.URL)
		}
		path, _ := b.PayPath("PAGE1")
		failed := sandboxtest.Get(t, browser, "POST", home+path+"/fail")
		if failed.View() != "failed" || strings.Contains(failed.Text, "https://shop.example.test/cart") != (product == "wap") {
			t.Errorf("%s: %s", product, failed.Text)
		}
		done := sandboxtest.Get(t, browser, "POST", home+path+"/pay")
		_, to, _ := strings.Cut(done.Header.Get("Refresh"), "url=")
		u, err := url.Parse(to)
		if err != nil || u.Host != "shop.example.test" || u.Query().Get("order") != "1" {
			t.Fatalf("%s: sent to %q", product, to)
		}
		values := u.Query()
		values.Del("order") // the shop's own
		if err := c.VerifySign(values); err != nil {
			t.Errorf("%s: %v", product, err)
		}
		for name, want := range map[string]string{"out_trade_no": "PAGE1", "total_amount": "88.88", "seller_id": "2088000000000001", "app_id": "2021000000000001", "method": "alipay.trade." + product + ".pay.return"} {
			if values.Get(name) != want {
				t.Errorf("%s: %s is %q", product, name, values.Get(name))
			}
		}
		if got := sandboxtest.Get(t, browser, "GET", link("PAGE1").String()); got.Status != 400 || !strings.Contains(got.Text, "ACQ.TRADE_HAS_SUCCESS") {
			t.Errorf("%s: opened once more: %d %s", product, got.Status, got.Text)
		}

		// As a form that the shop's page sends from its own site.
		form := link("PAGE2")
		req, _ := http.NewRequest("POST", form.Scheme+"://"+form.Host+form.Path, strings.NewReader(form.RawQuery))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://shop.example.test")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if path, _ := b.PayPath("PAGE2"); res.StatusCode != 200 || res.Request.URL.Path != "/gw"+path {
			t.Errorf("%s: the form led to %d %s", product, res.StatusCode, res.Request.URL)
		}
		spoilt := strings.Replace(link("PAGE3").String(), "PAGE3", "PAGE4", 1)
		if got := sandboxtest.Get(t, browser, "GET", spoilt); got.Status != 400 || !strings.Contains(got.Text, "isv.invalid-signature") {
			t.Errorf("%s: spoilt: %d %s", product, got.Status, got.Text)
		}
	}
}

// The wallet of the sandbox takes the order string that the SDK makes.
func TestApp(t *testing.T) {
	b := sdkBench(t)
	c := b.client()
	order, err := c.TradeAppPay(sdk.TradeAppPay{Trade: sdkOrder("APP1", "QUICK_MSECURITY_PAY")})
	if err != nil {
		t.Fatal(err)
	}
	browser, root := sandboxtest.Browse(t, b.Handler())
	res, err := browser.Post(root+"/sandbox/alipay/app", "application/json", strings.NewReader(string(sandboxtest.Encode(t, map[string]string{"orderString": order}))))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != 200 || !strings.Contains(string(text), `"outTradeNo":"APP1"`) {
		t.Errorf("%d %s", res.StatusCode, text)
	}
	if no, err := b.Alipay().OpenApp(order); err != nil || no != "APP1" {
		t.Errorf("opened again: %q %v", no, err)
	}
	if got := b.status("APP1"); got != "WAIT_BUYER_PAY" {
		t.Errorf("opened, but %v", got)
	}
	page, err := c.TradePagePay(sdk.TradePagePay{Trade: sdkOrder("APP2", "FAST_INSTANT_TRADE_PAY")})
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := c.TradeAppPay(sdk.TradeAppPay{Trade: sdkOrder("APP3", "FAST_INSTANT_TRADE_PAY")})
	if err != nil {
		t.Fatal(err)
	}
	for name, order := range map[string]string{
		"spoilt": strings.Replace(order, "APP1", "APP9", 1), "of a page": page.RawQuery, "of another product": wrong,
		"empty": "", "too long": strings.Repeat("x", 64<<10+1),
	} {
		if no, err := b.Alipay().OpenApp(order); err == nil {
			t.Errorf("%s: opened %s", name, no)
		}
	}
}

// A code leads to the phone page, whoever scans it and however; that alone
// creates the trade.
func TestScan(t *testing.T) {
	b := newBench(t)
	browser, root := sandboxtest.Browse(t, http.StripPrefix("/gw", b.Handler()))
	code := func(no string) string { return b.call("trade.precreate", asked(no))["qr_code"].(string) }
	for i, query := range []string{"code=%s", "code_url=%s"} {
		no := "SCAN" + string(rune('1'+i))
		page := sandboxtest.Get(t, browser, "GET", root+"/gw/sandbox/scan?"+strings.Replace(query, "%s", url.QueryEscape(" "+code(no)+" "), 1))
		if page.View() != "open" || b.status(no) != "WAIT_BUYER_PAY" {
			t.Errorf("%s: %s, %v", query, page.View(), b.status(no))
		}
	}
	code("PROGRAM")
	if got := sandboxtest.Get(t, browser, "POST", root+"/gw/sandbox/trades/PROGRAM/scan", "Accept", "application/json"); got.Status != 200 || b.status("PROGRAM") != "WAIT_BUYER_PAY" {
		t.Errorf("%d %s", got.Status, got.Text)
	}
	if got := sandboxtest.Get(t, browser, "POST", root+"/gw/sandbox/trades/NOBODY/scan", "Accept", "application/json"); got.Status != 404 {
		t.Errorf("%d %s", got.Status, got.Text)
	}
	old := code("OLD")
	b.Clock.Advance(2*time.Hour + time.Second)
	if page := sandboxtest.Get(t, browser, "GET", root+"/gw/sandbox/scan?code="+url.QueryEscape(old)); page.View() != "expired" || b.status("OLD") != "40004 ACQ.TRADE_NOT_EXIST" {
		t.Errorf("an old code: %s, %v", page.View(), b.status("OLD"))
	}
	for _, bad := range []string{"https://qr.alipay.com/bax", "https://qr.alipay.com/bax../x", "https://example.test/bax1"} {
		if page := sandboxtest.Get(t, browser, "GET", root+"/gw/sandbox/scan?code="+url.QueryEscape(bad)); page.Status != 400 {
			t.Errorf("%s: %d", bad, page.Status)
		}
	}
	b.Place("WECHAT0001")
	if err := b.Scan("WECHAT0001"); err != nil || b.Query("WECHAT0001").TradeState != "NOTPAY" {
		t.Errorf("a scan of WeChat's changes it: %v", err)
	}
}
