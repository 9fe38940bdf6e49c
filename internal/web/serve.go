package web

import (
	"mime"
	"net/http"
	"path"
)

// policy keeps the page to itself, but for relays. 'wasm-unsafe-eval' allows WebAssembly, and no evaluation of text.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; " +
	"img-src data:; connect-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP serves the page.
func (f Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	if r.URL.Path == "/" {
		name = "index.html"
	}
	text, ok := f[name]
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "GET and HEAD only", http.StatusMethodNotAllowed)
		return
	case !ok || path.Dir(r.URL.Path) != "/":
		http.NotFound(w, r)
		return
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if name == programFile {
		kind = "application/octet-stream" // the page unzips it itself, so that any server will do
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(text)
}
