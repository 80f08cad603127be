package alipay

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// product is one way to pay.
type product struct {
	name        string // as the control API shows it
	method      string
	productCode string // that the biz_content must have; "": any
	quits       bool   // quit_url is required
}

var precreate = product{name: "qr", method: "alipay.trade.precreate"}

// pages are the products that a browser or a wallet opens.
var pages = map[string]product{
	"alipay.trade.page.pay": {name: "page", method: "alipay.trade.page.pay", productCode: "FAST_INSTANT_TRADE_PAY"},
	"alipay.trade.wap.pay":  {name: "wap", method: "alipay.trade.wap.pay", productCode: "QUICK_WAP_WAY", quits: true},
	"alipay.trade.app.pay":  {name: "app", method: "alipay.trade.app.pay", productCode: "QUICK_MSECURITY_PAY"},
}

// order is a checked request to be paid.
type order struct {
	no, subject, notifyURL string
	amount                 int64
	codeTimeout            timeout
	fingerprint            [32]byte
	tradeDetails
}

// parseOrder reads and checks a request to be paid, as far as it can be
// checked without a clock.
func (a *Emulator) parseOrder(product product, p params, biz bizContent) (order, *failure) {
	o := order{notifyURL: p["notify_url"]}
	o.product, o.returnURL = product, p["return_url"]
	var amount, seller, code, timeout, codeTimeout, noLater string
	no := biz.texts(
		member{&o.no, "out_trade_no", 64, true}, member{&amount, "total_amount", 12, true},
		member{&o.subject, "subject", 256, true}, member{&o.body, "body", 400, false},
		member{&seller, "seller_id", 28, false}, member{&code, "product_code", 64, product.productCode != ""},
		member{&o.passback, "passback_params", 512, false}, member{&o.quitURL, "quit_url", 400, product.quits},
		member{&o.store, "store_id", 32, false}, member{&o.terminal, "terminal_id", 32, false},
		member{&o.operator, "operator_id", 28, false}, member{&timeout, "timeout_express", 6, false},
		member{&codeTimeout, "qr_code_timeout_express", 6, false}, member{&noLater, "time_expire", 32, false},
	)
	if no != nil {
		return o, no
	}
	switch {
	case !noShape.MatchString(o.no):
		return o, paramIssue("out_trade_no", "must be 1 to 64 characters of 0-9 A-Z a-z _")
	case product.productCode != "" && code != product.productCode:
		return o, paramIssue("product_code", "must be "+product.productCode)
	case seller != "" && seller != a.keys.SellerID:
		return o, otherSeller
	case o.notifyURL != "" && (len(o.notifyURL) > 256 || wire.NotifyURLIssue(o.notifyURL, a.StrictHTTPS) != ""):
		return o, paramIssue("notify_url", "must be an absolute URL of at most 256 characters without a query")
	case o.returnURL != "" && (len(o.returnURL) > 256 || !wire.SafeReturn(o.returnURL)):
		return o, paramIssue("return_url", "must be an http or https URL of at most 256 characters")
	case o.quitURL != "" && !wire.SafeReturn(o.quitURL):
		return o, paramIssue("quit_url", "must be an http or https URL")
	}
	if o.amount, no = parseFen("total_amount", amount); no != nil {
		return o, no
	}
	if o.timeout, no = parseAlipayTimeout("timeout_express", timeout); no != nil {
		return o, no
	}
	if o.codeTimeout, no = parseAlipayTimeout("qr_code_timeout_express", codeTimeout); no != nil {
		return o, no
	}
	if noLater != "" {
		at, err := time.ParseInLocation(timeLayout, noLater, trade.China)
		if err != nil {
			return o, paramIssue("time_expire", "must be like 2006-01-02 15:04:05, in China's time")
		}
		o.noLater = at
	}
	// "1" and "1.00" are the same amount, every other difference is one.
	biz["total_amount"] = o.amount
	canonical, err := biz.canonical()
	if err != nil {
		return o, paramIssue("biz_content", err.Error())
	}
	text, err := json.Marshal([]string{product.method, o.notifyURL, string(canonical)})
	if err != nil {
		return o, paramIssue("biz_content", err.Error())
	}
	o.fingerprint = sha256.Sum256(text)
	return o, nil
}

// accept keeps the order, or finds the one that is kept under its number. No
// trade exists by that yet. The book's lock is held.
func (a *Emulator) accept(o order, now time.Time) (*trade.Trade, *failure) {
	late := !o.noLater.IsZero() && !o.noLater.After(now)
	t := a.Book.ByNo(a, o.no)
	if t == nil {
		if late {
			return nil, paramIssue("time_expire", "must be ahead")
		}
		t = a.keep(o, now)
	}
	switch status := a.status(t, nil, now); {
	case status == paid || status == done:
		return nil, hasSuccess
	case status == closed:
		return nil, hasClose
	case t.Fingerprint != o.fingerprint:
		return nil, inconsistent
	case status == "" && t.State(now) == trade.Expired: // nobody scanned the code in time
		if late {
			return nil, paramIssue("time_expire", "must be ahead")
		}
		a.await(t, o, now)
	}
	return t, nil
}

// keep makes the trade. The book's lock is held.
func (a *Emulator) keep(o order, now time.Time) *trade.Trade {
	d := o.tradeDetails
	t := &trade.Trade{
		Protocol: a, No: o.no, Method: o.product.name, Amount: o.amount, Description: o.subject, NotifyURL: o.notifyURL,
		Fingerprint: o.fingerprint, Created: now, Details: &d,
	}
	a.Book.Add(t)
	a.await(t, o, now)
	return t
}

// await sets until when the order can be opened. The book's lock is held.
func (a *Emulator) await(t *trade.Trade, o order, now time.Time) {
	details(t).codeUntil = o.codeTimeout.from(now)
	life := now.Add(codeLife)
	if !details(t).codeUntil.IsZero() {
		life = details(t).codeUntil
	}
	var timeout time.Time
	if !timeoutFromScan {
		timeout = details(t).timeout.from(now)
	}
	t.Expires = earliest(life, o.noLater, timeout)
	t.LinkUntil = t.Expires
}

// Open creates the trade, as the buyer does by opening it. From here on it
// has a deadline of its own.
func (a *Emulator) Open(t *trade.Trade, now time.Time) {
	if details(t).tradeNo != "" {
		return
	}
	details(t).tradeNo, details(t).began = a.newTradeNo(now), now
	details(t).buyerID = "2088" + a.Random.Text(12, random.Digits)
	a.Book.AddID(t, details(t).tradeNo)
	start := now
	if !timeoutFromScan {
		start = t.Created
	}
	deadline := earliest(details(t).timeout.from(start), details(t).noLater, details(t).codeUntil)
	t.Expires = earliest(deadline, now.Add(tradeLife))
	t.LinkUntil = t.Expires
	if reportsClosing && deadline.After(now) {
		a.planExpiry(t)
	}
}

// qrPrefix begins every qr_code; the token of the phone page follows.
const qrPrefix = "https://qr.alipay.com/bax"

// precreate makes a code to be scanned, and no trade.
func (a *Emulator) precreate(_ *http.Request, p params, biz bizContent) (any, *failure) {
	o, no := a.parseOrder(precreate, p, biz)
	if no != nil {
		return nil, no
	}
	a.Book.Lock()
	defer a.Book.Unlock()
	t, no := a.accept(o, a.Book.Now())
	if no != nil {
		return nil, no
	}
	return struct {
		head
		OutTradeNo string `json:"out_trade_no"`
		QRCode     string `json:"qr_code"`
	}{ok, t.No, qrPrefix + t.Token}, nil
}
