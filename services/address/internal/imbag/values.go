package imbag

// Status is the state of an object, from the closed lists of the official schema (IMBAGLV_Objecten-2.1.0.xsd).
type Status uint8

// NoStatus is an unknown status.
const NoStatus Status = 0

type statusValue struct {
	text  string
	kind  statusKind
	ended bool
}

type statusKind uint8

const (
	naming   statusKind = iota + 1 // public space, designation
	locality                       // locality
	place                          // berth, pitch
	unit                           // accommodation unit
	building
)

// statuses: the order is the stored form; append, never reorder. The ended ones are the nine end statuses of the
// Kadaster's huidig.feature.
var statuses = [...]statusValue{
	{}, {"Naamgeving uitgegeven", naming, false}, {"Naamgeving ingetrokken", naming, true},
	{"Woonplaats aangewezen", locality, false}, {"Woonplaats ingetrokken", locality, true},
	{"Plaats aangewezen", place, false}, {"Plaats ingetrokken", place, true},
	{"Verblijfsobject gevormd", unit, false}, {"Niet gerealiseerd verblijfsobject", unit, true},
	{"Verblijfsobject in gebruik (niet ingemeten)", unit, false}, {"Verblijfsobject in gebruik", unit, false},
	{"Verbouwing verblijfsobject", unit, false}, {"Verblijfsobject ingetrokken", unit, true},
	{"Verblijfsobject buiten gebruik", unit, false}, {"Verblijfsobject ten onrechte opgevoerd", unit, true},
	{"Bouwvergunning verleend", building, false}, {"Niet gerealiseerd pand", building, true},
	{"Bouw gestart", building, false}, {"Pand in gebruik (niet ingemeten)", building, false},
	{"Pand in gebruik", building, false}, {"Verbouwing pand", building, false},
	{"Sloopvergunning verleend", building, false}, {"Pand gesloopt", building, true},
	{"Pand buiten gebruik", building, false}, {"Pand ten onrechte opgevoerd", building, true},
}

// ParseStatus reads a status of an object type.
func ParseStatus[S string | []byte](t Type, s S) (Status, bool) {
	kind := [...]statusKind{0, locality, naming, naming, unit, place, place, building}[t]
	for i, v := range statuses {
		if v.kind == kind && string(s) == v.text {
			return Status(i), true
		}
	}
	return NoStatus, false
}

// String gives the official text.
func (s Status) String() string {
	if int(s) >= len(statuses) {
		return ""
	}
	return statuses[s].text
}

// Ended tells whether this is an end status: the object is no more, was never made, or should not have been registered.
func (s Status) Ended() bool { return int(s) < len(statuses) && statuses[s].ended }

// Enum is one value of a short closed list.
type Enum uint8

// List is a closed list; a value is stored as its place in it, counted from 1. Append, never reorder.
type List []string

// The closed lists of the schema.
var (
	SpaceTypes = List{"Weg", "Water", "Spoorbaan", "Terrein", "Kunstwerk", "Landschappelijk gebied", "Administratief gebied"}
	Uses       = List{"woonfunctie", "bijeenkomstfunctie", "celfunctie", "gezondheidszorgfunctie", "industriefunctie", "kantoorfunctie",
		"logiesfunctie", "onderwijsfunctie", "sportfunctie", "winkelfunctie", "overige gebruiksfunctie"}
	Addressables   = List{"Verblijfsobject", "Standplaats", "Ligplaats"}
	RelationStates = List{"voorlopig", "definitief"}
	Attributes     = List{"naam", "geometrie", "status", "type", "ligt in", "ligt aan", "huisnummer", "huisletter", "huisnummertoevoeging",
		"postcode", "type adresseerbaar object", "gebruiksdoel", "oppervlakte", "maakt deel uit van", "heeft als hoofdadres",
		"heeft als nevenadres", "oorspronkelijk bouwjaar"}
)

// Parse finds a text in the list.
func (l List) Parse(s []byte) (Enum, bool) {
	for i, v := range l {
		if string(s) == v {
			return Enum(i + 1), true
		}
	}
	return 0, false
}

// Text gives the text of a value, "" for none.
func (l List) Text(e Enum) string {
	if e == 0 || int(e) > len(l) {
		return ""
	}
	return l[e-1]
}
