// Package api is the public contract of the address service: its OpenAPI file, the wire types and a client. The surface is
// that of the Kadaster's "BAG API Individuele Bevragingen" v2; names on the wire are those of the BAG.
package api

import _ "embed" // the OpenAPI file

// OpenAPI is the description of the service, in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Fixed facts of the surface.
const (
	Base      = "/bag/individuelebevragingen/v2"
	Version   = "2.0.0"
	MediaType = "application/hal+json"
	// StandHeader is the header with the date of the stand that an answer comes from, on every answer.
	StandHeader = "BAG-Stand"
	// Scope is what a token needs for every operation.
	Scope = "bag.lezen"
	// Slug is the name of the service on the hub; its audience is {hub}/bag.
	Slug = "bag"
)

// Adressen is a page of addresses (AdresIOHalCollection). Embedded is nil where nothing was found.
type Adressen struct {
	Embedded *AdressenEmbedded `json:"_embedded,omitempty"`
	Links    Paginering        `json:"_links"`
}

// AdressenEmbedded holds the addresses of a page.
type AdressenEmbedded struct {
	Adressen []Adres `json:"adressen"`
}

// Paginering holds the links of a page; those that do not apply are absent.
type Paginering struct {
	Self     Link  `json:"self"`
	First    *Link `json:"first,omitempty"`
	Previous *Link `json:"previous,omitempty"`
	Next     *Link `json:"next,omitempty"`
	Last     *Link `json:"last,omitempty"`
}

// Link is a HAL link.
type Link struct {
	Href string `json:"href"`
}

// Adres is one address (AdresIOHal).
type Adres struct {
	OpenbareRuimteNaam   string `json:"openbareRuimteNaam"`
	KorteNaam            string `json:"korteNaam"`
	Huisnummer           int    `json:"huisnummer"`
	Huisletter           string `json:"huisletter,omitempty"`
	Huisnummertoevoeging string `json:"huisnummertoevoeging,omitempty"`
	Postcode             string `json:"postcode,omitempty"`
	WoonplaatsNaam       string `json:"woonplaatsNaam"`

	NummeraanduidingIdentificatie    string   `json:"nummeraanduidingIdentificatie"`
	OpenbareRuimteIdentificatie      string   `json:"openbareRuimteIdentificatie"`
	WoonplaatsIdentificatie          string   `json:"woonplaatsIdentificatie"`
	AdresseerbaarObjectIdentificatie string   `json:"adresseerbaarObjectIdentificatie,omitempty"`
	PandIdentificaties               []string `json:"pandIdentificaties,omitempty"`

	IndicatieNevenadres bool           `json:"indicatieNevenadres,omitempty"`
	Adresregel5         string         `json:"adresregel5"` // NEN 5825: street line
	Adresregel6         string         `json:"adresregel6"` // NEN 5825: place line
	Geconstateerd       *Geconstateerd `json:"geconstateerd,omitempty"`
	Inonderzoek         *InOnderzoek   `json:"inonderzoek,omitempty"`
	Embedded            *AdresDelen    `json:"_embedded,omitempty"`
	Links               AdresLinks     `json:"_links"`
}

// AdresDelen holds the objects of an address that were asked for with expand.
type AdresDelen struct {
	OpenbareRuimte      *Resource            `json:"openbareRuimte,omitempty"`
	Nummeraanduiding    *Resource            `json:"nummeraanduiding,omitempty"`
	Woonplaats          *Resource            `json:"woonplaats,omitempty"`
	AdresseerbaarObject *AdresseerbaarObject `json:"adresseerbaarObject,omitempty"`
}

// Geconstateerd names the objects of an address that were entered on the spot, not by a decision.
type Geconstateerd struct {
	Woonplaats       bool `json:"woonplaats,omitempty"`
	OpenbareRuimte   bool `json:"openbareRuimte,omitempty"`
	Nummeraanduiding bool `json:"nummeraanduiding,omitempty"`
}

// InOnderzoek names the parts of an address that are being looked into. The spelling of NummeraanduidingligtAan is the
// original's.
type InOnderzoek struct {
	OpenbareRuimteNaam      bool     `json:"openbareRuimteNaam,omitempty"`
	KorteNaam               bool     `json:"korteNaam,omitempty"`
	Huisnummer              bool     `json:"huisnummer,omitempty"`
	Huisletter              bool     `json:"huisletter,omitempty"`
	Huisnummertoevoeging    bool     `json:"huisnummertoevoeging,omitempty"`
	Postcode                bool     `json:"postcode,omitempty"`
	WoonplaatsNaam          bool     `json:"woonplaatsNaam,omitempty"`
	OpenbareRuimteLigtIn    bool     `json:"openbareRuimteLigtIn,omitempty"`
	OpenbareRuimteStatus    bool     `json:"openbareRuimteStatus,omitempty"`
	NummeraanduidingLigtIn  bool     `json:"nummeraanduidingLigtIn,omitempty"`
	NummeraanduidingligtAan bool     `json:"nummeraanduidingligtAan,omitempty"`
	NummeraanduidingStatus  bool     `json:"nummeraanduidingStatus,omitempty"`
	Toelichting             []string `json:"toelichting,omitempty"`
}

// AdresLinks lead to the address itself and to the objects it is composed of.
type AdresLinks struct {
	Self                Link   `json:"self"`
	OpenbareRuimte      Link   `json:"openbareRuimte"`
	Nummeraanduiding    Link   `json:"nummeraanduiding"`
	Woonplaats          Link   `json:"woonplaats"`
	AdresseerbaarObject *Link  `json:"adresseerbaarObject,omitempty"`
	Panden              []Link `json:"panden,omitempty"`
}

// Fout is a refusal in the Kadaster's form, with the trace of the hub.
type Fout struct {
	Type          string           `json:"type"`
	Title         string           `json:"title"`
	Status        int              `json:"status"`
	Detail        string           `json:"detail"`
	Instance      string           `json:"instance"`
	Code          string           `json:"code"`
	InvalidParams []FouteParameter `json:"invalidParams,omitempty"`
	TraceID       string           `json:"traceId,omitempty"`
}

// FouteParameter is one fault of a parameter.
type FouteParameter struct {
	Type   string `json:"type"`
	Name   string `json:"name"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}
