package telemetry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"noorderhub.nl/hub/libs/config"
)

// Target is the part of a configuration file that says where spans go.
type Target struct {
	Endpoint string                   `yaml:"endpoint"` // URL of an OTLP/HTTP trace intake: the journal's /v1/traces or any collector's; empty: nowhere
	Ratio    float64                  `yaml:"ratio"`    // share of new traces that is sampled, 0 to 1
	CA       string                   `yaml:"ca"`       // of another collector than the journal: PEM file of its authorities, or "system"; empty: the journal, by the part's own certificate
	Headers  map[string]config.Secret `yaml:"headers"`  // sent with every batch, e.g. Authorization for a collector of others
}

// systemCA stands for the authorities that the machine trusts.
const systemCA = "system"

// Validate reports all faults together.
func (t Target) Validate() error {
	var faults []error
	if !(t.Ratio >= 0 && t.Ratio <= 1) {
		faults = append(faults, errors.New("telemetry.ratio is not between 0 and 1"))
	}
	u, err := url.Parse(t.Endpoint)
	if t.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return errors.Join(append(faults, errors.New("telemetry.endpoint is not an http(s) URL"))...)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		faults = append(faults, errors.New("telemetry.endpoint has no TLS, which is for a collector on the same machine only"))
	}
	if t.CA != "" && u.Scheme != "https" {
		faults = append(faults, errors.New("telemetry.ca is given, but the endpoint has no TLS"))
	}
	if len(t.Headers) > 0 && t.CA == "" {
		faults = append(faults, errors.New("telemetry.headers are for a collector with a ca: they may hold its secret"))
	}
	if _, err := t.authorities(); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// Client gives what carries the spans. toJournal speaks to the journal with the part's own certificate; it serves for
// every endpoint with TLS that names no ca.
func (t Target) Client(toJournal *http.Client) (*http.Client, error) {
	u, err := url.Parse(t.Endpoint)
	if err != nil {
		return nil, err
	}
	if t.CA == "" && u.Scheme == "https" {
		return toJournal, nil
	}
	roots, err := t.authorities()
	if err != nil {
		return nil, err
	}
	// A redirect would carry the collector's secret to wherever it leads.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{CheckRedirect: stay, Transport: withHeaders{t.Headers, &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, TLSHandshakeTimeout: exportTimeout,
		MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}}}, nil
}

// authorities gives nil for those of the system.
func (t Target) authorities() (*x509.CertPool, error) {
	if t.CA == "" || t.CA == systemCA {
		return nil, nil
	}
	text, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("telemetry.ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("telemetry.ca: %s holds no certificate", t.CA)
	}
	return roots, nil
}

type withHeaders struct {
	headers map[string]config.Secret
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, value := range w.headers {
		r.Header.Set(name, value.Reveal())
	}
	return w.next.RoundTrip(r)
}
