package format

import (
	"time"

	"github.com/tandem-pay/tandem/order"
)

type orderAnswer struct {
	version
	No          string            `json:"No"`
	User        string            `json:"User"`
	Status      order.Status      `json:"Status"`
	Currency    string            `json:"Currency"`
	Total       int64             `json:"Total"`
	Discount    int64             `json:"Discount"`
	Payable     int64             `json:"Payable"`
	Paid        int64             `json:"Paid,omitzero"`
	Refunded    int64             `json:"Refunded,omitzero"`
	Refunding   int64             `json:"Refunding,omitzero"`
	Returns     []returned        `json:"Returns,omitzero"`
	Plan        []instalment      `json:"Plan,omitzero"`
	RemindAt    time.Time         `json:"RemindAt,omitzero"`
	GoodsAt     order.GoodsAt     `json:"GoodsAt,omitzero"`
	GoodsGone   bool              `json:"GoodsGone,omitzero"`
	Items       []line            `json:"Items"`
	Applied     []applied         `json:"Applied"`
	Coupons     []string          `json:"Coupons,omitzero"`
	Counts      []count           `json:"Counts,omitzero"`
	Metadata    map[string]string `json:"Metadata,omitzero"`
	Draft       *draft            `json:"Draft,omitzero"`
	CreatedAt   time.Time         `json:"CreatedAt"`
	SubmittedAt time.Time         `json:"SubmittedAt,omitzero"`
	ExpiresAt   time.Time         `json:"ExpiresAt"`
	PaidAt      time.Time         `json:"PaidAt,omitzero"`
	ClosedAt    time.Time         `json:"ClosedAt,omitzero"`
	CloseReason string            `json:"CloseReason,omitzero"`
	Closing     string            `json:"Closing,omitzero"`
	EndedBy     order.EndedBy     `json:"EndedBy,omitzero"`
	Kept        int64             `json:"Kept,omitzero"`
	UnitsBack   []int64           `json:"UnitsBack,omitzero"`
	Undone      bool              `json:"Undone,omitzero"`
	LimitsBack  bool              `json:"LimitsBack,omitzero"`
	Seq         int64             `json:"Seq"`
	Trace       string            `json:"Trace"`
}

func (s *orderAnswer) restore(d *order.Data) {
	*d = order.Data{
		No: s.No, User: s.User, Status: s.Status, Currency: s.Currency, Total: s.Total, Discount: s.Discount, Payable: s.Payable,
		Paid: s.Paid, Refunded: s.Refunded, Refunding: s.Refunding,
		Returns: each(s.Returns, (*returned).restore), Plan: each(s.Plan, (*instalment).restore),
		RemindAt: s.RemindAt, GoodsAt: s.GoodsAt, GoodsGone: s.GoodsGone,
		Items: each(s.Items, (*line).restore), Applied: each(s.Applied, (*applied).restore),
		Coupons: s.Coupons, Counts: each(s.Counts, (*count).restore), Metadata: s.Metadata, Draft: some(s.Draft, (*draft).restore),
		CreatedAt: s.CreatedAt, SubmittedAt: s.SubmittedAt, ExpiresAt: s.ExpiresAt, PaidAt: s.PaidAt, ClosedAt: s.ClosedAt,
		CloseReason: s.CloseReason, Closing: s.Closing, EndedBy: s.EndedBy, Kept: s.Kept,
		UnitsBack: s.UnitsBack, Undone: s.Undone, LimitsBack: s.LimitsBack, Seq: s.Seq, Trace: s.Trace,
	}
}

func appendOrder(o *out, d *order.Data) {
	o.begin('{')
	o.textOf("No", d.No)
	o.textOf("User", d.User)
	o.textOf("Status", string(d.Status))
	o.textOf("Currency", d.Currency)
	o.numberOf("Total", d.Total)
	o.numberOf("Discount", d.Discount)
	o.numberOf("Payable", d.Payable)
	o.numberAny("Paid", d.Paid)
	o.numberAny("Refunded", d.Refunded)
	o.numberAny("Refunding", d.Refunding)
	if d.Returns != nil {
		o.valueOf("Returns", each(d.Returns, returnOf))
	}
	if d.Plan != nil {
		o.valueOf("Plan", each(d.Plan, instalmentOf))
	}
	o.momentAny("RemindAt", d.RemindAt)
	o.textAny("GoodsAt", string(d.GoodsAt))
	o.flagAny("GoodsGone", d.GoodsGone)
	listOf(o, "Items", d.Items, appendLine)
	listOf(o, "Applied", d.Applied, appendApplied)
	o.textsAny("Coupons", d.Coupons)
	listAny(o, "Counts", d.Counts, appendCount)
	if d.Metadata != nil {
		mapOf(o, "Metadata", d.Metadata, (*out).text)
	}
	if d.Draft != nil {
		o.valueOf("Draft", draftOf(d.Draft))
	}
	o.momentOf("CreatedAt", d.CreatedAt)
	o.momentAny("SubmittedAt", d.SubmittedAt)
	o.momentOf("ExpiresAt", d.ExpiresAt)
	o.momentAny("PaidAt", d.PaidAt)
	o.momentAny("ClosedAt", d.ClosedAt)
	o.textAny("CloseReason", d.CloseReason)
	o.textAny("Closing", d.Closing)
	o.textAny("EndedBy", string(d.EndedBy))
	o.numberAny("Kept", d.Kept)
	if d.UnitsBack != nil {
		o.valueOf("UnitsBack", d.UnitsBack)
	}
	o.flagAny("Undone", d.Undone)
	o.flagAny("LimitsBack", d.LimitsBack)
	o.numberOf("Seq", d.Seq)
	o.textOf("Trace", d.Trace)
	o.end('}')
}
