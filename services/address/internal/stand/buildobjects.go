package stand

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// writeObjects writes the table of one type and collects what its indexes need.
func (b *builder) writeObjects(t imbag.Type) error {
	name := "obj." + t.Code()
	tab, err := b.table(name)
	if err != nil {
		return err
	}
	geo, err := b.out.create(name + ".geo")
	if err != nil {
		return err
	}
	var (
		o             imbag.Object
		key, geometry []byte
		geometryAt    uint64
		counts        Counts
		counted       imbag.ID
	)
	err = b.objects[t].each(func(e []byte) error {
		o.Reset()
		o.Type, o.ID = t, imbag.ID(binary.BigEndian.Uint64(e))
		if bytes.Equal(e[:keySize], key) {
			return fmt.Errorf("%s %s: occurrence %d stands twice in the deliveries, with different content", t, o.ID, binary.BigEndian.Uint32(e[8:]))
		}
		key = append(key[:0], e[:keySize]...)
		size := binary.LittleEndian.Uint32(e[keySize:])
		body, shape := e[keySize+4:keySize+4+size], e[keySize+4+size:]
		isNew, err := tab.row(uint64(o.ID))
		if err != nil {
			return err
		}
		var where []byte
		if len(shape) > 0 {
			if isNew || !bytes.Equal(shape, geometry) { // most occurrences keep the shape of the one before
				geometry, geometryAt = append(geometry[:0], shape...), geo.n
				geo.write(binary.AppendUvarint(nil, uint64(len(shape))))
				geo.write(shape)
				if err := b.indexShape(t, shape, uint32(tab.n-1)); err != nil {
					return fmt.Errorf("%s %s: %w", t, o.ID, err)
				}
			}
			where = binary.AppendUvarint(nil, geometryAt)
		}
		tab.record(body, where)
		r := reader{b: body}
		if r.object(&o); r.bad || len(r.b) > 0 {
			return fmt.Errorf("%s %s: the record cannot be read back", t, o.ID)
		}
		switch o.Class() {
		case imbag.Regular:
			counts.Occurrences++
			if o.ID != counted {
				counts.Objects, counted = counts.Objects+1, o.ID
			}
			return b.indexObject(&o, uint32(tab.n-1))
		case imbag.Inactive:
			counts.Inactive++
		case imbag.NotBAG:
			counts.NotBAG++
		}
		return nil
	})
	tab.end()
	b.manifest.Counts[t.Code()] = counts
	return err
}

// indexObject adds one regular occurrence to the indexes. Occurrences that were taken back are found by id only.
func (b *builder) indexObject(o *imbag.Object, place uint32) error {
	switch o.Type {
	case imbag.Locality:
		return b.index(ixPlace, nameKey(o.Name), place)
	case imbag.PublicSpace:
		if err := b.index(ixLocality, uint64(o.Locality), place); err != nil {
			return err
		}
		if err := b.index(ixName, nameKey(o.Name), place); err != nil || o.ShortName == "" {
			return err
		}
		return b.index(ixName, nameKey(o.ShortName), place)
	case imbag.Designation:
		if o.Postcode != 0 {
			if err := b.index(ixPostcode, postcodeKey(o.Postcode, int(o.HouseNumber)), place); err != nil {
				return err
			}
		}
		return b.index(ixSpace, uint64(o.Space), place)
	case imbag.AccommodationUnit, imbag.Berth, imbag.Pitch:
		for code, t := range addressables {
			if t == o.Type {
				place |= uint32(code) << typeShift
			}
		}
		if err := b.index(ixAddressed, uint64(o.Main), place); err != nil {
			return err
		}
		for _, id := range o.Secondary {
			if err := b.index(ixAddressed, uint64(id), place); err != nil {
				return err
			}
		}
		for _, id := range o.Buildings {
			if err := b.index(ixBuilding, uint64(id), place&placeMask); err != nil {
				return err
			}
		}
	}
	return nil
}

func appendInquiry(b []byte, q *imbag.Inquiry) []byte {
	active := byte(0)
	if q.Active {
		active = 1
	}
	b = append(b, byte(q.Attribute), active)
	b = binary.AppendVarint(b, int64(q.Begin))
	b = binary.AppendVarint(b, int64(q.End))
	b = binary.AppendVarint(b, int64(q.DocumentDate))
	b = appendString(b, q.Document)
	for _, m := range []imbag.Moment{q.Registered, q.EndRegistered, q.RegisteredLV, q.EndRegisteredLV} {
		b = binary.AppendVarint(b, int64(m))
	}
	return b
}

func (r *reader) inquiry(q *imbag.Inquiry) {
	q.Attribute, q.Active = imbag.Enum(r.byte()), r.byte() == 1
	q.Begin, q.End, q.DocumentDate = imbag.Date(r.varint()), imbag.Date(r.varint()), imbag.Date(r.varint())
	q.Document = r.string()
	for _, m := range []*imbag.Moment{&q.Registered, &q.EndRegistered, &q.RegisteredLV, &q.EndRegisteredLV} {
		*m = imbag.Moment(r.varint())
	}
}

func appendRelation(b []byte, r *imbag.Relation) []byte {
	b = binary.BigEndian.AppendUint16(b, r.Municipality)
	b = binary.AppendVarint(b, int64(r.Begin))
	b = binary.AppendVarint(b, int64(r.End))
	return append(b, byte(r.State))
}

func (r *reader) relation(rel *imbag.Relation) {
	rel.Municipality = uint16(r.byte())<<8 | uint16(r.byte())
	rel.Begin, rel.End = imbag.Date(r.varint()), imbag.Date(r.varint())
	rel.State = imbag.Enum(r.byte())
}
