package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// TimelineEntry is one line of an order's history: an event or a channel message.
// Times are UTC.
type TimelineEntry struct {
	At      time.Time  `json:"at"`
	Kind    string     `json:"kind" doc:"event, or the kind of a channel message: callback, prepay, query, close, refund, refund_query, bill (a line of it), operator"`
	Type    string     `json:"type,omitempty" doc:"The event's type"`
	Seq     int64      `json:"seq,omitempty"`
	Status  string     `json:"status,omitempty" doc:"The order's status after the event"`
	Payment string     `json:"paymentNo,omitempty"`
	Refund  string     `json:"refundNo,omitempty"`
	Channel string     `json:"channel,omitempty"`
	Coupon  string     `json:"couponCode,omitempty"`
	Sku     string     `json:"sku,omitempty"`
	Amount  int64      `json:"amount,omitempty" doc:"Minor units"`
	Units   int64      `json:"quantity,omitempty"`
	Verdict string     `json:"verdict,omitempty" doc:"How the channel message was handled"`
	Detail  string     `json:"detail,omitempty"`
	DueAt   *time.Time `json:"dueAt,omitempty" doc:"Of an instalment"`
	Took    int64      `json:"tookMicros,omitempty" doc:"Microseconds that the call took"`
	TraceID string     `json:"traceId,omitempty"`
}

// Timeline is the whole history of an order, oldest first.
func (a *App) Timeline(ctx context.Context, shop, orderNo string) ([]TimelineEntry, error) {
	if _, err := a.Store.Order(ctx, shop, orderNo); err != nil {
		return nil, err
	}
	records, err := a.Store.OrderEvents(ctx, shop, orderNo, 0)
	if err != nil {
		return nil, err
	}
	messages, err := a.Store.ChannelMessages(ctx, shop, orderNo)
	if err != nil {
		return nil, err
	}
	repeats, err := a.Store.RepeatedCallbacks(ctx, shop, orderNo)
	if err != nil {
		return nil, err
	}
	var out []TimelineEntry
	for _, n := range repeats {
		out = append(out, TimelineEntry{
			At: n.At, Kind: MessageCallback, Payment: n.Payment, Channel: n.Channel, Verdict: string(payment.Repeated),
			Detail: fmt.Sprintf("%d repeats, the last at this time", n.Times),
		})
	}
	for _, x := range messages {
		out = append(out, TimelineEntry{
			At: x.At, Kind: x.Kind, Payment: x.Payment, Channel: x.Channel, Verdict: x.Verdict, Detail: x.Detail,
			Took: x.TookUS, TraceID: TraceID(x.Trace),
		})
	}
	for _, r := range records {
		for _, e := range r.Events {
			line := TimelineEntry{
				At: r.At, Kind: "event", Type: string(e.Type), Seq: e.Seq, Status: e.Status, Payment: e.Payment, Refund: e.Refund, Channel: e.Channel,
				Coupon: e.Coupon, Sku: e.Sku, Amount: e.Amount, Units: e.Quantity, Detail: e.Reason, TraceID: TraceID(r.Trace),
			}
			if !e.DueAt.IsZero() {
				line.DueAt = &e.DueAt
			}
			out = append(out, line)
		}
	}
	// A channel message begins before the events that it caused: on equal times it
	// stands first.
	slices.SortStableFunc(out, func(x, y TimelineEntry) int { return cmp.Compare(x.At.UnixMicro(), y.At.UnixMicro()) })
	return out, nil
}

// TraceID is the trace id of a W3C traceparent, "" if it is none.
func TraceID(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) != 4 || len(parts[1]) != 32 {
		return ""
	}
	return parts[1]
}
