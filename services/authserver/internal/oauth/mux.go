package oauth

import (
	"net/http"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
)

// Mux routes the endpoints. Whatever no endpoint takes is a problem document: 404, or 405 with Allow.
type Mux struct {
	mux      *http.ServeMux
	problems problem.Writer
}

// NewMux makes a mux without endpoints.
func NewMux(problems problem.Writer) Mux {
	m := Mux{mux: http.NewServeMux(), problems: problems}
	m.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problems.Write(w, r, errs.CodeNotFound.New("the authorization server has nothing at this path"))
	})
	return m
}

// Handle registers the handler of one method; GET takes HEAD with it.
func (m Mux) Handle(method, path string, h http.Handler) {
	m.mux.Handle(method+" "+path, h)
	allow := method
	if method == http.MethodGet {
		allow = "GET, HEAD"
	}
	m.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		m.problems.Write(w, r, errs.CodeMethod.New("this endpoint takes %s", allow))
	})
}

// ServeHTTP serves the endpoints.
func (m Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }
