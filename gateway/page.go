package gateway

import (
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static
var static embed.FS

//go:embed index.html
var landingPage string

var landingWords = template.Must(template.New("landing").Parse(landingPage))

// landing serves the page that says what this is, with commands that reach this gateway by the name it was asked by.
func landing(behindProxy bool) http.Handler {
	files := http.FileServerFS(static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=300")
		if r.URL.Path != "/" {
			if info, err := fs.Stat(static, strings.TrimPrefix(r.URL.Path, "/")); err != nil || info.IsDir() {
				http.NotFound(w, r)
				return
			}
			files.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = landingWords.Execute(w, struct { // a client that went away needs no page
			Host string
			TLS  bool
		}{r.Host, r.TLS != nil || behindProxy})
	})
}

// secured sets the headers that keep browsers from doing more with an answer than it is meant for. gRPC's own
// clients heed none of them and are spared the bytes.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if contentType := r.Header.Get("Content-Type"); r.ProtoMajor < 2 || !strings.HasPrefix(contentType, "application/grpc") {
			header := w.Header()
			header.Set("Content-Security-Policy",
				"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			header.Set("X-Content-Type-Options", "nosniff")
			header.Set("Referrer-Policy", "no-referrer")
			header.Set("Cross-Origin-Resource-Policy", "same-origin")
			if r.Method == http.MethodPost {
				header.Set("Cache-Control", "no-store")
			}
			if r.TLS != nil {
				header.Set("Strict-Transport-Security", "max-age=31536000")
			}
		}
		next.ServeHTTP(w, r)
	})
}
