// Package lookup answers questions about addresses by the rules of the Kadaster's "BAG API Individuele Bevragingen" v2: which
// designations match, which of them are addresses today, and how an address is composed of designation, public space,
// locality and addressable object. The municipality is never derived from an identification.
package lookup

import (
	"context"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/address/internal/imbag"
)

// Register is one stand of the BAG. Its indexes give candidates over all of history; what holds today is decided here.
type Register interface {
	StandDate() imbag.Date
	// Actual reads the occurrence that holds on a day into o.
	Actual(id imbag.ID, on imbag.Date, o *imbag.Object) (bool, error)
	ByPostcode(to []imbag.ID, p imbag.Postcode, number int) ([]imbag.ID, error)
	OnSpace(to []imbag.ID, space imbag.ID) ([]imbag.ID, error)
	InBuilding(to []imbag.ID, building imbag.ID) ([]imbag.ID, error)
	SpacesNamed(to []imbag.ID, name string) ([]imbag.ID, error)
	Addressed(to []imbag.ID, designation imbag.ID) ([]imbag.ID, error)
	Inquiries(id imbag.ID, yield func(*imbag.Inquiry)) error

	// History gives every occurrence of an object with its geometry, the lower numbers first. The value is scratch, but
	// may be kept when another one is put in its place.
	History(id imbag.ID, yield func(*imbag.Object) error) (bool, error)
	InLocality(to []imbag.ID, locality imbag.ID) ([]imbag.ID, error)
	LocalitiesNamed(to []imbag.ID, name string) ([]imbag.ID, error)
	Near(to []imbag.ID, t imbag.Type, box imbag.Box) ([]imbag.ID, error)
	Municipalities(locality imbag.ID, yield func(imbag.Relation)) error
}

// Registers gives the stand in use. The caller calls release when it has its answer; an error means there is none.
type Registers interface {
	Acquire(ctx context.Context) (r Register, release func(), err error)
}

// Lookup answers questions. It holds no state of its own.
type Lookup struct {
	registers Registers
	now       func() time.Time
	zone      *time.Location
}

// New makes a Lookup. Days begin at midnight in zone: a change that holds from the first of January holds from then on.
func New(registers Registers, now func() time.Time, zone *time.Location) *Lookup {
	return &Lookup{registers, now, zone}
}

// Query asks for addresses. Exactly one way of asking is in use: postcode and number, names and number, or one of the
// identifications.
type Query struct {
	Postcode imbag.Postcode

	LocalityName string // with SpaceName and Number
	SpaceName    string // name or short name, without regard to case

	Number int
	Letter string // "": any, or none where Exact
	Suffix string // "": any, or none where Exact
	Exact  bool

	Object   imbag.ID // addressable object
	Building imbag.ID
	Space    imbag.ID

	WithEnded bool // addresses with an end status too
	With      AddressParts
}

// AddressParts names objects that an address is composed of, as a set.
type AddressParts uint8

// The parts.
const (
	PartDesignation AddressParts = 1 << iota
	PartSpace
	PartLocality
	PartObject
	PartBuildings // an address in a building with an end status is then none
)

// Page is a part of the addresses found.
type Page struct {
	Addresses []Address
	Total     int
	Stand     imbag.Date
}

// Find gives page number (from 1) of size addresses, in natural order of house numbers. A page beyond the last is a
// fault of the parameter page; nothing found is an empty first page.
func (l *Lookup) Find(ctx context.Context, q Query, number, size int) (Page, error) {
	r, release, err := l.registers.Acquire(ctx)
	if err != nil {
		return Page{}, err
	}
	defer release()
	f := l.finder(r, q.WithEnded)
	f.standing = q.With&PartBuildings != 0
	ids, err := f.candidates(q)
	if err != nil {
		return Page{}, err
	}
	all, err := f.addresses(q, ids)
	if err != nil {
		return Page{}, err
	}
	page := Page{Total: len(all), Stand: r.StandDate()}
	from, to, err := window(len(all), number, size)
	page.Addresses = all[from:to]
	for i := range page.Addresses {
		if err == nil {
			err = l.traveller(r, When{}).parts(&page.Addresses[i], q.With)
		}
	}
	return page, err
}

// window gives the part of total results that is page number (from 1) of size; size 0 is all.
func window(total, number, size int) (from, to int, err error) {
	if size == 0 {
		return 0, total, nil
	}
	if from = (number - 1) * size; from < total {
		return from, min(from+size, total), nil
	}
	if number > 1 {
		err = errs.CodeInvalid.New("er zijn %d resultaten, %d per pagina", total, size).
			WithFields(errs.Field{Name: "page", Code: "page", Reason: "De opgegeven pagina bestaat niet."})
	}
	return 0, 0, err
}

// ByID gives the address of a designation.
func (l *Lookup) ByID(ctx context.Context, id imbag.ID, withEnded bool, with AddressParts) (Address, imbag.Date, error) {
	r, release, err := l.registers.Acquire(ctx)
	if err != nil {
		return Address{}, imbag.NoDate, err
	}
	defer release()
	f := l.finder(r, withEnded)
	f.standing = with&PartBuildings != 0
	a, found, err := f.address(id)
	if err == nil && !found {
		err = errs.CodeNotFound.New("in de stand van %s is dit geen huidig adres; een nieuwer adres kan ontbreken", r.StandDate())
	}
	if err == nil {
		err = l.traveller(r, When{}).parts(&a, with)
	}
	return a, r.StandDate(), err
}

// Stand gives the date of the stand in use.
func (l *Lookup) Stand(ctx context.Context) (imbag.Date, error) {
	r, release, err := l.registers.Acquire(ctx)
	if err != nil {
		return imbag.NoDate, err
	}
	defer release()
	return r.StandDate(), nil
}

func (l *Lookup) finder(r Register, withEnded bool) *finder {
	return &finder{r: r, today: l.Today(), withEnded: withEnded}
}

// finder works on one question.
type finder struct {
	r         Register
	today     imbag.Date
	withEnded bool
	standing  bool // buildings with an end status have no addresses

	number, space, locality, object imbag.Object
	objects                         []imbag.ID
}

// current reads an object as it is today. It gives false for one that does not exist today, or has an end status.
func (f *finder) current(id imbag.ID, o *imbag.Object) (bool, error) {
	found, err := f.r.Actual(id, f.today, o)
	return found && (f.withEnded || !o.Status.Ended()), err
}

// candidates gives the designations that a query may mean.
func (f *finder) candidates(q Query) ([]imbag.ID, error) {
	switch {
	case q.Postcode != 0:
		return f.r.ByPostcode(nil, q.Postcode, q.Number)
	case q.Object != 0:
		return f.ofObject(nil, q.Object)
	case q.Building != 0:
		return f.inBuilding(q.Building)
	case q.Space != 0:
		return f.r.OnSpace(nil, q.Space)
	default:
		spaces, err := f.r.SpacesNamed(nil, q.SpaceName)
		var ids []imbag.ID
		for _, id := range spaces {
			if err == nil {
				ids, err = f.r.OnSpace(ids, id)
			}
		}
		return ids, err
	}
}

// ofObject appends the main and secondary designations of an addressable object.
func (f *finder) ofObject(ids []imbag.ID, id imbag.ID) ([]imbag.ID, error) {
	found, err := f.current(id, &f.object)
	if err != nil || !found {
		return ids, err
	}
	return append(append(ids, f.object.Main), f.object.Secondary...), nil
}

// inBuilding gives the designations of the units in a building; a building with an end status has none (huidig.feature).
func (f *finder) inBuilding(building imbag.ID) ([]imbag.ID, error) {
	found, err := f.current(building, &f.object)
	if err != nil || !found {
		return nil, err
	}
	units, err := f.r.InBuilding(nil, building)
	if err != nil {
		return nil, err
	}
	var ids []imbag.ID
	for _, unit := range units {
		found, err := f.current(unit, &f.object)
		if err != nil {
			return nil, err
		}
		if found && slices.Contains(f.object.Buildings, building) {
			ids = append(append(ids, f.object.Main), f.object.Secondary...)
		}
	}
	return ids, nil
}

// addresses composes the candidates that match and puts them in order, each once.
func (f *finder) addresses(q Query, ids []imbag.ID) ([]Address, error) {
	slices.Sort(ids)
	var all []Address
	for _, id := range slices.Compact(ids) {
		a, found, err := f.address(id)
		if err != nil {
			return nil, err
		}
		if found && q.matches(&a) {
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, compare)
	return q.preferCase(all), nil
}
