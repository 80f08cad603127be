package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

// firstKey makes sure that there is a secret key: the one given, or else, except
// in production, one that is made and printed once. With the sandbox, that one
// is kept beside the data for the developer.
func (sv *server) firstKey(ctx context.Context) error {
	if sv.cfg.APIKey != "" {
		return sv.givenKey(ctx, sv.cfg.APIKey)
	}
	keys, err := sv.db.ListKeys(ctx, shop.Default)
	if err != nil {
		return err
	}
	file := filepath.Join(sv.cfg.Data, "api.key")
	switch {
	case len(keys) > 0:
		if text, err := os.ReadFile(file); err == nil && !sv.cfg.NoSandbox {
			if _, err := sv.auth.Authenticate(ctx, strings.TrimSpace(string(text))); err == nil {
				sv.keyFile = file
			}
		}
		return nil
	case sv.cfg.Production:
		sv.log.Warn("the shop has no secret key: make one with tandem keys add", "shop", shop.Default)
		return nil
	}
	secret := app.SecretPrefix + strings.ToLower(rand.Text())
	if !sv.cfg.NoSandbox {
		if secret, err = keepFile(file, secret); err != nil {
			return err
		}
	}
	if _, _, err := sv.app.AddKey(ctx, shop.Default, "first key", secret); err != nil {
		return err
	}
	sv.key = secret
	return nil
}

// givenKey makes the secret key of TANDEM_API_KEY the shop's, unless it was
// revoked: then the server goes on without it, as its other keys still work.
func (sv *server) givenKey(ctx context.Context, secret string) error {
	if _, err := sv.auth.Authenticate(ctx, secret); err == nil {
		return nil
	}
	_, _, err := sv.app.AddKey(ctx, shop.Default, "first key", secret)
	var f *fault.Error
	if errors.As(err, &f) && f.Code == fault.Conflict {
		sv.log.Warn("the key in TANDEM_API_KEY (--api-key) is not used", "reason", f.Message)
		return nil
	}
	return err
}
