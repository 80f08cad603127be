package format

import (
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// OrderSnapshot is orders.snapshot: the part of an order that never changes
// after it was placed, or its draft submitted, and that no SQL query reads.
var OrderSnapshot = appended("orders.snapshot", 512, appendSnapshot, func(s *snapshot, d *order.Data) {
	d.Items, d.Applied = each(s.Items, (*line).restore), each(s.Applied, (*applied).restore)
	d.Basis = some(s.Basis, (*basis).restore)
	d.Coupons, d.Counts, d.Metadata = s.Coupons, each(s.Counts, (*count).restore), s.Metadata
})

// OrderExtra is orders.extra: what most orders do not have and no SQL
// query reads; NULL if the order has none of it.
var OrderExtra = object("orders.extra",
	func(d *order.Data) *extra {
		if d.Returns == nil && d.Plan == nil && d.GoodsAt == "" && !d.GoodsGone && d.Draft == nil && d.SubmittedAt.IsZero() &&
			d.EndedBy == "" && d.Kept == 0 && d.UnitsBack == nil && !d.Undone && !d.LimitsBack {
			return nil
		}
		return &extra{
			Returns: each(d.Returns, returnOf), Plan: each(d.Plan, instalmentOf), GoodsAt: d.GoodsAt, GoodsGone: d.GoodsGone,
			Draft: some(d.Draft, draftOf), SubmittedAt: d.SubmittedAt,
			EndedBy: d.EndedBy, Kept: d.Kept, UnitsBack: d.UnitsBack, Undone: d.Undone, LimitsBack: d.LimitsBack,
		}
	},
	func(x *extra, d *order.Data) {
		d.Returns, d.Plan = each(x.Returns, (*returned).restore), each(x.Plan, (*instalment).restore)
		d.GoodsAt, d.GoodsGone = x.GoodsAt, x.GoodsGone
		d.Draft, d.SubmittedAt = some(x.Draft, (*draft).restore), x.SubmittedAt
		d.EndedBy, d.Kept, d.UnitsBack, d.Undone, d.LimitsBack = x.EndedBy, x.Kept, x.UnitsBack, x.Undone, x.LimitsBack
	})

type snapshot struct {
	version
	Items    []line            `json:"items,omitzero"`
	Applied  []applied         `json:"applied,omitzero"`
	Basis    *basis            `json:"basis,omitzero"`
	Coupons  []string          `json:"coupons,omitzero"`
	Counts   []count           `json:"counts,omitzero"`
	Metadata map[string]string `json:"metadata,omitzero"`
}

func appendSnapshot(o *out, d *order.Data) {
	o.begin('{')
	listAny(o, "items", d.Items, appendLine)
	listAny(o, "applied", d.Applied, appendApplied)
	if d.Basis != nil {
		o.name("basis")
		appendBasis(o, d.Basis)
	}
	o.textsAny("coupons", d.Coupons)
	listAny(o, "counts", d.Counts, appendCount)
	if d.Metadata != nil {
		mapOf(o, "metadata", d.Metadata, (*out).text)
	}
	o.end('}')
}

// line is a line of a quote, and of the order that was made of it.
type line struct {
	Sku       string `json:"sku"`
	Name      string `json:"name"`
	Quantity  int64  `json:"quantity"`
	UnitPrice int64  `json:"unitPrice"`
	Total     int64  `json:"totalAmount"`
	Discount  int64  `json:"discountAmount"`
	Payable   int64  `json:"payableAmount"`
	Gift      bool   `json:"gift"`
}

func (l *line) restore() pricing.QuoteLine { return pricing.QuoteLine(*l) }

func appendLine(o *out, l *pricing.QuoteLine) {
	o.textOf("sku", l.Sku)
	o.textOf("name", l.Name)
	o.numberOf("quantity", l.Quantity)
	o.numberOf("unitPrice", l.UnitPrice)
	o.numberOf("totalAmount", l.Total)
	o.numberOf("discountAmount", l.Discount)
	o.numberOf("payableAmount", l.Payable)
	o.flagOf("gift", l.Gift)
}

type applied struct {
	Source   pricing.Source `json:"source"`
	ID       string         `json:"id"`
	Code     string         `json:"code,omitempty"`
	Name     string         `json:"name"`
	Kind     string         `json:"kind"`
	Version  int64          `json:"version"`
	Amount   int64          `json:"amount"`
	Shares   []share        `json:"lines"`
	Detail   string         `json:"detail,omitempty"`
	DetailZh string         `json:"detailZh,omitempty"`
}

func (a *applied) restore() pricing.Applied {
	return pricing.Applied{
		Source: a.Source, ID: a.ID, Code: a.Code, Name: a.Name, Kind: a.Kind, Version: a.Version, Amount: a.Amount,
		Shares: each(a.Shares, (*share).restore), Detail: a.Detail, DetailZh: a.DetailZh,
	}
}

func appendApplied(o *out, a *pricing.Applied) {
	o.textOf("source", string(a.Source))
	o.textOf("id", a.ID)
	o.textAny("code", a.Code)
	o.textOf("name", a.Name)
	o.textOf("kind", a.Kind)
	o.numberOf("version", a.Version)
	o.numberOf("amount", a.Amount)
	listOf(o, "lines", a.Shares, func(o *out, s *pricing.Share) {
		o.numberOf("line", int64(s.Line))
		o.numberOf("amount", s.Amount)
	})
	o.textAny("detail", a.Detail)
	o.textAny("detailZh", a.DetailZh)
}

type share struct {
	Line   int   `json:"line"`
	Amount int64 `json:"amount"`
}

func (s *share) restore() pricing.Share { return pricing.Share(*s) }

// count is what an order holds of a counted limit; events say it too.
type count struct {
	Name   string `json:"name"`
	Amount int64  `json:"amount"`
	Limit  int64  `json:"limit,omitempty"`
}

func (c *count) restore() event.Count { return event.Count(*c) }

func appendCount(o *out, c *event.Count) {
	o.textOf("name", c.Name)
	o.numberOf("amount", c.Amount)
	o.numberAny("limit", c.Limit)
}

type extra struct {
	version
	Returns     []returned    `json:"returns,omitzero"`
	Plan        []instalment  `json:"plan,omitzero"`
	GoodsAt     order.GoodsAt `json:"goodsAt,omitzero"`
	GoodsGone   bool          `json:"goodsGone,omitzero"`
	Draft       *draft        `json:"draft,omitzero"`
	SubmittedAt time.Time     `json:"submittedAt,omitzero"`
	EndedBy     order.EndedBy `json:"endedBy,omitzero"`
	Kept        int64         `json:"kept,omitzero"`
	UnitsBack   []int64       `json:"unitsBack,omitzero"` // by line
	Undone      bool          `json:"undone,omitzero"`
	LimitsBack  bool          `json:"limitsBack,omitzero"` // a query reads this one
}

type returned struct {
	Line     int   `json:"line"`
	Quantity int64 `json:"quantity,omitempty"`
	Amount   int64 `json:"amount"`
	Kept     int64 `json:"kept,omitempty"`
}

func returnOf(r *order.Return) returned   { return returned(*r) }
func (r *returned) restore() order.Return { return order.Return(*r) }

type instalment struct {
	Amount   int64     `json:"amount"`
	DueAt    time.Time `json:"dueAt"`
	Dated    bool      `json:"dated,omitempty"`
	Paid     int64     `json:"paid,omitempty"`
	Reminded bool      `json:"reminded,omitempty"`
	Overdue  bool      `json:"overdue,omitempty"`
}

func instalmentOf(p *order.Instalment) instalment { return instalment(*p) }
func (p *instalment) restore() order.Instalment   { return order.Instalment(*p) }

type draft struct {
	Items     []units       `json:"items"`
	Coupons   []string      `json:"coupons,omitempty"`
	ExpiresIn time.Duration `json:"expiresIn,omitempty"` // nanoseconds
	Plan      []instalment  `json:"plan,omitempty"`
	Skipped   []skipped     `json:"skipped,omitempty"`
	EditedAt  time.Time     `json:"editedAt"`
}

func draftOf(d *order.DraftData) draft {
	return draft{each(d.Items, unitsOf), d.Coupons, d.ExpiresIn, each(d.Plan, instalmentOf), each(d.Skipped, skippedOf), d.EditedAt}
}

func (d *draft) restore() order.DraftData {
	return order.DraftData{
		Items: each(d.Items, (*units).restore), Coupons: d.Coupons, ExpiresIn: d.ExpiresIn,
		Plan: each(d.Plan, (*instalment).restore), Skipped: each(d.Skipped, (*skipped).restore), EditedAt: d.EditedAt,
	}
}

type units struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

func unitsOf(u *event.Units) units    { return units(*u) }
func (u *units) restore() event.Units { return event.Units(*u) }

type skipped struct {
	Source   pricing.Source `json:"source"`
	ID       string         `json:"id"`
	Code     string         `json:"code,omitempty"`
	Name     string         `json:"name"`
	Version  int64          `json:"version"`
	Reason   pricing.Reason `json:"reason"`
	Detail   string         `json:"detail"`
	DetailZh string         `json:"detailZh"`
	Missing  int64          `json:"missing,omitempty"`
}

func skippedOf(s *pricing.Skipped) skipped  { return skipped(*s) }
func (s *skipped) restore() pricing.Skipped { return pricing.Skipped(*s) }
