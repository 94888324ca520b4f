package bagtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// Line writes an occurrence of the model as Lines writes it from XML.
func Line(o *imbag.Object) string {
	number := func(n int32, there bool) string {
		if !there {
			return ""
		}
		return strconv.Itoa(int(n))
	}
	id := func(id imbag.ID) string {
		if id == 0 {
			return ""
		}
		return id.String()
	}
	list := func(ids []imbag.ID) string {
		var all []string
		for _, v := range ids {
			all = append(all, v.String())
		}
		return strings.Join(all, ",")
	}
	recorded, letter := "N", ""
	if o.Recorded {
		recorded = "J"
	}
	if o.Letter != 0 {
		letter = string(rune(o.Letter))
	}
	var uses []string
	for i, use := range imbag.Uses {
		if o.Uses&(1<<i) != 0 {
			uses = append(uses, use)
		}
	}
	slices.Sort(uses)
	c := &o.Occurrence
	fields := []string{o.Type.Code(), o.ID.String(), number(c.Number, true), c.Begin.String(), c.End.String(), c.Registered.String(),
		c.EndRegistered.String(), c.Inactive.String(), c.RegisteredLV.String(), c.EndRegisteredLV.String(), c.InactiveLV.String(), c.NotBAGLV.String(),
		o.Status.String(), recorded, o.DocumentDate.String(), o.Document, o.Name, o.ShortName, imbag.SpaceTypes.Text(o.SpaceType), id(o.Locality),
		number(o.HouseNumber, o.Type == imbag.Designation), letter, o.Suffix, o.Postcode.String(), imbag.Addressables.Text(o.Designates), id(o.Space),
		id(o.Main), list(o.Secondary), list(o.Buildings), strings.Join(uses, ","), number(o.Area, o.Type == imbag.AccommodationUnit), year(o)}
	return strings.Join(append(fields, shape(&o.Geometry)), "|")
}

func year(o *imbag.Object) string {
	if o.Type != imbag.Building {
		return ""
	}
	return fmt.Sprintf("%04d", o.Year)
}

func shape(g *imbag.Geometry) string {
	text := func(coords []int32) string {
		var all []string
		for _, v := range coords {
			all = append(all, strconv.Itoa(int(v)))
		}
		return strings.Join(all, " ")
	}
	if g.Kind == imbag.Point {
		return "point " + text(g.Coords)
	}
	var b strings.Builder
	ring, at := 0, 0
	for _, rings := range g.Polygons {
		b.WriteString("(")
		for range rings {
			n := int(g.Rings[ring]) * int(g.Dim)
			b.WriteString("[" + text(g.Coords[at:at+n]) + "]")
			ring, at = ring+1, at+n
		}
		b.WriteString(")")
	}
	if g.Kind == imbag.MultiPolygon {
		return "multi " + b.String()
	}
	return "polygon " + b.String()
}
