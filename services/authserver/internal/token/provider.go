package token

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/i18n"

	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/authserver/internal/grants"
)

// grantType is the only one (OA-AS-01, OA-AS-03: no implicit, no password).
const grantType = "client_credentials"

// newProvider composes fosite with what is needed and nothing else. Every strategy is set, because getters of
// fosite.Config write a default when one is missing, which is a data race (trap 11), and the defaults are not ours
// (traps 1 and 9).
func newProvider(o Options) (fosite.OAuth2Provider, *fosite.Config) {
	config := &fosite.Config{
		AccessTokenLifespan:      o.Life,
		AccessTokenIssuer:        o.Addresses.Issuer(),
		TokenURL:                 o.Addresses.Token(),
		ScopeStrategy:            fosite.ExactScopeStrategy,
		AudienceMatchingStrategy: fosite.ExactAudienceMatchingStrategy,
		ClientSecretsHasher:      noSecrets{},
		JWKSFetcherStrategy:      noFetching{},
		HTTPClient:               retryablehttp.NewClient(),
		MessageCatalog:           i18n.NewDefaultMessageCatalog(nil),
		MinParameterEntropy:      22, // 128 bits in base64url
		ClientAuthenticationStrategy: func(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
			found, err := o.Clients.Authenticate(ctx, r, form)
			if err != nil {
				return nil, err
			}
			return caller{client: found.Client, snapshot: found.Snapshot}, nil
		},
	}
	config.TokenEndpointHandlers.Append(&handler{
		ClientCredentialsGrantHandler: &oauth2.ClientCredentialsGrantHandler{
			HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: strategy{}, AccessTokenStorage: storage{}, Config: config},
			Config:       config,
		},
		options: o,
		chooser: grants.Chooser{Addresses: o.Addresses},
	})
	return fosite.NewOAuth2Provider(storage{}, config), config
}

// handler is client_credentials under a grant. fosite's own handler checks and issues; what it leaves to the caller,
// granting scopes and audience, is decided here (trap 2).
type handler struct {
	*oauth2.ClientCredentialsGrantHandler
	options Options
	chooser grants.Chooser
}

// HandleTokenEndpointRequest decides on grant, scopes and binding.
func (h *handler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	who, ok := r.GetClient().(caller)
	if !ok {
		return errNotHere
	}
	s, ok := r.GetSession().(*session)
	if !ok {
		return errNotHere
	}
	now := h.options.Now()
	choice, err := h.chooser.Choose(who.snapshot, grants.Request{
		Client:      who.client.Client,
		Grants:      who.client.Grants,
		Resources:   r.GetRequestForm()["resource"],
		Scopes:      r.GetRequestedScopes(),
		Certificate: s.certificate,
	}, now)
	if err != nil {
		return err
	}
	if s.signer, err = h.options.Keys.Signer(who.snapshot); err != nil {
		return err
	}
	s.claims = h.claims(who, choice, now)

	r.SetRequestedScopes(choice.Scopes)
	r.SetRequestedAudience(nil)
	if err := h.ClientCredentialsGrantHandler.HandleTokenEndpointRequest(ctx, r); err != nil {
		return err
	}
	for _, scope := range choice.Scopes {
		r.GrantScope(scope)
	}
	r.GrantAudience(choice.Audience)
	return nil
}

// PopulateTokenEndpointResponse issues the token. There is no refresh token for machine clients (OA-AS-23).
func (h *handler) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if err := h.ClientCredentialsGrantHandler.PopulateTokenEndpointResponse(ctx, r, resp); err != nil {
		return err
	}
	resp.SetTokenType("Bearer")
	s, ok := r.GetSession().(*session)
	if !ok {
		return errNotHere
	}
	resp.SetExpiresIn(s.claims.Expires.Time().Sub(s.claims.Issued.Time()))
	return nil
}

// claims is the access token of design §4: RFC 9068 with the claims of FSC.
func (h *handler) claims(who caller, choice *grants.Choice, now time.Time) token.Claims {
	client := who.client
	expires := now.Add(h.options.Life)
	c := token.Claims{
		Issuer:          h.options.Addresses.Issuer(),
		Subject:         client.ID,
		ClientID:        client.ID,
		AuthorizedParty: client.ID,
		Audience:        choice.Audience,
		Issued:          token.Date(now),
		NotBefore:       token.Date(now),
		ID:              token.NewID(),
		PeerID:          client.Organisation,
	}
	if g := choice.Grant; g != nil {
		c.GrantHash, c.GroupID = g.Hash, who.snapshot.GroupID
		if g.NotAfter.Before(expires) {
			expires = g.NotAfter
		}
	} else {
		c.Roles = client.Roles()
	}
	if client.Person != nil {
		c.Subject = client.Person.ID
	}
	c.Expires = token.Date(expires)
	if choice.Certificate != "" {
		c.Confirmation = &token.Confirmation{Certificate: choice.Certificate}
	}
	return c
}

// noSecrets refuses every secret without computing anything (trap 1: the default is bcrypt with cost 12).
type noSecrets struct{}

// Compare refuses.
func (noSecrets) Compare(context.Context, []byte, []byte) error { return errNotHere }

// Hash refuses.
func (noSecrets) Hash(context.Context, []byte) ([]byte, error) { return nil, errNotHere }

// noFetching refuses to fetch keys: they stand in the snapshot. The default would connect to whatever address a client
// registered, without limits.
type noFetching struct{}

// Resolve refuses.
func (noFetching) Resolve(context.Context, string, bool) (*jose.JSONWebKeySet, error) {
	return nil, errNotHere
}
