package outbound

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// exchange is one call with its redirects: one deadline, one set of bounds, and connections of its own.
type exchange struct {
	ctx       context.Context // of this exchange; the type does not outlive the call that made it
	cancel    context.CancelCauseFunc
	o         Options
	window    time.Duration
	agent     string
	transport *http.Transport
}

var (
	errLate = errors.New("the deadline has passed")
	errDrip = errors.New("fewer bytes came than the minimum rate asks")
	errPin  = errors.New("the server's public key is not the pinned one")
)

func (c *Client) exchange(ctx context.Context, o Options) (*exchange, func()) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultBytes
	}
	if o.Deadline <= 0 {
		o.Deadline = defaultDeadline
	}
	ctx, stop := context.WithTimeoutCause(ctx, o.Deadline, errLate)
	ctx, cancel := context.WithCancelCause(ctx)
	dialer := &dialer{
		tcp: &net.Dialer{Timeout: connectTime, Resolver: c.settings.Resolver, Control: o.Reach.Control},
		tls: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots, VerifyConnection: pinned(o.Pin)},
	}
	var http1 http.Protocols
	http1.SetHTTP1(true) // one request a connection has no use for streams, and for what can go wrong with them
	x := &exchange{
		ctx: ctx, cancel: cancel, o: o, window: c.window, agent: c.settings.UserAgent,
		transport: &http.Transport{
			Proxy: nil, DialTLSContext: dialer.dial, DisableKeepAlives: true, Protocols: &http1, MaxResponseHeaderBytes: maxHeader,
		},
	}
	return x, func() {
		cancel(nil)
		stop()
		x.transport.CloseIdleConnections()
	}
}

// dialer makes TLS connections, and tells what goes wrong in the handshake from the rest.
type dialer struct {
	tcp *net.Dialer
	tls *tls.Config
}

type handshakeError struct{ error }

// Unwrap gives the fault itself.
func (e handshakeError) Unwrap() error { return e.error }

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	raw, err := d.tcp.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := d.tls.Clone()
	config.ServerName = host
	conn := tls.Client(raw, config)
	ctx, stop := context.WithTimeout(ctx, connectTime)
	defer stop()
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, handshakeError{err}
	}
	return conn, nil
}

// pinned holds a verified connection to one public key. "" holds it to none.
func pinned(pin string) func(tls.ConnectionState) error {
	if pin == "" {
		return nil
	}
	return func(state tls.ConnectionState) error {
		sum := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
		if base64.StdEncoding.EncodeToString(sum[:]) != pin {
			return errPin
		}
		return nil
	}
}

// send makes one request. Redirects come back as answers: RoundTrip follows none.
func (x *exchange) send(target *url.URL, method string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(x.ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, codeURL.New("this is not a URL that can be called").WithRule("https only")
	}
	for name, values := range x.o.Header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", x.agent)
	resp, err := x.transport.RoundTrip(req)
	if err != nil {
		return nil, x.refusal(target, err)
	}
	return resp, nil
}

// refusal says in words of ours what went wrong. Causes reach the log only; none holds path or query, for RoundTrip,
// unlike http.Client, does not add the URL.
func (x *exchange) refusal(at *url.URL, err error) error {
	var (
		shake  handshakeError
		lookup *net.DNSError
		op     *net.OpError
	)
	switch cause := context.Cause(x.ctx); {
	case errors.Is(cause, errDrip):
		return codeSlow.New("%s sends fewer than %d bytes a second", at.Host, defaultRate).WithRule("minimum rate")
	case errors.Is(cause, errLate):
		return codeSlow.New("%s is not done within %s", at.Host, x.o.Deadline).WithRule("deadline")
	case errors.Is(cause, context.DeadlineExceeded):
		return codeSlow.New("%s is not done in time", at.Host).WithRule("deadline")
	case cause != nil: // the caller called it off
		return cause
	case errors.Is(err, errOutOfReach):
		return codeNetwork.New("%s is at an address that is not on the internet and not in a network allowed to the organisation", at.Host).
			WithRule("allowed networks")
	case errors.As(err, &shake):
		return handshakeRefusal(at.Host, shake.error)
	case errors.As(err, &lookup):
		return codeUnreachable.Wrap(err, "the name %s is not found", at.Hostname()).WithRule("name in DNS")
	case errors.As(err, &op) && op.Op == "dial":
		return codeUnreachable.Wrap(err, "%s does not accept connections", at.Host).WithRule("connection")
	}
	return codeAnswer.Wrap(err, "%s broke the connection off or gives no proper HTTP answer", at.Host).WithRule("HTTP/1.1")
}

func handshakeRefusal(host string, err error) error {
	var (
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		other   *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return codeSlow.New("%s is not done with the TLS handshake within %s", host, connectTime).WithRule("deadline")
	case errors.Is(err, errPin):
		return codeCertificate.New("%s shows another key than the pinned one", host).WithRule("pin")
	case errors.As(err, &name):
		return codeCertificate.Wrap(err, "the certificate of %s is for another name", host).WithRule("host name in the certificate")
	case errors.As(err, &unknown):
		return codeCertificate.Wrap(err, "the certificate of %s is of an authority that is not trusted here", host).WithRule("trust anchors")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return codeCertificate.Wrap(err, "the certificate of %s has expired or is not valid yet", host).WithRule("validity of the certificate")
	case errors.As(err, &other):
		return codeCertificate.Wrap(err, "the certificate of %s is not valid", host).WithRule("validity of the certificate")
	}
	return codeCertificate.Wrap(err, "%s makes no TLS connection of version 1.2 or 1.3 with the hub", host).WithRule("TLS 1.2 or newer")
}

// watched is a body that has to keep coming.
type watched struct {
	body io.Reader
	read atomic.Int64
	done chan struct{}
}

// watch cuts the exchange off when a window passes with fewer bytes than the minimum rate asks.
func (x *exchange) watch(body io.Reader) *watched {
	w := &watched{body: body, done: make(chan struct{})}
	least := int64(defaultRate * x.window.Seconds())
	go func() {
		windows := time.NewTicker(x.window)
		defer windows.Stop()
		for {
			select {
			case <-w.done:
				return
			case <-windows.C:
				if w.read.Swap(0) < least {
					x.cancel(errDrip)
					return
				}
			}
		}
	}()
	return w
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.read.Add(int64(n))
	return n, err
}

func (w *watched) stop() { close(w.done) }
