package stack

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"

	"noorderhub.nl/hub/libs/app"
)

// Ports lie below those that the kernel gives to outgoing connections: a process that is killed must find its own free
// when it comes back.
const (
	firstPort = 20000
	portCount = 12000
)

// reserve gives n loopback addresses with a port that is free now. All are held until the last is known.
func reserve(ctx context.Context, n int) ([]string, error) {
	addresses := make([]string, 0, n)
	for range 50 * n {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(portCount))
		l, err := app.Listen(ctx, address)
		if err != nil {
			continue
		}
		defer l.Close()
		if addresses = append(addresses, address); len(addresses) == n {
			return addresses, nil
		}
	}
	return nil, fmt.Errorf("found only %d of %d free ports", len(addresses), n)
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}
