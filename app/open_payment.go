package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
)

// OpenPayment is a buyer's request to pay.
type OpenPayment struct {
	Channel   string
	Method    payment.Method
	Amount    int64  // minor units; 0: all that is due, or the next instalment
	OpenID    string // JSAPI
	ClientIP  string // H5; not part of the request's identity
	ReturnURL string
}

// OpenPayment stores a payment with its request, then calls the channel. The
// order of the two matters: there is a row for every payment that the channel
// may have accepted. If the channel's answer is lost, repeating with the same
// key repeats the identical request.
func (a *App) OpenPayment(ctx context.Context, shop, orderNo, key string, in OpenPayment) (p payment.Data, replayed bool, err error) {
	if err := in.check(); err != nil {
		return p, false, err
	}
	ch, err := a.Channels.Channel(ctx, shop, in.Channel)
	if err != nil {
		return p, false, err
	}
	if !slices.Contains(ch.Methods(), in.Method) {
		return p, false, fault.Invalidf("/method", "channel %s offers %v", in.Channel, ch.Methods())
	}
	identity := in
	identity.ClientIP = ""
	no, err := newNumber(paymentDigit, a.Clock.Now(), a.Rand)
	if err != nil {
		return p, false, err
	}
	began := time.Now()
	p, replayed, err = Do(ctx, a, &Command{
		Shop: shop, Name: "open payment", Key: key, Hash: Hash("open payment "+orderNo, identity), Trace: a.Tracer.Parent(ctx),
		Needs: Needs{rows.Orders.Keys(orderNo)},
	}, func(tx *Tx) (payment.Data, error) { return a.openPayment(tx, shop, orderNo, no, &in, &ch) })
	if err != nil {
		return p, replayed, err
	}
	a.Tracer.AddSpan(ctx, "open payment", p.Trace, began)
	if replayed {
		if p, err = a.Store.Payment(ctx, shop, p.No); err != nil {
			return p, replayed, err
		}
	}
	if p.Action == nil && p.Open() {
		p, err = a.prepay(ctx, shop, &ch, p)
	}
	if replayed && err == nil && p.Status == payment.StatusFailed {
		err = a.refusedBefore(ctx, shop, &p)
	}
	return p, replayed, err
}

// refusedBefore is the refusal that a payment had whose prepay the channel
// refused: a repeat of the call gets the same answer. nil if it failed otherwise.
func (a *App) refusedBefore(ctx context.Context, shop string, p *payment.Data) error {
	refused := func(f payment.Fact) bool { return f.Source == payment.ByPrepay && f.Kind == payment.Failed }
	if !slices.ContainsFunc(p.Facts, refused) {
		return nil
	}
	all, err := a.Store.ChannelMessages(ctx, shop, p.Order)
	if err != nil {
		return err
	}
	for i := range all {
		if m := &all[i]; m.Payment == p.No && m.Kind == MessagePrepay && m.Detail != "" {
			return prepayRefused(p.Channel, m.Detail)
		}
	}
	return nil
}

func prepayRefused(channel, detail string) error {
	return fault.New(fault.ChannelRejected, "%s refused the payment: %s", channel, detail)
}

func (in *OpenPayment) check() error {
	switch {
	case in.Channel == "":
		return fault.Invalidf("/channel", "required")
	case in.Amount < 0:
		return fault.Invalidf("/amount", "must be positive minor units, or absent for all that is due")
	case in.Method == payment.JSAPI && in.OpenID == "":
		return fault.Invalidf("/payer/openId", "jsapi needs the payer's openId")
	case len(in.OpenID) > 128:
		return fault.Invalidf("/payer/openId", "at most 128 characters")
	}
	if in.ReturnURL != "" {
		u, err := url.Parse(in.ReturnURL)
		if err != nil || len(in.ReturnURL) > 255 || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fault.Invalidf("/returnUrl", "must be an http or https URL of at most 255 characters")
		}
	}
	return nil
}

// MaxPayments is how many payments one order may have in its life: a client
// token must not make an order grow without end.
const MaxPayments = 50

// minChannelExpiry is the shortest life of a payment. Channels want a minute when
// the request arrives; the rest is for clocks that differ and for repeats.
const minChannelExpiry = 3 * time.Minute

// maxChannelExpiry is the longest life of one payment: an order that is paid
// in instalments waits longer than any channel keeps a code payable.
const maxChannelExpiry = 24 * time.Hour

func (a *App) openPayment(tx *Tx, shop, orderNo, no string, in *OpenPayment, ch *Configured) (payment.Data, error) {
	o, err := tx.Order(orderNo)
	if err != nil {
		return payment.Data{}, err
	}
	if o == nil {
		return payment.Data{}, fault.New(fault.NotFound, "there is no order %s", orderNo)
	}
	d := o.Data()
	tx.Join(d.Trace)
	amount := in.Amount
	if amount == 0 {
		amount = max(d.NextPart(), 1)
	}
	if err := o.Attempt(amount); err != nil {
		return payment.Data{}, err
	}
	if len(tx.PaymentsOf(orderNo)) >= MaxPayments {
		return payment.Data{}, fault.New(fault.OrderNotPayable, "order %s has had %d payments, the most that one may have", orderNo, MaxPayments)
	}
	expires := d.ExpiresAt
	if soonest := tx.Now().Add(minChannelExpiry); expires.Before(soonest) {
		expires = soonest
	} else if latest := tx.Now().Add(maxChannelExpiry); expires.After(latest) {
		expires = latest
	}
	request := payment.PrepayRequest{
		PaymentNo: no, Method: in.Method, Amount: amount, Currency: d.Currency, Description: describe(&d),
		NotifyURL: a.PublicURL + "/v1/notify/" + shop + "/" + in.Channel, ReturnURL: in.ReturnURL,
		OpenID: in.OpenID, ClientIP: in.ClientIP, ExpiresAt: expires,
	}
	if c, can := payment.As[payment.Checker](ch.Channel); can {
		if wrong := c.Check(request); wrong != nil && wrong.Field != "" {
			return payment.Data{}, fault.Invalidf(wrong.Field, "%s", wrong.Message)
		}
	}
	p := payment.New(orderNo, in.Channel, ch.Merchant, ch.App, tx.Trace(), request, tx.Now())
	o.Note(p.Event(event.PaymentCreated, ""))
	tx.PutPayment(p)
	tx.PutOrder(o)
	return p.Data(), nil
}

// describe is what the buyer reads of what is paid for.
func describe(d *order.Data) string {
	s := "Order " + d.No
	if len(d.Items) > 0 {
		s = d.Items[0].Name
	}
	if len(d.Items) > 1 {
		s = fmt.Sprintf("%s 等%d件", s, len(d.Items))
	}
	return s
}

// prepay opens a stored payment at the channel and records the answer.
func (a *App) prepay(ctx context.Context, shop string, ch *Configured, p payment.Data) (payment.Data, error) {
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	start := a.Clock.Now().UTC()
	began := time.Now()
	call, end := a.Tracer.Start(call, "channel prepay", p.Trace)
	action, err := ch.Prepay(call, p.Request)
	end(err)
	x := ChannelMessage{
		Order: p.Order, Payment: p.No, Channel: p.Channel, Kind: MessagePrepay,
		At: start, TookUS: time.Since(began).Microseconds(), Verdict: verdict(err),
	}
	// The channel's answer must be recorded even if the caller has gone.
	ctx = context.WithoutCancel(ctx)

	var rejected *payment.RejectedError
	switch {
	case err == nil:
		return a.accepted(ctx, shop, p, action, x)
	case errors.As(err, &rejected):
		x.Detail = rejected.Error()
		f := payment.Fact{ID: "rejected/" + rejected.Code, Kind: payment.Failed, Source: payment.ByPrepay, Reported: rejected.Code}
		if _, failed := a.Settle(ctx, shop, p.No, f, x); failed != nil {
			return p, failed
		}
		if m := payment.Misconfigured(err); m != nil {
			return p, Misconfigured(p.Channel, m)
		}
		return p, prepayRefused(p.Channel, x.Detail)
	case errors.Is(err, payment.ErrPaid), errors.Is(err, payment.ErrClosed):
		if err := a.keep(ctx, shop, x); err != nil {
			return p, err
		}
		return a.SyncPayment(ctx, shop, p.No)
	}
	x.Detail = err.Error()
	if kept := a.keep(ctx, shop, x); kept != nil {
		return p, kept
	}
	return p, channelFault(p.Channel, err)
}

// accepted records that the channel accepted the payment.
func (a *App) accepted(ctx context.Context, shop string, p payment.Data, action payment.Action, x ChannelMessage) (payment.Data, error) {
	d, _, err := Do(ctx, a, &Command{
		Shop: shop, Name: "prepay answered", Trace: p.Trace, Needs: Needs{rows.Payments.Keys(p.No)},
	}, func(tx *Tx) (out payment.Data, err error) {
		q, err := tx.Payment(p.No)
		if err != nil {
			return out, err
		}
		o, err := tx.Order(p.Order)
		if err != nil {
			return out, err
		}
		tx.Keep(x)
		if q.Accepted(action) {
			o.Note(q.Event(event.PaymentPending, ""))
			tx.PutOrder(o)
		}
		tx.PutPayment(q)
		return q.Data(), nil
	})
	return d, err
}

// verdict is how a call to a channel ended, as the timeline shows it.
func verdict(err error) string {
	var rejected *payment.RejectedError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &rejected):
		return "rejected"
	case errors.Is(err, payment.ErrPaid):
		return "already_paid"
	case errors.Is(err, payment.ErrClosed):
		return "already_closed"
	case errors.Is(err, payment.ErrNotExist):
		return "not_there"
	case errors.Is(err, payment.ErrBusy):
		return "busy"
	case errors.Is(err, payment.ErrShort):
		return "merchant_short"
	}
	return "unknown"
}

// Misconfigured is the refusal of a call that the channel refused for its settings.
func Misconfigured(channel string, m *payment.MisconfiguredError) *fault.Error {
	return fault.New(fault.ChannelMisconfigured, "%s refuses its settings: %s %s. %s", channel, m.Code, m.Message, m.Check)
}

// channelFault is the refusal of a call to which the channel gave no certain answer.
func channelFault(channel string, err error) error {
	if m := payment.Misconfigured(err); m != nil {
		return Misconfigured(channel, m).Because(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.ChannelTimeout, "%s did not answer in time; repeat with the same Idempotency-Key", channel).Because(err)
	}
	return fault.New(fault.ChannelUnavailable, "%s gave no certain answer; repeat with the same Idempotency-Key", channel).Because(err)
}
