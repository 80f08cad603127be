package sandbox

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"
)

// The trade_states and their descriptions.
const (
	tradeSuccess  = "SUCCESS"
	tradeNotPay   = "NOTPAY"
	tradeClosed   = "CLOSED"
	tradePayError = "PAYERROR"
	tradeRefund   = "REFUND"
)

var tradeStateDesc = map[string]string{
	tradeSuccess: "支付成功", tradeNotPay: "订单未支付", tradeClosed: "订单已关闭", tradePayError: "支付失败",
	tradeRefund: "订单发生过退款",
}

// Transaction is a trade on the wire: what a query answers and what a
// callback has inside.
type Transaction struct {
	AppID          string `json:"appid"`
	MchID          string `json:"mchid"`
	OutTradeNo     string `json:"out_trade_no"`
	TransactionID  string `json:"transaction_id,omitempty"`
	TradeType      string `json:"trade_type,omitempty"`
	TradeState     string `json:"trade_state"`
	TradeStateDesc string `json:"trade_state_desc"`
	BankType       string `json:"bank_type,omitempty"`
	Attach         string `json:"attach,omitempty"`
	SuccessTime    string `json:"success_time,omitempty"`
	Payer          *Payer `json:"payer,omitempty"`
	Amount         Amount `json:"amount"`

	PromotionDetail []Promotion `json:"promotion_detail,omitempty"`
}

// Promotion is a coupon that paid a part.
type Promotion struct {
	CouponID            string `json:"coupon_id"`
	Name                string `json:"name"`
	Scope               string `json:"scope"`
	Type                string `json:"type"`
	Amount              int64  `json:"amount"`
	StockID             string `json:"stock_id"`
	WechatpayContribute int64  `json:"wechatpay_contribute"`
	MerchantContribute  int64  `json:"merchant_contribute"`
	OtherContribute     int64  `json:"other_contribute"`
	Currency            string `json:"currency"`
}

// Payer is the buyer, as this app may know them.
type Payer struct {
	OpenID string `json:"openid"`
}

// Amount is in fen. Coupons of the platform make PayerTotal smaller than
// Total; the shop gets Total all the same.
type Amount struct {
	Total         int64  `json:"total"`
	PayerTotal    int64  `json:"payer_total,omitempty"`
	Currency      string `json:"currency"`
	PayerCurrency string `json:"payer_currency,omitempty"`
}

// paid is the transaction of a payment. It uses nothing that changes, so that
// each try of a callback has the same.
func (w *wechat) paid(t *trade, p *payment) Transaction {
	tx := Transaction{
		AppID: w.g.keys.AppID, MchID: w.g.keys.MchID, OutTradeNo: t.no,
		TransactionID: p.transactionID, TradeType: w.tradeType(t),
		TradeState: tradeSuccess, TradeStateDesc: tradeStateDesc[tradeSuccess],
		BankType: "OTHERS", Attach: t.wechat.attach, SuccessTime: p.at.In(china).Format(time.RFC3339),
		Payer:  &Payer{OpenID: t.wechat.openID},
		Amount: Amount{Total: t.amount, PayerTotal: t.amount - p.coupon, Currency: "CNY", PayerCurrency: "CNY"},
	}
	if p.coupon > 0 {
		tx.PromotionDetail = []Promotion{{
			CouponID: couponID, Name: "沙箱代金券", Scope: "GLOBAL", Type: "CASH", Amount: p.coupon,
			StockID: couponID, WechatpayContribute: p.coupon, Currency: "CNY",
		}}
	}
	return tx
}

// asked is what a query tells of a payment: paid, and then perhaps refunded
// in part or in whole. Gateway.mu is held.
func (w *wechat) asked(t *trade, p *payment) Transaction {
	tx := w.paid(t, p)
	if p.refunded > 0 {
		tx.TradeState, tx.TradeStateDesc = tradeRefund, tradeStateDesc[tradeRefund]
	}
	return tx
}

// unpaid is all that is told of a trade before it is paid.
func (w *wechat) unpaid(t *trade, state State) Transaction {
	word := tradeNotPay
	switch state {
	case Failed:
		word = failedTradeState
	case Closed:
		word = tradeClosed
	case Expired:
		word = expiredTradeState
	}
	return Transaction{
		AppID: w.g.keys.AppID, MchID: w.g.keys.MchID, OutTradeNo: t.no,
		TradeState: word, TradeStateDesc: tradeStateDesc[word],
		Amount: Amount{Total: t.amount, Currency: "CNY"},
	}
}

func (w *wechat) tradeType(t *trade) string {
	for _, m := range wechatMethods {
		if m.name == t.method {
			return m.tradeType
		}
	}
	return ""
}

func (w *wechat) queryByNo(r *http.Request, _ []byte) (any, *refusal) {
	if no := w.checkQuery(r); no != nil {
		return nil, no
	}
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	t := w.find(r.PathValue("no"))
	switch {
	case t == nil:
		return nil, &refuseUnknown
	case len(t.payments) > 0: // of two payments, the first
		return w.asked(t, t.payments[0]), nil
	}
	return w.unpaid(t, t.stateAt(w.g.now())), nil
}

// queryByID knows payments only: before, there is no transaction_id.
func (w *wechat) queryByID(r *http.Request, _ []byte) (any, *refusal) {
	if no := w.checkQuery(r); no != nil {
		return nil, no
	}
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	id := r.PathValue("id")
	if t := w.g.trades.byTransaction[tradeKey{w.name(), id}]; t != nil {
		for _, p := range t.payments {
			if p.transactionID == id {
				return w.asked(t, p), nil
			}
		}
	}
	return nil, &refuseUnknown
}

// checkQuery demands the mchid in the query.
func (w *wechat) checkQuery(r *http.Request) *refusal {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return paramError("query", "mchid", "the query is malformed")
	}
	switch query.Get("mchid") {
	case "":
		return paramError("query", "mchid", "is required")
	case w.g.keys.MchID:
		return nil
	}
	return &refuseMchID
}

var closeBody = schema{"mchid": required(text(32))}

func (w *wechat) close(r *http.Request, body []byte) (any, *refusal) {
	got, no := closeBody.parse(body)
	if no != nil {
		return nil, no
	}
	if got["mchid"] != w.g.keys.MchID {
		return nil, &refuseMchID
	}
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	t := w.find(r.PathValue("no"))
	switch {
	case t == nil:
		return nil, &refuseUnknown
	case t.state == Paid:
		return nil, &refusePaid
	case t.state == Closed && closeAgainStatus != http.StatusNoContent:
		return nil, &refuseClosed
	}
	w.g.trades.finish(t, Closed)
	return nil, nil
}

// certificates lists the platform's certificates, encrypted: the first, and
// those that follow it.
func (w *wechat) certificates(*http.Request, []byte) (any, *refusal) {
	data := []any{}
	for _, cert := range w.g.Keys().platformCerts() {
		nonce := w.g.random.text(12, alnum)
		sealed, err := encrypt(w.g.keys.APIv3Key, nonce, "certificate", []byte(certPEM(cert)))
		if err != nil {
			return nil, &refuseSystem
		}
		data = append(data, map[string]any{
			"serial_no":      serialOf(cert),
			"effective_time": wireTime(cert.NotBefore),
			"expire_time":    wireTime(cert.NotAfter),
			"encrypt_certificate": map[string]string{
				"algorithm": aeadAlgorithm, "nonce": nonce, "associated_data": "certificate", "ciphertext": sealed,
			},
		})
	}
	return map[string]any{"data": data}, nil
}

const aeadAlgorithm = "AEAD_AES_256_GCM"

// encrypt seals plain with the APIv3 key; nonce has 12 bytes.
func encrypt(key, nonce, associated string, plain []byte) (string, error) {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return "", err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(aead.Seal(nil, []byte(nonce), plain, []byte(associated))), nil
}
