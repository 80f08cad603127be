package wechatpay

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"unicode/utf8"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/consts"

	"github.com/tandem-pay/tandem/payment"
)

var (
	_ payment.AbnormalRefunder = (*Channel)(nil)

	refundIDShape = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)
	bankShape     = regexp.MustCompile(`^[0-9A-Z_]{1,32}$`)
	cardShape     = regexp.MustCompile(`^[0-9]{8,32}$`)
)

// maxHolder is how many bytes of a holder's name fit into one encryption.
const maxHolder = 190

// FinishRefund sends a refund that is stuck with the buyer's account to a bank
// card. Number and name of the buyer's card are encrypted with WeChat Pay's
// key before they leave; they are in no error and no log.
func (c *Channel) FinishRefund(ctx context.Context, r payment.AbnormalRefund) (payment.Fact, error) {
	if err := checkAbnormal(r); err != nil {
		return payment.Fact{}, err
	}
	// The key that encrypts is the one that the request names.
	serial, key := c.keys.accepted(c.now())
	body := abnormalBody{OutRefundNo: r.RefundNo, Type: "MERCHANT_BANK_CARD"}
	if !r.ToMerchant {
		body.Type, body.BankType = "USER_BANK_CARD", r.Bank
		for _, secret := range []struct {
			plain string
			into  *string
		}{{r.Account, &body.BankAccount}, {r.Name, &body.RealName}} {
			sealed, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte(secret.plain), nil)
			if err != nil {
				return payment.Fact{}, rejected("the card could not be encrypted")
			}
			*secret.into = base64.StdEncoding.EncodeToString(sealed)
		}
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	named := *c.validator
	named.accept = serial
	result, err := core.NewClientWithValidator(c.client, &named).Request(ctx, http.MethodPost,
		consts.WechatPayAPIServer+"/v3/refund/domestic/refunds/"+url.PathEscape(r.RefundID)+"/apply-abnormal-refund",
		nil, nil, body, consts.ApplicationJSON)
	return c.refundAnswer(result, err, refundMeans, r.RefundNo, "", payment.ByRefund)
}

// abnormalBody is the request.
type abnormalBody struct {
	OutRefundNo string `json:"out_refund_no"`
	Type        string `json:"type"`
	BankType    string `json:"bank_type,omitempty"`
	BankAccount string `json:"bank_account,omitempty"` // encrypted
	RealName    string `json:"real_name,omitempty"`    // encrypted
}

func checkAbnormal(r payment.AbnormalRefund) error {
	switch {
	case !refundShape.MatchString(r.RefundNo):
		return rejected(refundShapeRule)
	case !refundIDShape.MatchString(r.RefundID):
		return rejected("the channel's number of the refund must be 1 to 32 letters and digits")
	case r.ToMerchant && (r.Bank != "" || r.Account != "" || r.Name != ""):
		return rejected("a refund to the merchant names no card")
	case r.ToMerchant:
		return nil
	case !bankShape.MatchString(r.Bank):
		return rejected("the bank must be a code like ICBC_DEBIT")
	case !cardShape.MatchString(r.Account):
		return rejected("the card's number must be 8 to 32 digits")
	case r.Name == "" || len(r.Name) > maxHolder || !utf8.ValidString(r.Name):
		return rejected("the holder's name must have 1 to %d bytes", maxHolder)
	}
	return nil
}
