package lookup

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// ObjectQuery asks for objects of some types by what they belong to, what they are called or where they lie. Exactly one
// way of asking is in use.
type ObjectQuery struct {
	When
	Current bool // without those that have an end status
	With    Related
	Types   []imbag.Type

	Postcode imbag.Postcode // with Number: designations
	Number   int
	Letter   string // "": any, or none where Exact
	Suffix   string
	Exact    bool

	LocalityName string   // of a locality; with SpaceName of a public space; with Number too of designations
	SpaceName    string   // name or short name
	Locality     imbag.ID // public spaces in it, with SpaceName the one of that name

	Space       imbag.ID     // designations on it
	Designation imbag.ID     // addressable objects that have it as an address
	Object      imbag.ID     // buildings that an accommodation unit is part of
	Buildings   []imbag.ID   // accommodation units in one of them
	Area        *imbag.Area  // objects that touch it
	Filter      ObjectFilter // for questions by area
}

// ObjectFilter narrows a question. What is zero does not count.
type ObjectFilter struct {
	Statuses         []imbag.Status
	Recorded         *bool
	MinYear, MaxYear int32
	MinArea, MaxArea int32 // m²
	Uses             uint16
}

// ObjectPage is a part of the objects found.
type ObjectPage struct {
	Objects []Found
	Total   int
	Stand   imbag.Date
}

// FindObjects gives page number (from 1) of size objects; size 0 gives all of them. Pages are as in Find.
func (l *Lookup) FindObjects(ctx context.Context, q ObjectQuery, number, size int) (ObjectPage, error) {
	r, release, err := l.registers.Acquire(ctx)
	if err != nil {
		return ObjectPage{}, err
	}
	defer release()
	f := l.traveller(r, q.When)
	ids, err := f.candidates(&q)
	if err != nil {
		return ObjectPage{}, err
	}
	slices.Sort(ids)
	var all []Found
	for _, id := range slices.Compact(ids) {
		if !slices.Contains(q.Types, id.Type()) {
			continue
		}
		o, found, err := f.object(id)
		if err != nil {
			return ObjectPage{}, err
		}
		if !found || q.Current && o.Status.Ended() {
			continue
		}
		if matches, err := f.matches(&q, &o); err != nil {
			return ObjectPage{}, err
		} else if matches {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, compareObjects)
	if q.Exact {
		all = preferCase(all, q.Letter, q.Suffix)
	}
	page := ObjectPage{Total: len(all), Stand: r.StandDate()}
	from, to, err := window(len(all), number, size)
	if err != nil {
		return page, err
	}
	page.Objects = all[from:to]
	for i := range page.Objects {
		if err := f.complete(&page.Objects[i], q.With); err != nil {
			return page, err
		}
	}
	return page, nil
}

// candidates gives the objects that a question may mean.
func (f *traveller) candidates(q *ObjectQuery) (ids []imbag.ID, err error) {
	switch {
	case q.Postcode != 0:
		return f.r.ByPostcode(nil, q.Postcode, q.Number)
	case q.Space != 0:
		return f.r.OnSpace(nil, q.Space)
	case q.Designation != 0:
		return f.ofDesignation(q.Designation, slices.Contains(q.Types, imbag.Building))
	case q.Object != 0:
		o, _, err := f.object(q.Object)
		return o.Object.Buildings, err
	case len(q.Buildings) > 0:
		for _, id := range q.Buildings {
			if err == nil {
				ids, err = f.r.InBuilding(ids, id)
			}
		}
		return ids, err
	case q.Area != nil:
		for _, t := range q.Types {
			if err == nil {
				ids, err = f.r.Near(ids, t, q.Area.Box())
			}
		}
		return ids, err
	case q.SpaceName == "" && q.Locality != 0:
		return f.r.InLocality(nil, q.Locality)
	case q.SpaceName == "":
		return f.r.LocalitiesNamed(nil, q.LocalityName)
	}
	spaces, err := f.r.SpacesNamed(nil, q.SpaceName)
	if q.Number == 0 {
		return spaces, err
	}
	for _, id := range spaces {
		if err == nil {
			ids, err = f.r.OnSpace(ids, id)
		}
	}
	return ids, err
}

// ofDesignation gives the addressable objects that a designation was ever an address of, or the buildings of those that it
// is an address of at the moment.
func (f *traveller) ofDesignation(id imbag.ID, buildings bool) ([]imbag.ID, error) {
	objects, err := f.r.Addressed(nil, id)
	if err != nil || !buildings {
		return objects, err
	}
	var ids []imbag.ID
	for _, object := range objects {
		o, _, err := f.object(object)
		if err != nil {
			return nil, err
		}
		if o.Object.Main == id || slices.Contains(o.Object.Secondary, id) {
			ids = append(ids, o.Object.Buildings...)
		}
	}
	return ids, nil
}

// matches tells whether an object is what was asked for at that moment: indexes hold all of history.
func (f *traveller) matches(q *ObjectQuery, o *Found) (bool, error) {
	numbered := func() bool {
		letter := ""
		if o.Letter != 0 {
			letter = string(rune(o.Letter))
		}
		n := Query{Letter: q.Letter, Suffix: q.Suffix, Exact: q.Exact}
		return int(o.HouseNumber) == q.Number && n.part(letter, q.Letter) && n.part(o.Suffix, q.Suffix)
	}
	switch {
	case q.Postcode != 0:
		return o.Postcode == q.Postcode && numbered(), nil
	case q.Space != 0:
		return o.Object.Space == q.Space, nil
	case q.Designation != 0 && o.Type.Addressable():
		return o.Object.Main == q.Designation || slices.Contains(o.Object.Secondary, q.Designation), nil
	case len(q.Buildings) > 0:
		return slices.ContainsFunc(q.Buildings, func(id imbag.ID) bool { return slices.Contains(o.Object.Buildings, id) }), nil
	case q.Area != nil:
		return q.Filter.passes(&o.Object) && o.Geometry.Touches(*q.Area), nil
	case q.SpaceName == "" && q.Locality != 0:
		return o.Object.Locality == q.Locality, nil
	case q.SpaceName != "" && o.Type == imbag.Designation:
		if !numbered() {
			return false, nil
		}
		space, found, err := f.object(o.Object.Space)
		if err != nil || !found || !named(&space.Object, q.SpaceName) {
			return false, err
		}
		return f.localityNamed(cmp.Or(o.Object.Locality, space.Object.Locality), q.LocalityName)
	case q.SpaceName != "":
		if !named(&o.Object, q.SpaceName) || q.Locality != 0 {
			return named(&o.Object, q.SpaceName) && o.Object.Locality == q.Locality, nil
		}
		return f.localityNamed(o.Object.Locality, q.LocalityName)
	case q.LocalityName != "":
		return strings.EqualFold(o.Name, q.LocalityName), nil
	}
	return true, nil // the candidates were found by what the objects are at the moment
}

func (f *traveller) localityNamed(id imbag.ID, name string) (bool, error) {
	o, found, err := f.object(id)
	return found && strings.EqualFold(o.Name, name), err
}

func named(space *imbag.Object, name string) bool {
	return strings.EqualFold(space.Name, name) || strings.EqualFold(space.ShortName, name)
}

func (w *ObjectFilter) passes(o *imbag.Object) bool {
	return (len(w.Statuses) == 0 || slices.Contains(w.Statuses, o.Status)) &&
		(w.Recorded == nil || *w.Recorded == o.Recorded) &&
		(w.MinYear == 0 || o.Year >= w.MinYear) && (w.MaxYear == 0 || o.Year <= w.MaxYear) &&
		(w.MinArea == 0 || o.Area >= w.MinArea) && (w.MaxArea == 0 || o.Area != 0 && o.Area <= w.MaxArea) &&
		(w.Uses == 0 || w.Uses&o.Uses != 0)
}

// compareObjects orders designations by house number and all others by name, then by identification.
func compareObjects(a, b Found) int {
	return cmp.Or(
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.HouseNumber, b.HouseNumber), cmp.Compare(a.Letter|0x20, b.Letter|0x20),
		cmp.Compare(a.Letter, b.Letter), cmp.Compare(numeric(a.Suffix), numeric(b.Suffix)),
		cmp.Compare(lowered(a.Suffix), lowered(b.Suffix)), cmp.Compare(a.Suffix, b.Suffix), cmp.Compare(a.ID, b.ID))
}

// preferCase is Query.preferCase for designations.
func preferCase(all []Found, letter, suffix string) []Found {
	var same []Found
	for _, o := range all {
		if (letter == "" && o.Letter == 0 || letter != "" && o.Letter == letter[0]) && o.Suffix == suffix {
			same = append(same, o)
		}
	}
	if len(same) > 0 {
		return same
	}
	return all
}
