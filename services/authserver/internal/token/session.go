package token

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ory/fosite"

	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/authserver/internal/clients"
	"noorderhub.nl/hub/services/registry/api"
)

// session carries one request through fosite: what came with it, and what the token will say.
type session struct {
	certificate string // thumbprint the gateway verified, empty without certificate
	signer      *token.Signer
	claims      token.Claims
}

var _ fosite.Session = (*session)(nil)

// SetExpiresAt does nothing: fosite would set its own lifespan, but the end of the contract may come earlier.
func (s *session) SetExpiresAt(fosite.TokenType, time.Time) {}

// GetExpiresAt is the claim exp.
func (s *session) GetExpiresAt(fosite.TokenType) time.Time { return s.claims.Expires.Time() }

// GetUsername is empty: there is no resource owner.
func (s *session) GetUsername() string { return "" }

// GetSubject is the client.
func (s *session) GetSubject() string { return s.claims.Subject }

// Clone copies the session.
func (s *session) Clone() fosite.Session {
	dup := *s
	return &dup
}

// caller is an authenticated client as fosite sees it.
type caller struct {
	client   *clients.Client
	snapshot *api.Snapshot
}

var _ fosite.Client = caller{}

// GetID is the client id.
func (c caller) GetID() string { return c.client.ID }

// GetHashedSecret is empty: there are no secrets.
func (c caller) GetHashedSecret() []byte { return nil }

// GetRedirectURIs is empty: machine clients have none.
func (c caller) GetRedirectURIs() []string { return nil }

// GetGrantTypes is the one grant type of a machine client (standards OA-AS-02).
func (c caller) GetGrantTypes() fosite.Arguments { return fosite.Arguments{grantType} }

// GetResponseTypes is empty: no authorization endpoint.
func (c caller) GetResponseTypes() fosite.Arguments { return nil }

// GetScopes is all that the client could ever be given; fosite checks the chosen scopes against it once more.
func (c caller) GetScopes() fosite.Arguments { return c.client.Scopes }

// IsPublic is false: every client authenticates.
func (c caller) IsPublic() bool { return false }

// GetAudience is empty: the audience comes from the grant, fosite is not asked about it.
func (c caller) GetAudience() fosite.Arguments { return nil }

// strategy signs access tokens with our own signer instead of fosite's (traps 4, 5, 6 and 13: its validators and signers
// are not for us).
type strategy struct{}

// errNotHere answers what fosite may ask for but nothing of ours uses.
var errNotHere = errors.New("not supported by this authorization server")

// GenerateAccessToken signs the session's claims with the scopes that were granted.
func (strategy) GenerateAccessToken(_ context.Context, r fosite.Requester) (raw, signature string, err error) {
	s, ok := r.GetSession().(*session)
	if !ok || s.signer == nil {
		return "", "", errors.New("token request without a decision")
	}
	s.claims.Scope = strings.Join(r.GetGrantedScopes(), " ")
	raw, err = s.signer.Sign(&s.claims)
	return raw, "", err
}

// AccessTokenSignature is empty: nothing is stored or revoked by signature, only by jti (trap 6).
func (strategy) AccessTokenSignature(context.Context, string) string { return "" }

// ValidateAccessToken refuses: libs/token verifies.
func (strategy) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return errNotHere
}

// storage is what fosite insists on having. Clients come from the snapshot through our own authentication, and access
// tokens are not stored: client_credentials touches no database (trap 12).
type storage struct{}

// GetClient finds nobody: our authentication replaces fosite's.
func (storage) GetClient(context.Context, string) (fosite.Client, error) {
	return nil, fosite.ErrNotFound
}

// ClientAssertionJWTValid refuses: check and act are one step in package replay (trap 7).
func (storage) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrJTIKnown }

// SetClientAssertionJWT refuses, as ClientAssertionJWTValid.
func (storage) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrJTIKnown
}

// CreateAccessTokenSession stores nothing.
func (storage) CreateAccessTokenSession(context.Context, string, fosite.Requester) error { return nil }

// GetAccessTokenSession finds nothing.
func (storage) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession has nothing to delete.
func (storage) DeleteAccessTokenSession(context.Context, string) error { return nil }
