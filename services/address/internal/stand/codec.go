package stand

import (
	"encoding/binary"
	"math"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// The form of a record in .rec: what the occurrence is keyed by, then the rest. Moments and dates are written relative
// to one another, as they mostly lie close.
const (
	hasEnd = 1 << iota
	hasEndRegistered
	hasInactive
	hasNotBAG
	hasEndRegisteredLV
	hasInactiveLV
	hasNotBAGLV
	isRecorded
)

// appendKey writes what objects are sorted and de-duplicated by: id, number, moment in the national register, class. Of
// occurrences that hold on the same day the last in this order supersedes the others.
func appendKey(b []byte, o *imbag.Object) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(o.ID))
	b = binary.BigEndian.AppendUint32(b, uint32(o.Occurrence.Number))
	b = binary.BigEndian.AppendUint64(b, uint64(o.RegisteredLV)^1<<63)
	return append(b, byte(o.Class()))
}

const keySize = 8 + 4 + 8 + 1

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendIDs(b []byte, ids []imbag.ID) []byte {
	b = binary.AppendUvarint(b, uint64(len(ids)))
	last := imbag.ID(0)
	for _, id := range ids {
		b = binary.AppendVarint(b, int64(id-last))
		last = id
	}
	return b
}

// appendBody writes all of an object but its id and geometry.
func appendBody(b []byte, o *imbag.Object) []byte {
	flags, c := byte(0), &o.Occurrence
	set := func(there bool, flag byte) {
		if there {
			flags |= flag
		}
	}
	set(c.End != imbag.NoDate, hasEnd)
	set(c.EndRegistered != imbag.NoMoment, hasEndRegistered)
	set(c.Inactive != imbag.NoMoment, hasInactive)
	set(c.NotBAG != imbag.NoMoment, hasNotBAG)
	set(c.EndRegisteredLV != imbag.NoMoment, hasEndRegisteredLV)
	set(c.InactiveLV != imbag.NoMoment, hasInactiveLV)
	set(c.NotBAGLV != imbag.NoMoment, hasNotBAGLV)
	set(o.Recorded, isRecorded)
	b = append(b, flags)
	b = binary.AppendVarint(b, int64(c.Begin))
	if flags&hasEnd != 0 {
		b = binary.AppendVarint(b, int64(c.End-c.Begin))
	}
	b = binary.AppendUvarint(b, uint64(c.Number))
	b = binary.AppendVarint(b, int64(c.RegisteredLV))
	b = binary.AppendVarint(b, int64(c.RegisteredLV-c.Registered))
	for _, m := range []struct {
		flag byte
		at   imbag.Moment
	}{{hasEndRegistered, c.EndRegistered}, {hasInactive, c.Inactive}, {hasNotBAG, c.NotBAG}, {hasEndRegisteredLV, c.EndRegisteredLV},
		{hasInactiveLV, c.InactiveLV}, {hasNotBAGLV, c.NotBAGLV}} {
		if flags&m.flag != 0 {
			b = binary.AppendVarint(b, int64(m.at-c.RegisteredLV))
		}
	}
	b = append(b, byte(o.Status))
	b = binary.AppendVarint(b, int64(c.Begin-o.DocumentDate))
	b = appendString(b, o.Document)
	switch o.Type {
	case imbag.Locality:
		b = appendString(b, o.Name)
	case imbag.PublicSpace:
		b = appendString(appendString(b, o.Name), o.ShortName)
		b = append(b, byte(o.SpaceType))
		b = binary.AppendUvarint(b, uint64(o.Locality))
	case imbag.Designation:
		b = binary.AppendUvarint(b, uint64(o.HouseNumber))
		b = append(b, o.Letter)
		b = appendString(b, o.Suffix)
		b = binary.AppendUvarint(b, uint64(o.Postcode))
		b = append(b, byte(o.Designates))
		b = binary.AppendUvarint(b, uint64(o.Locality))
		b = binary.AppendVarint(b, int64(o.Space-o.ID))
	case imbag.AccommodationUnit:
		b = binary.LittleEndian.AppendUint16(b, o.Uses)
		b = binary.AppendUvarint(b, uint64(o.Area))
		b = appendIDs(b, o.Buildings)
	case imbag.Building:
		b = binary.AppendUvarint(b, uint64(o.Year))
	}
	if o.Type.Addressable() {
		b = binary.AppendVarint(b, int64(o.Main-o.ID))
		b = appendIDs(b, o.Secondary)
	}
	return b
}

// appendGeometry writes a geometry, positions relative to the one before.
func appendGeometry(b []byte, g *imbag.Geometry) []byte {
	flat := true // the height is nearly always written as 0.0
	dim := int(g.Dim)
	if dim == 3 {
		for i := 2; i < len(g.Coords); i += 3 {
			flat = flat && g.Coords[i] == 0
		}
	}
	kind := byte(g.Kind) | g.Dim<<3
	if flat && dim == 3 {
		kind |= 0x80
	}
	b = append(b, kind)
	b = binary.AppendUvarint(b, uint64(len(g.Polygons)))
	for _, n := range g.Polygons {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, n := range g.Rings {
		b = binary.AppendUvarint(b, uint64(n))
	}
	var last [3]int32
	for i, v := range g.Coords {
		axis := i % max(dim, 1)
		if axis == 2 && flat {
			continue
		}
		b = binary.AppendVarint(b, int64(v)-int64(last[axis]))
		last[axis] = v
	}
	return b
}

// reader takes a record apart. Reading past the end sets bad instead of panicking: files can rot.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) string() string { return string(r.bytes()) }

func (r *reader) ids(to []imbag.ID) []imbag.ID {
	last := imbag.ID(0)
	for range min(r.uvarint(), math.MaxUint16) {
		last += imbag.ID(r.varint())
		to = append(to, last)
	}
	return to
}

// period reads the start of a record, enough to know whether it holds on a day.
func (r *reader) period() (flags byte, begin, end imbag.Date) {
	flags = r.byte()
	begin, end = imbag.Date(r.varint()), imbag.NoDate
	if flags&hasEnd != 0 {
		end = begin + imbag.Date(r.varint())
	}
	return flags, begin, end
}

// object reads a whole record. o.Type and o.ID are set by the caller after o.Reset.
func (r *reader) object(o *imbag.Object) {
	c := &o.Occurrence
	var flags byte
	flags, c.Begin, c.End = r.period()
	o.Recorded = flags&isRecorded != 0
	c.Number = int32(r.uvarint())
	c.RegisteredLV = imbag.Moment(r.varint())
	c.Registered = c.RegisteredLV - imbag.Moment(r.varint())
	moment := func(flag byte, to *imbag.Moment) {
		if flags&flag != 0 {
			*to = c.RegisteredLV + imbag.Moment(r.varint())
		}
	}
	moment(hasEndRegistered, &c.EndRegistered)
	moment(hasInactive, &c.Inactive)
	moment(hasNotBAG, &c.NotBAG)
	moment(hasEndRegisteredLV, &c.EndRegisteredLV)
	moment(hasInactiveLV, &c.InactiveLV)
	moment(hasNotBAGLV, &c.NotBAGLV)
	o.Status = imbag.Status(r.byte())
	o.DocumentDate = c.Begin - imbag.Date(r.varint())
	o.Document = r.string()
	switch o.Type {
	case imbag.Locality:
		o.Name = r.string()
	case imbag.PublicSpace:
		o.Name, o.ShortName = r.string(), r.string()
		o.SpaceType = imbag.Enum(r.byte())
		o.Locality = imbag.ID(r.uvarint())
	case imbag.Designation:
		o.HouseNumber = int32(r.uvarint())
		o.Letter = r.byte()
		o.Suffix = r.string()
		o.Postcode = imbag.Postcode(r.uvarint())
		o.Designates = imbag.Enum(r.byte())
		o.Locality = imbag.ID(r.uvarint())
		o.Space = o.ID + imbag.ID(r.varint())
	case imbag.AccommodationUnit:
		o.Uses = uint16(r.byte()) | uint16(r.byte())<<8
		o.Area = int32(r.uvarint())
		o.Buildings = r.ids(o.Buildings[:0])
	case imbag.Building:
		o.Year = int32(r.uvarint())
	}
	if o.Type.Addressable() {
		o.Main = o.ID + imbag.ID(r.varint())
		o.Secondary = r.ids(o.Secondary[:0])
	}
}

// geometry reads what appendGeometry wrote.
func (r *reader) geometry(g *imbag.Geometry) {
	kind := r.byte()
	g.Kind, g.Dim = imbag.GeometryKind(kind&7), kind>>3&3
	flat := kind&0x80 != 0
	rings, positions := uint64(0), uint64(0)
	g.Polygons, g.Rings, g.Coords = g.Polygons[:0], g.Rings[:0], g.Coords[:0]
	for range min(r.uvarint(), uint64(len(r.b))) {
		n := r.uvarint()
		rings += n
		g.Polygons = append(g.Polygons, int32(n))
	}
	for range min(rings, uint64(len(r.b))) {
		n := r.uvarint()
		positions += n
		g.Rings = append(g.Rings, int32(n))
	}
	if g.Kind == imbag.Point {
		positions = 1
	}
	var last [3]int64
	for range min(positions, uint64(len(r.b))) {
		for axis := range int(g.Dim) {
			if axis < 2 || !flat {
				last[axis] += r.varint()
			}
			g.Coords = append(g.Coords, int32(last[axis]))
		}
	}
}
