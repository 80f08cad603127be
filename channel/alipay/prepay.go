package alipay

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	sdk "github.com/smartwalle/alipay/v3"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// The limits of a prepay.
const (
	maxSubject   = 256 // characters
	maxNotifyURL = 256
)

// numberShape is what Alipay takes as our number; a hyphen it does not.
var numberShape = regexp.MustCompile(`^[0-9A-Za-z_]{1,64}$`)

var errNumber = rejected("the payment number must be 1 to 64 of 0-9 A-Z a-z _")

// The products that the methods belong to. Precreate needs none.
const (
	productPage = "FAST_INSTANT_TRADE_PAY"
	productWap  = "QUICK_WAP_WAY"
	productApp  = "QUICK_MSECURITY_PAY"
)

// Prepay opens a payment: it requests a code to scan, or makes the signed URL
// or order string that opens the payment when the buyer follows it. Of the
// latter Alipay learns only then.
func (c *Channel) Prepay(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	if err := c.check(r); err != nil {
		return payment.Action{}, err
	}
	switch r.Method {
	case payment.Precreate:
		return c.precreate(ctx, r)
	case payment.Page:
		return c.redirect(sdk.TradePagePay{Trade: c.trade(r, productPage)})
	case payment.Wap:
		return c.redirect(sdk.TradeWapPay{Trade: c.trade(r, productWap), QuitURL: r.ReturnURL, TimeExpire: expiry(r)})
	case payment.App:
		return c.orderString(sdk.TradeAppPay{Trade: c.trade(r, productApp)})
	default:
		return payment.Action{}, rejected("Alipay has no method %q", r.Method)
	}
}

// check refuses what Alipay would refuse, without calling it: a request that
// can never pass must not look like one whose outcome is unknown.
func (c *Channel) check(r payment.PrepayRequest) error {
	if wrong := c.Check(r); wrong != nil {
		return rejected("%s", wrong.Message)
	}
	return nil
}

var _ payment.Checker = (*Channel)(nil)

// Check names the part of a request that Alipay would refuse.
func (c *Channel) Check(r payment.PrepayRequest) *payment.WrongFieldError {
	wrong := func(field, format string, args ...any) *payment.WrongFieldError {
		return &payment.WrongFieldError{Field: field, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case !numberShape.MatchString(r.PaymentNo):
		return wrong("", "the payment number must be 1 to 64 of 0-9 A-Z a-z _")
	case r.Amount < 1 || r.Amount > maxTotal:
		return wrong("/amount", "the amount must be 0.01 to 100000000 yuan")
	case r.Currency != defaultCurrency:
		return wrong("", "the currency must be %s", defaultCurrency)
	case r.NotifyURL == "" || len(r.NotifyURL) > maxNotifyURL:
		return wrong("", "the notify URL must have 1 to %d characters", maxNotifyURL)
	case strings.ContainsAny(r.NotifyURL, "?#"):
		return wrong("", "the notify URL must have no query")
	case r.Method == payment.Wap && r.ReturnURL == "":
		return wrong("/returnUrl", "wap needs a return URL: that is where a buyer goes who gives up")
	}
	return nil
}

// trade is what all methods send about a payment.
func (c *Channel) trade(r payment.PrepayRequest, product string) sdk.Trade {
	return sdk.Trade{
		NotifyURL: r.NotifyURL, ReturnURL: r.ReturnURL, Subject: subject(r), OutTradeNo: r.PaymentNo,
		TotalAmount: money.FormatYuan(r.Amount), ProductCode: product, SellerId: c.seller, TimeExpire: expiry(r),
	}
}

func (c *Channel) precreate(ctx context.Context, r payment.PrepayRequest) (payment.Action, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var a struct {
		OutTradeNo string `json:"out_trade_no"`
		QRCode     string `json:"qr_code"`
	}
	err := only(c.call(ctx, sdk.TradePreCreate{Trade: c.trade(r, "")}, &a), payment.ErrPaid, payment.ErrClosed)
	switch {
	case err != nil:
		return payment.Action{}, err
	case a.QRCode == "":
		return payment.Action{}, unknown(errNotProtocol)
	case a.OutTradeNo != r.PaymentNo:
		return payment.Action{}, unknown(errors.New("the answer is about another payment"))
	}
	return payment.Action{Kind: "qr_code", CodeURL: a.QRCode}, nil
}

// redirect is the page of Alipay's that the buyer is sent to.
func (c *Channel) redirect(p sdk.Param) (payment.Action, error) {
	v, err := c.values(p)
	if err != nil {
		return payment.Action{}, unknown(errors.New("the page's URL could not be signed"))
	}
	page := *c.gateway
	page.RawQuery = v.Encode()
	return payment.Action{Kind: "redirect", URL: page.String()}, nil
}

// orderString is what an app hands to Alipay's SDK.
func (c *Channel) orderString(p sdk.Param) (payment.Action, error) {
	v, err := c.values(p)
	if err != nil {
		return payment.Action{}, unknown(errors.New("the order string could not be signed"))
	}
	return payment.Action{Kind: "sdk_params", Params: map[string]string{"orderString": v.Encode()}}, nil
}

// plain replaces what Alipay does not want in a subject by what looks alike.
var plain = strings.NewReplacer("/", "／", "=", "＝", "&", "＆")

// subject is what the buyer sees. It is required, so the number stands in for
// one that is missing.
func subject(r payment.PrepayRequest) string {
	s := strings.TrimSpace(short(plain.Replace(strings.ToValidUTF8(r.Description, "?")), maxSubject))
	if s == "" {
		return r.PaymentNo
	}
	return s
}

// expiry is the last moment at which the buyer can pay. It is the only limit
// that is sent: the others count from the request on, so that a repeat would
// not be identical.
func expiry(r payment.PrepayRequest) string {
	if r.ExpiresAt.IsZero() {
		return ""
	}
	return r.ExpiresAt.In(chinaTime).Format(timeLayout)
}
