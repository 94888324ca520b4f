package httpapi

import (
	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// toWire writes an address as the Kadaster does. base is the outside address of the hub.
func toWire(a *lookup.Address, base string, l *lookup.Lookup) api.Adres {
	base += api.Base
	link := func(kind, id string) api.Link { return api.Link{Href: base + kind + id} }
	id, space, locality := a.ID.String(), a.Space.String(), a.Locality.String()
	w := api.Adres{
		OpenbareRuimteNaam: a.SpaceName, KorteNaam: a.ShortName, Huisnummer: int(a.Number), Huisletter: a.Letter,
		Huisnummertoevoeging: a.Suffix, Postcode: a.Postcode.String(), WoonplaatsNaam: a.LocalityName,
		NummeraanduidingIdentificatie: id, OpenbareRuimteIdentificatie: space, WoonplaatsIdentificatie: locality,
		IndicatieNevenadres: a.Secondary, Adresregel5: a.Line5(), Adresregel6: a.Line6(),
		Inonderzoek: inquiries(a.Inquiries), Embedded: parts(a, &objectWriter{base: base, zone: l.Zone(), day: l.Today()}),
		Links: api.AdresLinks{
			Self: link("/adressen/", id), OpenbareRuimte: link("/openbareruimten/", space),
			Nummeraanduiding: link("/nummeraanduidingen/", id), Woonplaats: link("/woonplaatsen/", locality),
		},
	}
	if r := a.Recorded; r != (lookup.Recorded{}) {
		w.Geconstateerd = &api.Geconstateerd{Woonplaats: r.Locality, OpenbareRuimte: r.Space, Nummeraanduiding: r.Designation}
	}
	if a.Object != 0 {
		w.AdresseerbaarObjectIdentificatie = a.Object.String()
		l := link("/adresseerbareobjecten/", w.AdresseerbaarObjectIdentificatie)
		w.Links.AdresseerbaarObject = &l
	}
	for _, b := range a.Buildings {
		w.PandIdentificaties = append(w.PandIdentificaties, b.String())
		w.Links.Panden = append(w.Links.Panden, link("/panden/", b.String()))
	}
	return w
}

// parts writes the objects of an address that were asked for.
func parts(a *lookup.Address, w *objectWriter) *api.AdresDelen {
	one := func(o *lookup.Found) *api.Resource {
		if o == nil {
			return nil
		}
		r := w.object(o)
		return &r
	}
	e := api.AdresDelen{OpenbareRuimte: one(a.Parts.Space), Nummeraanduiding: one(a.Parts.Designation), Woonplaats: one(a.Parts.Locality)}
	if a.Parts.Object != nil {
		o := w.mixed(a.Parts.Object)
		e.AdresseerbaarObject = &o
	}
	if e == (api.AdresDelen{}) {
		return nil
	}
	return &e
}

// explanations are the Kadaster's texts, by part.
var explanations = [...]string{
	lookup.InquirySpaceName: "Openbare ruimte naam komt mogelijk niet overeen met de vermelding in het straatnaambesluit.",
	lookup.InquiryShortName: "Korte naam is mogelijk onjuist, omdat de Openbare ruimte naam mogelijk niet overeen komt met de vermelding in het straatnaambesluit. " +
		"Dit is geen indicatie dat de openbare ruimte naam mogelijk onjuist is verkort.",
	lookup.InquiryNumber:            "Mogelijk is het verkeerde huisnummer geregistreerd.",
	lookup.InquiryLetter:            "Mogelijk is ten onrechte een huisletter toegekend, ontbreekt de huisletter ten onrechte, of is een verkeerde huisletter toegekend.",
	lookup.InquirySuffix:            "Mogelijk is ten onrechte een huisnummertoevoeging toegekend, ontbreekt de huisnummertoevoeging ten onrechte, of is een verkeerde huisnummertoevoeging toegekend.",
	lookup.InquiryPostcode:          "Mogelijk is ten onrechte een postcode toegekend, ontbreekt de postcode ten onrechte, of is een verkeerde postcode toegekend.",
	lookup.InquiryLocalityName:      "Woonplaatsnaam is mogelijk onjuist geschreven.",
	lookup.InquirySpaceLiesIn:       "Mogelijk verkeerde woonplaats gebruikt. De openbare ruimte moet verwijzen naar de woonplaats waarin de openbare ruimte fysiek ligt.",
	lookup.InquirySpaceStatus:       "Openbare ruimte bestaat mogelijk niet (meer).",
	lookup.InquiryDesignationLiesIn: "Mogelijk verkeerde woonplaats gebruikt. Het adres moet verwijzen naar de woonplaats waarin het adres fysiek ligt.",
	lookup.InquiryDesignationLiesOn: "Mogelijk verkeerde openbare ruimte gebruikt. Het adres moet verwijzen naar de openbare ruimte waaraan het adres ligt.",
	lookup.InquiryDesignationStatus: "Adres bestaat mogelijk niet (meer), omdat de nummeraanduiding mogelijk niet (meer) bestaat.",
}

func inquiries(parts []lookup.Inquiry) *api.InOnderzoek {
	if len(parts) == 0 {
		return nil
	}
	w := &api.InOnderzoek{}
	fields := [...]*bool{
		lookup.InquirySpaceName: &w.OpenbareRuimteNaam, lookup.InquiryShortName: &w.KorteNaam, lookup.InquiryNumber: &w.Huisnummer,
		lookup.InquiryLetter: &w.Huisletter, lookup.InquirySuffix: &w.Huisnummertoevoeging, lookup.InquiryPostcode: &w.Postcode,
		lookup.InquiryLocalityName: &w.WoonplaatsNaam, lookup.InquirySpaceLiesIn: &w.OpenbareRuimteLigtIn,
		lookup.InquirySpaceStatus: &w.OpenbareRuimteStatus, lookup.InquiryDesignationLiesIn: &w.NummeraanduidingLigtIn,
		lookup.InquiryDesignationLiesOn: &w.NummeraanduidingligtAan, lookup.InquiryDesignationStatus: &w.NummeraanduidingStatus,
	}
	for _, p := range parts {
		*fields[p] = true
		w.Toelichting = append(w.Toelichting, explanations[p])
	}
	return w
}
