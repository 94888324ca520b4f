// Package api is the authorization server as clients see it: its metadata, and a client that gets access tokens with
// private_key_jwt. It is what hubctl and the hub's own services use; other applications use any OAuth library.
package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// OpenAPI is the description of the endpoints, in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte

// maxAnswer bounds an answer in bytes.
const maxAnswer = 64 << 10

// Metadata is what clients need of the server's metadata (RFC 8414 §2).
type Metadata struct {
	Issuer        string `json:"issuer"`
	TokenEndpoint string `json:"token_endpoint"`
	JWKSURI       string `json:"jwks_uri"`
	Aliases       struct {
		TokenEndpoint string `json:"token_endpoint"`
	} `json:"mtls_endpoint_aliases"`
}

// Discover reads the metadata of a hub. The issuer in it must be the URL it was read from (RFC 8414 §3.3), or a server in
// between could make clients sign assertions for another.
func Discover(ctx context.Context, client *http.Client, hub string) (Metadata, error) {
	var m Metadata
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, hub+"/.well-known/oauth-authorization-server", nil)
	if err != nil {
		return m, err
	}
	if err := do(client, req, &m); err != nil {
		return m, fmt.Errorf("metadata of %s: %w", hub, err)
	}
	if m.Issuer != hub || m.TokenEndpoint == "" {
		return m, fmt.Errorf("metadata of %s names another issuer", hub)
	}
	return m, nil
}

// Token is a token answer (RFC 6749 §5.1). AccessToken is secret: it stands in no log and no error.
type Token struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
}

// Error is a refusal of the server (RFC 6749 §5.2) with what the hub adds to it.
type Error struct {
	Status      int           `json:"-"`
	RetryAfter  time.Duration `json:"-"` // 0: not said
	Name        string        `json:"error"`
	Description string        `json:"error_description"`
	URI         string        `json:"error_uri"`
	Code        string        `json:"code"`
	Rule        string        `json:"rule"`
	Side        string        `json:"side"`
	NextStep    string        `json:"nextStep"`
	TraceID     string        `json:"traceId"`
}

// Error gives name, description and page.
func (e *Error) Error() string {
	text := e.Name
	if e.Description != "" {
		text += ": " + e.Description
	}
	if e.URI != "" {
		text += " (" + e.URI + ")"
	}
	return text
}

// Client gets tokens for one OAuth client and keeps each until shortly before its end. It may be used by many goroutines.
type Client struct {
	HTTP     *http.Client // shows the client certificate, when tokens are to be bound to one
	Metadata Metadata
	ID       string
	Key      Key
	Now      func() time.Time // nil: time.Now

	mu   sync.Mutex
	kept map[Request]kept
}

// Request is what a token is wanted for. Both may be empty where the client has one contract only.
type Request struct {
	Resource string // {hub}/{service}
	Scope    string // scopes, and the short name of a contract, with spaces between
}

type kept struct {
	token Token
	until time.Time
}

// margin is how long before its end a kept token is no longer given out: it must outlive the call it is used for.
const margin = 20 * time.Second

// Token gives a token, a kept one when it lives long enough. A refusal is an *Error.
func (c *Client) Token(ctx context.Context, r Request) (Token, error) {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	c.mu.Lock()
	have, ok := c.kept[r]
	c.mu.Unlock()
	if ok && now().Before(have.until) {
		return have.token, nil
	}
	t, err := c.fetch(ctx, r, now())
	if err != nil {
		return Token{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[Request]kept{}
	}
	c.kept[r] = kept{token: t, until: now().Add(time.Duration(t.ExpiresIn)*time.Second - margin)}
	return t, nil
}

// Forget drops a kept token that a service refused, so that the next one is new.
func (c *Client) Forget(r Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, r)
}

func (c *Client) fetch(ctx context.Context, r Request, now time.Time) (Token, error) {
	if c.HTTP == nil || c.ID == "" || c.Metadata.TokenEndpoint == "" {
		return Token{}, errors.New("token client needs an HTTP client, a client id and metadata")
	}
	if err := c.Key.check(); err != nil {
		return Token{}, err
	}
	assertion, err := c.Key.Assertion(c.ID, c.Metadata.Issuer, now)
	if err != nil {
		return Token{}, err
	}
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
	}
	if r.Resource != "" {
		form.Set("resource", r.Resource)
	}
	if r.Scope != "" {
		form.Set("scope", r.Scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Metadata.TokenEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return Token{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var t Token
	if err := do(c.HTTP, req, &t); err != nil {
		return Token{}, err
	}
	if t.AccessToken == "" || !strings.EqualFold(t.TokenType, "Bearer") {
		return Token{}, errors.New("the authorization server's answer holds no bearer token")
	}
	return t, nil
}

func do(client *http.Client, req *http.Request, dst any) error {
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode != http.StatusOK {
		refusal := &Error{Status: resp.StatusCode}
		if json.Unmarshal(body, refusal) != nil || refusal.Name == "" {
			return fmt.Errorf("unexpected answer: status %d", resp.StatusCode)
		}
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
			refusal.RetryAfter = time.Duration(seconds) * time.Second
		}
		return refusal
	}
	if media != "application/json" || json.Unmarshal(body, dst) != nil {
		return errors.New("unexpected answer: not JSON")
	}
	return nil
}
