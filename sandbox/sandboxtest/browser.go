package sandboxtest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"regexp"
	"testing"
)

// Browse is a browser: it follows redirects, relative ones too. The handler is
// served at the URL.
func Browse(t *testing.T, h http.Handler) (c *http.Client, url string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar}, server.URL
}

// Page is what a browser got in the end.
type Page struct {
	URL, Text string
	Status    int
	Header    http.Header
}

// Get sends a request as a browser does.
func Get(t *testing.T, c *http.Client, method, url string, header ...string) Page {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body) // what came of it is judged
	return Page{res.Request.URL.String(), string(text), res.StatusCode, res.Header}
}

var viewShape = regexp.MustCompile(`data-view="(\w+)"`)

// View names what the phone page shows.
func (p Page) View() string {
	if m := viewShape.FindStringSubmatch(p.Text); m != nil {
		return m[1]
	}
	return p.Text
}
