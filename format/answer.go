package format

import (
	"encoding/json"
	"time"

	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
)

// Answers are idempotency_keys.answer: what a use case answered under a key,
// which a repeat is answered with. A key is kept as long as its order, so that
// every release reads what all before it wrote. Their members have the names
// that the fields of the domain had in the first release.

// OrderAnswer is the answer of placing, drafting, pricing and submitting. What
// the price was computed from is no part of it.
var OrderAnswer = appended("answer.order", 768, appendOrder, (*orderAnswer).restore)

// PaymentAnswer is the answer of opening, syncing and closing a payment.
var PaymentAnswer = appended("answer.payment", 1024, appendPayment, (*paymentAnswer).restore)

// RefundAnswer is the answer to a request for a refund, and of an operator's verbs
// on it.
var RefundAnswer = object("answer.refund",
	func(d *payment.RefundData) *refundAnswer {
		return &refundAnswer{
			No: d.No, Order: d.Order, Cause: d.Cause, Amount: d.Amount, Currency: d.Currency, Status: d.Status, Reason: d.Reason,
			Lines: each(d.Lines, refundLineOf), Allocations: each(d.Allocations, allocationOf),
			CreatedAt: d.CreatedAt, DoneAt: d.DoneAt, NextTryAt: d.NextTryAt, Tries: d.Tries, Trace: d.Trace, Version: d.Version,
			Restock: d.Restock,
		}
	},
	func(s *refundAnswer, d *payment.RefundData) {
		*d = payment.RefundData{
			No: s.No, Order: s.Order, Cause: s.Cause, Amount: s.Amount, Currency: s.Currency, Status: s.Status, Reason: s.Reason,
			Lines: each(s.Lines, (*refundLine).restore), Allocations: each(s.Allocations, (*allocation).restore),
			CreatedAt: s.CreatedAt, DoneAt: s.DoneAt, NextTryAt: s.NextTryAt, Tries: s.Tries, Trace: s.Trace, Version: s.Version,
			Restock: s.Restock,
		}
	})

// SkuAnswer is the answer of adjusting stock.
var SkuAnswer = object("answer.sku",
	func(d *inventory.Data) *skuAnswer {
		return &skuAnswer{
			Sku: d.Sku, Name: d.Name, Price: d.Price, Categories: d.Categories, OnHand: d.OnHand, Reserved: d.Reserved,
			MaxPerUser: d.MaxPerUser, Version: d.Version,
		}
	},
	func(s *skuAnswer, d *inventory.Data) {
		*d = inventory.Data{
			Sku: s.Sku, Name: s.Name, Price: s.Price, Categories: s.Categories, OnHand: s.OnHand, Reserved: s.Reserved,
			MaxPerUser: s.MaxPerUser, Version: s.Version,
		}
	})

// PromotionAnswer is the answer of making a promotion.
var PromotionAnswer = object("answer.promotion",
	func(p *pricing.Promotion) *promotion { s := promotionOf(p); return &s },
	func(s *promotion, p *pricing.Promotion) { *p = s.restore() })

// TemplateAnswer is the answer of making a coupon template.
var TemplateAnswer = object("answer.template",
	func(t *marketing.Template) *template { s := templateOf(t); return &s },
	func(s *template, t *marketing.Template) { *t = s.restore() })

// CouponAnswer is the answer of claiming and of revoking a coupon.
var CouponAnswer = object("answer.coupon",
	func(d *marketing.CouponData) *coupon { return &coupon{couponFields: couponFields(*d)} },
	func(s *coupon, d *marketing.CouponData) { *d = marketing.CouponData(s.couponFields) })

// CouponsAnswer is the answer of issuing coupons.
var CouponsAnswer = list("answer.coupons",
	func(d *marketing.CouponData) couponFields { return couponFields(*d) },
	func(s *couponFields) marketing.CouponData { return marketing.CouponData(*s) })

// CodesAnswer is the answer of issuing one batch of a job.
var CodesAnswer = list("answer.codes", func(code *string) string { return *code }, func(code *string) string { return *code })

// list is a document that is a list.
func list[D, S any](name string, store func(*D) S, restore func(*S) D) Doc[[]D] {
	return Doc[[]D]{
		Name:   name,
		Encode: func(d *[]D) ([]byte, error) { return json.Marshal(each(*d, store)) },
		Decode: func(b []byte, d *[]D) error {
			var s []S
			if b != nil {
				if err := read(name, b, &s); err != nil {
					return err
				}
			}
			*d = each(s, restore)
			return nil
		},
	}
}

type refundAnswer struct {
	version
	No          string               `json:"No"`
	Order       string               `json:"Order"`
	Cause       payment.Cause        `json:"Cause"`
	Amount      int64                `json:"Amount"`
	Currency    string               `json:"Currency"`
	Status      payment.RefundStatus `json:"Status"`
	Reason      string               `json:"Reason"`
	Lines       []refundLine         `json:"Lines"`
	Allocations []allocation         `json:"Allocations"`
	CreatedAt   time.Time            `json:"CreatedAt"`
	DoneAt      time.Time            `json:"DoneAt"`
	NextTryAt   time.Time            `json:"NextTryAt"`
	Tries       int                  `json:"Tries"`
	Trace       string               `json:"Trace"`
	Version     int64                `json:"Version"`
	Restock     payment.Restock      `json:"Restock,omitzero"`
}

type skuAnswer struct {
	version
	Sku        string   `json:"Sku"`
	Name       string   `json:"Name"`
	Price      int64    `json:"Price"`
	Categories []string `json:"Categories"`
	OnHand     int64    `json:"OnHand"`
	Reserved   int64    `json:"Reserved"`
	MaxPerUser int64    `json:"MaxPerUser"`
	Version    int64    `json:"Version"`
}

type coupon struct {
	version
	couponFields
}

type couponFields struct {
	Code        string           `json:"Code"`
	TemplateID  string           `json:"TemplateID"`
	User        string           `json:"User"`
	Status      marketing.Status `json:"Status"`
	Order       string           `json:"Order"`
	LockedUntil time.Time        `json:"LockedUntil"`
	ValidFrom   time.Time        `json:"ValidFrom"`
	ValidUntil  time.Time        `json:"ValidUntil"`
	IssuedAt    time.Time        `json:"IssuedAt"`
	Version     int64            `json:"Version"`
}
