package upstream

import (
	"net/netip"
	"testing"
)

func TestAServiceReachesTheInternetAndItsOwnNetworksOnly(t *testing.T) {
	own, err := reachOf([]string{"10.20.0.0/16", "fd00:1::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2a00:1450::1": true, "10.20.3.4": true, "fd00:1::9": true, "::ffff:10.20.3.4": true,
		"10.21.0.1": false, "127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "169.254.169.254": false, "fe80::1": false,
		"192.168.1.1": false, "172.16.0.1": false, "100.64.0.1": false, "0.0.0.0": false, "::": false, "224.0.0.1": false,
		"fd00:2::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "255.255.255.255": false,
	} {
		if got := own.allows(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
	if _, err := reachOf([]string{"10.0.0.0"}); err == nil {
		t.Error("a network without its size was taken")
	}
}
