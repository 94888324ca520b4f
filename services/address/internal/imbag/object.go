package imbag

import "math"

// Object is one occurrence (voorkomen) of an object: what the register said of it during a stretch of time. Which fields
// are in use depends on Type. It is also a scratch value: whoever reads many of them reuses one.
type Object struct {
	Type Type
	ID   ID
	Occurrence
	Status       Status
	Recorded     bool // geconstateerd: entered on the spot, not by a decision
	DocumentDate Date
	Document     string

	Name      string // locality, public space
	ShortName string // public space: NEN 5825, at most 24 characters; often absent
	SpaceType Enum   // public space, of SpaceTypes
	Locality  ID     // public space; designation where it differs from that of its public space

	HouseNumber int32    // designation: 1..99999
	Letter      byte     // designation: 0 = none
	Suffix      string   // designation: huisnummertoevoeging
	Postcode    Postcode // designation: 0 = none
	Designates  Enum     // designation, of Addressables
	Space       ID       // designation

	Main      ID     // addressable object: hoofdadres
	Secondary []ID   // addressable object: nevenadressen
	Buildings []ID   // accommodation unit
	Uses      uint16 // accommodation unit: bit i = Uses[i]
	Area      int32  // accommodation unit, m²

	Year     int32 // building
	Geometry Geometry
}

// Occurrence is the time part: when it held in reality, and when the registers knew of it.
type Occurrence struct {
	Number          int32 // voorkomenidentificatie
	Begin, End      Date  // [Begin, End); End may be NoDate
	Registered      Moment
	EndRegistered   Moment
	Inactive        Moment // a future occurrence taken back before its day came
	NotBAG          Moment
	RegisteredLV    Moment // the LV moments: in the national register, the others in that of the municipality
	EndRegisteredLV Moment
	InactiveLV      Moment
	NotBAGLV        Moment
}

// Class tells in which stream of a delivery an occurrence comes.
type Class uint8

// The classes.
const (
	Regular Class = iota
	Inactive
	NotBAG
)

// Class gives the class of an occurrence.
func (o *Occurrence) Class() Class {
	switch {
	case o.NotBAG != NoMoment || o.NotBAGLV != NoMoment:
		return NotBAG
	case o.Inactive != NoMoment || o.InactiveLV != NoMoment:
		return Inactive
	default:
		return Regular
	}
}

// ActualOn tells whether the occurrence holds on a day (actueel): its period covers the day and it was not taken back.
func (o *Occurrence) ActualOn(d Date) bool {
	return o.Begin <= d && (o.End == NoDate || d < o.End) && o.Class() == Regular
}

// Ever is the moment at which everything that a stand holds is known.
const Ever Moment = math.MaxInt64

// HeldOn tells whether the occurrence held on a day by what the national register knew at a moment: it had been registered
// by then, had not been taken back, and its period, as far as it was known to end, covers the day.
func (o *Occurrence) HeldOn(d Date, known Moment) bool {
	c := o.KnownAt(known)
	return o.RegisteredLV <= known && c.ActualOn(d)
}

// KnownAt gives the occurrence as the national register had it at a moment: without the end and the taking back that it
// learnt of later.
func (o *Occurrence) KnownAt(known Moment) Occurrence {
	c := *o
	if c.EndRegisteredLV > known {
		c.End, c.EndRegistered, c.EndRegisteredLV = NoDate, NoMoment, NoMoment
	}
	if max(c.InactiveLV, c.Inactive) > known {
		c.Inactive, c.InactiveLV = NoMoment, NoMoment
	}
	if max(c.NotBAGLV, c.NotBAG) > known {
		c.NotBAG, c.NotBAGLV = NoMoment, NoMoment
	}
	return c
}

// Reset empties o for its next use and keeps its memory.
func (o *Object) Reset() {
	g := o.Geometry
	*o = Object{
		Occurrence: Occurrence{End: NoDate, Begin: NoDate, Registered: NoMoment, EndRegistered: NoMoment, Inactive: NoMoment, NotBAG: NoMoment,
			RegisteredLV: NoMoment, EndRegisteredLV: NoMoment, InactiveLV: NoMoment, NotBAGLV: NoMoment},
		DocumentDate: NoDate, Secondary: o.Secondary[:0], Buildings: o.Buildings[:0],
		Geometry: Geometry{Coords: g.Coords[:0], Rings: g.Rings[:0], Polygons: g.Polygons[:0]},
	}
}

// Geometry is a shape in the Dutch grid (EPSG:28992), in whole millimetres.
type Geometry struct {
	Kind     GeometryKind
	Dim      uint8   // 2 or 3 numbers per position
	Coords   []int32 // all positions, one after the other
	Rings    []int32 // positions per ring
	Polygons []int32 // rings per polygon, the outer one first
}

// GeometryKind tells what the coordinates form.
type GeometryKind uint8

// The kinds of geometry.
const (
	NoGeometry GeometryKind = iota
	Point
	Polygon
	MultiPolygon
)

// Inquiry is one record of an attribute being looked into (in onderzoek), or no longer.
type Inquiry struct {
	Type                          Type
	ID                            ID
	Attribute                     Enum // of Attributes
	Active                        bool
	DocumentDate                  Date
	Document                      string
	Begin, End                    Date
	Registered, EndRegistered     Moment
	RegisteredLV, EndRegisteredLV Moment
}

// ActiveOn tells whether the attribute is under inquiry on a day.
func (q *Inquiry) ActiveOn(d Date) bool {
	return q.Active && q.Begin <= d && (q.End == NoDate || d < q.End)
}

// KnownAt tells whether the national register knew of the inquiry at a moment, and gives it as it was known then.
func (q *Inquiry) KnownAt(known Moment) (Inquiry, bool) {
	c := *q
	if c.EndRegisteredLV > known {
		c.End, c.EndRegistered, c.EndRegisteredLV = NoDate, NoMoment, NoMoment
	}
	return c, c.RegisteredLV <= known
}

// Relation says in which municipality a locality lies during [Begin, End).
type Relation struct {
	Locality     ID
	Municipality uint16 // code of national table 33
	Begin, End   Date
	State        Enum // of RelationStates
}
