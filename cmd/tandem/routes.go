package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/checkout"
	"github.com/tandem-pay/tandem/sandbox"
	emulator "github.com/tandem-pay/tandem/sandbox/wechatpay"
	"github.com/tandem-pay/tandem/shop"
)

// routes mounts every package's endpoints on one server.
func (sv *server) routes(ctx context.Context) (http.Handler, error) {
	o := api.Options{
		App: sv.app, Auth: sv.auth, Book: sv.book, Followers: sv.outbox, Waiter: sv.hub, Warnings: sv.warnings,
		Ready:   sv.ready,
		Observe: sv.metrics.Request, Callback: sv.metrics.Callback, Draining: sv.drain, TrustProxy: sv.cfg.TrustProxy, BodyTime: limitsOf.Body,
		Document: api.DocumentPush,
		Version:  version, Log: sv.log,
	}
	if !sv.cfg.NoSandbox {
		if err := sv.openSandbox(ctx); err != nil {
			return nil, err
		}
	}
	if sv.sandbox != nil {
		o.AdvanceClock = func(_ context.Context, d time.Duration) (time.Time, error) { return sv.clock.Advance(d), nil }
	}
	mux := api.New(o)
	if !sv.cfg.NoSandbox {
		for _, pattern := range []string{"/v3/", "/gateway.do", "/pay/", "/sandbox/"} {
			mux.Handle(pattern, sv.sandboxHandler())
		}
	}
	mux.Handle("/sdk/", checkout.SDK())
	if err := sv.mountDemo(ctx, mux); err != nil {
		return nil, err
	}
	mux.Handle("/metrics", sv.metrics.Handler())
	mux.Handle("GET /v1/ws", sv.hub.WebSocket())
	mux.Handle("GET /v1/orders/{orderNo}/events", sv.hub.SSE())
	return mux, nil
}

// mountDemo serves the demo, for which anybody may order: only where the
// sandbox takes the money.
func (sv *server) mountDemo(ctx context.Context, mux *http.ServeMux) error {
	if sv.cfg.NoDemo || sv.cfg.NoSandbox {
		return nil
	}
	if err := checkout.Seed(ctx, sv.app, shop.Default); err != nil {
		return err
	}
	demo, err := checkout.New(checkout.Options{
		App: sv.app, Shop: shop.Default, PublicURL: sv.cfg.PublicURL,
		ScanURL: func(code string) string { return "/sandbox/scan?code_url=" + url.QueryEscape(code) },
	})
	if err != nil {
		return fmt.Errorf("--public-url: %w", err)
	}
	mux.Handle("/demo", demo)
	mux.Handle("/demo/", demo)
	mux.Handle("GET /{$}", http.RedirectHandler("/demo", http.StatusFound))
	sv.demo = true
	return nil
}

// sandboxSettings are the settings of the channels at the sandbox, by name.
func sandboxSettings(keys *sandbox.Keys, baseURL string) map[string]json.RawMessage {
	ali := keys.Alipay.Merchant()
	raw, err := json.Marshal(map[string]any{
		"kind": "alipay", "appId": ali.AppID, "sellerId": ali.SellerID, "appPrivateKey": ali.AppPrivateKeyPEM,
		"alipayPublicKey": ali.AlipayPublicKey, "gatewayUrl": baseURL + "/gateway.do",
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return map[string]json.RawMessage{"wechatpay": wechatSettings(keys.WechatPay.Merchant(), baseURL), "alipay": raw}
}

func wechatSettings(m emulator.Merchant, baseURL string) json.RawMessage {
	type key struct {
		Serial string `json:"serial"`
		PEM    string `json:"pem"`
	}
	var keys []key
	for _, k := range m.PlatformKeys {
		keys = append(keys, key{k.Serial, k.PEM})
	}
	raw, err := json.Marshal(map[string]any{
		"kind": "wechatpay", "mchId": m.MchID, "appId": m.AppID, "merchantSerial": m.MerchantSerial,
		"merchantPrivateKey": m.MerchantPrivateKeyPEM, "apiV3Key": m.APIv3Key, "platformKeys": keys, "baseUrl": baseURL,
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return raw
}

// ready says why the server should get no requests.
func (sv *server) ready(ctx context.Context) error {
	if sv.leaving.Load() {
		return errors.New("it is shutting down")
	}
	_, err := sv.db.Shops(ctx)
	return err
}
