// Package web is the portal's public face: landing page, a page per error code, status and security.txt. It works without
// JavaScript; every page exists in Dutch and English and passes under a Content-Security-Policy without exceptions.
package web

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"noorderhub.nl/hub/services/portal/internal/fouten"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/stijl.css
var stylesheet []byte

// Options are what New needs. All but Status are required.
type Options struct {
	Hub      string // outside URL of the hub, no trailing slash
	Fouten   *fouten.Catalogue
	Status   func(context.Context) map[string]bool // part → ready; nil: no part but the portal is known
	Security []byte                                // text of security.txt
	Logger   *slog.Logger
	Now      func() time.Time
}

type site struct {
	Options
	board board
	pages map[string]*template.Template // file name → layout with that page
}

// New gives the handler of all pages.
func New(o Options) (http.Handler, error) {
	s := &site{Options: o, pages: map[string]*template.Template{}}
	for _, name := range []string{"landing", "fouten", "fout", "status", "nietgevonden"} {
		page, err := template.ParseFS(templates, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, err
		}
		s.pages[name] = page.Option("missingkey=error")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.landing)
	mux.HandleFunc("GET /portaal", s.landing)
	mux.HandleFunc("GET /portaal/{$}", s.landing)
	mux.HandleFunc("GET /portaal/stijl.css", s.style)
	mux.HandleFunc("GET /portaal/fouten", s.list)
	mux.HandleFunc("GET /portaal/fouten/{$}", s.list)
	mux.HandleFunc("GET /portaal/fouten/{code}", s.fout)
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("GET /.well-known/security.txt", s.security)
	mux.HandleFunc("GET /", s.notFound)
	return headers(mux), nil
}

// headers are those of standards WEB-02 and WEB-03. form-action and base-uri do not fall back to default-src.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// view is what every template gets.
type view struct {
	T     words  // fixed texts in the language of the page
	Lang  string // of the page
	Other string // the language one can switch to
	Path  string // of this page
	Query string // "?taal=…" when the reader chose a language, to keep it in links
	Hub   string
	Data  any
}

func (s *site) render(w http.ResponseWriter, r *http.Request, status int, name string, path string, data any) {
	lang, query := language(r)
	v := view{T: texts[lang], Lang: lang, Other: other(lang), Path: path, Query: query, Hub: s.Hub, Data: data}
	var page bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&page, "layout", v); err != nil {
		s.Logger.ErrorContext(r.Context(), "page not rendered", "page", name, "error", err)
		http.Error(w, "500", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Vary", "Accept-Language")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(page.Bytes())
	}
}

func (s *site) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(stylesheet)
}

func (s *site) security(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(s.Security)
}

func (s *site) landing(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "landing", "/portaal/", nil)
}

func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusNotFound, "nietgevonden", "/portaal/", nil)
}
