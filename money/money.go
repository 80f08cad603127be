// Package money holds amounts of money and the arithmetic that is safe for
// them. An amount is an int64 of minor units (fen for CNY); there is no float
// anywhere. Every sum and product is checked: an operation that would pass
// Max is an error, never a wrapped number.
//
// The package promises that Allocate hands out exactly what it was given, to
// the last minor unit, and that no share is larger than its weight when the
// total is not larger than the sum of the weights.
package money

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Max is the largest amount that anything in Tandem may have: ten trillion
// major units of a two-decimal currency. It allows to add nine thousand
// such amounts before an int64 could overflow.
const Max int64 = 1_000_000_000_000_000

// ErrOverflow says that a sum or product passes Max.
var ErrOverflow = errors.New("amount is too large")

// Add returns a+b. Both must be within ±Max; so is the result, or the error
// is ErrOverflow.
func Add(a, b int64) (int64, error) {
	if a > Max || b > Max || a < -Max || b < -Max {
		return 0, ErrOverflow
	}
	s := a + b
	if s > Max || s < -Max {
		return 0, ErrOverflow
	}
	return s, nil
}

// Mul returns unit×quantity for unit ≥ 0 and quantity ≥ 0, or ErrOverflow.
func Mul(unit, quantity int64) (int64, error) {
	if unit < 0 || quantity < 0 {
		return 0, fmt.Errorf("negative factor: %d × %d", unit, quantity)
	}
	hi, lo := bits.Mul64(uint64(unit), uint64(quantity))
	if hi != 0 || lo > uint64(Max) {
		return 0, ErrOverflow
	}
	return int64(lo), nil
}

// MulDiv returns floor(a×b/c) for a, b ≥ 0 and c > 0, without overflow in
// between. The quotient must fit an int64, which it does whenever b ≤ c.
func MulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}

// Allocate spreads total over the weights in proportion, by largest
// remainder; ties go to the lower index. The shares are written to out, which
// must have the length of weights, and add up to exactly total. All weights
// and total must be ≥ 0. When no weight is positive and total is not 0 the
// whole total goes to the first share.
//
// Source of the rule: the largest remainder (Hamilton) method.
func Allocate(total int64, weights, out []int64) {
	var sum int64
	for _, w := range weights {
		sum += w
	}
	clear(out)
	if total == 0 || len(weights) == 0 {
		return
	}
	if sum == 0 {
		out[0] = total
		return
	}
	left := total
	var buf [32]remainder
	rests := buf[:0]
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		var q, r uint64
		if hi == 0 { // nearly always, and several times as fast
			q, r = lo/uint64(sum), lo%uint64(sum)
		} else {
			q, r = bits.Div64(hi, lo, uint64(sum))
		}
		out[i] = int64(q)
		left -= int64(q)
		if r > 0 {
			rests = append(rests, remainder{i, r})
		}
	}
	if left == 0 {
		return
	}
	sortLargestFirst(rests)
	for _, r := range rests[:left] {
		out[r.index]++
	}
}

// remainder is what the division left over for one weight.
type remainder struct {
	index int
	of    uint64
}

// sortLargestFirst is stable. For the length of an ordinary cart it inserts
// by hand: this is what the pricing of a large cart spends its time on.
func sortLargestFirst(rests []remainder) {
	if len(rests) > 32 {
		slices.SortStableFunc(rests, func(a, b remainder) int { return cmp.Compare(b.of, a.of) })
		return
	}
	for i := 1; i < len(rests); i++ {
		r, j := rests[i], i
		for ; j > 0 && rests[j-1].of < r.of; j-- {
			rests[j] = rests[j-1]
		}
		rests[j] = r
	}
}

// Percent is a percentage in hundredths of a percent: 12.5 % is 1250. It has
// at most two decimals and is written in JSON as a plain number (12.5).
type Percent int64

// Whole is one hundred percent.
const Whole Percent = 10_000

// Of returns floor(base × p / 100 %), for base ≥ 0 and 0 ≤ p ≤ Whole.
func (p Percent) Of(base int64) int64 { return MulDiv(base, int64(p), int64(Whole)) }

// String returns the percentage without its sign, with no needless zeros:
// "12.5".
func (p Percent) String() string {
	s := FormatYuan(int64(p))
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// ParsePercent reads "12.5" as 1250. More than two decimals, a sign, an
// exponent or anything above 100 is an error.
func ParsePercent(s string) (Percent, error) {
	v, err := parseDecimal(s, 2)
	if err != nil || v > int64(Whole) {
		return 0, fmt.Errorf("percentage %q: must be a number from 0 to 100 with at most two decimals", s)
	}
	return Percent(v), nil
}

// MarshalJSON writes the percentage as a number.
func (p Percent) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalJSON reads a number, as ParsePercent does; it never goes through
// a float.
func (p *Percent) UnmarshalJSON(b []byte) error {
	v, err := ParsePercent(string(b))
	if err != nil {
		return err
	}
	*p = v
	return nil
}

// ParseYuan reads a decimal amount of major units with at most two decimals
// ("88.88", "1", "1.0") as minor units. It is for input and output in
// yuan; signs and exponents are errors.
func ParseYuan(s string) (int64, error) {
	v, err := parseDecimal(s, 2)
	if err != nil {
		return 0, fmt.Errorf("amount %q: %w", s, err)
	}
	return v, nil
}

// FormatYuan writes minor units as major units with two decimals: 8888 is
// "88.88", -5 is "-0.05".
func FormatYuan(minor int64) string {
	var buf [24]byte
	b := buf[:0]
	u := uint64(minor)
	if minor < 0 {
		b, u = append(b, '-'), -u
	}
	b = strconv.AppendUint(b, u/100, 10)
	b = append(b, '.', byte('0'+u/10%10), byte('0'+u%10))
	return string(b)
}

// parseDecimal reads digits[.digits] as an integer of 10^-decimals.
func parseDecimal(s string, decimals int) (int64, error) {
	whole, frac, dot := strings.Cut(s, ".")
	if whole == "" || dot && frac == "" || len(frac) > decimals {
		return 0, errors.New("want digits with at most two decimals")
	}
	frac += strings.Repeat("0", decimals-len(frac))
	var v int64
	for _, c := range []byte(whole + frac) {
		if c < '0' || c > '9' {
			return 0, errors.New("want digits with at most two decimals")
		}
		v = v*10 + int64(c-'0')
		if v > Max {
			return 0, ErrOverflow
		}
	}
	return v, nil
}
