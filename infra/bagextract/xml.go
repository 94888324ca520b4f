package bagextract

import (
	"bufio"
	"encoding/xml"
	"strconv"
	"strings"
)

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

const standHead = `<sl-bag-extract:bagStand xmlns:DatatypenNEN3610="www.kadaster.nl/schemas/lvbag/imbag/datatypennen3610/v20200601" ` +
	`xmlns:Objecten="www.kadaster.nl/schemas/lvbag/imbag/objecten/v20200601" xmlns:gml="http://www.opengis.net/gml/3.2" ` +
	`xmlns:Historie="www.kadaster.nl/schemas/lvbag/imbag/historie/v20200601" ` +
	`xmlns:Objecten-ref="www.kadaster.nl/schemas/lvbag/imbag/objecten-ref/v20200601" ` +
	`xmlns:nen5825="www.kadaster.nl/schemas/lvbag/imbag/nen5825/v20200601" ` +
	`xmlns:KenmerkInOnderzoek="www.kadaster.nl/schemas/lvbag/imbag/kenmerkinonderzoek/v20200601" ` +
	`xmlns:selecties-extract="http://www.kadaster.nl/schemas/lvbag/extract-selecties/v20200601" ` +
	`xmlns:sl-bag-extract="http://www.kadaster.nl/schemas/lvbag/extract-deelbestand-lvc/v20200601" ` +
	`xmlns:sl="http://www.kadaster.nl/schemas/standlevering-generiek/1.0">`

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

func element(name, inner string) string { return "<" + name + ">" + inner + "</" + name + ">" }

// open writes a file up to its first object.
func (o *writer) open(e *encoder, code string) {
	kind := "GEMEENTE"
	if o.x.Municipality == "" {
		kind = "NEDERLAND"
	}
	e.raw(xmlHead + standHead + "\n  " + element("sl-bag-extract:bagInfo", o.area(false)+standDate(o.date)) +
		"\n  <sl:standBestand>\n    <sl:dataset>LVBAG</sl:dataset>\n    " +
		element("sl:inhoud", element("sl:gebied", kind)+element("sl:leveringsId", "0000000001")+element("sl:objectTypen", element("sl:objectType", code))) + "\n")
}

// encoder writes objects in the order of elements that the schema has. Its buffer keeps the first error until Flush.
type encoder struct{ w *bufio.Writer }

func (e *encoder) raw(s string) { _, _ = e.w.WriteString(s) }

func (e *encoder) value(name, value string) {
	if value == "" {
		return
	}
	if strings.ContainsAny(value, `<>&"'`+"\r\n\t") {
		value = escape(value)
	}
	e.raw("<")
	e.raw(name)
	e.raw(">")
	e.raw(value)
	e.raw("</")
	e.raw(name)
	e.raw(">")
}

func (e *encoder) tagged(name, attributes, value string) {
	e.raw("<" + name + " " + attributes + ">" + value + "</" + name + ">")
}

func (e *encoder) object(name string, inner func()) {
	e.raw("<sl:stand><sl-bag-extract:bagObject><Objecten:" + name + ">")
	inner()
	e.raw("</Objecten:" + name + "></sl-bag-extract:bagObject></sl:stand>")
}

func (e *encoder) id(domain, id string) {
	e.tagged("Objecten:identificatie", `domein="NL.IMBAG.`+domain+`"`, id)
}

func (e *encoder) ref(kind, domain, id string) {
	e.tagged("Objecten-ref:"+kind+"Ref", `domein="NL.IMBAG.`+domain+`"`, id)
}

func (e *encoder) refs(outer, kind, domain string, ids ...string) {
	if len(ids) == 0 {
		return
	}
	e.raw("<Objecten:" + outer + ">")
	for _, id := range ids {
		e.ref(kind, domain, id)
	}
	e.raw("</Objecten:" + outer + ">")
}

func indicator(b bool) string {
	if b {
		return "J"
	}
	return "N"
}

func (e *encoder) document(b *Base) {
	e.value("Objecten:geconstateerd", indicator(b.Recorded))
	e.value("Objecten:documentdatum", b.DocumentDate)
	e.value("Objecten:documentnummer", b.Document)
}

func (e *encoder) occurrence(o *Occurrence) {
	e.raw("<Objecten:voorkomen><Historie:Voorkomen>")
	e.value("Historie:voorkomenidentificatie", strconv.Itoa(o.Number))
	e.value("Historie:beginGeldigheid", o.Begin)
	e.value("Historie:eindGeldigheid", o.End)
	e.value("Historie:tijdstipRegistratie", o.Registered)
	e.value("Historie:eindRegistratie", o.EndRegistered)
	e.value("Historie:tijdstipInactief", o.Inactive)
	e.raw("<Historie:BeschikbaarLV>")
	e.value("Historie:tijdstipRegistratieLV", o.Registered)
	e.value("Historie:tijdstipEindRegistratieLV", o.EndRegistered)
	e.value("Historie:tijdstipInactiefLV", o.Inactive)
	e.value("Historie:tijdstipNietBagLV", o.NotBAG)
	e.raw("</Historie:BeschikbaarLV></Historie:Voorkomen></Objecten:voorkomen>")
}

func (e *encoder) polygon(dimension, positions string) {
	e.raw(`<gml:Polygon srsName="urn:ogc:def:crs:EPSG::28992" srsDimension="` + dimension + `"><gml:exterior><gml:LinearRing><gml:posList>` +
		positions + "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>")
}

func (e *encoder) locality(r *Locality) {
	e.object("Woonplaats", func() {
		e.id("Woonplaats", r.ID)
		e.value("Objecten:naam", r.Name)
		e.raw("<Objecten:geometrie><Objecten:vlak>")
		e.polygon("2", r.Outline)
		e.raw("</Objecten:vlak></Objecten:geometrie>")
		e.value("Objecten:status", r.Status)
		e.document(&r.Base)
		e.occurrence(&r.Occurrence)
	})
}

func (e *encoder) space(r *PublicSpace) {
	e.object("OpenbareRuimte", func() {
		e.id("Openbareruimte", r.ID)
		e.value("Objecten:naam", r.Name)
		e.value("Objecten:type", r.Type)
		e.value("Objecten:status", r.Status)
		e.document(&r.Base)
		e.refs("ligtIn", "Woonplaats", "Woonplaats", r.Locality)
		e.occurrence(&r.Occurrence)
		if r.ShortName != "" {
			e.raw("<Objecten:verkorteNaam><nen5825:VerkorteNaamOpenbareRuimte>")
			e.value("nen5825:verkorteNaam", r.ShortName)
			e.raw("</nen5825:VerkorteNaamOpenbareRuimte></Objecten:verkorteNaam>")
		}
	})
}

func (e *encoder) designation(r *Designation) {
	e.object("Nummeraanduiding", func() {
		e.id("Nummeraanduiding", r.ID)
		e.value("Objecten:huisnummer", strconv.Itoa(r.Number))
		e.value("Objecten:huisletter", r.Letter)
		e.value("Objecten:huisnummertoevoeging", r.Suffix)
		e.value("Objecten:postcode", r.Postcode)
		e.value("Objecten:typeAdresseerbaarObject", r.Designates)
		e.value("Objecten:status", r.Status)
		e.document(&r.Base)
		if r.Locality != "" {
			e.refs("ligtIn", "Woonplaats", "Woonplaats", r.Locality)
		}
		e.occurrence(&r.Occurrence)
		e.refs("ligtAan", "OpenbareRuimte", "Openbareruimte", r.Space)
	})
}

func (e *encoder) addressed(main string, o *Occurrence, secondary []string) {
	e.refs("heeftAlsHoofdadres", "Nummeraanduiding", "Nummeraanduiding", main)
	e.occurrence(o)
	e.refs("heeftAlsNevenadres", "Nummeraanduiding", "Nummeraanduiding", secondary...)
}

func (e *encoder) unit(r *Unit) {
	e.object("Verblijfsobject", func() {
		e.addressed(r.Main, &r.Occurrence, r.Secondary)
		e.id("Verblijfsobject", r.ID)
		e.raw(`<Objecten:geometrie><Objecten:punt><gml:Point srsName="urn:ogc:def:crs:EPSG::28992" srsDimension="3"><gml:pos>` + r.Point +
			"</gml:pos></gml:Point></Objecten:punt></Objecten:geometrie>")
		for _, use := range r.Uses {
			e.value("Objecten:gebruiksdoel", use)
		}
		e.value("Objecten:oppervlakte", strconv.Itoa(r.Area))
		e.value("Objecten:status", r.Status)
		e.document(&r.Base)
		e.refs("maaktDeelUitVan", "Pand", "Pand", r.Buildings...)
	})
}

func (e *encoder) berth(r *Place) { e.place("Ligplaats", r) }
func (e *encoder) pitch(r *Place) { e.place("Standplaats", r) }

func (e *encoder) place(kind string, r *Place) {
	e.object(kind, func() {
		e.addressed(r.Main, &r.Occurrence, r.Secondary)
		e.id(kind, r.ID)
		e.value("Objecten:status", r.Status)
		e.raw("<Objecten:geometrie>")
		e.polygon("2", r.Outline)
		e.raw("</Objecten:geometrie>")
		e.document(&r.Base)
	})
}

func (e *encoder) building(r *Building) {
	e.object("Pand", func() {
		e.id("Pand", r.ID)
		e.raw("<Objecten:geometrie>")
		e.polygon("3", r.Outline)
		e.raw("</Objecten:geometrie>")
		e.value("Objecten:oorspronkelijkBouwjaar", strconv.Itoa(r.Year))
		e.value("Objecten:status", r.Status)
		e.document(&r.Base)
		e.occurrence(&r.Occurrence)
	})
}

// inquiryNames are the names of a type in the stream InOnderzoek.
var inquiryNames = map[string]string{"WPL": "Woonplaats", "OPR": "Openbareruimte", "NUM": "Nummeraanduiding", "VBO": "Verblijfsobject",
	"LIG": "Ligplaats", "STA": "Standplaats", "PND": "Pand"}

func (e *encoder) inquiry(q *Inquiry) {
	name := inquiryNames[q.Type]
	outer := "KenmerkInOnderzoek:Kenmerk" + name + "InOnderzoek"
	e.raw("<sl:stand><sl-bag-extract:kenmerkInOnderzoek><" + outer + ">")
	e.value("KenmerkInOnderzoek:kenmerk", q.Attribute)
	e.tagged("KenmerkInOnderzoek:identificatieVan"+name, `domein="NL.IMBAG.`+name+`"`, q.ID)
	e.value("KenmerkInOnderzoek:inOnderzoek", indicator(q.Active))
	e.value("KenmerkInOnderzoek:documentdatum", q.DocumentDate)
	e.value("KenmerkInOnderzoek:documentnummer", q.Document)
	e.raw("<KenmerkInOnderzoek:historieInOnderzoek><Historie:HistorieInOnderzoek>")
	e.value("Historie:tijdstipRegistratie", q.Registered)
	e.value("Historie:eindRegistratie", q.EndRegistered)
	e.value("Historie:beginGeldigheid", q.Begin)
	e.value("Historie:eindGeldigheid", q.End)
	e.raw("<Historie:BeschikbaarLVInOnderzoek>")
	e.value("Historie:tijdstipRegistratieLV", q.Registered)
	e.value("Historie:tijdstipEindRegistratieLV", q.EndRegistered)
	e.raw("</Historie:BeschikbaarLVInOnderzoek></Historie:HistorieInOnderzoek></KenmerkInOnderzoek:historieInOnderzoek></" + outer +
		"></sl-bag-extract:kenmerkInOnderzoek></sl:stand>")
}
