package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/api"
)

// TestPlainCarts: a quote that is written as nearly everybody does is read in
// one pass, and every other is not.
func TestPlainCarts(t *testing.T) {
	line := `{"sku":"tea","quantity":2}`
	with := func(items, rest string) string { return `{"userId":"u1","items":` + items + rest + `}` }
	many := func(n int, s string) string { return "[" + strings.Repeat(s+",", n-1) + s + "]" }
	for _, tt := range []struct {
		name, body string
		plain      bool
	}{
		{"one line", with("["+line+"]", ""), true},
		{"members in another order", `{"couponCodes":["A"],"items":[{"quantity":1,"sku":"a"}],"userId":"u"}`, true},
		{"blanks", " {\n\t\"userId\" : \"u1\" ,\r\n\"items\":[ " + line + " , " + line + " ] } \n", true},
		{"best", with("["+line+"]", `,"couponCodes":"best"`), true},
		{"no codes", with("["+line+"]", `,"couponCodes":[]`), true},
		{"200 lines, 20 codes", with(many(200, line), `,"couponCodes":`+many(20, `"A"`)), true},
		{"the most of everything", `{"userId":"` + strings.Repeat("u", 64) + `","items":[{"sku":"` + strings.Repeat("s", 64) + `","quantity":1000000}],"couponCodes":["` + strings.Repeat("c", 64) + `"]}`, true},

		{"201 lines", with(many(201, line), ""), false},
		{"21 codes", with("["+line+"]", `,"couponCodes":`+many(21, `"A"`)), false},
		{"another word", with("["+line+"]", `,"couponCodes":"bess"`), false},
		{"null for codes", with("["+line+"]", `,"couponCodes":null`), false},
		{"no lines", with("[]", ""), false},
		{"no items", `{"userId":"u1"}`, false},
		{"no user", `{"items":[` + line + `]}`, false},
		{"no quantity", with(`[{"sku":"tea"}]`, ""), false},
		{"no sku", with(`[{"quantity":1}]`, ""), false},
		{"an unknown member", with("["+line+"]", `,"x":1`), false},
		{"another spelling", `{"USERID":"u1","items":[` + line + `]}`, false},
		{"a member twice", with("["+line+"]", `,"userId":"u2"`), false},
		{"a member of a line twice", with(`[{"sku":"a","sku":"b","quantity":1}]`, ""), false},
		{"a zero", with(`[{"sku":"a","quantity":0}]`, ""), false},
		{"a leading zero", with(`[{"sku":"a","quantity":01}]`, ""), false},
		{"a fraction", with(`[{"sku":"a","quantity":1.0}]`, ""), false},
		{"an exponent", with(`[{"sku":"a","quantity":1e0}]`, ""), false},
		{"a minus", with(`[{"sku":"a","quantity":-1}]`, ""), false},
		{"too many units", with(`[{"sku":"a","quantity":1000001}]`, ""), false},
		{"far too many units", with(`[{"sku":"a","quantity":111111111111111111111111}]`, ""), false},
		{"a text for a number", with(`[{"sku":"a","quantity":"1"}]`, ""), false},
		{"an escape", with(`[{"sku":"\u0061","quantity":1}]`, ""), false},
		{"Chinese", with(`[{"sku":"茶","quantity":1}]`, ""), false},
		{"not UTF-8", with("[{\"sku\":\"\xff\",\"quantity\":1}]", ""), false},
		{"an empty sku", with(`[{"sku":"","quantity":1}]`, ""), false},
		{"a long sku", with(`[{"sku":"`+strings.Repeat("s", 65)+`","quantity":1}]`, ""), false},
		{"something behind", with("["+line+"]", "") + "{}", false},
		{"a NUL behind", with("["+line+"]", "") + "\x00", false},
		{"a comma too many", with("["+line+",]", ""), false},
		{"cut off", `{"userId":"u1","items":[{"sku":"a"`, false},
		{"only a brace", `{`, false},
		{"a list", `[]`, false},
		{"blanks only", "  ", false},
	} {
		same(t, tt.name, api.ReadQuote([]byte(tt.body)), tt.plain)
	}
}

// same fails unless a body is plain as expected, and a plain one is read as
// it is decoded.
func same(t *testing.T, name string, r api.Reading, plain bool) {
	t.Helper()
	if r.Plain != plain {
		t.Errorf("%s: plain %v", name, r.Plain)
	}
	if diff := cmp.Diff(r.Decoded, r.Read); r.Plain && (r.Err != nil || diff != "") {
		t.Errorf("%s: %v\n%s", name, r.Err, diff)
	}
}

// TestPlainOrders: so is an order, by what it has beside a cart.
func TestPlainOrders(t *testing.T) {
	with := func(more string) string { return `{"userId":"u1","items":[{"sku":"tea","quantity":2}]` + more + `}` }
	for _, tt := range []struct {
		name, body string
		plain      bool
	}{
		{"a cart", with(""), true},
		{"codes", with(`,"couponCodes":["A","B"]`), true},
		{"no codes", with(`,"couponCodes":[]`), true},
		{"the highest price", with(`,"expectedPayableAmount":1000000000000000`), true},
		{"a price of 0", with(`,"expectedPayableAmount":0`), true},
		{"an expiry", with(`,"expiresIn":"15m"`), true},
		{"metadata", with(`,"metadata":{"cart":"c-77","note":"` + strings.Repeat("n", 500) + `"}`), true},
		{"a draft", with(`,"draft":true`), true},
		{"no draft", with(`,"draft": false `), true},
		{"everything", with(`,"couponCodes":["A"],"expectedPayableAmount":7,"expiresIn":"1h","metadata":{"a":"b"},"draft":true`), true},

		{"no items", `{"userId":"u1","expiresIn":"15m"}`, false},
		{"best", with(`,"couponCodes":"best"`), false},
		{"a price that is too high", with(`,"expectedPayableAmount":1000000000000001`), false},
		{"a price below 0", with(`,"expectedPayableAmount":-1`), false},
		{"a price of 88.88", with(`,"expectedPayableAmount":88.88`), false},
		{"null for a price", with(`,"expectedPayableAmount":null`), false},
		{"a number for an expiry", with(`,"expiresIn":15`), false},
		{"empty metadata", with(`,"metadata":{}`), false},
		{"nine notes", with(`,"metadata":{"1":"a","2":"a","3":"a","4":"a","5":"a","6":"a","7":"a","8":"a","9":"a"}`), false},
		{"a note twice", with(`,"metadata":{"a":"b","a":"c"}`), false},
		{"a number for a note", with(`,"metadata":{"a":1}`), false},
		{"a Chinese note", with(`,"metadata":{"a":"茶"}`), false},
		{"a string for draft", with(`,"draft":"true"`), false},
		{"another case of true", with(`,"draft":True`), false},
		{"more than true", with(`,"draft":trueish`), false},
		{"instalments", with(`,"instalments":[{"amount":1},{"amount":2}]`), false},
		{"an unknown member", with(`,"x":1`), false},
	} {
		same(t, tt.name, api.ReadOrder([]byte(tt.body)), tt.plain)
	}
}

// TestPlainIsDecoded: whatever is read in one pass is decoded to the same.
func TestPlainIsDecoded(t *testing.T) {
	pieces := []string{
		`{`, `}`, `[`, `]`, `,`, `:`, ` `, "\n", `"userId"`, `"items"`, `"couponCodes"`, `"sku"`, `"quantity"`, `"best"`, `"a"`, `""`, `"\\"`, `1`, `0`, `01`, `1.0`, `-1`, `1000001`, `null`, "\x00", `"茶"`,
		`"draft"`, `"metadata"`, `"expiresIn"`, `"expectedPayableAmount"`, `true`, `false`, `truefalse`,
	}
	cart := []string{`{`, `"userId"`, `:`, `"u"`, `,`, `"items"`, `:`, `[`, `{`, `"sku"`, `:`, `"a"`, `,`, `"quantity"`, `:`, `1`, `}`, `]`, `,`, `"couponCodes"`, `:`, `[`, `"C"`, `,`, `"D"`, `]`, `}`}
	terms := []string{`,`, `"draft"`, `:`, `true`, `,`, `"expiresIn"`, `:`, `"1h"`, `,`, `"expectedPayableAmount"`, `:`, `1`, `,`, `"metadata"`, `:`, `{`, `"a"`, `:`, `"b"`, `}`, `}`}
	for name, kind := range map[string]struct {
		tokens []string
		read   func([]byte) api.Reading
	}{
		"quote": {cart, api.ReadQuote},
		"order": {append(slices.Clone(cart[:len(cart)-1]), terms...), api.ReadOrder},
	} {
		t.Run(name, func(t *testing.T) {
			plain := 0
			rapid.Check(t, func(t *rapid.T) {
				tokens := slices.Clone(kind.tokens)
				for range rapid.IntRange(0, 3).Draw(t, "changes") {
					at := rapid.IntRange(0, len(tokens)-1).Draw(t, "at")
					switch piece := rapid.SampledFrom(pieces).Draw(t, "piece"); rapid.IntRange(0, 2).Draw(t, "how") {
					case 0:
						tokens[at] = piece
					case 1:
						tokens[at] += piece
					case 2:
						tokens[at] = ""
					}
				}
				body := strings.Join(tokens, "")
				r := kind.read([]byte(body))
				if !r.Plain {
					return
				}
				plain++
				if diff := cmp.Diff(r.Decoded, r.Read); r.Err != nil || diff != "" {
					t.Fatalf("%s\n%v\n%s", body, r.Err, diff)
				}
			})
			if plain < 10 {
				t.Errorf("only %d were plain", plain)
			}
		})
	}
}
