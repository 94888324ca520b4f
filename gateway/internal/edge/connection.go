package edge

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/http"
	"sync"

	"noorderhub.nl/hub/gateway/internal/chain"
)

type connectionKey struct{}

// connection holds what is the same for every call on one TLS connection.
type connection struct {
	once        sync.Once
	certificate *chain.Certificate
}

// ConnContext is for http.Server.ConnContext: the thumbprint of a client certificate is made once per connection.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{})
}

// certificateOf gives the client certificate of the connection, nil when none was verified.
func certificateOf(r *http.Request) *chain.Certificate {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	c, ok := r.Context().Value(connectionKey{}).(*connection)
	if !ok {
		return read(r.TLS)
	}
	c.once.Do(func() { c.certificate = read(r.TLS) })
	return c.certificate
}

func read(state *tls.ConnectionState) *chain.Certificate {
	der := state.PeerCertificates[0].Raw
	sum := sha256.Sum256(der)
	return &chain.Certificate{
		Thumbprint: base64.RawURLEncoding.EncodeToString(sum[:]),
		Header:     ":" + base64.StdEncoding.EncodeToString(der) + ":",
	}
}
