// Package discovery finds the instances of a service and picks one per call, behind go-kit's sd interfaces: an
// sd.Instancer tells which instances there are ([Static] for a fixed list, package consul for a Consul catalogue), a
// [Balancer] picks among them. A source that fails never takes instances away: the last known ones stay.
//
// Of go-kit only the interfaces are used. Its Endpointer drops weights, its retry cancels streamed answers, and its
// Consul Instancer leaves goroutines behind.
package discovery

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-kit/kit/sd"
)

// Instance is one place where a service runs.
type Instance struct {
	Address string // host:port; IPv6 hosts in brackets
	Weight  int    // share of the calls relative to the others; 1 or more
}

// String gives the form in which an instance travels in sd.Event: "host:port" or "host:port;weight=3".
func (i Instance) String() string {
	if i.Weight <= 1 {
		return i.Address
	}
	return i.Address + ";weight=" + strconv.Itoa(i.Weight)
}

// ParseInstance reads the form that String writes.
func ParseInstance(s string) (Instance, error) {
	address, weight, weighted := strings.Cut(s, ";weight=")
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return Instance{}, fmt.Errorf("instance %q is not host:port", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return Instance{}, fmt.Errorf("instance %q has no valid port", s)
	}
	in := Instance{Address: address, Weight: 1}
	if weighted {
		if in.Weight, err = strconv.Atoi(weight); err != nil || in.Weight < 1 {
			return Instance{}, fmt.Errorf("instance %q has no valid weight", s)
		}
	}
	return in, nil
}

// FromURL gives the instance behind an address such as https://host:8443. A scheme other than https, a path, a query or
// user information is refused: an instance is a place, nothing else. Without a port it is 443.
func FromURL(address string) (Instance, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Instance{}, fmt.Errorf("address: %w", err)
	}
	if u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return Instance{}, fmt.Errorf("address %q is not https://host:port", u.Redacted())
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return ParseInstance(net.JoinHostPort(u.Hostname(), port))
}

// Static is a fixed list of instances: the embedded twin of a catalogue.
type Static []Instance

var _ sd.Instancer = Static(nil)

// Register sends the list once.
func (s Static) Register(ch chan<- sd.Event) { ch <- sd.Event{Instances: Texts(s)} }

// Deregister does nothing: there is never a second event.
func (s Static) Deregister(chan<- sd.Event) {}

// Stop does nothing.
func (s Static) Stop() {}

// Texts gives the instances as they travel in sd.Event.
func Texts(instances []Instance) []string {
	texts := make([]string, len(instances))
	for i, in := range instances {
		texts[i] = in.String()
	}
	return texts
}
