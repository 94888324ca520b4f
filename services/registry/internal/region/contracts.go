package region

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// contractsRead tells whether the contract folder was looked into.
func (l *loader) contractsRead() bool { return l.contracts != nil }

// readContracts turns the files of the contract folder into entities.
func (l *loader) readContracts() {
	l.contracts = map[string]*contract.Contract{}
	if l.file.Contracts.Directory == "" {
		return
	}
	l.touch(l.path(l.file.Contracts.Directory))
	entries, err := os.ReadDir(l.path(l.file.Contracts.Directory))
	if err != nil {
		l.faults.at("contracts").add("%s", err)
		return
	}
	hashes := map[string]string{}
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok || strings.HasPrefix(name, ".") {
			continue
		}
		file := filepath.Join(l.file.Contracts.Directory, entry.Name())
		f := l.faults.in(file)
		text := l.read(file, f)
		if text == "" {
			continue
		}
		c, err := contract.Parse([]byte(text))
		if err != nil {
			f.join(err)
			continue
		}
		hash := c.Content.Hash()
		if other, twice := hashes[hash]; twice {
			f.add("is the same contract as %s.json", other)
			continue
		}
		hashes[hash], l.contracts[name] = name, c
		l.put(&directory.Contract{Hash: hash, Name: name, Contract: json.RawMessage(text)}, f, nil)
	}
}

// agreed gives the contracts with good signatures. A file is there to be agreed on: one that lacks a signature is a fault,
// and so is one that was over before it came.
func (l *loader) agreed() []Agreed {
	var out []Agreed
	for _, c := range directory.All[*directory.Contract](l.state) {
		v := c.Verified()
		if v == nil {
			continue
		}
		l.verified[c.Name] = v
		out = append(out, Agreed{Name: c.Name, Verified: v})
		f := l.faults.in(l.places[c.Key()].file)
		switch v.State(l.now) {
		case contract.Proposed:
			f.add("signature missing: accept of %s", strings.Join(v.Missing, ", "))
		case contract.Expired:
			if !l.over(v) {
				f.add("expired on %s; move the file away or sign a successor", v.Till().Format(time.RFC3339))
			}
		}
	}
	slices.SortFunc(out, func(a, b Agreed) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// over tells that a contract gives nothing any more and is held against nobody: it was rejected or revoked, or it was in
// force and has expired since.
func (l *loader) over(v *contract.Verified) bool {
	switch v.State(l.now) {
	case contract.Rejected, contract.Revoked:
		return true
	case contract.Expired:
		return slices.Contains(l.inForce, v.Content.Hash())
	}
	return false
}
