package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/infra/demo"
	authserver "noorderhub.nl/hub/services/authserver/api"
)

// caller is an application of one organisation: it keeps its token, and a connection of its own.
type caller struct {
	hub    string
	scope  string
	target string // resource
	client *http.Client
	oauth  *authserver.Client
}

// newCaller makes an application for a service. scope chooses an agreement; it may be empty.
func (h *hub) newCaller(ctx context.Context, organisation, slug, scope string) (*caller, error) {
	return h.callerWith(ctx, h.Demo.Organisations[organisation], slug, scope)
}

// callerWith makes one with the client of an organisation or a person.
func (h *hub) callerWith(ctx context.Context, org demo.Organisation, slug, scope string) (*caller, error) {
	config, err := h.TLS()
	if err != nil {
		return nil, err
	}
	if org.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(org.Certificate, org.CertificateKey)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	c := &caller{
		hub: h.URL, scope: scope, target: h.URL + "/" + slug,
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 20 * time.Second},
	}
	text, err := os.ReadFile(org.Key)
	if err != nil {
		return nil, err
	}
	key, err := authserver.ParseKey(text, org.KeyID, org.Alg)
	if err != nil {
		return nil, err
	}
	metadata, err := authserver.Discover(ctx, c.client, h.URL)
	if err != nil {
		return nil, err
	}
	c.oauth = &authserver.Client{HTTP: c.client, Metadata: metadata, ID: org.ClientID, Key: key}
	return c, nil
}

// answer is what came of a call: a status, or the word for why there was none.
type answer struct {
	status      int
	code        string // of a refusal
	retryAfter  bool
	transaction string
	err         error
}

// kind is how an answer is counted.
func (a answer) kind() string {
	switch {
	case a.err != nil:
		return noAnswer
	case a.status < 300:
		return answered
	}
	return strconv.Itoa(a.status) + " " + a.code
}

// fault tells how a call ended that should have ended otherwise.
func (a answer) fault() error {
	return errors.Join(fmt.Errorf("a call ended as %q", a.kind()), a.err)
}

// token gets a token, kept until its end; fresh demands a new one.
func (c *caller) token(ctx context.Context, fresh bool) (string, error) {
	request := authserver.Request{Resource: c.target, Scope: c.scope}
	if fresh {
		c.oauth.Forget(request)
	}
	t, err := c.oauth.Token(ctx, request)
	return t.AccessToken, err
}

// call sends a request with the token.
func (c *caller) call(ctx context.Context, method, path string) answer {
	token, err := c.token(ctx, false)
	if err != nil {
		return answer{err: fmt.Errorf("token: %w", err)}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.hub+path, nil)
	if err != nil {
		return answer{err: err}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{err: err}
	}
	a := answer{status: resp.StatusCode, transaction: resp.Header.Get("Fsc-Transaction-Id"), retryAfter: resp.Header.Get("Retry-After") != ""}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") && a.status >= 300 {
		var problem struct {
			Code string `json:"code"`
		}
		_ = json.Unmarshal(body, &problem)
		a.code = problem.Code
	}
	return a
}

// refusedToken gives the authorization server's error of a token request that must fail.
func (c *caller) refusedToken(ctx context.Context) (*authserver.Error, error) {
	_, err := c.token(ctx, true)
	if refused, ok := errors.AsType[*authserver.Error](err); ok {
		return refused, nil
	}
	return nil, errors.Join(errors.New("the authorization server did not refuse the token"), err)
}
