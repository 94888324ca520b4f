package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

// balanced calls over a connection that begins with a header of the PROXY protocol, as HAProxy sends it.
func (r *rig) balanced(header []byte) (*http.Response, error) {
	transport := &http.Transport{
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.svc.AddrTLS())
			if err != nil {
				return nil, err
			}
			if _, err := conn.Write(header); err != nil {
				return nil, err
			}
			secure := tls.Client(conn, &tls.Config{RootCAs: r.ca.Pool(), ServerName: "127.0.0.1"})
			return secure, secure.HandshakeContext(ctx)
		},
		DisableKeepAlives: true,
	}
	q, err := http.NewRequest("GET", "https://"+r.svc.AddrTLS()+path, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Authorization", "Bearer "+r.token(nil))
	resp, err := transport.RoundTrip(q)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	return resp, err
}

func header(t *testing.T, version byte, protocol proxyproto.AddressFamilyAndProtocol, from net.Addr) []byte {
	t.Helper()
	h := &proxyproto.Header{Version: version, Command: proxyproto.PROXY, TransportProtocol: protocol, SourceAddr: from, DestinationAddr: from}
	var b bytes.Buffer
	if _, err := h.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestATrustedBalancerTellsTheClientsAddress(t *testing.T) {
	r := newRig(t, func(r *rig) { r.cfg.ProxyProtocol.Trusted = []string{"127.0.0.0/8"} })
	four := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}
	six := &net.TCPAddr{IP: net.ParseIP("2001:db8::7"), Port: 4711}
	for _, tc := range []struct {
		name   string
		header []byte
		want   string // "" for a connection that is refused
	}{
		{"version 1", header(t, 1, proxyproto.TCPv4, four), "for=192.0.2.7;"},
		{"version 1 with IPv6", header(t, 1, proxyproto.TCPv6, six), `for="[2001:db8::7]";`},
		{"version 2", header(t, 2, proxyproto.TCPv4, four), "for=192.0.2.7;"},
		{"version 2 with IPv6", header(t, 2, proxyproto.TCPv6, six), `for="[2001:db8::7]";`},
		{"the balancer's own connection", proxyLocal(t), "for=127.0.0.1;"},
		{"no header", nil, ""},
		{"a datagram's address", header(t, 2, proxyproto.UDPv4, &net.UDPAddr{IP: four.IP, Port: 1}), ""},
		{"a header that is not one", []byte("PROXY TCP4 moi moi 1 2\r\n"), ""},
		{"a version that is not known", append([]byte("\r\n\r\n\x00\r\nQUIT\n\x31\x11"), make([]byte, 14)...), ""},
	} {
		before := len(r.calls())
		resp, err := r.balanced(tc.header)
		if tc.want == "" {
			if err == nil || len(r.calls()) != before {
				t.Errorf("%s: got %v, want the connection refused", tc.name, resp.Status)
			}
			continue
		}
		if err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: got %v %v", tc.name, resp, err)
			continue
		}
		if got := r.calls()[before].Header.Get("Forwarded"); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: the service got Forwarded %q, want %q", tc.name, got, tc.want)
		}
	}
}

func proxyLocal(t *testing.T) []byte {
	t.Helper()
	h := &proxyproto.Header{Version: 2, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNobodyElseTellsAnAddress(t *testing.T) {
	from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}
	for name, trusted := range map[string][]string{"another balancer is trusted": {"192.0.2.0/24"}, "no balancer is trusted": nil} {
		r := newRig(t, func(r *rig) { r.cfg.ProxyProtocol.Trusted = trusted })
		if resp, err := r.balanced(header(t, 2, proxyproto.TCPv4, from)); err == nil {
			t.Errorf("%s: got %s, want the connection refused", name, resp.Status)
		}
		resp, err := r.balanced(nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: a client without balancer got %v %v", name, resp, err)
		}
		if got := r.calls()[0].Header.Get("Forwarded"); !strings.HasPrefix(got, "for=127.0.0.1;") {
			t.Errorf("%s: got Forwarded %q", name, got)
		}
	}
}
