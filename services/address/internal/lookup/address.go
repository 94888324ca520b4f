package lookup

import (
	"slices"
	"strconv"
	"strings"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// Address is a composed address.
type Address struct {
	ID        imbag.ID // of the designation
	Space     imbag.ID
	Locality  imbag.ID
	Object    imbag.ID   // addressable object; 0: none is known
	Buildings []imbag.ID // that the accommodation unit is part of

	SpaceName    string
	ShortName    string // NEN 5825; the name itself where it needs no shortening
	Number       int32
	Letter       string
	Suffix       string
	Postcode     imbag.Postcode // 0: none was given out
	LocalityName string
	Secondary    bool // a nevenadres of Object
	Recorded     Recorded
	Inquiries    []Inquiry // into what the address is composed of, in fixed order

	// The objects it is composed of, where they were asked for.
	Parts struct {
		Designation, Space, Locality, Object *Found
		Buildings                            []Found
	}
}

// Recorded tells which parts were entered on the spot, not by a decision (geconstateerd).
type Recorded struct{ Locality, Space, Designation bool }

// address composes the address of a designation. It gives false for one that is none today: because it, its public
// space, its locality or its addressable object is not there or has an end status.
func (f *finder) address(id imbag.ID) (Address, bool, error) {
	if id.Type() != imbag.Designation {
		return Address{}, false, nil
	}
	n := &f.number
	if found, err := f.current(id, n); err != nil || !found {
		return Address{}, false, err
	}
	if found, err := f.current(n.Space, &f.space); err != nil || !found {
		return Address{}, false, err
	}
	in := f.space.Locality
	if n.Locality != 0 { // lies in another place than its street
		in = n.Locality
	}
	if found, err := f.current(in, &f.locality); err != nil || !found {
		return Address{}, false, err
	}
	a := Address{
		ID: id, Space: n.Space, Locality: in, SpaceName: f.space.Name, ShortName: f.space.ShortName, Number: n.HouseNumber,
		Suffix: n.Suffix, Postcode: n.Postcode, LocalityName: f.locality.Name,
		Recorded: Recorded{f.locality.Recorded, f.space.Recorded, n.Recorded},
	}
	if n.Letter != 0 {
		a.Letter = string(rune(n.Letter))
	}
	if a.ShortName == "" {
		a.ShortName = a.SpaceName
	}
	if found, err := f.addressable(&a); err != nil || !found {
		return Address{}, false, err
	}
	if fallen, err := f.fallen(&a); err != nil || fallen {
		return Address{}, false, err
	}
	return a, true, f.inquiries(&a)
}

// fallen tells whether an address lies in a building with an end status, where that counts.
func (f *finder) fallen(a *Address) (bool, error) {
	for _, id := range a.Buildings {
		if !f.standing || f.withEnded {
			break
		}
		found, err := f.r.Actual(id, f.today, &f.object)
		if err != nil || found && f.object.Status.Ended() {
			return true, err
		}
	}
	return false, nil
}

// addressable adds the object that the address is of, a main address before a secondary one. It gives false where the
// only objects it is of have an end status. A designation without any object is an address all the same.
func (f *finder) addressable(a *Address) (bool, error) {
	var err error
	if f.objects, err = f.r.Addressed(f.objects[:0], a.ID); err != nil {
		return false, err
	}
	related, main := false, false
	for _, id := range f.objects {
		o := &f.object
		found, err := f.r.Actual(id, f.today, o)
		if err != nil {
			return false, err
		}
		isMain := o.Main == a.ID
		if !found || !isMain && !slices.Contains(o.Secondary, a.ID) {
			continue // it had this address once
		}
		related = true
		if o.Status.Ended() && !f.withEnded || main {
			continue
		}
		if a.Object == 0 || isMain {
			a.Object, a.Secondary, main = id, !isMain, isMain
			a.Buildings = slices.Clone(o.Buildings)
		}
	}
	return !related || a.Object != 0, nil
}

// Line5 is the street line of NEN 5825: short name and number, with a hyphen before a suffix that begins with a digit.
func (a *Address) Line5() string {
	var b strings.Builder
	b.WriteString(a.ShortName)
	b.WriteByte(' ')
	b.WriteString(strconv.Itoa(int(a.Number)))
	if tail := a.Letter + a.Suffix; tail != "" {
		if tail[0] >= '0' && tail[0] <= '9' {
			b.WriteByte('-')
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(tail)
	}
	return b.String()
}

// Line6 is the place line of NEN 5825: the postcode in two parts, two spaces and the place in capitals.
func (a *Address) Line6() string {
	place := strings.ToUpper(a.LocalityName)
	if a.Postcode == 0 {
		return place
	}
	p := a.Postcode.String()
	return p[:4] + " " + p[4:] + "  " + place
}
