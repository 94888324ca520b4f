package lookup

import (
	"cmp"
	"context"
	"slices"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// Sources gives the municipalities in whose territory an object lay at a moment (bronhouders): by the locality of its
// address, or of what lies in it, never by the digits of its identification. Nothing found is no fault.
func (l *Lookup) Sources(ctx context.Context, id imbag.ID, w When) ([]imbag.Relation, imbag.Date, error) {
	r, release, err := l.registers.Acquire(ctx)
	if err != nil {
		return nil, imbag.NoDate, err
	}
	defer release()
	f := l.traveller(r, w)
	o, found, err := f.object(id)
	if err != nil || !found {
		return nil, r.StandDate(), err
	}
	locality, err := f.localityOf(&o)
	if err != nil || locality == 0 {
		return nil, r.StandDate(), err
	}
	in := Found{Object: imbag.Object{ID: locality}}
	err = f.sources(&in, f.day, f.day+1)
	return in.Sources, r.StandDate(), err
}

// Day gives the day that a moment is about.
func (l *Lookup) Day(w When) imbag.Date {
	if w.Day != nil {
		return *w.Day
	}
	return l.Today()
}

// localityOf gives the locality that an object lies in, 0 where the stand does not tell.
func (f *traveller) localityOf(o *Found) (imbag.ID, error) {
	next := cmp.Or(o.Object.Main, o.Object.Space)
	switch o.Type {
	case imbag.Locality:
		return o.ID, nil
	case imbag.PublicSpace:
		return o.Object.Locality, nil
	case imbag.Designation:
		if o.Object.Locality != 0 {
			return o.Object.Locality, nil
		}
	case imbag.Building:
		return f.localityAround(&o.Geometry)
	}
	of, found, err := f.object(next)
	if err != nil || !found {
		return 0, err
	}
	return f.localityOf(&of)
}

// localityAround gives the locality that a shape begins in. Localities border on one another; of several the first counts.
func (f *traveller) localityAround(g *imbag.Geometry) (imbag.ID, error) {
	if len(g.Coords) < 2 {
		return 0, nil
	}
	at := imbag.Position{X: float64(g.Coords[0]), Y: float64(g.Coords[1])}
	area := imbag.Area{Min: at, Max: at}
	ids, err := f.r.Near(nil, imbag.Locality, area.Box())
	if err != nil {
		return 0, err
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		o, found, err := f.object(id)
		if err != nil {
			return 0, err
		}
		if found && o.Geometry.Touches(area) {
			return id, nil
		}
	}
	return 0, nil
}
