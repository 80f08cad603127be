package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

const introduction = `Orders and payments: price a cart, place the order, take the money over
WeChat Pay or Alipay, and get events about all that happens afterwards.

**Amounts** are integers of minor units (fen): 8888 is ¥88.88. **Times** are RFC 3339 in UTC.
Unknown fields and query parameters are refused.

**Keys.** A secret key (` + "`sk_…`" + `) reaches all of its shop and stays on your server. A client
token (` + "`ct_…`" + `, on the order that was just placed) reaches that one order and may go to a browser.

**Idempotency.** Send an ` + "`Idempotency-Key`" + ` with each POST: one key for one intent. A repeat with
the same key and body gets the first answer again, with ` + "`Idempotent-Replayed: true`" + `; the same
key with another body is refused with ` + "`idempotency_key_reused`" + `. Placing an order, opening a
payment and requesting a refund require it.

**Errors** are RFC 9457 problems. Branch on ` + "`code`" + `; show ` + "`detail`" + ` to a developer; name
the ` + "`traceId`" + ` when you report a problem. After 429 and 503 wait as long as ` + "`Retry-After`" + ` says, then repeat
with the same key.

**Lists** take ` + "`limit`" + ` and ` + "`cursor`" + ` and answer ` + "`items`" + ` and, unless it was the last page,
` + "`nextCursor`" + `. **Single reads** carry an ` + "`ETag`" + `.`

var tags = []*huma.Tag{
	{Name: "Quotes", Description: "试算: what a cart would cost now, and why."},
	{Name: "Orders", Description: "订单: the price is frozen when it is placed; coupons are locked and stock is reserved with it."},
	{Name: "Payments", Description: "支付单: an order has one or many."},
	{
		Name:        "Refunds",
		Description: "退款单: money that goes back to the buyer. One refund takes from one or many payments of its order; a part that the channel cannot finish waits for a person.",
	},
	{Name: "Skus", Description: "What can be sold, and how much of it is left."},
	{Name: "Users", Description: "What pricing knows of a buyer. A user who was never stored has no level and no tags."},
	{Name: "Promotions", Description: "营销活动: rules that apply without a code."},
	{Name: "Coupons", Description: "优惠券: templates, and the codes issued from them."},
	{Name: "Events", Description: "What has happened, from any position on."},
	{Name: "Channels", Description: "支付渠道: how the shop takes money."},
	{Name: "Shop", Description: "商户: its policies, where there is more than one right outcome."},
	{
		Name:        "Reconciliation",
		Description: "对账: each day of a channel's bill against our books. What the bill proves is settled; the rest waits for a person.",
	},
	{Name: "Operations", Description: "For operators."},
}

// schemaNames replace names that are not clear by themselves.
var schemaNames = map[string]string{
	"Template": "CouponTemplate", "QuoteLine": "OrderItem", "Applied": "AppliedDiscount", "Skipped": "SkippedDiscount",
	"Share": "LineAmount", "QuoteBody": "Cart",
}

// aliases are types of the business that are documented as types of this
// package.
var aliases = map[reflect.Type]reflect.Type{
	reflect.TypeFor[money.Percent]():  reflect.TypeFor[percent](),
	reflect.TypeFor[payment.Action](): reflect.TypeFor[action](),
}

// percent is how money.Percent is documented and checked.
type percent struct{}

// Schema is a number: money.Percent reads and writes one.
func (percent) Schema(huma.Registry) *huma.Schema {
	low, high := 0.0, 100.0
	return &huma.Schema{
		Type:        huma.TypeNumber,
		Minimum:     &low,
		Maximum:     &high,
		Description: "Percent, with at most two decimals",
		Examples:    []any{12.5},
	}
}

// action documents payment.Action.
type action struct {
	Kind    string            `json:"kind" enum:"qr_code,redirect,sdk_params" doc:"What the buyer's device must do: show a QR code, open a page, or call the channel's SDK"`
	CodeURL string            `json:"codeUrl,omitempty" example:"weixin://wxpay/bizpayurl?pr=p4lpSuKzz" doc:"qr_code: the text of the code"`
	URL     string            `json:"url,omitempty" doc:"redirect: where to"`
	Params  map[string]string `json:"params,omitempty" doc:"sdk_params: what the SDK takes"`
}
