package region

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// Region is a region without faults.
type Region struct {
	File     *File
	Entities []directory.Entity // what the file says, with everything it names in them
	Agreed   []Agreed           // contracts by file name
	state    *directory.State
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
	documents []directory.Document // of the hub
	dir       string
	now       time.Time
	touch     func(string)
	inForce   []string
	file      *File
	faults    faults

	entities  []directory.Entity
	places    places
	orgs      map[string]*Organisation      // by slug
	state     *directory.State              // of the entities, faults or not
	contracts map[string]*contract.Contract // by file name without .json; those that could be read, nil: nothing was to be read
	verified  map[string]*contract.Verified // the same, of those whose signatures are good
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
		places: places{}, orgs: map[string]*Organisation{}, verified: map[string]*contract.Verified{},
	}
	l.file = parseFile(text, l.faults)
	l.texts()
	l.organisations()
	l.hub()
	l.people()
	l.services()
	if !opts.WithoutContracts {
		l.readContracts()
	}
	l.clients()
	var found directory.Faults
	if l.state, found, err = directory.Empty().Try(ctx, l.now, l.entities); err != nil {
		return nil, err
	}
	for _, f := range found {
		l.tell(f)
	}
	region := &Region{File: l.file, Entities: l.entities, Agreed: l.agreed(), state: l.state}
	l.checkTerms(opts.WithoutContracts)
	if err := l.faults.err(); err != nil {
		return nil, err
	}
	return region, ctx.Err()
}

// Snapshot gives what the region alone compiles to: sorted, the same for the same files, without version, time and keys
// of parts.
func (r *Region) Snapshot(at time.Time) api.Snapshot { return r.state.Snapshot(at) }

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

// read reads a file that the region names; "" when the fault is noted.
func (l *loader) read(name string, f faults) string {
	if name == "" {
		f.add("no file named")
		return ""
	}
	l.touch(l.path(name))
	text, err := readBounded(l.path(name))
	if err != nil {
		f.add("%s", err)
		return ""
	}
	if len(text) == 0 {
		f.add("%s is empty", name)
	}
	return string(text)
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
