package alipay

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	sdk "github.com/smartwalle/alipay/v3"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// MaxCallback bounds the body of a notification; Alipay's are about 2 KiB.
const MaxCallback = 64 << 10

// maxFields bounds the fields of a notification; Alipay's have about 30.
const maxFields = 256

// Read verifies one notification and translates it; an error is always a
// *payment.RefusedError that names the first check it failed: size, key,
// signature (the form included), content. Only the fields of the body count,
// and the body is decoded once. There is no freshness rule: the repeats of a
// notification come for a day, and hand delivery later still.
//
// It does not compare seller, app and amount with any payment: it does not
// know one.
func (c *Channel) Read(now time.Time, _ http.Header, body []byte) (payment.Notice, error) {
	form, err := guard(body)
	if err != nil {
		return payment.Notice{}, err
	}
	n, err := c.sdk.DecodeNotification(form)
	if err != nil {
		return payment.Notice{}, refused(payment.StageSignature, "the signature does not verify")
	}
	plain, err := fields(form)
	if err != nil {
		return payment.Notice{}, err
	}
	switch {
	case n.NotifyType != sdk.NotifyTypeTradeStatusSync:
		return payment.Notice{}, refused(payment.StageBody, "the notify_type is not a known one")
	case n.NotifyId == "":
		return payment.Notice{}, refused(payment.StageBody, "the notification has no notify_id")
	case n.AppId == "" || n.OutTradeNo == "" || n.SellerId == "":
		return payment.Notice{}, refused(payment.StageBody, "app_id, seller_id or out_trade_no is missing")
	}
	notice := payment.Notice{ID: n.NotifyId, Type: string(n.TradeStatus), PaymentNo: n.OutTradeNo, Plain: plain}
	back, err := goneBack(n)
	if err != nil {
		return payment.Notice{}, err
	}
	if back && n.TradeNo == "" {
		notice.Fact = c.hint(n)
		notice.RefundNo = notice.Fact.RefundNo
		notice.Fact = received(notice.Fact, payment.ByCallback, now)
		return notice, nil
	}
	t := trade{
		tradeNo: n.TradeNo, state: string(n.TradeStatus), total: n.TotalAmount, currency: form.Get("trans_currency"),
		paidAt: n.GmtPayment, seller: c.sellerOf(n), app: n.AppId, returned: back,
	}
	if back {
		t.back = n.RefundFee
		if n.OutBizNo != "" {
			f := received(c.hint(n), payment.ByCallback, now)
			notice.RefundNo, notice.Hint = f.RefundNo, &f
		}
	}
	if notice.Fact, err = t.fact(); err != nil {
		return payment.Notice{}, refused(payment.StageBody, err.Error())
	}
	notice.Fact = received(notice.Fact, payment.ByCallback, now)
	return notice, nil
}

// guard lets only such forms through to the library as a verification says
// something about, and only those that it can verify without a call to the outside.
func guard(body []byte) (url.Values, error) {
	if len(body) > MaxCallback {
		return nil, refused(payment.StageSize, "the body is longer than 64 KiB")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) > maxFields {
		return nil, refused(payment.StageSignature, "the body is not the form of a notification")
	}
	for name, values := range form {
		if len(values) != 1 {
			// Of two values, one might be verified and the other one used.
			return nil, refused(payment.StageSignature, "a field is given twice")
		}
		if name == "alipay_cert_sn" {
			return nil, refused(payment.StageSerial, "it is signed with a certificate, and none is configured")
		}
	}
	if form.Get("sign_type") != "RSA2" {
		return nil, refused(payment.StageSignature, "the sign_type is not RSA2")
	}
	if form.Get("sign") == "" {
		return nil, refused(payment.StageSignature, "there is no sign")
	}
	return form, nil
}

// goneBack says whether a refund caused the notification.
func goneBack(n *sdk.Notification) (bool, error) {
	if n.GmtRefund != "" {
		return true, nil
	}
	if n.RefundFee == "" {
		return false, nil
	}
	fee, err := money.ParseYuan(n.RefundFee)
	if err != nil {
		return false, refused(payment.StageBody, "refund_fee is not an amount")
	}
	return fee > 0, nil // 0.00 of a trade that was closed unpaid
}

// hint is what a notification that a refund caused says of that refund: that
// it is time to query. refund_fee is what has gone back in all, so that the
// amount of this refund is known only if it was the first, which nothing says.
func (c *Channel) hint(n *sdk.Notification) payment.Fact {
	no := n.OutBizNo
	if no == "" {
		no = n.OutTradeNo // the number of a refund that was given none
	}
	return payment.Fact{
		ID: openRefund(no), Kind: payment.Open, RefundNo: no,
		Merchant: c.sellerOf(n), App: n.AppId, Reported: string(n.TradeStatus), At: readTime(n.GmtRefund),
	}
}

// sellerOf is who was paid, if that is to be compared.
func (c *Channel) sellerOf(n *sdk.Notification) string {
	if c.seller == "" {
		return ""
	}
	return n.SellerId
}

// fields are what was signed, to be kept as evidence.
func fields(form url.Values) ([]byte, error) {
	flat := make(map[string]string, len(form))
	for name, values := range form {
		if name == "sign" || name == "sign_type" {
			continue
		}
		value, err := decoded(values[0], form.Get("charset"))
		if err != nil || !utf8.ValidString(name) {
			return nil, refused(payment.StageBody, "the fields are not in the charset that they name")
		}
		flat[name] = value
	}
	plain, err := json.Marshal(flat)
	if err != nil {
		return nil, refused(payment.StageBody, "the fields cannot be kept")
	}
	return plain, nil
}

func refused(stage payment.Stage, reason string) error {
	return &payment.RefusedError{Stage: stage, Reason: reason}
}
