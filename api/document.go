package api

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/swaggest/swgui/v5emb"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

const (
	secretScheme = "secretKey"
	clientScheme = "clientToken"
)

const introduction = `Orders and payments: price a cart, place the order, take the money over
WeChat Pay or Alipay, and let what follows follow.

**Amounts** are integers of minor units (fen): 8888 is ¥88.88. **Times** are RFC 3339 in UTC.
Unknown fields and query parameters are refused.

**Keys.** A secret key (` + "`sk_…`" + `) reaches all of its shop and stays on your server. A client
token (` + "`ct_…`" + `, on the order that was just placed) reaches that one order and may go to a browser.

**Idempotency.** Send an ` + "`Idempotency-Key`" + ` with each POST: one key for one intent. A repeat with
the same key and body is answered as the first was, with ` + "`Idempotent-Replayed: true`" + `; the same
key with another body is refused with ` + "`idempotency_key_reused`" + `. Placing an order, opening a
payment and asking for a refund require it.

**Errors** are RFC 9457 problems. Branch on ` + "`code`" + `; show ` + "`detail`" + ` to a developer; quote
` + "`traceId`" + ` when you ask. After 429 and 503 wait as long as ` + "`Retry-After`" + ` says, then repeat
with the same key.

**Lists** take ` + "`limit`" + ` and ` + "`cursor`" + ` and answer ` + "`items`" + ` and, unless it was the last page,
` + "`nextCursor`" + `. **Single reads** carry an ` + "`ETag`" + `.`

var tags = []*huma.Tag{
	{Name: "Quotes", Description: "试算: what a cart would cost now, and why."},
	{Name: "Orders", Description: "订单: the price is frozen when it is placed; coupons are locked and stock is reserved with it."},
	{Name: "Payments", Description: "支付单: an order has one or many."},
	{Name: "Refunds", Description: "退款单: money on its way back. One refund takes from one or many payments of its order; a part that the channel cannot finish waits for a person."},
	{Name: "Skus", Description: "What can be sold, and how much of it is left."},
	{Name: "Users", Description: "What pricing may know of a buyer. Users that were never put are plain users."},
	{Name: "Promotions", Description: "营销活动: rules that apply without a code."},
	{Name: "Coupons", Description: "优惠券: templates, and the codes issued from them."},
	{Name: "Events", Description: "What happened, from any point on."},
	{Name: "Channels", Description: "支付渠道: how the shop takes money."},
	{Name: "Shop", Description: "商户: what it decides where more than one ending is right."},
	{Name: "Reconciliation", Description: "对账: each day of a channel's bill against our books. What the bill's own facts heal is healed; the rest waits for a person."},
	{Name: "Operations", Description: "For operators."},
}

// config is huma without its extras: no $schema links in answers, no other
// formats, no pages from elsewhere.
func config(version string) huma.Config {
	schemas := huma.NewMapRegistry("#/components/schemas/", schemaName)
	schemas.RegisterTypeAlias(reflect.TypeFor[money.Percent](), reflect.TypeFor[percent]())
	schemas.RegisterTypeAlias(reflect.TypeFor[payment.Action](), reflect.TypeFor[action]())
	json := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Tandem", Version: version, Description: introduction},
			Tags:    tags,
			Components: &huma.Components{
				Schemas:   schemas,
				Responses: map[string]*huma.Response{},
				SecuritySchemes: map[string]*huma.SecurityScheme{
					secretScheme: {Type: "http", Scheme: "bearer", BearerFormat: "sk_…", Description: "A secret key of the shop"},
					clientScheme: {Type: "http", Scheme: "bearer", BearerFormat: "ct_…", Description: "The clientToken of one order"},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": json, "json": json},
		DefaultFormat: "application/json",
	}
}

// schemaNames are those that would say too little by themselves.
var schemaNames = map[string]string{
	"Template": "CouponTemplate", "Field": "ProblemField", "QuoteLine": "OrderItem",
	"Applied": "AppliedDiscount", "Skipped": "SkippedDiscount", "Share": "LineAmount", "QuoteBody": "Cart",
}

// schemaName names a schema after its Go type: orderView is Order, CartBody
// is Cart.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if better, ok := schemaNames[name]; ok {
		return better
	}
	if inner, ok := strings.CutPrefix(name, "List"); ok && inner != "" {
		inner = strings.TrimSuffix(inner, "View")
		if better, ok := schemaNames[inner]; ok {
			inner = better
		}
		return inner + "List"
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, "View"), "Body")
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// percent is how money.Percent is documented and checked.
type percent struct{}

// Schema is a number: money.Percent reads and writes one.
func (percent) Schema(huma.Registry) *huma.Schema {
	low, high := 0.0, 100.0
	return &huma.Schema{Type: huma.TypeNumber, Minimum: &low, Maximum: &high, Description: "Percent, with at most two decimals", Examples: []any{12.5}}
}

// action documents payment.Action.
type action struct {
	Kind    string            `json:"kind" enum:"qr_code,redirect,sdk_params" doc:"What the buyer's device must do: show a QR code, open a page, or call the channel's SDK"`
	CodeURL string            `json:"codeUrl,omitempty" example:"weixin://wxpay/bizpayurl?pr=p4lpSuKzz" doc:"qr_code: the text of the code"`
	URL     string            `json:"url,omitempty" doc:"redirect: where to"`
	Params  map[string]string `json:"params,omitempty" doc:"sdk_params: what the SDK takes"`
}

// mountDocs freezes the document and shows it. The pages of /docs are in the
// binary.
func (s *server) mountDocs() {
	if s.Document != nil {
		s.Document(s.api.OpenAPI())
	}
	document, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		panic(fmt.Errorf("the OpenAPI document: %w", err)) // it is made of our own types: a defect
	}
	h := fnv.New64a()
	_, _ = h.Write(document) // never fails
	etag := fmt.Sprintf(`"%x"`, h.Sum64())
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		if (IfNoneMatch{r.Header.Get("If-None-Match")}).matches(etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document) // nobody is there to be told
	})
	docs := v5emb.New("Tandem", "/openapi.json", "/docs/")
	s.mux.Handle("GET /docs", docs)
	s.mux.Handle("GET /docs/", docs)
	s.mux.HandleFunc("GET /problems/{code}", explain)
}
