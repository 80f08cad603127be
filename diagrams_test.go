package tandem_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/reconcile"
	"github.com/tandem-pay/tandem/shop"
)

//go:generate go test -run TestDiagrams -update .
var update = flag.Bool("update", false, "write the diagrams and tables of the documents")

// TestDiagrams checks that the diagrams and tables in the documents are what
// the tables in the code say; with -update it writes them.
func TestDiagrams(t *testing.T) {
	for file, drawn := range map[string]map[string]string{
		"ARCHITECTURE.md": {
			"order": drawOrder(), "payment": drawPayment(), "refund": drawRefund(), "coupon": drawCoupon(), "packages": drawPackages(), "reactions": drawReactions(),
		},
		"docs/payments.md":         drawPaymentTables(t, false),
		"docs/payments.zh-CN.md":   drawPaymentTables(t, true),
		"docs/promotions.md":       {"kinds": drawKinds(false)},
		"docs/promotions.zh-CN.md": {"kinds": drawKinds(true)},
	} {
		t.Run(file, func(t *testing.T) { redraw(t, file, drawn) })
	}
}

func drawPaymentTables(t *testing.T, zh bool) map[string]string {
	return map[string]string{
		"settlements": drawSettlements(t, zh), "policies": drawPolicies(t, zh), "parked": drawParked(zh), "classes": drawClasses(zh),
	}
}

func redraw(t *testing.T, file string, drawn map[string]string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, what := range drawn {
		begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
		before, rest, ok := strings.Cut(text, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for %q", file, name)
		}
		text = before + begin + what + end + after
	}
	if text == string(b) {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: run make generate", file)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func drawRefund() string {
	var s states
	for _, t := range payment.RefundTransitions {
		s.edge(string(t.From), t.Verb, string(t.To))
	}
	return s.draw(string(payment.RefundPending))
}

// drawKinds is the table of the kinds of promotion.
func drawKinds(chinese bool) string {
	var b strings.Builder
	if chinese {
		b.WriteString("| 类型 | 步骤 | 参数 | 含义 |\n|---|---|---|---|\n")
	} else {
		b.WriteString("| kind | step | parameters | meaning |\n|---|---|---|---|\n")
	}
	for _, k := range pricing.Kinds() {
		title, about := k.Title, k.About
		if chinese {
			title, about = k.TitleZh, k.AboutZh
		}
		fmt.Fprintf(&b, "| `%s`<br>%s | %s | %s | %s |\n", k.Name, title, k.Step, drawParameters(k.Parameters, chinese), about)
	}
	return b.String()
}

func drawParameters(all []pricing.ParameterInfo, chinese bool) string {
	var list []string
	for _, p := range all {
		label, maybe, entries := p.Label, "", ""
		if chinese {
			label = p.LabelZh
		}
		if !p.Required {
			maybe = "?"
		}
		if len(p.Entries) > 0 {
			entries = fmt.Sprintf(" (%d–%d × {%s})", p.Min, p.Max, drawParameters(p.Entries, chinese))
		}
		list = append(list, fmt.Sprintf("`%s`%s %s%s", p.Name, maybe, label, entries))
	}
	return strings.Join(list, "; ")
}

// drawClasses is the table of what reconciliation can find.
func drawClasses(chinese bool) string {
	var b strings.Builder
	if chinese {
		b.WriteString("| 类别 | 含义 | 自动修正 | 怎么办 |\n|---|---|---|---|\n")
	} else {
		b.WriteString("| class | what it means | corrected | what to do |\n|---|---|---|---|\n")
	}
	for _, c := range reconcile.Classes {
		heals, meaning, do := "", c.Meaning, c.Do
		if chinese {
			meaning, do = c.MeaningZH, c.DoZH
		}
		if c.Heals {
			heals = map[bool]string{false: "yes", true: "是"}[chinese]
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Class, meaning, heals, do)
	}
	return b.String()
}

// drawSettlements is the table of what facts do to money, one line per step.
func drawSettlements(t *testing.T, zh bool) string {
	text := translator(t, zh)
	book := func(b app.Book) string {
		if zh {
			return booksInChinese[b]
		}
		return string(b)
	}
	var b strings.Builder
	if zh {
		b.WriteString("| 凭据 | 状态 | 资金变动与事件 |\n|---|---|---|\n")
	} else {
		b.WriteString("| fact | state | what moves, and the events |\n|---|---|---|\n")
	}
	for i := range app.Settlements {
		row := &app.Settlements[i]
		var steps []string
		for _, step := range row.Steps {
			var line string
			if step.From != "" {
				line = fmt.Sprintf("%s → %s: %s", book(step.From), book(step.To), text(step.Name))
			}
			events := make([]string, len(step.Events))
			for i, e := range step.Events {
				events[i] = "`" + string(e) + "`"
			}
			switch list := strings.Join(events, ", "); {
			case line == "":
				line = list
			case list != "":
				line += " (" + list + ")"
			}
			steps = append(steps, line)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", text(row.Fact), text(row.State.Text), strings.Join(steps, "<br>"))
	}
	return b.String()
}

// drawPolicies is the table of what a shop decides, from the tags that the
// API publishes.
func drawPolicies(t *testing.T, zh bool) string {
	text := translator(t, zh)
	var b strings.Builder
	if zh {
		b.WriteString("| 策略 | 取值，第一个为默认 | 决定什么 |\n|---|---|---|\n")
	} else {
		b.WriteString("| policy | values, the default first | what it decides |\n|---|---|---|\n")
	}
	for f := range reflect.TypeFor[shop.Policies]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", name, strings.ReplaceAll(f.Tag.Get("enum"), ",", "`, `"), text(f.Tag.Get("doc")))
	}
	return b.String()
}

// drawParked is the table of why a refund is parked.
func drawParked(zh bool) string {
	var b strings.Builder
	if zh {
		b.WriteString("| 搁置原因 | 怎么办 |\n|---|---|\n")
	} else {
		b.WriteString("| parked | what to do |\n|---|---|\n")
	}
	for _, p := range payment.Parkings {
		advice := p.Advice()
		if zh {
			advice = p.AdviceZh()
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", p, advice)
	}
	return b.String()
}

type states struct {
	strings.Builder
	edges map[[2]string][]string
	order [][2]string
}

// edge adds a verb; verbs between the same states share one arrow.
func (s *states) edge(from, verb, to string) {
	if from == to {
		return
	}
	k := [2]string{from, to}
	if s.edges == nil {
		s.edges = map[[2]string][]string{}
	}
	if _, have := s.edges[k]; !have {
		s.order = append(s.order, k)
	}
	s.edges[k] = append(s.edges[k], verb)
}

func (s *states) draw(first ...string) string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, f := range first {
		fmt.Fprintf(&b, "    [*] --> %s\n", f)
	}
	for _, k := range s.order {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", k[0], k[1], strings.Join(s.edges[k], ", "))
	}
	return b.String() + "```\n"
}

func drawOrder() string {
	var s states
	for _, t := range order.Transitions {
		s.edge(string(t.From), string(t.Verb), string(t.To))
	}
	return s.draw(string(order.Draft), string(order.PendingPayment))
}

func drawPayment() string {
	var s states
	for _, t := range payment.Transitions {
		s.edge(string(t.From), t.Verb, string(t.To))
	}
	return s.draw(string(payment.StatusCreated))
}

func drawCoupon() string {
	var s states
	for _, t := range marketing.Transitions {
		s.edge(string(t.From), t.Verb, string(t.To))
	}
	return s.draw(string(marketing.Available))
}

func drawPackages() string {
	var b strings.Builder
	b.WriteString("| package | may import |\n|---|---|\n")
	names := make([]string, 0, len(packages))
	for name := range packages {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		may := slices.Clone(packages[name])
		slices.Sort(may)
		list := strings.Join(may, ", ")
		if list == "" {
			list = "none"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, list)
	}
	return b.String()
}

func drawReactions() string {
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart LR\n")
	for _, r := range app.Reactions {
		for _, on := range r.On {
			fmt.Fprintf(&b, "    %s([%s]) --> %s[%s]\n", strings.ReplaceAll(string(on), ".", "_"), on, r.Name, r.Name)
		}
	}
	return b.String() + "```\n"
}
