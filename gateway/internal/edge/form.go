package edge

import (
	"net/http"
	"net/url"
	"strings"

	"noorderhub.nl/hub/libs/errs"
)

var (
	codeHeader = &errs.Code{
		ID: "header-invalid", Kind: errs.Invalid, Side: errs.SideClient, Title: "The request headers are not acceptable",
		Next: "Send ASCII header fields, each of the identifying ones once, and no more than the limit in detail.",
	}
	codeUpgrade = &errs.Code{
		ID: "upgrade-not-supported", Kind: errs.Invalid, Side: errs.SideClient, Title: "Changing the protocol is not supported",
		Next: "Send the request without Upgrade; for events, use server-sent events or polling.",
	}
	codeBody = &errs.Code{
		ID: "body-not-expected", Kind: errs.Invalid, Side: errs.SideClient, Title: "This method takes no body",
		Next: "Send the request without a body.",
	}
	codeCredential = &errs.Code{
		ID: "credential-in-url", Kind: errs.Invalid, Side: errs.SideClient, Title: "A credential stands in the URL",
		Next: "Send tokens in the Authorization header only, and ask for a new one: a URL is known to every log on its way.",
	}
)

const maxFields = 100 // header fields of one request

// credentials are parameters that belong in a header or in the body of a token request, never in a URL.
var credentials = []string{"access_token", "refresh_token", "id_token", "client_assertion", "client_secret"}

// checkForm refuses requests that two programs could read differently, before anything is decided about them.
func checkForm(r *http.Request) error {
	if r.Host == "" || strings.ContainsAny(r.Host, "/@?#, ") {
		return codeHeader.New("the Host header is missing or malformed")
	}
	if err := checkFields(r.Header); err != nil {
		return err
	}
	if r.Header["Upgrade"] != nil {
		return codeUpgrade.New("the request asks for another protocol")
	}
	switch r.Method {
	case http.MethodConnect, http.MethodTrace:
		return errs.CodeMethod.New("this method is not served")
	case http.MethodGet, http.MethodHead:
		if r.ContentLength != 0 {
			return codeBody.New("GET and HEAD take no body")
		}
	}
	return checkQuery(r.URL.RawQuery)
}

func checkFields(h http.Header) error {
	count := 0
	for name, values := range h {
		count += len(values)
		for _, v := range values {
			if !ascii(v) {
				return codeHeader.New("a header value has characters outside ASCII")
			}
		}
		if len(values) > 1 && single(name) {
			return codeHeader.New("the header %s stands more than once", name)
		}
	}
	if count > maxFields {
		return codeHeader.New("the request has more than %d header fields", maxFields)
	}
	return nil
}

// single are fields that identify or frame: a second one means that somebody on the way may read another.
func single(name string) bool {
	switch name {
	case "Authorization", "Content-Type", "Content-Length", "Dpop", "Traceparent", "Range", "Origin":
		return true
	}
	return false
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\t' {
			return false
		}
	}
	return true
}

// checkQuery finds credentials by name, also when the name is percent-encoded. A query that does not parse is the
// service's to refuse: the gateway takes nothing from it.
func checkQuery(raw string) error {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, _, _ := strings.Cut(pair, "=")
		if strings.Contains(name, "%") || strings.Contains(name, "+") {
			if plain, err := url.QueryUnescape(name); err == nil {
				name = plain
			}
		}
		for _, c := range credentials {
			if strings.EqualFold(name, c) {
				return codeCredential.New("the query has the parameter %s", c)
			}
		}
	}
	return nil
}
