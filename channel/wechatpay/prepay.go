package wechatpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/app"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/h5"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// The limits of a prepay.
const (
	maxDescription = 127 // characters
	maxNotifyURL   = 255
)

var numberShape = regexp.MustCompile(`^[0-9A-Za-z_\-|*]{6,32}$`)

// chinaTime is the zone that WeChat Pay writes and shows times in.
var chinaTime = time.FixedZone("+08:00", 8*60*60)

// Prepay opens a payment.
func (c *Channel) Prepay(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	if err := c.check(r); err != nil {
		return payment.Action{}, err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	switch r.Method {
	case payment.Native:
		return c.prepayNative(ctx, r)
	case payment.JSAPI:
		return c.prepayJSAPI(ctx, r)
	case payment.H5:
		return c.prepayH5(ctx, r)
	case payment.App:
		return c.prepayApp(ctx, r)
	default:
		return payment.Action{}, rejected("WeChat Pay has no method %q", r.Method)
	}
}

// check refuses what WeChat Pay would refuse, without calling it: a request
// that can never pass must not look like one whose outcome is unknown.
func (c *Channel) check(r payment.PrepayRequest) error {
	if wrong := c.Check(r); wrong != nil {
		return rejected("%s", wrong.Message)
	}
	return nil
}

var _ payment.Checker = (*Channel)(nil)

// Check names the part of a request that WeChat Pay would refuse.
func (c *Channel) Check(r payment.PrepayRequest) *payment.WrongFieldError {
	wrong := func(field, format string, args ...any) *payment.WrongFieldError {
		return &payment.WrongFieldError{Field: field, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case !numberShape.MatchString(r.PaymentNo):
		return wrong("", "the payment number must be 6 to 32 of 0-9 A-Z a-z _ - | *")
	case r.Amount < 1 || r.Amount > money.Max:
		return wrong("/amount", "the amount must be at least 1 fen")
	case r.Currency != defaultCurrency:
		return wrong("", "the currency must be %s", defaultCurrency)
	case r.NotifyURL == "" || len(r.NotifyURL) > maxNotifyURL:
		return wrong("", "the notify URL must have 1 to %d characters", maxNotifyURL)
	case strings.ContainsAny(r.NotifyURL, "?#"):
		return wrong("", "the notify URL must have no query")
	case r.Method == payment.JSAPI && r.OpenID == "":
		return wrong("/payer/openId", "JSAPI needs the payer's open id")
	case r.Method == payment.H5 && r.ClientIP == "":
		return wrong("/payer/clientIp", "H5 needs the payer's IP address")
	}
	return nil
}

func (c *Channel) prepayNative(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	s := native.NativeApiService{Client: c.client}
	resp, result, err := s.Prepay(ctx, native.PrepayRequest{
		Appid: &c.merchant.appID, Mchid: &c.merchant.mchID, Description: description(r),
		OutTradeNo: &r.PaymentNo, TimeExpire: expiry(r), NotifyUrl: &r.NotifyURL,
		Amount: &native.Amount{Total: &r.Amount, Currency: &r.Currency},
	})
	if err := outcome(result, err, http.StatusOK, nil); err != nil {
		return payment.Action{}, err
	}
	codeURL, err := given(resp.CodeUrl)
	if err != nil {
		return payment.Action{}, err
	}
	return payment.Action{Kind: "qr_code", CodeURL: codeURL}, nil
}

func (c *Channel) prepayJSAPI(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	s := jsapi.JsapiApiService{Client: c.client}
	resp, result, err := s.Prepay(ctx, jsapi.PrepayRequest{
		Appid: &c.merchant.appID, Mchid: &c.merchant.mchID, Description: description(r),
		OutTradeNo: &r.PaymentNo, TimeExpire: expiry(r), NotifyUrl: &r.NotifyURL,
		Amount: &jsapi.Amount{Total: &r.Amount, Currency: &r.Currency},
		Payer:  &jsapi.Payer{Openid: &r.OpenID},
	})
	if err := outcome(result, err, http.StatusOK, nil); err != nil {
		return payment.Action{}, err
	}
	return c.params(resp.PrepayId, c.merchant.jsapiParams)
}

func (c *Channel) prepayApp(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	s := app.AppApiService{Client: c.client}
	resp, result, err := s.Prepay(ctx, app.PrepayRequest{
		Appid: &c.merchant.appID, Mchid: &c.merchant.mchID, Description: description(r),
		OutTradeNo: &r.PaymentNo, TimeExpire: expiry(r), NotifyUrl: &r.NotifyURL,
		Amount: &app.Amount{Total: &r.Amount, Currency: &r.Currency},
	})
	if err := outcome(result, err, http.StatusOK, nil); err != nil {
		return payment.Action{}, err
	}
	return c.params(resp.PrepayId, c.merchant.appParams)
}

func (c *Channel) prepayH5(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	s := h5.H5ApiService{Client: c.client}
	info := &h5.H5Info{Type: core.String("Wap")}
	if c.appName != "" {
		info.AppName = &c.appName
	}
	resp, result, err := s.Prepay(ctx, h5.PrepayRequest{
		Appid: &c.merchant.appID, Mchid: &c.merchant.mchID, Description: description(r),
		OutTradeNo: &r.PaymentNo, TimeExpire: expiry(r), NotifyUrl: &r.NotifyURL,
		Amount:    &h5.Amount{Total: &r.Amount, Currency: &r.Currency},
		SceneInfo: &h5.SceneInfo{PayerClientIp: &r.ClientIP, H5Info: info},
	})
	if err := outcome(result, err, http.StatusOK, nil); err != nil {
		return payment.Action{}, err
	}
	page, err := given(resp.H5Url)
	if err != nil {
		return payment.Action{}, err
	}
	if page, err = withReturn(page, r.ReturnURL); err != nil {
		return payment.Action{}, err
	}
	return payment.Action{Kind: "redirect", URL: page}, nil
}

// withReturn says to WeChat Pay's page where to send the buyer afterwards.
func withReturn(page, back string) (string, error) {
	u, err := url.Parse(page)
	if err != nil {
		return "", unknown(errNotProtocol)
	}
	if back == "" {
		return page, nil
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += redirectParam + "=" + url.QueryEscape(back)
	return u.String(), nil
}

// params signs the parameters that the buyer's client pays with.
func (c *Channel) params(
	prepayID *string, sign func(time.Time, string, string) (map[string]string, error),
) (payment.Action, error) {
	id, err := given(prepayID)
	if err != nil {
		return payment.Action{}, err
	}
	p, err := sign(c.now(), c.nonce(), id)
	if err != nil {
		return payment.Action{}, unknown(errors.New("the client's parameters could not be signed"))
	}
	return payment.Action{Kind: "sdk_params", Params: p}, nil
}

// given is the member that an answer exists for.
func given(s *string) (string, error) {
	if s == nil || *s == "" {
		return "", unknown(errNotProtocol)
	}
	return *s, nil
}

func description(r payment.PrepayRequest) *string {
	s := firstRunes(strings.ToValidUTF8(r.Description, "?"), maxDescription)
	return &s
}

// expiry is the last moment at which the buyer can pay. It does not close the
// payment: that takes a Close.
func expiry(r payment.PrepayRequest) *time.Time {
	if r.ExpiresAt.IsZero() {
		return nil
	}
	t := r.ExpiresAt.In(chinaTime)
	return &t
}
