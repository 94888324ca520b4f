package registry

import (
	"context"
	"path/filepath"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/internal/region"
)

// Draft is a contract that the terms of a region ask for, ready to build, sign and write.
type Draft struct {
	Name  string         // of the terms
	Path  string         // file where the signed contract belongs
	Draft contract.Draft // for contract.Build; CreatedAt is the moment given
}

// Drafts reads a region file without its contracts and gives what its terms ask for. All other faults of the region are
// reported as at a start. Whoever holds the keys of the organisations signs: the registry never does.
func Drafts(ctx context.Context, regionFile string, now time.Time) ([]Draft, error) {
	r, err := region.Load(ctx, regionFile, region.Options{Now: func() time.Time { return now }, WithoutContracts: true})
	if err != nil {
		return nil, err
	}
	dir := r.File.Contracts.Directory
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(filepath.Dir(regionFile), dir)
	}
	var out []Draft
	for _, d := range r.Drafts(now) {
		out = append(out, Draft{Name: d.Name, Path: filepath.Join(dir, d.Name+".json"), Draft: d.Draft})
	}
	return out, nil
}
