// Package allinone is the whole hub in one process: every part with its own listener and certificate, talking to the
// others as in production, on embedded stores, with a demo region whose contracts it signs itself. infra/up runs it for
// people, the end-to-end tests for themselves.
package allinone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/infra/demo"
	"noorderhub.nl/hub/infra/up/material"
	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/telemetry"
)

// Options of a demo hub.
type Options struct {
	Data      string   // folder for everything it makes
	Keep      bool     // go on with what is in the folder; else it is emptied
	BAG       []string // official BAG 2.0 extracts; none: the fictional town
	Listen    string   // without TLS, loopback only; port 0 takes a free one
	ListenTLS string   // with TLS, client certificates welcome
	Log       *os.File // JSON lines of all parts; nil: hub.log in the folder
}

// Hub is a running demo hub.
type Hub struct {
	URL  string // outside address and issuer
	MTLS string // outside address of the listener that takes client certificates
	Data string // absolute
	Demo demo.File

	names []string
	lock  *os.File
	log   *os.File

	mu    sync.Mutex // guards parts: the status page looks at them while they start
	parts []*running
}

// Start wires the parts in the order in which they need each other and waits until all are ready. What was started
// before a fault is stopped again.
func Start(ctx context.Context, o Options) (_ *Hub, err error) {
	dir, err := filepath.Abs(o.Data)
	if err != nil {
		return nil, err
	}
	h := &Hub{Data: dir}
	if h.lock, err = openFolder(dir, o.Keep); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Stop())
		}
	}()
	if h.log = o.Log; h.log == nil {
		if h.log, err = os.OpenFile(filepath.Join(dir, "hub.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return nil, err
		}
	}
	s, err := prepare(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	h.URL, h.MTLS = s.hub, s.mtls
	if h.Demo, err = material.DemoFile(s.files, s.region, s.hub, s.mtls, s.made); err != nil {
		return nil, err
	}
	if err := h.Demo.Write(dir); err != nil { // last of what is made once: it says that the folder is complete
		return nil, err
	}
	for _, o := range s.region.Organisations {
		h.names = append(h.names, o.Slug)
	}
	if err := h.startParts(ctx, s); err != nil {
		return nil, err
	}
	if err := awaitReady(ctx, h.parts); err != nil {
		return nil, err
	}
	return h, nil
}

// Names are the demo organisations, in the order of the region file.
func (h *Hub) Names() []string { return h.names }

// Failed waits until ctx ends, nil, or a part ends by itself, which is its error.
func (h *Hub) Failed(ctx context.Context) error {
	failed := make(chan *running, len(h.parts))
	for _, r := range h.parts {
		go func() {
			select {
			case <-r.done:
				failed <- r
			case <-ctx.Done():
			}
		}()
	}
	select {
	case r := <-failed:
		return fmt.Errorf("%s ended: %w", r.name, r.err)
	case <-ctx.Done():
		return nil
	}
}

// Stop ends the parts in order and gives the folder free.
func (h *Hub) Stop() error {
	h.mu.Lock()
	parts := h.parts
	h.parts = nil
	h.mu.Unlock()
	faults := []error{stopAll(parts)}
	for _, f := range []*os.File{h.log, h.lock} {
		if f != nil {
			faults = append(faults, f.Close())
		}
	}
	h.log, h.lock = nil, nil
	return errors.Join(faults...)
}

// setting is what the parts' configurations are made of.
type setting struct {
	files     material.Files
	region    *material.Region
	made      time.Time
	hub, mtls string
	ports     map[string]string // part → host:port of its own listener
	listen    string
	listenTLS string
	extracts  []string
}

// prepare makes what must be there before the first part starts: keys, the region file, signed contracts, address data.
func prepare(ctx context.Context, dir string, o Options) (*setting, error) {
	before, err := demo.Load(dir)
	complete := err == nil
	s := &setting{files: material.Files{Dir: dir}, made: time.Now(), extracts: o.BAG, ports: map[string]string{}}
	if complete {
		s.made = before.Made
	}
	if age := time.Since(s.made); age > material.ContractLife {
		return nil, fmt.Errorf("the demo contracts in %s were signed on %s and have expired: empty the folder, or choose another",
			dir, s.made.Format(time.DateOnly))
	}
	names := material.Parts()
	addresses, err := reserve(ctx, append([]string{o.Listen, o.ListenTLS}, make([]string, len(names))...))
	if err != nil {
		return nil, err
	}
	s.listen, s.listenTLS = addresses[0], addresses[1]
	s.hub, s.mtls = "http://"+s.listen, "https://"+s.listenTLS
	for i, part := range names {
		s.ports[part] = addresses[2+i]
	}
	if s.region, err = material.WriteRegion(s.files, material.Places{
		Upstreams: map[string][]string{"address": {s.url("address")}, "cases": {s.url("cases")}}, Signed: s.made,
	}); err != nil {
		return nil, err
	}
	if !complete {
		if _, err := material.Make(s.files, s.region, material.Options{Names: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}}); err != nil {
			return nil, err
		}
		if err := material.SignContracts(ctx, s.files, s.region, s.made); err != nil {
			return nil, err
		}
	}
	// A kept folder goes on with the addresses it has; the town is for a new one.
	if _, err := os.Stat(s.files.Path("address", "CURRENT")); len(s.extracts) == 0 && err != nil {
		town := s.files.Path(bagextract.TownFile)
		s.extracts = []string{town}
		return s, writeTown(town)
	}
	return s, nil
}

// reserve turns host:port addresses into ones with a port that is free now; an empty one is any port on loopback. All are
// held until the last is known, so that none is given twice.
func reserve(ctx context.Context, addresses []string) ([]string, error) {
	free := make([]string, len(addresses))
	for i, address := range addresses {
		if address == "" {
			address = "127.0.0.1:0"
		}
		l, err := app.Listen(ctx, address)
		if err != nil {
			return nil, err
		}
		defer l.Close()
		free[i] = l.Addr().String()
	}
	return free, nil
}

func writeTown(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	if err := errors.Join(bagextract.WriteTown(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// telemetryFor sets up a part's measuring. The demo keeps every trace.
func (h *Hub) telemetryFor(ctx context.Context, s *setting, part string) (*telemetry.Telemetry, *slog.Logger, error) {
	logger := telemetry.Logger(h.log, part, slog.LevelInfo)
	client, err := workloadClient(s.files.Pair(part), "journal")
	if err != nil {
		return nil, nil, err
	}
	t, err := telemetry.Setup(ctx, telemetry.Config{
		Service: part, Endpoint: "https://" + s.ports["journal"] + "/v1/traces", Ratio: 1, Border: part == "gateway", Delay: 200 * time.Millisecond,
	}, telemetry.Deps{Client: client, Logger: logger})
	return t, logger, err
}
