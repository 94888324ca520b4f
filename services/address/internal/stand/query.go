package stand

import (
	"noorderhub.nl/hub/services/address/internal/imbag"
)

// History calls yield with every occurrence of an object, the lower numbers first, with its geometry. The value is
// scratch. It gives false for an id that the stand does not have.
func (s *Stand) History(id imbag.ID, yield func(*imbag.Object) error) (bool, error) {
	t := id.Type()
	i, found := s.objects[t].find(id)
	if !found {
		return false, nil
	}
	return true, s.history(t, i, yield)
}

func (s *Stand) history(t imbag.Type, i int, yield func(*imbag.Object) error) error {
	tab := s.objects[t]
	all, err := tab.records(i)
	if err != nil {
		return err
	}
	var o imbag.Object
	for len(all.b) > 0 {
		r := reader{b: all.bytes()}
		o.Reset()
		o.Type, o.ID = t, imbag.ID(u64(tab.ids, i))
		if r.object(&o); len(r.b) > 0 {
			at := r.uvarint()
			if at > uint64(len(tab.geo)) {
				return errRotten
			}
			shape := reader{b: tab.geo[at:]}
			shape = reader{b: shape.bytes()}
			if shape.geometry(&o.Geometry); shape.bad || len(shape.b) > 0 {
				return errRotten
			}
		}
		if all.bad || r.bad || len(r.b) > 0 {
			return errRotten
		}
		if err := yield(&o); err != nil {
			return err
		}
	}
	return nil
}

// Actual reads the occurrence of an object that holds on a day into o, without its geometry. It gives false where there
// is none.
func (s *Stand) Actual(id imbag.ID, on imbag.Date, o *imbag.Object) (bool, error) {
	t := id.Type()
	i, found := s.objects[t].find(id)
	if !found {
		return false, nil
	}
	return s.actual(t, i, on, o)
}

func (s *Stand) actual(t imbag.Type, i int, on imbag.Date, o *imbag.Object) (bool, error) {
	tab := s.objects[t]
	all, err := tab.records(i)
	if err != nil {
		return false, err
	}
	// The last in the order of appendKey that holds is the one.
	var last []byte
	for len(all.b) > 0 {
		record := all.bytes()
		probe := reader{b: record}
		flags, begin, end := probe.period()
		c := imbag.Occurrence{Begin: begin, End: end, Inactive: imbag.NoMoment, InactiveLV: imbag.NoMoment, NotBAG: imbag.NoMoment, NotBAGLV: imbag.NoMoment}
		if flags&(hasInactive|hasInactiveLV|hasNotBAG|hasNotBAGLV) == 0 && c.ActualOn(on) {
			last = record
		}
		if all.bad || probe.bad {
			return false, errRotten
		}
	}
	if last == nil {
		return false, nil
	}
	o.Reset()
	o.Type, o.ID = t, imbag.ID(u64(tab.ids, i))
	r := reader{b: last}
	if r.object(o); r.bad {
		return false, errRotten
	}
	return true, nil
}

// ByPostcode appends the designations that ever had this postcode and house number.
func (s *Stand) ByPostcode(to []imbag.ID, p imbag.Postcode, number int) ([]imbag.ID, error) {
	return s.ids(to, ixPostcode, postcodeKey(p, number), imbag.Designation)
}

// OnSpace appends the designations that ever lay on a public space.
func (s *Stand) OnSpace(to []imbag.ID, space imbag.ID) ([]imbag.ID, error) {
	return s.ids(to, ixSpace, uint64(space), imbag.Designation)
}

// InBuilding appends the accommodation units that were ever part of a building.
func (s *Stand) InBuilding(to []imbag.ID, building imbag.ID) ([]imbag.ID, error) {
	return s.ids(to, ixBuilding, uint64(building), imbag.AccommodationUnit)
}

// SpacesNamed appends the public spaces that may ever have had this name or short name: the caller compares the names.
func (s *Stand) SpacesNamed(to []imbag.ID, name string) ([]imbag.ID, error) {
	return s.ids(to, ixName, nameKey(name), imbag.PublicSpace)
}

// InLocality appends the public spaces that ever lay in a locality.
func (s *Stand) InLocality(to []imbag.ID, locality imbag.ID) ([]imbag.ID, error) {
	return s.ids(to, ixLocality, uint64(locality), imbag.PublicSpace)
}

// LocalitiesNamed appends the localities that may ever have had this name: the caller compares the names.
func (s *Stand) LocalitiesNamed(to []imbag.ID, name string) ([]imbag.ID, error) {
	return s.ids(to, ixPlace, nameKey(name), imbag.Locality)
}

// Municipalities calls yield with every municipality that a locality has lain in, in no particular order.
func (s *Stand) Municipalities(locality imbag.ID, yield func(imbag.Relation)) error {
	i, found := s.relations.find(locality)
	if !found {
		return nil
	}
	return s.municipalities(i, yield)
}

func (s *Stand) ids(to []imbag.ID, name string, key uint64, t imbag.Type) ([]imbag.ID, error) {
	tab := s.objects[t]
	err := s.indexes[name].each(key, func(place uint32) error {
		if int(place) >= tab.len() {
			return errRotten
		}
		to = append(to, imbag.ID(u64(tab.ids, int(place))))
		return nil
	})
	return to, err
}

// Addressed appends the addressable objects that ever had a designation as main or secondary address.
func (s *Stand) Addressed(to []imbag.ID, designation imbag.ID) ([]imbag.ID, error) {
	err := s.indexes[ixAddressed].each(uint64(designation), func(v uint32) error {
		code, place := int(v>>typeShift), int(v&placeMask)
		if code >= len(addressables) || place >= s.objects[addressables[code]].len() {
			return errRotten
		}
		to = append(to, imbag.ID(u64(s.objects[addressables[code]].ids, place)))
		return nil
	})
	return to, err
}

// Inquiries calls yield with every inquiry into an object, in no particular order. The value is scratch.
func (s *Stand) Inquiries(id imbag.ID, yield func(*imbag.Inquiry)) error {
	t := id.Type()
	tab := s.inquiries[t]
	i, found := tab.find(id)
	if !found {
		return nil
	}
	all, err := tab.records(i)
	if err != nil {
		return err
	}
	q := imbag.Inquiry{Type: t, ID: id}
	for len(all.b) > 0 {
		r := reader{b: all.bytes()}
		if r.inquiry(&q); all.bad || r.bad || len(r.b) > 0 {
			return errRotten
		}
		yield(&q)
	}
	return nil
}
