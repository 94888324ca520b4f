// Package stack runs the hub as in production: every part a process of its own with a configuration file, on PostgreSQL,
// Redis and Consul, with certificates between parts, several gateways, and HAProxy in front that passes TLS through. All
// of it listens on loopback, lives in one folder and ends with the process that started it.
package stack

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"noorderhub.nl/hub/infra/demo"
	"noorderhub.nl/hub/infra/up/material"
)

// hubName is the outside name: HAProxy passes TLS on by it, so it must not be an address.
const hubName = "localhost"

// Options of a stack. The zero value is three gateways and two instances of the address service.
type Options struct {
	Root      string // the repository; empty: found from the working directory upwards
	Dir       string // folder for everything; empty: a new one that Stop removes
	Bin       string // folder with the programs; empty: they are built into Dir
	Gateways  int    // default 3
	Addresses int    // instances of the address service; default 2
	// Terms gives demo contracts other terms before they are signed: contract → term → value in YAML.
	Terms map[string]map[string]string
	// Gateway overrides keys of the gateways' configuration, e.g. logMaxBytes.
	Gateway map[string]any
	Say     func(format string, args ...any) // told of each step; may be nil
}

// Stack is a hub that runs.
type Stack struct {
	URL  string // outside address, through HAProxy; also where client certificates are taken
	Data string // folder with demo.json, for NOORDERHUB_DATA of hubctl
	Bin  string // folder with the programs, hubctl among them
	Demo demo.File

	options   Options
	dir       string
	remove    bool
	files     material.Files
	region    *material.Region
	counts    map[string]int
	at        map[string]string // process, or process-admin → host:port
	spawn     spawner
	processes []*Process // in the order in which they are started
}

// single are the parts with one process, in the order in which they need each other.
var single = []string{"registry", "journal", "authserver", "cases", "portal"}

// Start builds what is missing, starts everything and waits until calls are welcome. What was started before a fault is
// stopped again.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	s, err := Prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.kill())
		}
	}()
	t, err := findTools(s.options.Root)
	if err != nil {
		return nil, err
	}
	if err := s.startStores(ctx, t); err != nil {
		return nil, err
	}
	return s, s.startParts(ctx, t)
}

// Prepare makes programs, addresses, keys, contracts and configuration files, and starts nothing. Stop removes them.
func Prepare(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{options: o, at: map[string]string{}, spawn: newSpawner()}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.clear())
	}
	return s, nil
}

func (s *Stack) prepare(ctx context.Context) error {
	o := &s.options
	var err error
	if o.Gateways == 0 {
		o.Gateways = 3
	}
	if o.Addresses == 0 {
		o.Addresses = 2
	}
	if o.Root == "" {
		if o.Root, err = Root(); err != nil {
			return err
		}
	}
	if s.dir = o.Dir; s.dir == "" {
		s.remove = true
		if s.dir, err = os.MkdirTemp("", "noorderhub-stack-"); err != nil {
			return err
		}
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return err
	}
	// The database's user must be able to go through it; what is secret is in folders of the owner's only.
	if err := errors.Join(os.MkdirAll(s.dir, 0o755), os.Chmod(s.dir, 0o755)); err != nil {
		return err
	}
	for _, folder := range []string{"config", "data", "hub", "logs"} {
		if err := os.MkdirAll(filepath.Join(s.dir, folder), 0o700); err != nil {
			return err
		}
	}
	if o.Bin == "" {
		o.Bin = filepath.Join(s.dir, "bin")
		s.say("building")
		if err := Build(ctx, o.Root, o.Bin); err != nil {
			return err
		}
	}
	s.Bin, s.Data, s.files = o.Bin, filepath.Join(s.dir, "hub"), material.Files{Dir: filepath.Join(s.dir, "hub")}
	s.counts = map[string]int{"gateway": o.Gateways, "address": o.Addresses}
	if err := s.reservePorts(ctx); err != nil {
		return err
	}
	return s.makeHub(ctx)
}

func (s *Stack) reservePorts(ctx context.Context) error {
	names := []string{"hub", "postgres", "redis", "consul", "consul-serf", "consul-rpc"}
	for _, name := range s.partNames() {
		names = append(names, name, name+"-admin")
	}
	addresses, err := reserve(ctx, len(names))
	if err != nil {
		return err
	}
	for i, name := range names {
		s.at[name] = addresses[i]
	}
	s.URL = "https://" + net.JoinHostPort(hubName, port(s.at["hub"]))
	return nil
}

func (s *Stack) partNames() []string {
	names := append([]string{}, single...)
	for _, part := range []string{"address", "gateway"} {
		names = append(names, material.Instances(part, s.counts)...)
	}
	return names
}

func (s *Stack) makeHub(ctx context.Context) error {
	made := time.Now()
	var err error
	s.region, err = material.WriteRegion(s.files, material.Places{
		Upstreams: map[string][]string{"address": {"consul:address"}, "cases": {"consul:cases"}}, Signed: made, Terms: s.options.Terms,
	})
	if err != nil {
		return err
	}
	_, err = material.Make(s.files, s.region, material.Options{
		Instances: s.counts, Names: []string{hubName}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, KeepAuthorities: true,
	})
	if err != nil {
		return err
	}
	if err := material.SignContracts(ctx, s.files, s.region, made); err != nil {
		return err
	}
	if s.Demo, err = material.DemoFile(s.files, s.region, s.URL, s.URL, made); err != nil {
		return err
	}
	return errors.Join(s.Demo.Write(s.Data), s.writeConfigurations())
}

func (s *Stack) startStores(ctx context.Context, t tools) error {
	if _, err := s.postgres(ctx, t); err != nil {
		return err
	}
	s.redis(t)
	s.consul(t)
	s.say("PostgreSQL, Redis, Consul")
	if err := together(ctx, s.processes, start); err != nil {
		return err
	}
	return s.createDatabases(ctx, "registry", "journal", "authserver", "cases")
}

// startParts launches all parts and the balancer at once: each waits for what it needs.
func (s *Stack) startParts(ctx context.Context, t tools) error {
	var parts []*Process
	for _, name := range s.partNames() {
		parts = append(parts, s.part(strings.TrimRight(name, "-0123456789"), name))
	}
	balancer, err := s.balancer(t, material.Instances("gateway", s.counts))
	if err != nil {
		return err
	}
	s.say("%d parts, HAProxy at %s", len(parts), s.URL)
	return together(ctx, append(parts, balancer), start)
}

func start(ctx context.Context, p *Process) error { return p.Start(ctx) }

func (s *Stack) process(name, program string, args ...string) *Process {
	p := &Process{Name: name, program: program, args: args, logFile: filepath.Join(s.dir, "logs", name+".log"), spawn: s.spawn}
	s.processes = append(s.processes, p)
	return p
}

// Process gives the process with a name: a part ("registry"), an instance ("gateway-2", "address-1"), "postgres",
// "redis", "consul" or "haproxy". A name that is not there is a fault of the caller.
func (s *Stack) Process(name string) *Process {
	for _, p := range s.processes {
		if p.Name == name {
			return p
		}
	}
	panic("the stack has no process " + name)
}

// Names are the processes in the order in which they were started.
func (s *Stack) Names() []string {
	names := make([]string, len(s.processes))
	for i, p := range s.processes {
		names[i] = p.Name
	}
	return names
}

// Instances are the processes of a part.
func (s *Stack) Instances(part string) []*Process {
	var all []*Process
	for _, name := range material.Instances(part, s.counts) {
		all = append(all, s.Process(name))
	}
	return all
}

// Signers gives the signing keys of the demo organisations, for scenarios in which an organisation signs for itself.
func (s *Stack) Signers() (material.Hand, error) { return material.Signers(s.files, s.region) }

// Address is host:port of a process's own listener, e.g. of "postgres".
func (s *Stack) Address(name string) string { return s.at[name] }

// Logs are the last lines of all processes, for the text of a failure.
func (s *Stack) Logs() string {
	var b strings.Builder
	for _, p := range s.processes {
		b.WriteString(p.Log())
	}
	return b.String()
}

// Stop ends all processes in the reverse of the order they were started in: first no calls come, last the stores go. A part
// that does not end with exit code 0 is an error.
func (s *Stack) Stop() error {
	var faults []error
	for i := len(s.processes) - 1; i >= 0; i-- {
		faults = append(faults, s.processes[i].Stop())
	}
	return errors.Join(append(faults, s.clear())...)
}

// kill ends what was started when the start failed.
func (s *Stack) kill() error {
	for _, p := range s.processes {
		p.Kill()
	}
	return s.clear()
}

func (s *Stack) clear() error {
	if !s.remove || s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}

func (s *Stack) say(format string, args ...any) {
	if s.options.Say != nil {
		s.options.Say(format, args...)
	}
}
