package app

import (
	"reflect"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/format"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
)

// answers are the formats of what use cases answer under a key, by its type. A
// use case that takes a key has a line here.
var answers = map[reflect.Type]any{
	reflect.TypeFor[order.Data]():             &format.OrderAnswer,
	reflect.TypeFor[payment.Data]():           &format.PaymentAnswer,
	reflect.TypeFor[payment.RefundData]():     &format.RefundAnswer,
	reflect.TypeFor[inventory.Data]():         &format.SkuAnswer,
	reflect.TypeFor[pricing.Promotion]():      &format.PromotionAnswer,
	reflect.TypeFor[marketing.Template]():     &format.TemplateAnswer,
	reflect.TypeFor[marketing.CouponData]():   &format.CouponAnswer,
	reflect.TypeFor[[]marketing.CouponData](): &format.CouponsAnswer,
	reflect.TypeFor[[]string]():               &format.CodesAnswer,
	reflect.TypeFor[rows.Discrepancy]():       &discrepancyAnswer,
	reflect.TypeFor[rows.Reconciliation]():    &reconciliationAnswer,
	reflect.TypeFor[Revocation]():             &revocationAnswer,
}

var (
	discrepancyAnswer = format.DiscrepancyAnswer(
		func(d rows.Discrepancy) format.Discrepancy[rows.DiscrepancyStatus] {
			return format.Discrepancy[rows.DiscrepancyStatus](d)
		},
		func(s format.Discrepancy[rows.DiscrepancyStatus]) rows.Discrepancy { return rows.Discrepancy(s) })
	reconciliationAnswer = format.ReconciliationAnswer(
		func(d rows.Reconciliation) format.Reconciliation[rows.ReconciliationStatus] {
			return format.Reconciliation[rows.ReconciliationStatus](d)
		},
		func(s format.Reconciliation[rows.ReconciliationStatus]) rows.Reconciliation {
			return rows.Reconciliation(s)
		})
	revocationAnswer = format.RevocationAnswer(
		func(r Revocation) format.Revocation { return format.Revocation(r) },
		func(s format.Revocation) Revocation { return Revocation(s) })
)

// answerOf is the format of answers of type R, nil if they have none.
func answerOf[R any]() *format.Doc[R] {
	f, _ := answers[reflect.TypeFor[R]()].(*format.Doc[R])
	return f
}
