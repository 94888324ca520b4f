package upstream

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrOutOfReach says that an address is not one that the owner of the service may have the gateway call.
var ErrOutOfReach = errors.New("the address is outside the networks of its organisation")

// reach says which addresses a service of an organisation may be at: any on the internet, and those private networks that
// the hub's operator allowed its owner. Without it whoever puts a service on the hub could make the gateway call what only
// the gateway can reach. It is asked at the dial, after the name was looked up, so no name can lead around it.
type reach []netip.Prefix

// reachOf reads the networks of a service, in CIDR form.
func reachOf(networks []string) (reach, error) {
	out := make(reach, 0, len(networks))
	for _, text := range networks {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("network %q: %w", text, err)
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

// special are ranges that are not on the internet though netip takes them for global unicast: carrier-grade NAT, benchmarks,
// protocol assignments, 6to4 and NAT64, whose addresses hide others.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/23"),
}

func (r reach) allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, own := range r {
		if own.Contains(addr) {
			return true
		}
	}
	for _, s := range special {
		if s.Contains(addr) {
			return false
		}
	}
	return addr.IsGlobalUnicast() && !addr.IsPrivate()
}

// control is for net.Dialer.Control.
func (r reach) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !r.allows(at.Addr()) {
		return ErrOutOfReach
	}
	return nil
}
