package api_test

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/api/rest"
)

type refusal struct {
	Type    string
	Title   string
	Status  int
	Detail  string
	Code    string
	TraceID string
	Errors  []struct{ Pointer, Message string }
}

// TestRefusals: one line, one case. In call, body and headers {order},
// {payment} and {token} are an order of ours that is open, its payment, and
// its client token; {other…} are another order's of our shop; {theirs…} are
// of another shop. Nothing changes by any of them, and each is a problem
// whose status and code the document lists. An empty pointer means that no
// field is named.
func TestRefusals(t *testing.T) {
	h := open(t)
	h.stock()
	names := []string{}
	known := func(name string, made map[string]any, members ...string) {
		for _, m := range members {
			names = append(names, "{"+name+m+"}", made[m].(string))
		}
	}
	order := func(name string, headers ...string) {
		o := h.must("POST /v1/orders", oneTea, headers...)
		known(name, o, "orderNo", "clientToken")
	}
	order("", "Idempotency-Key: used")
	order("other ")
	fill := func(s string) string { return strings.NewReplacer(names...).Replace(s) }
	known("", h.must(fill("POST /v1/orders/{orderNo}/payments"), `{"channel":"gate","method":"native"}`, "Idempotency-Key: used-too"), "paymentNo")
	h.must("PUT /v1/skus/tea", `{"name":"tea","price":1,"stock":9}`, "Authorization: Bearer "+theirKey)
	order("their ", "Authorization: Bearer "+theirKey)
	closed := h.must("POST /v1/orders", oneTea)
	known("closed ", h.must("POST /v1/orders/"+closed["orderNo"].(string)+"/cancel", ""), "orderNo")
	h.must("PUT /v1/skus/free", `{"name":"free","price":0,"stock":9}`)
	paid := h.must("POST /v1/orders", `{"userId":"u1","items":[{"sku":"free","quantity":1}]}`)
	known("paid ", paid, "orderNo")

	cart := func(items string) string { return `{"userId":"u1","items":` + items + `}` }
	parts := h.must("POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"instalments":[{"amount":888},{"amount":8000}]}`)
	known("parts ", parts, "orderNo")
	bought := h.must("POST /v1/orders", oneTea)
	known("bought ", bought, "orderNo", "clientToken")
	h.pay(bought["orderNo"].(string), 0)
	known("done ", h.must(fill("POST /v1/orders/{bought orderNo}/refunds"), `{"amount":100}`, "Idempotency-Key: refunded"), "refundNo")
	h.refunds()
	known("", h.must(fill("POST /v1/orders/{bought orderNo}/refunds"), `{"amount":100}`), "refundNo")
	twice := h.must("POST /v1/orders", cart(`[{"sku":"tea","quantity":2}]`))
	known("twice ", twice, "orderNo")
	h.pay(twice["orderNo"].(string), 0)
	known("", h.differ(), "open", "resolved", "date")

	const (
		anonymous = "Authorization: "
		client    = "Authorization: Bearer {clientToken}"
		noKey     = "Idempotency-Key: "
	)
	long := strings.Repeat("x", 300)
	lines := make([]string, 201)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"sku":"s%d","quantity":1}`, i)
	}
	quoteWith := func(codes string) string {
		return `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"couponCodes":` + codes + `}`
	}
	inParts := func(parts string) string {
		return `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"instalments":` + parts + `}`
	}
	theirs := "Authorization: Bearer " + theirKey

	h.refuses(t, fill, []refusalCase{
		// The form of the body, on the two paths that carry the load.
		{"no body", "POST /v1/quotes", ``, "", 400, "validation_failed", ""},
		{"not JSON", "POST /v1/quotes", `{"userId"`, "", 400, "validation_failed", ""},
		{"half of a body", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea"`, "", 400, "validation_failed", ""},
		{"two bodies", "POST /v1/quotes", oneTea + oneTea, "", 400, "validation_failed", ""},
		{"null", "POST /v1/quotes", `null`, "", 400, "validation_failed", ""},
		{"a list", "POST /v1/quotes", `[]`, "", 400, "validation_failed", ""},
		{"a string", "POST /v1/orders", `"order"`, "", 400, "validation_failed", ""},
		{"nested without end", "POST /v1/quotes", strings.Repeat(`[`, 100_000), "", 400, "validation_failed", ""},
		{"not UTF-8", "POST /v1/quotes", "{\"userId\":\"\xff\xfe\",\"items\":[{\"sku\":\"tea\",\"quantity\":1}]}", "", 400, "validation_failed", ""},
		{"not UTF-8 in what is only kept", "POST /v1/orders", "{\"userId\":\"u1\",\"items\":[{\"sku\":\"tea\",\"quantity\":1}],\"metadata\":{\"a\":\"\xff\"}}", "", 400, "validation_failed", ""},
		{"U+0000", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"metadata":{"a":"\u0000"}}`, "", 400, "validation_failed", ""},
		{"over 1 MiB", "POST /v1/quotes", strings.Repeat(" ", rest.MaxBody) + oneTea, "", 413, "body_too_large", ""},
		{"over 1 MiB, order", "POST /v1/orders", strings.Repeat(" ", rest.MaxBody+1), "", 413, "body_too_large", ""},
		{"a form", "POST /v1/quotes", oneTea, "Content-Type: application/x-www-form-urlencoded", 415, "unsupported_media_type", ""},
		{"a nonsense content type", "POST /v1/quotes", oneTea, "Content-Type: ;;", 415, "unsupported_media_type", ""},

		{"half a million mistakes", "POST /v1/orders", cart("[" + strings.Repeat("1,", rest.MaxBody/2-100) + "1]"), "", 400, "validation_failed", "/items"},

		// Unknown fields.
		{"unknown field", "POST /v1/quotes", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"color":1}`, "", 400, "unknown_field", "/color"},
		{"unknown in an item", "POST /v1/orders", cart(`[{"sku":"tea","quantity":1},{"sku":"tea","quantity":1,"price":1}]`), "", 400, "unknown_field", "/items/1/price"},
		{"another spelling", "POST /v1/quotes", `{"USERID":"u1","items":[{"sku":"tea","quantity":1}]}`, "", 400, "unknown_field", "/userId"},
		{"unknown in an instalment", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"instalments":[{"amount":1},{"amount":8887,"paid":1}]}`, "", 400, "unknown_field", "/instalments/1/paid"},
		{"unknown in a sku", "PUT /v1/skus/tea", `{"name":"tea","price":1,"cost":1}`, "", 400, "unknown_field", "/cost"},
		{"unknown in a promotion", "POST /v1/promotions", `{"name":"n","kind":"amount_off","threshold":1,"amountOff":1,"cashback":1}`, "", 400, "unknown_field", "/cashback"},
		{"unknown in a scope", "POST /v1/promotions", `{"name":"n","kind":"amount_off","threshold":1,"amountOff":1,"scope":{"sku":["tea"]}}`, "", 400, "unknown_field", "/scope/sku"},
		{"unknown in a template", "POST /v1/coupon-templates", `{"name":"n","kind":"amount_off","amountOff":1,"stock":1}`, "", 400, "unknown_field", "/stock"},
		{"unknown query parameter", "GET /v1/orders?statsu=paid", ``, "", 400, "unknown_field", "statsu"},

		// Types.
		{"a number for a user", "POST /v1/quotes", `{"userId":1,"items":[{"sku":"tea","quantity":1}]}`, "", 400, "validation_failed", "/userId"},
		{"an object for items", "POST /v1/orders", cart(`{}`), "", 400, "validation_failed", "/items"},
		{"null for items", "POST /v1/orders", cart(`null`), "", 400, "validation_failed", "/items"},
		{"a string for an item", "POST /v1/orders", cart(`["tea"]`), "", 400, "validation_failed", "/items/0"},
		{"a string for a quantity", "POST /v1/quotes", cart(`[{"sku":"tea","quantity":"1"}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"half a unit", "POST /v1/orders", cart(`[{"sku":"tea","quantity":0.5}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"1.0 units", "POST /v1/orders", cart(`[{"sku":"tea","quantity":1.0}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"1e0 units", "POST /v1/orders", cart(`[{"sku":"milk","quantity":1},{"sku":"tea","quantity":1e0}]`), "", 400, "validation_failed", "/items/1/quantity"},
		{"a float for an amount", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"native","amount":88.88}`, "", 400, "validation_failed", "/amount"},
		{"a number for metadata", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"metadata":{"a":1}}`, "", 400, "validation_failed", "/metadata/a"},
		{"a price of 1e400", "PUT /v1/skus/tea", `{"name":"tea","price":1e400}`, "", 400, "validation_failed", ""},
		{"a word for a percentage", "POST /v1/promotions", `{"name":"n","kind":"percent_off","percentOff":"10"}`, "", 400, "validation_failed", "/percentOff"},
		{"three decimals", "POST /v1/promotions", `{"name":"n","kind":"percent_off","percentOff":12.345}`, "", 400, "validation_failed", "/percentOff"},
		{"a date that is none", "POST /v1/promotions", `{"name":"n","kind":"amount_off","threshold":1,"amountOff":1,"startsAt":"tomorrow"}`, "", 400, "validation_failed", "/startsAt"},

		// Quantities and amounts.
		{"no quantity", "POST /v1/orders", cart(`[{"sku":"tea"}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"zero units", "POST /v1/quotes", cart(`[{"sku":"tea","quantity":0}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"zero units, order", "POST /v1/orders", cart(`[{"sku":"tea","quantity":0}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"negative units", "POST /v1/orders", cart(`[{"sku":"tea","quantity":-1}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"a million and one", "POST /v1/orders", cart(`[{"sku":"tea","quantity":1000001}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"more than 63 bits", "POST /v1/orders", cart(`[{"sku":"tea","quantity":9223372036854775808}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"more than 64 bits", "POST /v1/quotes", cart(`[{"sku":"tea","quantity":18446744073709551616}]`), "", 400, "validation_failed", "/items/0/quantity"},
		{"duplicates over the limit", "POST /v1/orders", cart(`[{"sku":"tea","quantity":1000000},{"sku":"tea","quantity":1}]`), "", 400, "validation_failed", "/items/1/quantity"},
		{"expected price below 0", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"expectedPayableAmount":-1}`, "", 400, "validation_failed", "/expectedPayableAmount"},
		{"expected price beyond 63 bits", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"expectedPayableAmount":9223372036854775808}`, "", 400, "validation_failed", "/expectedPayableAmount"},
		{"a price below 0", "PUT /v1/skus/tea", `{"name":"tea","price":-1}`, "", 400, "validation_failed", "/price"},
		{"no price", "PUT /v1/skus/tea", `{"name":"tea"}`, "", 400, "validation_failed", "/price"},
		{"a price beyond 63 bits", "PUT /v1/skus/tea", `{"name":"tea","price":9223372036854775808}`, "", 400, "validation_failed", "/price"},
		{"stock below 0", "PUT /v1/skus/tea", `{"name":"tea","price":1,"stock":-1}`, "", 400, "validation_failed", "/stock"},
		{"stock below what is held", "PUT /v1/skus/tea", `{"name":"tea","price":1,"stock":0}`, "", 409, "out_of_stock", ""},
		{"a payment of nothing", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"native","amount":0}`, "", 400, "validation_failed", "/amount"},
		{"a payment below nothing", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"native","amount":-5}`, "", 400, "validation_failed", "/amount"},
		{"a payment of too much", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"native","amount":8889}`, "", 422, "amount_exceeds_due", ""},
		{"101 percent", "POST /v1/promotions", `{"name":"n","kind":"percent_off","percentOff":101}`, "", 400, "validation_failed", "/percentOff"},
		{"tiers out of order", "POST /v1/promotions", `{"name":"n","kind":"tiered","tiers":[{"threshold":2,"amountOff":1},{"threshold":1,"percentOff":5}]}`, "", 400, "validation_failed", "/tiers/1/threshold"},
		{"a tier of 12.345 percent", "POST /v1/promotions", `{"name":"n","kind":"tiered","tiers":[{"threshold":1,"percentOff":12.345}]}`, "", 400, "validation_failed", "/tiers/0/percentOff"},
		{"a tier that goes on", "POST /v1/promotions", `{"name":"n","kind":"tiered","tiers":[{"threshold":1,"amountOff":1,"repeat":true}]}`, "", 400, "unknown_field", "/tiers/0/repeat"},
		{"a threshold beyond 63 bits", "POST /v1/promotions", `{"name":"n","kind":"gift","threshold":9223372036854775808,"giftSku":"tea","giftQuantity":1}`, "", 400, "validation_failed", "/threshold"},
		{"a bundle of one sku twice", "POST /v1/promotions", `{"name":"n","kind":"bundle","price":1,"items":[{"sku":"a","quantity":1},{"sku":"a","quantity":1}]}`, "", 400, "validation_failed", "/items/1/sku"},
		{"a gift of no units", "POST /v1/promotions", `{"name":"n","kind":"gift","threshold":1,"giftSku":"tea"}`, "", 400, "validation_failed", "/giftQuantity"},
		{"a limit below 0", "POST /v1/promotions", `{"name":"n","kind":"percent_off","percentOff":5,"usageLimit":-1}`, "", 400, "validation_failed", "/usageLimit"},
		{"an unknown kind", "POST /v1/promotions", `{"name":"n","kind":"cashback"}`, "", 400, "validation_failed", "/kind"},
		{"no delta", "POST /v1/skus/tea/stock", `{}`, "", 400, "validation_failed", "/delta"},
		{"a delta beyond stock", "POST /v1/skus/tea/stock", `{"delta":-100}`, "", 409, "out_of_stock", ""},
		{"a delta beyond 63 bits", "POST /v1/skus/tea/stock", `{"delta":-9223372036854775809}`, "", 400, "validation_failed", "/delta"},

		// Baskets.
		{"no user", "POST /v1/quotes", `{"items":[{"sku":"tea","quantity":1}]}`, "", 400, "validation_failed", "/userId"},
		{"an empty user", "POST /v1/orders", `{"userId":"","items":[{"sku":"tea","quantity":1}]}`, "", 400, "validation_failed", "/userId"},
		{"a user with a slash", "POST /v1/orders", `{"userId":"a/b","items":[{"sku":"tea","quantity":1}]}`, "", 400, "validation_failed", "/userId"},
		{"no items", "POST /v1/orders", `{"userId":"u1"}`, "", 400, "validation_failed", "/items"},
		{"an empty basket", "POST /v1/orders", cart(`[]`), "", 400, "validation_failed", "/items"},
		{"an empty basket, quote", "POST /v1/quotes", cart(`[]`), "", 400, "validation_failed", "/items"},
		{"201 lines", "POST /v1/orders", cart("[" + strings.Join(lines, ",") + "]"), "", 400, "validation_failed", "/items"},
		{"201 lines, quote", "POST /v1/quotes", cart("[" + strings.Join(lines, ",") + "]"), "", 400, "validation_failed", "/items"},
		{"an unknown sku", "POST /v1/orders", cart(`[{"sku":"nothing","quantity":1}]`), "", 404, "sku_not_found", "/items"},
		{"an unknown sku, quote", "POST /v1/quotes", cart(`[{"sku":"nothing","quantity":1}]`), "", 404, "sku_not_found", "/items"},
		{"a sku that cannot be", "POST /v1/quotes", cart(`[{"sku":"'; DROP TABLE skus","quantity":1}]`), "", 400, "validation_failed", "/items/0/sku"},
		{"21 coupons", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"couponCodes":[` + strings.Repeat(`"C-1",`, 20) + `"C-1"]}`, "", 400, "validation_failed", "/couponCodes"},
		{"500 coupons, quote", "POST /v1/quotes", quoteWith("[" + strings.Repeat(`"C-1",`, 499) + `"C-1"]`), "", 400, "validation_failed", "/couponCodes"},
		{"21 coupons, quote", "POST /v1/quotes", quoteWith("[" + strings.Repeat(`"C-1",`, 20) + `"C-1"]`), "", 400, "validation_failed", "/couponCodes"},
		{"another word than best, quote", "POST /v1/quotes", quoteWith(`"cheapest"`), "", 400, "validation_failed", "/couponCodes"},
		{"best in capitals, quote", "POST /v1/quotes", quoteWith(`"BEST"`), "", 400, "validation_failed", "/couponCodes"},
		{"no list of codes, quote", "POST /v1/quotes", quoteWith(`{"best":true}`), "", 400, "validation_failed", "/couponCodes"},
		{"a number for codes, quote", "POST /v1/quotes", quoteWith(`1`), "", 400, "validation_failed", "/couponCodes"},
		{"null for codes, quote", "POST /v1/quotes", quoteWith(`null`), "", 400, "validation_failed", "/couponCodes"},
		{"a number for a code, quote", "POST /v1/quotes", quoteWith(`["C-1",1]`), "", 400, "validation_failed", "/couponCodes/1"},
		{"a code too long, quote", "POST /v1/quotes", quoteWith(`["` + strings.Repeat("x", 65) + `"]`), "", 400, "validation_failed", "/couponCodes/0"},
		{"a code that cannot be, quote", "POST /v1/quotes", quoteWith(`["C-1","a b"]`), "", 400, "validation_failed", "/couponCodes/1"},
		{"best, order", "POST /v1/orders", quoteWith(`"best"`), "", 400, "validation_failed", "/couponCodes"},
		{"an unknown coupon", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"couponCodes":["C-404"]}`, "", 404, "coupon_not_found", ""},
		{"another's coupon", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"couponCodes":["C-THEIRS"]}`, "", 409, "coupon_unavailable", ""},
		{"two that do not stack", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"couponCodes":["C-1","C-2"]}`, "", 422, "coupon_not_applicable", ""},
		{"a blocked user", "POST /v1/orders", `{"userId":"blocked","items":[{"sku":"tea","quantity":1}]}`, "", 422, "user_blocked", ""},
		{"another price", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"expectedPayableAmount":1}`, "", 409, "price_changed", ""},
		{"more than there is", "POST /v1/orders", cart(`[{"sku":"tea","quantity":100}]`), "", 409, "out_of_stock", ""},
		{"more than one may have", "POST /v1/orders", cart(`[{"sku":"milk","quantity":3}]`), "", 422, "purchase_limit_exceeded", ""},
		{"no such time", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"expiresIn":"soon"}`, "", 400, "validation_failed", "/expiresIn"},
		{"no time", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"expiresIn":"0s"}`, "", 400, "validation_failed", "/expiresIn"},
		{"time back", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"expiresIn":"-15m"}`, "", 400, "validation_failed", "/expiresIn"},
		{"a year", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"expiresIn":"8760h"}`, "", 400, "validation_failed", "/expiresIn"},
		{"a note too long", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"metadata":{"a":"` + long + long + `"}}`, "", 400, "validation_failed", "/metadata/a"},

		// Who calls.
		{"no key", "GET /v1/skus", ``, anonymous, 401, "unauthorized", ""},
		{"an unknown key", "POST /v1/orders", oneTea, "Authorization: Bearer sk_nobody_knows_me", 401, "unauthorized", ""},
		{"a forged token", "GET /v1/orders/{orderNo}", ``, "Authorization: Bearer ct_ZGVmYXVsdC8xMjM", 401, "unauthorized", ""},
		{"another scheme", "GET /v1/skus", ``, "Authorization: Basic c2s6", 401, "unauthorized", ""},
		{"a key too long", "GET /v1/skus", ``, "Authorization: Bearer sk_" + long, 401, "unauthorized", ""},
		{"a token where a key is required", "GET /v1/orders", ``, client, 403, "forbidden", ""},
		{"a token that places", "POST /v1/orders", oneTea, client, 403, "forbidden", ""},
		{"a token for the timeline", "GET /v1/orders/{orderNo}/timeline", ``, client, 403, "forbidden", ""},
		{"a token's other order", "GET /v1/orders/{other orderNo}", ``, client, 403, "forbidden", ""},
		{"a token pays another order", "POST /v1/orders/{other orderNo}/payments", `{"channel":"gate","method":"native"}`, client, 403, "forbidden", ""},
		{"a token cancels another order", "POST /v1/orders/{other orderNo}/cancel", ``, client, 403, "forbidden", ""},
		{"a token's other payment", "GET /v1/payments/{paymentNo}", ``, "Authorization: Bearer {other clientToken}", 403, "forbidden", ""},
		{"a token for another payment", "POST /v1/payments/{paymentNo}/sync", ``, "Authorization: Bearer {other clientToken}", 403, "forbidden", ""},
		{"a token closes a payment", "POST /v1/payments/{paymentNo}/close", ``, client, 403, "forbidden", ""},
		{"another shop's order", "GET /v1/orders/{their orderNo}", ``, "", 404, "not_found", ""},
		{"another shop's order, cancelled", "POST /v1/orders/{their orderNo}/cancel", ``, "", 404, "not_found", ""},
		{"another shop's order, paid", "POST /v1/orders/{their orderNo}/payments", `{"channel":"gate","method":"native"}`, "", 404, "not_found", ""},
		{"another shop's timeline", "GET /v1/orders/{their orderNo}/timeline", ``, "", 404, "not_found", ""},
		{"our order with their key", "GET /v1/orders/{orderNo}", ``, "Authorization: Bearer " + theirKey, 404, "not_found", ""},
		{"our payment with their key", "GET /v1/payments/{paymentNo}", ``, "Authorization: Bearer " + theirKey, 404, "not_found", ""},
		{"our payment closed with their key", "POST /v1/payments/{paymentNo}/close", ``, "Authorization: Bearer " + theirKey, 404, "not_found", ""},
		{"our coupon with their key", "GET /v1/coupons/C-1", ``, "Authorization: Bearer " + theirKey, 404, "not_found", ""},
		{"our coupon revoked with their key", "POST /v1/coupons/C-1/revoke", ``, "Authorization: Bearer " + theirKey, 404, "coupon_not_found", ""},

		// Idempotency.
		{"an order without a key", "POST /v1/orders", oneTea, noKey, 400, "idempotency_key_required", ""},
		{"a payment without a key", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"native"}`, noKey, 400, "idempotency_key_required", ""},
		{"a key too long", "POST /v1/orders", oneTea, "Idempotency-Key: " + long, 400, "validation_failed", "Idempotency-Key"},
		{"a key with a space", "POST /v1/orders", oneTea, "Idempotency-Key: a b", 400, "validation_failed", "Idempotency-Key"},
		{"a key that is not ASCII", "POST /v1/skus/tea/stock", `{"delta":1}`, "Idempotency-Key: ключ", 400, "validation_failed", "Idempotency-Key"},
		{"a key with another body", "POST /v1/orders", cart(`[{"sku":"tea","quantity":2}]`), "Idempotency-Key: used", 422, "idempotency_key_reused", ""},
		{"a key with another note", "POST /v1/orders", `{"userId":"u1","items":[{"sku":"tea","quantity":1}],"metadata":{"a":"b"}}`, "Idempotency-Key: used", 422, "idempotency_key_reused", ""},
		{"a key for another operation", "POST /v1/skus/tea/stock", `{"delta":1}`, "Idempotency-Key: used", 422, "idempotency_key_reused", ""},
		{"a payment's key for another amount", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"native","amount":1}`, "Idempotency-Key: used-too", 422, "idempotency_key_reused", ""},

		// What is not there, and what cannot be.
		{"an unknown path", "GET /v1/nothing", ``, "", 404, "not_found", ""},
		{"an unknown path, no key", "GET /elsewhere", ``, anonymous, 404, "not_found", ""},
		{"an unknown method", "PATCH /v1/orders/{orderNo}", `{}`, "", 405, "method_not_allowed", ""},
		{"an unknown order", "GET /v1/orders/1", ``, "", 404, "not_found", ""},
		{"an order number with U+0000", "GET /v1/orders/%00", ``, "", 400, "validation_failed", ""},
		{"an order number that is not UTF-8", "GET /v1/orders/%ff", ``, "", 400, "validation_failed", ""},
		{"a filter with U+0000", "GET /v1/orders?userId=%00", ``, "", 400, "validation_failed", ""},
		{"an order number too long", "GET /v1/orders/" + long, ``, "", 400, "validation_failed", "orderNo"},
		{"a wait that is none", "GET /v1/orders/{orderNo}?wait=soon", ``, "", 400, "validation_failed", "wait"},
		{"a wait back", "GET /v1/orders/{orderNo}?wait=-1s", ``, "", 400, "validation_failed", "wait"},
		{"a limit of 0", "GET /v1/orders?limit=0", ``, "", 400, "validation_failed", "limit"},
		{"a limit of 201", "GET /v1/skus?limit=201", ``, "", 400, "validation_failed", "limit"},
		{"a limit in words", "GET /v1/skus?limit=ten", ``, "", 400, "validation_failed", "limit"},
		{"an unknown status", "GET /v1/orders?status=lost", ``, "", 400, "validation_failed", "status"},
		{"a day that is none", "GET /v1/orders?createdFrom=yesterday", ``, "", 400, "validation_failed", "createdFrom"},
		{"a cursor of another feed", "GET /v1/events?after=x", ``, "", 400, "validation_failed", "after"},
		{"a cursor of nobody", "GET /v1/jobs?cursor=x", ``, "", 400, "validation_failed", "/cursor"},
		{"an unknown payment", "GET /v1/payments/2", ``, "", 404, "not_found", ""},
		{"an unknown sku's stock", "POST /v1/skus/nothing/stock", `{"delta":1}`, "", 404, "sku_not_found", ""},
		{"a sku that cannot be, put", "PUT /v1/skus/%20", `{"name":"x","price":1}`, "", 400, "validation_failed", "/sku"},
		{"an unknown promotion", "DELETE /v1/promotions/nothing", ``, "", 404, "not_found", ""},
		{"a promotion twice", "POST /v1/promotions", `{"id":"spring","name":"n","kind":"amount_off","threshold":1,"amountOff":1}`, "", 409, "already_exists", ""},
		{"a promotion under two ids", "PUT /v1/promotions/spring", `{"id":"summer","name":"n","kind":"amount_off","threshold":1,"amountOff":1}`, "", 400, "validation_failed", "/id"},
		{"an unknown template", "PUT /v1/coupon-templates/nothing", `{"name":"n","kind":"amount_off","amountOff":1}`, "", 404, "not_found", ""},
		{"a claim for nobody", "POST /v1/coupon-templates/five/claim", `{"userId":""}`, "", 400, "validation_failed", "/userId"},
		{"a claim of what is not for claiming", "POST /v1/coupon-templates/closed/claim", `{"userId":"u1"}`, "", 409, "coupon_unavailable", ""},
		{"a claim for a user that cannot be", "POST /v1/coupon-templates/five/claim", `{"userId":"?"}`, "", 400, "validation_failed", "/userId"},
		{"dates reversed", "PUT /v1/coupon-templates/five", `{"name":"n","kind":"amount_off","amountOff":1,"supply":9,"validFrom":"2026-12-01T00:00:00Z","validUntil":"2026-11-30T00:00:00Z"}`, "", 400, "validation_failed", "/validUntil"},
		{"a supply taken away", "PUT /v1/coupon-templates/five", `{"name":"n","kind":"amount_off","amountOff":1}`, "", 400, "validation_failed", "/supply"},
		{"a limit added", "PUT /v1/coupon-templates/five", `{"name":"n","kind":"amount_off","amountOff":1,"supply":9,"perUserLimit":1}`, "", 400, "validation_failed", "/perUserLimit"},
		{"coupons of nothing", "POST /v1/coupons", `{"templateId":"nothing"}`, "", 404, "not_found", ""},
		{"1001 users", "POST /v1/coupons", `{"templateId":"five","userIds":[` + strings.Repeat(`"u",`, 1000) + `"u"]}`, "", 400, "validation_failed", "/userIds"},
		{"a user twice", "POST /v1/coupons", `{"templateId":"five","userIds":["u1","u2","u1"]}`, "", 400, "validation_failed", "/userIds/2"},
		{"a user that cannot be", "POST /v1/coupons", `{"templateId":"five","userIds":["u1","=u2"]}`, "", 400, "validation_failed", "/userIds/1"},
		{"users and codes", "POST /v1/coupons", `{"templateId":"five","userIds":["u1"],"codes":["C-9"]}`, "", 400, "validation_failed", "/userIds"},
		{"users and a count", "POST /v1/coupons", `{"templateId":"five","userIds":["u1"],"count":1}`, "", 400, "validation_failed", "/userIds"},
		{"a code of 10,000 characters", "POST /v1/coupons", `{"templateId":"five","codes":["` + strings.Repeat("C", 10_000) + `"]}`, "", 400, "validation_failed", "/codes/0"},
		{"a coupon of 10,000 characters", "GET /v1/coupons/" + strings.Repeat("C", 10_000), ``, "", 400, "validation_failed", "code"},
		{"a template revoked that is not there", "POST /v1/coupon-templates/nothing/revoke", ``, "", 404, "not_found", ""},
		{"a claim of nothing", "POST /v1/coupon-templates/nothing/claim", `{"userId":"u1"}`, "", 404, "not_found", ""},
		{"a code twice", "POST /v1/coupons", `{"templateId":"five","codes":["C-9","C-1"]}`, "", 409, "already_exists", ""},
		{"a code twice in one call", "POST /v1/coupons", `{"templateId":"five","codes":["C-9","C-9"]}`, "", 400, "validation_failed", "/codes/1"},
		{"a code that cannot be", "POST /v1/coupons", `{"templateId":"five","codes":["C-9","?"]}`, "", 400, "validation_failed", "/codes/1"},
		{"no coupons", "POST /v1/coupons", `{"templateId":"five","count":0}`, "", 400, "validation_failed", "/count"},
		{"1001 coupons", "POST /v1/coupons", `{"templateId":"five","count":1001}`, "", 400, "validation_failed", "/count"},
		{"more coupons than there are", "POST /v1/coupons", `{"templateId":"five","count":999}`, "", 409, "coupon_unavailable", ""},
		{"an unknown coupon, revoked", "POST /v1/coupons/C-404/revoke", ``, "", 404, "coupon_not_found", ""},
		{"an unknown channel", "POST /v1/orders/{orderNo}/payments", `{"channel":"cash","method":"native"}`, "", 409, "channel_not_configured", ""},
		{"an unknown method of payment", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"barter"}`, "", 400, "validation_failed", "/method"},
		{"a method that the channel has not", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"page"}`, "", 400, "validation_failed", "/method"},
		{"a way back to nowhere", "POST /v1/orders/{orderNo}/payments", `{"channel":"gate","method":"native","returnUrl":"javascript:alert(1)"}`, "", 400, "validation_failed", "/returnUrl"},
		{"a closed order, paid", "POST /v1/orders/{closed orderNo}/payments", `{"channel":"gate","method":"native"}`, "", 409, "order_not_payable", ""},
		{"a closed order, cancelled", "POST /v1/orders/{closed orderNo}/cancel", ``, "", 409, "order_not_cancellable", ""},
		{"a reason too long", "POST /v1/orders/{orderNo}/cancel", `{"reason":"` + long + `"}`, "", 400, "validation_failed", "/reason"},
		{"an unknown kind of channel", "PUT /v1/channels/gate", `{"kind":"barter"}`, "", 400, "validation_failed", "/kind"},
		{"a channel without its key", "PUT /v1/channels/gate", `{"kind":"gate"}`, "", 400, "validation_failed", "/key"},
		{"a channel of no kind", "PUT /v1/channels/gate", `{}`, "", 400, "validation_failed", "/kind"},
		{"a channel that is a list", "PUT /v1/channels/gate", `[]`, "", 400, "validation_failed", ""},
		{"settings of no channel", "GET /v1/channels/cash", ``, "", 404, "not_found", ""},
		{"a callback to no shop", "POST /v1/notify/nobody/gate", `{}`, anonymous, 409, "channel_not_configured", ""},
		{"the clock back", "POST /v1/test/clock", `{"advance":"-1h"}`, "", 400, "validation_failed", "/advance"},
		{"the clock nowhere", "POST /v1/test/clock", `{"advance":"0s"}`, "", 400, "validation_failed", "/advance"},
		{"the clock in words", "POST /v1/test/clock", `{"advance":"a while"}`, "", 400, "validation_failed", "/advance"},

		// Instalments.
		{"one part", "POST /v1/orders", inParts(`[{"amount":8888}]`), "", 400, "validation_failed", "/instalments"},
		{"25 parts", "POST /v1/orders", inParts(`[` + strings.Repeat(`{"amount":1},`, 24) + `{"amount":8864}]`), "", 400, "validation_failed", "/instalments"},
		{"a part of nothing", "POST /v1/orders", inParts(`[{"amount":8888},{"amount":0}]`), "", 400, "validation_failed", "/instalments/1/amount"},
		{"a part without an amount", "POST /v1/orders", inParts(`[{"amount":8888},{}]`), "", 400, "validation_failed", "/instalments/1/amount"},
		{"half a unit of a part", "POST /v1/orders", inParts(`[{"amount":8887},{"amount":0.5}]`), "", 400, "validation_failed", "/instalments/1/amount"},
		{"a part due long ago", "POST /v1/orders", inParts(`[{"amount":888},{"amount":8000,"dueAt":"2020-01-01T00:00:00Z"}]`), "", 400, "validation_failed", "/instalments/1/dueAt"},
		{"a part due in an age", "POST /v1/orders", inParts(`[{"amount":888},{"amount":8000,"dueAt":"2199-01-01T00:00:00Z"}]`), "", 400, "validation_failed", "/instalments/1/dueAt"},
		{"a part due in words", "POST /v1/orders", inParts(`[{"amount":888},{"amount":8000,"dueAt":"soon"}]`), "", 400, "validation_failed", "/instalments/1/dueAt"},
		{"parts of another price", "POST /v1/orders", inParts(`[{"amount":888},{"amount":8001}]`), "", 409, "price_changed", ""},
		{"a payment across the parts", "POST /v1/orders/{parts orderNo}/payments", `{"channel":"gate","method":"native","amount":889}`, "", 422, "amount_exceeds_due", ""},

		// Refunds.
		{"a refund without a key", "POST /v1/orders/{bought orderNo}/refunds", `{}`, noKey, 400, "idempotency_key_required", ""},
		{"an amount and items", "POST /v1/orders/{bought orderNo}/refunds", `{"amount":1,"items":[{"line":0,"quantity":1}]}`, "", 400, "validation_failed", "/items"},
		{"a refund of nothing", "POST /v1/orders/{bought orderNo}/refunds", `{"amount":0}`, "", 400, "validation_failed", "/amount"},
		{"a refund below nothing", "POST /v1/orders/{bought orderNo}/refunds", `{"amount":-1}`, "", 400, "validation_failed", "/amount"},
		{"a refund of null", "POST /v1/orders/{bought orderNo}/refunds", `{"amount":null}`, "", 400, "validation_failed", "/amount"},
		{"a refund of half a unit", "POST /v1/orders/{bought orderNo}/refunds", `{"amount":88.5}`, "", 400, "validation_failed", "/amount"},
		{"a refund of no items", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[]}`, "", 400, "validation_failed", "/items"},
		{"a refund of null items", "POST /v1/orders/{bought orderNo}/refunds", `{"items":null}`, "", 400, "validation_failed", "/items"},
		{"a refund of 201 items", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[` + strings.Repeat(`{"line":0,"quantity":1},`, 200) + `{"line":0,"quantity":1}]}`, "", 400, "validation_failed", "/items"},
		{"null for a refund", "POST /v1/orders/{bought orderNo}/refunds", `null`, "", 400, "validation_failed", ""},
		{"a line below 0", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[{"line":-1,"quantity":1}]}`, "", 400, "validation_failed", "/items/0/line"},
		{"a line that is not there", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[{"line":1,"quantity":1}]}`, "", 400, "validation_failed", "/items/0/line"},
		{"a line twice", "POST /v1/orders/{twice orderNo}/refunds", `{"items":[{"line":0,"quantity":1},{"line":0,"quantity":1}]}`, "", 400, "validation_failed", "/items/1/line"},
		{"no units", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[{"line":0,"quantity":0}]}`, "", 400, "validation_failed", "/items/0/quantity"},
		{"1.0 units of a refund", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[{"line":0,"quantity":1},{"line":0,"quantity":1.0}]}`, "", 400, "validation_failed", "/items/1/quantity"},
		{"units unsaid", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[{"line":0}]}`, "", 400, "validation_failed", "/items/0/quantity"},
		{"more units than were bought", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[{"line":0,"quantity":2}]}`, "", 422, "refund_exceeds_paid", ""},
		{"more than was paid", "POST /v1/orders/{bought orderNo}/refunds", `{"amount":8689}`, "", 422, "refund_exceeds_paid", ""},
		{"more than can be", "POST /v1/orders/{bought orderNo}/refunds", `{"amount":9223372036854775807}`, "", 400, "validation_failed", "/amount"},
		{"unknown in a refund", "POST /v1/orders/{bought orderNo}/refunds", `{"amout":1}`, "", 400, "unknown_field", "/amout"},
		{"unknown in a refund's item", "POST /v1/orders/{bought orderNo}/refunds", `{"items":[{"line":0,"quantity":1,"sku":"tea"}]}`, "", 400, "unknown_field", "/items/0/sku"},
		{"a refund's reason too long", "POST /v1/orders/{bought orderNo}/refunds", `{"reason":"` + strings.Repeat("坏", 81) + `"}`, "", 400, "validation_failed", "/reason"},
		{"a refund in a form", "POST /v1/orders/{bought orderNo}/refunds", `amount=1`, "Content-Type: application/x-www-form-urlencoded", 415, "unsupported_media_type", ""},
		{"a refund of an open order", "POST /v1/orders/{orderNo}/refunds", `{}`, "", 422, "refund_exceeds_paid", ""},
		{"a refund of a closed order", "POST /v1/orders/{closed orderNo}/refunds", `{}`, "", 422, "refund_exceeds_paid", ""},
		{"money of a free order", "POST /v1/orders/{paid orderNo}/refunds", `{"amount":1}`, "", 422, "refund_exceeds_paid", ""},
		{"a refund of an unknown order", "POST /v1/orders/1/refunds", `{}`, "", 404, "not_found", ""},
		{"refunds of an unknown order", "GET /v1/orders/1/refunds", ``, "", 404, "not_found", ""},
		{"a refund of another shop's order", "POST /v1/orders/{their orderNo}/refunds", `{}`, "", 404, "not_found", ""},
		{"a refund with their key", "POST /v1/orders/{bought orderNo}/refunds", `{}`, theirs, 404, "not_found", ""},
		{"our order's refunds with their key", "GET /v1/orders/{bought orderNo}/refunds", ``, theirs, 404, "not_found", ""},
		{"our refund with their key", "GET /v1/refunds/{refundNo}", ``, theirs, 404, "not_found", ""},
		{"our refund retried with their key", "POST /v1/refunds/{refundNo}/retry", ``, theirs, 404, "not_found", ""},
		{"our refund confirmed with their key", "POST /v1/refunds/{refundNo}/confirm", `{"reason":"mine"}`, theirs, 404, "not_found", ""},
		{"our refund sent elsewhere with their key", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"merchant"}`, theirs, 404, "not_found", ""},
		{"a token refunds its order", "POST /v1/orders/{bought orderNo}/refunds", `{}`, "Authorization: Bearer {bought clientToken}", 403, "forbidden", ""},
		{"a token reads its refunds", "GET /v1/orders/{bought orderNo}/refunds", ``, "Authorization: Bearer {bought clientToken}", 403, "forbidden", ""},
		{"a token reads its refund", "GET /v1/refunds/{refundNo}", ``, "Authorization: Bearer {bought clientToken}", 403, "forbidden", ""},
		{"a token lists refunds", "GET /v1/refunds", ``, client, 403, "forbidden", ""},
		{"a token retries", "POST /v1/refunds/{refundNo}/retry", ``, "Authorization: Bearer {bought clientToken}", 403, "forbidden", ""},
		{"a token gives up", "POST /v1/refunds/{refundNo}/give-up", `{"reason":"not there"}`, "Authorization: Bearer {bought clientToken}", 403, "forbidden", ""},
		{"given up without a reason", "POST /v1/refunds/{refundNo}/give-up", `{"reason":""}`, "", 400, "validation_failed", "/reason"},
		{"an unknown refund, given up", "POST /v1/refunds/3/give-up", `{"reason":"not there"}`, "", 404, "not_found", ""},
		{"our refund given up with their key", "POST /v1/refunds/{refundNo}/give-up", `{"reason":"mine"}`, theirs, 404, "not_found", ""},
		{"a token confirms", "POST /v1/refunds/{refundNo}/confirm", `{"reason":"I have it"}`, "Authorization: Bearer {bought clientToken}", 403, "forbidden", ""},
		{"a token sends it elsewhere", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"merchant"}`, "Authorization: Bearer {bought clientToken}", 403, "forbidden", ""},
		{"a refund's key for another amount", "POST /v1/orders/{bought orderNo}/refunds", `{"amount":101}`, "Idempotency-Key: refunded", 422, "idempotency_key_reused", ""},
		{"a refund's key to confirm", "POST /v1/refunds/{refundNo}/confirm", `{"reason":"by hand"}`, "Idempotency-Key: refunded", 422, "idempotency_key_reused", ""},
		{"an unknown refund", "GET /v1/refunds/3", ``, "", 404, "not_found", ""},
		{"an unknown refund, retried", "POST /v1/refunds/3/retry", ``, "", 404, "not_found", ""},
		{"an unknown refund, confirmed", "POST /v1/refunds/3/confirm", `{"reason":"by hand"}`, "", 404, "not_found", ""},
		{"an unknown refund, sent elsewhere", "POST /v1/refunds/3/abnormal", `{"to":"merchant"}`, "", 404, "not_found", ""},
		{"a refund that is done, retried", "POST /v1/refunds/{done refundNo}/retry", ``, "", 409, "refund_not_open", ""},
		{"a refund that is not stuck, sent elsewhere", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"merchant"}`, "", 409, "refund_not_open", ""},
		{"confirmed without a reason", "POST /v1/refunds/{refundNo}/confirm", `{}`, "", 400, "validation_failed", "/reason"},
		{"confirmed with an empty reason", "POST /v1/refunds/{refundNo}/confirm", `{"reason":""}`, "", 400, "validation_failed", "/reason"},
		{"confirmed at length", "POST /v1/refunds/{refundNo}/confirm", `{"reason":"` + long + long + `"}`, "", 400, "validation_failed", "/reason"},
		{"confirmed at length in Chinese", "POST /v1/refunds/{refundNo}/confirm", `{"reason":"` + strings.Repeat("好", 200) + `"}`, "", 400, "validation_failed", "/reason"},
		{"confirmed with more", "POST /v1/refunds/{refundNo}/confirm", `{"reason":"r","amount":1}`, "", 400, "unknown_field", "/amount"},
		{"sent nowhere", "POST /v1/refunds/{refundNo}/abnormal", `{}`, "", 400, "validation_failed", "/to"},
		{"sent to nobody", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"me"}`, "", 400, "validation_failed", "/to"},
		{"sent without a bank", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"buyer","account":"6222","name":"n"}`, "", 400, "validation_failed", "/bank"},
		{"sent without an account", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"buyer","bank":"ICBC_DEBIT","name":"n"}`, "", 400, "validation_failed", "/account"},
		{"sent without a name", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"buyer","bank":"ICBC_DEBIT","account":"6222"}`, "", 400, "validation_failed", "/name"},
		{"sent to the merchant's card", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"merchant","account":"6222"}`, "", 400, "validation_failed", "/account"},
		{"sent with more", "POST /v1/refunds/{refundNo}/abnormal", `{"to":"merchant","pin":"1234"}`, "", 400, "unknown_field", "/pin"},
		{"refunds of an unknown status", "GET /v1/refunds?status=lost", ``, "", 400, "validation_failed", "status"},
		{"refunds parked perhaps", "GET /v1/refunds?parked=perhaps", ``, "", 400, "validation_failed", "parked"},
		{"refunds by an unknown filter", "GET /v1/refunds?orderNo=1", ``, "", 400, "unknown_field", "orderNo"},

		// The shop, its suspense and its reconciliation.
		{"an unknown policy", "PUT /v1/shop/policies", `{"latePayments":"revive"}`, "", 400, "unknown_field", "/latePayments"},
		{"an unknown value of a policy", "PUT /v1/shop/policies", `{"latePayment":"keep"}`, "", 400, "validation_failed", "/latePayment"},
		{"policies of nothing", "PUT /v1/shop/policies", ``, "", 400, "validation_failed", ""},
		{"a token sets policies", "PUT /v1/shop/policies", `{}`, client, 403, "forbidden", ""},
		{"a token reads the shop", "GET /v1/shop", ``, client, 403, "forbidden", ""},
		{"a token reads the suspense", "GET /v1/suspense", ``, client, 403, "forbidden", ""},
		{"suspense by channel", "GET /v1/suspense?channel=gate", ``, "", 400, "unknown_field", "channel"},
		{"a token reconciles", "POST /v1/reconciliations", `{"channel":"gate","date":"{date}"}`, client, 403, "forbidden", ""},
		{"reconciled with nobody", "POST /v1/reconciliations", `{"channel":"cash","date":"2026-01-01"}`, "", 409, "channel_not_configured", ""},
		{"reconciled with their key", "POST /v1/reconciliations", `{"channel":"gate","date":"2026-01-01"}`, theirs, 409, "channel_not_configured", ""},
		{"a day that has not come", "POST /v1/reconciliations", `{"channel":"gate","date":"2199-01-01"}`, "", 400, "validation_failed", "/date"},
		{"a day that cannot be", "POST /v1/reconciliations", `{"channel":"gate","date":"2026-02-30"}`, "", 400, "validation_failed", "/date"},
		{"a day in words", "POST /v1/reconciliations", `{"channel":"gate","date":"yesterday"}`, "", 400, "validation_failed", "/date"},
		{"no day", "POST /v1/reconciliations", `{"channel":"gate"}`, "", 400, "validation_failed", "/date"},
		{"reconciled with more", "POST /v1/reconciliations", `{"channel":"gate","date":"2026-01-01","force":true}`, "", 400, "unknown_field", "/force"},
		{"a day that was not reconciled", "GET /v1/reconciliations/2020-01-01/gate", ``, "", 404, "not_found", ""},
		{"our day with their key", "GET /v1/reconciliations/{date}/gate", ``, theirs, 404, "not_found", ""},
		{"a token reads a day", "GET /v1/reconciliations/{date}/gate", ``, client, 403, "forbidden", ""},
		{"a token lists days", "GET /v1/reconciliations", ``, client, 403, "forbidden", ""},
		{"a token lists differences", "GET /v1/discrepancies", ``, client, 403, "forbidden", ""},
		{"a token reads a difference", "GET /v1/discrepancies/{open}", ``, client, 403, "forbidden", ""},
		{"a token resolves", "POST /v1/discrepancies/{open}/resolve", `{"reason":"r"}`, client, 403, "forbidden", ""},
		{"our difference with their key", "GET /v1/discrepancies/{open}", ``, theirs, 404, "not_found", ""},
		{"our difference resolved with their key", "POST /v1/discrepancies/{open}/resolve", `{"reason":"r"}`, theirs, 404, "not_found", ""},
		{"an unknown difference", "GET /v1/discrepancies/1", ``, "", 404, "not_found", ""},
		{"an unknown difference, resolved", "POST /v1/discrepancies/1/resolve", `{"reason":"r"}`, "", 404, "not_found", ""},
		{"resolved without a reason", "POST /v1/discrepancies/{open}/resolve", `{}`, "", 400, "validation_failed", "/reason"},
		{"resolved at length", "POST /v1/discrepancies/{open}/resolve", `{"reason":"` + strings.Repeat(long, 4) + `"}`, "", 400, "validation_failed", "/reason"},
		{"resolved at length in Chinese", "POST /v1/discrepancies/{open}/resolve", `{"reason":"` + strings.Repeat("好", 400) + `"}`, "", 400, "validation_failed", "/reason"},
		{"resolved with more", "POST /v1/discrepancies/{open}/resolve", `{"reason":"r","status":"healed"}`, "", 400, "unknown_field", "/status"},
		{"resolved otherwise before", "POST /v1/discrepancies/{resolved}/resolve", `{"reason":"another"}`, "", 409, "discrepancy_closed", ""},
		{"differences of no class", "GET /v1/discrepancies?class=strange", ``, "", 400, "validation_failed", "class"},
		{"differences of no status", "GET /v1/discrepancies?status=lost", ``, "", 400, "validation_failed", "status"},

		{"an unknown job", "POST /v1/jobs/99/retry", ``, "", 404, "not_found", ""},
		{"a record that is not parked", "POST /v1/parked-records/stock-99/retry", ``, "", 404, "not_found", ""},
		{"a record that is not parked, dismissed", "POST /v1/parked-records/stock-99/dismiss", ``, "", 404, "not_found", ""},
		{"a cursor of an earlier release that was nobody's", "GET /v1/events?after=7-7", ``, "", 400, "validation_failed", "after"},
		{"an unknown job at the older path", "POST /v1/effects/99/retry", ``, "", 404, "not_found", ""},
		{"a job with an impossible id", "POST /v1/jobs/x/retry", ``, "", 404, "not_found", ""},
		{"an unknown key to end", "DELETE /v1/keys/key_nothing", ``, "", 404, "not_found", ""},
	})
	h.Audit()
}

type refusalCase struct {
	name    string
	call    string
	body    string
	headers string // separated by newlines
	status  int
	code    string
	pointer string
}

// refuses runs a table of refusals, whose texts fill completes.
func (h *env) refuses(t *testing.T, fill func(string) string, cases []refusalCase) {
	d := api.Published(bare)
	ops := operations(d)
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			before := h.everything()
			var headers []string
			if tt.headers != "" {
				headers = strings.Split(fill(tt.headers), "\n")
			}
			w := h.do(fill(tt.call), fill(tt.body), headers...)
			var p refusal
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%d %s: %v", w.Code, w.Body, err)
			}
			if w.Code != tt.status || p.Code != tt.code {
				t.Fatalf("%d %s, want %d %s: %s", w.Code, p.Code, tt.status, tt.code, w.Body)
			}
			if kind, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type")); kind != "application/problem+json" {
				t.Errorf("content type %q", kind)
			}
			if p.Status != w.Code || p.Title == "" || p.Detail == "" || p.Type != "/problems/"+p.Code || len(p.TraceID) != 32 {
				t.Errorf("half a problem: %s", w.Body)
			}
			if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
			switch {
			case tt.pointer != "":
				if len(p.Errors) == 0 || p.Errors[0].Pointer != tt.pointer {
					t.Errorf("want pointer %s: %s", tt.pointer, w.Body)
				}
			case len(p.Errors) > 0 && p.Errors[0].Pointer != "":
				t.Errorf("an unexpected pointer: %s", w.Body)
			}
			if w.Body.Len() > 8<<10 {
				t.Errorf("an answer of %d bytes", w.Body.Len())
			}
			if strings.Contains(w.Body.String(), "Go ") || strings.Contains(w.Body.String(), "0xc0") {
				t.Errorf("it mentions Go: %s", w.Body)
			}
			if op := ops[routeOf(ops, fill(tt.call))]; op != nil && !documented(d, op, w.Code, p.Code) {
				t.Errorf("%d %s is not documented", w.Code, p.Code)
			}
			if after := h.everything(); after != before {
				t.Errorf("something changed:\n%s\n%s", before, after)
			}
		})
	}
}
