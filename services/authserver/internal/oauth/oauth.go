// Package oauth holds what all OAuth endpoints share: the error answer of RFC 6749 §5.2 and the addresses of this
// authorization server. Every error has a code of the hub behind it, whose page is the error_uri.
package oauth

import (
	"log/slog"
	"net/http"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
)

// The error names of RFC 6749 §5.2, RFC 8707 §2 and RFC 6749 §4.1.2.1 that this server answers with.
const (
	InvalidRequest         = "invalid_request"
	InvalidClient          = "invalid_client"
	InvalidScope           = "invalid_scope"
	InvalidTarget          = "invalid_target"
	UnsupportedGrantType   = "unsupported_grant_type"
	ServerError            = "server_error"
	TemporarilyUnavailable = "temporarily_unavailable"
)

// Error is a refusal with the name that OAuth gives it.
type Error struct {
	Name  string
	Cause *errs.Error
}

// Refuse joins an OAuth error name and the hub's own refusal.
func Refuse(name string, cause *errs.Error) *Error { return &Error{Name: name, Cause: cause} }

// Error gives the text for logs.
func (e *Error) Error() string { return e.Name + ": " + e.Cause.Error() }

// Unwrap gives the hub's own refusal.
func (e *Error) Unwrap() error { return e.Cause }

// Writer writes error answers and logs them, once each. Nothing of the request but the client id that the caller passes
// reaches the log.
type Writer struct {
	Problems problem.Writer
	Logger   *slog.Logger
}

// Write answers r with e.
func (w Writer) Write(rw http.ResponseWriter, r *http.Request, e *Error, client string) {
	level := slog.LevelInfo
	if problem.StatusOf(e.Cause.Code.Kind) >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	w.Logger.LogAttrs(r.Context(), level, "token refused", slog.String("error", e.Name), slog.String("code", e.Cause.Code.ID),
		slog.String("client", client), slog.String("reason", e.Cause.Error()))

	w.Problems.WriteOAuth(rw, r, e.Name, e.Cause)
}

// Addresses are the outside URLs of this authorization server.
type Addresses struct {
	Hub  string // issuer, without trailing slash
	MTLS string // the same hub on the listener that asks for client certificates; empty when there is none
}

// The paths below the hub's URL.
const (
	PathToken = "/oauth2/token"
	PathJWKS  = "/oauth2/jwks"
)

// Issuer is the issuer identifier: the hub's URL.
func (a Addresses) Issuer() string { return a.Hub }

// Token is the token endpoint.
func (a Addresses) Token() string { return a.Hub + PathToken }

// TokenMTLS is the token endpoint's alias for clients with a certificate (RFC 8705 §5), empty when there is none.
func (a Addresses) TokenMTLS() string {
	if a.MTLS == "" {
		return ""
	}
	return a.MTLS + PathToken
}

// Resource is the resource identifier of a service or an administration API: the audience of its tokens.
func (a Addresses) Resource(slug string) string { return a.Hub + "/" + slug }
