package checkout

import (
	"crypto/rand"
	"net/http"
	"strings"
)

const (
	cookieName    = "tandem_demo_visitor"
	visitorPrefix = "demo-"
	visitorLength = 26 // of crypto/rand.Text
)

// visitor is the demo's user for a browser: a random one, kept in a cookie
// that scripts cannot read. Whoever a page says it is does not count.
func visitor(rw http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(cookieName); err == nil && isVisitor(c.Value) {
		return visitorPrefix + c.Value
	}
	id := rand.Text()
	http.SetCookie(rw, &http.Cookie{
		Name: cookieName, Value: id, Path: "/", MaxAge: 30 * 24 * 3600,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
	return visitorPrefix + id
}

func isVisitor(s string) bool {
	return len(s) == visitorLength && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
