package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// Reach are the networks beyond the public internet that one exchange may go to, e.g. 10.20.0.0/16: the allow-list of the
// organisation on whose behalf the hub calls. Without it whoever names a URL could make the hub call what only the hub can
// reach. The zero Reach allows the public internet alone.
type Reach []netip.Prefix

// ParseReach reads networks in CIDR form.
func ParseReach(networks []string) (Reach, error) {
	out := make(Reach, 0, len(networks))
	for _, text := range networks {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("network %q: not an address range such as 10.20.0.0/16", text)
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

// never are ranges that no allow-list opens: nothing that an organisation offers lives there, and the metadata services of
// cloud machines do.
var never = prefixes(
	"0.0.0.0/8",          // this host
	"169.254.0.0/16",     // link-local, metadata
	"224.0.0.0/4",        // multicast
	"240.0.0.0/4",        // reserved, broadcast
	"168.63.129.16/32",   // metadata of Azure, on a public address
	"100.100.100.200/32", // metadata of Alibaba
	"fd00:ec2::254/128",  // metadata of Amazon
	"fe80::/10",          // link-local
	"ff00::/8",           // multicast
	"::/128",             // this host
)

// special are IPv4 ranges that are not on the internet (IANA special-purpose registry), open to an allow-list.
var special = prefixes(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // private
	"100.64.0.0/10",                                   // carrier-grade NAT
	"127.0.0.0/8",                                     // loopback
	"192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", // protocol assignments, 6to4 relays, benchmarks
	"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation
	"2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20", // protocol assignments with Teredo, 6to4, documentation
	"2620:4f:8000::/48", // AS112
)

// internet6 is all of IPv6 that is handed out. What lies outside, as loopback, ULA, NAT64 and the IPv4-compatible form do,
// needs an allow-list: some of it hides an IPv4 address.
var internet6 = netip.MustParsePrefix("2000::/3")

// Allows tells whether addr may be called. An IPv4 address in IPv6 clothes (::ffff:0:0/96) counts as what it is; the other
// forms that hide one are refused.
func (r Reach) Allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() || within(never, addr) {
		return false
	}
	if within(r, addr) {
		return true
	}
	return !within(special, addr) && (addr.Is4() || internet6.Contains(addr))
}

// Control is for net.Dialer.Control: it sees the address that is about to be called, after the name was looked up, so no
// name can lead around it.
func (r Reach) Control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !r.Allows(at.Addr()) {
		return errOutOfReach
	}
	return nil
}

var errOutOfReach = errors.New("the address is outside the networks that may be called")

func within(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}
