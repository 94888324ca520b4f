package api

import "encoding/json"

// Resource is one occurrence of an object. Exactly one of the first seven is there.
type Resource struct {
	Woonplaats       *Object `json:"woonplaats,omitempty"`
	OpenbareRuimte   *Object `json:"openbareRuimte,omitempty"`
	Nummeraanduiding *Object `json:"nummeraanduiding,omitempty"`
	Verblijfsobject  *Object `json:"verblijfsobject,omitempty"`
	Ligplaats        *Object `json:"ligplaats,omitempty"`
	Standplaats      *Object `json:"standplaats,omitempty"`
	Pand             *Object `json:"pand,omitempty"`

	Inonderzoek []Kenmerk       `json:"inonderzoek,omitempty"` // attributes that are being looked into
	Embedded    *ObjectEmbedded `json:"_embedded,omitempty"`
	Links       ObjectLinks     `json:"_links"`
}

// Object holds the attributes of all types; which are in use depends on the type.
type Object struct {
	Identificatie string `json:"identificatie"`
	Domein        string `json:"domein"`

	Naam                    string          `json:"naam,omitempty"`
	Type                    string          `json:"type,omitempty"` // of a public space; of an addressable object its own type
	KorteNaam               string          `json:"korteNaam,omitempty"`
	Huisnummer              int             `json:"huisnummer,omitempty"`
	Huisletter              string          `json:"huisletter,omitempty"`
	Huisnummertoevoeging    string          `json:"huisnummertoevoeging,omitempty"`
	Postcode                string          `json:"postcode,omitempty"`
	TypeAdresseerbaarObject string          `json:"typeAdresseerbaarObject,omitempty"`
	HeeftAlsHoofdAdres      string          `json:"heeftAlsHoofdAdres,omitempty"`
	HeeftAlsNevenAdres      []string        `json:"heeftAlsNevenAdres,omitempty"`
	Geometrie               json.RawMessage `json:"geometrie,omitempty"` // GeoJSON in RD; of an accommodation unit in punt or vlak
	Gebruiksdoelen          []string        `json:"gebruiksdoelen,omitempty"`
	Oppervlakte             int             `json:"oppervlakte,omitempty"`            // m²
	OorspronkelijkBouwjaar  string          `json:"oorspronkelijkBouwjaar,omitempty"` // four digits

	Status         string    `json:"status"`
	Geconstateerd  string    `json:"geconstateerd"` // J or N
	Documentdatum  string    `json:"documentdatum"`
	Documentnummer string    `json:"documentnummer"`
	Voorkomen      Voorkomen `json:"voorkomen"`

	LigtIn          string   `json:"ligtIn,omitempty"`
	LigtAan         string   `json:"ligtAan,omitempty"`
	MaaktDeelUitVan []string `json:"maaktDeelUitVan,omitempty"`
}

// Voorkomen is the time part of an occurrence. Times are RFC 3339 with the offset of the Netherlands.
type Voorkomen struct {
	TijdstipRegistratie   string `json:"tijdstipRegistratie"`
	Versie                int    `json:"versie"`
	EindRegistratie       string `json:"eindRegistratie,omitempty"`
	BeginGeldigheid       string `json:"beginGeldigheid"`
	EindGeldigheid        string `json:"eindGeldigheid,omitempty"`
	TijdstipInactief      string `json:"tijdstipInactief,omitempty"`
	TijdstipRegistratieLV string `json:"tijdstipRegistratieLV"`
	TijdstipNietBAG       string `json:"tijdstipNietBAG,omitempty"`
}

// Kenmerk is an attribute that is being looked into. One of the identifications is there.
type Kenmerk struct {
	Kenmerk                          string   `json:"kenmerk"`
	IdentificatieVanWoonplaats       string   `json:"identificatieVanWoonplaats,omitempty"`
	IdentificatieVanOpenbareRuimte   string   `json:"identificatieVanOpenbareRuimte,omitempty"`
	IdentificatieVanNummeraanduiding string   `json:"identificatieVanNummeraanduiding,omitempty"`
	IdentificatieVanVerblijfsobject  string   `json:"identificatieVanVerblijfsobject,omitempty"`
	IdentificatieVanLigplaats        string   `json:"identificatieVanLigplaats,omitempty"`
	IdentificatieVanStandplaats      string   `json:"identificatieVanStandplaats,omitempty"`
	IdentificatieVanPand             string   `json:"identificatieVanPand,omitempty"`
	InOnderzoek                      string   `json:"inOnderzoek"`
	Historie                         Historie `json:"historie"`
	Documentdatum                    string   `json:"documentdatum"`
	Documentnummer                   string   `json:"documentnummer"`
}

// Historie is the time part of a Kenmerk.
type Historie struct {
	TijdstipRegistratie   string `json:"tijdstipRegistratie"`
	EindRegistratie       string `json:"eindRegistratie,omitempty"`
	BeginGeldigheid       string `json:"beginGeldigheid"`
	EindGeldigheid        string `json:"eindGeldigheid,omitempty"`
	TijdstipRegistratieLV string `json:"tijdstipRegistratieLV"`
}

// ObjectEmbedded holds the related objects that were asked for with expand.
type ObjectEmbedded struct {
	LigtInWoonplaats      *Resource       `json:"ligtInWoonplaats,omitempty"`
	LigtAanOpenbareRuimte *Resource       `json:"ligtAanOpenbareRuimte,omitempty"`
	HeeftAlsHoofdAdres    *Resource       `json:"heeftAlsHoofdAdres,omitempty"`
	HeeftAlsNevenAdres    []Resource      `json:"heeftAlsNevenAdres,omitempty"`
	MaaktDeelUitVan       []Resource      `json:"maaktDeelUitVan,omitempty"`
	Bronhouders           []Bronhouder    `json:"bronhouders,omitempty"`
	Geometrie             json.RawMessage `json:"geometrie,omitempty"` // of a locality: GeoJSON in vlak or multivlak
}

// ObjectLinks lead to the object itself and to related ones.
type ObjectLinks struct {
	Self                  Link   `json:"self"`
	LigtInWoonplaats      *Link  `json:"ligtInWoonplaats,omitempty"`
	LigtAanOpenbareRuimte *Link  `json:"ligtAanOpenbareRuimte,omitempty"`
	HeeftAlsHoofdAdres    *Link  `json:"heeftAlsHoofdAdres,omitempty"`
	HeeftAlsNevenAdres    []Link `json:"heeftAlsNevenAdres,omitempty"`
	MaaktDeelUitVan       []Link `json:"maaktDeelUitVan,omitempty"`
	Bronhouders           []Link `json:"bronhouders,omitempty"`
}

// AdresseerbaarObject is an accommodation unit, a berth or a pitch under the name of its type.
type AdresseerbaarObject struct {
	Verblijfsobject *Resource `json:"verblijfsobject,omitempty"`
	Ligplaats       *Resource `json:"ligplaats,omitempty"`
	Standplaats     *Resource `json:"standplaats,omitempty"`
	Links           SelfLink  `json:"_links"`
}

// SelfLink leads to the thing itself.
type SelfLink struct {
	Self Link `json:"self"`
}

// Collection is a collection of objects under the name of their kind, e.g. panden, or voorkomens for a life cycle.
// Embedded is nil where nothing was found.
type Collection[T any] struct {
	Embedded map[string][]T `json:"_embedded,omitempty"`
	Links    Paginering     `json:"_links"`
}

// Bronhouder is a municipality that keeps a part of the register.
type Bronhouder struct {
	Code            string     `json:"code"`
	Naam            string     `json:"naam"`
	BeginGeldigheid string     `json:"beginGeldigheid,omitempty"`
	EindGeldigheid  string     `json:"eindGeldigheid,omitempty"`
	Provincie       *Provincie `json:"provincie,omitempty"`
}

// Provincie is a province.
type Provincie struct {
	Naam      string `json:"naam"`
	Afkorting string `json:"afkorting"` // two letters of ISO 3166-2:NL
}

// BronhouderAntwoord is a Bronhouder with a link to itself.
type BronhouderAntwoord struct {
	Bronhouder Bronhouder `json:"bronhouder"`
	Links      SelfLink   `json:"_links"`
}
