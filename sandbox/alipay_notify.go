package sandbox

import (
	"encoding/json"
	"net/http"
	"time"
)

// refundID has the shape of the real ones' trade numbers. The wire does not
// carry it: Alipay's refunds are named by the shop's numbers alone.
func (a *alipay) refundID(now time.Time) string {
	for {
		id := now.In(china).Format("20060102") + "23001400" + a.g.random.text(12, digits)
		if a.g.trades.byRefundID[tradeKey{a.name(), id}] == nil {
			return id
		}
	}
}

// tells says that a refund is told of when it has succeeded, and only then:
// on the wire no other state exists.
func (a *alipay) tells(state RefundState) bool { return state == RefundSucceeded }

// tellClosing tells that the trade was closed unpaid. g.mu is held.
func (a *alipay) tellClosing(t *trade, at time.Time) {
	a.g.tell(OpCallback, notice{trade: t, url: t.notifyURL, created: at, at: at}, t.notifyURL != "")
}

// tellExpiry plans what tells of the trade's end, should nobody have paid it
// by then. The plan may outlive the trade by days: it holds the name alone.
// g.mu is held.
func (a *alipay) tellExpiry(t *trade) {
	token, end := t.token, t.expires
	a.g.later(end.Add(time.Second), func(at time.Time) {
		if t := a.g.trades.byToken[token]; t != nil && t.expires.Equal(end) && t.stateAt(at) == Expired {
			a.end(t, at)
		}
	})
}

// callback implements protocol. Everything but the time and the signature is
// the same in each try, whatever has become of the trade since.
func (a *alipay) callback(n *notice, _ int, forge Fault) (http.Header, []byte, string, error) {
	t, keys := n.trade, a.g.keys.Alipay
	p := alipayParams{
		"notify_time": alipayTime(a.g.callTime()), "notify_type": "trade_status_sync", "notify_id": n.id,
		"app_id": keys.AppID, "auth_app_id": keys.AppID, "charset": "utf-8", "version": "1.0",
		"trade_no": t.alipay.tradeNo, "out_trade_no": t.no, "trade_status": alipayPaid,
		"seller_id": keys.SellerID, "seller_email": "sandbox-seller@example.test",
		"buyer_id": t.alipay.buyerID, "buyer_logon_id": alipayLogonID,
		"subject": t.description, "total_amount": yuan(t.amount), "gmt_create": alipayTime(t.alipay.began),
	}
	for name, value := range map[string]string{"body": t.alipay.body, "passback_params": t.alipay.passback} {
		if value != "" {
			p[name] = value
		}
	}
	switch {
	case n.payment == nil:
		p["trade_status"], p["gmt_close"] = alipayClosed, alipayTime(n.at)
	default:
		if err := p.tellPayment(t, n.payment); err != nil {
			return nil, nil, "", err
		}
	}
	if n.refund != nil {
		if n.total >= t.amount {
			p["trade_status"], p["gmt_close"] = alipayClosed, alipayTime(n.at)
		}
		p["out_biz_no"], p["refund_fee"] = n.refund.no, yuan(n.total)
		p["gmt_refund"] = n.at.In(china).Format(alipayTimeLayout + ".000")
		p["send_back_fee"] = yuan(n.refund.amount - n.refund.coupon)
	}
	if err := p.sign(keys.PlatformKey, forge); err != nil {
		return nil, nil, "", err
	}
	header := http.Header{}
	header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	header.Set("User-Agent", alipayAgent)
	return header, []byte(p.encode()), "alipay", nil
}

// tellPayment adds what is known of a payment.
func (p alipayParams) tellPayment(t *trade, m *payment) error {
	type fund struct {
		Amount      string `json:"amount"`
		FundChannel string `json:"fundChannel"` // here without an underscore
	}
	list := []fund{}
	for _, f := range funds(t.amount, m.coupon) {
		list = append(list, fund(f))
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	p["trade_no"], p["gmt_payment"] = m.transactionID, alipayTime(m.at)
	p["receipt_amount"], p["point_amount"] = yuan(t.amount), yuan(0)
	p["buyer_pay_amount"], p["invoice_amount"] = yuan(t.amount-m.coupon), yuan(t.amount-m.coupon)
	p["fund_bill_list"] = string(text)
	if m.coupon == 0 {
		return nil
	}
	text, err = json.Marshal([]map[string]string{{
		"voucherId": "2026" + m.transactionID[len(m.transactionID)-12:], "name": "沙箱红包", "type": "ALIPAY_FIX_VOUCHER",
		"amount": yuan(m.coupon), "merchantContribute": yuan(0), "otherContribute": yuan(m.coupon),
	}})
	p["voucher_detail_list"] = string(text)
	return err
}
