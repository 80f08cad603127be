package wechatpay

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/rsakey"
	"github.com/tandem-pay/tandem/sandbox/trade"
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
func (w *Emulator) paid(t *trade.Trade, p *trade.Payment) Transaction {
	tx := Transaction{
		AppID: w.Keys().AppID, MchID: w.Keys().MchID, OutTradeNo: t.No,
		TransactionID: p.TransactionID, TradeType: tradeType(t),
		TradeState: tradeSuccess, TradeStateDesc: tradeStateDesc[tradeSuccess],
		BankType: "OTHERS", Attach: details(t).attach, SuccessTime: p.At.In(trade.China).Format(time.RFC3339),
		Payer:  &Payer{OpenID: details(t).openID},
		Amount: Amount{Total: t.Amount, PayerTotal: t.Amount - p.Coupon, Currency: "CNY", PayerCurrency: "CNY"},
	}
	if p.Coupon > 0 {
		tx.PromotionDetail = []Promotion{{
			CouponID: couponID, Name: "沙箱代金券", Scope: "GLOBAL", Type: "CASH", Amount: p.Coupon,
			StockID: couponID, WechatpayContribute: p.Coupon, Currency: "CNY",
		}}
	}
	return tx
}

// queried is what a query answers of a payment: paid, and then perhaps refunded
// in part or in whole. The book's lock is held.
func (w *Emulator) queried(t *trade.Trade, p *trade.Payment) Transaction {
	tx := w.paid(t, p)
	if p.Refunded > 0 {
		tx.TradeState, tx.TradeStateDesc = tradeRefund, tradeStateDesc[tradeRefund]
	}
	return tx
}

// unpaid is all that a query answers of a trade before it is paid.
func (w *Emulator) unpaid(t *trade.Trade, state trade.State) Transaction {
	status := tradeNotPay
	switch state {
	case trade.Failed:
		status = failedTradeState
	case trade.Closed:
		status = tradeClosed
	case trade.Expired:
		status = expiredTradeState
	case trade.Open, trade.Paid: // Paid does not come here
	}
	return Transaction{
		AppID: w.Keys().AppID, MchID: w.Keys().MchID, OutTradeNo: t.No,
		TradeState: status, TradeStateDesc: tradeStateDesc[status],
		Amount: Amount{Total: t.Amount, Currency: "CNY"},
	}
}

func tradeType(t *trade.Trade) string {
	for _, m := range methods {
		if m.name == t.Method {
			return m.tradeType
		}
	}
	return ""
}

func (w *Emulator) queryByNo(r *http.Request, _ []byte) (any, *refusal) {
	if no := w.checkQuery(r); no != nil {
		return nil, no
	}
	w.Book.Lock()
	defer w.Book.Unlock()
	t := w.Book.ByNo(w, r.PathValue("no"))
	switch {
	case t == nil:
		return nil, &refuseUnknown
	case len(t.Payments) > 0: // of two payments, the first
		return w.queried(t, t.Payments[0]), nil
	}
	return w.unpaid(t, t.State(w.Book.Now())), nil
}

// queryByID knows payments only: before, there is no transaction_id.
func (w *Emulator) queryByID(r *http.Request, _ []byte) (any, *refusal) {
	if no := w.checkQuery(r); no != nil {
		return nil, no
	}
	w.Book.Lock()
	defer w.Book.Unlock()
	id := r.PathValue("id")
	if t := w.Book.ByID(w, id); t != nil {
		for _, p := range t.Payments {
			if p.TransactionID == id {
				return w.queried(t, p), nil
			}
		}
	}
	return nil, &refuseUnknown
}

// checkQuery demands the mchid in the query.
func (w *Emulator) checkQuery(r *http.Request) *refusal {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return paramError("query", "mchid", "the query is malformed")
	}
	switch query.Get("mchid") {
	case "":
		return paramError("query", "mchid", "is required")
	case w.Keys().MchID:
		return nil
	}
	return &refuseMchID
}

var closeBody = schema{"mchid": required(text(32))}

func (w *Emulator) close(r *http.Request, body []byte) (any, *refusal) {
	got, no := closeBody.parse(body)
	if no != nil {
		return nil, no
	}
	if got["mchid"] != w.Keys().MchID {
		return nil, &refuseMchID
	}
	w.Book.Lock()
	defer w.Book.Unlock()
	t := w.Book.ByNo(w, r.PathValue("no"))
	switch {
	case t == nil:
		return nil, &refuseUnknown
	case t.State(w.Book.Now()) == trade.Paid:
		return nil, &refusePaid
	case t.State(w.Book.Now()) == trade.Closed && closeAgainStatus != http.StatusNoContent:
		return nil, &refuseClosed
	}
	w.Book.Close(t)
	return nil, nil
}

// certificates lists the platform's certificates, encrypted: the first, and
// those that follow it.
func (w *Emulator) certificates(*http.Request, []byte) (any, *refusal) {
	data := []any{}
	for _, cert := range w.Keys().platformCerts() {
		nonce := w.Random.Text(12, random.Alnum)
		sealed, err := encrypt(w.Keys().APIv3Key, nonce, "certificate", []byte(rsakey.CertificatePEM(cert)))
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
