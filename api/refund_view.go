package api

import (
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// refundView is a refund as the shop sees it. Amounts are minor units.
type refundView struct {
	RefundNo string       `json:"refundNo" example:"32026060204000012300000000033"`
	OrderNo  string       `json:"orderNo"`
	Amount   int64        `json:"amount"`
	Currency string       `json:"currency" example:"CNY"`
	Status   refundStatus `json:"status"`
	Cause    refundCause  `json:"cause" doc:"asked: by the shop. The others are automatic: money that came after the order was closed, more than was due, a part of an order that was closed"`
	Reason   string       `json:"reason,omitempty" doc:"Shown to the buyer"`

	Items       []refundLine     `json:"items" doc:"Refunded lines of the order; none when the money was never applied to the order"`
	Allocations []allocationView `json:"allocations" doc:"The part that each payment gives back"`

	CreatedAt time.Time  `json:"createdAt"`
	DoneAt    *time.Time `json:"doneAt,omitempty" doc:"When it succeeded or failed"`
}

// refundLine is what one line of the order gives back.
type refundLine struct {
	Line     int   `json:"line" doc:"Counts the order's items from 0"`
	Quantity int64 `json:"quantity" doc:"Units; 0 when only money goes back"`
	Amount   int64 `json:"amount" doc:"Minor units: the line's own share of what was paid"`
}

// allocationView is the part of a refund that one payment gives back.
type allocationView struct {
	PaymentNo string       `json:"paymentNo"`
	Channel   string       `json:"channel"`
	Amount    int64        `json:"amount"`
	Status    refundStatus `json:"status"`

	RefundNoAtChannel string      `json:"refundNoAtChannel,omitempty" doc:"The number that we gave it at the channel"`
	ChannelRefundID   string      `json:"channelRefundId,omitempty" doc:"The channel's number of it"`
	DoneAt            *time.Time  `json:"doneAt,omitempty" doc:"When the money went back, by the channel"`
	Parked            *parkedView `json:"parked,omitempty" doc:"Present when a person has to do something"`
}

// parkedView is why a part waits for a person, and what to do.
type parkedView struct {
	Reason      string `json:"reason" enum:"merchant_short,abnormal,rejected,given_up,channel_silent"`
	Explanation string `json:"said,omitempty" doc:"What the channel reported"`
	Advice      string `json:"advice" doc:"What to do about it"`
}

func viewRefund(d payment.RefundData) refundView {
	v := refundView{
		RefundNo: d.No, OrderNo: d.Order, Amount: d.Amount, Currency: d.Currency, Status: refundStatus(d.Status),
		Cause: refundCause(d.Cause), Reason: d.Reason,
		Items: make([]refundLine, len(d.Lines)), Allocations: make([]allocationView, len(d.Allocations)),
		CreatedAt: at(d.CreatedAt), DoneAt: atOrNil(d.DoneAt),
	}
	for i, l := range d.Lines {
		v.Items[i] = refundLine{l.Line, l.Quantity, l.Amount}
	}
	for i := range d.Allocations {
		v.Allocations[i] = viewAllocation(&d.Allocations[i])
	}
	return v
}

func viewAllocation(a *payment.Allocation) allocationView {
	v := allocationView{
		PaymentNo: a.Payment, Channel: a.Channel, Amount: a.Amount, Status: refundStatus(a.Status),
		RefundNoAtChannel: a.No, ChannelRefundID: a.RefundID, DoneAt: atOrNil(a.DoneAt),
	}
	if a.Parked != "" {
		v.Parked = &parkedView{string(a.Parked), a.Explanation, a.Parked.Advice()}
	}
	return v
}
