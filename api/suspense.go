package api

import (
	"context"
	"slices"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/money"
)

func (s *server) mountSuspense() { rest.Add(s.rest, getSuspense, s.getSuspense) }

// suspenseView is the suspense account of a shop.
type suspenseView struct {
	Items  []app.SuspenseRow `json:"items" doc:"By channel and currency; empty when there is none"`
	Totals []suspenseTotal   `json:"totals" doc:"By currency"`
}

type suspenseTotal struct {
	Currency string `json:"currency" example:"CNY"`
	Amount   int64  `json:"amount" doc:"Minor units"`
	Payments int64  `json:"payments"`
}

var getSuspense = rest.Operation{
	Route: "GET /v1/suspense", ID: "getSuspense", Tag: "Reconciliation", Summary: "Money that arrived and belongs to no order yet (挂账)",
	Details: "Received money that is neither applied to an order nor refunded. Late and double payments are here until their refund has gone through; " +
		"what stays for long needs a person: check the parked refunds.",
	Response: `{"items":[{"channel":"wechatpay","currency":"CNY","amount":8888,"payments":1}],"totals":[{"currency":"CNY","amount":8888,"payments":1}]}`,
}

func (s *server) getSuspense(ctx context.Context, _ *struct{}) (*rest.Answer[suspenseView], error) {
	rows, err := s.app.Store.Suspense(ctx, caller(ctx).Shop)
	if err != nil {
		return nil, err
	}
	v := suspenseView{Items: rest.OrEmpty(rows), Totals: []suspenseTotal{}}
	for _, r := range rows {
		i := slices.IndexFunc(v.Totals, func(t suspenseTotal) bool { return t.Currency == r.Currency })
		if i < 0 {
			i = len(v.Totals)
			v.Totals = append(v.Totals, suspenseTotal{Currency: r.Currency})
		}
		t := &v.Totals[i]
		if t.Amount, err = money.Add(t.Amount, r.Amount); err != nil {
			return nil, err
		}
		t.Payments += r.Payments
	}
	return &rest.Answer[suspenseView]{Body: v}, nil
}
