package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/load"
	"noorderhub.nl/hub/infra/bench/internal/measure"
	"noorderhub.nl/hub/infra/bench/internal/rig"
)

func benchTokens(ctx context.Context, w *workshop) (*measure.Report, error) {
	s, err := newStand(ctx, w)
	if err != nil {
		return nil, err
	}
	inside, err := s.material.PartClient("authserver")
	if err != nil {
		return nil, err
	}
	const ways = "%s assertion, single use in Redis, client, contract"
	direct := func(name, client, alg string) measure.Line {
		return measure.Line{
			Name: name, Process: s.hub.Auth.PID, Beside: map[string]int{"redis": s.hub.Redis.PID},
			Does: measure.Does{Client: overMutual, Upstream: "-", Checks: fmt.Sprintf(ways, alg), Keeps: "span of 1 %"},
			Load: s.forms(inside, s.hub.Tokens, client),
		}
	}
	through := direct("authserver through the gateway", rig.ClientES256, "ES256")
	through.Beside = map[string]int{"redis": s.hub.Redis.PID, "gateway": s.hub.Gateway.PID}
	through.Does.Client = "http to the gateway, " + overMutual + " behind it"
	through.Load = s.forms(s.client, s.hub.Plain, rig.ClientES256)
	lines := []measure.Line{
		direct("authserver private_key_jwt ES256", rig.ClientES256, "ES256"),
		direct("authserver private_key_jwt RS256", rig.ClientRS256, "RS256"),
		through,
	}
	lines = append(lines, floors(s.tools["openssl"])...)
	results, err := w.lines(ctx, lines)
	if err == nil {
		err = s.profiles(ctx, lines)
	}
	if err != nil {
		return nil, err
	}
	return &measure.Report{
		Operation: "an operation is one access token, ES256, for an assertion that was never used before",
		Results:   results,
		Ratios:    measure.Compare(results, tokenPairs),
		Notes: []string{
			"No server of Debian does the same. The reference is the floor: one verification and one signature, with nothing around them.",
			"Assertions are signed before the load begins, so the client's work is not in the figures.",
			"CPU is user and system time of the authorization server; Redis and the gateway stand beside.",
		},
	}, nil
}

var tokenPairs = []measure.Pair{
	{Product: "authserver private_key_jwt ES256", Peer: floorES256, Note: "the rest is TLS, HTTP, OAuth, the contract and Redis"},
	{Product: "authserver private_key_jwt RS256", Peer: floorRS256, Note: "the same for clients with an RSA key"},
	{Product: "authserver private_key_jwt ES256", Peer: opensslES256, Note: "OpenSSL's P-256 as the floor"},
	{Product: "authserver through the gateway", Peer: "authserver private_key_jwt ES256", Note: "the authorization server's own time should not differ"},
}

// forms loads the token endpoint with assertions of a client.
func (s *stand) forms(client *http.Client, base, id string) func(context.Context, time.Duration) (measure.Load, error) {
	f := &load.Forms{
		HTTP: client, URL: base + "/oauth2/token", Connections: s.connections, Check: isToken,
		Make: func(n int) ([]string, error) { return s.assertions(id, n) },
	}
	return f.Run
}

func isToken(body []byte) error {
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" || answer.TokenType != "Bearer" {
		return errors.New("the answer holds no bearer token")
	}
	return nil
}

// assertions makes n token requests of a client, on all processors: they live for seconds only.
func (s *stand) assertions(id string, n int) ([]string, error) {
	bodies, faults := make([]string, n), make([]error, runtime.NumCPU())
	var wg sync.WaitGroup
	for w := range faults {
		wg.Go(func() {
			for i := w; i < n && faults[w] == nil; i += len(faults) {
				bodies[i], faults[w] = s.tokenRequest(id)
			}
		})
	}
	wg.Wait()
	return bodies, errors.Join(faults...)
}

func (s *stand) tokenRequest(id string) (string, error) {
	assertion, err := s.hub.Keys[id].Assertion(id, s.hub.Issuer, time.Now())
	if err != nil {
		return "", err
	}
	return url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
		"resource":              {s.hub.Resource(rig.Required)},
	}.Encode(), nil
}
