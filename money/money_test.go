package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAdd(t *testing.T) {
	for _, c := range []struct {
		a, b, want int64
		over       bool
	}{
		{1, 2, 3, false},
		{-1, -2, -3, false},
		{Max, 0, Max, false},
		{Max, -Max, 0, false},
		{Max, 1, 0, true},
		{-Max, -1, 0, true},
		{Max + 1, -1, 0, true},
		{math.MaxInt64, math.MaxInt64, 0, true},
		{math.MinInt64, math.MinInt64, 0, true},
	} {
		got, err := Add(c.a, c.b)
		if got != c.want || errors.Is(err, ErrOverflow) != c.over {
			t.Errorf("%d + %d = %d, %v", c.a, c.b, got, err)
		}
	}
}

func TestMul(t *testing.T) {
	for _, c := range []struct {
		a, b, want int64
		fails      bool
	}{
		{3, 4, 12, false},
		{0, math.MaxInt64, 0, false},
		{Max, 1, Max, false},
		{Max, 2, 0, true},
		{Max/2 + 1, 2, 0, true},
		{1 << 40, 1 << 40, 0, true}, // past 64 bits
		{1 << 32, 1 << 31, 0, true}, // past 63
		{-1, 1, 0, true},
		{1, -1, 0, true},
	} {
		got, err := Mul(c.a, c.b)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%d × %d = %d, %v", c.a, c.b, got, err)
		}
	}
}

func TestMulDiv(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, math.MaxInt64).Draw(t, "a")
		c := rapid.Int64Range(1, math.MaxInt64).Draw(t, "c")
		b := rapid.Int64Range(0, c).Draw(t, "b")
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		want.Div(want, big.NewInt(c))
		if got := MulDiv(a, b, c); got != want.Int64() {
			t.Fatalf("%d × %d / %d = %d, want %s", a, b, c, got, want)
		}
	})
}

func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		name    string
		total   int64
		weights []int64
		want    []int64
	}{
		{"nothing to give", 0, []int64{1, 2}, []int64{0, 0}},
		{"nobody to give to", 5, []int64{}, []int64{}},
		{"exact", 6, []int64{1, 2, 3}, []int64{1, 2, 3}},
		{"largest remainder", 10, []int64{1, 2, 4}, []int64{1, 3, 6}},
		{"ties to the lower index", 2, []int64{1, 1, 1}, []int64{1, 1, 0}},
		{"ties among many", 20, slices.Repeat([]int64{1}, 40), slices.Concat(slices.Repeat([]int64{1}, 20), make([]int64, 20))},
		{"a weight of 0 gets nothing", 1, []int64{0, 5, 0}, []int64{0, 1, 0}},
		{"no weights: all to the first", 7, []int64{0, 0}, []int64{7, 0}},
		{"more than the weights", 7, []int64{1, 1}, []int64{4, 3}},
		{"products past 64 bits", Max, []int64{Max / 2, Max / 2}, []int64{Max / 2, Max / 2}},
		{"a thousand of the largest", Max, slices.Repeat([]int64{Max}, 1000), slices.Repeat([]int64{Max / 1000}, 1000)},
	} {
		got := slices.Repeat([]int64{-1}, len(c.weights)) // whatever was there goes
		Allocate(c.total, c.weights, got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Each share is its exact part, rounded down or up; they add up to the total;
// a share that was rounded up has no smaller a remainder than one that was
// rounded down, nor the same at a higher index; and none passes its weight
// when the total does not pass the sum.
func TestAllocateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int64{3, 1000, 99999, Max}).Draw(t, "most")
		least := rapid.SampledFrom([]int{1, 40}).Draw(t, "least") // short and long are sorted in two ways
		weights := rapid.SliceOfN(rapid.Int64Range(0, most), least, 60).Draw(t, "weights")
		total := rapid.Int64Range(0, Max).Draw(t, "total")
		var sum int64
		for _, w := range weights {
			sum += w
		}
		if sum == 0 {
			return
		}
		if rapid.Bool().Draw(t, "within") {
			total %= sum + 1
		}
		out := make([]int64, len(weights))
		Allocate(total, weights, out)

		left := total
		var lastUp, firstDown *big.Int // smallest remainder up, largest down
		lastUpAt, firstDownAt := -1, len(weights)
		for i, w := range weights {
			left -= out[i]
			if total <= sum && out[i] > w {
				t.Fatalf("share %d is %d of a weight of %d", i, out[i], w)
			}
			exact := new(big.Int).Mul(big.NewInt(total), big.NewInt(w))
			floor, rest := new(big.Int).DivMod(exact, big.NewInt(sum), new(big.Int))
			switch out[i] - floor.Int64() {
			case 0:
				if firstDown == nil || rest.Cmp(firstDown) > 0 {
					firstDown, firstDownAt = rest, i
				}
			case 1:
				if lastUp == nil || rest.Cmp(lastUp) <= 0 {
					lastUp, lastUpAt = rest, i
				}
			default:
				t.Fatalf("share %d is %d, its exact part %s", i, out[i], floor)
			}
		}
		if left != 0 {
			t.Fatalf("%d is left of %d", left, total)
		}
		if lastUp != nil && firstDown != nil {
			if d := lastUp.Cmp(firstDown); d < 0 || d == 0 && lastUpAt > firstDownAt {
				t.Fatalf("share %d was rounded up before share %d: %v", lastUpAt, firstDownAt, out)
			}
		}
	})
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		text string
		want Percent
		out  string // "" for an error
	}{
		{"0", 0, "0"},
		{"12.5", 1250, "12.5"},
		{"12.50", 1250, "12.5"},
		{"0.01", 1, "0.01"},
		{"10", 1000, "10"},
		{"10.05", 1005, "10.05"},
		{"100", Whole, "100"},
		{"100.00", Whole, "100"},
		{"100.01", 0, ""},
		{"0.001", 0, ""},
		{"1e1", 0, ""},
		{"-1", 0, ""},
		{"+1", 0, ""},
		{".5", 0, ""},
		{"5.", 0, ""},
		{"", 0, ""},
		{`"5"`, 0, ""},
		{"null", 0, ""},
		{"99999999999999999999", 0, ""},
	} {
		got, err := ParsePercent(c.text)
		if got != c.want || (err == nil) != (c.out != "") || err == nil && got.String() != c.out {
			t.Errorf("%q is %d (%s), %v", c.text, got, got, err)
		}
	}
}

func TestPercentJSON(t *testing.T) {
	type body struct {
		Off *Percent `json:"off,omitempty"`
	}
	for _, c := range []struct{ text, want string }{
		{`{"off":12.50}`, `{"off":12.5}`},
		{`{"off":0}`, `{"off":0}`},
		{`{"off":null}`, `{}`},
		{`{}`, `{}`},
		{`{"off":12.345}`, ""},
		{`{"off":1e1}`, ""},
		{`{"off":"12"}`, ""},
		{`{"off":-1}`, ""},
		{`{"off":101}`, ""},
	} {
		var b body
		err := json.Unmarshal([]byte(c.text), &b)
		if (err != nil) != (c.want == "") {
			t.Errorf("%s: %v", c.text, err)
		} else if err == nil {
			if out, err := json.Marshal(b); err != nil || string(out) != c.want {
				t.Errorf("%s became %s, %v", c.text, out, err)
			}
		}
	}
}

func TestPercentOf(t *testing.T) {
	for _, c := range []struct {
		p    Percent
		base int64
		want int64
	}{
		{1000, 100, 10},
		{1000, 99, 9},
		{1, 9999, 0},
		{1, 10000, 1},
		{Whole, Max, Max},
		{0, Max, 0},
		{3333, Max, 333_300_000_000_000},
	} {
		if got := c.p.Of(c.base); got != c.want {
			t.Errorf("%s %% of %d is %d, want %d", c.p, c.base, got, c.want)
		}
	}
}

func TestYuan(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"88.88", 8888, true},
		{"1", 100, true},
		{"1.0", 100, true},
		{"0.01", 1, true},
		{"10000000000000.00", Max, true},
		{"10000000000000.01", 0, false},
		{"99999999999999999999999", 0, false},
		{"1.001", 0, false},
		{"-1", 0, false},
		{"+1", 0, false},
		{"1e2", 0, false},
		{"1,00", 0, false},
		{" 1", 0, false},
		{"1.", 0, false},
		{".1", 0, false},
		{"1.2.3", 0, false},
		{"１", 0, false}, // full-width
		{"", 0, false},
	} {
		got, err := ParseYuan(c.text)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q is %d, %v", c.text, got, err)
		}
	}
}

func TestFormatYuan(t *testing.T) {
	for _, c := range []struct {
		minor int64
		want  string
	}{
		{0, "0.00"},
		{5, "0.05"},
		{-5, "-0.05"},
		{8888, "88.88"},
		{-10000, "-100.00"},
		{Max, "10000000000000.00"},
		{math.MinInt64, "-92233720368547758.08"},
	} {
		if got := FormatYuan(c.minor); got != c.want {
			t.Errorf("%d is %s, want %s", c.minor, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(0, Max).Draw(t, "v")
		if got, err := ParseYuan(FormatYuan(v)); got != v || err != nil {
			t.Fatalf("%d came back as %d, %v", v, got, err)
		}
	})
}
