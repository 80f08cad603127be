package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"
)

// alipayProduct is one way to pay.
type alipayProduct struct {
	name        string // as the control API shows it
	method      string
	productCode string // that the biz_content must have; "": any
	quits       bool   // quit_url is required
}

var alipayPrecreate = alipayProduct{name: "qr", method: "alipay.trade.precreate"}

// alipayPages are the products that a browser or a wallet opens.
var alipayPages = map[string]alipayProduct{
	"alipay.trade.page.pay": {name: "page", method: "alipay.trade.page.pay", productCode: "FAST_INSTANT_TRADE_PAY"},
	"alipay.trade.wap.pay":  {name: "wap", method: "alipay.trade.wap.pay", productCode: "QUICK_WAP_WAY", quits: true},
	"alipay.trade.app.pay":  {name: "app", method: "alipay.trade.app.pay", productCode: "QUICK_MSECURITY_PAY"},
}

// alipayOrder is a checked request to be paid.
type alipayOrder struct {
	no, subject, notifyURL string
	amount                 int64
	codeTimeout            alipayTimeout
	fingerprint            [32]byte
	alipayTrade
}

// parseOrder reads and checks a request to be paid, as far as it can be
// checked without a clock.
func (a *alipay) parseOrder(product alipayProduct, p alipayParams, biz alipayBiz) (alipayOrder, *alipayFailure) {
	o := alipayOrder{notifyURL: p["notify_url"]}
	o.product, o.returnURL = product, p["return_url"]
	var amount, seller, code, timeout, codeTimeout, noLater string
	no := biz.texts(
		alipayText{&o.no, "out_trade_no", 64, true}, alipayText{&amount, "total_amount", 12, true},
		alipayText{&o.subject, "subject", 256, true}, alipayText{&o.body, "body", 400, false},
		alipayText{&seller, "seller_id", 28, false}, alipayText{&code, "product_code", 64, product.productCode != ""},
		alipayText{&o.passback, "passback_params", 512, false}, alipayText{&o.quitURL, "quit_url", 400, product.quits},
		alipayText{&o.store, "store_id", 32, false}, alipayText{&o.terminal, "terminal_id", 32, false},
		alipayText{&o.operator, "operator_id", 28, false}, alipayText{&timeout, "timeout_express", 6, false},
		alipayText{&codeTimeout, "qr_code_timeout_express", 6, false}, alipayText{&noLater, "time_expire", 32, false},
	)
	if no != nil {
		return o, no
	}
	switch {
	case !alipayNoShape.MatchString(o.no):
		return o, alipayParamNo("out_trade_no", "must be 1 to 64 characters of 0-9 A-Z a-z _")
	case product.productCode != "" && code != product.productCode:
		return o, alipayParamNo("product_code", "must be "+product.productCode)
	case seller != "" && seller != a.g.keys.Alipay.SellerID:
		return o, alipayOtherSeller
	case o.notifyURL != "" && (len(o.notifyURL) > 256 || checkNotifyURL(o.notifyURL, a.g.strictHTTPS) != ""):
		return o, alipayParamNo("notify_url", "must be an absolute URL of at most 256 characters without a query")
	case o.returnURL != "" && (len(o.returnURL) > 256 || !safeReturn(o.returnURL)):
		return o, alipayParamNo("return_url", "must be an http or https URL of at most 256 characters")
	case o.quitURL != "" && !safeReturn(o.quitURL):
		return o, alipayParamNo("quit_url", "must be an http or https URL")
	}
	if o.amount, no = alipayFen("total_amount", amount); no != nil {
		return o, no
	}
	if o.timeout, no = parseAlipayTimeout("timeout_express", timeout); no != nil {
		return o, no
	}
	if o.codeTimeout, no = parseAlipayTimeout("qr_code_timeout_express", codeTimeout); no != nil {
		return o, no
	}
	if noLater != "" {
		at, err := time.ParseInLocation(alipayTimeLayout, noLater, china)
		if err != nil {
			return o, alipayParamNo("time_expire", "must be like 2006-01-02 15:04:05, in China's time")
		}
		o.noLater = at
	}
	// "1" and "1.00" are the same amount, every other difference is one.
	biz["total_amount"] = o.amount
	canonical, err := biz.canonical()
	if err != nil {
		return o, alipayParamNo("biz_content", err.Error())
	}
	text, err := json.Marshal([]string{product.method, o.notifyURL, string(canonical)})
	if err != nil {
		return o, alipayParamNo("biz_content", err.Error())
	}
	o.fingerprint = sha256.Sum256(text)
	return o, nil
}

// take keeps the order, or finds the one that is kept under its number. No
// trade exists by that yet. g.mu is held.
func (a *alipay) take(o alipayOrder, now time.Time) (*trade, *alipayFailure) {
	late := !o.noLater.IsZero() && !o.noLater.After(now)
	t := a.g.trades.byNo[tradeKey{a.name(), o.no}]
	if t == nil {
		if late {
			return nil, alipayParamNo("time_expire", "must be ahead")
		}
		t = a.open(o, now)
		a.g.trades.add(t)
	}
	switch status := a.status(t, nil, now); {
	case status == alipayPaid || status == alipayDone:
		return nil, alipayHasSuccess
	case status == alipayClosed:
		return nil, alipayHasClose
	case t.fingerprint != o.fingerprint:
		return nil, alipayInconsistent
	case status == "" && t.stateAt(now) == Expired: // nobody scanned the code in time
		if late {
			return nil, alipayParamNo("time_expire", "must be ahead")
		}
		a.await(t, o, now)
	}
	return t, nil
}

func (a *alipay) open(o alipayOrder, now time.Time) *trade {
	t := &trade{
		speaks: a, no: o.no, method: o.product.name, amount: o.amount, description: o.subject, notifyURL: o.notifyURL,
		fingerprint: o.fingerprint, created: now, state: Open, alipay: o.alipayTrade,
	}
	for t.token == "" || a.g.trades.byToken[t.token] != nil {
		t.token = a.g.random.text(tokenLength, lower)
	}
	a.await(t, o, now)
	return t
}

// await sets until when the order can be opened. g.mu is held.
func (a *alipay) await(t *trade, o alipayOrder, now time.Time) {
	t.alipay.codeUntil = o.codeTimeout.from(now)
	life := now.Add(alipayCodeLife)
	if !t.alipay.codeUntil.IsZero() {
		life = t.alipay.codeUntil
	}
	var timeout time.Time
	if !alipayTimeoutFromScan {
		timeout = t.alipay.timeout.from(now)
	}
	t.expires = earliest(life, o.noLater, timeout)
	t.linkUntil = t.expires
}

// begin creates the trade, as the buyer does by opening it. From here on it
// has a deadline of its own.
func (a *alipay) begin(t *trade, now time.Time) {
	if t.alipay.tradeNo != "" {
		return
	}
	t.alipay.tradeNo, t.alipay.began = a.newTradeNo(now), now
	t.alipay.buyerID = "2088" + a.g.random.text(12, digits)
	a.g.trades.byTransaction[tradeKey{a.name(), t.alipay.tradeNo}] = t
	start := now
	if !alipayTimeoutFromScan {
		start = t.created
	}
	asked := earliest(t.alipay.timeout.from(start), t.alipay.noLater, t.alipay.codeUntil)
	t.expires = earliest(asked, now.Add(alipayTradeLife))
	t.linkUntil = t.expires
	if alipayTellsClosing && asked.After(now) {
		a.tellExpiry(t)
	}
}

// scanTrade lets the buyer open the trade. g.mu is held.
func (g *Gateway) scanTrade(t *trade) error {
	now := g.now()
	switch t.stateAt(now) {
	case Paid:
		return ErrPaid
	case Closed:
		return ErrClosed
	case Expired:
		return ErrExpired
	}
	t.speaks.begin(t, now)
	return nil
}

// Scan lets the buyer open the trade without paying it. At Alipay that is
// what creates the trade; elsewhere it changes nothing.
func (g *Gateway) Scan(outTradeNo string) error { return g.withTrade(outTradeNo, g.scanTrade) }

// alipayQRPrefix begins every qr_code; the token of the phone page follows.
const alipayQRPrefix = "https://qr.alipay.com/bax"

// precreate makes a code to be scanned, and no trade.
func (a *alipay) precreate(_ *http.Request, p alipayParams, biz alipayBiz) (any, *alipayFailure) {
	o, no := a.parseOrder(alipayPrecreate, p, biz)
	if no != nil {
		return nil, no
	}
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	t, no := a.take(o, a.g.now())
	if no != nil {
		return nil, no
	}
	return struct {
		alipayHead
		OutTradeNo string `json:"out_trade_no"`
		QRCode     string `json:"qr_code"`
	}{alipayOK, t.no, alipayQRPrefix + t.token}, nil
}
