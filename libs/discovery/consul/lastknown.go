package consul

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"noorderhub.nl/hub/libs/discovery"
)

// lastKnown keeps the instances of one service in a file, a line each, so that a part that starts while the agent is away
// works with those it had. They are addresses, nothing that proves who answers there: that is the business of TLS.
type lastKnown string

// lastKnown gives the place of a service; empty where nothing is kept.
func (c *Client) lastKnown(service string) lastKnown {
	if c.cfg.LastKnown == "" {
		return ""
	}
	return lastKnown(filepath.Join(c.cfg.LastKnown, url.PathEscape(service)+".instances"))
}

// put replaces the file in one step. An empty list is not kept: it would help nobody at a start.
func (f lastKnown) put(instances []string) error {
	if f == "" || len(instances) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(string(f)), 0o750); err != nil {
		return err
	}
	// A name of its own: two followers of one service write at the same time.
	fresh, err := os.CreateTemp(filepath.Dir(string(f)), filepath.Base(string(f))+".*.new")
	if err != nil {
		return err
	}
	_, err = fresh.WriteString(strings.Join(instances, "\n") + "\n")
	if err = errors.Join(err, fresh.Close()); err == nil {
		err = os.Rename(fresh.Name(), string(f))
	}
	if err != nil {
		_ = os.Remove(fresh.Name())
	}
	return err
}

// get reads what was kept. Lines that are no instance are left out; a missing file is no error.
func (f lastKnown) get() ([]string, error) {
	if f == "" {
		return nil, nil
	}
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var instances []string
	for line := range strings.Lines(string(text)) {
		if in, err := discovery.ParseInstance(strings.TrimSpace(line)); err == nil {
			instances = append(instances, in.String())
		}
	}
	return instances, err
}

// recall takes the kept instances as a start, once, when the agent is away before it told any.
func (i *Instancer) recall(ctx context.Context) []string {
	if i.told != nil {
		return nil
	}
	instances, err := i.kept.get()
	if err != nil {
		i.client.logger.WarnContext(ctx, "last known instances not read", "service", i.service, "error", err)
	}
	i.told = instances
	if len(instances) > 0 {
		i.client.logger.WarnContext(ctx, "consul is away at the start, going on with the last known instances", "service", i.service, "instances", len(instances))
	}
	return instances
}
