package api

import "encoding/json"

// AdresUitgebreid is an address with facts of its addressable object and buildings (AdresUitgebreidHal).
type AdresUitgebreid struct {
	Adres
	TypeAdresseerbaarObject      string                   `json:"typeAdresseerbaarObject,omitempty"`
	AdresseerbaarObjectGeometrie json.RawMessage          `json:"adresseerbaarObjectGeometrie,omitempty"` // GeoJSON in RD, in punt or vlak
	AdresseerbaarObjectStatus    string                   `json:"adresseerbaarObjectStatus,omitempty"`
	Gebruiksdoelen               []string                 `json:"gebruiksdoelen,omitempty"`
	Oppervlakte                  int                      `json:"oppervlakte,omitempty"`            // m²
	OorspronkelijkBouwjaar       []string                 `json:"oorspronkelijkBouwjaar,omitempty"` // four digits, one per building
	Geconstateerd                *GeconstateerdUitgebreid `json:"geconstateerd,omitempty"`
	Inonderzoek                  *InOnderzoekUitgebreid   `json:"inonderzoek,omitempty"`
}

// GeconstateerdUitgebreid names the objects that were entered on the spot, not by a decision.
type GeconstateerdUitgebreid struct {
	Geconstateerd
	Ligplaats       bool `json:"ligplaats,omitempty"`
	Standplaats     bool `json:"standplaats,omitempty"`
	Verblijfsobject bool `json:"verblijfsobject,omitempty"`
	Pand            bool `json:"pand,omitempty"`
}

// InOnderzoekUitgebreid names the parts that are being looked into, spelt as in the original.
type InOnderzoekUitgebreid struct {
	InOnderzoek
	TypeAdresseerbaarObject               bool `json:"typeAdresseerbaarObject,omitempty"`
	AdresseerbaarObjectGeometrie          bool `json:"adresseerbaarObjectGeometrie,omitempty"`
	AdresseerbaarObjectStatus             bool `json:"adresseerbaarObjectStatus,omitempty"`
	AdresseerbaarObjectHeeftAlsHoofdadres bool `json:"adresseerbaarObjectheeftAlsHoofdadres,omitempty"`
	AdresseerbaarObjectHeeftAlsNevenadres bool `json:"adresseerbaarObjectheeftAlsNevenadres,omitempty"`
	Gebruiksdoelen                        bool `json:"gebruiksdoelen,omitempty"`
	Oppervlakte                           bool `json:"oppervlakte,omitempty"`
	MaaktDeelUitVan                       bool `json:"maaktDeelUitVan,omitempty"`
	OorspronkelijkBouwjaar                bool `json:"oorspronkelijkBouwjaar,omitempty"`
}

// Info says what the service is.
type Info struct {
	Name             string `json:"api-name"`
	Version          string `json:"api-version"`
	Description      string `json:"api-description"`
	Informationmodel string `json:"informationmodel"`
	ModelVersion     string `json:"informationmodel-version"`
	ModelLocation    string `json:"informationmodel-location"`
}
