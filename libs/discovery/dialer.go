package discovery

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"

	"github.com/go-kit/kit/endpoint"
	"github.com/go-kit/kit/sd"
)

// Catalogue begins an address that is a name in a catalogue, "consul:NAME".
const Catalogue = "consul:"

// Dialer opens connections to whatever instance of a service is the best one, for clients that call few times and keep
// their connections. The host in the address it is asked for does not matter.
type Dialer struct {
	balancer *Balancer
}

// DialFunc opens a connection, as in http.Transport.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// NewDialer starts to follow the instances; Close ends that.
func NewDialer(instancer sd.Instancer, dial DialFunc, logger *slog.Logger) (*Dialer, error) {
	if dial == nil {
		return nil, errors.New("dialer: a way to open connections is required")
	}
	b, err := NewBalancer(Options{Instancer: instancer, Logger: logger, Factory: func(address string) (endpoint.Endpoint, io.Closer, error) {
		return func(ctx context.Context, network any) (any, error) { return dial(ctx, network.(string), address) }, nil, nil
	}})
	if err != nil {
		return nil, err
	}
	return &Dialer{balancer: b}, nil
}

// DialContext connects to the best instance, or else to the second best. ErrNoInstances when none is known.
func (d *Dialer) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	if err := d.balancer.Await(ctx); err != nil {
		return nil, err
	}
	first, err := d.balancer.Pick(nil)
	if err != nil {
		return nil, err
	}
	conn, err := first.Call(ctx, network)
	if err != nil && ctx.Err() == nil {
		if second, none := d.balancer.Pick(first); none == nil {
			conn, err = second.Call(ctx, network)
		}
	}
	if err != nil {
		return nil, err
	}
	return conn.(net.Conn), nil
}

// Close stops following. Open connections stay.
func (d *Dialer) Close() error { return d.balancer.Close() }
