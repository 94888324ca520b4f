package stand

import (
	"context"
	"fmt"
	"hash/crc32"
	"slices"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// Verify reads the whole file: every CRC, every record, the order of ids and keys, the counts of the manifest, and that
// a sample of objects is found through the indexes. A file is used only after it passed once.
func (s *Stand) Verify(ctx context.Context) error {
	for name, want := range s.crc {
		if err := ctx.Err(); err != nil {
			return err
		}
		if got := crc32.Checksum(s.raw[name], castagnoli); got != want {
			return fmt.Errorf("%s: %w: section %s has CRC %08x, want %08x", s.path, errRotten, name, got, want)
		}
	}
	for _, t := range imbag.Types() {
		if err := s.verifyType(ctx, t); err != nil {
			return fmt.Errorf("%s: %s: %w", s.path, t, err)
		}
	}
	if err := s.verifyRelations(); err != nil {
		return fmt.Errorf("%s: relations: %w", s.path, err)
	}
	return nil
}

func (s *Stand) verifyRelations() error {
	n := 0
	for i := range s.relations.len() {
		err := s.municipalities(i, func(imbag.Relation) { n++ })
		if err != nil {
			return err
		}
	}
	if n != s.Relations {
		return fmt.Errorf("%w: counted %d, the manifest says %d", errRotten, n, s.Relations)
	}
	return nil
}

// municipalities calls yield with every relation of a locality to a municipality, by the place of the locality.
func (s *Stand) municipalities(i int, yield func(imbag.Relation)) error {
	all, err := s.relations.records(i)
	if err != nil {
		return err
	}
	for len(all.b) > 0 {
		r, rel := reader{b: all.bytes()}, imbag.Relation{Locality: imbag.ID(u64(s.relations.ids, i))}
		if r.relation(&rel); all.bad || r.bad || len(r.b) > 0 {
			return errRotten
		}
		yield(rel)
	}
	return nil
}

const sampleStep = 97 // every 97th object is looked up through the indexes

func (s *Stand) verifyType(ctx context.Context, t imbag.Type) error {
	tab := s.objects[t]
	var counts Counts
	counts.Inquiries = s.Counts[t.Code()].Inquiries
	for i := range tab.len() {
		if i%10_000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if id := imbag.ID(u64(tab.ids, i)); id.Type() != t || i > 0 && u64(tab.ids, i-1) >= uint64(id) {
			return fmt.Errorf("%w: id %s at place %d", errRotten, id, i)
		}
		regular := false
		err := s.history(t, i, func(o *imbag.Object) error {
			switch o.Class() {
			case imbag.Regular:
				counts.Occurrences++
				regular = true
				if i%sampleStep == 0 {
					return s.verifyIndexed(o)
				}
			case imbag.Inactive:
				counts.Inactive++
			case imbag.NotBAG:
				counts.NotBAG++
			}
			return nil
		})
		if err != nil {
			return err
		}
		if regular {
			counts.Objects++
		}
	}
	if want := s.Counts[t.Code()]; counts != want {
		return fmt.Errorf("%w: counted %+v, the manifest says %+v", errRotten, counts, want)
	}
	return nil
}

// verifyIndexed finds an object through every index it must be in.
func (s *Stand) verifyIndexed(o *imbag.Object) error {
	type search struct {
		name string
		ids  []imbag.ID
		err  error
	}
	var searches []search
	add := func(name string, ids []imbag.ID, err error) { searches = append(searches, search{name, ids, err}) }
	if o.Geometry.Kind != imbag.NoGeometry {
		ids, err := s.Near(nil, o.Type, imbag.BoxOf(&o.Geometry))
		add(ixCell+o.Type.Code(), ids, err)
	}
	switch o.Type {
	case imbag.Locality:
		ids, err := s.LocalitiesNamed(nil, o.Name)
		add(ixPlace, ids, err)
	case imbag.PublicSpace:
		ids, err := s.SpacesNamed(nil, o.Name)
		add(ixName, ids, err)
		ids, err = s.InLocality(nil, o.Locality)
		add(ixLocality, ids, err)
	case imbag.Designation:
		if o.Postcode != 0 {
			ids, err := s.ByPostcode(nil, o.Postcode, int(o.HouseNumber))
			add(ixPostcode, ids, err)
		}
		ids, err := s.OnSpace(nil, o.Space)
		add(ixSpace, ids, err)
	case imbag.AccommodationUnit, imbag.Berth, imbag.Pitch:
		for _, n := range append([]imbag.ID{o.Main}, o.Secondary...) {
			ids, err := s.Addressed(nil, n)
			add(ixAddressed, ids, err)
		}
		for _, b := range o.Buildings {
			ids, err := s.InBuilding(nil, b)
			add(ixBuilding, ids, err)
		}
	}
	for _, found := range searches {
		if found.err != nil {
			return found.err
		}
		if !slices.Contains(found.ids, o.ID) {
			return fmt.Errorf("%w: %s is not in index %s", errRotten, o.ID, found.name)
		}
	}
	return nil
}
