package edge

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/errs"
)

// oauthError is the body of a refusal at the authorization server's endpoints (RFC 6749 §5.2), in the shape of that
// server's own.
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

// refuseOAuth writes what the gateway itself refuses at these endpoints, so that OAuth libraries understand it.
func (e *Edge) refuseOAuth(w http.ResponseWriter, r *http.Request, err error) {
	refusal, details := errs.As(err), e.problems.Details(r, err)
	name := "invalid_request"
	switch refusal.Code.Kind {
	case errs.Unavailable, errs.Timeout, errs.TooMany:
		name = "temporarily_unavailable"
	case errs.Internal, errs.BadGateway:
		name = "server_error"
	}
	body, _ := json.Marshal(oauthError{ // strings only: cannot fail
		Error: name, Description: printable(details.Detail + ". " + details.NextStep), URI: details.Type,
		Code: details.Code, Rule: details.Rule, Side: details.Side, NextStep: details.NextStep, TraceID: details.TraceID,
	})
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Pragma", "no-cache")
	if refusal.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(refusal.RetryAfter.Seconds()))))
	}
	w.WriteHeader(details.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
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
