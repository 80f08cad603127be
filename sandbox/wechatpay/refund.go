package wechatpay

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

	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// The statuses of refunds on the wire.
const (
	refundSuccess    = "SUCCESS"
	refundProcessing = "PROCESSING"
	refundClosed     = "CLOSED"
	refundAbnormal   = "ABNORMAL"
)

var refundStatus = map[trade.RefundState]string{
	trade.RefundProcessing: refundProcessing, trade.RefundSucceeded: refundSuccess,
	trade.RefundAbnormal: refundAbnormal, trade.RefundClosed: refundClosed,
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

// refundOnWire shows r as it is now. The book's lock is held.
func (w *Emulator) refundOnWire(r *trade.Refund) *Refund {
	total := r.Trade.Amount
	out := &Refund{
		RefundID: r.ID, OutRefundNo: r.No, TransactionID: r.Payment.TransactionID, OutTradeNo: r.Trade.No,
		Channel: "ORIGINAL", UserReceivedAccount: receivedAccount(r.Account), CreateTime: wireTime(r.Created),
		Status: refundStatus[r.State], FundsAccount: "AVAILABLE",
		Amount: RefundAmount{
			Total: total, Refund: r.Amount, From: []any{}, PayerTotal: total - r.Payment.Coupon, PayerRefund: r.Amount - r.Coupon,
			SettlementRefund: r.Amount, SettlementTotal: total, DiscountRefund: r.Coupon, Currency: "CNY",
		},
	}
	if r.Account != "" {
		out.Channel = "OTHER_BANKCARD"
	}
	if r.State == trade.RefundSucceeded {
		out.SuccessTime = wireTime(r.At)
	}
	if r.Coupon > 0 {
		out.PromotionDetail = []RefundPromotion{
			{PromotionID: couponID, Scope: "GLOBAL", Type: "COUPON", Amount: r.Payment.Coupon, RefundAmount: r.Coupon},
		}
	}
	return out
}

// refundNotice uses nothing of the refund that changes but the account, which
// was copied when it was announced: each try of a callback is the same.
func (w *Emulator) refundNotice(n *trade.Notice) RefundNotice {
	r, total := n.Refund, n.Trade.Amount
	out := RefundNotice{
		MchID: w.Keys().MchID, TransactionID: n.Payment.TransactionID, OutTradeNo: n.Trade.No, RefundID: r.ID, OutRefundNo: r.No,
		RefundStatus: refundStatus[n.State], UserReceivedAccount: receivedAccount(n.Account),
		Amount: RefundNoticeAmount{Total: total, Refund: r.Amount, PayerTotal: total - n.Payment.Coupon, PayerRefund: r.Amount - r.Coupon},
	}
	if n.State == trade.RefundSucceeded {
		out.SuccessTime = wireTime(n.At)
	}
	return out
}

func receivedAccount(account string) string {
	if account == "" {
		return "支付用户零钱"
	}
	return account
}

func wireTime(t time.Time) string { return t.In(trade.China).Format(time.RFC3339) }

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
		"unit_price": required(rule{kind: anInteger}), "refund_amount": required(rule{kind: anInteger}),
		"refund_quantity": required(rule{kind: anInteger}),
	}),
}

var outRefundNoShape = regexp.MustCompile(`^[0-9A-Za-z_\-|*@]{1,64}$`)

// refundRequest is a checked request for a refund.
type refundRequest struct {
	req        trade.RefundRequest
	outTradeNo string
	total      int64
}

func parseRefund(body []byte, strictHTTPS bool) (refundRequest, *refusal) {
	var p refundRequest
	got, no := refundBody.parse(body)
	if no != nil {
		return p, no
	}
	p.req.TransactionID, p.outTradeNo = str(got, "transaction_id"), str(got, "out_trade_no")
	p.req.No, p.req.Reason, p.req.NotifyURL = str(got, "out_refund_no"), str(got, "reason"), str(got, "notify_url")
	amount := got["amount"].(map[string]any) // required by the schema
	p.req.Amount, p.total = integer(amount, "refund"), integer(amount, "total")
	switch {
	case p.req.TransactionID == "" && p.outTradeNo == "":
		return p, paramError("body", "/transaction_id", "transaction_id or out_trade_no is required")
	case !outRefundNoShape.MatchString(p.req.No):
		return p, paramError("body", "/out_refund_no", "must be 1 to 64 characters of 0-9 A-Z a-z _ - | * @")
	case p.req.Amount < 1:
		return p, paramError("body", "/amount/refund", "must be at least 1")
	case p.total < 1:
		return p, paramError("body", "/amount/total", "must be at least 1")
	case str(amount, "currency") != "CNY":
		return p, paramError("body", "/amount/currency", "must be CNY")
	}
	if account, has := got["funds_account"]; has && account != "AVAILABLE" {
		return p, paramError("body", "/funds_account", "must be AVAILABLE")
	}
	if p.req.NotifyURL != "" {
		if issue := wire.NotifyURLIssue(p.req.NotifyURL, strictHTTPS); issue != "" {
			return p, paramError("body", "/notify_url", issue)
		}
	}
	canonical, err := json.Marshal(got)
	if err != nil {
		return p, paramError("body", "/", err.Error())
	}
	p.req.Fingerprint = sha256.Sum256(canonical)
	return p, nil
}

func str(o map[string]any, name string) string { s, _ := o[name].(string); return s }

func integer(o map[string]any, name string) int64 {
	n, _ := o[name].(json.Number)
	i, _ := strconv.ParseInt(n.String(), 10, 64) // the schema has seen to it
	return i
}

// refund accepts a refund, or answers again with the one that has the number.
func (w *Emulator) refund(_ *http.Request, body []byte) (any, *refusal) {
	p, no := parseRefund(body, w.StrictHTTPS)
	if no != nil {
		return nil, no
	}
	w.Book.Lock()
	defer w.Book.Unlock()
	t := w.Book.ByNo(w, p.outTradeNo)
	if p.req.TransactionID != "" {
		byID := w.Book.ByID(w, p.req.TransactionID)
		if p.outTradeNo != "" && t != byID {
			return nil, &refuseTwoTrades
		}
		t = byID
	}
	switch {
	case t == nil:
		return nil, &refuseNoResource
	case p.total != t.Amount:
		return nil, &refuseTotal
	}
	p.req.Delay = w.RefundDelay
	r, err := w.Book.Refund(t, p.req)
	if err != nil {
		return nil, refuseRefund[err]
	}
	return w.refundOnWire(r), nil
}

func (w *Emulator) queryRefund(r *http.Request, _ []byte) (any, *refusal) {
	w.Book.Lock()
	defer w.Book.Unlock()
	if f := w.Book.RefundByNo(w, "", r.PathValue("refund")); f != nil {
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
func (w *Emulator) applyAbnormal(r *http.Request, body []byte) (any, *refusal) {
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
	w.Book.Lock()
	defer w.Book.Unlock()
	f := w.Book.RefundByID(w, r.PathValue("refund"))
	switch {
	case f == nil:
		return nil, &refuseNoResource
	case f.No != str(got, "out_refund_no"):
		return nil, &refuseOtherRefund
	case f.Account != "" && f.Account == account && f.State != trade.RefundAbnormal: // requested before
	case f.State != trade.RefundAbnormal:
		return nil, &refuseNotAbnormal
	default:
		w.Book.Redirect(f, account, w.RefundDelay)
	}
	return w.refundOnWire(f), nil
}

// decrypt opens what was encrypted for the platform's key of that name.
func (w *Emulator) decrypt(serial, text string) (string, error) {
	keys := w.Keys()
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
