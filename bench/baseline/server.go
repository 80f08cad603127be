package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
)

// store places orders, each in a transaction of its own. view makes the
// answer that is stored under the key.
type store interface {
	place(
		ctx context.Context, key string, hash []byte, p *placement, view func(*order.Data) ([]byte, error),
	) (answer []byte, replayed bool, err error)
}

// pays takes orders further.
type pays interface {
	open(ctx context.Context, key string, hash []byte, orderNo string, ch *channel, notifyURL string) (payment.Data, bool, error)
	taken(ctx context.Context, no string, action payment.Action, took time.Duration) (payment.Data, error)
	settle(ctx context.Context, n payment.Notice, header http.Header, body []byte) (payment.Outcome, error)
	coupon(ctx context.Context, code string) (marketing.CouponData, error)
}

type server struct {
	key     string // the whole Authorization header
	url     string
	tokens  *app.Tokens
	store   store
	pays    pays // nil on SQLite
	channel *channel
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/orders", s.authorized(s.placeOrder))
	if s.pays != nil {
		mux.HandleFunc("POST /v1/orders/{orderNo}/payments", s.authorized(s.openPayment))
		mux.HandleFunc("GET /v1/coupons/{code}", s.authorized(s.getCoupon))
		mux.HandleFunc("POST /v1/notify/{shop}/{channel}", s.notify)
	}
	return mux
}

func (s *server) authorized(h func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := error(fault.New(fault.Unauthorized, "send the secret key"))
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(s.key)) == 1 {
			err = h(w, r)
		}
		if err != nil {
			problem(w, err)
		}
	}
}

// maxBody is the largest body that is read.
const maxBody = 1 << 20

// read reads a body and its idempotency key, with the fingerprint of both.
func read(w http.ResponseWriter, r *http.Request, into any) (key string, hash []byte, err error) {
	if key = r.Header.Get("Idempotency-Key"); key == "" || len(key) > 255 {
		return "", nil, fault.New(fault.IdempotencyKeyRequired, "send an Idempotency-Key of at most 255 characters")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return "", nil, fault.New(fault.BodyTooLarge, "at most 1 MiB").Because(err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return "", nil, fault.New(fault.ValidationFailed, "the body: %v", err)
	}
	h := sha256.New()
	h.Write([]byte(r.URL.Path))
	h.Write([]byte{0})
	h.Write(body)
	return key, h.Sum(nil), nil
}

func (s *server) placeOrder(w http.ResponseWriter, r *http.Request) error {
	var p placement
	key, hash, err := read(w, r, &p)
	if err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	answer, replayed, err := s.store.place(r.Context(), key, hash, &p, s.viewOrder)
	if err != nil {
		return err
	}
	reply(w, http.StatusCreated, replayed, answer)
	return nil
}

func (s *server) openPayment(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Channel string `json:"channel"`
		Method  string `json:"method"`
	}
	key, hash, err := read(w, r, &in)
	if err != nil {
		return err
	}
	if s.channel == nil || in.Method != string(payment.Native) {
		return fault.New(fault.ChannelNotConfigured, "native payments through the configured channel only")
	}
	p, replayed, err := s.pays.open(r.Context(), key, hash, r.PathValue("orderNo"), s.channel, s.url+"/v1/notify/"+theShop+"/"+in.Channel)
	if err != nil {
		return err
	}
	if p.Action == nil && p.Open() {
		// The call to the channel stands between two transactions; here its
		// answer is at hand.
		began := time.Now()
		action := payment.Action{Kind: "qr_code", CodeURL: "weixin://wxpay/bizpayurl?pr=" + p.No}
		if p, err = s.pays.taken(r.Context(), p.No, action, time.Since(began)); err != nil {
			return err
		}
	}
	answer, err := json.Marshal(paymentView{
		PaymentNo: p.No, OrderNo: p.Order, Channel: p.Channel, Method: string(p.Method), Amount: p.Amount, Currency: p.Currency,
		Status: string(p.Status), Action: p.Action, ExpiresAt: p.ExpiresAt, CreatedAt: p.CreatedAt,
	})
	if err != nil {
		return err
	}
	reply(w, http.StatusCreated, replayed, answer)
	return nil
}

func (s *server) getCoupon(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pays.coupon(r.Context(), r.PathValue("code"))
	if err != nil {
		return err
	}
	answer, err := json.Marshal(
		map[string]any{"code": c.Code, "templateId": c.TemplateID, "userId": c.User, "status": c.Status, "orderNo": c.Order},
	)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, false, answer)
	return nil
}

func (s *server) notify(w http.ResponseWriter, r *http.Request) {
	if s.channel == nil {
		problem(w, fault.New(fault.ChannelNotConfigured, "no channel"))
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, wechatMax+1))
	ok := false
	if err == nil {
		var n payment.Notice
		if n, err = s.channel.Read(time.Now(), r.Header, body); err == nil && n.RefundNo == "" {
			var outcome payment.Outcome
			outcome, err = s.pays.settle(r.Context(), n, r.Header, body)
			ok = err == nil && outcome != payment.Orphan
		}
	}
	if err != nil {
		slog.Warn("callback", "error", err)
	}
	a := s.channel.Answer(ok)
	w.Header().Set("Content-Type", a.ContentType)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

const wechatMax = 64 << 10

func reply(w http.ResponseWriter, status int, replayed bool, answer []byte) {
	w.Header().Set("Content-Type", "application/json")
	if replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(status)
	//nolint:gosec // The answer is JSON, and says so.
	_, _ = w.Write(answer) // a client that has gone repeats the request with the same key
}

var statuses = map[fault.Kind]int{
	fault.KindInvalid: 400, fault.KindUnauthorized: 401, fault.KindNotFound: 404,
	fault.KindConflict: 409, fault.KindTooLarge: 413, fault.KindRefused: 422,
}

func problem(w http.ResponseWriter, err error) {
	f := fault.From(err)
	status := statuses[f.Kind()]
	if status == 0 {
		status = http.StatusInternalServerError
		if !errors.Is(err, context.Canceled) {
			slog.Error("request", "error", err)
		}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "code": f.Code, "detail": f.Message})
}

// orderView and paymentView are the public API's shapes.
type orderView struct {
	OrderNo     string              `json:"orderNo"`
	UserID      string              `json:"userId"`
	Status      string              `json:"status"`
	Currency    string              `json:"currency"`
	Total       int64               `json:"totalAmount"`
	Discount    int64               `json:"discountAmount"`
	Payable     int64               `json:"payableAmount"`
	Paid        int64               `json:"paidAmount"`
	Refunded    int64               `json:"refundedAmount"`
	Items       []pricing.QuoteLine `json:"items"`
	Applied     []pricing.Applied   `json:"appliedDiscounts"`
	Payments    []paymentView       `json:"payments"`
	CreatedAt   time.Time           `json:"createdAt"`
	ExpiresAt   time.Time           `json:"expiresAt"`
	Version     int64               `json:"version"`
	ClientToken string              `json:"clientToken"`
}

type paymentView struct {
	PaymentNo string          `json:"paymentNo"`
	OrderNo   string          `json:"orderNo"`
	Channel   string          `json:"channel"`
	Method    string          `json:"method"`
	Amount    int64           `json:"amount"`
	Currency  string          `json:"currency"`
	Status    string          `json:"status"`
	Action    *payment.Action `json:"action,omitempty"`
	ExpiresAt time.Time       `json:"expiresAt"`
	CreatedAt time.Time       `json:"createdAt"`
}

func (s *server) viewOrder(d *order.Data) ([]byte, error) {
	return json.Marshal(orderView{
		OrderNo: d.No, UserID: d.User, Status: string(d.Status), Currency: d.Currency,
		Total: d.Total, Discount: d.Discount, Payable: d.Payable, Paid: d.Paid, Refunded: d.Refunded,
		Items: d.Items, Applied: d.Applied, Payments: []paymentView{},
		CreatedAt: d.CreatedAt, ExpiresAt: d.ExpiresAt, Version: d.Seq, ClientToken: s.tokens.Issue(theShop, d.No),
	})
}
