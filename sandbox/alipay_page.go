package sandbox

import (
	"errors"
	"net/http"
	"net/url"
)

// openPage is the buyer's browser that comes with a request which the shop
// signed: the trade begins, and the phone page follows.
func (a *alipay) openPage(rw http.ResponseWriter, r *http.Request, product alipayProduct, p alipayParams) {
	t, no := a.openSigned(product, p)
	if no != nil {
		a.g.log.Info("sandbox: page refused", "method", p["method"], "subCode", no.subCode, "message", no.subMsg)
		rw.Header().Set("Cache-Control", "no-store")
		http.Error(rw, no.subCode+"\n\n"+no.subMsg, http.StatusBadRequest)
		return
	}
	seeOther(rw, "pay/"+t.token)
}

// openSigned checks what the shop signed and lets the buyer open it.
func (a *alipay) openSigned(product alipayProduct, p alipayParams) (*trade, *alipayFailure) {
	if no := a.authenticate(p, alipayLinkTolerance); no != nil {
		return nil, no
	}
	biz, no := parseBiz(p["biz_content"])
	if no != nil {
		return nil, no
	}
	o, no := a.parseOrder(product, p, biz)
	if no != nil {
		return nil, no
	}
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	a.g.catchUp()
	now := a.g.now()
	t, no := a.take(o, now)
	if no != nil {
		return nil, no
	}
	a.begin(t, now)
	return t, nil
}

// AlipayApp plays the wallet that an app hands its order string to: it checks
// the string, as the wallet does, and opens the trade. Pay pays it then.
func (g *Gateway) AlipayApp(orderString string) (outTradeNo string, err error) {
	if len(orderString) > maxBody {
		return "", errors.New("the order string is longer than 64 KiB")
	}
	p, no := mergeParams(orderString)
	if no == nil && p["method"] != "alipay.trade.app.pay" {
		no = alipayNo(alipayInvalid, "isv.invalid-method", "an order string has the method alipay.trade.app.pay")
	}
	if no == nil {
		var t *trade
		if t, no = g.alipay.openSigned(alipayPages[p["method"]], p); no == nil {
			return t.no, nil
		}
	}
	return "", errors.New(no.subCode + ": " + no.subMsg)
}

func (a *alipay) openAppByHTTP(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		OrderString string `json:"orderString"`
	}
	if !ask(rw, r, &body) {
		return
	}
	no, err := a.g.AlipayApp(body.OrderString)
	if err != nil {
		sayNo(rw, http.StatusBadRequest, "validation_failed", err.Error())
		return
	}
	view, err := a.g.Trade(a.name() + ":" + no)
	if err != nil {
		sayNo(rw, http.StatusNotFound, "not_found", err.Error())
		return
	}
	reply(rw, http.StatusOK, view)
}

// alipayReturn is what the phone page must know to send the buyer back.
type alipayReturn struct {
	paid    bool
	product alipayProduct
	to      string // return_url, or quit_url of what was not paid
	params  alipayParams
}

// returns collects it. g.mu is held.
func (a *alipay) returns(t *trade) alipayReturn {
	r := alipayReturn{product: t.alipay.product, to: t.alipay.quitURL}
	if len(t.payments) == 0 {
		return r
	}
	keys := a.g.keys.Alipay
	r.paid, r.to = true, t.alipay.returnURL
	r.params = alipayParams{
		"app_id": keys.AppID, "auth_app_id": keys.AppID, "charset": "utf-8", "version": "1.0",
		"method": t.alipay.product.method + ".return", "out_trade_no": t.no, "trade_no": t.payments[0].transactionID,
		"seller_id": keys.SellerID, "total_amount": yuan(t.amount), "timestamp": alipayTime(a.g.callTime()),
	}
	return r
}

// url is where the buyer goes: after a payment with the signed parameters,
// which are for display and prove nothing.
func (r alipayReturn) url(keys AlipayKeys) (string, error) {
	if r.to == "" || !r.paid {
		return r.to, nil
	}
	u, err := url.Parse(r.to)
	if err != nil {
		return "", err
	}
	if err := r.params.sign(keys.PlatformKey, ""); err != nil {
		return "", err
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += r.params.encode()
	return u.String(), nil
}
