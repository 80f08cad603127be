package sandbox

import (
	"time"

	"github.com/tandem-pay/tandem/sandbox/trade"
)

// TradeView is a trade as the control API shows it.
type TradeView struct {
	Channel        string         `json:"channel"`
	OutTradeNo     string         `json:"outTradeNo"`
	Method         string         `json:"method"`
	State          trade.State    `json:"state"`
	Amount         int64          `json:"amount"` // fen
	Description    string         `json:"description"`
	NotifyURL      string         `json:"notifyUrl"`
	PayPath        string         `json:"payPath"` // of the phone page, below the handler's root
	CreatedAt      time.Time      `json:"createdAt"`
	ExpiresAt      time.Time      `json:"expiresAt,omitzero"`
	PaidAt         time.Time      `json:"paidAt,omitzero"`
	TransactionIDs []string       `json:"transactionIds"`
	Callbacks      []CallbackView `json:"callbacks"`
	Refunds        []RefundView   `json:"refunds"`
}

// CallbackView is one callback of a trade, in all its tries.
type CallbackView struct {
	ID        string          `json:"id"`
	RefundNo  string          `json:"refundNo,omitempty"` // when it reports a refund
	Delivered bool            `json:"delivered"`
	Lost      bool            `json:"lost,omitempty"` // by a fault: it is never sent
	Tries     int             `json:"tries"`
	NextTry   time.Time       `json:"nextTry,omitzero"`
	Attempts  []trade.Attempt `json:"attempts"` // the last twenty
}

// RefundView is a refund as the control API shows it.
type RefundView struct {
	RefundNo      string            `json:"refundNo"`
	RefundID      string            `json:"refundId"`
	OutTradeNo    string            `json:"outTradeNo"`
	TransactionID string            `json:"transactionId"`
	Amount        int64             `json:"amount"` // fen
	Reason        string            `json:"reason,omitempty"`
	State         trade.RefundState `json:"state"`
	CreatedAt     time.Time         `json:"createdAt"`
	EndedAt       time.Time         `json:"endedAt,omitzero"`
}

// viewTrade copies a trade. The book's lock is held.
func viewTrade(t *trade.Trade, now time.Time) TradeView {
	v := TradeView{
		Channel: t.Protocol.Name(), OutTradeNo: t.No, Method: t.Method, State: t.State(now),
		Amount: t.Amount, Description: t.Description, NotifyURL: t.NotifyURL, PayPath: "/pay/" + t.Token,
		CreatedAt: t.Created, ExpiresAt: t.Expires, TransactionIDs: []string{}, Callbacks: []CallbackView{}, Refunds: []RefundView{},
	}
	for i, p := range t.Payments {
		if i == 0 {
			v.PaidAt = p.At
		}
		v.TransactionIDs = append(v.TransactionIDs, p.TransactionID)
	}
	for _, n := range t.Notices {
		c := CallbackView{
			ID: n.ID, Delivered: n.Delivered, Lost: n.Lost, Tries: n.Tries, NextTry: n.NextTry,
			Attempts: append([]trade.Attempt{}, n.Attempts...),
		}
		if n.Refund != nil {
			c.RefundNo = n.Refund.No
		}
		v.Callbacks = append(v.Callbacks, c)
	}
	for _, r := range t.Refunds {
		v.Refunds = append(v.Refunds, viewRefund(r))
	}
	return v
}

// viewRefund copies a refund. The book's lock is held.
func viewRefund(r *trade.Refund) RefundView {
	v := RefundView{
		RefundNo: r.No, RefundID: r.ID, OutTradeNo: r.Trade.No, TransactionID: r.Payment.TransactionID,
		Amount: r.Amount, Reason: r.Reason, State: r.State, CreatedAt: r.Created,
	}
	if r.State != trade.RefundProcessing {
		v.EndedAt = r.At
	}
	return v
}
