package checkout

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed sdk
var sdkFiles embed.FS

//go:embed demo
var demoFiles embed.FS

// SDK serves the browser SDK and its types: /sdk/tandem.js, /sdk/tandem.d.ts.
// Pages of any origin may import it.
func SDK() http.Handler {
	serve := files(sdkFiles, "sdk")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sdk/{file}", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Access-Control-Allow-Origin", "*")
		serve.ServeHTTP(rw, r)
	})
	return mux
}

// types are listed here and not looked up in the system's tables, which
// differ: a module with a wrong type is not run.
var types = map[string]string{
	".js":   "text/javascript; charset=utf-8",
	".ts":   "text/plain; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is an embedded file. Embedded files have no time, so a hash is the
// ETag.
type file struct{ etag, mime, content string }

// files serves the embedded files of a directory by the path value "file".
func files(in embed.FS, dir string) http.Handler {
	all := map[string]file{}
	entries, err := fs.ReadDir(in, dir)
	if err != nil {
		panic(err) // embedded at build time: it cannot be missing
	}
	for _, e := range entries {
		content, err := in.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		all[e.Name()] = file{
			etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`,
			mime: types[path.Ext(e.Name())], content: string(content),
		}
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		name := r.PathValue("file")
		if name == "" {
			name = "index.html"
		}
		f, ok := all[name]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		h := rw.Header()
		h.Set("Content-Type", f.mime)
		h.Set("ETag", f.etag)
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		if strings.Contains(r.Header.Get("If-None-Match"), f.etag) {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = rw.Write([]byte(f.content))
	})
}

var page = files(demoFiles, "demo")

// servePage answers with the demo page, under a policy that lets it load and
// talk to nothing but this server.
func servePage(rw http.ResponseWriter, r *http.Request) {
	h := rw.Header()
	// ws: and wss: stand beside 'self', which older Safaris do not extend to sockets.
	h.Set(
		"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	)
	h.Set("Referrer-Policy", "no-referrer")
	buyer(rw, r)
	page.ServeHTTP(rw, r)
}
