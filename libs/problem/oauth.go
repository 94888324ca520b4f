package problem

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/errs"
)

// oauthError is the error answer of RFC 6749 §5.2. From code on the members are the hub's own, which clients may ignore.
type oauthError struct {
	Error       string    `json:"error"`
	Description string    `json:"error_description"`
	URI         string    `json:"error_uri"`
	Code        string    `json:"code"`
	Rule        string    `json:"rule"`
	Side        errs.Side `json:"side"`
	NextStep    string    `json:"nextStep"`
	TraceID     string    `json:"traceId,omitempty"`
}

// WriteOAuth answers r at an OAuth endpoint, where libraries expect the shape of RFC 6749 §5.2. name is the error that
// OAuth calls it, e.g. invalid_target. It sets Retry-After where the error knows it.
func (w Writer) WriteOAuth(rw http.ResponseWriter, r *http.Request, name string, err error) {
	d := w.Details(r, err)
	body, _ := json.Marshal(oauthError{ // strings only: cannot fail
		Error: name, Description: printable(d.Detail + ". " + d.NextStep), URI: d.Type,
		Code: d.Code, Rule: d.Rule, Side: d.Side, NextStep: d.NextStep, TraceID: d.TraceID,
	})
	h := rw.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	if after := errs.As(err).RetryAfter; after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	}
	rw.WriteHeader(d.Status)
	if r.Method != http.MethodHead {
		_, _ = rw.Write(body)
	}
}

// printable keeps to the characters that RFC 6749 §5.2 allows in error_description: printable ASCII without the double
// quote and the backslash. What falls outside becomes an apostrophe or a question mark.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\\' || r < ' ' || r > '~':
			return '?'
		}
		return r
	}, s)
}
