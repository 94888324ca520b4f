package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// travelParams are the parameters of time travel, and those that say what is given of an object. Where one of them does
// nothing, the original ignores it (tijdreizen.feature, paginering.feature); so does this service.
var (
	travelParams = []string{"geldigOp", "beschikbaarOp", "expand"}
	pageParams   = []string{"page", "pageSize"}
)

// asked is what every question about objects holds.
type asked struct {
	kind  *kind
	uri   string // path and query as the client sent them
	path  string
	given url.Values
}

func (a *asked) read(r *http.Request) error {
	if err := accepts(r); err != nil {
		return err
	}
	if err := acceptsGrid(r); err != nil {
		return err
	}
	a.kind, a.uri, a.path = kindOf(r), r.URL.RequestURI(), r.URL.EscapedPath()
	return nil
}

// The names of the coordinate reference system of answers, and the refusals of others (deprecated in the original).
const (
	grid            = "epsg:28992"
	ruleAcceptCrs   = "crsNotAcceptable"
	ruleContentCrs  = "crsNotSupported"
	contentCrs      = "Content-Crs"
	acceptCrsHeader = "Accept-Crs"
)

func acceptsGrid(r *http.Request) error {
	if v := r.Header.Get(acceptCrsHeader); v != "" && !strings.EqualFold(v, grid) {
		return errs.CodeNotAcceptable.New("Geometrie wordt gegeven in %s.", grid).WithRule(ruleAcceptCrs)
	}
	if v := r.Header.Get(contentCrs); v != "" && !strings.EqualFold(v, grid) {
		return errs.CodeMediaType.New("Geometrie wordt gevraagd in %s.", grid).WithRule(ruleContentCrs)
	}
	return nil
}

// objectRequest asks for one object.
type objectRequest struct {
	asked
	id   imbag.ID
	when lookup.When
	with lookup.Related
}

// Decode reads path and query.
func (q *objectRequest) Decode(r *http.Request) error {
	if err := q.read(r); err != nil {
		return err
	}
	p := readParams(r, slices.Concat(travelParams, pageParams, []string{"huidig"}))
	q.given = p.values
	q.id = p.id(r, q.kind)
	q.when, q.with = p.when(), p.expand(q.kind.expand)
	return p.whole()
}

// lifecycleRequest asks for all occurrences of an object.
type lifecycleRequest struct {
	asked
	id    imbag.ID
	whole bool
	with  lookup.Related
}

// Decode reads path and query.
func (q *lifecycleRequest) Decode(r *http.Request) error {
	if err := q.read(r); err != nil {
		return err
	}
	p := readParams(r, slices.Concat(travelParams, pageParams, []string{"geheleLvc"}))
	q.id, q.whole = p.id(r, q.kind), p.boolean("geheleLvc")
	q.with = p.expand(q.kind.expand) & (lookup.RelatedGeometry | lookup.RelatedSources)
	return p.whole()
}

// occurrenceRequest asks for one occurrence of an object.
type occurrenceRequest struct {
	asked
	id         imbag.ID
	number     int
	registered int64 // milliseconds since 1970 in UTC
}

// Decode reads the path.
func (q *occurrenceRequest) Decode(r *http.Request) error {
	if err := q.read(r); err != nil {
		return err
	}
	p := readParams(r, travelParams)
	q.id = p.id(r, q.kind)
	var err error
	if q.number, err = strconv.Atoi(r.PathValue("versie")); err != nil {
		p.fault("versie", "integer", "Waarde is geen geldige integer.")
	}
	if q.registered, err = strconv.ParseInt(r.PathValue("timestampRegistratieLv"), 10, 64); err != nil {
		p.fault("timestampRegistratieLv", "timestamp", "Waarde is geen geldig tijdstip.")
	}
	return p.whole()
}

// id reads the identification in a path.
func (p *params) id(r *http.Request, k *kind) imbag.ID {
	v := r.PathValue("id")
	id, ok := imbag.ParseID(v)
	if !ok || !k.pattern.MatchString(v) {
		p.fault(k.id, "pattern", "Waarde voldoet niet aan patroon "+k.pattern.String()+".")
	}
	return id
}

// whole tells whether the parameters of a question that needs none are right.
func (p *params) whole() error {
	if len(p.faults) > 0 {
		return invalid(p.faults)
	}
	if p.empty {
		return errs.CodeInvalid.New("Geef elke parameter een waarde.").WithRule(ruleRequired)
	}
	return nil
}

// when reads the moment that a question is about.
func (p *params) when() lookup.When {
	var w lookup.When
	if v := p.values.Get("geldigOp"); v != "" {
		if d, ok := imbag.ParseDate(v); ok {
			w.Day = &d
		} else {
			p.fault("geldigOp", "date", "Waarde is geen geldige datum.")
		}
	}
	if v := p.values.Get("beschikbaarOp"); v != "" {
		if m, ok := moment(v); ok {
			w.Known = &m
		} else {
			p.fault("beschikbaarOp", "timestamp", "Waarde is geen geldig tijdstip.")
		}
	}
	return w
}

var amsterdam = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err) // the program carries the zones
	}
	return zone
}()

// moment reads "2019-06-01T12:00:00.000" on the clock of the Netherlands, seconds and fraction may be absent, digits after
// the third are cut off. A client made from the contract sends an offset as well.
func moment(v string) (imbag.Moment, bool) {
	v = strings.Replace(v, " ", "+", 1) // the plus of an offset that was not encoded
	if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return imbag.MomentOf(t.In(amsterdam)), true
	}
	if len(v) == len("2019-06-01T12:00") {
		v += ":00"
	}
	if most := len("2019-06-01T12:00:00.000"); len(v) > most && strings.Trim(v[most:], "0123456789") == "" {
		v = v[:most]
	}
	return imbag.ParseMoment(v)
}

// expand reads which related resources are asked for. A name after a dot picks a field of one; it is given whole.
func (p *params) expand(known []expansion) lookup.Related {
	v := p.values.Get("expand")
	if v == "" && p.values.Has("expand") {
		p.fault("expand", "expand", "Deel van de parameterwaarde is niet correct: .")
	}
	var with lookup.Related
	for _, name := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' }) {
		if len(p.faults) > maxFaults {
			break
		}
		resource, _, _ := strings.Cut(strings.TrimSpace(name), ".")
		found := false
		for _, e := range known {
			if name == "true" || strings.EqualFold(e.name, resource) {
				with |= e.kind
				found = true
			}
		}
		if !found && name != "true" {
			p.fault("expand", "expand", "Deel van de parameterwaarde is niet correct: "+clip(name)+".")
		}
	}
	return with
}

// maxFaults bounds a refusal.
const maxFaults = 20

// names, with number a question for designations.
var (
	spaceParams       = []string{"woonplaatsNaam", "openbareRuimteNaam", "woonplaatsIdentificatie"}
	designationParams = []string{"postcode", "huisnummer", "huisletter", "huisnummertoevoeging", "exacteMatch", "woonplaatsNaam",
		"openbareRuimteNaam", "openbareRuimteIdentificatie"}
)

// objectsRequest asks for a collection of objects.
type objectsRequest struct {
	asked
	query      lookup.ObjectQuery
	page, size int // size 0: all
}

// Decode reads the query, each kind with its own ways of asking.
func (q *objectsRequest) Decode(r *http.Request) error {
	if err := q.read(r); err != nil {
		return err
	}
	ways := map[string][]string{
		"nummeraanduidingen": designationParams, "openbareruimten": spaceParams, "woonplaatsen": {"naam"},
		"verblijfsobjecten":     {"pandIdentificatie"},
		"adresseerbareobjecten": {"nummeraanduidingIdentificatie", "pandIdentificaties", "pandIdentificatie"},
		"panden":                {"adresseerbaarObjectIdentificatie", "nummeraanduidingIdentificatie"},
	}[q.kind.name]
	filters := filterParams[q.kind.name]
	if len(filters) > 0 {
		ways = slices.Concat(ways, placeParams)
	}
	p := readParams(r, slices.Concat(travelParams, pageParams, []string{"huidig"}, ways, filters))
	q.given = p.values
	q.query = lookup.ObjectQuery{When: p.when(), Current: p.boolean("huidig"), With: p.expand(q.kind.expand), Types: q.kind.types}
	q.page = min(p.integer("page", 1, 0, 1), maxPage)
	q.size = p.integer("pageSize", minPageSize, maxPageSize, defaultPageSize)
	p.objects(&q.query)
	p.place(&q.query)
	if err := p.whole(); err != nil {
		return err
	}
	if !p.any(ways...) {
		return errs.CodeInvalid.New("Geef een zoekvraag op: %s.", strings.Join(ways, ", ")).WithRule(ruleRequired)
	}
	if q.query.Current && p.any("geldigOp", "beschikbaarOp") {
		return unsupportedCombination("huidig", "geldigOp", "beschikbaarOp")
	}
	if p.any(filters...) && !p.values.Has("bbox") {
		return unsupportedCombination(append(filters, "bbox")...)
	}
	return p.combination(q.kind)
}

// objects reads what is asked for.
func (p *params) objects(q *lookup.ObjectQuery) {
	q.Postcode, _ = imbag.ParsePostcode(p.pattern("postcode", postcodePattern))
	q.Number = p.integer("huisnummer", 1, 99999, 0)
	q.Letter = p.pattern("huisletter", letterPattern)
	if q.Suffix = p.text("huisnummertoevoeging", 4); q.Suffix != "" {
		q.Suffix = p.pattern("huisnummertoevoeging", suffixPattern)
	}
	q.Exact = p.boolean("exacteMatch")
	q.LocalityName = p.text("woonplaatsNaam", 80)
	if name := p.text("naam", 80); name != "" {
		q.LocalityName = name
	}
	q.SpaceName = p.text("openbareRuimteNaam", 80)
	q.Locality, _ = imbag.ParseID(p.pattern("woonplaatsIdentificatie", localityPattern))
	q.Space, _ = imbag.ParseID(p.pattern("openbareRuimteIdentificatie", spacePattern))
	q.Designation, _ = imbag.ParseID(p.pattern("nummeraanduidingIdentificatie", designationPattern))
	q.Object, _ = imbag.ParseID(p.pattern("adresseerbaarObjectIdentificatie", objectPattern))
	for _, name := range []string{"pandIdentificatie", "pandIdentificaties"} {
		all := p.values.Get(name)
		if strings.Count(all, ",") >= maxBuildings {
			p.fault(name, "maxItems", fmt.Sprintf("Array bevat meer dan %d items.", maxBuildings))
			continue
		}
		for _, v := range strings.FieldsFunc(all, func(r rune) bool { return r == ',' && name == "pandIdentificaties" }) {
			id, ok := imbag.ParseID(v)
			if !ok || !buildingPattern.MatchString(v) {
				p.fault(name, "pattern", "Waarde voldoet niet aan patroon "+buildingPattern.String()+".")
				break
			}
			q.Buildings = append(q.Buildings, id)
		}
	}
}

const maxBuildings = 100

func unsupportedCombination(names ...string) error {
	return errs.CodeInvalid.New("Deze parameters gaan niet samen: %s.", strings.Join(names, ", ")).WithRule(ruleUnsupported)
}

func minimalCombination(text string) error {
	return errs.CodeInvalid.New("Geef %s op.", text).WithRule(ruleCombination)
}

// combination tells whether the parameters make exactly one question about a kind.
func (p *params) combination(k *kind) error {
	switch k.name {
	case "nummeraanduidingen":
		postcode, number, space := p.values.Has("postcode"), p.values.Has("huisnummer"), p.values.Has("openbareRuimteIdentificatie")
		names := p.any("woonplaatsNaam", "openbareRuimteNaam")
		parts := p.any("huisletter", "huisnummertoevoeging", "exacteMatch")
		switch {
		case space && (postcode || number || names || parts), postcode && names:
			return unsupportedCombination("postcode", "woonplaatsNaam", "openbareRuimteNaam", "openbareRuimteIdentificatie")
		case !space && (!number || !postcode && !(p.values.Has("woonplaatsNaam") && p.values.Has("openbareRuimteNaam"))):
			return minimalCombination("postcode en huisnummer, of woonplaatsNaam, openbareRuimteNaam en huisnummer, of openbareRuimteIdentificatie")
		}
	case "openbareruimten":
		if p.values.Has("woonplaatsIdentificatie") && p.values.Has("woonplaatsNaam") {
			return unsupportedCombination("woonplaatsIdentificatie", "woonplaatsNaam")
		}
		if !p.values.Has("woonplaatsIdentificatie") && !(p.values.Has("woonplaatsNaam") && p.values.Has("openbareRuimteNaam")) {
			return minimalCombination("woonplaatsIdentificatie, of woonplaatsNaam met openbareRuimteNaam")
		}
	case "adresseerbareobjecten", "panden":
		given := 0
		names := []string{"nummeraanduidingIdentificatie", "adresseerbaarObjectIdentificatie", "pandIdentificaties", "pandIdentificatie", "point", "bbox"}
		for _, name := range names {
			if p.values.Has(name) {
				given++
			}
		}
		if given > 1 {
			return unsupportedCombination(names...)
		}
	}
	return nil
}
