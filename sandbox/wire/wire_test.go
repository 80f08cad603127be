package wire

import (
	"net/http/httptest"
	"testing"
)

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		url                  string
		notify, strict, safe bool
	}{
		{"https://shop.test/n", true, true, true},
		{"http://shop.test/n", true, false, true},
		{"https://shop.test/n?a=b", false, false, true},
		{"https://shop.test/n#a", false, false, true},
		{"ftp://shop.test/n", false, false, false},
		{"javascript:alert(1)", false, false, false},
		{"//shop.test/n", false, false, false},
		{"/n", false, false, false},
		{"https://shop.test/\r\nX: 1", false, false, false},
		{"https://shop.test/a,b", true, true, false},
		{"", false, false, false},
	} {
		notify, strict, safe := NotifyURLIssue(c.url, false) == "", NotifyURLIssue(c.url, true) == "", SafeReturn(c.url)
		if notify != c.notify || strict != c.strict || safe != c.safe {
			t.Errorf("%q: notify %t, strict %t, safe %t", c.url, notify, strict, safe)
		}
	}
}

func TestTexts(t *testing.T) {
	for fen, want := range map[int64]string{0: "0.00", 1: "0.01", 888: "8.88", -1: "-0.01", -12345: "-123.45"} {
		if got := Yuan(fen); got != want {
			t.Errorf("%d fen: %s, want %s", fen, got, want)
		}
	}
	for n, want := range map[int]string{0: "", 1: "a", 2: "a", 3: "a", 4: "a茶", 5: "a茶b", 9: "a茶b"} {
		if got := Clip("a茶b", n); got != want {
			t.Errorf("%d bytes: %q, want %q", n, got, want)
		}
	}
}

func TestRequestBase(t *testing.T) {
	for uri, want := range map[string]string{
		"/v3/x?y=/v3/": "http://shop.test", "/gw/v3/x": "http://shop.test/gw", "/other": "http://shop.test",
	} {
		r := httptest.NewRequest("GET", "http://shop.test"+uri, nil)
		r.RequestURI = uri
		if got := RequestBase(r, "/v3/"); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
}
