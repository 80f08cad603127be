package push

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

// Whatever a client sends is either understood or refused by a fault of its
// own making, and never both names two things and passes.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"type":"auth","token":"ct_x"}`, `{"type":"subscribe","orderNo":"o1","after":7}`, `{"type":"subscribe","shop":true,"after":"0-7"}`,
		`{"type":"subscribe","userId":"u","after":"x"}`, `{"type":"unsubscribe"}`, `null`, `[]`, `{"type":1}`, `{"type":"subscribe","after":1e99}`, `{}{}`, "\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		q, err := parse(data)
		if err != nil {
			if no := fault.From(err); no.Kind() != fault.KindInvalid || no.Message == "" {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		if q.seq != nil && (*q.seq < 0 || q.User != "" || q.Shop) || q.place != nil && q.User == "" && !q.Shop {
			t.Fatalf("%q: %+v", data, q)
		}
		if q.Order != "" && (q.User != "" || q.Shop) || len(q.Order) > maxName || len(q.User) > maxName || q.Type == "auth" && q.Token == "" {
			t.Fatalf("%q: %+v", data, q)
		}
	})
}

// Every event of an order, a payment or a refund that there is has a
// text for the buyer.
func TestWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../event/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		name, _ := strconv.Unquote(lit.Value)
		if !strings.HasPrefix(name, "order.") && !strings.HasPrefix(name, "payment.") && !strings.HasPrefix(name, "refund.") {
			return true
		}
		found++
		if w := messages[event.Type(name)]; w[zh] == "" || w[en] == "" {
			t.Errorf("%s: no text", name)
		}
		return true
	})
	if found < 21 {
		t.Errorf("found %d events", found)
	}
	if message("order.sung", zh) == "" || message("order.sung", en) == "" {
		t.Error("an event without a text of its own has no message")
	}
}
