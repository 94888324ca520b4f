package region

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
)

// Region is a region without faults.
type Region struct {
	File     *File
	Agreed   []Agreed // contracts by file name
	compiled api.Snapshot
}

// Agreed is a contract of the region with its verified signatures.
type Agreed struct {
	Name string // file name without .json
	*contract.Verified
}

// Options say how to read.
type Options struct {
	Now func() time.Time
	// WithoutContracts leaves the contract folder alone: for whoever is about to sign what the terms state.
	WithoutContracts bool
	// InForce are the content hashes of the contracts of the snapshot in force (api.Snapshot.Contracts). One that has
	// expired since drops out; any other expired contract is a fault.
	InForce []string
	// Touched hears every path that is read, so that a change of any can be noticed; may be nil.
	Touched func(path string)
}

// maxInput bounds every file that is read, in bytes.
const maxInput = 8 << 20

// loader is one reading of a region.
type loader struct {
	dir     string
	now     time.Time
	touch   func(string)
	inForce []string
	file    *File
	faults  faults

	anchors      *x509.CertPool
	orgs         map[string]*Organisation // by slug
	byOIN        map[string]*Organisation
	certificates map[string][][]*x509.Certificate // by OIN: chains, leaf first
	services     map[string]*api.Service          // by slug
	contracts    map[string]*contract.Verified    // by name
	open         map[string]bool                  // paths that a description leaves open to all, of those in public
}

// Load reads the region file at path and everything it names. The error is Faults when the region is what is wrong.
func Load(ctx context.Context, path string, opts Options) (*Region, error) {
	name := filepath.Base(path)
	if opts.Touched == nil {
		opts.Touched = func(string) {}
	}
	opts.Touched(path)
	text, err := readBounded(path)
	if err != nil {
		return nil, Faults{{File: name, Reason: err.Error()}}
	}
	l := &loader{
		dir: filepath.Dir(path), now: opts.Now(), touch: opts.Touched, inForce: opts.InForce, faults: faults{list: new([]Fault), file: name},
		orgs: map[string]*Organisation{}, byOIN: map[string]*Organisation{},
		certificates: map[string][][]*x509.Certificate{}, services: map[string]*api.Service{},
		contracts: map[string]*contract.Verified{}, open: map[string]bool{},
	}
	l.file = parseFile(text, l.faults)
	l.loadHub()
	snapshot := api.Snapshot{GroupID: l.file.Hub.GroupID}
	snapshot.Organisations = l.loadOrganisations()
	if hub, ok := l.orgs[l.file.Hub.Organisation]; ok {
		snapshot.HubOIN = hub.OIN
	}
	l.loadPeople()
	snapshot.Services = l.loadServices()
	region := &Region{File: l.file}
	if !opts.WithoutContracts {
		region.Agreed, snapshot.Grants = l.loadContracts(ctx)
		for _, a := range region.Agreed {
			snapshot.Contracts = append(snapshot.Contracts, a.Content.Hash())
		}
		slices.Sort(snapshot.Contracts)
	}
	l.checkTerms(opts.WithoutContracts)
	snapshot.Clients = l.loadClients(opts.WithoutContracts)
	region.compiled = snapshot
	if err := l.faults.err(); err != nil {
		return nil, err
	}
	return region, ctx.Err()
}

// Snapshot gives what was compiled: sorted, the same for the same files, without version, time and keys of parts.
func (r *Region) Snapshot() api.Snapshot { return r.compiled }

// Expired names the contract files of the region that have expired and give no access any more.
func (r *Region) Expired(now time.Time) []string {
	var names []string
	for _, a := range r.Agreed {
		if a.State(now) == contract.Expired {
			names = append(names, a.Name+".json")
		}
	}
	return names
}

func (l *loader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.dir, name)
}

// read reads a file that the region names; ok is false when the fault is noted.
func (l *loader) read(name string, f faults) (text []byte, ok bool) {
	if name == "" {
		f.add("no file named")
		return nil, false
	}
	l.touch(l.path(name))
	text, err := readBounded(l.path(name))
	if err != nil {
		f.add("%s", err)
		return nil, false
	}
	return text, true
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxInput+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxInput {
		return nil, fmt.Errorf("%s is larger than %d bytes", filepath.Base(path), maxInput)
	}
	return text, nil
}
