package alipay

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// openPage serves the buyer's browser that comes with a request which the shop
// signed: the trade begins, and the phone page follows.
func (a *Emulator) openPage(rw http.ResponseWriter, _ *http.Request, product product, p params) {
	t, no := a.openSigned(product, p)
	if no != nil {
		a.Log.Info("sandbox: page refused", "method", p["method"], "subCode", no.subCode, "message", no.subMsg)
		rw.Header().Set("Cache-Control", "no-store")
		http.Error(rw, no.subCode+"\n\n"+no.subMsg, http.StatusBadRequest)
		return
	}
	wire.SeeOther(rw, "pay/"+t.Token)
}

// openSigned checks what the shop signed and lets the buyer open it.
func (a *Emulator) openSigned(product product, p params) (*trade.Trade, *failure) {
	if no := a.authenticate(p, linkTolerance); no != nil {
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
	a.Book.Lock()
	defer a.Book.Unlock()
	now := a.Book.Now()
	t, no := a.accept(o, now)
	if no != nil {
		return nil, no
	}
	a.Open(t, now)
	return t, nil
}

// OpenApp plays the wallet that an app hands its order string to: it checks
// the string, as the wallet does, and opens the trade.
func (a *Emulator) OpenApp(orderString string) (outTradeNo string, err error) {
	if len(orderString) > wire.MaxBody {
		return "", errors.New("the order string is longer than 64 KiB")
	}
	p, no := mergeParams(orderString)
	if no == nil && p["method"] != "alipay.trade.app.pay" {
		no = fail(codeInvalid, "isv.invalid-method", "an order string has the method alipay.trade.app.pay")
	}
	if no == nil {
		var t *trade.Trade
		if t, no = a.openSigned(pages[p["method"]], p); no == nil {
			return t.No, nil
		}
	}
	return "", errors.New(no.subCode + ": " + no.subMsg)
}

// Return is where the phone page leads the buyer back to: quit_url or, after a
// payment, return_url with signed parameters, which are for display and prove
// nothing. It is called with the book's lock held; the function that it
// returns, which signs, is not.
func (a *Emulator) Return(t *trade.Trade) func() (string, error) {
	d := details(t)
	if len(t.Payments) == 0 || d.returnURL == "" {
		to := d.returnURL
		if len(t.Payments) == 0 {
			to = d.quitURL
		}
		return func() (string, error) { return to, nil }
	}
	p := params{
		"app_id": a.keys.AppID, "auth_app_id": a.keys.AppID, "charset": "utf-8", "version": "1.0",
		"method": d.product.method + ".return", "out_trade_no": t.No, "trade_no": t.Payments[0].TransactionID,
		"seller_id": a.keys.SellerID, "total_amount": wire.Yuan(t.Amount), "timestamp": wireTime(a.CallbackTime()),
	}
	return func() (string, error) {
		u, err := url.Parse(d.returnURL)
		if err != nil {
			return "", err
		}
		if err := p.sign(a.keys.PlatformKey, ""); err != nil {
			return "", err
		}
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += p.encode()
		return u.String(), nil
	}
}
