// Package outbound calls URLs that outsiders name: a jwks_uri, an OpenAPI file, a webhook. Whoever names one must not be
// able to make the hub call its own insides, hold it up, or fill its memory. So it is https only; every address is checked
// at the dial, after its name was looked up; a redirect is checked as the first address was; what comes back is bounded in
// size (after decompression), time and slowness; and nothing of the hub goes along: no cookies, no proxy of the
// environment, no credentials.
//
// Errors are refusals of libs/errs with the rule and the next step. They name host and port, never path or query.
package outbound

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Sizes that callers commonly ask for, in bytes.
const (
	MaxJWKS    = 256 << 10
	MaxOpenAPI = 8 << 20
)

const (
	maxURL       = 2048
	maxRedirects = 3
	maxHeader    = 64 << 10

	defaultBytes    = MaxJWKS
	defaultDeadline = 10 * time.Second
	connectTime     = 5 * time.Second
)

// The minimum rate: a server that gives less in a window is cut off, for it would hold the hub up until the deadline.
const (
	defaultRate   = 1 << 10 // bytes a second
	defaultWindow = 2 * time.Second
)

// Options bound one exchange. The zero value is safe.
type Options struct {
	Reach    Reach          // private networks that may be called too
	Roots    *x509.CertPool // trust anchors instead of the system's
	Pin      string         // base64 of the SHA-256 of the server's public key (SubjectPublicKeyInfo), as RFC 7858 §4.2 has it; checked beside the chain
	MaxBytes int64          // of what comes back, decompressed; default 256 KiB
	Deadline time.Duration  // for the whole exchange with its redirects; default 10s
	Header   http.Header    // to send
}

// Settings of a Client.
type Settings struct {
	UserAgent string        // default "noorderhub"
	Resolver  *net.Resolver // nil: the system's
}

// Client calls outsiders. It keeps no connections: one that was checked for one organisation's networks must not serve
// another's.
type Client struct {
	settings Settings
	window   time.Duration // over which the minimum rate is measured
}

// New makes a client.
func New(s Settings) *Client {
	if s.UserAgent == "" {
		s.UserAgent = "noorderhub"
	}
	return &Client{settings: s, window: defaultWindow}
}

// Answer is what an outsider said to a message; its body is not read.
type Answer struct {
	Status int
	Header http.Header
}

// Get fetches a document, through three redirects at most, and gives its bytes and its Content-Type as it was sent. Only
// 200 is an answer.
func (c *Client) Get(ctx context.Context, rawURL string, o Options) (body []byte, contentType string, err error) {
	target, err := Parse(rawURL)
	if err != nil {
		return nil, "", err
	}
	x, done := c.exchange(ctx, o)
	defer done()
	for hop := 0; ; hop++ {
		resp, err := x.send(target, http.MethodGet, nil)
		if err != nil {
			return nil, "", err
		}
		if !redirects(resp.StatusCode) {
			defer resp.Body.Close()
			body, err = x.document(target, resp)
			return body, resp.Header.Get("Content-Type"), err
		}
		resp.Body.Close()
		if hop == maxRedirects {
			return nil, "", codeRedirect.New("more than %d redirects", maxRedirects).WithRule("at most three redirects")
		}
		if target, err = next(target, resp.Header.Get("Location")); err != nil {
			return nil, "", err
		}
	}
}

// Post sends a message once. Every status is an answer, a redirect too: it is never followed.
func (c *Client) Post(ctx context.Context, rawURL string, body []byte, o Options) (Answer, error) {
	return c.once(ctx, http.MethodPost, rawURL, body, o)
}

// Preflight sends an OPTIONS request, as CloudEvents' abuse protection wants it. Every status is an answer.
func (c *Client) Preflight(ctx context.Context, rawURL string, o Options) (Answer, error) {
	return c.once(ctx, http.MethodOptions, rawURL, nil, o)
}

func (c *Client) once(ctx context.Context, method, rawURL string, body []byte, o Options) (Answer, error) {
	target, err := Parse(rawURL)
	if err != nil {
		return Answer{}, err
	}
	x, done := c.exchange(ctx, o)
	defer done()
	resp, err := x.send(target, method, body)
	if err != nil {
		return Answer{}, err
	}
	resp.Body.Close()
	return Answer{Status: resp.StatusCode, Header: resp.Header}, nil
}

// Parse checks the form of a URL, without looking at what is behind it, and gives it as it is called.
func Parse(rawURL string) (*url.URL, error) {
	refuse := func(format string, args ...any) error {
		return codeURL.New(format, args...).WithRule("https only")
	}
	if len(rawURL) > maxURL {
		return nil, refuse("the address has more than %d bytes", maxURL)
	}
	u, err := url.Parse(rawURL)
	switch {
	case err != nil: // its text would repeat the address
		return nil, refuse("this is not a URL")
	case u.Scheme != "https":
		return nil, refuse("the address does not begin with https://")
	case u.User != nil:
		return nil, refuse("the address holds a user name or password")
	case u.Hostname() == "" || strings.ContainsAny(u.Host, "%\\"): // a zone of IPv6 names an interface of the hub
		return nil, refuse("the address has no proper host name")
	case u.Port() == "0" || u.Port() == "" && strings.HasSuffix(u.Host, ":"):
		return nil, refuse("the address has no proper port")
	}
	u.Fragment, u.RawFragment = "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// next resolves a redirect and holds it to the same form as the first address.
func next(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if location == "" || err != nil {
		return nil, codeRedirect.New("%s redirects to something that is not an address", from.Host).WithRule("https only")
	}
	if to, err = Parse(to.String()); err != nil {
		return nil, codeRedirect.Wrap(err, "%s redirects to an address that is not https or has no proper host", from.Host).WithRule("https only")
	}
	return to, nil
}

// document reads a body within the bounds.
func (x *exchange) document(from *url.URL, resp *http.Response) ([]byte, error) {
	if resp.StatusCode != http.StatusOK {
		return nil, codeAnswer.New("%s answers %d", from.Host, resp.StatusCode).WithRule("status 200")
	}
	if coding := resp.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, codeAnswer.New("%s sends a content coding that was not asked for", from.Host).WithRule("gzip or no content coding")
	}
	limit := x.o.MaxBytes
	large := codeSize.New("%s gives more than %d KiB", from.Host, limit>>10).WithRule(fmt.Sprintf("at most %d bytes", limit))
	if resp.ContentLength > limit {
		return nil, large
	}
	var body bytes.Buffer
	watch := x.watch(resp.Body)
	defer watch.stop()
	switch n, err := io.Copy(&body, io.LimitReader(watch, limit+1)); {
	case n > limit:
		return nil, large
	case err != nil:
		return nil, x.refusal(from, err)
	}
	return body.Bytes(), nil
}
