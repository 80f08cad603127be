package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/order"
)

func (s *server) mountOrders() {
	rest.Add(s.rest, placeOrder, s.placeOrder)
	rest.Add(s.rest, getOrder, s.getOrder)
	rest.Add(s.rest, listOrders, s.listOrders)
	rest.Add(s.rest, cancelOrder, s.cancelOrder)
	rest.Add(s.rest, editDraft, s.editDraft)
	rest.Add(s.rest, priceDraft, s.priceDraft)
	rest.Add(s.rest, submitDraft, s.submitDraft)
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
func (p OrderPath) mine(ctx context.Context) (app.Identity, error) {
	c := caller(ctx)
	return c, c.Reaches(p.OrderNo)
}

var placeOrder = rest.Operation{
	Route: "POST /v1/orders", ID: "placeOrder", Tag: "Orders", Summary: "Place an order", Status: 201,
	Details: "One atomic step: checks the user, prices, locks the coupons, reserves the stock, counts the limits. All or nothing. " +
		"An order with nothing to pay is paid at once. Send the price that the buyer saw as `expectedPayableAmount`. " +
		"With `instalments` (分期, 定金 + 尾款) it is paid part by part; they must add up to what is payable, else `price_changed`. " +
		"With `draft` (订单草稿) it is stored and priced to be shown, and holds nothing: edit it, then submit it.",
	Codes: []fault.Code{
		fault.IdempotencyKeyRequired, fault.IdempotencyKeyReused, fault.UserBlocked, fault.SkuNotFound, fault.CouponNotFound,
		fault.CouponUnavailable, fault.CouponNotApplicable, fault.PriceChanged, fault.PromotionExhausted, fault.PurchaseLimitExceeded,
		fault.OutOfStock,
	},
	Request:  `{"userId":"u-1001","items":[{"sku":"tea","quantity":2}],"couponCodes":["WELCOME-7F3K"],"expectedPayableAmount":16276,"expiresIn":"15m","metadata":{"cart":"c-77"}}`,
	Response: placedExample,
}

type placeOrderInput struct {
	rest.KeyRequired
	Body placementBody
}

type placementBody struct {
	CartBody
	CouponCodes           []string `json:"couponCodes,omitempty" maxItems:"20" maxLength:"64"`
	ExpectedPayableAmount *int64   `json:"expectedPayableAmount,omitempty" minimum:"0" maximum:"1000000000000000" doc:"Refuse with price_changed if the price differs"`
	TermsBody
	Draft bool `json:"draft,omitempty" doc:"Store it as a draft: nothing is locked, reserved or counted before it is submitted"`

	rest.Unread
}

// ReadPlain reads a plain body in one pass. One with instalments is not plain.
func (b *placementBody) ReadPlain(p *rest.Plain) bool {
	ok := p.Object(func(name string) (ok bool) {
		switch name {
		case "couponCodes":
			b.CouponCodes, ok = readCodes(p)
		case "expectedPayableAmount":
			b.ExpectedPayableAmount = new(int64)
			*b.ExpectedPayableAmount, ok = p.Number()
			ok = ok && *b.ExpectedPayableAmount <= maxAmount
		case "expiresIn":
			b.ExpiresIn, ok = p.String(maxID)
		case "metadata":
			b.Metadata = map[string]string{}
			ok = p.Object(func(name string) (ok bool) {
				b.Metadata[name], ok = p.String(maxMetadata)
				return ok
			})
		case "draft":
			b.Draft, ok = p.Bool()
		default:
			ok = b.readMember(p, name)
		}
		return ok
	})
	return ok && b.complete()
}

// maxMetadata is the longest value of metadata.
const maxMetadata = 500

// TermsBody is what an order has beside its cart. (Exported for huma.)
type TermsBody struct {
	ExpiresIn   string              `json:"expiresIn,omitempty" example:"15m" doc:"How long it waits for its money, 1m to 720h; 15m when absent"`
	Instalments []instalmentRequest `json:"instalments,omitempty" minItems:"2" maxItems:"24" doc:"Pay in parts; all at once when absent"`
	Metadata    map[string]string   `json:"metadata,omitempty" maxProperties:"20" doc:"Your own notes: names of 1 to 64 characters, values of at most 500"`
}

// request is the request for an order of a cart on these terms.
func (b *TermsBody) request(cart app.Cart) (app.PlaceOrder, error) {
	request := app.PlaceOrder{Cart: cart, Metadata: b.Metadata, Plan: plan(b.Instalments)}
	if b.ExpiresIn != "" {
		var err error
		if request.ExpiresIn, err = time.ParseDuration(b.ExpiresIn); err != nil || request.ExpiresIn == 0 {
			return request, fault.Invalidf("/expiresIn", `must be a duration like "15m"`)
		}
	}
	return request, nil
}

// instalmentRequest is a requested part of a plan.
type instalmentRequest struct {
	Amount int64      `json:"amount" minimum:"1" maximum:"1000000000000000" doc:"Minor units"`
	DueAt  *time.Time `json:"dueAt,omitempty" doc:"From a minute to 366 days ahead; when absent, the order's own expiry"`
}

func plan(parts []instalmentRequest) []order.Instalment {
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
	rest.Replay
	Body orderView
}

func (s *server) placeOrder(ctx context.Context, in *placeOrderInput) (*placeOrderOutput, error) {
	c := caller(ctx)
	request, err := in.Body.request(in.Body.cart(in.Body.CouponCodes))
	if err != nil {
		return nil, err
	}
	request.Expected = in.Body.ExpectedPayableAmount
	place := s.app.PlaceOrder
	if in.Body.Draft {
		place = s.app.DraftOrder
	}
	d, replayed, err := place(ctx, c.Shop, in.IdempotencyKey, request)
	if err != nil {
		return nil, err
	}
	rest.CallOf(ctx).Note("orderNo", d.No)
	return &placeOrderOutput{rest.Replayed(replayed), s.viewPlaced(c.Shop, d)}, nil
}

var getOrder = rest.Operation{
	Route: "GET /v1/orders/{orderNo}", ID: "getOrder", Tag: "Orders", Summary: "An order with its payments", Access: byToken,
	Details: "With `If-None-Match` and `wait` the answer comes when the order changes (200) or the time is over (304).",
	Codes:   []fault.Code{fault.NotFound}, Response: orderExample,
	OtherStatuses: map[int]string{304: "It is a version that If-None-Match names."},
}

type getOrderInput struct {
	OrderPath
	rest.IfNoneMatch
	Wait string `query:"wait" maxLength:"16" example:"30s" doc:"How long at most; 60s is the longest"`
}

func (s *server) getOrder(ctx context.Context, in *getOrderInput) (*rest.Tagged[orderView], error) {
	c, err := in.mine(ctx)
	if err != nil {
		return nil, err
	}
	longest, err := rest.ParseWait(in.Wait)
	if err != nil {
		return nil, err
	}
	v, err := s.app.Store.Order(ctx, c.Shop, in.OrderNo)
	if err != nil {
		return nil, err
	}
	if longest > 0 && in.Matches(rest.VersionTag(v.Order.Seq)) {
		held, release := context.WithTimeout(ctx, longest)
		defer release()
		defer context.AfterFunc(s.draining, release)()
		if s.waiter.Wait(held, c.Shop, in.OrderNo, v.Order.Seq) == nil {
			if v, err = s.app.Store.Order(ctx, c.Shop, in.OrderNo); err != nil {
				return nil, err
			}
		}
	}
	body := viewOrder(v)
	return rest.TaggedAs(in.IfNoneMatch, rest.VersionTag(v.Order.Seq), &body), nil
}

var listOrders = rest.Operation{
	Route: "GET /v1/orders", ID: "listOrders", Tag: "Orders", Summary: "Orders, newest first", Response: `{"items":[` + orderExample + `]}`,
}

type listOrdersInput struct {
	rest.PageParams
	UserID      string      `query:"userId" maxLength:"64"`
	Status      orderStatus `query:"status"`
	CreatedFrom time.Time   `query:"createdFrom" doc:"From this moment on"`
	CreatedTo   time.Time   `query:"createdTo" doc:"Before this moment"`
}

func (s *server) listOrders(ctx context.Context, in *listOrdersInput) (*rest.Answer[rest.List[orderView]], error) {
	f := app.OrderFilter{User: in.UserID, Status: order.Status(in.Status), CreatedFrom: in.CreatedFrom.UTC(), CreatedTo: in.CreatedTo.UTC()}
	return rest.ListOf(viewOrder)(s.app.Store.ListOrders(ctx, caller(ctx).Shop, f, page(in.PageParams)))
}

var cancelOrder = rest.Operation{
	Route: "POST /v1/orders/{orderNo}/cancel", ID: "cancelOrder", Tag: "Orders",
	Summary: "Cancel an order, or discard a draft", Access: byToken,
	Details: "If a payment of it is open, the channel is queried first: an order that was paid in the meantime stays paid. " +
		"The order is returned as it is afterwards. What was paid of it goes back, unless the shop keeps it with `refundPaid`; " +
		"a client token cannot cancel an order whose first instalment the shop's policy `unpaidInstalment: forfeit` keeps. " +
		"An order of 0 can be cancelled, too.",
	Codes:   []fault.Code{fault.NotFound, fault.OrderNotCancellable, fault.IdempotencyKeyReused},
	Request: `{"reason":"changed my mind"}`, Response: orderExample,
	OtherStatuses: map[int]string{202: "The channel has not answered yet: the order closes, or is paid, when it does."},
}

type cancelOrderInput struct {
	OrderPath
	rest.KeyAccepted
	Body *cancelBody
}

type cancelBody struct {
	Reason     string `json:"reason,omitempty" maxLength:"256" doc:"For people; cancelled when absent"`
	RefundPaid *bool  `json:"refundPaid,omitempty" doc:"false: the shop keeps what was paid so far (only with a secret key). All of it goes back when absent"`
}

type cancelOrderOutput struct {
	rest.Replay
	Status int
	Body   orderView
}

func (s *server) cancelOrder(ctx context.Context, in *cancelOrderInput) (*cancelOrderOutput, error) {
	c, err := in.mine(ctx)
	if err != nil {
		return nil, err
	}
	request := app.Cancellation{ByBuyer: !c.Secret()}
	if b := in.Body; b != nil {
		request.Reason, request.KeepPaid = b.Reason, b.RefundPaid != nil && !*b.RefundPaid
	}
	v, replayed, err := s.app.Cancel(ctx, c.Shop, in.OrderNo, in.IdempotencyKey, request)
	if err != nil {
		return nil, err
	}
	out := &cancelOrderOutput{rest.Replayed(replayed), http.StatusOK, viewOrder(v)}
	if v.Order.Closing != "" {
		out.Status = http.StatusAccepted
	}
	return out, nil
}
