// Package token is the token endpoint (RFC 6749 §3.2): client_credentials for machine clients, under a grant of a contract
// between organisations. fosite has the grammar of OAuth; who the client is, what it gets and how the token looks are
// ours, and nothing on this way touches a database.
package token

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ory/fosite"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/authserver/internal/clients"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/registry/api"
)

const (
	// maxBody bounds a token request in bytes; a real one is below 4 KiB.
	maxBody = 64 << 10
	// maxScope bounds the parameter scope in bytes, which error answers quote.
	maxScope = 4 << 10
)

// Authenticator finds out which client makes a request.
type Authenticator interface {
	Authenticate(ctx context.Context, r *http.Request, form url.Values) (*clients.Authenticated, error)
}

// Signers give the key to sign with under a snapshot.
type Signers interface {
	Signer(s *api.Snapshot) (*token.Signer, error)
}

// Options are what the endpoint needs; all are required.
type Options struct {
	Addresses oauth.Addresses
	Clients   Authenticator
	Keys      Signers
	Life      time.Duration // of an access token, at most 15 min
	Problems  problem.Writer
	Logger    *slog.Logger
	Meter     metric.Meter
	Now       func() time.Time
}

// Endpoint answers token requests.
type Endpoint struct {
	options  Options
	provider fosite.OAuth2Provider
	errors   oauth.Writer
	outcomes metric.Int64Counter
}

// New makes the endpoint.
func New(o Options) (*Endpoint, error) {
	if o.Clients == nil || o.Keys == nil || o.Logger == nil || o.Meter == nil || o.Now == nil || o.Addresses.Hub == "" {
		return nil, errors.New("token endpoint: a dependency is missing")
	}
	if o.Life <= 0 || o.Life > 15*time.Minute {
		return nil, errors.New("token endpoint: an access token lives more than 0 and at most 15 minutes")
	}
	outcomes, err := o.Meter.Int64Counter("authserver.token.requests",
		metric.WithDescription("Token requests by outcome: issued, or the code of the refusal."))
	if err != nil {
		return nil, err
	}
	provider, _ := newProvider(o)
	return &Endpoint{
		options: o, provider: provider, errors: oauth.Writer{Problems: o.Problems, Logger: o.Logger}, outcomes: outcomes,
	}, nil
}

// Mount registers the path.
func (e *Endpoint) Mount(m oauth.Mux) { m.Handle(http.MethodPost, oauth.PathToken, e) }

// ServeHTTP answers one token request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	client, claims, err := e.issue(w, r)
	outcome := "issued"
	if err != nil {
		refusal := refusalOf(err)
		outcome = refusal.Cause.Code.ID
		if _, basic := r.Header["Authorization"]; basic && refusal.Name == oauth.InvalidClient {
			// RFC 6749 §5.2: the scheme that the client tried, although none is accepted.
			w.Header().Set("WWW-Authenticate", `Basic realm="noorderhub"`)
		}
		e.errors.Write(w, r, refusal, client)
	} else {
		e.options.Logger.LogAttrs(ctx, slog.LevelInfo, "token issued", slog.String("client", client),
			slog.String("organisation", claims.PeerID), slog.String("audience", claims.Audience),
			slog.String("grant", claims.GrantHash), slog.String("jti", claims.ID))
	}
	e.outcomes.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", outcome)))
}

// issue goes through fosite and writes the answer when all went well. client is known as soon as it proved itself.
func (e *Endpoint) issue(w http.ResponseWriter, r *http.Request) (client string, claims *token.Claims, err error) {
	if err := parse(w, r); err != nil {
		return "", nil, err
	}
	s := &session{}
	if s.certificate, err = certificate(r); err != nil {
		return "", nil, err
	}
	request, err := e.provider.NewAccessRequest(r.Context(), r, s)
	if request != nil {
		if who, ok := request.GetClient().(caller); ok {
			client = who.GetID()
		}
	}
	if err != nil {
		return client, nil, err
	}
	response, err := e.provider.NewAccessResponse(r.Context(), request)
	if err != nil {
		return client, nil, err
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	e.provider.WriteAccessResponse(r.Context(), w, request, response)
	return client, &s.claims, nil
}

// parse reads the form strictly: POST body only, form-encoded only (fosite would take multipart too, trap 14), bounded,
// and no parameter twice (RFC 6749 §3.2) but resource.
func parse(w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery != "" {
		return oauth.Refuse(oauth.InvalidRequest, codeInURL.New("the token endpoint takes no query"))
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" || r.Header.Get("Content-Encoding") != "" {
		return oauth.Refuse(oauth.InvalidRequest, errs.CodeMediaType.New("the token endpoint takes application/x-www-form-urlencoded"))
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return oauth.Refuse(oauth.InvalidRequest, errs.CodeTooLarge.New("a token request has at most %d bytes", maxBody))
		}
		return oauth.Refuse(oauth.InvalidRequest, codeRequest.New("the body is not form-encoded"))
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && name != "resource" {
			return oauth.Refuse(oauth.InvalidRequest, codeRequest.New("a parameter other than resource stands twice"))
		}
	}
	switch got := r.PostForm.Get("grant_type"); {
	case got == "":
		return oauth.Refuse(oauth.InvalidRequest, codeRequest.New("the parameter grant_type is missing"))
	case got != grantType:
		return oauth.Refuse(oauth.UnsupportedGrantType, codeGrantType.New("the grant_type is not %s", grantType))
	}
	if len(r.PostForm.Get("scope")) > maxScope {
		return oauth.Refuse(oauth.InvalidScope, codeRequest.New("the parameter scope is longer than %d bytes", maxScope))
	}
	if len(strings.Join(r.PostForm["resource"], "")) > maxScope {
		return oauth.Refuse(oauth.InvalidTarget, codeRequest.New("the parameter resource is longer than %d bytes", maxScope))
	}
	return nil
}

// refusalOf finds the refusal in what fosite returns: ours passes through it as it is, its own keep their name, and
// anything else is our fault and tells nothing.
func refusalOf(err error) *oauth.Error {
	var ours *oauth.Error
	if errors.As(err, &ours) {
		return ours
	}
	var known *errs.Error
	if errors.As(err, &known) {
		name := oauth.ServerError
		if known.Code.Kind == errs.Unavailable {
			name = oauth.TemporarilyUnavailable
		}
		return oauth.Refuse(name, known)
	}
	var theirs *fosite.RFC6749Error
	if errors.As(err, &theirs) && theirs.CodeField < http.StatusInternalServerError {
		return oauth.Refuse(theirs.ErrorField, codeRequest.Wrap(err, "%s", theirs.GetDescription()))
	}
	return oauth.Refuse(oauth.ServerError, errs.As(err))
}
