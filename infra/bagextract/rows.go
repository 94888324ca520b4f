// Package bagextract writes extracts in the official BAG 2.0 format (schema v20200601) from plain rows: for the fictional
// town that a fresh hub serves, for tests, and for benchmarks with millions of addresses. Everything it writes is made up.
//
// Rows are strings as they stand in the XML. Nothing in them is checked, so that tests can write extracts with faults.
package bagextract

// Occurrence is one stretch of time of an object. Dates are "2026-01-31", moments "2026-01-31T12:00:00.000"; empty ones
// are left out.
type Occurrence struct {
	Number        int
	Begin, End    string
	Registered    string // in the municipality and in the national register alike
	EndRegistered string
	Inactive      string // taken back before its day came: goes to the stream Inactief
	NotBAG        string // should not have been there: goes to the stream NietBag
}

// Base is what every object has.
type Base struct {
	ID           string
	Status       string
	Recorded     bool // geconstateerd
	DocumentDate string
	Document     string
	Occurrence
}

// Locality is a woonplaats.
type Locality struct {
	Base
	Name    string
	Outline string // positions of a closed ring, "x y x y …"
}

// PublicSpace is an openbare ruimte.
type PublicSpace struct {
	Base
	Name, ShortName, Type, Locality string // ShortName may be empty
}

// Designation is a nummeraanduiding.
type Designation struct {
	Base
	Number                   int
	Letter, Suffix, Postcode string // may be empty
	Designates               string // Verblijfsobject, Standplaats or Ligplaats
	Locality                 string // where it differs from that of the public space; else empty
	Space                    string
}

// Unit is a verblijfsobject.
type Unit struct {
	Base
	Main      string
	Secondary []string
	Point     string // "x y z"
	Uses      []string
	Area      int
	Buildings []string
}

// Place is a ligplaats or standplaats.
type Place struct {
	Base
	Main      string
	Secondary []string
	Outline   string
}

// Building is a pand.
type Building struct {
	Base
	Outline string // positions in three dimensions, "x y z x y z …"
	Year    int
}

// Inquiry is one record of the stream InOnderzoek. Type is the three letters of the object's type.
type Inquiry struct {
	Type, ID, Attribute string
	Active              bool
	DocumentDate        string
	Document            string
	Occurrence
}

// Relation says in which municipality a locality lies.
type Relation struct {
	Locality, Municipality, Begin, End, State string
}
