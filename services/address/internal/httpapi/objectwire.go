package httpapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// objectWriter writes objects as the Kadaster does, with links that keep to one moment (links.feature).
type objectWriter struct {
	base    string // outside address of the service
	zone    *time.Location
	self    string // query of the links of objects to themselves: the moment as it was asked
	related string // query of links to related objects: the whole moment, or nothing where none was asked
	cycle   bool   // links lead to occurrences and life cycles
	day     imbag.Date
}

func (w *objectWriter) object(o *lookup.Found) api.Resource {
	res := api.Resource{Links: w.links(o), Embedded: w.embedded(o)}
	for i := range o.Inquiries {
		res.Inonderzoek = append(res.Inonderzoek, w.inquiry(&o.Inquiries[i]))
	}
	*slot(&res, o.Type) = w.attributes(o)
	return res
}

// slot gives the place of an object of a type.
func slot(r *api.Resource, t imbag.Type) **api.Object {
	return [...]**api.Object{imbag.Locality: &r.Woonplaats, imbag.PublicSpace: &r.OpenbareRuimte, imbag.Designation: &r.Nummeraanduiding,
		imbag.AccommodationUnit: &r.Verblijfsobject, imbag.Berth: &r.Ligplaats, imbag.Pitch: &r.Standplaats, imbag.Building: &r.Pand}[t]
}

var typeNames = map[imbag.Type]string{imbag.AccommodationUnit: "Verblijfsobject", imbag.Berth: "Ligplaats", imbag.Pitch: "Standplaats"}

func (w *objectWriter) attributes(f *lookup.Found) *api.Object {
	o := &f.Object
	a := &api.Object{
		Identificatie: o.ID.String(), Domein: o.Type.Domain(), Naam: o.Name, Status: o.Status.String(), Geconstateerd: "N",
		Documentdatum: o.DocumentDate.String(), Documentnummer: o.Document, Voorkomen: w.occurrence(&o.Occurrence),
		LigtIn: text(o.Locality), LigtAan: text(o.Space), HeeftAlsHoofdAdres: text(o.Main), HeeftAlsNevenAdres: texts(o.Secondary),
		MaaktDeelUitVan: texts(o.Buildings), Type: typeNames[o.Type],
	}
	if o.Recorded {
		a.Geconstateerd = "J"
	}
	switch o.Type {
	case imbag.PublicSpace:
		a.Type, a.KorteNaam = imbag.SpaceTypes.Text(o.SpaceType), o.ShortName
		if a.KorteNaam == "" {
			a.KorteNaam = o.Name
		}
	case imbag.Designation:
		a.Huisnummer, a.Huisnummertoevoeging, a.Postcode = int(o.HouseNumber), o.Suffix, o.Postcode.String()
		a.TypeAdresseerbaarObject = imbag.Addressables.Text(o.Designates)
		if o.Letter != 0 {
			a.Huisletter = string(rune(o.Letter))
		}
	case imbag.AccommodationUnit:
		a.Gebruiksdoelen, a.Oppervlakte = uses(o.Uses), int(o.Area)
		a.Geometrie = pointOrSurface(&o.Geometry)
	case imbag.Building:
		a.OorspronkelijkBouwjaar = fmt.Sprintf("%04d", o.Year)
		a.Geometrie = geoJSON(&o.Geometry)
	case imbag.Berth, imbag.Pitch:
		a.Geometrie = geoJSON(&o.Geometry)
	}
	return a
}

func uses(bits uint16) []string {
	var all []string
	for i, use := range imbag.Uses {
		if bits&(1<<i) != 0 {
			all = append(all, use)
		}
	}
	return all
}

func text(id imbag.ID) string {
	if id == 0 {
		return ""
	}
	return id.String()
}

func texts(ids []imbag.ID) []string {
	var all []string
	for _, id := range ids {
		all = append(all, id.String())
	}
	return all
}

func (w *objectWriter) occurrence(o *imbag.Occurrence) api.Voorkomen {
	return api.Voorkomen{
		TijdstipRegistratie: w.moment(o.Registered), Versie: int(o.Number), EindRegistratie: w.moment(o.EndRegistered),
		BeginGeldigheid: o.Begin.String(), EindGeldigheid: o.End.String(), TijdstipInactief: w.moment(max(o.Inactive, o.InactiveLV)),
		TijdstipRegistratieLV: w.moment(o.RegisteredLV), TijdstipNietBAG: w.moment(max(o.NotBAG, o.NotBAGLV)),
	}
}

// moment writes a time with the offset of the Netherlands: the contract says date-time, and clients made from it insist.
func (w *objectWriter) moment(m imbag.Moment) string {
	if m == imbag.NoMoment {
		return ""
	}
	return m.In(w.zone).Format("2006-01-02T15:04:05.000Z07:00")
}

func (w *objectWriter) inquiry(q *imbag.Inquiry) api.Kenmerk {
	k := api.Kenmerk{
		Kenmerk: imbag.Attributes.Text(q.Attribute), InOnderzoek: "J", Documentdatum: q.DocumentDate.String(), Documentnummer: q.Document,
		Historie: api.Historie{
			TijdstipRegistratie: w.moment(q.Registered), EindRegistratie: w.moment(q.EndRegistered), BeginGeldigheid: q.Begin.String(),
			EindGeldigheid: q.End.String(), TijdstipRegistratieLV: w.moment(q.RegisteredLV),
		},
	}
	if q.Type == imbag.PublicSpace && k.Kenmerk == "ligt in" {
		k.Kenmerk = "gerelateerde woonplaats" // the contract's name for it
	}
	*[...]*string{imbag.Locality: &k.IdentificatieVanWoonplaats, imbag.PublicSpace: &k.IdentificatieVanOpenbareRuimte,
		imbag.Designation: &k.IdentificatieVanNummeraanduiding, imbag.AccommodationUnit: &k.IdentificatieVanVerblijfsobject,
		imbag.Berth: &k.IdentificatieVanLigplaats, imbag.Pitch: &k.IdentificatieVanStandplaats, imbag.Building: &k.IdentificatieVanPand}[q.Type] = q.ID.String()
	return k
}

func (w *objectWriter) links(f *lookup.Found) api.ObjectLinks {
	o := &f.Object
	many := func(ids []imbag.ID) []api.Link {
		var all []api.Link
		for _, id := range ids {
			all = append(all, *w.to(id))
		}
		return all
	}
	sources, _ := w.sources(f)
	return api.ObjectLinks{
		Bronhouders: sources,
		Self:        w.selfLink(f), LigtInWoonplaats: w.to(o.Locality), LigtAanOpenbareRuimte: w.to(o.Space), HeeftAlsHoofdAdres: w.to(o.Main),
		HeeftAlsNevenAdres: many(o.Secondary), MaaktDeelUitVan: many(o.Buildings),
	}
}

func (w *objectWriter) path(id imbag.ID) string {
	return w.base + "/" + kindOfType(id.Type()).name + "/" + id.String()
}

func (w *objectWriter) to(id imbag.ID) *api.Link {
	switch {
	case id == 0:
		return nil
	case w.cycle:
		return &api.Link{Href: w.path(id) + "/lvc"}
	}
	return &api.Link{Href: w.path(id) + w.related}
}

func (w *objectWriter) selfLink(f *lookup.Found) api.Link {
	if w.cycle {
		return api.Link{Href: w.path(f.ID) + "/" + strconv.Itoa(int(f.Occurrence.Number)) + "/" +
			strconv.FormatInt(f.RegisteredLV.In(w.zone).UnixMilli(), 10)}
	}
	return api.Link{Href: w.path(f.ID) + w.self}
}

func (w *objectWriter) embedded(f *lookup.Found) *api.ObjectEmbedded {
	one := func(o *lookup.Found) *api.Resource {
		if o == nil {
			return nil
		}
		r := w.object(o)
		return &r
	}
	many := func(all []lookup.Found) []api.Resource {
		var rs []api.Resource
		for i := range all {
			rs = append(rs, w.object(&all[i]))
		}
		return rs
	}
	e := api.ObjectEmbedded{LigtInWoonplaats: one(f.Locality), LigtAanOpenbareRuimte: one(f.Space), HeeftAlsHoofdAdres: one(f.Main),
		HeeftAlsNevenAdres: many(f.Secondary), MaaktDeelUitVan: many(f.Buildings)}
	_, e.Bronhouders = w.sources(f)
	if f.Outline {
		e.Geometrie = surfaceOrMany(&f.Geometry)
	}
	if e.LigtInWoonplaats == nil && e.LigtAanOpenbareRuimte == nil && e.HeeftAlsHoofdAdres == nil && e.HeeftAlsNevenAdres == nil &&
		e.MaaktDeelUitVan == nil && e.Geometrie == nil && e.Bronhouders == nil {
		return nil
	}
	return &e
}

// mixed puts an addressable object under the name of its type.
func (w *objectWriter) mixed(o *lookup.Found) api.AdresseerbaarObject {
	r := w.object(o)
	a := api.AdresseerbaarObject{Links: api.SelfLink{Self: r.Links.Self}}
	switch o.Type {
	case imbag.Berth:
		a.Ligplaats = &r
	case imbag.Pitch:
		a.Standplaats = &r
	default:
		a.Verblijfsobject = &r
	}
	return a
}

func under(name string, shape []byte) json.RawMessage {
	if shape == nil {
		return nil
	}
	return append(append([]byte(`{"`+name+`":`), shape...), '}')
}

func pointOrSurface(g *imbag.Geometry) json.RawMessage {
	if g.Kind == imbag.Point {
		return under("punt", geoJSON(g))
	}
	return under("vlak", geoJSON(g))
}

func surfaceOrMany(g *imbag.Geometry) json.RawMessage {
	if g.Kind == imbag.MultiPolygon {
		return under("multivlak", geoJSON(g))
	}
	return under("vlak", geoJSON(g))
}

// geoJSON writes a geometry in metres, with as many numbers per position as were delivered.
func geoJSON(g *imbag.Geometry) json.RawMessage {
	dim := int(g.Dim)
	if g.Kind == imbag.NoGeometry || dim == 0 {
		return nil
	}
	coords := g.Coords
	position := func(b []byte) []byte {
		b = append(b, '[')
		for i := range dim {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendFloat(b, float64(coords[i])/1000, 'f', -1, 64) // the shortest text of a millimetre
		}
		coords = coords[dim:]
		return append(b, ']')
	}
	if g.Kind == imbag.Point {
		return append(position([]byte(`{"type":"Point","coordinates":`)), '}')
	}
	list := func(b []byte, n int, item func([]byte) []byte) []byte {
		b = append(b, '[')
		for i := range n {
			if i > 0 {
				b = append(b, ',')
			}
			b = item(b)
		}
		return append(b, ']')
	}
	rings := g.Rings
	ring := func(b []byte) []byte {
		n := int(rings[0])
		rings = rings[1:]
		return list(b, n, position)
	}
	polygons := g.Polygons
	polygon := func(b []byte) []byte {
		n := int(polygons[0])
		polygons = polygons[1:]
		return list(b, n, ring)
	}
	if g.Kind == imbag.Polygon {
		return append(polygon([]byte(`{"type":"Polygon","coordinates":`)), '}')
	}
	return append(list([]byte(`{"type":"MultiPolygon","coordinates":`), len(g.Polygons), polygon), '}')
}

// momentQueries gives the queries of links for a moment: as it was asked, and with what was not asked filled in.
func momentQueries(given url.Values, today imbag.Date, now imbag.Moment) (self, related string) {
	asked, whole := url.Values{}, url.Values{}
	for _, name := range []string{"geldigOp", "beschikbaarOp"} {
		if v := given.Get(name); v != "" {
			asked.Set(name, v)
		}
	}
	if len(asked) == 0 {
		return "", ""
	}
	whole.Set("geldigOp", today.String())
	whole.Set("beschikbaarOp", now.String())
	for name, v := range asked {
		whole[name] = v
	}
	return "?" + asked.Encode(), "?" + whole.Encode()
}
