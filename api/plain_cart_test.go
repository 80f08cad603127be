package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/api"
)

// TestPlainCarts: what is written as nearly everybody does is read by hand;
// whatever is not is left alone.
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
		byHand, plainly, whole, err := api.ReadQuote([]byte(tt.body))
		if plainly != tt.plain {
			t.Errorf("%s: plain %v", tt.name, plainly)
		}
		if diff := cmp.Diff(whole, byHand); plainly && (err != nil || diff != "") {
			t.Errorf("%s: %v\n%s", tt.name, err, diff)
		}
	}
}

// TestPlainIsWhole: whatever is read by hand, the long way reads the same.
func TestPlainIsWhole(t *testing.T) {
	pieces := []string{
		`{`, `}`, `[`, `]`, `,`, `:`, ` `, "\n", `"userId"`, `"items"`, `"couponCodes"`, `"sku"`, `"quantity"`, `"best"`, `"a"`, `""`, `"\\"`, `1`, `0`, `01`, `1.0`, `-1`, `1000001`, `null`, "\x00", `"茶"`,
	}
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		tokens := []string{`{`, `"userId"`, `:`, `"u"`, `,`, `"items"`, `:`, `[`, `{`, `"sku"`, `:`, `"a"`, `,`, `"quantity"`, `:`, `1`, `}`, `]`, `,`, `"couponCodes"`, `:`, `[`, `"C"`, `,`, `"D"`, `]`, `}`}
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
		byHand, plainly, whole, err := api.ReadQuote([]byte(body))
		if !plainly {
			return
		}
		plain++
		if diff := cmp.Diff(whole, byHand); err != nil || diff != "" {
			t.Fatalf("%s\n%v\n%s", body, err, diff)
		}
	})
	if plain < 10 {
		t.Errorf("only %d were plain", plain)
	}
}
