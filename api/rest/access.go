package rest

import (
	"context"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/fault"
)

// Access says who may call an operation.
type Access struct {
	// Schemes are the names of the security schemes, any one of which is
	// enough; without one everybody may call.
	Schemes []string
	// Allow refuses callers who are known and may not call. Optional.
	Allow func(caller any) error
	// CrossOrigin lets pages of any origin call: what a token allows, it
	// allows everywhere, and no cookie is read.
	CrossOrigin bool
}

// Anyone is the access to public operations.
var Anyone = &Access{}

// admit refuses requests that must not reach their operation: text that no
// database takes, a caller who may not call, a body that is not JSON.
func (a *API) admit(ctx context.Context, c *Call, o *Operation) error {
	if err := checkURL(c.Request.URL); err != nil {
		return err
	}
	if len(c.Request.Header.Values(idempotencyHeader)) > 1 {
		return fault.Invalidf(idempotencyHeader, "is there twice; send one key")
	}
	if access := a.accessOf(o); len(access.Schemes) > 0 {
		if err := a.Authenticate(ctx, c, c.bearer()); err != nil {
			return err
		}
		if access.Allow != nil {
			if err := access.Allow(c.Caller); err != nil {
				return err
			}
		}
	}
	if o.takesJSON {
		return c.checkContentType()
	}
	return nil
}

func (a *API) accessOf(o *Operation) *Access {
	if o.Access != nil {
		return o.Access
	}
	return a.Access
}

// bearer is the request's bearer token, "" without one.
func (c *Call) bearer() string {
	scheme, token, _ := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// checkContentType refuses a body whose content type is not JSON. Without a
// content type it is taken for JSON.
func (c *Call) checkContentType() error {
	ct := c.Request.Header.Get("Content-Type")
	if ct == "" || ct == "application/json" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(ct)
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return fault.New(UnsupportedMediaType, "the content type is %q; send application/json", ct)
	}
	c.Request.Header.Set("Content-Type", "application/json") // in the spelling that huma knows
	return nil
}

// checkURL refuses a path or query with text that is not UTF-8 or has U+0000:
// databases do not take it.
func checkURL(u *url.URL) error {
	if !strings.ContainsRune(u.RawQuery, '%') && u.RawPath == "" && validText(u.Path) && validText(u.RawQuery) {
		return nil
	}
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		return fault.New(fault.ValidationFailed, "the query is not well encoded")
	}
	if !validText(u.Path) || !validText(query) {
		return fault.New(fault.ValidationFailed, "path and query must be UTF-8 without U+0000")
	}
	return nil
}

func validText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
