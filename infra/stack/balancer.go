package stack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// balancer is HAProxy in front of the gateways: it passes TLS through by the name the client asks for, tells the gateways
// the client's address, and takes a gateway out as soon as its readyz says so.
func (s *Stack) balancer(t tools, gateways []string) (*Process, error) {
	var b strings.Builder
	fmt.Fprintf(&b, `global
  maxconn 4000
  hard-stop-after 3s
  log stderr format raw local0 warning
defaults
  mode tcp
  log global
  timeout connect 2s
  timeout client 2m
  timeout server 2m
  timeout check 1s
frontend hub
  bind %s
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  tcp-request content reject
  use_backend gateways if { req.ssl_sni -i %s }
backend gateways
  balance roundrobin
  option redispatch
  retries 2
  option httpchk GET /readyz
  http-check expect status 200
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions send-proxy-v2
`, s.at["hub"], hubName)
	for _, name := range gateways {
		fmt.Fprintf(&b, "  server %s %s check addr 127.0.0.1 port %s\n", name, s.at[name], port(s.at[name+"-admin"]))
	}
	file := filepath.Join(s.dir, "config", "haproxy.cfg")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return nil, err
	}
	p := s.process("haproxy", t.haproxy, "-db", "-f", file)
	p.end = syscall.SIGUSR1 // soft: connections may finish
	p.ready = s.throughBalancer
	return p, nil
}

// throughBalancer wants an answer of a gateway over a connection of its own.
func (s *Stack) throughBalancer(ctx context.Context) error {
	config, err := s.TLS()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the hub answers %s", resp.Status)
	}
	return nil
}

// TLS trusts the hub's outside certificate.
func (s *Stack) TLS() (*tls.Config, error) {
	text, err := os.ReadFile(s.files.CA())
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", s.files.CA())
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}
