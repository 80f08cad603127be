package sandbox

import (
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// The statuses of refunds on the wire.
const (
	refundSuccess    = "SUCCESS"
	refundProcessing = "PROCESSING"
	refundClosed     = "CLOSED"
	refundAbnormal   = "ABNORMAL"
)

var refundStatus = map[RefundState]string{
	RefundProcessing: refundProcessing, RefundSucceeded: refundSuccess, RefundAbnormal: refundAbnormal, RefundClosed: refundClosed,
}

// Refund is a refund on the wire: what asking for one and querying it answer.
type Refund struct {
	RefundID            string            `json:"refund_id"`
	OutRefundNo         string            `json:"out_refund_no"`
	TransactionID       string            `json:"transaction_id"`
	OutTradeNo          string            `json:"out_trade_no"`
	Channel             string            `json:"channel"`
	UserReceivedAccount string            `json:"user_received_account"`
	SuccessTime         string            `json:"success_time,omitempty"`
	CreateTime          string            `json:"create_time"`
	Status              string            `json:"status"`
	FundsAccount        string            `json:"funds_account"`
	Amount              RefundAmount      `json:"amount"`
	PromotionDetail     []RefundPromotion `json:"promotion_detail,omitempty"`
}

// RefundAmount is in fen.
type RefundAmount struct {
	Total            int64  `json:"total"`
	Refund           int64  `json:"refund"`
	From             []any  `json:"from"`
	PayerTotal       int64  `json:"payer_total"`
	PayerRefund      int64  `json:"payer_refund"`
	SettlementRefund int64  `json:"settlement_refund"`
	SettlementTotal  int64  `json:"settlement_total"`
	DiscountRefund   int64  `json:"discount_refund"`
	Currency         string `json:"currency"`
}

// RefundPromotion is what a coupon gets back.
type RefundPromotion struct {
	PromotionID  string `json:"promotion_id"`
	Scope        string `json:"scope"`
	Type         string `json:"type"`
	Amount       int64  `json:"amount"`
	RefundAmount int64  `json:"refund_amount"`
}

// RefundNotice is what the callback of a refund has inside. It is no Refund:
// its status has another name, and it knows less.
type RefundNotice struct {
	MchID               string             `json:"mchid"`
	TransactionID       string             `json:"transaction_id"`
	OutTradeNo          string             `json:"out_trade_no"`
	RefundID            string             `json:"refund_id"`
	OutRefundNo         string             `json:"out_refund_no"`
	RefundStatus        string             `json:"refund_status"`
	SuccessTime         string             `json:"success_time,omitempty"`
	UserReceivedAccount string             `json:"user_received_account"`
	Amount              RefundNoticeAmount `json:"amount"`
}

// RefundNoticeAmount is in fen.
type RefundNoticeAmount struct {
	Total       int64 `json:"total"`
	Refund      int64 `json:"refund"`
	PayerTotal  int64 `json:"payer_total"`
	PayerRefund int64 `json:"payer_refund"`
}

// refundOnWire shows r as it is now. Gateway.mu is held.
func (w *wechat) refundOnWire(r *refund) *Refund {
	total := r.trade.amount
	out := &Refund{
		RefundID: r.id, OutRefundNo: r.no, TransactionID: r.payment.transactionID, OutTradeNo: r.trade.no,
		Channel: "ORIGINAL", UserReceivedAccount: receivedAccount(r.account), CreateTime: wireTime(r.created),
		Status: refundStatus[r.state], FundsAccount: "AVAILABLE",
		Amount: RefundAmount{
			Total: total, Refund: r.amount, From: []any{}, PayerTotal: total - r.payment.coupon, PayerRefund: r.amount - r.coupon,
			SettlementRefund: r.amount, SettlementTotal: total, DiscountRefund: r.coupon, Currency: "CNY",
		},
	}
	if r.account != "" {
		out.Channel = "OTHER_BANKCARD"
	}
	if r.state == RefundSucceeded {
		out.SuccessTime = wireTime(r.at)
	}
	if r.coupon > 0 {
		out.PromotionDetail = []RefundPromotion{{PromotionID: couponID, Scope: "GLOBAL", Type: "COUPON", Amount: r.payment.coupon, RefundAmount: r.coupon}}
	}
	return out
}

// refundNotice uses nothing of the refund that changes but the account, which
// was copied when it was announced: each try of a callback is the same.
func (w *wechat) refundNotice(n *notice) RefundNotice {
	r, total := n.refund, n.trade.amount
	out := RefundNotice{
		MchID: w.g.keys.MchID, TransactionID: n.payment.transactionID, OutTradeNo: n.trade.no, RefundID: r.id, OutRefundNo: r.no,
		RefundStatus: refundStatus[n.state], UserReceivedAccount: receivedAccount(n.account),
		Amount: RefundNoticeAmount{Total: total, Refund: r.amount, PayerTotal: total - n.payment.coupon, PayerRefund: r.amount - r.coupon},
	}
	if n.state == RefundSucceeded {
		out.SuccessTime = wireTime(n.at)
	}
	return out
}

func receivedAccount(account string) string {
	if account == "" {
		return "支付用户零钱"
	}
	return account
}

func wireTime(t time.Time) string { return t.In(china).Format(time.RFC3339) }

// refundBody is what asking for a refund takes.
var refundBody = schema{
	"transaction_id": text(32), "out_trade_no": text(32), "out_refund_no": required(text(64)),
	"reason": text(80), "notify_url": text(255), "funds_account": text(32),
	"amount": required(object(schema{
		"refund": required(rule{kind: anInteger}), "total": required(rule{kind: anInteger}), "currency": required(text(16)),
		"from": listOf(schema{"account": required(text(32)), "amount": required(rule{kind: anInteger})}),
	})),
	"goods_detail": listOf(schema{
		"merchant_goods_id": required(text(32)), "wechatpay_goods_id": text(32), "goods_name": text(256),
		"unit_price": required(rule{kind: anInteger}), "refund_amount": required(rule{kind: anInteger}), "refund_quantity": required(rule{kind: anInteger}),
	}),
}

var outRefundNoShape = regexp.MustCompile(`^[0-9A-Za-z_\-|*@]{1,64}$`)

// refundRequest is a checked request for a refund.
type refundRequest struct {
	ask        refundAsk
	outTradeNo string
	total      int64
}

func parseRefund(body []byte, strictHTTPS bool) (refundRequest, *refusal) {
	var p refundRequest
	got, no := refundBody.parse(body)
	if no != nil {
		return p, no
	}
	p.ask.transactionID, p.outTradeNo = str(got, "transaction_id"), str(got, "out_trade_no")
	p.ask.no, p.ask.reason, p.ask.notifyURL = str(got, "out_refund_no"), str(got, "reason"), str(got, "notify_url")
	amount := got["amount"].(map[string]any) // required by the schema
	p.ask.amount, p.total = integer(amount, "refund"), integer(amount, "total")
	switch {
	case p.ask.transactionID == "" && p.outTradeNo == "":
		return p, paramError("body", "/transaction_id", "transaction_id or out_trade_no is required")
	case !outRefundNoShape.MatchString(p.ask.no):
		return p, paramError("body", "/out_refund_no", "must be 1 to 64 characters of 0-9 A-Z a-z _ - | * @")
	case p.ask.amount < 1:
		return p, paramError("body", "/amount/refund", "must be at least 1")
	case p.total < 1:
		return p, paramError("body", "/amount/total", "must be at least 1")
	case str(amount, "currency") != "CNY":
		return p, paramError("body", "/amount/currency", "must be CNY")
	}
	if account, has := got["funds_account"]; has && account != "AVAILABLE" {
		return p, paramError("body", "/funds_account", "must be AVAILABLE")
	}
	if p.ask.notifyURL != "" {
		if issue := checkNotifyURL(p.ask.notifyURL, strictHTTPS); issue != "" {
			return p, paramError("body", "/notify_url", issue)
		}
	}
	canonical, err := json.Marshal(got)
	if err != nil {
		return p, paramError("body", "/", err.Error())
	}
	p.ask.fingerprint = sha256.Sum256(canonical)
	return p, nil
}

func str(o map[string]any, name string) string { s, _ := o[name].(string); return s }

func integer(o map[string]any, name string) int64 {
	n, _ := o[name].(json.Number)
	i, _ := strconv.ParseInt(n.String(), 10, 64) // the schema has seen to it
	return i
}

// refund accepts a refund, or answers again with the one that has the number.
func (w *wechat) refund(_ *http.Request, body []byte) (any, *refusal) {
	p, no := parseRefund(body, w.g.strictHTTPS)
	if no != nil {
		return nil, no
	}
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	w.g.catchUp()
	t := w.find(p.outTradeNo)
	if p.ask.transactionID != "" {
		byID := w.g.trades.byTransaction[tradeKey{w.name(), p.ask.transactionID}]
		if p.outTradeNo != "" && t != byID {
			return nil, &refuseTwoTrades
		}
		t = byID
	}
	switch {
	case t == nil:
		return nil, &refuseNoResource
	case p.total != t.amount:
		return nil, &refuseTotal
	}
	p.ask.delay = w.g.refundDelay
	r, err := w.g.refund(t, p.ask)
	if err != nil {
		return nil, refuseRefund[err]
	}
	return w.refundOnWire(r), nil
}

func (w *wechat) queryRefund(r *http.Request, _ []byte) (any, *refusal) {
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	w.g.catchUp()
	if f := w.g.findRefund(w, "", r.PathValue("refund")); f != nil {
		return w.refundOnWire(f), nil
	}
	return nil, &refuseNoResource
}

var abnormalBody = schema{
	"out_refund_no": required(text(64)), "type": required(text(32)),
	"bank_type": text(16), "bank_account": text(1024), "real_name": text(1024),
}

// applyAbnormal sends an abnormal refund to a bank card: the buyer's, whose
// number and name come encrypted for the platform, or the merchant's own.
func (w *wechat) applyAbnormal(r *http.Request, body []byte) (any, *refusal) {
	got, no := abnormalBody.parse(body)
	if no != nil {
		return nil, no
	}
	account := "商户银行账户"
	switch str(got, "type") {
	case "MERCHANT_BANK_CARD":
	case "USER_BANK_CARD":
		if str(got, "bank_type") == "" {
			return nil, paramError("body", "/bank_type", "is required with USER_BANK_CARD")
		}
		plain := map[string]string{}
		for _, name := range []string{"bank_account", "real_name"} {
			var err error
			if plain[name], err = w.decrypt(r.Header.Get("Wechatpay-Serial"), str(got, name)); err != nil {
				return nil, paramError("body", "/"+name, err.Error())
			}
		}
		card := plain["bank_account"]
		account = str(got, "bank_type") + card[max(0, len(card)-4):]
	default:
		return nil, paramError("body", "/type", "must be USER_BANK_CARD or MERCHANT_BANK_CARD")
	}
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	w.g.catchUp()
	f := w.g.trades.byRefundID[tradeKey{w.name(), r.PathValue("refund")}]
	switch {
	case f == nil:
		return nil, &refuseNoResource
	case f.no != str(got, "out_refund_no"):
		return nil, &refuseOtherRefund
	case f.account != "" && f.account == account && f.state != RefundAbnormal: // asked for before
	case f.state != RefundAbnormal:
		return nil, &refuseNotAbnormal
	default:
		f.state, f.at, f.account = RefundProcessing, w.g.now(), account
		w.g.planRefund(f, RefundSucceeded, w.g.refundDelay)
	}
	return w.refundOnWire(f), nil
}

// decrypt opens what was encrypted for the platform's key of that name.
func (w *wechat) decrypt(serial, text string) (string, error) {
	keys := w.g.Keys()
	key := keys.platformKeys()[serial]
	if key == nil {
		return "", errors.New("the Wechatpay-Serial names no key of the platform")
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || text == "" {
		return "", errors.New("must be base64")
	}
	// The protocol says SHA-1; the security of OAEP does not rest on it.
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, sealed, nil)
	if err != nil || len(plain) == 0 {
		return "", errors.New("cannot be decrypted with the key that the Wechatpay-Serial names")
	}
	return string(plain), nil
}
