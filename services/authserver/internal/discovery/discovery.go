// Package discovery serves the metadata of the authorization server (RFC 8414, OpenID Connect Discovery 1.0 §4). Both
// well-known paths give the same document: the hub is an OAuth authorization server and no OpenID provider, but many
// client libraries look at the OpenID path only. Nothing is advertised that does not exist.
package discovery

import (
	"encoding/json"
	"net/http"
	"strconv"

	"noorderhub.nl/hub/libs/token/jws"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
)

// cacheControl lets the document be cached for a week (standards OA-AS-19).
const cacheControl = "public, max-age=604800"

// The well-known paths.
const (
	PathOAuth  = "/.well-known/oauth-authorization-server"
	PathOpenID = "/.well-known/openid-configuration"
)

// Metadata is the document (RFC 8414 §2, RFC 8705 §3.3 and §5).
type Metadata struct {
	Issuer               string    `json:"issuer"`
	TokenEndpoint        string    `json:"token_endpoint"`
	JWKSURI              string    `json:"jwks_uri"`
	GrantTypes           []string  `json:"grant_types_supported"`
	ResponseTypes        []string  `json:"response_types_supported"`
	AuthMethods          []string  `json:"token_endpoint_auth_methods_supported"`
	AuthSigningAlgs      []string  `json:"token_endpoint_auth_signing_alg_values_supported"`
	CertificateBound     bool      `json:"tls_client_certificate_bound_access_tokens"`
	MTLSAliases          *mtlsURLs `json:"mtls_endpoint_aliases,omitempty"`
	ServiceDocumentation string    `json:"service_documentation"`
}

type mtlsURLs struct {
	TokenEndpoint string `json:"token_endpoint"`
}

// Handler serves the document.
type Handler struct {
	document []byte
}

// New makes the document once.
func New(a oauth.Addresses) (*Handler, error) {
	m := Metadata{
		Issuer:               a.Issuer(),
		TokenEndpoint:        a.Token(),
		JWKSURI:              a.Hub + oauth.PathJWKS,
		GrantTypes:           []string{"client_credentials"},
		ResponseTypes:        []string{},
		AuthMethods:          []string{"private_key_jwt"},
		AuthSigningAlgs:      []string{jws.RS256, jws.PS256, jws.ES256},
		CertificateBound:     true,
		ServiceDocumentation: a.Hub + "/portaal/",
	}
	if alias := a.TokenMTLS(); alias != "" {
		m.MTLSAliases = &mtlsURLs{TokenEndpoint: alias}
	}
	document, err := json.Marshal(m)
	return &Handler{document: document}, err
}

// Mount registers both paths.
func (h *Handler) Mount(m oauth.Mux) {
	m.Handle(http.MethodGet, PathOAuth, h)
	m.Handle(http.MethodGet, PathOpenID, h)
}

// ServeHTTP writes the document. Browsers may read it from anywhere: it is public.
func (h *Handler) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	head := w.Header()
	head.Set("Content-Type", "application/json")
	head.Set("Content-Length", strconv.Itoa(len(h.document)))
	head.Set("Cache-Control", cacheControl)
	head.Set("Access-Control-Allow-Origin", "*")
	head.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(h.document)
}
