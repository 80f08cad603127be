package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

func (s *server) mountKeys() {
	add(s, makeKey, s.makeKey)
	add(s, listKeys, s.listKeys)
	add(s, revokeKey, s.revokeKey)
}

// keyView is a secret key as its shop sees it.
type keyView struct {
	ID        string     `json:"id" example:"key_b3kq5zq2x7m4c6ta"`
	Label     string     `json:"label,omitempty"`
	CreatedAt time.Time  `json:"createdAt"`
	RevokedAt *time.Time `json:"revokedAt,omitempty"`
	Secret    string     `json:"secret,omitempty" example:"sk_…" doc:"Only when it has just been made: this is the one time that it can be seen"`
}

func viewKey(k shop.Key) keyView {
	return keyView{ID: k.ID, Label: k.Label, CreatedAt: at(k.CreatedAt), RevokedAt: atOrNil(k.RevokedAt)}
}

var makeKey = op{
	call: "POST /v1/keys", id: "makeKey", tag: "Operations", summary: "Make a secret key", status: 201,
	about: "A repeat makes another key, whatever its Idempotency-Key: a secret is not kept to be told again.",
	body:  `{"label":"warehouse"}`, answer: `{"id":"key_b3kq5zq2x7m4c6ta","label":"warehouse","createdAt":"2026-06-01T03:00:00Z","secret":"sk_…"}`,
}

type makeKeyInput struct {
	KeyAccepted
	Body struct {
		Label string `json:"label,omitempty" maxLength:"128"`
	} `nameHint:"KeyRequest"`
}

func (s *server) makeKey(ctx context.Context, in *makeKeyInput) (*answer[keyView], error) {
	k, secret, err := s.app.AddKey(ctx, caller(ctx).Shop, in.Body.Label, "")
	if err != nil {
		return nil, err
	}
	v := viewKey(k)
	v.Secret = secret
	return &answer[keyView]{v}, nil
}

var listKeys = op{
	call: "GET /v1/keys", id: "listKeys", tag: "Operations", summary: "The shop's secret keys, without their secrets",
	answer: `{"items":[{"id":"key_b3kq5zq2x7m4c6ta","label":"warehouse","createdAt":"2026-06-01T03:00:00Z"}]}`,
}

func (s *server) listKeys(ctx context.Context, _ *struct{}) (*answer[list[keyView]], error) {
	keys, err := s.app.Store.ListKeys(ctx, caller(ctx).Shop)
	return listOf(viewKey)(keys, "", err)
}

var revokeKey = op{
	call: "DELETE /v1/keys/{id}", id: "revokeKey", tag: "Operations", summary: "End a secret key", status: 204,
	about: "Every instance refuses it within five seconds.", codes: []fault.Code{fault.NotFound},
}

type revokeKeyInput struct{ IDPath }

func (s *server) revokeKey(ctx context.Context, in *revokeKeyInput) (*struct{}, error) {
	return nil, s.app.RevokeKey(ctx, caller(ctx).Shop, in.ID)
}
