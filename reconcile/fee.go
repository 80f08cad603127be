package reconcile

import (
	"cmp"
	"fmt"
	"math/bits"

	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/payment"
)

// wholeUnit is one minor unit in the thousandths that fees are written in.
const wholeUnit = 1000

// maxFeeUnit keeps the arithmetic within its bounds: a thousand minor units.
const maxFeeUnit = 1000 * wholeUnit

// all is a rate of one hundred percent, in millionths.
const all = 1_000_000

// feeOf is the fee of an amount (minor units) at a rate (millionths), in
// thousandths of a minor unit, rounded half up to unit (thousandths).
func feeOf(amount, rate, unit int64) int64 {
	// amount × rate / 1000 thousandths, in units of unit:
	// floor((2 × amount × rate + 1000 × unit) / (2 × 1000 × unit)).
	hi, lo := bits.Mul64(uint64(2*amount), uint64(rate))
	lo, carry := bits.Add64(lo, uint64(1000*unit), 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(2*1000*unit))
	return int64(q) * unit
}

// fee says what is wrong with a row's fee; "" if nothing is, or if nobody
// says what the fee should be.
//
// A refund gives back a share of the fee. Channels round the shares so that
// they add up over several refunds, and some keep the fee: one unit more or
// less, and none at all, are right.
func (o *Options) fee(t *payment.BillRow) string {
	rate, unit := o.Rate, cmp.Or(min(max(o.FeeUnit, 0), maxFeeUnit), wholeUnit)
	switch {
	case rate > 0 && t.Rate >= 0 && t.Rate != rate:
		return fmt.Sprintf("the rate is %d millionths, agreed are %d", t.Rate, rate)
	case rate <= 0:
		rate = t.Rate
	}
	if rate < 0 {
		return ""
	}
	if rate > all || t.Amount < 0 || t.Amount > money.Max {
		return fmt.Sprintf("a rate of %d millionths on %d cannot be", rate, t.Amount)
	}
	want := feeOf(t.Amount, rate, unit)
	if t.Kind == payment.BillPayment {
		if t.Fee == want {
			return ""
		}
	} else if want = -want; t.Fee == 0 || t.Fee <= 0 && t.Fee-want >= -unit && t.Fee-want <= unit {
		return ""
	}
	return fmt.Sprintf("the fee is %d thousandths; %d millionths of %d are %d", t.Fee, rate, t.Amount, want)
}
