package httpapi

import (
	"net/http"
	"regexp"
	"strings"

	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// kind is a kind of objects with a path of its own.
type kind struct {
	name    string // in the path, and of collections
	id      string // name of the path parameter
	types   []imbag.Type
	pattern *regexp.Regexp
	expand  []expansion
}

// expansion is a related resource that can be asked for.
type expansion struct {
	name string
	kind lookup.Related
}

var (
	localityPattern    = regexp.MustCompile(`^([0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})$`)
	designationPattern = regexp.MustCompile(`^[0-9]{4}20[0-9]{10}$`)
	unitPattern        = regexp.MustCompile(`^[0-9]{4}01[0-9]{10}$`)
	berthPattern       = regexp.MustCompile(`^[0-9]{4}02[0-9]{10}$`)
	pitchPattern       = regexp.MustCompile(`^[0-9]{4}03[0-9]{10}$`)
)

var (
	inLocality = expansion{"ligtInWoonplaats", lookup.RelatedLocality}
	onSpace    = expansion{"ligtAanOpenbareRuimte", lookup.RelatedSpace}
	addressed  = []expansion{{"heeftAlsHoofdAdres", lookup.RelatedMain}, {"heeftAlsNevenAdres", lookup.RelatedSecondary}}
	partOf     = expansion{"maaktDeelUitVan", lookup.RelatedBuildings}
	holders    = expansion{"bronhouders", lookup.RelatedSources}
	outline    = expansion{"geometrie", lookup.RelatedGeometry}
)

var kinds = []*kind{
	{"woonplaatsen", "identificatie", []imbag.Type{imbag.Locality}, localityPattern, []expansion{outline, holders}},
	{"openbareruimten", "openbareRuimteIdentificatie", []imbag.Type{imbag.PublicSpace}, spacePattern, []expansion{inLocality}},
	{"nummeraanduidingen", "nummeraanduidingIdentificatie", []imbag.Type{imbag.Designation}, designationPattern, []expansion{inLocality, onSpace}},
	{"verblijfsobjecten", "identificatie", []imbag.Type{imbag.AccommodationUnit}, unitPattern, append(addressed[:2:2], partOf)},
	{"ligplaatsen", "identificatie", []imbag.Type{imbag.Berth}, berthPattern, addressed},
	{"standplaatsen", "identificatie", []imbag.Type{imbag.Pitch}, pitchPattern, addressed},
	{"panden", "identificatie", []imbag.Type{imbag.Building}, buildingPattern, nil},
	{"adresseerbareobjecten", "adresseerbaarObjectIdentificatie", []imbag.Type{imbag.AccommodationUnit, imbag.Berth, imbag.Pitch},
		objectPattern, append(addressed[:2:2], partOf)},
}

// mixed tells whether objects of several types come under the names of their types.
func (k *kind) mixed() bool { return len(k.types) > 1 }

// located tells whether answers hold coordinates.
func (k *kind) located() bool { return k.types[0].Located() }

// kindOf gives the kind that a request is about, by the first part of its path below the base.
func kindOf(r *http.Request) *kind {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, api.Base+"/"), "/")
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return nil // not for a path that is routed here
}

// kindOfType gives the kind under whose path objects of a type stand.
func kindOfType(t imbag.Type) *kind {
	for _, k := range kinds {
		if !k.mixed() && k.types[0] == t {
			return k
		}
	}
	return nil
}
