package alipay

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/tandem-pay/tandem/sandbox/faults"
	"github.com/tandem-pay/tandem/sandbox/trade"
	"github.com/tandem-pay/tandem/sandbox/wire"
)

// Accepted wants seven characters and nothing else.
func (a *Emulator) Accepted(status int, body []byte) bool {
	return status == http.StatusOK && string(body) == "success"
}

// planExpiry plans the end of the trade, should nobody have paid it by then,
// which is reported. The plan may outlive the trade by days: it holds the name
// alone.
// The book's lock is held.
func (a *Emulator) planExpiry(t *trade.Trade) {
	token, end := t.Token, t.Expires
	a.Book.Later(end.Add(time.Second), func(at time.Time) {
		if t := a.Book.ByToken(token); t != nil && t.Expires.Equal(end) && t.State(at) == trade.Expired {
			a.end(t, at)
		}
	})
}

// Callback makes a try of a notice. It needs no lock. Everything but the time and the signature is
// the same in each try, whatever has become of the trade since.
func (a *Emulator) Callback(n *trade.Notice, _ int, forged faults.Fault) (http.Header, []byte, string, error) {
	t, keys := n.Trade, a.keys
	p := params{
		"notify_time": wireTime(a.CallbackTime()), "notify_type": "trade_status_sync", "notify_id": n.ID,
		"app_id": keys.AppID, "auth_app_id": keys.AppID, "charset": "utf-8", "version": "1.0",
		"trade_no": details(t).tradeNo, "out_trade_no": t.No, "trade_status": paid,
		"seller_id": keys.SellerID, "seller_email": "sandbox-seller@example.test",
		"buyer_id": details(t).buyerID, "buyer_logon_id": logonID,
		"subject": t.Description, "total_amount": wire.Yuan(t.Amount), "gmt_create": wireTime(details(t).began),
	}
	for name, value := range map[string]string{"body": details(t).body, "passback_params": details(t).passback} {
		if value != "" {
			p[name] = value
		}
	}
	switch {
	case n.Payment == nil:
		p["trade_status"], p["gmt_close"] = closed, wireTime(n.At)
	default:
		if err := p.addPayment(t, n.Payment); err != nil {
			return nil, nil, "", err
		}
	}
	if n.Refund != nil {
		if n.Total >= t.Amount {
			p["trade_status"], p["gmt_close"] = closed, wireTime(n.At)
		}
		p["out_biz_no"], p["refund_fee"] = n.Refund.No, wire.Yuan(n.Total)
		p["gmt_refund"] = n.At.In(trade.China).Format(timeLayout + ".000")
		p["send_back_fee"] = wire.Yuan(n.Refund.Amount - n.Refund.Coupon)
	}
	if err := p.sign(keys.PlatformKey, forged); err != nil {
		return nil, nil, "", err
	}
	header := http.Header{}
	header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	header.Set("User-Agent", agent)
	return header, []byte(p.encode()), "alipay", nil
}

// addPayment adds what is known of a payment.
func (p params) addPayment(t *trade.Trade, m *trade.Payment) error {
	type fund struct {
		Amount      string `json:"amount"`
		FundChannel string `json:"fundChannel"` // here without an underscore
	}
	list := []fund{}
	for _, f := range funds(t.Amount, m.Coupon) {
		list = append(list, fund(f))
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	p["trade_no"], p["gmt_payment"] = m.TransactionID, wireTime(m.At)
	p["receipt_amount"], p["point_amount"] = wire.Yuan(t.Amount), wire.Yuan(0)
	p["buyer_pay_amount"], p["invoice_amount"] = wire.Yuan(t.Amount-m.Coupon), wire.Yuan(t.Amount-m.Coupon)
	p["fund_bill_list"] = string(text)
	if m.Coupon == 0 {
		return nil
	}
	text, err = json.Marshal([]map[string]string{{
		"voucherId": "2026" + m.TransactionID[len(m.TransactionID)-12:], "name": "沙箱红包", "type": "ALIPAY_FIX_VOUCHER",
		"amount": wire.Yuan(m.Coupon), "merchantContribute": wire.Yuan(0), "otherContribute": wire.Yuan(m.Coupon),
	}})
	p["voucher_detail_list"] = string(text)
	return err
}
