package api

import (
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
)

// orderView is an order as clients see it. Amounts are minor units.
type orderView struct {
	OrderNo  string      `json:"orderNo" example:"12026060104000012300000000017"`
	UserID   string      `json:"userId"`
	Status   orderStatus `json:"status"`
	Currency string      `json:"currency" example:"CNY"`

	TotalAmount     int64 `json:"totalAmount"`
	DiscountAmount  int64 `json:"discountAmount"`
	PayableAmount   int64 `json:"payableAmount" doc:"totalAmount - discountAmount"`
	PaidAmount      int64 `json:"paidAmount"`
	RefundedAmount  int64 `json:"refundedAmount"`
	RefundingAmount int64 `json:"refundingAmount" doc:"In refunds that have neither succeeded nor failed yet"`

	Items            []pricing.QuoteLine `json:"items"`
	AppliedDiscounts []pricing.Applied   `json:"appliedDiscounts"`
	Payments         []paymentView       `json:"payments"`
	Instalments      []instalmentView    `json:"instalments,omitempty" doc:"Absent when it is paid all at once"`

	Draft            *draftView        `json:"draft,omitempty" doc:"Only of a draft: its content. The items, discounts and amounts of the order are then those of its last quote, and not binding"`
	SkippedDiscounts []pricing.Skipped `json:"skippedDiscounts,omitzero" doc:"Only of a draft: why rules and coupons did not apply, as in a quote"`

	CreatedAt   time.Time         `json:"createdAt"`
	SubmittedAt *time.Time        `json:"submittedAt,omitempty" doc:"Only of one that was a draft"`
	ExpiresAt   time.Time         `json:"expiresAt" doc:"When it closes by itself unless paid; in instalments, when the next part falls due; of a draft, 30 days after its last change"`
	PaidAt      *time.Time        `json:"paidAt,omitempty"`
	ClosedAt    *time.Time        `json:"closedAt,omitempty"`
	CloseReason string            `json:"closeReason,omitempty" doc:"expired, cancelled, or the reason that was given"`
	Version     int64             `json:"version" doc:"The seq of its last event; also its ETag"`
	Metadata    map[string]string `json:"metadata,omitempty"`

	ClientToken string `json:"clientToken,omitempty" example:"ct_…" doc:"Only when it has just been placed, drafted or submitted: with it a browser can read, pay and cancel this order"`
}

func viewOrder(v app.OrderView) orderView {
	d := &v.Order
	out := orderView{
		OrderNo: d.No, UserID: d.User, Status: orderStatus(d.Status), Currency: d.Currency,
		TotalAmount: d.Total, DiscountAmount: d.Discount, PayableAmount: d.Payable,
		PaidAmount: d.Paid, RefundedAmount: d.Refunded, RefundingAmount: d.Refunding,
		Items: rest.OrEmpty(d.Items), AppliedDiscounts: rest.OrEmpty(d.Applied), Payments: make([]paymentView, len(v.Payments)),
		CreatedAt: at(d.CreatedAt), SubmittedAt: atOrNil(d.SubmittedAt), ExpiresAt: at(d.ExpiresAt),
		PaidAt: atOrNil(d.PaidAt), ClosedAt: atOrNil(d.ClosedAt),
		CloseReason: d.CloseReason, Version: d.Seq, Metadata: d.Metadata,
	}
	for i := range v.Payments {
		out.Payments[i] = viewPayment(v.Payments[i])
	}
	for i := range d.Plan {
		out.Instalments = append(out.Instalments, viewInstalment(&d.Plan[i]))
	}
	if d.Draft != nil {
		out.Draft, out.SkippedDiscounts = viewDraft(d.Draft), rest.OrEmpty(d.Draft.Skipped)
	}
	return out
}

// instalmentView is a part of an order's plan as clients see it.
type instalmentView struct {
	Amount     int64     `json:"amount" doc:"Minor units"`
	DueAt      time.Time `json:"dueAt"`
	PaidAmount int64     `json:"paidAmount"`
	Status     string    `json:"status" enum:"due,paid,overdue" doc:"overdue: it was not paid in time, and by the shop's policy the order stays open"`
}

func viewInstalment(p *order.Instalment) instalmentView {
	v := instalmentView{Amount: p.Amount, DueAt: at(p.DueAt), PaidAmount: p.Paid, Status: "due"}
	switch {
	case p.Left() == 0:
		v.Status = "paid"
	case p.Overdue:
		v.Status = "overdue"
	}
	return v
}

// viewPlaced is an order as it was placed, with its token: the same for the
// first answer and for each repeat.
func (s *server) viewPlaced(shop string, d order.Data) orderView {
	v := viewOrder(app.OrderView{Order: d})
	v.ClientToken = s.app.Tokens.Issue(shop, d.No)
	return v
}

// paymentView is a payment as clients see it. Amounts are minor units.
type paymentView struct {
	PaymentNo string          `json:"paymentNo" example:"22026060104001012300000000025"`
	OrderNo   string          `json:"orderNo"`
	Channel   string          `json:"channel" example:"wechatpay"`
	Method    paymentMethod   `json:"method"`
	Amount    int64           `json:"amount"`
	Currency  string          `json:"currency"`
	Status    paymentStatus   `json:"status"`
	Action    *payment.Action `json:"action,omitempty" doc:"Absent until the channel has answered"`
	ExpiresAt time.Time       `json:"expiresAt"`
	CreatedAt time.Time       `json:"createdAt"`

	SucceededAt     *time.Time `json:"succeededAt,omitempty" doc:"By the channel"`
	TransactionID   string     `json:"transactionId,omitempty" doc:"The channel's number of the money that arrived"`
	Anomaly         string     `json:"anomaly,omitempty" doc:"What the channel reported that does not match this payment; it is kept and changes nothing"`
	RefundedAmount  int64      `json:"refundedAmount"`
	RepeatOf        string     `json:"repeatOf,omitempty" doc:"The buyer paid this payment's number twice: this is the second amount, which is refunded automatically. The channel knows it by that number"`
	RefundingAmount int64      `json:"refundingAmount" doc:"In refunds of the order that have neither succeeded nor failed yet"`
}

func viewPayment(d payment.Data) paymentView {
	repeat := ""
	if d.Request.PaymentNo != d.No {
		repeat = d.Request.PaymentNo
	}
	return paymentView{
		RepeatOf: repeat, PaymentNo: d.No, OrderNo: d.Order, Channel: d.Channel,
		Method: paymentMethod(d.Method), Amount: d.Amount, Currency: d.Currency,
		Status: paymentStatus(d.Status), Action: d.Action, ExpiresAt: at(d.ExpiresAt), CreatedAt: at(d.CreatedAt),
		SucceededAt: atOrNil(d.SucceededAt), TransactionID: d.TransactionID, Anomaly: d.Anomaly, RefundedAmount: d.Refunded,
		RefundingAmount: d.Refunding,
	}
}
