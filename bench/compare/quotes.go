package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tandem-pay/tandem/bench/load"
)

// promotions are 10,000 in force: one for each of the shop's 1,000 skus, of
// all kinds, so that 20 of them match a cart of 20 lines, and 9,000 about skus
// that are in no cart. They are written straight into the table: each call of
// the API would have the next load all those before it.
const promotions = `
INSERT INTO promotions (shop, promotion_id, doc, version)
SELECT 'default', 'bench-' || i, (jsonb_build_object(
	'id', 'bench-' || i, 'name', '满减 ' || i, 'priority', i % 7,
	'scope', jsonb_build_object('skus', jsonb_build_array(CASE WHEN i <= 1000 THEN 'bench-' || lpad(i::text, 5, '0') ELSE 'other-' || i END))
) || CASE i % 4
	WHEN 0 THEN '{"kind":"fixed_price","price":990}'
	WHEN 1 THEN '{"kind":"buy_x_get_y","buy":1,"get":1}'
	WHEN 2 THEN '{"kind":"percent_off","percentOff":12.5}'
	ELSE '{"kind":"amount_off","threshold":1000,"amountOff":50}' END::jsonb)::json, 1
FROM generate_series(1, 10000) AS i;
UPDATE shops SET rules_version = rules_version + 1 WHERE shop = 'default';
ANALYZE promotions`

// quotes measures quotes over HTTP, in turns with a handler that only decodes
// the same bodies and encodes one of Tandem's answers.
func quotes(ctx context.Context, env *environment) ([]Result, error) {
	const goal = 0.7 // of that handler
	sample := filepath.Join(env.dir, "quote.json")
	var ours, theirs series
	for range env.pairs {
		r, audit, err := env.oneRun(ctx, after(promotions),
			func(ctx context.Context, p *place) (*load.Process, error) { return env.serve(ctx, p.flags...) },
			func(ctx context.Context, env *environment, t load.Target, s *load.Shop) (*load.Report, error) {
				answer, err := load.LargeQuote(ctx, t, s)
				if err == nil {
					err = os.WriteFile(sample, answer, 0o600)
				}
				if err != nil {
					return nil, err
				}
				return load.LargeQuotes(ctx, t, s, env.pace(64), env.progress)
			})
		if err != nil {
			return nil, err
		}
		env.printRun("tandem", r, audit)
		ours.add(r, audit)
		if r, err = env.echoes(ctx, sample); err != nil {
			return nil, err
		}
		fmt.Fprintf(env.log, "  %-9s %8s/s  %s\n", "echo", load.Thousands(r.Rate), r.Worst())
		theirs.rates, theirs.p99s = append(theirs.rates, r.Rate), append(theirs.p99s, r.Worst().P99)
	}
	rate := Result{
		What: "rate; beside: decode and encode alone", Unit: "/s", Tandem: median(ours.rates),
		Baseline: median(theirs.rates), Goal: goal, AtLeast: true,
		Offences: ours.offences, Audited: ours.runs,
	}
	rate.Ratio = rate.Tandem / rate.Baseline
	rate.Pass = rate.Ratio >= goal && rate.Offences == 0
	p99 := Result{What: "p99", Unit: " ms", Tandem: median(ours.p99s), Baseline: median(theirs.p99s), Pass: true}
	p99.Ratio = p99.Tandem / p99.Baseline
	return []Result{rate, p99}, nil
}

// echoes loads the handler that answers with the sample.
func (env *environment) echoes(ctx context.Context, sample string) (r *load.Report, err error) {
	server, err := load.Start(ctx, env.baseline, "--key", env.key, "--echo", sample)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	t, err := load.NewTarget(server.URL, env.key)
	if err != nil {
		return nil, err
	}
	return load.LargeQuotes(ctx, t, env.postgresShop, env.pace(64), env.progress)
}
