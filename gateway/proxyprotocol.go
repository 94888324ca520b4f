package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
)

// headerWait is how long a balancer may take for the header of the PROXY protocol, which it sends first of all.
const headerWait = 5 * time.Second

// behindBalancer takes the client's address from the PROXY protocol (version 1 and 2) on connections of trusted
// balancers. They must tell it, or the balancer's own address would pass for a client's; nobody else may, for a client
// that says who it is would be believed.
func behindBalancer(l net.Listener, cfg ProxyProtocolConfig) (net.Listener, error) {
	if len(cfg.Trusted) == 0 {
		return l, nil
	}
	var trusted []netip.Prefix
	for _, cidr := range cfg.Trusted {
		p, err := netip.ParsePrefix(cidr)
		if err != nil {
			return nil, fmt.Errorf("proxyProtocol.trusted: %w", err)
		}
		trusted = append(trusted, p.Masked())
	}
	return &proxyproto.Listener{
		Listener: l, ReadHeaderTimeout: headerWait, ValidateHeader: tellsAddress,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			tcp, ok := o.Upstream.(*net.TCPAddr)
			if !ok {
				return proxyproto.REJECT, proxyproto.ErrInvalidUpstream
			}
			from := tcp.AddrPort().Addr().Unmap()
			for _, p := range trusted {
				if p.Contains(from) {
					return proxyproto.REQUIRE, nil
				}
			}
			return proxyproto.REJECT, nil
		},
	}, nil
}

// tellsAddress takes the address of a TCP client, or none: that is the balancer's own connection, for its health check.
func tellsAddress(h *proxyproto.Header) error {
	if h.Command == proxyproto.LOCAL || h.TransportProtocol == proxyproto.TCPv4 || h.TransportProtocol == proxyproto.TCPv6 {
		return nil
	}
	return errors.New("the balancer tells no address of a TCP client")
}
