package checkout

import (
	"crypto/rand"
	"net/http"
	"strings"
)

const (
	cookieName  = "tandem_demo_visitor"
	buyerPrefix = "demo-"
	buyerLength = 26 // of crypto/rand.Text
)

// buyer is the demo's user for a browser: a random one, kept in a cookie
// that scripts cannot read. A user id that a page sends is ignored.
func buyer(rw http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(cookieName); err == nil && isBuyer(c.Value) {
		return buyerPrefix + c.Value
	}
	id := rand.Text()
	//nolint:gosec // Secure over TLS; a demo on plain HTTP needs its cookie too.
	http.SetCookie(rw, &http.Cookie{
		Name: cookieName, Value: id, Path: "/", MaxAge: 30 * 24 * 3600,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
	return buyerPrefix + id
}

func isBuyer(s string) bool {
	return len(s) == buyerLength && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
