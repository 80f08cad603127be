// Package chaos checks that all money ends up where it belongs. It takes thousands of
// orders through both channels of a server whose sandbox injects every fault
// that it has into calls, payments, callbacks and refunds, at random from a
// seed; it plays the buyers, the shop, and the operator who handles
// what is parked; it moves the clock until everything is at rest; and then it
// compares what the buyers' wallets say (the gateway's trades) with what the
// orders say, and every day's bills with the books.
//
// It promises that a run is passed only if every buyer has either a paid order
// or their money back, nothing is in suspense, no refund is left pending, and
// reconciliation has left no difference that the operator's own acts do not
// explain. The audit of the database is for whoever started the server.
//
// The seed decides what every buyer does and which faults are drawn. The
// interleaving is the machine's: two runs of one seed are alike, not equal.
package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/sandbox/faults"
)

// Options of a run. Zero fields take the defaults given.
type Options struct {
	Seed    uint64
	Orders  int     // 20,000
	Clients int     // 32
	Rate    float64 // of operations with a fault: 0.08
}

// Bounds of a run.
const (
	skus        = 40
	stock       = 100_000_000
	restRounds  = 90 // of moving the clock
	quietRounds = 3  // without anything open: it is at rest
	chaosRounds = 12 // of moving the clock while faults are still injected
	smallSteps  = 25
	step        = 7 * time.Minute
	longest     = 12 * time.Hour
	settleTime  = 120 * time.Millisecond // of the computer's, between polls
	settlePolls = 2                      // that must find the same
	manyPolls   = 40                     // at most, in the first rounds
	fewPolls    = 12                     // at most, later
)

// injected are all the faults that a shop recovers from, by itself or with an
// operator. Of the bill's, those that make it unreadable: a bill with wrong
// money is the channel's own mistake, and shows as a difference.
var injected = []faults.Fault{
	faults.TimeoutAfterCommit, faults.TimeoutNoEffect, faults.Error500NoEffect,
	faults.Error500WithEffect, faults.RateLimited, faults.CorruptSignature,
	faults.SigntestSignature, faults.Unsigned, faults.Slow, faults.HalfAnswer, faults.HugeAnswer,
	faults.Lost, faults.Duplicated, faults.ConcurrentDuplicate, faults.Delayed,
	faults.Reordered, faults.RefundBeforePayment, faults.SigntestProbe, faults.SecondID,
	faults.PayAfterClose, faults.SecondPayment, faults.PaidTwice, faults.PlatformCoupon,
	faults.InsufficientBalance, faults.UserAccountClosed, faults.RefundAbnormal, faults.RefundClosed, faults.RefundNeverEnds,
	faults.BillBadCount, faults.BillBadHash, faults.BillTruncated, faults.BillWrongEncoding, faults.BillZipBomb,
}

// Run does all of it and reports. The error is of the run itself; what went
// wrong with money is in Report.Wrong.
func Run(ctx context.Context, t load.Target, o Options, progress load.Progress) (*Report, error) {
	if o.Orders <= 0 {
		o.Orders = 20_000
	}
	if o.Clients <= 0 {
		o.Clients = 32
	}
	if o.Rate <= 0 {
		o.Rate = 0.08
	}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	r := &run{
		c: newClient(t), o: o, progress: progress, began: time.Now(),
		report: &Report{
			Seed:     o.Seed,
			Orders:   o.Orders,
			Rate:     o.Rate,
			Ends:     map[string]int{},
			Refunds:  map[string]int{},
			Operator: map[string]int{},
			Classes:  map[string]int{},
		},
		byHand:  map[string]int64{},
		retried: map[string]int{},
	}
	for _, stage := range []func(context.Context) error{r.prepare, r.lives, r.rest, r.reconcile, r.check} {
		if err := stage(ctx); err != nil {
			return nil, err
		}
	}
	r.report.Calls, r.report.Repeats = r.c.calls.Load(), r.c.repeats.Load()
	r.report.Seconds = time.Since(r.began).Seconds()
	return r.report, nil
}

type run struct {
	c        *client
	o        Options
	progress load.Progress
	began    time.Time
	report   *Report

	start    time.Time        // of the moved clock
	orders   []string         // numbers, by place; "" if it was not placed
	byHand   map[string]int64 // minor units that the operator paid by hand, by order
	handled  map[string]bool
	retried  map[string]int // by refund
	injected map[string]map[string]int
	left     []string          // what was open at the last poll
	last     map[string]string // what the runs over a day found when last run
}

// prepare makes the shop, its policies by the seed, and switches chance on.
func (r *run) prepare(ctx context.Context) error {
	p := rand.New(rand.NewPCG(r.o.Seed, 0))
	pick := func(values ...string) string { return values[p.IntN(len(values))] }
	policies := map[string]string{
		"latePayment": pick("refund", "revive"), "refundSplit": pick("newest_first", "proportional"),
		"refundedStock": pick("return", "keep_out"), "instalmentGoods": pick("all_parts", "first_part"),
	}
	r.report.Policies = policies
	if err := r.c.must(ctx, "PUT", "/v1/shop/policies", "", policies, nil); err != nil {
		return err
	}
	for i := range skus {
		body := map[string]any{"name": fmt.Sprint("Chaos ", i), "price": 500 + 137*i, "stock": stock}
		if err := r.c.must(ctx, "PUT", "/v1/skus/"+sku(i), "", body, nil); err != nil {
			return err
		}
	}
	template := map[string]any{"id": "chaos", "name": "Chaos", "kind": "amount_off", "amountOff": 200, "returnOnRefund": true}
	if err := r.c.must(ctx, "POST", "/v1/coupon-templates", "t", template, nil); err != nil {
		return err
	}
	codes := make([]string, 0, 1000)
	issue := func() error {
		if len(codes) == 0 {
			return nil
		}
		err := r.c.must(ctx, "POST", "/v1/coupons", codes[0], map[string]any{"templateId": "chaos", "codes": codes}, nil)
		codes = codes[:0]
		return err
	}
	for i := 0; i < r.o.Orders; i += 3 {
		if codes = append(codes, coupon(i)); len(codes) == cap(codes) {
			if err := issue(); err != nil {
				return err
			}
		}
	}
	if err := issue(); err != nil {
		return err
	}
	now, err := r.advance(ctx, time.Second)
	if err != nil {
		return err
	}
	r.start = now
	return r.c.must(ctx, "POST", "/sandbox/chaos", "", map[string]any{"seed": r.o.Seed, "rate": r.o.Rate, "faults": injected}, nil)
}

func sku(i int) string    { return fmt.Sprintf("chaos-%02d", i) }
func coupon(i int) string { return fmt.Sprintf("CHAOS-%d", i) }

// lives lets every buyer do what the seed says, some at a time, while the
// clock runs fast.
func (r *run) lives(ctx context.Context) error {
	r.orders = make([]string, r.o.Orders)
	var next, done atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, r.o.Clients+1)
	for range r.o.Clients {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(r.o.Orders) && ctx.Err() == nil; i = next.Add(1) - 1 {
				b := &buyer{r: r, i: int(i), dice: rand.New(rand.NewPCG(r.o.Seed, uint64(i)+1))}
				if err := b.live(ctx); err != nil {
					errs <- fmt.Errorf("order %d: %w", i, err)
					return
				}
				r.progress("lives", done.Add(1), int64(r.o.Orders))
			}
		})
	}
	clockCtx, stop := context.WithCancel(ctx)
	defer stop()
	var clock sync.WaitGroup
	clock.Go(func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-clockCtx.Done():
				return
			case <-tick.C:
				if _, err := r.advance(clockCtx, 15*time.Second); err != nil && clockCtx.Err() == nil {
					errs <- err
					return
				}
			}
		}
	})
	wg.Wait()
	stop()
	clock.Wait()
	close(errs)
	if err := ctx.Err(); err != nil {
		return err
	}
	return <-errs
}

// advance moves the server's clock, and the gateway's with it.
func (r *run) advance(ctx context.Context, d time.Duration) (time.Time, error) {
	var at struct{ Now time.Time }
	err := r.c.must(ctx, "POST", "/v1/test/clock", "", map[string]any{"advance": d.String()}, &at)
	return at.Now, err
}

// rest moves the clock until nothing is open any more. Chance goes on for the
// first rounds, then the channels are well and all can end.
func (r *run) rest(ctx context.Context) error {
	quiet := 0
	for round := range restRounds {
		if round == chaosRounds {
			if err := r.calm(ctx); err != nil {
				return err
			}
		}
		// Instalments fall due in weeks: what is left after the first hours is
		// waited for in longer and longer steps.
		if _, err := r.advance(ctx, min(longest, step<<min(10, max(0, round-smallSteps)))); err != nil {
			return err
		}
		if err := r.settle(ctx, round); err != nil {
			return fmt.Errorf("not at rest after %d rounds, open: %v: %w", round, r.left[:min(len(r.left), 5)], err)
		}
		open, err := r.operate(ctx, round > chaosRounds)
		if err != nil {
			return err
		}
		r.progress("rest", int64(round)+1, restRounds)
		if quiet++; open > 0 {
			quiet = 0
		}
		if quiet >= quietRounds && round > chaosRounds {
			r.report.RestRounds += round
			return nil
		}
	}
	return fmt.Errorf("not at rest after %d rounds of moving the clock; open: %v", restRounds, r.left[:min(len(r.left), 5)])
}

// settle waits until the server has done what became due: until nothing has
// changed for a few polls, but not for ever, because time passes by itself as
// well, and among thousands of orders something always falls due. A clock that
// is moved over the server's head would only show how fast it is.
func (r *run) settle(ctx context.Context, round int) error {
	last, same := "", 0
	polls := manyPolls
	if round > smallSteps {
		polls = fewPolls
	}
	for range polls {
		if same == settlePolls {
			break
		}
		select {
		case <-time.After(settleTime):
		case <-ctx.Done():
			return ctx.Err()
		}
		now, err := r.c.pulse(ctx)
		if err != nil {
			return err
		}
		if same++; now != last {
			same = 0
		}
		last = now
	}
	return nil
}

// calm switches chance off and keeps what it has done.
func (r *run) calm(ctx context.Context) error {
	var v struct{ Injected map[string]map[string]int }
	if err := r.c.must(ctx, "GET", "/sandbox/chaos", "", nil, &v); err != nil {
		return err
	}
	if r.injected == nil {
		r.injected = v.Injected
		r.report.Injected = map[string]int{}
		for op, of := range v.Injected {
			for fault, n := range of {
				r.report.Injected[fault] += n
				r.report.InjectedOps = append(r.report.InjectedOps, fmt.Sprint(op, " ", fault, " ", n))
			}
		}
		slices.Sort(r.report.InjectedOps)
	}
	return r.c.must(ctx, "DELETE", "/sandbox/chaos", "", nil, nil)
}

// reconcile goes through the bills of every day and both channels, heals what
// they heal, lets that come to rest, and goes through them again, until a
// round finds nothing new. The first bills are spoiled on the way.
func (r *run) reconcile(ctx context.Context) error {
	for round := range 6 {
		now, err := r.advance(ctx, 26*time.Hour)
		if err != nil {
			return err
		}
		if round == 0 {
			for _, f := range []faults.Fault{faults.BillTruncated, faults.BillBadHash, faults.BillZipBomb} {
				if err := r.c.must(ctx, "POST", "/sandbox/faults", "", map[string]any{"op": faults.Bill, "fault": f, "count": 1}, nil); err != nil {
					return err
				}
			}
		}
		changed := false
		days := int(now.Sub(r.start).Hours()/24) + 1
		for d := range days {
			day := r.start.In(china).AddDate(0, 0, d)
			y, m, date := day.Date()
			if now.Before(time.Date(y, m, date+1, 10, 0, 0, 0, china)) {
				break // the channels have no bill of it yet
			}
			for _, channel := range channels {
				again, err := r.reconcileDay(ctx, channel, day.Format(time.DateOnly))
				if err != nil {
					return err
				}
				changed = changed || again
			}
			r.progress("reconcile", int64(d)+1, int64(days))
		}
		if err := r.rest(ctx); err != nil {
			return err
		}
		if !changed && round > 0 {
			break
		}
	}
	return r.explain(ctx)
}

var china = time.FixedZone("+08:00", 8*60*60)

var channels = []string{"wechatpay", "alipay"}

// reconcileDay says whether the day healed something.
func (r *run) reconcileDay(ctx context.Context, channel, day string) (changed bool, err error) {
	var d struct {
		Status  string
		Error   string
		Runs    int
		Summary struct {
			TheirPayments, TheirRefunds struct{ Count int }
			Classes                     map[string]struct{ Count int }
		}
	}
	for try := range 10 {
		if err := r.c.must(ctx, "POST", "/v1/reconciliations", "", map[string]any{"channel": channel, "date": day}, &d); err != nil {
			return false, err
		}
		if d.Status == "done" {
			break
		}
		r.report.BadBills++
		if try == 9 {
			r.report.wrong("the bill of %s, %s cannot be reconciled: %s", day, channel, d.Error)
		}
	}
	r.report.Rows += d.Summary.TheirPayments.Count + d.Summary.TheirRefunds.Count
	found := fmt.Sprint(d.Summary.Classes)
	changed = r.last[channel+day] != found
	if changed {
		for class, n := range d.Summary.Classes {
			r.report.Classes[class] += n.Count
		}
	}
	if r.last == nil {
		r.last = map[string]string{}
	}
	r.last[channel+day] = found
	return changed, nil
}

// explain checks every discrepancy that is left open. What the operator's
// own acts explain is resolved; anything else is wrong.
func (r *run) explain(ctx context.Context) error {
	for cursor, more := "", true; more; {
		var page struct {
			Items []struct {
				ID, Class, PaymentNo, RefundNo, Detail, Date, Channel string
			}
			NextCursor string
		}
		if err := r.c.must(ctx, "GET", "/v1/discrepancies?status=open&limit=200&cursor="+url.QueryEscape(cursor), "", nil, &page); err != nil {
			return err
		}
		for _, x := range page.Items {
			if r.handled[x.RefundNo] {
				r.report.Explained++
				path, reason := "/v1/discrepancies/"+url.PathEscape(x.ID)+"/resolve", map[string]any{"reason": "paid by hand by the operator"}
				if err := r.c.must(ctx, "POST", path, x.ID, reason, nil); err != nil {
					return err
				}
				continue
			}
			r.report.wrong(
				"unexplained: %s on %s, %s, payment %s, refund %s: %s", x.Class, x.Date, x.Channel, x.PaymentNo, x.RefundNo,
				x.Detail,
			)
		}
		cursor, more = page.NextCursor, page.NextCursor != ""
	}
	return nil
}
