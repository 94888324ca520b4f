// Package imbag is the information model of the Dutch addresses and buildings register (IMBAG 2.0): the seven object
// types, their identifications, occurrences in time and the closed lists of values, with the rule that tells which
// occurrence holds on a day. It knows no XML, no file format and no HTTP.
package imbag

import "fmt"

// Type is one of the seven object types.
type Type uint8

// The object types. NoType is what an unknown identification has.
const (
	NoType            Type = iota
	Locality               // woonplaats
	PublicSpace            // openbare ruimte
	Designation            // nummeraanduiding
	AccommodationUnit      // verblijfsobject
	Berth                  // ligplaats
	Pitch                  // standplaats
	Building               // pand
)

// Types lists the seven, in the order of the official documentation.
func Types() []Type {
	return []Type{Locality, PublicSpace, Designation, AccommodationUnit, Berth, Pitch, Building}
}

// Code gives the three letters that official file names use.
func (t Type) Code() string {
	return [...]string{"", "WPL", "OPR", "NUM", "VBO", "LIG", "STA", "PND"}[t]
}

// String gives the Dutch name.
func (t Type) String() string {
	return [...]string{"onbekend", "woonplaats", "openbareRuimte", "nummeraanduiding", "verblijfsobject", "ligplaats", "standplaats", "pand"}[t]
}

// Domain gives the value of the domein attribute of an identification (NEN 3610).
func (t Type) Domain() string {
	return [...]string{"", "NL.IMBAG.Woonplaats", "NL.IMBAG.Openbareruimte", "NL.IMBAG.Nummeraanduiding", "NL.IMBAG.Verblijfsobject",
		"NL.IMBAG.Ligplaats", "NL.IMBAG.Standplaats", "NL.IMBAG.Pand"}[t]
}

// Addressable tells whether a designation can be the address of objects of this type.
func (t Type) Addressable() bool { return t == AccommodationUnit || t == Berth || t == Pitch }

// Located tells whether objects of this type have a geometry.
func (t Type) Located() bool { return t != NoType && t != PublicSpace && t != Designation }

// TypeByCode finds a type by its three letters.
func TypeByCode(code string) (Type, bool) {
	for _, t := range Types() {
		if t.Code() == code {
			return t, true
		}
	}
	return NoType, false
}

// ID is an identification: four digits for a locality, sixteen for the others (the municipality that made it, two
// digits of type, ten of serial number), held as a number. Zero is no identification. The first four digits say who
// issued the id, never in which municipality the object lies today.
type ID uint64

const (
	maxLocality = 9999
	maxID       = 9999_99_9999999999
)

// Type derives the object type from the digits, NoType when they name none.
func (id ID) Type() Type {
	if id == 0 || id > maxID {
		return NoType
	}
	if id <= maxLocality {
		return Locality
	}
	switch id / 1e10 % 100 {
	case 1:
		return AccommodationUnit
	case 2:
		return Berth
	case 3:
		return Pitch
	case 10:
		return Building
	case 20:
		return Designation
	case 30:
		return PublicSpace
	default:
		return NoType
	}
}

// String writes the identification with its leading zeros.
func (id ID) String() string {
	if id <= maxLocality {
		return fmt.Sprintf("%04d", uint64(id))
	}
	return fmt.Sprintf("%016d", uint64(id))
}

// ParseID reads four or sixteen digits of a known type.
func ParseID[S string | []byte](s S) (ID, bool) {
	if len(s) != 4 && len(s) != 16 {
		return 0, false
	}
	var id ID
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		id = id*10 + ID(s[i]-'0')
	}
	if t := id.Type(); t == NoType || (t == Locality) != (len(s) == 4) {
		return 0, false
	}
	return id, true
}

// Postcode is four digits and two letters as a number in lexical order. Zero is no postcode.
type Postcode uint32

// ParsePostcode reads "9981AA". Lower case letters and one space before them are read as well.
func ParsePostcode[S string | []byte](s S) (Postcode, bool) {
	if len(s) == 7 && s[4] == ' ' {
		return parsePostcode(s[0], s[1], s[2], s[3], s[5], s[6])
	}
	if len(s) != 6 {
		return 0, false
	}
	return parsePostcode(s[0], s[1], s[2], s[3], s[4], s[5])
}

func parsePostcode(c ...byte) (Postcode, bool) {
	n := Postcode(0)
	for i, b := range c[:4] {
		if b < '0' || b > '9' || (i == 0 && b == '0') {
			return 0, false
		}
		n = n*10 + Postcode(b-'0')
	}
	for _, b := range c[4:] {
		b &^= 0x20
		if b < 'A' || b > 'Z' {
			return 0, false
		}
		n = n*26 + Postcode(b-'A')
	}
	return n, true
}

// String writes "9981AA", "" for none.
func (p Postcode) String() string {
	if p == 0 {
		return ""
	}
	return fmt.Sprintf("%04d%c%c", p/676, 'A'+rune(p/26%26), 'A'+rune(p%26))
}
