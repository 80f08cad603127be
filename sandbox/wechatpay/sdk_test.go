package wechatpay_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/certificates"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/app"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/h5"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
)

func s(v string) *string { return &v }
func i(v int64) *int64   { return &v }

func apiCode(err error) string {
	if e := new(core.APIError); errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Every endpoint by the official SDK, under both kinds of platform key.
func TestOfficialSDK(t *testing.T) {
	k := testKeys()
	for _, serial := range []string{k.PlatformSerial, k.PublicKeyID} {
		t.Run(serial[:6], func(t *testing.T) {
			b := newBench(t, func(o *sandbox.Options) { o.PublicURL = "https://pay.example.test/gw/" })
			c := b.SDK(serial)
			expire := time.Now().Add(15 * time.Minute)

			nativeService := native.NativeApiService{Client: c}
			prepay := native.PrepayRequest{
				Appid: &k.AppID, Mchid: &k.MchID, Description: s("茶 & <cup>"), OutTradeNo: s("SDK|NATIVE*1"), TimeExpire: &expire,
				NotifyUrl: s("https://shop.example.test/n"), Amount: &native.Amount{Total: i(888), Currency: s("CNY")},
				Attach: s("a=1"), GoodsTag: s("WXG"), LimitPay: []string{"no_balance"}, SupportFapiao: core.Bool(false),
				Detail:     &native.Detail{CostPrice: i(888), GoodsDetail: []native.GoodsDetail{{MerchantGoodsId: s("1"), Quantity: i(1), UnitPrice: i(888)}}},
				SceneInfo:  &native.SceneInfo{PayerClientIp: s("127.0.0.1"), StoreInfo: &native.StoreInfo{Id: s("1")}},
				SettleInfo: &native.SettleInfo{ProfitSharing: core.Bool(false)},
			}
			first, result, err := nativeService.Prepay(ctx, prepay)
			if err != nil || !strings.HasPrefix(*first.CodeUrl, "weixin://wxpay/bizpayurl?pr=") {
				t.Fatalf("native prepay: %v %v", first, err)
			}
			if got := result.Response.Header.Get("Wechatpay-Serial"); got != serial {
				t.Errorf("answered with key %q", got)
			}
			again, _, err := nativeService.Prepay(ctx, prepay)
			if err != nil || *again.CodeUrl != *first.CodeUrl {
				t.Errorf("the same prepay again: %v %v", again, err)
			}
			open, _, err := nativeService.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{OutTradeNo: prepay.OutTradeNo, Mchid: &k.MchID})
			if err != nil || *open.TradeState != "NOTPAY" || open.TransactionId != nil || *open.Amount.Total != 888 {
				t.Errorf("query before payment: %v %v", open, err)
			}
			if err := b.Pay(*prepay.OutTradeNo); err != nil {
				t.Fatal(err)
			}
			paid, _, err := nativeService.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{OutTradeNo: prepay.OutTradeNo, Mchid: &k.MchID})
			if err != nil || *paid.TradeState != "SUCCESS" || *paid.TradeType != "NATIVE" || *paid.Amount.PayerTotal != 888 || *paid.Attach != "a=1" {
				t.Fatalf("query after payment: %v %v", paid, err)
			}
			byID, _, err := nativeService.QueryOrderById(ctx, native.QueryOrderByIdRequest{TransactionId: paid.TransactionId, Mchid: &k.MchID})
			if err != nil || *byID.OutTradeNo != "SDK|NATIVE*1" {
				t.Errorf("query by transaction id: %v %v", byID, err)
			}
			if _, err := nativeService.CloseOrder(ctx, native.CloseOrderRequest{OutTradeNo: prepay.OutTradeNo, Mchid: &k.MchID}); apiCode(err) != "ORDERPAID" {
				t.Errorf("close of a paid trade: %v", err)
			}

			jsapiService := jsapi.JsapiApiService{Client: c}
			js, _, err := jsapiService.PrepayWithRequestPayment(ctx, jsapi.PrepayRequest{
				Appid: &k.AppID, Mchid: &k.MchID, Description: s("x"), OutTradeNo: s("SDKJSAPI1"), NotifyUrl: s("https://shop.example.test/n"),
				Amount: &jsapi.Amount{Total: i(1)}, Payer: &jsapi.Payer{Openid: s("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")},
			})
			if err != nil || !strings.HasPrefix(*js.PrepayId, "wx") || *js.Package != "prepay_id="+*js.PrepayId {
				t.Fatalf("jsapi prepay: %v %v", js, err)
			}
			if err := b.Pay("SDKJSAPI1"); err != nil {
				t.Fatal(err)
			}
			if tx := b.Query("SDKJSAPI1"); tx.Payer.OpenID != "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" || tx.TradeType != "JSAPI" {
				t.Errorf("jsapi transaction: %+v", tx)
			}

			appService := app.AppApiService{Client: c}
			ap, _, err := appService.PrepayWithRequestPayment(ctx, app.PrepayRequest{
				Appid: &k.AppID, Mchid: &k.MchID, Description: s("x"), OutTradeNo: s("SDKAPP001"), NotifyUrl: s("https://shop.example.test/n"),
				Amount: &app.Amount{Total: i(1)},
			})
			if err != nil || *ap.PartnerId != k.MchID {
				t.Fatalf("app prepay: %v %v", ap, err)
			}
			result, err = appService.CloseOrder(ctx, app.CloseOrderRequest{OutTradeNo: s("SDKAPP001"), Mchid: &k.MchID})
			if err != nil || result.Response.StatusCode != http.StatusNoContent {
				t.Errorf("close: %v", err) // the SDK has verified the empty answer
			}

			h5Service := h5.H5ApiService{Client: c}
			h, _, err := h5Service.Prepay(ctx, h5.PrepayRequest{
				Appid: &k.AppID, Mchid: &k.MchID, Description: s("x"), OutTradeNo: s("SDKH50001"), NotifyUrl: s("https://shop.example.test/n"),
				Amount: &h5.Amount{Total: i(1)}, SceneInfo: &h5.SceneInfo{PayerClientIp: s("10.0.0.1"), H5Info: &h5.H5Info{Type: s("Wap")}},
			})
			if err != nil || !strings.HasPrefix(*h.H5Url, "https://pay.example.test/gw/pay/") || !strings.Contains(*h.H5Url, "?prepay_id=wx") {
				t.Fatalf("h5 prepay: %v %v", h, err)
			}

			certService := certificates.CertificatesApiService{Client: c}
			list, _, err := certService.DownloadCertificates(ctx)
			if err != nil || len(list.Data) != 1 {
				t.Fatalf("certificates: %v %v", list, err)
			}
			e := list.Data[0].EncryptCertificate
			text, err := utils.DecryptAES256GCM(k.APIv3Key, *e.AssociatedData, *e.Nonce, *e.Ciphertext)
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode([]byte(text))
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil || utils.GetCertificateSerialNumber(*cert) != k.PlatformSerial || *list.Data[0].SerialNo != k.PlatformSerial {
				t.Errorf("certificate %v: %v", list.Data[0].SerialNo, err)
			}
		})
	}
}

// A gateway with keys of its own making serves a shop that is configured with
// nothing but Merchant().
func TestGeneratedKeysServeTheSDK(t *testing.T) {
	keys, err := sandbox.GenerateKeys(nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *sandbox.Options) { o.Keys = keys })
	m := b.Keys.Merchant()
	if len(m.PlatformKeys[0].Serial) != 40 || !strings.HasPrefix(m.PlatformKeys[1].Serial, "PUB_KEY_ID_") {
		t.Fatalf("platform keys %q %q", m.PlatformKeys[0].Serial, m.PlatformKeys[1].Serial)
	}
	if _, err := utils.LoadPrivateKey(m.MerchantPrivateKeyPEM); err != nil {
		t.Error(err)
	}
	if _, err := utils.LoadPublicKey(m.PlatformKeys[1].PEM); err != nil {
		t.Error(err)
	}
	cert, err := utils.LoadCertificate(m.PlatformKeys[0].PEM)
	if err != nil || utils.GetCertificateSerialNumber(*cert) != m.PlatformKeys[0].Serial {
		t.Errorf("certificate: %v", err)
	}
	service := native.NativeApiService{Client: b.SDK(b.Keys.PlatformSerial)}
	_, _, err = service.Prepay(ctx, native.PrepayRequest{
		Appid: &m.AppID, Mchid: &m.MchID, Description: s("x"), OutTradeNo: s("GENERATED1"), NotifyUrl: s("http://127.0.0.1:1/n"),
		Amount: &native.Amount{Total: i(1)},
	})
	if err != nil {
		t.Error(err)
	}
}

// The raw answers: what is signed is exactly what is sent.
func TestAnswersAreSignedByTheKeyAskedFor(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ ask, want string }{
		{"", b.Keys.PlatformSerial},
		{"SOMETHING ELSE", b.Keys.PlatformSerial},
		{b.Keys.PlatformSerial, b.Keys.PlatformSerial},
		{b.Keys.PublicKeyID, b.Keys.PublicKeyID},
	} {
		rec := b.Send("GET", "/v3/certificates", nil, func(r *http.Request) { r.Header.Set("Wechatpay-Serial", c.ask) })
		serial, err := sandboxtest.VerifiesWith(rec.Header(), rec.Body.Bytes())
		if err != nil || serial != c.want {
			t.Errorf("asked for %q: signed by %q, %v", c.ask, serial, err)
		}
	}
	rec := b.Send("GET", "/v3/pay/transactions/out-trade-no/UNKNOWN1?mchid="+b.Keys.MchID, nil)
	if rec.Header().Get("Wechatpay-Signature") != "" {
		t.Error("an error is signed")
	}
	body, _ := io.ReadAll(rec.Body)
	if !strings.HasPrefix(string(body), `{"code":"ORDER_NOT_EXIST","message":`) {
		t.Errorf("error body %s", body)
	}
}
