package checkout

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/pricing"
)

// cart is what the page sends to be quoted or placed. The user is not in it:
// see buyer.
type cart struct {
	Items   []app.Item      `json:"items"`
	Coupons json.RawMessage `json:"couponCodes"` // codes; for a quote also "best"
}

const best = "best"

func (c *cart) codes() (codes []string, err error) {
	if len(c.Coupons) > 0 && json.Unmarshal(c.Coupons, &codes) != nil {
		err = fault.Invalidf("/couponCodes", "must be a list of codes")
	}
	return codes, err
}

// sold refuses what is not the demo's: anybody may order here, without a key, so
// the shop's own skus and coupons are out of reach.
func (s *shop) sold(ctx context.Context, c *cart, coupons []string) error {
	for i := range c.Items {
		if sku := c.Items[i].Sku; !strings.HasPrefix(sku, demoPrefix) {
			return fault.New(fault.SkuNotFound, "the demo does not sell %q", sku)
		}
	}
	for _, code := range coupons {
		d, err := s.App.Store.Coupon(ctx, s.Shop, code)
		if fault.Is(err, fault.CouponNotFound) || fault.Is(err, fault.NotFound) {
			continue // a quote says so, and an order is refused
		}
		if err != nil {
			return err
		}
		if !strings.HasPrefix(d.TemplateID, demoPrefix) {
			return fault.New(fault.CouponNotFound, "the demo has no coupon %q", code)
		}
	}
	return nil
}

func (c *cart) of(user string, codes []string) app.Cart {
	return app.Cart{User: user, Items: c.Items, Coupons: codes}
}

// quoted is a quote in the public API's shape.
type quoted struct {
	*pricing.Quote
	Best *chosen `json:"best,omitempty"`
}

type chosen struct {
	Codes   []string `json:"couponCodes"`
	Of      int      `json:"of"`
	Stopped bool     `json:"stopped"`
}

// product is a product as the page shows it.
type product struct {
	Sku        string   `json:"sku"`
	Name       string   `json:"name"`
	Price      int64    `json:"price"`
	Categories []string `json:"categories"`
	Available  int64    `json:"available"`
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// catalog is what the page loads first: what is sold, and what it may offer.
type catalog struct {
	Currency   string    `json:"currency"`
	Items      []product `json:"items"`
	Promotions []named   `json:"promotions"`
	Coupon     *named    `json:"coupon,omitempty"`
	Ways       []way     `json:"ways"`  // the first is the one to begin with
	Phone      bool      `json:"phone"` // there is a phone page to pay at
}

func (s *shop) products(_ http.ResponseWriter, r *http.Request) (answered, error) {
	ctx := r.Context()
	own, err := s.App.Store.ShopByID(ctx, s.Shop)
	if err != nil {
		return answered{}, err
	}
	ids := make([]string, len(goods))
	for i := range goods {
		ids[i] = goods[i].sku
	}
	found, err := s.App.Store.SkusByID(ctx, s.Shop, ids)
	if err != nil {
		return answered{}, err
	}
	ways, err := s.ways(ctx)
	if err != nil {
		return answered{}, err
	}
	out := catalog{Currency: own.Currency, Items: []product{}, Promotions: []named{}, Ways: ways, Phone: s.phonePage("weixin://") != ""}
	for _, id := range ids { // in the order of the demo, not of the store
		for i := range found {
			if d := &found[i]; d.Sku == id {
				out.Items = append(out.Items, product{d.Sku, d.Name, d.Price, d.Categories, d.Available()})
			}
		}
	}
	for _, p := range promotions() {
		switch have, err := s.App.Store.Promotion(ctx, s.Shop, p.ID); {
		case err == nil && (have.Active == nil || *have.Active):
			out.Promotions = append(out.Promotions, named{have.ID, have.Name})
		case err != nil && !fault.Is(err, fault.NotFound):
			return answered{}, err
		}
	}
	switch t, err := s.App.Store.Template(ctx, s.Shop, welcome); {
	case err == nil:
		out.Coupon = &named{t.ID, t.Name}
	case !fault.Is(err, fault.NotFound):
		return answered{}, err
	}
	return answered{body: out}, nil
}

// clock answers with the server's time. The page counts down and measures delays by
// it, because the buyer's clock may be wrong and the server's may have been moved.
func (s *shop) clock(http.ResponseWriter, *http.Request) (answered, error) {
	return answered{body: map[string]time.Time{"now": s.App.Clock.Now().UTC()}}, nil
}

func (s *shop) quote(rw http.ResponseWriter, r *http.Request) (answered, error) {
	var in cart
	if err := read(r, &in); err != nil {
		return answered{}, err
	}
	if err := s.sold(r.Context(), &in, nil); err != nil {
		return answered{}, err
	}
	var choice string
	if json.Unmarshal(in.Coupons, &choice) == nil && choice == best {
		c, err := s.App.QuoteBest(r.Context(), s.Shop, in.of(buyer(rw, r), nil))
		return answered{body: quoted{c.Quote, &chosen{c.Codes, c.Of, c.Stopped}}}, err
	}
	codes, err := in.codes()
	if err != nil {
		return answered{}, err
	}
	if err := s.sold(r.Context(), &in, codes); err != nil {
		return answered{}, err
	}
	q, err := s.App.Quote(r.Context(), s.Shop, in.of(buyer(rw, r), codes))
	return answered{body: quoted{q, nil}}, err
}

func (s *shop) placeOrder(rw http.ResponseWriter, r *http.Request) (answered, error) {
	var in struct {
		cart
		Expected *int64 `json:"expectedPayableAmount"`
	}
	key := r.Header.Get("Idempotency-Key")
	if err := checkKey(key); err != nil {
		return answered{}, err
	}
	if err := read(r, &in); err != nil {
		return answered{}, err
	}
	codes, err := in.codes()
	if err != nil {
		return answered{}, err
	}
	if err := s.sold(r.Context(), &in.cart, codes); err != nil {
		return answered{}, err
	}
	user := buyer(rw, r)
	// Buyers' keys are kept apart from each other and from the shop's own.
	d, replayed, err := s.App.PlaceOrder(
		r.Context(), s.Shop, "demo/"+user+"/"+key, app.PlaceOrder{Cart: in.of(user, codes), Expected: in.Expected},
	)
	if err != nil {
		return answered{}, err
	}
	h := http.Header{"Location": {"../v1/orders/" + d.No}}
	if replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	return answered{http.StatusCreated, h, placed(&d, s.App.Tokens.Issue(s.Shop, d.No))}, nil
}

func checkKey(key string) error {
	if key == "" {
		return fault.New(fault.IdempotencyKeyRequired, "send an Idempotency-Key: one random key for each intent, the same on every retry")
	}
	if len(key) > 128 {
		return fault.New(fault.ValidationFailed, "an Idempotency-Key has at most 128 characters here")
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return fault.New(fault.ValidationFailed, "an Idempotency-Key is printable ASCII without blanks")
		}
	}
	return nil
}

// maxQR is the longest text that qr draws; a longer one makes a code that phones
// cannot read from a screen.
const maxQR = 512

func (s *shop) qr(rw http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("text")
	if text == "" || len(text) > maxQR {
		s.refuse(rw, r, fault.Invalidf("/text", "1 to %d bytes", maxQR))
		return
	}
	code, err := qr.Encode(text, qr.M) // 8 pixels a module, and a margin
	if err != nil {
		s.refuse(rw, r, err)
		return
	}
	rw.Header().Set("Content-Type", "image/png")
	rw.Header().Set("Cache-Control", "private, max-age=3600")
	_, _ = rw.Write(code.PNG()) //nolint:gosec // a picture
}

// phonePage is where a code leads, "" when there is no phone page.
func (s *shop) phonePage(code string) string {
	if s.ScanURL == nil {
		return ""
	}
	return s.ScanURL(code)
}

// scan does what a phone's camera would: it redirects to the address of the code.
func (s *shop) scan(rw http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("code_url")
	to := s.phonePage(code)
	if code == "" || len(code) > maxQR || to == "" {
		s.refuse(rw, r, fault.New(fault.NotFound, "there is no phone page for this code"))
		return
	}
	// Set by hand: http.Redirect makes a relative address absolute and so
	// loses the prefix under which a proxy may have mounted the server.
	rw.Header().Set("Location", to)
	rw.WriteHeader(http.StatusSeeOther)
}
