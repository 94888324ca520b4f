package bag

import "bytes"

// The namespaces of schema v20200601. The first ones have no scheme: that is how the standard writes them.
const (
	nsObjects   = "www.kadaster.nl/schemas/lvbag/imbag/objecten/v20200601"
	nsRefs      = "www.kadaster.nl/schemas/lvbag/imbag/objecten-ref/v20200601"
	nsHistory   = "www.kadaster.nl/schemas/lvbag/imbag/historie/v20200601"
	nsNEN5825   = "www.kadaster.nl/schemas/lvbag/imbag/nen5825/v20200601"
	nsInquiry   = "www.kadaster.nl/schemas/lvbag/imbag/kenmerkinonderzoek/v20200601"
	nsExtract   = "http://www.kadaster.nl/schemas/lvbag/extract-deelbestand-lvc/v20200601"
	nsMutations = "http://www.kadaster.nl/schemas/lvbag/extract-deelbestand-mutaties-lvc/v20200601"
	nsSelection = "http://www.kadaster.nl/schemas/lvbag/extract-selecties/v20200601"
	nsDelivery  = "http://www.kadaster.nl/schemas/lvbag/extract-levering/v20200601"
	nsStand     = "http://www.kadaster.nl/schemas/standlevering-generiek/1.0"
	nsGML       = "http://www.opengis.net/gml/3.2"
	nsGWRFile   = "www.kadaster.nl/schemas/lvbag/gem-wpl-rel/gwr-deelbestand-lvc/v20200601"
	nsGWR       = "www.kadaster.nl/schemas/lvbag/gem-wpl-rel/gwr-producten-lvc/v20200601"
	nsGWRTypes  = "www.kadaster.nl/schemas/lvbag/gem-wpl-rel/bag-types/v20200601"
)

// element is a name the parser knows, below 64 within one parent so that a bit set tells which were seen.
type element uint8

const (
	unknown element = iota
	// roots
	elStandRoot
	elMutationRoot
	elDeliveryRoot
	elGWRRoot
	// a stand
	elInfo
	elArea
	elAreaNL
	elAreaGem
	elMunicipalities
	elMunicipality
	elMunicipalityID
	elMunicipalityName
	elLVC
	elMUT
	elStandDate
	elReferenceDate
	elFile
	elDataset
	elContent
	elAreaText
	elDeliveryID
	elObjectTypes
	elObjectType
	elStand
	elObject
	elInquiry
	elSelection
	elSchema
	// objects
	elID
	elName
	elGeometry
	elStatus
	elRecorded
	elDocDate
	elDocument
	elOccurrences
	elType
	elLiesIn
	elShortNameOuter
	elShortNameMiddle
	elShortName
	elNumber
	elLetter
	elSuffix
	elPostcode
	elDesignates
	elLiesOn
	elMain
	elSecondary
	elUse
	elArea2
	elPartOf
	elYear
	elPoint
	elSurface
	elMultiSurface
	elRef
	// history
	elOccurrence
	elOccID
	elBegin
	elEnd
	elRegistered
	elEndRegistered
	elInactive
	elNotBAG
	elLV
	elRegisteredLV
	elEndRegisteredLV
	elInactiveLV
	elNotBAGLV
	elInquiryHistory
	elLVInquiry
	// inquiries
	elAttribute
	elInquiryOf
	elInquiryActive
	elInquiryDocDate
	elInquiryDocument
	elInquiryHistoryOuter
	// gml
	elGMLPoint
	elGMLPos
	elGMLPolygon
	elGMLExterior
	elGMLInterior
	elGMLRing
	elGMLPosList
	elGMLMultiSurface
	elGMLMember
	// municipality of a locality
	elGWRProduct
	elGWRSelection
	elGWRProducts
	elRelation
	elPeriod
	elPeriodBegin
	elPeriodEnd
	elRelLocality
	elRelMunicipality
	elRelID
	elRelState
	// types, see objectElements and inquiryElements
	elTypedObject
	elTypedInquiry
)

type qname struct{ ns, local string }

// known maps the names of the schema to elements; one element may stand for several names that are treated alike.
var known = map[qname]element{
	{nsExtract, "bagStand"}: elStandRoot, {nsMutations, "bagMutaties"}: elMutationRoot, {nsDelivery, "BAG-Extract-Levering"}: elDeliveryRoot,
	{nsGWRFile, "BAG-GWR-Deelbestand-LVC"}: elGWRRoot,

	{nsExtract, "bagInfo"}: elInfo, {nsSelection, "Gebied-Registratief"}: elArea, {nsSelection, "Gebied-NLD"}: elAreaNL,
	{nsSelection, "Gebied-GEM"}: elAreaGem, {nsSelection, "GemeenteCollectie"}: elMunicipalities, {nsSelection, "Gemeente"}: elMunicipality,
	{nsSelection, "GemeenteIdentificatie"}: elMunicipalityID, {nsSelection, "GemeenteNaam"}: elMunicipalityName, {nsSelection, "LVC-Extract"}: elLVC,
	{nsSelection, "MUT-Extract"}: elMUT, {nsSelection, "StandTechnischeDatum"}: elStandDate, {nsSelection, "StandPeildatum"}: elReferenceDate,
	{nsStand, "standBestand"}: elFile, {nsStand, "dataset"}: elDataset, {nsStand, "inhoud"}: elContent, {nsStand, "gebied"}: elAreaText,
	{nsStand, "leveringsId"}: elDeliveryID, {nsStand, "objectTypen"}: elObjectTypes, {nsStand, "objectType"}: elObjectType, {nsStand, "stand"}: elStand,
	{nsExtract, "bagObject"}: elObject, {nsExtract, "kenmerkInOnderzoek"}: elInquiry,
	{nsDelivery, "SelectieGegevens"}: elSelection, {nsDelivery, "SchemaInfo"}: elSchema,

	{nsObjects, "identificatie"}: elID, {nsObjects, "naam"}: elName, {nsObjects, "geometrie"}: elGeometry, {nsObjects, "status"}: elStatus,
	{nsObjects, "geconstateerd"}: elRecorded, {nsObjects, "documentdatum"}: elDocDate, {nsObjects, "documentnummer"}: elDocument,
	{nsObjects, "voorkomen"}: elOccurrences, {nsObjects, "type"}: elType, {nsObjects, "ligtIn"}: elLiesIn, {nsObjects, "verkorteNaam"}: elShortNameOuter,
	{nsNEN5825, "VerkorteNaamOpenbareRuimte"}: elShortNameMiddle, {nsNEN5825, "verkorteNaam"}: elShortName,
	{nsObjects, "huisnummer"}: elNumber, {nsObjects, "huisletter"}: elLetter, {nsObjects, "huisnummertoevoeging"}: elSuffix,
	{nsObjects, "postcode"}: elPostcode, {nsObjects, "typeAdresseerbaarObject"}: elDesignates, {nsObjects, "ligtAan"}: elLiesOn,
	{nsObjects, "heeftAlsHoofdadres"}: elMain, {nsObjects, "heeftAlsNevenadres"}: elSecondary, {nsObjects, "gebruiksdoel"}: elUse,
	{nsObjects, "oppervlakte"}: elArea2, {nsObjects, "maaktDeelUitVan"}: elPartOf, {nsObjects, "oorspronkelijkBouwjaar"}: elYear,
	{nsObjects, "punt"}: elPoint, {nsObjects, "vlak"}: elSurface, {nsObjects, "multivlak"}: elMultiSurface,
	{nsRefs, "WoonplaatsRef"}: elRef, {nsRefs, "OpenbareRuimteRef"}: elRef, {nsRefs, "NummeraanduidingRef"}: elRef, {nsRefs, "PandRef"}: elRef,

	{nsHistory, "Voorkomen"}: elOccurrence, {nsHistory, "voorkomenidentificatie"}: elOccID, {nsHistory, "beginGeldigheid"}: elBegin,
	{nsHistory, "eindGeldigheid"}: elEnd, {nsHistory, "tijdstipRegistratie"}: elRegistered, {nsHistory, "eindRegistratie"}: elEndRegistered,
	{nsHistory, "tijdstipInactief"}: elInactive, {nsHistory, "tijdstipNietBag"}: elNotBAG, {nsHistory, "BeschikbaarLV"}: elLV,
	{nsHistory, "tijdstipRegistratieLV"}: elRegisteredLV, {nsHistory, "tijdstipEindRegistratieLV"}: elEndRegisteredLV,
	{nsHistory, "tijdstipInactiefLV"}: elInactiveLV, {nsHistory, "tijdstipNietBagLV"}: elNotBAGLV,
	{nsHistory, "HistorieInOnderzoek"}: elInquiryHistory, {nsHistory, "BeschikbaarLVInOnderzoek"}: elLVInquiry,

	{nsInquiry, "kenmerk"}: elAttribute, {nsInquiry, "inOnderzoek"}: elInquiryActive, {nsInquiry, "documentdatum"}: elInquiryDocDate,
	{nsInquiry, "documentnummer"}: elInquiryDocument, {nsInquiry, "historieInOnderzoek"}: elInquiryHistoryOuter,
	{nsInquiry, "identificatieVanWoonplaats"}: elInquiryOf, {nsInquiry, "identificatieVanOpenbareruimte"}: elInquiryOf,
	{nsInquiry, "identificatieVanNummeraanduiding"}: elInquiryOf, {nsInquiry, "identificatieVanVerblijfsobject"}: elInquiryOf,
	{nsInquiry, "identificatieVanLigplaats"}: elInquiryOf, {nsInquiry, "identificatieVanStandplaats"}: elInquiryOf,
	{nsInquiry, "identificatieVanPand"}: elInquiryOf,

	{nsGML, "Point"}: elGMLPoint, {nsGML, "pos"}: elGMLPos, {nsGML, "Polygon"}: elGMLPolygon, {nsGML, "exterior"}: elGMLExterior,
	{nsGML, "interior"}: elGMLInterior, {nsGML, "LinearRing"}: elGMLRing, {nsGML, "posList"}: elGMLPosList, {nsGML, "MultiSurface"}: elGMLMultiSurface,
	{nsGML, "surfaceMember"}: elGMLMember,

	{nsGWRFile, "SelectieGegevens"}: elGWRSelection, {nsGWRFile, "Product"}: elGWRProduct, {nsGWR, "GemeenteWoonplaatsRelatieProduct"}: elGWRProducts,
	{nsGWR, "GemeenteWoonplaatsRelatie"}: elRelation, {nsGWR, "tijdvakgeldigheid"}: elPeriod, {nsGWRTypes, "begindatumTijdvakGeldigheid"}: elPeriodBegin,
	{nsGWRTypes, "einddatumTijdvakGeldigheid"}: elPeriodEnd, {nsGWR, "gerelateerdeWoonplaats"}: elRelLocality,
	{nsGWR, "gerelateerdeGemeente"}: elRelMunicipality, {nsGWR, "identificatie"}: elRelID, {nsGWR, "status"}: elRelState,

	{nsObjects, "Woonplaats"}: elTypedObject, {nsObjects, "OpenbareRuimte"}: elTypedObject, {nsObjects, "Nummeraanduiding"}: elTypedObject,
	{nsObjects, "Verblijfsobject"}: elTypedObject, {nsObjects, "Ligplaats"}: elTypedObject, {nsObjects, "Standplaats"}: elTypedObject,
	{nsObjects, "Pand"}:                         elTypedObject,
	{nsInquiry, "KenmerkWoonplaatsInOnderzoek"}: elTypedInquiry, {nsInquiry, "KenmerkOpenbareruimteInOnderzoek"}: elTypedInquiry,
	{nsInquiry, "KenmerkNummeraanduidingInOnderzoek"}: elTypedInquiry, {nsInquiry, "KenmerkVerblijfsobjectInOnderzoek"}: elTypedInquiry,
	{nsInquiry, "KenmerkLigplaatsInOnderzoek"}: elTypedInquiry, {nsInquiry, "KenmerkStandplaatsInOnderzoek"}: elTypedInquiry,
	{nsInquiry, "KenmerkPandInOnderzoek"}: elTypedInquiry,
}

// resolver turns prefixed names into elements. Prefixes are declared on the root, as every official file does it.
type resolver struct {
	prefixes map[string]string
	names    map[string]element
}

const maxNames = 1024 // different names in one file; the schema has about a hundred

// declare reads the namespace declarations of the root.
func (r *resolver) declare(attrs []attribute) {
	r.prefixes, r.names = map[string]string{}, map[string]element{}
	for _, a := range attrs {
		if prefix, ok := bytes.CutPrefix(a.name, []byte("xmlns:")); ok {
			r.prefixes[string(prefix)] = string(a.value)
		} else if string(a.name) == "xmlns" {
			r.prefixes[""] = string(a.value)
		}
	}
}

// element gives the element of a prefixed name, unknown for one outside the schema.
func (r *resolver) element(name []byte) element {
	if e, ok := r.names[string(name)]; ok {
		return e
	}
	prefix, local, found := bytes.Cut(name, []byte(":"))
	if !found {
		prefix, local = nil, name
	}
	e := unknown
	if ns := r.prefixes[string(prefix)]; ns != "" {
		e = known[qname{ns, string(local)}]
	}
	if len(r.names) < maxNames {
		r.names[string(name)] = e
	}
	return e
}
