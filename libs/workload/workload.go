// Package workload lets the parts of the hub recognise each other: TLS 1.3 with a certificate on both sides, one
// certificate per part, named <part>.hub.internal. Certificates are read from files and read again when the files
// change, so they are renewed without a restart and without dropping a connection.
package workload

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// suffix is the domain of part names. The TLD internal is reserved for private use, so no public authority certifies it.
const suffix = ".hub.internal"

var partName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// ServerName is the DNS name in the certificate of a part.
func ServerName(part string) string { return part + suffix }

// Server is the TLS configuration of a part's listener. Only peers with a certificate of the same authority and one of
// the allowed part names get through the handshake; with no name allowed, nobody does.
func (id *Identity) Server(allowed ...string) *tls.Config {
	allowed = slices.Clone(allowed)
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		// The outer configuration serves no connection itself: each one gets the certificate and anchors of this moment.
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			m := id.current()
			return &tls.Config{
				MinVersion:   tls.VersionTLS13,
				NextProtos:   []string{"http/1.1"},
				Certificates: []tls.Certificate{m.cert},
				ClientAuth:   tls.RequireAndVerifyClientCert,
				ClientCAs:    m.anchors,
				// A resumed session would keep the anchors and the peer of its first handshake.
				SessionTicketsDisabled: true,
				VerifyConnection: func(cs tls.ConnectionState) error {
					if part := peer(&cs); part == "" || !slices.Contains(allowed, part) {
						return fmt.Errorf("peer %q is not allowed here", part)
					}
					return nil
				},
			}, nil
		},
	}
}

// Client is the TLS configuration for connections to a part. The server must show the name of that part under the
// current anchors, whatever host or address was dialled.
func (id *Identity) Client(part string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: ServerName(part),
		NextProtos: []string{"http/1.1"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert := id.current().cert
			return &cert, nil
		},
		// crypto/tls verifies against a fixed pool only. VerifyConnection below does the same check against the anchors
		// of this moment and runs on every handshake, so nothing is skipped.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(cs tls.ConnectionState) error {
			return verifyServer(cs, part, id.current().anchors)
		},
	}
}

func verifyServer(cs tls.ConnectionState, part string, anchors *x509.CertPool) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("server showed no certificate")
	}
	intermediates := x509.NewCertPool()
	for _, c := range cs.PeerCertificates[1:] {
		intermediates.AddCert(c)
	}
	_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{
		DNSName:       ServerName(part),
		Roots:         anchors,
		Intermediates: intermediates,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

// HTTPClient calls a part over HTTP/1.1 with kept-alive connections. It follows no redirect, uses no proxy of the
// environment, and has no overall timeout: callers bound each call by its context, long polls included.
func (id *Identity) HTTPClient(part string) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			TLSClientConfig:       id.Client(part),
			TLSHandshakeTimeout:   5 * time.Second,
			MaxIdleConnsPerHost:   64,
			IdleConnTimeout:       90 * time.Second,
			ExpectContinueTimeout: time.Second,
			DisableCompression:    true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Peer is the name of the part at the other end of a connection that Server accepted, such as "gateway". It is empty for
// plain connections and for certificates that were not verified.
func Peer(r *http.Request) string { return peer(r.TLS) }

func peer(cs *tls.ConnectionState) string {
	if cs == nil || len(cs.VerifiedChains) == 0 || len(cs.PeerCertificates) == 0 {
		return ""
	}
	return leafPart(cs.PeerCertificates[0])
}

// leafPart is the one part a certificate speaks for, empty when it names none or several.
func leafPart(leaf *x509.Certificate) string {
	part := ""
	for _, name := range leaf.DNSNames {
		p, ok := strings.CutSuffix(name, suffix)
		if !ok {
			continue
		}
		if part != "" || !partName.MatchString(p) {
			return ""
		}
		part = p
	}
	return part
}
