package bagextract

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// Facts of the fictional town that documentation and tests name. Municipality 9901 and the postcodes 9990 and 9970 are
// not in use in the Netherlands; all names are invented.
const (
	TownName         = "Noorderhaven"
	TownMunicipality = "9901"
	TownFile         = "BAGGEM9901L-01112026.zip" // as an official delivery would be called
	TownDate         = "2026-11-01"

	// The address to remember: Marktplein 1 in Noorderhaven.
	TownPostcode      = "9990AA"
	TownHouseNumber   = 1
	TownDesignationID = "9901200000000001"

	// A building with a shop, two upper floors with letters and four flats with suffixes: one number, seven addresses.
	TownFlatsPostcode    = "9990AA"
	TownFlatsHouseNumber = 12

	// An address that gets another postcode on the first of January 2027.
	TownMovingPostcode    = "9990AB"
	TownMovingHouseNumber = 3
	TownMovedPostcode     = "9990AZ"
	TownMovingDate        = "2027-01-01"
)

const (
	townLocality    = "9951"
	villageLocality = "9952"
	villageName     = "Oosterdiek"
	named           = "Naamgeving uitgegeven"
	unnamed         = "Naamgeving ingetrokken"
	inUse           = "Verblijfsobject in gebruik"
	born            = "2012-05-01"
	changed         = "2019-09-16"
)

// street is what the town is laid out from.
type street struct {
	name, short, kind, locality, postcode string
	first, last, step                     int
}

var streets = []street{
	{"Marktplein", "", "Weg", townLocality, "9990AA", 1, 24, 1},
	{"Havenkade", "", "Weg", townLocality, "9990AB", 1, 79, 2},
	{"Dijkstraat", "", "Weg", townLocality, "9990AC", 2, 96, 2},
	{"Burgemeester Tjaarda van der Wijklaan", "Burg Tjaarda vd Wijkln", "Weg", townLocality, "9990AD", 1, 60, 1},
	{"Wiershoeksterpad", "Wiershoeksterpd", "Weg", townLocality, "9990AE", 1, 30, 1},
	{"Âldeborgsingel", "", "Weg", townLocality, "9990AG", 1, 45, 2},
	{"Binnenhaven", "", "Water", townLocality, "9990AH", 1, 0, 1},
	{"Kermisterrein", "", "Terrein", townLocality, "9990AJ", 1, 0, 1},
	{"Dorpsweg", "", "Weg", villageLocality, "9970AA", 1, 70, 1},
	{"'t Schor", "", "Weg", villageLocality, "9970AB", 2, 40, 2},
	{"Marktplein", "", "Weg", villageLocality, "9970AC", 1, 8, 1},
}

// town collects rows while the town is laid out.
type town struct {
	localities   []Locality
	spaces       []PublicSpace
	designations []Designation
	units        []Unit
	berths       []Place
	pitches      []Place
	buildings    []Building
	inquiries    []Inquiry
	numbers      map[string]int // serial per type
	plot         int
}

// Town gives the extract of the town: some hundreds of addresses with everything that real registers have, histories,
// letters and suffixes, secondary addresses, addresses without a postcode or in another place than their street, objects
// withdrawn, taken back or planned, berths and pitches, inquiries. It is the same every time.
func Town() Extract {
	t := &town{numbers: map[string]int{}}
	t.locality(townLocality, TownName, "231000.0 601000.0 234000.0 601000.0 234000.0 604000.0 231000.0 604000.0 231000.0 601000.0")
	t.locality(villageLocality, villageName, "234000.0 601000.0 236000.0 601000.0 236000.0 603000.0 234000.0 603000.0 234000.0 601000.0")
	for _, s := range streets {
		t.street(s)
	}
	t.oddities()
	date, _ := time.Parse(time.DateOnly, TownDate) // a constant
	return Extract{
		Date: date, Municipality: TownMunicipality, Name: TownName,
		Localities: slices.Values(t.localities), Spaces: slices.Values(t.spaces), Designations: slices.Values(t.designations),
		Units: slices.Values(t.units), Berths: slices.Values(t.berths), Pitches: slices.Values(t.pitches),
		Buildings: slices.Values(t.buildings), Inquiries: t.inquiries,
		Relations: []Relation{
			{villageLocality, "9902", "2009-01-01", "2019-01-01", "definitief"}, // before the towns became one municipality
			{villageLocality, TownMunicipality, "2019-01-01", "", "definitief"},
			{townLocality, TownMunicipality, "2009-01-01", "", "definitief"},
		},
	}
}

// WriteTown writes the extract of the town.
func WriteTown(w io.Writer) error { return Write(w, Town()) }

// id gives the next identification of a type.
func (t *town) id(kind string) string {
	t.numbers[kind]++
	return fmt.Sprintf("%s%s%010d", TownMunicipality, kind, t.numbers[kind])
}

// The digits of the types.
const (
	kindUnit, kindBerth, kindPitch, kindBuilding, kindDesignation, kindSpace = "01", "02", "03", "10", "20", "30"
)

func base(id, status string) Base {
	return Base{ID: id, Status: status, DocumentDate: born, Document: "NH-2012-0417", Occurrence: from(1, born)}
}

func from(number int, begin string) Occurrence {
	return Occurrence{Number: number, Begin: begin, Registered: begin + "T10:15:00.000"}
}

// ended closes an occurrence on a day.
func ended(o Occurrence, end string) Occurrence {
	o.End, o.EndRegistered = end, end+"T10:15:00.000"
	return o
}

func (t *town) locality(id, name, outline string) {
	t.localities = append(t.localities, Locality{Base: base(id, "Woonplaats aangewezen"), Name: name, Outline: outline})
}

func (t *town) street(s street) {
	space := PublicSpace{Base: base(t.id(kindSpace), named), Name: s.name, ShortName: s.short, Type: s.kind, Locality: s.locality}
	if s.name == "Wiershoeksterpad" { // it had another name before
		old := space
		old.Name, old.ShortName, old.Occurrence = "Achterom", "", ended(from(1, born), changed)
		t.spaces = append(t.spaces, old)
		space.Occurrence = from(2, changed)
	}
	t.spaces = append(t.spaces, space)
	switch s.name {
	case "Binnenhaven":
		t.places(s, space.ID, kindBerth, "Ligplaats", 6)
	case "Kermisterrein":
		t.places(s, space.ID, kindPitch, "Standplaats", 4)
	}
	for n := s.first; n <= s.last; n += s.step {
		t.house(s, space.ID, n)
	}
}

// house makes one building with its addresses: mostly one, sometimes letters, sometimes flats.
func (t *town) house(s street, space string, n int) {
	building := t.building("Pand in gebruik")
	main := t.address(s, space, n, "", "")
	unit := t.unit(main, building)
	if n%9 == 4 { // the back door has an address of its own
		unit.Secondary = append(unit.Secondary, t.address(s, space, n, "C", ""))
	}
	if s.name == "Marktplein" && s.locality == townLocality && n == TownFlatsHouseNumber {
		unit.Uses, unit.Area = []string{"winkelfunctie", "kantoorfunctie"}, 240
		for _, letter := range []string{"A", "b"} {
			t.units = append(t.units, t.unit(t.address(s, space, n, letter, ""), building))
		}
		for _, suffix := range []string{"1", "2", "10", "BIS"} {
			t.units = append(t.units, t.unit(t.address(s, space, n, "", suffix), building))
		}
	}
	if n%7 == 0 { // the attic was made a home later
		attic := t.unit(t.address(s, space, n, "A", ""), building)
		planned := attic
		planned.Status, planned.Occurrence = "Verblijfsobject gevormd", ended(from(1, born), changed)
		attic.Occurrence = from(2, changed)
		t.units = append(t.units, planned, attic)
	}
	t.units = append(t.units, unit)
}

func (t *town) address(s street, space string, n int, letter, suffix string) string {
	id := t.id(kindDesignation)
	t.designations = append(t.designations, Designation{Base: base(id, named), Number: n, Letter: letter, Suffix: suffix,
		Postcode: s.postcode, Designates: "Verblijfsobject", Space: space})
	return id
}

func (t *town) unit(main string, building *Building) Unit {
	return Unit{Base: base(t.id(kindUnit), inUse), Main: main, Uses: []string{"woonfunctie"}, Area: 80 + t.numbers[kindUnit]%60,
		Point: corner(t.plot, 4) + " 0.0", Buildings: []string{building.ID}}
}

func corner(plot, shift int) string {
	return fmt.Sprintf("%d.%03d %d.%03d", 231100+plot%60*20+shift, plot%1000, 601100+plot/60*25+shift, plot*7%1000)
}

func (t *town) building(status string) *Building {
	t.plot++
	x, y := 231100+t.plot%60*20, 601100+t.plot/60*25
	t.buildings = append(t.buildings, Building{Base: base(t.id(kindBuilding), status), Year: 1880 + t.plot%140,
		Outline: fmt.Sprintf("%d.5 %d.0 0.0 %d.5 %d.0 0.0 %d.5 %d.25 0.0 %d.5 %d.25 0.0 %d.5 %d.0 0.0", x, y, x+9, y, x+9, y+12, x, y+12, x, y)})
	return &t.buildings[len(t.buildings)-1]
}

func (t *town) places(s street, space, kind, name string, count int) {
	for n := 1; n <= count; n++ {
		main := t.address(s, space, n, "", "")
		t.designations[len(t.designations)-1].Designates = name
		t.plot++
		c := corner(t.plot, 0)
		p := Place{Base: base(t.id(kind), "Plaats aangewezen"), Main: main, Outline: c + " " + corner(t.plot, 6) + " " + corner(t.plot+60, 6) + " " + c}
		if kind == kindBerth {
			t.berths = append(t.berths, p)
		} else {
			t.pitches = append(t.pitches, p)
		}
	}
}
