package outbound

import (
	"net/netip"
	"testing"
)

func TestOnlyTheInternetAndAllowedNetworksAreInReach(t *testing.T) {
	allowed, err := ParseReach([]string{"10.20.0.0/16", "fd12:3456::/32", "192.168.7.9/32", "127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	everything, err := ParseReach([]string{"0.0.0.0/0", "::/0"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		addr                        string
		public, allowed, everything bool
	}{
		{"8.8.8.8", true, true, true},
		{"2a02:1::1", true, true, true},
		{"::ffff:8.8.8.8", true, true, true},
		{"10.20.3.4", false, true, true},
		{"::ffff:10.20.3.4", false, true, true},
		{"10.21.3.4", false, false, true},
		{"172.16.0.1", false, false, true},
		{"172.31.255.255", false, false, true},
		{"172.32.0.1", true, true, true},
		{"192.168.7.9", false, true, true},
		{"192.168.7.10", false, false, true},
		{"127.0.0.1", false, true, true},
		{"::1", false, false, true},
		{"fd12:3456::1", false, true, true},
		{"fc00::1", false, false, true},
		{"100.64.0.1", false, false, true},
		{"192.0.2.1", false, false, true},
		{"198.18.0.1", false, false, true},
		{"192.88.99.1", false, false, true},
		{"64:ff9b::7f00:1", false, false, true},
		{"64:ff9b::a14:304", false, false, true}, // 10.20.3.4 by NAT64
		{"64:ff9b:1::1", false, false, true},
		{"2002:7f00:1::1", false, false, true},  // 6to4
		{"2002:a14:304::1", false, false, true}, // 6to4 of an allowed address
		{"2001::1", false, false, true},         // Teredo
		{"::127.0.0.1", false, false, true},     // IPv4-compatible
		{"2001:db8::1", false, false, true},
		{"fec0::1", false, false, true}, // site-local
		{"169.254.169.254", false, false, false},
		{"::ffff:169.254.169.254", false, false, false},
		{"fd00:ec2::254", false, false, false},
		{"168.63.129.16", false, false, false},
		{"100.100.100.200", false, false, false},
		{"fe80::1", false, false, false},
		{"fe80::1%eth0", false, false, false},
		{"224.0.0.1", false, false, false},
		{"ff02::1", false, false, false},
		{"255.255.255.255", false, false, false},
		{"0.0.0.0", false, false, false},
		{"0.1.2.3", false, false, false},
		{"::", false, false, false},
	} {
		addr := netip.MustParseAddr(tt.addr)
		for _, reach := range []struct {
			name string
			r    Reach
			want bool
		}{{"none", nil, tt.public}, {"a list", allowed, tt.allowed}, {"a list of everything", everything, tt.everything}} {
			if got := reach.r.Allows(addr); got != reach.want {
				t.Errorf("%s with %s: got %v, want %v", tt.addr, reach.name, got, reach.want)
			}
		}
	}
	if (Reach{}).Allows(netip.Addr{}) {
		t.Error("no address is in reach")
	}
}

func TestANetworkIsWrittenAsARange(t *testing.T) {
	for _, text := range []string{"10.0.0.1", "10.0.0.0/33", "intranet", "", "fd00::/200"} {
		if _, err := ParseReach([]string{text}); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
