package web

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"noorderhub.nl/hub/services/portal/internal/fouten"
)

func (s *site) list(w http.ResponseWriter, r *http.Request) {
	lang, _ := language(r)
	s.render(w, r, http.StatusOK, "fouten", "/portaal/fouten/", s.Fouten.Pages(lang))
}

// errorPage is the data of a page about one code.
type errorPage struct {
	fouten.Page
	Who     string // who can mend it, in words
	Example string // a refusal with this code
}

func (s *site) fout(w http.ResponseWriter, r *http.Request) {
	lang, _ := language(r)
	page, ok := s.Fouten.Page(lang, r.PathValue("code"))
	if !ok {
		s.notFound(w, r)
		return
	}
	path := "/portaal/fouten/" + page.Code
	// The fields of a refusal that do not differ from one occurrence to the next.
	example, err := json.MarshalIndent(struct {
		Type  string `json:"type"`
		Code  string `json:"code"`
		Side  string `json:"side"`
		Trace string `json:"traceId"`
	}{s.Hub + path, page.Code, page.Side, "4bf92f3577b34da6a3ce929d0e0e4736"}, "", "  ")
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "example not written", "code", page.Code, "error", err)
	}
	s.render(w, r, http.StatusOK, "fout", path, errorPage{page, texts[lang]["side-"+page.Side], string(example)})
}

func (s *site) status(w http.ResponseWriter, r *http.Request) {
	data := s.board.read(r.Context(), s.Now(), s.Status)
	if !wantsJSON(r) {
		s.render(w, r, http.StatusOK, "status", "/status", data)
		return
	}
	body, err := json.Marshal(data)
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "status not written", "error", err)
		http.Error(w, "500", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Vary", "Accept")
	_, _ = w.Write(body)
}

// wantsJSON tells whether a client names JSON and not HTML, as scripts do and browsers do not.
func wantsJSON(r *http.Request) bool {
	json, html := false, false
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		media, _, _ := mime.ParseMediaType(part)
		json = json || media == "application/json"
		html = html || media == "text/html"
	}
	return json && !html
}
