package chain

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"noorderhub.nl/hub/gateway/internal/routes"
)

// front is the hub's outside address, as forwarded requests name it.
type front struct{ scheme, host string }

func parseFront(hub string) (front, error) {
	u, err := url.Parse(hub)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" || u.RawQuery != "" {
		return front{}, fmt.Errorf("%q is not the outside address of a hub", hub)
	}
	return front{u.Scheme, u.Host}, nil
}

// cutNames and cutPrefixes are fields that say who calls, from where, or what the request really is. Only the hub says
// that; from outside they are lies or a way around the routing. Names are compared with underscores read as dashes, for
// many servers do not tell the two apart.
var cutNames = map[string]bool{
	"authorization": true, "proxy-authorization": true, "dpop": true, "client-cert": true, "client-cert-chain": true,
	"forwarded": true, "via": true, "x-real-ip": true, "x-client-ip": true, "true-client-ip": true, "x-cluster-client-ip": true,
	"cf-connecting-ip": true, "x-host": true, "x-remote-user": true, "remote-user": true, "x-remote-addr": true,
	"x-http-method": true, "x-http-method-override": true, "x-method-override": true,
	"x-rewrite-url": true, "baggage": true, "traceparent": true, "tracestate": true, "noorderhub-answered-by": true,
	"cdn-loop": true, "expect": true, "x-client-cert": true, "ssl-client-cert": true, "x-transaction-id": true,
	"x-webauth-user": true, "client-ip": true, "x-forwarded": true,
}

var cutPrefixes = []string{
	"x-forwarded-", "fsc-", "x-hub-", "noorderhub-", "x-ssl-", "ssl-client-", "x-client-cert-", "x-client-verify", "x-envoy-",
	"x-noorderhub-", "x-nlx-", "x-auth-request-", "x-authenticated-", "x-consumer-", "x-credential-", "x-ms-client-principal",
	"x-goog-authenticated-", "x-amzn-oidc-", "x-original-",
}

// hopByHop end at the gateway (RFC 9110 §7.6.1).
var hopByHop = map[string]bool{
	"connection": true, "proxy-connection": true, "keep-alive": true, "proxy-authenticate": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "http2-settings": true,
}

// cut tells whether a field of the request ends here.
func cut(name string) bool {
	lower := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if cutNames[lower] || hopByHop[lower] {
		return true
	}
	for _, p := range cutPrefixes {
		if strings.HasPrefix(lower, p) {
			return true
		}
	}
	return false
}

// outgoing gives the header of the request to the service. What Connection names goes first; the hub's own fields are set
// after that, so nobody outside can nominate them away.
func (p *proxy) outgoing(call *Call, r *http.Request) http.Header {
	h := make(http.Header, len(r.Header)+8)
	named := nominated(r.Header)
	for name, values := range r.Header {
		if cut(name) || named[strings.ToLower(name)] {
			continue
		}
		h[name] = values
	}
	if call.Route.Service != nil || call.Route.Class == routes.ClassAdministration {
		h.Del("Cookie") // cookies of this host are the portal's
	}
	if te := r.Header.Get("Te"); strings.EqualFold(te, "trailers") {
		h.Set("Te", "trailers")
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if strings.Contains(host, ":") {
		host = `"[` + host + `]"` // RFC 7239 §6
	}
	h.Set("Forwarded", `for=`+host+`;host="`+p.front.host+`";proto=`+p.front.scheme)
	h.Set("X-Forwarded-Proto", p.front.scheme)
	h.Set("X-Forwarded-Host", p.front.host)
	h.Set("X-Forwarded-Prefix", "/")
	h.Set("Fsc-Transaction-Id", call.ID)
	if call.Route.Class == routes.ClassProtocol {
		if call.Certificate != nil {
			h.Set("Client-Cert", call.Certificate.Header)
		}
		// Client authentication by header is the authorization server's to judge.
		if a := r.Header["Authorization"]; a != nil {
			h["Authorization"] = a
		}
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // keeps net/http from naming itself
	}
	return h
}

// nominated gives the fields that Connection names.
func nominated(h http.Header) map[string]bool {
	values := h["Connection"]
	if len(values) == 0 {
		return nil
	}
	named := map[string]bool{}
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			named[strings.ToLower(strings.TrimSpace(name))] = true
		}
	}
	return named
}

// cutFromAnswers are fields of a service's answer that speak for the hub's host, or of the service's inside.
var cutFromAnswers = map[string]bool{
	"server": true, "via": true, "x-powered-by": true, "x-aspnet-version": true, "strict-transport-security": true,
	"alt-svc": true, "public-key-pins": true, "clear-site-data": true, "traceparent": true, "tracestate": true, "baggage": true,
	"fsc-transaction-id": true, "noorderhub-answered-by": true,
}

// cutFromServices are, besides, fields by which one service would loosen the browser protection of the host that all
// share; the hub's own stand.
var cutFromServices = map[string]bool{
	"set-cookie": true, "content-security-policy": true, "x-frame-options": true, "x-content-type-options": true,
	"service-worker-allowed": true,
}

// Answer gives the fields of a service's answer that go on to the client. A shared service sets no cookies: all services
// share one host with the portal.
func (c *Call) Answer(h http.Header) http.Header {
	named := nominated(h)
	kept := make(http.Header, len(h))
	for name, values := range h {
		lower := strings.ToLower(name)
		if hopByHop[lower] || cutFromAnswers[lower] || named[lower] || cutFromServices[lower] && c.Route.Service != nil {
			continue
		}
		kept[name] = values
	}
	return kept
}
