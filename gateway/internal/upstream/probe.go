package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/go-kit/kit/sd"

	"noorderhub.nl/hub/libs/discovery"
	"noorderhub.nl/hub/libs/outbound"
	registry "noorderhub.nl/hub/services/registry/api"
)

const (
	probeAddresses = 10              // of a service that are tried
	probeStep      = 2 * time.Second // for one step
	clockMost      = 30 * time.Second
)

// Probe tries every address of a service from here, step by step, and says of each fault what to do about it.
func (p *Pool) Probe(ctx context.Context, s *registry.Service) registry.ProbeResult {
	x := &probing{}
	config, err := p.tls(s)
	if err != nil {
		x.at(s.Slug).fault("tls", "het certificaat bij ca is niet te lezen", "the certificate in ca cannot be read", "Geef bij ca de PEM van de instantie.", "Give the PEM of the authority in ca.")
		return x.result()
	}
	reach, err := outbound.ParseReach(s.Upstream.Networks)
	if err != nil {
		return x.result()
	}
	dialer := &net.Dialer{Timeout: probeStep}
	if s.Upstream.Part == "" {
		dialer.Control = reach.Control
	}
	for _, host := range p.hosts(ctx, s.Upstream.Addresses, x) {
		x.at(host).try(ctx, dialer, config, s.Upstream.Health)
	}
	return x.result()
}

// hosts gives host:port of every instance: those of fixed addresses, and those that the catalogue has.
func (p *Pool) hosts(ctx context.Context, addresses []string, x *probing) []string {
	var out []string
	for _, a := range addresses {
		if !strings.HasPrefix(a, discovery.Catalogue) {
			if u, err := url.Parse(a); err == nil {
				host := u.Host
				if u.Port() == "" {
					host = net.JoinHostPort(u.Hostname(), "443")
				}
				out = append(out, host)
			}
			continue
		}
		found, err := p.catalogued(ctx, strings.TrimPrefix(a, discovery.Catalogue))
		if err != nil || len(found) == 0 {
			x.at(a).fault("catalogus", "Consul kent geen gezonde instantie met deze naam", "Consul knows no healthy instance by this name",
				"Meld de dienst in Consul aan onder deze naam, met een controle die slaagt.", "Register the service in Consul by this name, with a check that passes.")
			continue
		}
		x.at(a).good("catalogus", fmt.Sprintf("%d instanties in Consul", len(found)), fmt.Sprintf("%d instances in Consul", len(found)))
		out = append(out, found...)
	}
	return out[:min(len(out), probeAddresses)]
}

func (p *Pool) catalogued(ctx context.Context, name string) ([]string, error) {
	instancer, err := p.cfg.Catalogue(name)
	if err != nil {
		return nil, err
	}
	defer instancer.Stop()
	events := make(chan sd.Event, 4)
	instancer.Register(events)
	defer instancer.Deregister(events)
	select {
	case e := <-events:
		return e.Instances, e.Err
	case <-time.After(probeStep):
		return nil, errors.New("the catalogue did not answer")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// probing collects steps.
type probing struct {
	steps   []registry.ProbeStep
	address string
}

func (x *probing) result() registry.ProbeResult { return registry.ProbeResult{Steps: x.steps} }

func (x *probing) at(address string) *probing {
	x.address = address
	return x
}

func (x *probing) good(step, nl, en string) {
	x.steps = append(x.steps, registry.ProbeStep{Address: x.address, Step: step, OK: true, NL: nl, EN: en})
}

func (x *probing) fault(step, nl, en, nextNL, nextEN string) {
	x.steps = append(x.steps, registry.ProbeStep{Address: x.address, Step: step, NL: nl, EN: en, NextNL: nextNL, NextEN: nextEN})
}

// try goes through the steps of one address until one fails.
func (x *probing) try(ctx context.Context, dialer *net.Dialer, config *tls.Config, health string) {
	host, _, err := net.SplitHostPort(x.address)
	if err != nil {
		x.fault("dns", "dit is geen adres", "this is no address", "Geef https://host:poort.", "Give https://host:port.")
		return
	}
	if !x.lookup(ctx, host) {
		return
	}
	conn, ok := x.dial(ctx, dialer)
	if !ok {
		return
	}
	defer func() { _ = conn.Close() }()
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	secure := tls.Client(conn, config)
	if x.handshake(ctx, secure) {
		x.ask(ctx, secure, health)
	}
}

func (x *probing) lookup(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, probeStep)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		x.fault("dns", "de naam is vanaf deze gateway niet te vinden", "the name cannot be resolved from this gateway",
			"Controleer de naam, en of hij ook in de DNS van de hub staat.", "Check the name, and whether it stands in the DNS of the hub too.")
		return false
	}
	x.good("dns", fmt.Sprintf("%s is %s", host, found[0].Unmap()), fmt.Sprintf("%s is %s", host, found[0].Unmap()))
	return true
}

func (x *probing) dial(ctx context.Context, dialer *net.Dialer) (net.Conn, bool) {
	conn, err := dialer.DialContext(ctx, "tcp", x.address)
	var network net.Error
	switch {
	case err == nil:
		from, _, _ := net.SplitHostPort(conn.LocalAddr().String())
		x.good("poort", "de poort is open, vanaf "+from, "the port is open, from "+from)
		return conn, true
	case errors.Is(err, syscall.ECONNREFUSED):
		x.fault("poort", "op de poort luistert niets", "nothing listens on the port", "Start de dienst, of verbeter de poort.", "Start the service, or mend the port.")
	case errors.As(err, &network) && network.Timeout():
		x.fault("poort", "er komt geen antwoord van de poort", "the port does not answer",
			"Sta in de firewall verkeer van de gateways van de hub toe.", "Let traffic of the hub's gateways through the firewall.")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		x.fault("poort", "er is geen weg naar dit adres", "there is no route to this address", "Regel de verbinding met het netwerk van de hub.", "Arrange the connection with the hub's network.")
	default:
		x.fault("poort", "de gateway mag dit netwerk niet bereiken", "the gateway may not reach this network",
			"Vraag hubbeheer om het private netwerk aan uw organisatie toe te voegen.", "Ask the hub operator to add the private network to your organisation.")
	}
	return nil, false
}

func (x *probing) handshake(ctx context.Context, conn *tls.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, probeStep)
	defer cancel()
	err := conn.HandshakeContext(ctx)
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		leaf := conn.ConnectionState().PeerCertificates[0]
		x.good("tls", "certificaat goed tot "+leaf.NotAfter.Format(time.DateOnly), "certificate good until "+leaf.NotAfter.Format(time.DateOnly))
		return true
	case errors.As(err, &authority):
		x.fault("tls", "de instantie van het certificaat is onbekend", "the authority of the certificate is unknown",
			"Laat de dienst de hele keten sturen, of geef de instantie bij ca.", "Let the service send its whole chain, or give the authority in ca.")
	case errors.As(err, &name):
		x.fault("tls", "het certificaat is van een andere naam", "the certificate is for another name",
			"Gebruik de naam in het certificaat, of laat er een maken met deze naam.", "Use the name in the certificate, or have one made with this name.")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		x.fault("tls", "het certificaat is verlopen of nog niet geldig", "the certificate has expired or is not valid yet",
			"Vernieuw het certificaat, en kijk of de klok van de dienst gelijk loopt.", "Renew the certificate, and look whether the clock of the service is right.")
	default:
		x.fault("tls", "er komt geen TLS-verbinding tot stand", "no TLS connection comes about",
			"Laat de dienst op deze poort TLS 1.2 of hoger spreken.", "Let the service speak TLS 1.2 or newer on this port.")
	}
	return false
}

// ask gets the health path, or / to see that it is HTTP.
func (x *probing) ask(ctx context.Context, conn *tls.Conn, health string) {
	path := health
	if path == "" {
		path = "/"
	}
	_ = conn.SetDeadline(time.Now().Add(2 * probeStep))
	client := &http.Client{
		Transport: &http.Transport{
			DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+x.address+path, nil)
	if err != nil {
		x.fault("pad", "het gezondheidspad is geen pad", "the health path is no path", "Geef een pad zoals /gezond.", "Give a path such as /health.")
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		x.fault("pad", "er komt geen HTTP-antwoord", "no HTTP answer comes", "Kijk of op deze poort een webserver draait.", "Look whether a web server runs on this port.")
		return
	}
	defer func() { _ = resp.Body.Close() }()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		if off := time.Until(date).Round(time.Second); off.Abs() > clockMost {
			x.fault("klok", fmt.Sprintf("de klok van de dienst loopt %s anders", off), fmt.Sprintf("the clock of the service is off by %s", off),
				"Zet de klok gelijk met NTP: tokens leven kort.", "Synchronise the clock by NTP: tokens live shortly.")
		} else {
			x.good("klok", "de klok loopt gelijk", "the clock is right")
		}
	}
	status := fmt.Sprintf("GET %s: %d", path, resp.StatusCode)
	if health != "" && (resp.StatusCode < 200 || resp.StatusCode > 299) {
		x.fault("pad", status, status, "Laat het gezondheidspad 2xx antwoorden als de dienst werkt.", "Let the health path answer 2xx while the service works.")
		return
	}
	x.good("pad", status, status)
}
