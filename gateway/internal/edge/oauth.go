package edge

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
)

// oauthError is the body of a refusal at the authorization server's endpoints (RFC 6749 §5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri"`
}

// refuseOAuth writes what the gateway itself refuses at these endpoints, so that OAuth libraries understand it.
func (e *Edge) refuseOAuth(w http.ResponseWriter, r *http.Request, err error) {
	refusal := errs.As(err)
	name := "invalid_request"
	switch refusal.Code.Kind {
	case errs.Unavailable, errs.Timeout, errs.TooMany:
		name = "temporarily_unavailable"
	case errs.Internal, errs.BadGateway:
		name = "server_error"
	}
	body, _ := json.Marshal(oauthError{ // strings only: cannot fail
		Error: name, Description: refusal.Detail + ". " + refusal.Code.Next, URI: e.problems.Page(refusal.Code),
	})
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Pragma", "no-cache")
	if refusal.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(refusal.RetryAfter.Seconds()))))
	}
	w.WriteHeader(problem.StatusOf(refusal.Code.Kind))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
