package format

import (
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// PaymentDetail is payments.detail: the part of a payment that no SQL query
// reads.
var PaymentDetail = appended("payments.detail", 512, appendDetail, func(s *detail, d *payment.Data) {
	d.Request, d.Action, d.Facts = s.Request.restore(), some(s.Action, (*action).restore), each(s.Facts, (*fact).restore)
})

// RefundDetail is refunds.detail: the part of a refund that no SQL query
// reads.
var RefundDetail = object("refunds.detail",
	func(d *payment.RefundData) *refundDetail {
		return &refundDetail{
			Reason:      d.Reason,
			Lines:       each(d.Lines, refundLineOf),
			Allocations: each(d.Allocations, allocationOf),
			Restock:     d.Restock,
		}
	},
	func(s *refundDetail, d *payment.RefundData) {
		d.Restock = s.Restock
		d.Reason, d.Lines, d.Allocations = s.Reason, each(s.Lines, (*refundLine).restore), each(s.Allocations, (*allocation).restore)
	})

type detail struct {
	version
	Request request `json:"request"`
	Action  *action `json:"action,omitzero"`
	Facts   []fact  `json:"facts,omitzero"`
}

func appendDetail(o *out, d *payment.Data) {
	o.begin('{')
	o.name("request")
	appendRequest(o, &d.Request)
	if d.Action != nil {
		o.name("action")
		appendAction(o, d.Action)
	}
	listAny(o, "facts", d.Facts, appendFact)
	o.end('}')
}

// request is what was sent to the channel for a payment, byte for byte: a repeat
// sends it again.
type request struct {
	PaymentNo   string         `json:"paymentNo"`
	Method      payment.Method `json:"method"`
	Amount      int64          `json:"amount"`
	Currency    string         `json:"currency"`
	Description string         `json:"description"`
	NotifyURL   string         `json:"notifyUrl"`
	ReturnURL   string         `json:"returnUrl,omitempty"`
	OpenID      string         `json:"openId,omitempty"`
	ClientIP    string         `json:"clientIp,omitempty"`
	ExpiresAt   time.Time      `json:"expiresAt"`
}

func (r *request) restore() payment.PrepayRequest { return payment.PrepayRequest(*r) }

func appendRequest(o *out, r *payment.PrepayRequest) {
	o.begin('{')
	o.textOf("paymentNo", r.PaymentNo)
	o.textOf("method", string(r.Method))
	o.numberOf("amount", r.Amount)
	o.textOf("currency", r.Currency)
	o.textOf("description", r.Description)
	o.textOf("notifyUrl", r.NotifyURL)
	o.textAny("returnUrl", r.ReturnURL)
	o.textAny("openId", r.OpenID)
	o.textAny("clientIp", r.ClientIP)
	o.momentOf("expiresAt", r.ExpiresAt)
	o.end('}')
}

// action is what the buyer's device must do to pay.
type action struct {
	Kind    string            `json:"kind"`
	CodeURL string            `json:"codeUrl,omitempty"`
	URL     string            `json:"url,omitempty"`
	Params  map[string]string `json:"params,omitempty"`
}

func (a *action) restore() payment.Action { return payment.Action(*a) }

func appendAction(o *out, a *payment.Action) {
	o.begin('{')
	o.textOf("kind", a.Kind)
	o.textAny("codeUrl", a.CodeURL)
	o.textAny("url", a.URL)
	if len(a.Params) > 0 {
		mapOf(o, "params", a.Params, (*out).text)
	}
	o.end('}')
}

type fact struct {
	ID            string           `json:"id"`
	Kind          payment.FactKind `json:"kind"`
	Source        payment.Source   `json:"source"`
	TransactionID string           `json:"transactionId,omitempty"`
	RefundNo      string           `json:"refundNo,omitempty"`
	Amount        int64            `json:"amount,omitempty"`
	Currency      string           `json:"currency,omitempty"`
	Merchant      string           `json:"merchant,omitempty"`
	App           string           `json:"app,omitempty"`
	Reported      string           `json:"word,omitempty"`
	At            time.Time        `json:"at,omitzero"`
	ReceivedAt    time.Time        `json:"receivedAt,omitzero"`
	Returned      int64            `json:"returned,omitempty"`
	Foreign       int64            `json:"foreign,omitempty"`
	Ours          bool             `json:"ours,omitempty"`
}

func (f *fact) restore() payment.Fact { return payment.Fact(*f) }

func appendFact(o *out, f *payment.Fact) {
	o.textOf("id", f.ID)
	o.textOf("kind", string(f.Kind))
	o.textOf("source", string(f.Source))
	o.textAny("transactionId", f.TransactionID)
	o.textAny("refundNo", f.RefundNo)
	o.numberAny("amount", f.Amount)
	o.textAny("currency", f.Currency)
	o.textAny("merchant", f.Merchant)
	o.textAny("app", f.App)
	o.textAny("word", f.Reported)
	o.momentAny("at", f.At)
	o.momentAny("receivedAt", f.ReceivedAt)
	o.numberAny("returned", f.Returned)
	o.numberAny("foreign", f.Foreign)
	o.flagAny("ours", f.Ours)
}

type refundDetail struct {
	version
	Reason      string          `json:"reason,omitzero"`
	Lines       []refundLine    `json:"lines,omitzero"`
	Allocations []allocation    `json:"allocations,omitzero"`
	Restock     payment.Restock `json:"restock,omitzero"`
}

type refundLine struct {
	Line     int   `json:"line"`
	Quantity int64 `json:"quantity"`
	Amount   int64 `json:"amount"`
}

func refundLineOf(l *payment.RefundLine) refundLine { return refundLine(*l) }
func (l *refundLine) restore() payment.RefundLine   { return payment.RefundLine(*l) }

// allocation is the part of a refund that one payment gives back.
type allocation struct {
	No          string               `json:"no"`
	Former      []string             `json:"former,omitempty"`
	Payment     string               `json:"paymentNo"`
	Channel     string               `json:"channel"`
	Amount      int64                `json:"amount"`
	Status      payment.RefundStatus `json:"status"`
	RefundID    string               `json:"refundId,omitempty"`
	Reported    string               `json:"word,omitempty"`
	Parked      payment.Parking      `json:"parked,omitempty"`
	Explanation string               `json:"said,omitempty"`
	DoneAt      time.Time            `json:"doneAt,omitzero"`
	ByHand      bool                 `json:"byHand,omitempty"`
	Stands      bool                 `json:"stands,omitempty"`
}

func allocationOf(a *payment.Allocation) allocation { return allocation(*a) }
func (a *allocation) restore() payment.Allocation   { return payment.Allocation(*a) }
