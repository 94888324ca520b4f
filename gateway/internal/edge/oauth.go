package edge

import (
	"net/http"

	"noorderhub.nl/hub/libs/errs"
)

// refuseOAuth writes what the gateway itself refuses at these endpoints, so that OAuth libraries understand it.
func (e *Edge) refuseOAuth(w http.ResponseWriter, r *http.Request, err error) {
	name := "invalid_request"
	switch errs.KindOf(err) {
	case errs.Unavailable, errs.Timeout, errs.TooMany:
		name = "temporarily_unavailable"
	case errs.Internal, errs.BadGateway:
		name = "server_error"
	}
	e.problems.WriteOAuth(w, r, name, err)
}
