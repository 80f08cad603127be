package random

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// The strings are of the alphabet, all of it, and the same reader gives the
// same ones.
func TestRandom(t *testing.T) {
	seeded := func() *Source { return New(&counter{}) }
	if a, b := seeded().Text(32, Alnum), seeded().Text(32, Alnum); a != b || strings.Trim(a, Alnum) != "" {
		t.Errorf("%q %q", a, b)
	}
	drawn := New(rand.NewChaCha8([32]byte{})).Text(5000, Digits)
	for _, d := range Digits {
		if n := strings.Count(drawn, string(d)); n < 440 || n > 560 {
			t.Errorf("%c came up %d times", d, n)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an empty reader did not panic")
		}
	}()
	New(strings.NewReader("")).Text(1, Digits)
}

type counter struct{ n byte }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		c.n += 37
		p[i] = c.n
	}
	return len(p), nil
}
