package tandem_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

//go:generate go test -run TestDiagrams -update .
var update = flag.Bool("update", false, "draw the diagrams of ARCHITECTURE.md anew")

// TestDiagrams: the pictures in ARCHITECTURE.md are drawn from the tables
// that the code obeys.
func TestDiagrams(t *testing.T) {
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, diagram := range map[string]string{
		"order": drawOrder(), "payment": drawPayment(), "coupon": drawCoupon(), "rooms": drawRooms(), "reactions": drawReactions(),
	} {
		begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
		before, rest, ok := strings.Cut(text, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("ARCHITECTURE.md has no place for %q", name)
		}
		text = before + begin + diagram + end + after
	}
	if text == string(b) {
		return
	}
	if !*update {
		t.Fatal("ARCHITECTURE.md shows what was: run make generate")
	}
	if err := os.WriteFile("ARCHITECTURE.md", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
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

func (s *states) draw(first string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "```mermaid\nstateDiagram-v2\n    [*] --> %s\n", first)
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
	return s.draw(string(order.PendingPayment))
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

func drawRooms() string {
	var b strings.Builder
	b.WriteString("| room | may import |\n|---|---|\n")
	names := make([]string, 0, len(rooms))
	for name := range rooms {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		may := slices.Clone(rooms[name])
		slices.Sort(may)
		list := strings.Join(may, ", ")
		if list == "" {
			list = "nothing of ours"
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
