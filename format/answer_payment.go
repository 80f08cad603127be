package format

import (
	"time"

	"github.com/tandem-pay/tandem/payment"
)

type paymentAnswer struct {
	version
	No            string         `json:"No"`
	Order         string         `json:"Order"`
	Channel       string         `json:"Channel"`
	Method        payment.Method `json:"Method"`
	Amount        int64          `json:"Amount"`
	Currency      string         `json:"Currency"`
	Status        payment.Status `json:"Status"`
	Applied       int64          `json:"Applied"`
	Refunded      int64          `json:"Refunded"`
	Refunding     int64          `json:"Refunding"`
	Merchant      string         `json:"Merchant"`
	App           string         `json:"App"`
	Request       request        `json:"Request"`
	Action        *action        `json:"Action"`
	Facts         []fact         `json:"Facts"`
	Anomaly       string         `json:"Anomaly"`
	TransactionID string         `json:"TransactionID"`
	CreatedAt     time.Time      `json:"CreatedAt"`
	ExpiresAt     time.Time      `json:"ExpiresAt"`
	SucceededAt   time.Time      `json:"SucceededAt"`
	ClosedAt      time.Time      `json:"ClosedAt"`
	NextQueryAt   time.Time      `json:"NextQueryAt"`
	Queries       int            `json:"Queries"`
	Trace         string         `json:"Trace"`
	Version       int64          `json:"Version"`
}

func (s *paymentAnswer) restore(d *payment.Data) {
	*d = payment.Data{
		No: s.No, Order: s.Order, Channel: s.Channel, Method: s.Method, Amount: s.Amount, Currency: s.Currency, Status: s.Status,
		Applied: s.Applied, Refunded: s.Refunded, Refunding: s.Refunding, Merchant: s.Merchant, App: s.App, Request: s.Request.restore(),
		Action: some(s.Action, (*action).restore), Facts: each(s.Facts, (*fact).restore), Anomaly: s.Anomaly, TransactionID: s.TransactionID,
		CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt, SucceededAt: s.SucceededAt, ClosedAt: s.ClosedAt, NextQueryAt: s.NextQueryAt,
		Queries: s.Queries, Trace: s.Trace, Version: s.Version,
	}
}

func appendPayment(o *out, d *payment.Data) {
	o.begin('{')
	o.textOf("No", d.No)
	o.textOf("Order", d.Order)
	o.textOf("Channel", d.Channel)
	o.textOf("Method", string(d.Method))
	o.numberOf("Amount", d.Amount)
	o.textOf("Currency", d.Currency)
	o.textOf("Status", string(d.Status))
	o.numberOf("Applied", d.Applied)
	o.numberOf("Refunded", d.Refunded)
	o.numberOf("Refunding", d.Refunding)
	o.textOf("Merchant", d.Merchant)
	o.textOf("App", d.App)
	o.name("Request")
	appendRequest(o, &d.Request)
	o.name("Action")
	if d.Action != nil {
		appendAction(o, d.Action)
	} else {
		o.null()
	}
	listOf(o, "Facts", d.Facts, appendFact)
	o.textOf("Anomaly", d.Anomaly)
	o.textOf("TransactionID", d.TransactionID)
	o.momentOf("CreatedAt", d.CreatedAt)
	o.momentOf("ExpiresAt", d.ExpiresAt)
	o.momentOf("SucceededAt", d.SucceededAt)
	o.momentOf("ClosedAt", d.ClosedAt)
	o.momentOf("NextQueryAt", d.NextQueryAt)
	o.numberOf("Queries", int64(d.Queries))
	o.textOf("Trace", d.Trace)
	o.numberOf("Version", d.Version)
	o.end('}')
}
