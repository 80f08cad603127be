package trade

import (
	"container/list"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
)

// Movement is money that moved: a payment or, with Refund set, a refund that
// succeeded. It does not change. Bills are made of movements.
type Movement struct {
	At      time.Time
	Trade   *Trade
	Payment *Payment
	Refund  *Refund // nil: the payment
	Amount  int64   // fen that moved, in either direction
	Coupon  int64   // fen of it that the platform's coupon paid, or got back
	Fee     int64   // fen that the platform keeps of a payment, or gives back with a refund
	Balance int64   // fen of the merchant's account afterwards
}

// dayKey is a day, in China, of a protocol.
type dayKey struct{ protocol, day string }

// DayLayout is how days are written.
const DayLayout = time.DateOnly

// feeBasisPoints is the price of a payment, 0.60 %.
const feeBasisPoints = 60

// feeOf is the fee for an amount, rounded to fen, halves up.
func feeOf(amount int64) int64 { return (amount*feeBasisPoints + 5000) / 10000 }

// move records a movement. The fee of a refund is the difference in the fee of
// what is left, so that the whole payment gives back the whole fee.
func (b *Book) move(t *Trade, p *Payment, r *Refund, at time.Time) {
	name := t.Protocol.Name()
	m := &Movement{At: at, Trade: t, Payment: p, Refund: r, Amount: t.Amount, Coupon: p.Coupon, Fee: feeOf(t.Amount)}
	if r == nil {
		b.balances[name] += m.Amount - m.Fee
	} else {
		m.Amount, m.Coupon = r.Amount, r.Coupon
		m.Fee = feeOf(t.Amount-p.Returned) - feeOf(t.Amount-p.Returned-r.Amount)
		p.Returned += r.Amount
		b.balances[name] -= m.Amount - m.Fee
	}
	m.Balance = b.balances[name]
	key := dayKey{name, at.In(China).Format(DayLayout)}
	day := b.days[key]
	if day == nil {
		day = list.New()
		b.days[key] = day
	}
	t.moves = append(t.moves, entry{key, day.PushBack(m)})
}

// entry is where a trade's movement is kept.
type entry struct {
	day dayKey
	at  *list.Element
}

// forget takes a movement out of its day.
func (b *Book) forget(e entry) {
	day := b.days[e.day]
	day.Remove(e.at)
	if day.Len() == 0 {
		delete(b.days, e.day)
	}
}

// Movements are those of days in China, "2006-01-02", in the order in which
// they happened. Those of trades that made room for others are missing.
func (b *Book) Movements(p Protocol, days ...string) (out []*Movement) {
	for _, day := range days {
		kept := b.days[dayKey{p.Name(), day}]
		if kept == nil {
			continue
		}
		out = slices.Grow(out, kept.Len())
		for e := kept.Front(); e != nil; e = e.Next() {
			out = append(out, e.Value.(*Movement))
		}
	}
	return out
}

// Days are the last days on which money moved, at most limit, the newest
// first.
func (b *Book) Days(limit int) (days []string) {
	for key := range b.days {
		days = append(days, key.day)
	}
	slices.Sort(days)
	slices.Reverse(days)
	days = slices.Compact(days)
	return days[:min(limit, len(days))]
}

// Alter changes the rows of a bill as its faults want: in place, with copies
// of the rows that differ.
func Alter(rows []*Movement, taken []faults.Armed) []*Movement {
	for _, fault := range taken {
		i := slices.IndexFunc(rows, func(m *Movement) bool { return fault.OutTradeNo == "" || m.Trade.No == fault.OutTradeNo })
		if i < 0 {
			continue // the trade that it is for is not of this day
		}
		altered := *rows[i]
		switch fault.Fault {
		case faults.BillRowMissing:
			rows = slices.Delete(rows, i, i+1)
			continue
		case faults.BillRowTwice:
			rows = slices.Insert(rows, i, rows[i])
			continue
		case faults.BillRowExtra:
			rows = append(rows, stray(altered))
			continue
		case faults.BillAmountAltered:
			altered.Amount += 100
		case faults.BillFeeAltered:
			altered.Fee++
		default: // of the whole file
			continue
		}
		rows[i] = &altered
	}
	return rows
}

// stray is a payment as it would look that belongs to another merchant and got
// into this bill.
func stray(like Movement) *Movement {
	t, p := *like.Trade, *like.Payment
	t.No, p.TransactionID = "STRAY"+t.No[:min(27, len(t.No))], "42009"+p.TransactionID[5:]
	return &Movement{At: like.At, Trade: &t, Payment: &p, Amount: 100, Fee: feeOf(100), Balance: like.Balance}
}
