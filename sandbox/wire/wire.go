// Package wire is what the two protocols have in common on the wire: their
// surroundings, the checks of addresses, and the faults of answers.
package wire

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/trade"
)

// MaxBody is the size in bytes of the largest request that is read.
const MaxBody = 64 << 10

// Env is what a protocol is given to work with.
type Env struct {
	Book   *trade.Book
	Random *random.Source
	Log    *slog.Logger
	// Life ends when the gateway is closed.
	Life context.Context
	// PublicURL is the base of the phone pages; "" takes the request's own.
	PublicURL   string
	StrictHTTPS bool // demand https of notify_url
	// APITime is the time that requests' timestamps are compared with and that
	// answers carry, CallbackTime the one that callbacks carry.
	APITime, CallbackTime func() time.Time
	RefundDelay           time.Duration
	EarlyBills            bool // a day's bill is ready at once
}

// Base is the URL of the gateway's root as the buyer's browser reaches it.
// marker is the part of the path at which the gateway's own paths begin, as in
// "/v3/".
func (e *Env) Base(r *http.Request, marker string) string {
	if e.PublicURL != "" {
		return e.PublicURL
	}
	return RequestBase(r, marker)
}

// RequestBase is Base as it follows from the request alone: for what the
// program that sent it fetches afterwards.
func RequestBase(r *http.Request, marker string) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	return scheme + "://" + r.Host + path[:max(0, strings.LastIndex(path, marker))]
}

// NotifyURLIssue is what is wrong with a notify_url; "" when nothing is.
func NotifyURLIssue(s string, strictHTTPS bool) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return "must be an absolute URL"
	case strictHTTPS && u.Scheme != "https":
		return "must begin with https://"
	case u.Scheme != "https" && u.Scheme != "http":
		return "must begin with https:// or http://"
	case strings.ContainsAny(s, "?#"):
		return "must not have a query"
	}
	return ""
}

// SafeReturn says whether a browser may be sent there. Any shop's address
// will do, as for the real gateways, but nothing that runs a script.
func SafeReturn(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.ContainsAny(s, "\r\n;, ")
}

// Yuan writes fen as yuan with two decimals.
func Yuan(fen int64) string {
	if fen < 0 {
		return "-" + Yuan(-fen)
	}
	return fmt.Sprintf("%d.%02d", fen/100, fen%100)
}

// Clip cuts s to at most n bytes, between characters.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// SortedNames are the keys of a map, in order.
func SortedNames[K ~string, V any](m map[K]V) []K {
	names := make([]K, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// SeeOther redirects by a relative URL. http.Redirect would make it absolute
// and lose the prefix under which the gateway is mounted.
func SeeOther(rw http.ResponseWriter, to string) {
	rw.Header().Set("Location", to)
	rw.WriteHeader(http.StatusSeeOther)
}
