package api

import (
	"context"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/fault"
)

// access says who may call an operation.
type access int

const (
	bySecret access = iota // the shop, with a secret key
	byOrder                // also a browser, with the client token of the order
	byAnyone
)

// admit refuses requests that must not reach their operation: with text that
// no store could take, with a body that is not JSON, or by someone who may
// not ask.
func (s *server) admit(ctx context.Context, c *call, o *op) error {
	if err := cleanURL(c.r.URL); err != nil {
		return err
	}
	if o.who != byAnyone {
		token, ok := bearer(c.r.Header.Get("Authorization"))
		if !ok {
			return fault.New(fault.Unauthorized, "send Authorization: Bearer with a secret key (sk_…) or a client token (ct_…)")
		}
		id, err := s.Auth.Authenticate(ctx, token)
		if err != nil {
			return err
		}
		c.Identity = id
		if o.who == bySecret && !id.Secret() {
			return fault.New(fault.Forbidden, "this takes a secret key; a client token reads, pays and cancels its one order")
		}
	}
	if o.takesJSON {
		return c.wantJSON()
	}
	return nil
}

func bearer(header string) (token string, ok bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, ok && token != "" && strings.EqualFold(scheme, "Bearer")
}

// wantJSON refuses a body that says of itself that it is not JSON. One that
// says nothing is taken for JSON.
func (c *call) wantJSON() error {
	ct := c.r.Header.Get("Content-Type")
	if ct == "" || ct == "application/json" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(ct)
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return fault.New(unsupportedMediaType, "the content type is %q; send application/json", ct)
	}
	c.r.Header.Set("Content-Type", "application/json") // in the spelling that huma knows
	return nil
}

// cleanURL refuses a path or query with text that is not UTF-8 or holds
// U+0000: databases do not take it.
func cleanURL(u *url.URL) error {
	if !strings.ContainsRune(u.RawQuery, '%') && u.RawPath == "" && cleanText(u.Path) && cleanText(u.RawQuery) {
		return nil
	}
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		return fault.New(fault.ValidationFailed, "the query is not well encoded")
	}
	if !cleanText(u.Path) || !cleanText(query) {
		return fault.New(fault.ValidationFailed, "path and query must be UTF-8 without U+0000")
	}
	return nil
}

func cleanText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
