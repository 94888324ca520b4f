package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/infra/demo"
	authserver "noorderhub.nl/hub/services/authserver/api"
)

// session is one organisation's client at the hub.
type session struct {
	hub    demo.File
	client demo.Organisation
	base   string // where its calls go: the plain address, or the one that takes its certificate
	http   *http.Client
	oauth  *authserver.Client
	stderr io.Writer
}

// callTimeout bounds a call from start to end of its answer.
const callTimeout = 60 * time.Second

func (c *cli) open(ctx context.Context) (*session, error) {
	hub, err := demo.Load(c.data)
	if err != nil {
		return nil, err
	}
	org, err := c.who(hub)
	if err != nil {
		return nil, err
	}
	s := &session{hub: hub, client: org, base: hub.Hub, stderr: c.stderr}
	tlsConfig, err := tlsFor(hub, org)
	if err != nil {
		return nil, err
	}
	if org.Certificate != "" {
		s.base = hub.HubMTLS
	}
	s.http = &http.Client{
		Timeout:       callTimeout,
		Transport:     &http.Transport{TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	text, err := os.ReadFile(org.Key)
	if err != nil {
		return nil, err
	}
	key, err := authserver.ParseKey(text, org.KeyID, org.Alg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", org.Key, err)
	}
	metadata, err := authserver.Discover(ctx, s.http, hub.Hub)
	if err != nil {
		return nil, err
	}
	if org.Certificate != "" { // RFC 8705 section 5: where the certificate is asked for
		metadata.TokenEndpoint = metadata.Aliases.TokenEndpoint
	}
	s.oauth = &authserver.Client{HTTP: s.http, Metadata: metadata, ID: org.ClientID, Key: key}
	return s, nil
}

// who gives the client to act with: of the organisation in --as, or of the person in --by.
func (c *cli) who(hub demo.File) (demo.Organisation, error) {
	if c.by != "" && c.ownKey != "" {
		return demo.Organisation{ClientID: c.by + "-hubctl", Key: c.ownKey}, nil // what a person that joined later acts with
	}
	if c.by != "" {
		if p, ok := hub.People[c.by]; ok {
			return p.Client, nil
		}
		return demo.Organisation{}, fmt.Errorf("nobody %q here; choose with --by one of: %s", c.by, strings.Join(slices.Sorted(maps.Keys(hub.People)), ", "))
	}
	org, ok := hub.Organisations[c.as]
	if !ok {
		return org, fmt.Errorf("no organisation %q here; choose with --as one of: %s", c.as, strings.Join(slices.Sorted(maps.Keys(hub.Organisations)), ", "))
	}
	return org, nil
}

func tlsFor(hub demo.File, org demo.Organisation) (*tls.Config, error) {
	text, err := os.ReadFile(hub.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", hub.CA)
	}
	cfg := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if org.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(org.Certificate, org.CertificateKey)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// token gets an access token for the service at path, or for the resource and scope given. When the hub says soon that it
// cannot yet (it lost its memory of used assertions), it waits as told, once.
func (s *session) token(ctx context.Context, path, resource, scope string) (authserver.Token, error) {
	if resource == "" {
		slug, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		resource = s.hub.Hub + "/" + slug
	}
	want := authserver.Request{Resource: resource, Scope: scope}
	t, err := s.oauth.Token(ctx, want)
	var refused *authserver.Error
	if errors.As(err, &refused) && refused.RetryAfter > 0 && refused.RetryAfter <= patience {
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-time.After(refused.RetryAfter):
			t, err = s.oauth.Token(ctx, want)
		}
	}
	return t, explain(err)
}

// patience is the longest Retry-After that is waited for.
const patience = 30 * time.Second
