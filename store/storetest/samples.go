package storetest

import (
	"encoding/json"
	"time"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/shop"
	"github.com/tandem-pay/tandem/unit"
)

// samples is a life of every kind of row: steps that between them change every
// column that can change, in every way that the kind declares.
func (e *env) samples() map[*unit.Info]func(string) {
	all := map[*unit.Info]func(string){}
	add := func(k *unit.Info, run func(string)) { all[k] = run }

	sh := shop.Shop{RulesVersion: 1, Policies: shop.Policies{LatePayment: shop.Revive}}
	sh2 := shop.Shop{RulesVersion: 2}
	add(life(e, rows.Shop, nil, sh, sh2))
	add(life(e, rows.Keys, nil, fullKey("key")))
	add(life(e, rows.Cursors, nil, rows.Cursor{Follower: "stock", Position: 3}, rows.Cursor{Follower: "stock", Position: 9}))

	draft := plainOrder("1001")
	draft.Status, draft.Draft, draft.ExpiresAt = order.Draft, &order.DraftData{}, now.Add(time.Hour)
	submitted := fullOrder("1001")
	submitted.Status, submitted.Paid, submitted.Refunded, submitted.Refunding, submitted.User = order.PendingPayment, 0, 0, 0, ""
	submitted.Seq, submitted.Trace, submitted.PaidAt, submitted.ClosedAt = 2, "", time.Time{}, time.Time{}
	paid := submitted
	paid.Status, paid.Paid, paid.Refunded, paid.Refunding, paid.PaidAt, paid.ClosedAt = order.Paid, paid.Payable, 100, 50, now, now.Add(time.Second)
	paid.Seq, paid.CloseReason, paid.Closing, paid.Returns, paid.RemindAt = 3, "x", "", nil, time.Time{}
	add(life(e, rows.Orders, nil, draft, submitted, paid))

	p := fullPayment("2001", "1001")
	p2 := p
	p2.Status, p2.Applied, p2.Refunded, p2.Refunding, p2.Anomaly, p2.TransactionID = payment.StatusClosed, 0, 0, 0, "", "43"
	p2.SucceededAt, p2.ClosedAt, p2.NextQueryAt, p2.Queries, p2.Facts = time.Time{}, now, time.Time{}, 5, nil
	add(life(e, rows.Payments, unit.Writes(rows.Orders, Added(plainOrder("1001"))...), p, p2))

	r := fullRefund("3001", "1001")
	r2 := r
	r2.Status, r2.DoneAt, r2.NextTryAt, r2.Tries, r2.Reason, r2.Allocations = payment.RefundSucceeded, now, time.Time{}, 4, "", nil
	add(life(e, rows.Refunds, nil, r, r2))

	u := fullUser("u1")
	add(life(e, rows.Users, nil, u, shop.User{ID: "u1"}))

	c := fullCoupon("C1")
	free := c
	free.Status, free.Order, free.LockedUntil = marketing.Available, "", time.Time{}
	moved := free
	moved.User, moved.ValidFrom, moved.ValidUntil = "u2", time.Time{}, now.Add(time.Hour)
	add(life(e, rows.Coupons, nil, c, free, moved))

	s := fullSku("a")
	described := s
	described.Name, described.Price, described.Categories, described.MaxPerUser = "红茶", 1, []string{}, 0
	stock := described
	stock.OnHand, stock.Reserved = 9, 1
	add(life(e, rows.Skus, nil, s, described, stock))

	add(life(e, rows.Counters, nil, rows.Counter{Name: "limit", Value: 41}, rows.Counter{Name: "limit", Value: 0}))

	promotion := fullPromotion("p1")
	edited := promotion
	edited.Name = "改"
	add(life(e, rows.Promotions, nil, promotion, edited))

	t := fullTemplate("t1")
	renamed := t
	renamed.Name = "改"
	issued := renamed
	issued.Issued = 13
	add(life(e, rows.Templates, nil, t, renamed, issued))
	add(life(e, rows.RuleVersions, nil, ruleVersions(fullHistory())...))

	ch := fullChannel("wx")
	add(life(e, rows.Channels, nil, ch, rows.Channel{Name: "wx", Kind: "alipay", Sealed: []byte("other"), UpdatedAt: now.Add(time.Hour)}))
	add(life(e, rows.APIKeys, nil,
		shop.Key{ID: "k1", Hash: []byte("hash of " + e.shop), Label: "收银台", CreatedAt: now},
		shop.Key{ID: "k1", Hash: []byte("hash of " + e.shop), Label: "", CreatedAt: now, RevokedAt: now.Add(time.Hour)}))

	day := fullReconciliation("2026-11-22", "wx")
	day2 := day
	day2.Status, day2.Runs, day2.StartedAt, day2.FinishedAt, day2.Error = rows.ReconciliationWaiting, 3, now.Add(time.Hour), time.Time{}, ""
	day2.Summary = json.RawMessage(`{}`)
	add(life(e, rows.Reconciliations, nil, day, day2))

	d := fullDiscrepancy("2026-11-22/1", "2026-11-22", "wx")
	d2 := rows.Discrepancy{ID: d.ID, Channel: d.Channel, Day: d.Day, CreatedAt: d.CreatedAt, Class: "missing", Theirs: 1, Status: rows.DiscrepancyOpen}
	add(life(e, rows.Discrepancies, nil, d, d2))

	parked := parkedAt("stock", 2, "1001")
	again := parked
	again.Error, again.Attempts, again.FailedAt = "", 6, now.AddDate(0, 0, 1)
	add(life(e, rows.Parked, nil, parked, again))

	j := rows.Job{ID: "j1", Kind: "k", Payment: "2001", Refund: "3001", Due: now, Attempts: 1, CreatedAt: now, Trace: "t"}
	j2 := j
	j2.Due, j2.Attempts, j2.Error, j2.ParkedAt = now.Add(time.Hour), 12, "for good", now
	add(life(e, rows.Jobs, nil, j, j2))

	note := rows.CallbackNote{ID: "refused/wx/1", Channel: "wx", Stage: "signature", Reason: "验签", Serial: "S", Remote: "::1", RequestID: "r", At: now}
	add(life(e, rows.CallbackNotes, nil, note, rows.CallbackNote{ID: note.ID, Channel: "ali", Order: "1001", Payment: "2001", At: now.Add(time.Hour), Times: 3}))

	add(life(e, rows.ChannelMessages, nil, rows.ChannelMessage{Order: "1001", At: now}, rows.ChannelMessage{Body: []byte{0}, Header: []byte(`{}`)}))
	return all
}

// notKinds are the tables that hold no kind of row, with the reason.
var notKinds = map[string]string{
	"secrets":          "values of the installation, of no shop",
	"logs":             "the counters of the log, which its own statements move",
	"events":           "the log, which its own statements write",
	"goose_db_version": "the migrations that were made",
	"schema_requires":  "which programs may use the tables",
	"sqlite_sequence":  "SQLite's own",
}

// testSchema: what is declared is stored, column for column, and what is
// stored is declared.
func testSchema(e *env) {
	tables, err := e.Tables(e.Context())
	e.must(err)
	declared := map[string]bool{}
	for _, k := range rows.Schema.Kinds() {
		info := k.Info()
		if info.Virtual {
			continue
		}
		declared[info.Table] = true
		want := map[string]bool{"shop": true}
		for _, c := range info.Columns {
			want[c.Name] = true
		}
		got := map[string]bool{}
		for _, c := range tables[info.Table] {
			got[c] = true
		}
		if info.Appended {
			delete(got, "id") // where the database gives it, and nobody reads it
			delete(want, "id")
		}
		e.same("the columns of "+info.Table, want, got)
	}
	for table := range tables {
		if _, known := notKinds[table]; !known && !declared[table] {
			e.Errorf("table %s is stored, and package rows declares no kind for it", table)
		}
	}
}
