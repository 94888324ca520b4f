package token

import (
	"context"
	"net/http"
	"strings"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
)

// Caller is who calls, as a verified token states it. It embeds the claims.
type Caller struct {
	*Claims
}

type callerKey struct{}

// WithCaller puts the caller into ctx.
func WithCaller(ctx context.Context, claims *Claims) context.Context {
	return context.WithValue(ctx, callerKey{}, Caller{claims})
}

// CallerFrom gives the caller that Require or WithCaller put into ctx; ok is false when there is none.
func CallerFrom(ctx context.Context) (caller Caller, ok bool) {
	caller, ok = ctx.Value(callerKey{}).(Caller)
	return caller, ok
}

// FromRequest takes the token from the Authorization header (RFC 6750 §2.1). A token in the query is refused (standards
// OA-RS-01), and so are two Authorization headers; "" with no error means that the request carries none.
func FromRequest(r *http.Request) (string, error) {
	// The query is searched as text: parsing it on every call costs more than this refusal is worth.
	if strings.Contains(r.URL.RawQuery, "access_token=") && r.URL.Query().Has("access_token") {
		return "", codePlacement.New("an access token stands in the query of the URL; it is now known to every log on its way: do not use it again")
	}
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", codePlacement.New("the request has more than one Authorization header")
	}
	scheme, raw, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || raw == "" {
		return "", codePlacement.New("the Authorization header is not of the scheme Bearer")
	}
	return raw, nil
}

// Challenge is the WWW-Authenticate header that goes with a refusal of this package (RFC 6750 §3): without an error code
// when the request carried no token at all.
func Challenge(err error) string {
	e := errs.As(err)
	if e.Code == codeMissing {
		return `Bearer realm="noorderhub"`
	}
	// The value is a quoted string of a fixed title; details go into the body.
	return `Bearer realm="noorderhub", error="invalid_token", error_description="` + e.Code.Title + `"`
}

// Require lets only requests with a token for audience through and puts their Caller into the context. It is for services
// behind the gateway; the gateway itself has the same steps in its chain.
func Require(v *Verifier, audience string, problems problem.Writer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, err := FromRequest(r)
			var claims *Claims
			if err == nil {
				claims, err = v.Verify(raw, audience)
			}
			if err != nil {
				w.Header().Set("WWW-Authenticate", Challenge(err))
				problems.Write(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), claims)))
		})
	}
}
