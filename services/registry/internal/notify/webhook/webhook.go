// Package webhook sends notifications to a URL that an organisation names: one CloudEvent (NL GOV profile) a POST, signed
// with HTTP Message Signatures (RFC 9421). Before the first one the receiver must say that it wants them, by the handshake
// of CloudEvents' abuse protection (CE-09); so nobody can turn the hub on a server that did not ask for it.
package webhook

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/outbound"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/cloudevent"
)

const (
	deadline = 20 * time.Second
	// wantedRate is the messages a minute that the hub asks for.
	wantedRate = 600
	maxRate    = 60_000
)

var (
	codeHandshake = &errs.Code{
		ID: "webhook-handshake", Kind: errs.Invalid, Side: errs.SideClient, Title: "The receiver does not allow the hub to send",
		Next: "Let the receiver answer OPTIONS with 200 and WebHook-Allowed-Origin: the origin that detail names; then try again.",
	}
	codeAuthority = &errs.Code{
		ID: "webhook-ca", Kind: errs.Invalid, Side: errs.SideClient, Title: "The authority given for the webhook is no certificate",
		Next: "Give the PEM of the authority that issued the receiver's certificate, or leave it out.",
	}
)

// Options of a Sender.
type Options struct {
	Client *outbound.Client
	Key    *ecdsa.PrivateKey // P-256; its public half is in the KeySet that the hub publishes
	Source cloudevent.Source
	// Networks gives the private networks that an organisation's webhooks may be in; nil: none.
	Networks func(oin.OIN) []string
	Now      func() time.Time // nil: the clock
}

// Sender is a notify.Sender and a notify.Introducer.
type Sender struct {
	o      Options
	origin string // host of the hub, as it introduces itself
}

var (
	_ notify.Sender     = (*Sender)(nil)
	_ notify.Introducer = (*Sender)(nil) // looked for at run time: without it no receiver would be asked
)

// New makes a sender.
func New(o Options) (*Sender, error) {
	u, err := url.Parse(o.Source.Hub)
	if err != nil || u.Host == "" || o.Client == nil || o.Key == nil || o.Source.OIN == "" {
		return nil, errors.New("webhooks need a client, a signing key, and the URL and OIN of the hub")
	}
	if _, err := jwkOf(&o.Key.PublicKey); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Networks == nil {
		o.Networks = func(oin.OIN) []string { return nil }
	}
	return &Sender{o: o, origin: u.Hostname()}, nil
}

// options bound a call to a channel's receiver.
func (s *Sender) options(c notify.Channel) (outbound.Options, error) {
	reach, err := outbound.ParseReach(s.o.Networks(c.Organisation))
	if err != nil {
		return outbound.Options{}, err
	}
	o := outbound.Options{Reach: reach, Pin: c.Pin, Deadline: deadline, Header: http.Header{}}
	if c.CA != "" {
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM([]byte(c.CA)) {
			return o, codeAuthority.New("there is no certificate in it")
		}
	}
	return o, nil
}

// Introduce asks the receiver whether it wants messages of this hub, and how many a minute (CloudEvents HTTP webhook §4).
func (s *Sender) Introduce(ctx context.Context, c notify.Channel) (notify.Channel, error) {
	o, err := s.options(c)
	if err != nil {
		return c, err
	}
	o.Header.Set("WebHook-Request-Origin", s.origin)
	o.Header.Set("WebHook-Request-Rate", strconv.Itoa(wantedRate))
	answer, err := s.o.Client.Preflight(ctx, c.Address, o)
	if err != nil {
		return c, err
	}
	if answer.Status < 200 || answer.Status > 299 {
		return c, codeHandshake.New("OPTIONS was answered %d; the hub's origin is %s", answer.Status, s.origin).WithRule("CloudEvents webhook §4")
	}
	if !allows(answer.Header.Values("WebHook-Allowed-Origin"), s.origin) {
		return c, codeHandshake.New("WebHook-Allowed-Origin does not name the hub's origin %s", s.origin).WithRule("CloudEvents webhook §4.2.1")
	}
	if c.Rate, err = allowedRate(answer.Header.Get("WebHook-Allowed-Rate")); err != nil {
		return c, codeHandshake.New("WebHook-Allowed-Rate is not a number of messages a minute").WithRule("CloudEvents webhook §4.2.2")
	}
	return c, nil
}

func allows(values []string, origin string) bool {
	if len(values) != 1 {
		return false
	}
	value := strings.TrimSpace(values[0])
	return value == "*" || strings.EqualFold(value, origin)
}

// allowedRate reads messages a minute. A receiver that says nothing gets what the hub asked for.
func allowedRate(text string) (int, error) {
	switch text = strings.TrimSpace(text); text {
	case "":
		return wantedRate, nil
	case "*":
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, errors.New("no rate")
	}
	return min(n, maxRate), nil
}

// Send posts one event. 2xx is success, 410 ends the channel, anything else is tried again; redirects are not followed.
func (s *Sender) Send(ctx context.Context, m notify.Message) error {
	if len(m.Events) != 1 {
		return &notify.Failure{Result: "not one event", Class: notify.Undeliverable}
	}
	body, err := json.Marshal(s.o.Source.Of(m.Events[0]))
	if err != nil {
		return &notify.Failure{Result: "internal error", Class: notify.Undeliverable, Cause: err}
	}
	o, err := s.options(m.Channel)
	if err != nil {
		return failed(err)
	}
	target, err := outbound.Parse(m.Channel.Address)
	if err != nil {
		return failed(err)
	}
	o.Header.Set("Content-Type", cloudevent.MediaType)
	if err := sign(o.Header, s.o.Key, http.MethodPost, target.String(), body, s.o.Now()); err != nil {
		return &notify.Failure{Result: "internal error", Class: notify.Away, Cause: err}
	}
	answer, err := s.o.Client.Post(ctx, m.Channel.Address, body, o)
	if err != nil {
		return failed(err)
	}
	if answer.Status >= 200 && answer.Status <= 299 {
		return nil
	}
	f := &notify.Failure{Result: fmt.Sprintf("HTTP %d", answer.Status), After: retryAfter(answer.Header.Get("Retry-After"), s.o.Now())}
	switch answer.Status {
	case http.StatusGone:
		f.Class = notify.Gone
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.Class = notify.Away
	}
	return f
}

// failed makes a failure of a call that brought no answer. Its code is what people see.
func failed(err error) *notify.Failure {
	return &notify.Failure{Result: errs.As(err).Code.ID, Class: notify.Away, Cause: err}
}

// retryAfter reads seconds or a date (RFC 9110 §10.2.3); 0 for neither.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 86400)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
