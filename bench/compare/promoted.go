package main

import (
	"context"
	"fmt"

	"github.com/tandem-pay/tandem/bench/load"
)

// limitedPromotions make ten of the 10,000 about a hundred skus each, with a
// limit that is far away: of uses, of a budget, or for each user. One promotion
// is about every line, as in the row of quotes, and it is a limited one: an
// order of two lines has two discounts and moves two counters, most of them hot.
const limitedPromotions = promotions + `;
UPDATE promotions AS p SET doc = (p.doc::jsonb || jsonb_build_object(
	'kind', 'amount_off', 'threshold', 1, 'amountOff', 1,
	(ARRAY['usageLimit', 'budget', 'perUserLimit'])[1 + n.n % 3], 1000000000,
	'scope', jsonb_build_object('skus', (
		SELECT jsonb_agg('bench-' || lpad(i::text, 5, '0')) FROM generate_series(0, 999) AS i WHERE i % 10 = n.n)))
	- 'price' - 'buy' - 'get' - 'percentOff')::json
FROM (SELECT n, 'bench-' || (1001 + n) AS id FROM generate_series(0, 9) AS n) AS n WHERE p.promotion_id = n.id;
UPDATE promotions SET doc = jsonb_set(doc::jsonb, '{scope,skus}', jsonb_build_array('other-' || promotion_id))::json
WHERE substr(promotion_id, 7)::int <= 1000;
INSERT INTO rule_history (shop, kind, id, since, version, doc)
SELECT p.shop, 'promotion', p.promotion_id, s.rules_version, p.version, p.doc FROM promotions AS p JOIN shops AS s ON s.shop = p.shop;
ANALYZE promotions`

// fewLimited are the promotions of the row of quotes, one about each sku, ten of
// them with a limit: one order in fifty moves a counter.
const fewLimited = promotions + `;
UPDATE promotions SET doc = (doc::jsonb || jsonb_build_object(
	(ARRAY['usageLimit', 'budget', 'perUserLimit'])[1 + substr(promotion_id, 7)::int % 3], 1000000000))::json
WHERE promotion_id LIKE 'bench-%00' AND substr(promotion_id, 7)::int <= 1000;
INSERT INTO rule_history (shop, kind, id, since, version, doc)
SELECT p.shop, 'promotion', p.promotion_id, s.rules_version, p.version, p.doc FROM promotions AS p JOIN shops AS s ON s.shop = p.shop;
ANALYZE promotions`

// promoted measures orders with 10,000 promotions in force, in turns with none.
func promoted(ctx context.Context, env *environment) ([]Result, error) {
	const goal = 0.9 // of the rate with none
	var hot, few, none series
	for n := range env.pairs {
		for _, side := range []struct {
			name string
			to   *series
			in   where
		}{{"every", &hot, after(limitedPromotions)}, {"none", &none, inPostgres}, {"few", &few, after(fewLimited)}} {
			r, audit, err := env.oneRun(ctx, side.in,
				func(ctx context.Context, p *place) (*load.Process, error) { return env.serve(ctx, p.flags...) }, placing(64, 1000))
			if err != nil {
				return nil, fmt.Errorf("%s, run %d: %w", side.name, n+1, err)
			}
			env.printRun(side.name, r, audit)
			side.to.add(r, audit)
		}
	}
	beside := func(what, unit string, a, b []float64, least float64, offences, runs int) Result {
		r := Result{
			What:     what,
			Unit:     unit,
			Tandem:   median(a),
			Baseline: median(b),
			Goal:     least,
			AtLeast:  least > 0,
			Offences: offences,
			Audited:  runs,
		}
		r.Ratio = r.Tandem / r.Baseline
		r.Pass = r.Ratio >= least && offences == 0
		return r
	}
	return []Result{
		beside("every order moves two counters", "/s", hot.rates, none.rates, goal, hot.offences+none.offences, hot.runs+none.runs),
		beside("p99", " ms", hot.p99s, none.p99s, 0, 0, 0),
		beside("one order in fifty moves one", "/s", few.rates, none.rates, goal, few.offences, few.runs),
		beside("p99", " ms", few.p99s, none.p99s, 0, 0, 0),
	}, nil
}
