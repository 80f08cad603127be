package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
)

func (s *server) mountOrders() {
	add(s, placeOrder, s.placeOrder)
	add(s, getOrder, s.getOrder)
	add(s, listOrders, s.listOrders)
	add(s, cancelOrder, s.cancelOrder)
	add(s, editDraft, s.editDraft)
	add(s, priceDraft, s.priceDraft)
	add(s, submitDraft, s.submitDraft)
}

const (
	orderHead = `{"orderNo":"12026060104000012300000000017","userId":"u-1001","status":"pending_payment","currency":"CNY",` +
		`"totalAmount":17776,"discountAmount":1500,"payableAmount":16276,"paidAmount":0,"refundedAmount":0,"refundingAmount":0,` +
		`"items":` + linesExample + `,"appliedDiscounts":` + appliedExample + `,"payments":[],` +
		`"createdAt":"2026-06-01T04:00:00.123Z","expiresAt":"2026-06-01T04:15:00.123Z","version":1`
	orderExample  = orderHead + `}`
	placedExample = orderHead + `,"metadata":{"cart":"c-77"},"clientToken":"ct_ZGVmYXVsdC8xMjAyNg"}`
)

// OrderPath is the order number of a path.
type OrderPath struct {
	OrderNo string `path:"orderNo" maxLength:"64" example:"12026060104000012300000000017"`
}

// mine is the caller of an operation on one order, who must reach it.
func (p OrderPath) mine(ctx context.Context) (*call, error) {
	c := caller(ctx)
	return c, c.Reaches(p.OrderNo)
}

var placeOrder = op{
	call: "POST /v1/orders", id: "placeOrder", tag: "Orders", summary: "Place an order", status: 201,
	about: "One atomic step: checks the user, prices, locks the coupons, reserves the stock, counts the limits. All or nothing. " +
		"An order with nothing to pay is paid at once. Send the price that the buyer saw as `expectedPayableAmount`. " +
		"With `instalments` (分期, 定金 + 尾款) it is paid part by part; they must add up to what is payable, else `price_changed`. " +
		"With `draft` (订单草稿) it is stored and priced to be shown, and holds nothing: edit it, then submit it.",
	codes: []fault.Code{
		fault.IdempotencyKeyRequired, fault.IdempotencyKeyReused, fault.UserBlocked, fault.SkuNotFound, fault.CouponNotFound,
		fault.CouponUnavailable, fault.CouponNotApplicable, fault.PriceChanged, fault.PurchaseLimitExceeded, fault.OutOfStock,
	},
	body:   `{"userId":"u-1001","items":[{"sku":"tea","quantity":2}],"couponCodes":["WELCOME-7F3K"],"expectedPayableAmount":16276,"expiresIn":"15m","metadata":{"cart":"c-77"}}`,
	answer: placedExample,
}

type placeOrderInput struct {
	KeyRequired
	Body struct {
		CartBody
		CouponCodes           []string `json:"couponCodes,omitempty" maxItems:"20" maxLength:"64"`
		ExpectedPayableAmount *int64   `json:"expectedPayableAmount,omitempty" minimum:"0" maximum:"1000000000000000" doc:"Refuse with price_changed if the price is another"`
		TermsBody
		Draft bool `json:"draft,omitempty" doc:"Store it as a draft: nothing is locked, reserved or counted before it is submitted"`
	} `nameHint:"Placement"`
}

// TermsBody is what an order has beside its cart. (Exported for huma.)
type TermsBody struct {
	ExpiresIn   string            `json:"expiresIn,omitempty" example:"15m" doc:"How long it waits for its money, 1m to 720h; 15m when absent"`
	Instalments []instalmentAsk   `json:"instalments,omitempty" minItems:"2" maxItems:"24" doc:"Pay in parts; all at once when absent"`
	Metadata    map[string]string `json:"metadata,omitempty" maxProperties:"20" doc:"Your own notes: names of 1 to 64 characters, values of at most 500"`
}

// ask is what is asked for by a cart on these terms.
func (b *TermsBody) ask(cart app.Cart) (app.PlaceOrder, error) {
	ask := app.PlaceOrder{Cart: cart, Metadata: b.Metadata, Plan: plan(b.Instalments)}
	if b.ExpiresIn != "" {
		var err error
		if ask.ExpiresIn, err = time.ParseDuration(b.ExpiresIn); err != nil || ask.ExpiresIn == 0 {
			return ask, fault.Invalidf("/expiresIn", `must be a duration like "15m"`)
		}
	}
	return ask, nil
}

// instalmentAsk is a part of a plan as it is asked for.
type instalmentAsk struct {
	Amount int64      `json:"amount" minimum:"1" maximum:"1000000000000000" doc:"Minor units"`
	DueAt  *time.Time `json:"dueAt,omitempty" doc:"From a minute to 366 days ahead; when absent, the order's own expiry"`
}

func plan(parts []instalmentAsk) []order.Instalment {
	var out []order.Instalment
	for _, p := range parts {
		i := order.Instalment{Amount: p.Amount}
		if p.DueAt != nil {
			i.DueAt = at(*p.DueAt)
		}
		out = append(out, i)
	}
	return out
}

type placeOrderOutput struct {
	Replay
	Body orderView
}

func (s *server) placeOrder(ctx context.Context, in *placeOrderInput) (*placeOrderOutput, error) {
	c := caller(ctx)
	ask, err := in.Body.ask(in.Body.cart(in.Body.CouponCodes))
	if err != nil {
		return nil, err
	}
	ask.Expected = in.Body.ExpectedPayableAmount
	place := s.app.PlaceOrder
	if in.Body.Draft {
		place = s.app.DraftOrder
	}
	d, replayed, err := place(ctx, c.Shop, in.IdempotencyKey, ask)
	if err != nil {
		return nil, err
	}
	c.order = d.No
	return &placeOrderOutput{replay(replayed), s.viewPlaced(c.Shop, d)}, nil
}

var getOrder = op{
	call: "GET /v1/orders/{orderNo}", id: "getOrder", tag: "Orders", summary: "An order with its payments", who: byOrder,
	about: "With `If-None-Match` and `wait` the answer is held until the order changes: 200, or 304 when the time is over.",
	codes: []fault.Code{fault.NotFound}, answer: orderExample, also: map[int]string{304: "It is still one of If-None-Match."},
}

type getOrderInput struct {
	OrderPath
	IfNoneMatch
	Wait string `query:"wait" maxLength:"16" example:"30s" doc:"At most so long; 60s is the longest"`
}

func (s *server) getOrder(ctx context.Context, in *getOrderInput) (*tagged[orderView], error) {
	c, err := in.mine(ctx)
	if err != nil {
		return nil, err
	}
	patience, err := wait(in.Wait)
	if err != nil {
		return nil, err
	}
	v, err := s.app.Store.Order(ctx, c.Shop, in.OrderNo)
	if err != nil {
		return nil, err
	}
	if patience > 0 && in.matches(orderTag(&v.Order)) {
		held, release := context.WithTimeout(ctx, patience)
		defer release()
		defer context.AfterFunc(s.draining, release)()
		if s.waiter.Wait(held, c.Shop, in.OrderNo, v.Order.Seq) == nil {
			if v, err = s.app.Store.Order(ctx, c.Shop, in.OrderNo); err != nil {
				return nil, err
			}
		}
	}
	body := viewOrder(v)
	return taggedAs(in.IfNoneMatch, orderTag(&v.Order), &body), nil
}

var listOrders = op{
	call: "GET /v1/orders", id: "listOrders", tag: "Orders", summary: "Orders, newest first", answer: `{"items":[` + orderExample + `]}`,
}

type listOrdersInput struct {
	PageParams
	UserID      string      `query:"userId" maxLength:"64"`
	Status      orderStatus `query:"status"`
	CreatedFrom time.Time   `query:"createdFrom" doc:"From this moment on"`
	CreatedTo   time.Time   `query:"createdTo" doc:"Before this moment"`
}

func (s *server) listOrders(ctx context.Context, in *listOrdersInput) (*answer[list[orderView]], error) {
	f := app.OrderFilter{User: in.UserID, Status: order.Status(in.Status), CreatedFrom: in.CreatedFrom.UTC(), CreatedTo: in.CreatedTo.UTC()}
	return listOf(viewOrder)(s.app.Store.ListOrders(ctx, caller(ctx).Shop, f, in.page()))
}

var cancelOrder = op{
	call: "POST /v1/orders/{orderNo}/cancel", id: "cancelOrder", tag: "Orders", summary: "Cancel an order, or discard a draft", who: byOrder,
	about: "If a payment of it is open the channel is asked first: an order that was paid meanwhile is paid, and stays. " +
		"The order is returned as it is afterwards.",
	codes: []fault.Code{fault.NotFound, fault.OrderNotCancellable, fault.IdempotencyKeyReused},
	body:  `{"reason":"changed my mind"}`, answer: orderExample,
	also: map[int]string{202: "The channel has not answered yet: the order closes, or is paid, when it does."},
}

type cancelOrderInput struct {
	OrderPath
	KeyAccepted
	Body *cancelBody
}

type cancelBody struct {
	Reason string `json:"reason,omitempty" maxLength:"256" doc:"cancelled when absent"`
}

type cancelOrderOutput struct {
	Replay
	Status int
	Body   orderView
}

func (s *server) cancelOrder(ctx context.Context, in *cancelOrderInput) (*cancelOrderOutput, error) {
	c, err := in.mine(ctx)
	if err != nil {
		return nil, err
	}
	var reason string
	if in.Body != nil {
		reason = in.Body.Reason
	}
	v, replayed, err := s.app.CancelOrder(ctx, c.Shop, in.OrderNo, in.IdempotencyKey, reason)
	if err != nil {
		return nil, err
	}
	out := &cancelOrderOutput{replay(replayed), http.StatusOK, viewOrder(v)}
	if v.Order.Closing != "" {
		out.Status = http.StatusAccepted
	}
	return out, nil
}
