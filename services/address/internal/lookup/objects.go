package lookup

import (
	"context"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/address/internal/imbag"
)

// When is the moment that a question is about (tijdreizen.feature): what held on Day by what the national register knew
// at Known. The zero value is today by all that is known now.
type When struct {
	Day   *imbag.Date   // nil: today
	Known *imbag.Moment // nil: now
}

// Related names kinds of related objects, as a set.
type Related uint8

// The kinds. Each is given with the object where it has any.
const (
	RelatedLocality  Related = 1 << iota // ligtInWoonplaats
	RelatedSpace                         // ligtAanOpenbareRuimte
	RelatedMain                          // heeftAlsHoofdAdres
	RelatedSecondary                     // heeftAlsNevenAdres
	RelatedBuildings                     // maaktDeelUitVan
	RelatedSources                       // bronhouders
	RelatedGeometry                      // geometrie
)

// Found is one occurrence of an object with what belongs to it.
type Found struct {
	imbag.Object
	Inquiries []imbag.Inquiry
	Sources   []imbag.Relation // of a locality: the municipalities it lies in

	Locality, Space, Main *Found // where they were asked for, and exist at that moment
	Secondary, Buildings  []Found
	Outline, Holders      bool // the geometry, and the sources, were asked for
}

// Object gives an object as it was at a moment.
func (l *Lookup) Object(ctx context.Context, id imbag.ID, w When, with Related) (Found, imbag.Date, error) {
	r, release, err := l.registers.Acquire(ctx)
	if err != nil {
		return Found{}, imbag.NoDate, err
	}
	defer release()
	f := l.traveller(r, w)
	o, found, err := f.object(id)
	if err == nil && !found {
		err = missing(r)
	}
	if err == nil {
		err = f.complete(&o, with)
	}
	return o, r.StandDate(), err
}

func missing(r Register) error {
	return errs.CodeNotFound.New("in de stand van %s is dit er niet; iets nieuwers kan ontbreken", r.StandDate())
}

// Lifecycle gives all occurrences of an object, the first one first: those of its valid life, or with whole also those
// that were taken back. Of what is related only the geometry
// and the sources of a locality can be asked for.
func (l *Lookup) Lifecycle(ctx context.Context, id imbag.ID, whole bool, with Related) ([]Found, imbag.Date, error) {
	all, date, err := l.occurrences(ctx, id, func(o *imbag.Object) bool { return whole || o.Class() == imbag.Regular })
	for i := range all {
		all[i].Outline, all[i].Holders = with&RelatedGeometry != 0, with&RelatedSources != 0
	}
	return all, date, err
}

// Occurrence gives one occurrence by its number and the time at which the national register got it, in milliseconds since
// 1970. Several that differ
// only in having been taken back are one question: the one that counts is given.
func (l *Lookup) Occurrence(ctx context.Context, id imbag.ID, number int, registered int64) (Found, imbag.Date, error) {
	all, date, err := l.occurrences(ctx, id, func(o *imbag.Object) bool {
		return int(o.Occurrence.Number) == number && o.RegisteredLV.In(l.zone).UnixMilli() == registered
	})
	if err != nil {
		return Found{}, date, err
	}
	return slices.MinFunc(all, func(a, b Found) int { return int(a.Class()) - int(b.Class()) }), date, nil
}

func (l *Lookup) occurrences(ctx context.Context, id imbag.ID, wanted func(*imbag.Object) bool) ([]Found, imbag.Date, error) {
	r, release, err := l.registers.Acquire(ctx)
	if err != nil {
		return nil, imbag.NoDate, err
	}
	defer release()
	var all []Found
	_, err = r.History(id, func(o *imbag.Object) error {
		if wanted(o) {
			all = append(all, Found{Object: owned(o)})
		}
		return nil
	})
	if err == nil && len(all) == 0 {
		err = missing(r)
	}
	f := l.traveller(r, When{})
	for i := range all {
		if err == nil {
			err = f.during(&all[i])
		}
	}
	return all, r.StandDate(), err
}

// owned takes the content of a scratch value and leaves it empty.
func owned(o *imbag.Object) imbag.Object {
	c := *o
	*o = imbag.Object{}
	return c
}

// traveller answers for one moment.
type traveller struct {
	r     Register
	day   imbag.Date
	known imbag.Moment
}

func (l *Lookup) traveller(r Register, w When) *traveller {
	f := &traveller{r, l.Today(), imbag.Ever}
	if w.Day != nil {
		f.day = *w.Day
	}
	if w.Known != nil {
		f.known = *w.Known
	}
	return f
}

// Zone is the zone of the clocks of the register.
func (l *Lookup) Zone() *time.Location { return l.zone }

// Today gives the day in the zone of the register.
func (l *Lookup) Today() imbag.Date { return imbag.DateOf(l.now().In(l.zone)) }

// Now gives what the clock in the zone of the register shows.
func (l *Lookup) Now() imbag.Moment { return imbag.MomentOf(l.now().In(l.zone)) }

// object reads the occurrence of an object that held, and what was being looked into.
func (f *traveller) object(id imbag.ID) (Found, bool, error) {
	var best imbag.Object
	found := false
	_, err := f.r.History(id, func(o *imbag.Object) error {
		if o.HeldOn(f.day, f.known) {
			best, found = owned(o), true // the last one supersedes the others
		}
		return nil
	})
	if err != nil || !found {
		return Found{}, false, err
	}
	best.Occurrence = best.KnownAt(f.known)
	o := Found{Object: best}
	err = f.r.Inquiries(id, func(q *imbag.Inquiry) {
		if k, known := q.KnownAt(f.known); known && k.ActiveOn(f.day) {
			o.Inquiries = append(o.Inquiries, k)
		}
	})
	if err == nil && o.Type == imbag.Locality {
		err = f.sources(&o, f.day, f.day+1)
	}
	sortInquiries(o.Inquiries)
	return o, true, err
}

// during adds what was being looked into, and where a locality lay, at some time while an occurrence held.
func (f *traveller) during(o *Found) error {
	end := o.End
	if end == imbag.NoDate {
		end = maxDate
	}
	err := f.r.Inquiries(o.ID, func(q *imbag.Inquiry) {
		if q.Active && q.Begin < end && (q.End == imbag.NoDate || q.End > o.Begin) {
			o.Inquiries = append(o.Inquiries, *q)
		}
	})
	if err == nil && o.Type == imbag.Locality {
		err = f.sources(o, o.Begin, end)
	}
	sortInquiries(o.Inquiries)
	return err
}

const maxDate imbag.Date = 1<<31 - 1

func sortInquiries(all []imbag.Inquiry) {
	slices.SortFunc(all, func(a, b imbag.Inquiry) int {
		if a.Attribute != b.Attribute {
			return int(a.Attribute) - int(b.Attribute)
		}
		return int(a.Begin) - int(b.Begin)
	})
}

// sources adds the municipalities in which a locality lay during [from, to).
func (f *traveller) sources(o *Found, from, to imbag.Date) error {
	err := f.r.Municipalities(o.ID, func(rel imbag.Relation) {
		if rel.Begin < to && (rel.End == imbag.NoDate || rel.End > from) && imbag.RelationStates.Text(rel.State) == "definitief" {
			o.Sources = append(o.Sources, rel)
		}
	})
	slices.SortFunc(o.Sources, func(a, b imbag.Relation) int { return int(a.Begin) - int(b.Begin) })
	return err
}

// complete adds the related objects of the same moment. One that the stand does not have then is left out.
func (f *traveller) complete(o *Found, with Related) error {
	one := func(kind Related, id imbag.ID, to **Found) error {
		if with&kind == 0 || id == 0 {
			return nil
		}
		r, found, err := f.object(id)
		if found {
			*to = &r
		}
		return err
	}
	many := func(kind Related, ids []imbag.ID, to *[]Found) error {
		if with&kind == 0 {
			return nil
		}
		for _, id := range ids {
			r, found, err := f.object(id)
			if err != nil {
				return err
			}
			if found {
				*to = append(*to, r)
			}
		}
		return nil
	}
	o.Outline, o.Holders = with&RelatedGeometry != 0, with&RelatedSources != 0
	for _, err := range []error{
		one(RelatedLocality, o.Object.Locality, &o.Locality), one(RelatedSpace, o.Object.Space, &o.Space), one(RelatedMain, o.Object.Main, &o.Main),
		many(RelatedSecondary, o.Object.Secondary, &o.Secondary), many(RelatedBuildings, o.Object.Buildings, &o.Buildings),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// parts adds objects that an address is composed of.
func (f *traveller) parts(a *Address, with AddressParts) error {
	for _, p := range []struct {
		part AddressParts
		id   imbag.ID
		to   **Found
	}{
		{PartDesignation, a.ID, &a.Parts.Designation}, {PartSpace, a.Space, &a.Parts.Space}, {PartLocality, a.Locality, &a.Parts.Locality},
		{PartObject, a.Object, &a.Parts.Object},
	} {
		if with&p.part == 0 || p.id == 0 {
			continue
		}
		o, found, err := f.object(p.id)
		if err != nil {
			return err
		}
		if found {
			*p.to = &o
		}
	}
	for _, id := range a.Buildings {
		if with&PartBuildings == 0 {
			break
		}
		o, found, err := f.object(id)
		if err != nil {
			return err
		}
		if found {
			a.Parts.Buildings = append(a.Parts.Buildings, o)
		}
	}
	return nil
}
