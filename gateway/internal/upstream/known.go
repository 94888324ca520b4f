package upstream

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	registry "noorderhub.nl/hub/services/registry/api"
)

// known gives what makes the gateway known to a service: a change of every request, nil where the call token is enough. The
// secret is opened once, and stands in no log and no error.
func (p *Pool) known(s *registry.Service) (func(*http.Request) error, error) {
	switch auth := s.Upstream.Auth; auth {
	case "", registry.AuthCallToken, registry.AuthCertificate:
		return nil, nil
	case registry.AuthHeader, registry.AuthZGW:
		if p.cfg.Secrets == nil {
			return nil, errors.New("this gateway has no key of upstream secrets")
		}
		secret, err := p.cfg.Secrets.Open(s.Slug, auth, s.Upstream.Secret)
		if err != nil {
			return nil, err
		}
		if auth == registry.AuthZGW {
			return zgwToken(s.Upstream.AuthName, secret)
		}
		name := s.Upstream.AuthName
		return func(r *http.Request) error {
			r.Header.Del("Authorization")
			r.Header.Set(name, secret)
			return nil
		}, nil
	default:
		return nil, fmt.Errorf("this gateway cannot make itself known by %q", auth)
	}
}

// zgwToken makes a token of the ZGW standards (Autorisaties API): HS256 over who the client is and for whom it acts. For whom is
// the organisation that calls, by its OIN; no person is named.
func zgwToken(client, secret string) (func(*http.Request) error, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret)}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	return func(r *http.Request) error {
		peer := peerOf(r.Header.Get("Authorization"))
		claims, err := json.Marshal(map[string]any{
			"iss": client, "client_id": client, "iat": time.Now().Unix(), "user_id": peer, "user_representation": "OIN " + peer,
		})
		if err != nil {
			return err
		}
		jws, err := signer.Sign(claims)
		if err != nil {
			return err
		}
		token, err := jws.CompactSerialize()
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}, nil
}

// peerOf reads the organisation from the call token that this gateway made for the request.
func peerOf(authorization string) string {
	parts := strings.Split(strings.TrimPrefix(authorization, "Bearer "), ".")
	if len(parts) != 3 {
		return ""
	}
	var claims struct {
		Peer string `json:"peer_id"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Peer
}

// present lets a service that asks for it see the gateway's certificate.
func (p *Pool) present(config *tls.Config) {
	own := p.cfg.PartTLS("")
	config.Certificates, config.GetClientCertificate = own.Certificates, own.GetClientCertificate
}
