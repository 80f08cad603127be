package chaos

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

type refundView struct {
	RefundNo, OrderNo, Status, Cause string
	Amount                           int64
	Allocations                      []struct {
		PaymentNo, Channel, Status, RefundNoAtChannel string
		Amount                                        int64
		Parked                                        *struct{ Reason, Said string }
	}
}

// operate plays the operator once: it deals with refunds that wait for a
// person and says how much is still open. well says that chance is off, so
// that what the platform never ends has to be ended.
func (r *run) operate(ctx context.Context, well bool) (open int, err error) {
	r.left = nil
	for _, status := range []string{"pending_payment", "partially_paid", "payment_failed"} {
		var page struct{ Items []struct{ OrderNo string } }
		if err := r.c.must(ctx, "GET", "/v1/orders?limit=1&status="+status, "", nil, &page); err != nil {
			return 0, err
		}
		for _, o := range page.Items {
			open++
			r.left = append(r.left, "order "+o.OrderNo+" "+status)
		}
	}
	for _, status := range []string{"pending", "failed"} {
		err := r.eachRefund(ctx, "status="+status, func(d *refundView) error {
			if done, err := r.handle(ctx, d, well); err != nil || done {
				return err
			}
			open++
			parts, err := json.Marshal(d.Allocations)
			r.left = append(r.left, fmt.Sprintf("refund %s of order %s %s %s", d.RefundNo, d.OrderNo, d.Status, parts))
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return open, nil
}

func (r *run) eachRefund(ctx context.Context, filter string, f func(*refundView) error) error {
	for cursor, more := "", true; more; {
		var page struct {
			Items      []refundView
			NextCursor string
		}
		if err := r.c.must(ctx, "GET", "/v1/refunds?limit=200&"+filter+"&cursor="+url.QueryEscape(cursor), "", nil, &page); err != nil {
			return err
		}
		for i := range page.Items {
			if err := f(&page.Items[i]); err != nil {
				return err
			}
		}
		cursor, more = page.NextCursor, page.NextCursor != ""
	}
	return nil
}

// handle deals with one refund that is not done; true says that nothing more
// will become of it.
func (r *run) handle(ctx context.Context, d *refundView, well bool) (bool, error) {
	for _, a := range d.Allocations {
		if a.Status == "succeeded" {
			continue
		}
		why := ""
		if a.Parked != nil {
			why = a.Parked.Reason
		}
		switch why {
		case "", "channel_silent":
			if well && d.Status == "pending" {
				// What the platform never ends, its support ends.
				var p struct{ PaymentNo, RepeatOf string }
				if err := r.c.must(ctx, "GET", "/v1/payments/"+a.PaymentNo, "", nil, &p); err != nil {
					return false, err
				}
				path := "/sandbox/refunds/" + a.RefundNoAtChannel + "/succeed?outTradeNo=" + cmp.Or(p.RepeatOf, p.PaymentNo)
				err := r.c.do(ctx, "POST", path, "", nil, nil)
				var no *refusal
				var at struct{ State string }
				if errors.As(err, &no) && no.status == 409 {
					if err := r.c.must(ctx, "GET", strings.Replace(path, "/succeed", "", 1), "", nil, &at); err != nil {
						return false, err
					}
				}
				if why != "" && at.State == "closed" { // nothing will come of it
					r.report.Operator["gave up what was silent"]++
					err = r.c.do(ctx, "POST", "/v1/refunds/"+d.RefundNo+"/give-up", "", map[string]any{"reason": "not at the merchant's console"}, nil)
				}
				if err := ignoreRefusal(err); err != nil {
					return false, err
				}
			}
		case "abnormal":
			err := r.c.do(ctx, "POST", "/v1/refunds/"+d.RefundNo+"/abnormal", "", map[string]any{
				"paymentNo": a.PaymentNo, "to": "buyer", "bank": "ICBC_DEBIT", "account": "6222020200112233", "name": "张三",
			}, nil)
			r.report.Operator["another way"]++
			if err := ignoreRefusal(err); err != nil {
				return false, err
			}
		case "merchant_short":
			// It is tried again by itself.
		default: // rejected, given_up
			if r.retried[d.RefundNo]++; r.retried[d.RefundNo] <= 3 {
				r.report.Operator["retried "+why]++
				if err := ignoreRefusal(r.c.do(ctx, "POST", "/v1/refunds/"+d.RefundNo+"/retry", "", nil, nil)); err != nil {
					return false, err
				}
				return false, nil
			}
			if !well {
				return false, nil
			}
			return r.payByHand(ctx, d)
		}
	}
	return false, nil
}

// payByHand is the last way: the buyer gets the money in cash, and the
// operator says so.
func (r *run) payByHand(ctx context.Context, d *refundView) (bool, error) {
	err := r.c.do(ctx, "POST", "/v1/refunds/"+d.RefundNo+"/confirm", "", map[string]any{"reason": "paid in cash"}, nil)
	var no *refusal
	if errors.As(err, &no) {
		r.report.wrong("refund %s of order %s cannot be confirmed: %v", d.RefundNo, d.OrderNo, no)
		return true, nil
	}
	if err != nil {
		return false, err
	}
	r.report.Operator["paid by hand"]++
	for _, a := range d.Allocations {
		if a.Status != "succeeded" {
			r.byHand[d.OrderNo] += a.Amount
			if r.handled == nil {
				r.handled = map[string]bool{}
			}
			r.handled[a.RefundNoAtChannel] = true
		}
	}
	return false, nil
}

func ignoreRefusal(err error) error {
	var no *refusal
	if errors.As(err, &no) {
		return nil
	}
	return err
}
