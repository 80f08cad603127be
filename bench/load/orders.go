package load

import (
	"bytes"
	"context"
	"crypto/rand"
	mrand "math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
)

// cart composes the body of an order or a quote: lines of different skus,
// chosen at random, one or two units of each.
func cart(b []byte, skus, lines int, coupon string) []byte {
	b = append(append(append(b, `{"userId":"`...), user(mrand.IntN(Users))...), `","items":[`...)
	first := mrand.IntN(skus)
	for n := range min(lines, skus) {
		if n > 0 {
			b = append(b, ',')
		}
		// Apart from each other by a stride, so that no two are the same.
		i := (first + n*max(1, skus/lines)) % skus
		b = append(append(append(b, `{"sku":"`...), sku(i)...), `","quantity":`...)
		b = append(strconv.AppendInt(b, 1+int64(mrand.IntN(2)), 10), '}')
	}
	b = append(b, ']')
	if coupon != "" {
		b = append(append(append(b, `,"couponCodes":["`...), coupon...), `"]`...)
	}
	return append(b, '}')
}

// keys gives each request of a run an idempotency key of its own.
type keys string

func newKeys() keys { return keys(rand.Text()[:12] + "-") }

func (k keys) of(i int64) string { return string(k) + strconv.FormatInt(i, 10) }

// Orders places orders of two lines, every other one with a coupon of its
// own.
func Orders(ctx context.Context, t Target, s *Shop, p Pace, progress Progress) (*Report, error) {
	stage, note, err := orders(s).run(ctx, t, p, progress)
	if err != nil {
		return nil, err
	}
	return &Report{Scenario: "orders", Rate: stage.Rate, Stages: []Stage{stage}, Note: note}, nil
}

type ordersJob struct {
	job
	out *atomic.Bool
}

func (o ordersJob) run(ctx context.Context, t Target, p Pace, progress Progress) (stage Stage, note string, err error) {
	o.total = p.Max
	stage, err = o.job.run(ctx, t, p, progress)
	if o.out.Load() {
		note = "ended early: the coupons are used up"
	}
	return stage, note, err
}

func orders(s *Shop) ordersJob {
	keys, out := newKeys(), &atomic.Bool{}
	var coupons atomic.Int64
	return ordersJob{job{stage: "orders", do: func(c *client, i int64) error {
		coupon := ""
		if i%2 == 0 {
			n := coupons.Add(1) - 1
			if n >= s.Coupons {
				out.Store(true)
				return errEnough
			}
			coupon = s.coupon(n)
		}
		c.body = cart(c.body[:0], s.Skus, 2, coupon)
		return want(http.StatusCreated)(c.post("/v1/orders", keys.of(i), c.body))
	}}, out}
}

// largeLines is how many lines a large quote has.
const largeLines = 20

// LargeQuotes prices carts of twenty lines without coupons, each for one of
// all buyers.
func LargeQuotes(ctx context.Context, t Target, s *Shop, p Pace, progress Progress) (*Report, error) {
	stage, err := job{stage: "quotes", total: p.Max, do: func(c *client, _ int64) error {
		c.body = cart(c.body[:0], s.Skus, largeLines, "")
		return want(http.StatusOK)(c.call("POST", "/v1/quotes", c.body))
	}}.run(ctx, t, p, progress)
	if err != nil {
		return nil, err
	}
	return &Report{Scenario: "large quotes", Rate: stage.Rate, Stages: []Stage{stage}}, nil
}

// LargeQuote is the answer to one of those.
func LargeQuote(ctx context.Context, t Target, s *Shop) ([]byte, error) {
	c, err := dial(ctx, t)
	if err != nil {
		return nil, err
	}
	defer c.close()
	status, answer, err := c.call("POST", "/v1/quotes", cart(nil, s.Skus, largeLines, ""))
	return bytes.Clone(answer), want(http.StatusOK)(status, answer, err)
}

// Quotes prices carts of five lines, every other one with a coupon. Nothing
// is stored.
func Quotes(ctx context.Context, t Target, s *Shop, p Pace, progress Progress) (*Report, error) {
	stage, err := job{stage: "quotes", total: p.Max, do: func(c *client, i int64) error {
		coupon := ""
		if i%2 == 0 && s.Coupons > 0 {
			coupon = s.coupon(i % s.Coupons)
		}
		c.body = cart(c.body[:0], s.Skus, 5, coupon)
		return want(http.StatusOK)(c.call("POST", "/v1/quotes", c.body))
	}}.run(ctx, t, p, progress)
	if err != nil {
		return nil, err
	}
	return &Report{Scenario: "quotes", Rate: stage.Rate, Stages: []Stage{stage}}, nil
}
