package bag

import (
	"math"
	"strconv"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

const (
	srsName = "urn:ogc:def:crs:EPSG::28992"
	// maxPositions of one geometry; the largest locality has some ten thousands.
	maxPositions = 2_000_000
)

// geometry reads the element geometrie. Its wrapping differs: a locality has vlak or multivlak, an accommodation unit
// punt or vlak, the others the surface itself.
func (p *parser) geometry(t imbag.Type, g *imbag.Geometry) error {
	parent := "geometrie"
	once := false
	read := func(e element) error {
		if once {
			return p.s.fail("a second geometry")
		}
		wrapped := t == imbag.Locality || t == imbag.AccommodationUnit
		switch {
		case wrapped && e == elSurface:
			return p.only("vlak", elGMLPolygon, func() error { return p.polygons(g, imbag.Polygon) })
		case t == imbag.Locality && e == elMultiSurface:
			return p.only("multivlak", elGMLMultiSurface, func() error { return p.multi(g) })
		case t == imbag.AccommodationUnit && e == elPoint:
			return p.only("punt", elGMLPoint, func() error { return p.point(g) })
		case !wrapped && e == elGMLPolygon:
			return p.polygons(g, imbag.Polygon)
		default:
			return p.misplaced(parent)
		}
	}
	err := p.children(parent, set{}, unknown, func(e element) error {
		err := read(e)
		once = true
		return err
	})
	if err == nil && g.Kind == imbag.NoGeometry {
		err = p.s.fail("a geometry without coordinates")
	}
	return err
}

// srs checks grid and dimension of a gml element; members of a multi surface may leave them out.
func (p *parser) srs(g *imbag.Geometry) error {
	dim := g.Dim
	for _, a := range p.s.attrs {
		switch string(a.name) {
		case "srsName":
			if string(a.value) != srsName {
				return p.s.fail("a geometry in another grid than " + srsName)
			}
		case "srsDimension":
			switch string(a.value) {
			case "2":
				dim = 2
			case "3":
				dim = 3
			default:
				return p.s.fail("srsDimension is not 2 or 3")
			}
		}
	}
	if g.Dim != 0 && dim != g.Dim {
		return p.s.fail("positions of different dimensions in one geometry")
	}
	g.Dim = dim
	return nil
}

func (p *parser) point(g *imbag.Geometry) error {
	if err := p.srs(g); err != nil {
		return err
	}
	g.Kind = imbag.Point
	err := p.only("Point", elGMLPos, func() error { return p.positions(g) })
	if err == nil && len(g.Coords) != int(g.Dim) {
		return p.s.fail("a point is one position")
	}
	return err
}

func (p *parser) multi(g *imbag.Geometry) error {
	if err := p.srs(g); err != nil {
		return err
	}
	return p.children("MultiSurface", bits(elGMLMember), elGMLMember, func(e element) error {
		if e != elGMLMember {
			return p.misplaced("MultiSurface")
		}
		return p.only("surfaceMember", elGMLPolygon, func() error { return p.polygons(g, imbag.MultiPolygon) })
	})
}

// polygons reads one gml:Polygon and adds it.
func (p *parser) polygons(g *imbag.Geometry, kind imbag.GeometryKind) error {
	if err := p.srs(g); err != nil {
		return err
	}
	g.Kind = kind
	rings := int32(0)
	err := p.children("Polygon", bits(elGMLExterior), elGMLInterior, func(e element) error {
		if e != elGMLExterior && e != elGMLInterior || e == elGMLInterior && rings == 0 {
			return p.misplaced("Polygon")
		}
		rings++
		return p.only("exterior or interior", elGMLRing, func() error {
			return p.only("LinearRing", elGMLPosList, func() error {
				before := len(g.Coords)
				if err := p.positions(g); err != nil {
					return err
				}
				g.Rings = append(g.Rings, int32((len(g.Coords)-before)/int(g.Dim)))
				return nil
			})
		})
	})
	g.Polygons = append(g.Polygons, rings)
	return err
}

// positions reads numbers in metres and adds them in millimetres.
func (p *parser) positions(g *imbag.Geometry) error {
	for _, a := range p.s.attrs {
		if string(a.name) == "srsDimension" {
			if err := p.srs(g); err != nil {
				return err
			}
		}
	}
	if g.Dim == 0 {
		g.Dim = 2
	}
	text, err := p.s.leaf()
	if err != nil {
		return err
	}
	before := len(g.Coords)
	for {
		for len(text) > 0 && space(text[0]) {
			text = text[1:]
		}
		if len(text) == 0 {
			break
		}
		n := 0
		for n < len(text) && !space(text[n]) {
			n++
		}
		mm, ok := millimetres(text[:n])
		if !ok || len(g.Coords) == maxPositions*3 {
			return p.s.fail("a coordinate that is not a number in the Dutch grid: " + strconv.Quote(clip(text[:n])))
		}
		g.Coords = append(g.Coords, mm)
		text = text[n:]
	}
	if n := len(g.Coords) - before; n == 0 || n%int(g.Dim) != 0 {
		return p.s.fail("the coordinates do not fill whole positions")
	}
	return nil
}

// millimetres reads a decimal number of metres. The register is kept to the millimetre: further digits are rounded.
func millimetres(text []byte) (int32, bool) {
	negative := false
	if len(text) > 0 && text[0] == '-' {
		negative, text = true, text[1:]
	}
	n, decimals, seen := int64(0), -1, false
	for i, b := range text {
		switch {
		case b >= '0' && b <= '9':
			seen = true
			if decimals == 3 {
				return rounded(text, negative)
			}
			n = n*10 + int64(b-'0')
			if decimals >= 0 {
				decimals++
			}
			if n > math.MaxInt32 {
				return 0, false
			}
		case b == '.' && decimals < 0 && i > 0:
			decimals = 0
		default:
			return rounded(text, negative)
		}
	}
	for range 3 - max(decimals, 0) {
		n *= 10
	}
	if !seen || n > math.MaxInt32 {
		return 0, false
	}
	if negative {
		n = -n
	}
	return int32(n), true
}

// rounded reads the rare forms: more than three decimals, an exponent.
func rounded(text []byte, negative bool) (int32, bool) {
	if len(text) == 0 || len(text) > 32 || text[0] < '0' || text[0] > '9' {
		return 0, false
	}
	for _, b := range text {
		if (b < '0' || b > '9') && b != '.' && b != 'e' && b != 'E' && b != '-' && b != '+' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if f = math.Round(f * 1000); err != nil || f > math.MaxInt32 {
		return 0, false
	}
	if negative {
		f = -f
	}
	return int32(f), true
}
