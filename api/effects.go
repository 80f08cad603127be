package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

func (s *server) mountEffects() {
	add(s, listEffects, s.listEffects)
	add(s, retryEffect, s.retryEffect)
}

// effectView is a call to the outside that did not succeed.
type effectView struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" example:"close_payment"`
	PaymentNo string    `json:"paymentNo,omitempty"`
	Attempts  int       `json:"attempts"`
	LastError string    `json:"lastError"`
	CreatedAt time.Time `json:"createdAt"`
	ParkedAt  time.Time `json:"parkedAt"`
}

func viewEffect(e app.ParkedEffect) effectView {
	return effectView{e.ID, e.Kind, e.Payment, e.Attempts, e.LastError, at(e.CreatedAt), at(e.ParkedAt)}
}

var listEffects = op{
	call: "GET /v1/effects", id: "listEffects", tag: "Operations", summary: "Calls to the outside that used up their tries, newest first",
	answer: `{"items":[{"id":"17","kind":"close_payment","paymentNo":"22026060104001012300000000025","attempts":12,"lastError":"outcome at the channel is unknown","createdAt":"2026-06-01T04:15:00Z","parkedAt":"2026-06-01T06:00:00Z"}]}`,
}

type listEffectsInput struct {
	PageParams
	State string `query:"state" enum:"parked" default:"parked"`
}

func (s *server) listEffects(ctx context.Context, in *listEffectsInput) (*answer[list[effectView]], error) {
	return listOf(viewEffect)(s.Effects.Parked(ctx, caller(ctx).Shop, in.page()))
}

var retryEffect = op{
	call: "POST /v1/effects/{id}/retry", id: "retryEffect", tag: "Operations", summary: "Give a parked effect its tries again", status: 204,
	codes: []fault.Code{fault.NotFound},
}

type retryEffectInput struct {
	IDPath
	KeyAccepted
}

func (s *server) retryEffect(ctx context.Context, in *retryEffectInput) (*struct{}, error) {
	return nil, s.Effects.Retry(ctx, caller(ctx).Shop, in.ID)
}
