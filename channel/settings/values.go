package settings

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// PEM is a key as it was pasted: one that went through an environment variable or
// a JSON text twice has the two characters \n for its line ends.
func PEM(text string) string {
	return strings.NewReplacer(`\r\n`, "\n", `\n`, "\n").Replace(text)
}

// Encrypted says whether a channel may be reached at the URL: by https, or by http
// in the own network, where a gateway is one to develop against.
func Encrypted(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	if !strings.Contains(host, ".") {
		return true
	}
	// Names that no public host can have.
	return slices.ContainsFunc([]string{".localhost", ".internal", ".local", ".test", ".invalid"}, func(end string) bool {
		return strings.HasSuffix(host, end)
	})
}
