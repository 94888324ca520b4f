package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// extendedParts are what an extended address is made of beside the address.
const extendedParts = lookup.PartDesignation | lookup.PartObject | lookup.PartBuildings

// findExtended: what lies in a building with an end status is no extended address (huidig.feature).
func (s *surface) findExtended(ctx context.Context, q findRequest) (answer, error) {
	q.With = extendedParts
	found, err := s.Lookup.Find(ctx, q.Query, q.page, q.size)
	if err != nil {
		return answer{}, err
	}
	base := outsideFrom(ctx)
	c := api.Collection[api.AdresUitgebreid]{Links: pageLinks(base, q, found.Total)}
	if len(found.Addresses) > 0 {
		all := make([]api.AdresUitgebreid, len(found.Addresses))
		for i := range found.Addresses {
			all[i] = s.extended(&found.Addresses[i], base)
		}
		c.Embedded = map[string][]api.AdresUitgebreid{"adressen": all}
	}
	h := gridHeader(found.Stand)
	h.Set("X-Pagination-Page", strconv.Itoa(q.page))
	h.Set("X-Pagination-Limit", strconv.Itoa(q.size))
	return answerOf(c, h), nil
}

func (s *surface) extendedByID(ctx context.Context, q idRequest) (answer, error) {
	a, stand, err := s.Lookup.ByID(ctx, q.id, q.withEnded, extendedParts)
	if err != nil {
		return answer{}, err
	}
	base := outsideFrom(ctx)
	wire := s.extended(&a, base)
	wire.Links.Self = api.Link{Href: base + q.asked} // exactly as it was asked
	return answerOf(wire, gridHeader(stand)), nil
}

func gridHeader(stand imbag.Date) http.Header {
	return http.Header{api.StandHeader: {stand.String()}, contentCrs: {grid}}
}

// extended writes an extended address.
func (s *surface) extended(a *lookup.Address, base string) api.AdresUitgebreid {
	w := api.AdresUitgebreid{Adres: toWire(a, base, s.Lookup)}
	w.Embedded = nil
	w.Links.Self = api.Link{Href: base + api.Base + "/adressenuitgebreid/" + a.ID.String()}
	under := extendedInquiries{}
	recorded := api.GeconstateerdUitgebreid{}
	if g := w.Adres.Geconstateerd; g != nil {
		recorded.Geconstateerd = *g
	}
	under.add(a.Parts.Designation)
	if o := a.Parts.Object; o != nil {
		w.TypeAdresseerbaarObject, w.AdresseerbaarObjectStatus = typeNames[o.Type], o.Status.String()
		w.AdresseerbaarObjectGeometrie = pointOrSurface(&o.Geometry)
		w.Gebruiksdoelen, w.Oppervlakte = uses(o.Uses), int(o.Area)
		recorded.Ligplaats, recorded.Standplaats = o.Recorded && o.Type == imbag.Berth, o.Recorded && o.Type == imbag.Pitch
		recorded.Verblijfsobject = o.Recorded && o.Type == imbag.AccommodationUnit
		under.add(o)
	}
	for i := range a.Parts.Buildings {
		b := &a.Parts.Buildings[i]
		w.OorspronkelijkBouwjaar = append(w.OorspronkelijkBouwjaar, fmt.Sprintf("%04d", b.Year))
		recorded.Pand = recorded.Pand || b.Recorded
		under.add(b)
	}
	if recorded != (api.GeconstateerdUitgebreid{}) {
		w.Geconstateerd = &recorded
	}
	w.Inonderzoek = under.wire(w.Adres.Inonderzoek)
	return w
}

// extendedInquiries are the parts of an extended address that are being looked into, see the Kadaster's feature
// inonderzoek-bij-adressen-en-adressen-uitgebreid.
type extendedInquiries map[string]bool

func (x extendedInquiries) add(o *lookup.Found) {
	if o == nil {
		return
	}
	for i := range o.Inquiries {
		name := imbag.Attributes.Text(o.Inquiries[i].Attribute)
		for _, e := range extendedFields {
			if e.attribute == name && (o.Type == imbag.Designation) == (name == "type adresseerbaar object") &&
				(o.Type == imbag.Building) == (name == "oorspronkelijk bouwjaar") {
				x[name] = true
			}
		}
	}
}

// extendedFields are the attributes in the order of the feature, with the Kadaster's texts.
var extendedFields = []struct {
	attribute, text string
	field           func(*api.InOnderzoekUitgebreid) *bool
}{
	{"type adresseerbaar object", "Mogelijk is het verkeerde type adresseerbaar object gekoppeld. " +
		"Deze indicatie heeft daarmee feitelijke betrekking op het gerelateerde adresseerbare object.",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.TypeAdresseerbaarObject }},
	{"oorspronkelijk bouwjaar", "Mogelijk is het bouwjaar onjuist",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.OorspronkelijkBouwjaar }},
	{"geometrie", "Mogelijk is de locatie van het verblijfsobject onjuist of, wanneer het een standplaats of ligplaats betreft, " +
		"is mogelijk de locatie van de contouren onjuist of de contour onjuist.",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.AdresseerbaarObjectGeometrie }},
	{"status", "De status van het verblijfsobject is mogelijk onjuist of, wanneer het een standplaats of ligplaats betreft, bestaat deze mogelijk niet meer.",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.AdresseerbaarObjectStatus }},
	{"gebruiksdoel", "Het gebruiksdoel komt mogelijk niet overeen met het gebruik dat beschreven staat in de vergunning",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.Gebruiksdoelen }},
	{"oppervlakte", "De oppervlakte van het verblijfsobject is mogelijk onjuist.",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.Oppervlakte }},
	{"maakt deel uit van", "Mogelijk is niet het juiste pand gerelateerd, of bestaat één van de gerelateerde panden niet meer.",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.MaaktDeelUitVan }},
	{"heeft als hoofdadres", "Het adresseerbaar object heeft mogelijk een verkeerd adres.",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.AdresseerbaarObjectHeeftAlsHoofdadres }},
	{"heeft als nevenadres", "Mogelijk is ten onrechte een nevenadres toegekend, ontbreekt de relatie met het nevenadres of is een verkeerde relatie aanwezig",
		func(w *api.InOnderzoekUitgebreid) *bool { return &w.AdresseerbaarObjectHeeftAlsNevenadres }},
}

func (x extendedInquiries) wire(address *api.InOnderzoek) *api.InOnderzoekUitgebreid {
	if address == nil && len(x) == 0 {
		return nil
	}
	w := &api.InOnderzoekUitgebreid{}
	if address != nil {
		w.InOnderzoek = *address
	}
	for _, e := range extendedFields {
		if x[e.attribute] {
			*e.field(w) = true
			w.Toelichting = append(w.Toelichting, e.text)
		}
	}
	return w
}

// info is what the service is, on its way out.
type info struct{ api.Info }

func (s *surface) info(context.Context, struct{}) (info, error) {
	return info{api.Info{
		Name: "BAG API Individuele Bevragingen", Version: api.Version,
		Description:      "Adressen en gebouwen uit een eigen kopie van de BAG, in de vorm van de API van het Kadaster.",
		Informationmodel: "IMBAG", ModelVersion: "2.0", ModelLocation: "https://imbag.github.io/catalogus/hoofdstukken/domeinmodel",
	}}, nil
}
