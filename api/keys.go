package api

import (
	"context"
	"time"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

func (s *server) mountKeys() {
	rest.Add(s.rest, makeKey, s.makeKey)
	rest.Add(s.rest, listKeys, s.listKeys)
	rest.Add(s.rest, revokeKey, s.revokeKey)
}

// keyView is a secret key as its shop sees it.
type keyView struct {
	ID        string     `json:"id" example:"key_b3kq5zq2x7m4c6ta"`
	Label     string     `json:"label,omitempty"`
	CreatedAt time.Time  `json:"createdAt"`
	RevokedAt *time.Time `json:"revokedAt,omitempty"`
	Secret    string     `json:"secret,omitempty" example:"sk_…" doc:"Only in the answer that creates the key: it is never shown again"`
}

func viewKey(k shop.Key) keyView {
	return keyView{ID: k.ID, Label: k.Label, CreatedAt: at(k.CreatedAt), RevokedAt: atOrNil(k.RevokedAt)}
}

var makeKey = rest.Operation{
	Route: "POST /v1/keys", ID: "makeKey", Tag: "Operations", Summary: "Make a secret key", Status: 201,
	Details: "A repeat makes another key, whatever its Idempotency-Key: a secret is not stored, so it cannot be shown again.",
	Request: `{"label":"warehouse"}`, Response: `{"id":"key_b3kq5zq2x7m4c6ta","label":"warehouse","createdAt":"2026-06-01T03:00:00Z","secret":"sk_…"}`,
}

type makeKeyInput struct {
	rest.KeyAccepted
	Body struct {
		Label string `json:"label,omitempty" maxLength:"128"`
	} `nameHint:"KeyRequest"`
}

func (s *server) makeKey(ctx context.Context, in *makeKeyInput) (*rest.Answer[keyView], error) {
	k, secret, err := s.app.AddKey(ctx, caller(ctx).Shop, in.Body.Label, "")
	if err != nil {
		return nil, err
	}
	v := viewKey(k)
	v.Secret = secret
	return &rest.Answer[keyView]{Body: v}, nil
}

var listKeys = rest.Operation{
	Route: "GET /v1/keys", ID: "listKeys", Tag: "Operations", Summary: "The shop's secret keys, without their secrets",
	Response: `{"items":[{"id":"key_b3kq5zq2x7m4c6ta","label":"warehouse","createdAt":"2026-06-01T03:00:00Z"}]}`,
}

func (s *server) listKeys(ctx context.Context, _ *struct{}) (*rest.Answer[rest.List[keyView]], error) {
	keys, err := s.app.Store.ListKeys(ctx, caller(ctx).Shop)
	return rest.ListOf(viewKey)(keys, "", err)
}

var revokeKey = rest.Operation{
	Route: "DELETE /v1/keys/{id}", ID: "revokeKey", Tag: "Operations", Summary: "Revoke a secret key", Status: 204,
	Details: "Every instance refuses it within five seconds. The last key of a shop is not revoked: make another first.",
	Codes:   []fault.Code{fault.NotFound, fault.Conflict},
}

type revokeKeyInput struct{ IDPath }

func (s *server) revokeKey(ctx context.Context, in *revokeKeyInput) (*struct{}, error) {
	return nil, s.app.RevokeKey(ctx, caller(ctx).Shop, in.ID)
}
