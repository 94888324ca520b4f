package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
	"noorderhub.nl/hub/services/address/internal/municipality"
)

var (
	codePattern   = regexp.MustCompile(`^[0-9]{4}$`)
	sourcePattern = regexp.MustCompile(`^[0-9]{4}(?:01|02|03|10|20|30)[0-9]{10}$|^[0-9]{3}[1-9]$|^[0-9]{2}[1-9][0-9]$|^[0-9][1-9][0-9]{2}$|^[1-9][0-9]{3}$`)
)

func (s *surface) mountSources(a *kit.API) {
	kit.Handle(a, "GET /bronhouders", s.sourcesOf)
	kit.Handle(a, "GET /bronhouders/{identificatie}", s.source)
	kit.Handle(a, "GET /bronhouders/{identificatie}/{versie}/{timestampRegistratieLv}", s.sourceVersion)
}

// sourceRequest asks for a municipality, or for those of an object.
type sourceRequest struct {
	uri        string
	given      url.Values
	code       uint16
	object     imbag.ID
	when       lookup.When
	version    int
	registered int64 // milliseconds since 1970 in UTC
}

// Decode reads path and query.
func (q *sourceRequest) Decode(r *http.Request) error {
	if err := accepts(r); err != nil {
		return err
	}
	code := r.PathValue("identificatie")
	ways := []string{"woonplaatsIdentificatie", "objectIdentificatie"}
	if code != "" {
		ways = nil
	}
	p := readParams(r, slices.Concat(travelParams, pageParams, ways))
	q.uri, q.given, q.when = r.URL.RequestURI(), p.values, p.when()
	if code != "" && !codePattern.MatchString(code) {
		p.fault("identificatie", "pattern", "Waarde voldoet niet aan patroon "+codePattern.String()+".")
	}
	n, _ := strconv.ParseUint(code, 10, 16) // four digits, or none
	q.code = uint16(n)
	if v := r.PathValue("versie"); v != "" {
		var err error
		if q.version, err = strconv.Atoi(v); err != nil {
			p.fault("versie", "integer", "Waarde is geen geldige integer.")
		}
		if q.registered, err = strconv.ParseInt(r.PathValue("timestampRegistratieLv"), 10, 64); err != nil {
			p.fault("timestampRegistratieLv", "timestamp", "Waarde is geen geldig tijdstip.")
		}
	}
	q.object, _ = imbag.ParseID(p.pattern("woonplaatsIdentificatie", localityPattern))
	if v := p.pattern("objectIdentificatie", sourcePattern); v != "" {
		q.object, _ = imbag.ParseID(v)
	}
	if err := p.whole(); err != nil {
		return err
	}
	switch {
	case code == "" && !p.any(ways...):
		return errs.CodeInvalid.New("Geef woonplaatsIdentificatie of objectIdentificatie op.").WithRule(ruleRequired)
	case p.values.Has("woonplaatsIdentificatie") && p.values.Has("objectIdentificatie"):
		return unsupportedCombination(ways...)
	}
	return nil
}

func (s *surface) source(ctx context.Context, q sourceRequest) (answer, error) {
	m, found := municipality.On(q.code, s.Lookup.Day(q.when))
	return s.municipality(ctx, &q, m, found)
}

func (s *surface) sourceVersion(ctx context.Context, q sourceRequest) (answer, error) {
	m, found := municipality.Version(q.code, q.version)
	return s.municipality(ctx, &q, m, found && since(m, s.Lookup.Zone()) == q.registered)
}

func (s *surface) municipality(ctx context.Context, q *sourceRequest, m municipality.Municipality, found bool) (answer, error) {
	if !found {
		return answer{}, errs.CodeNotFound.New("deze gemeente was er niet")
	}
	return answerOf(api.BronhouderAntwoord{Bronhouder: sourceWire(m), Links: api.SelfLink{Self: api.Link{Href: outsideFrom(ctx) + q.uri}}}, nil), nil
}

// since is the moment that a link to a version names: the register of municipalities has days only.
func since(m municipality.Municipality, zone *time.Location) int64 {
	return (imbag.Moment(m.Begin) * msPerDay).In(zone).UnixMilli()
}

const msPerDay = 86_400_000

func (s *surface) sourcesOf(ctx context.Context, q sourceRequest) (answer, error) {
	all, stand, err := s.Lookup.Sources(ctx, q.object, q.when)
	if err != nil {
		return answer{}, err
	}
	base := outsideFrom(ctx)
	c := api.Collection[api.BronhouderAntwoord]{Links: api.Paginering{Self: api.Link{Href: base + q.uri}}}
	self, _ := momentQueries(q.given, s.Lookup.Today(), s.Lookup.Now())
	var items []api.BronhouderAntwoord
	for i := range all {
		m, held := municipalityOf(&all[i], s.Lookup.Day(q.when))
		link := sourceLink(base+api.Base, m, !held, self, s.Lookup.Zone())
		items = append(items, api.BronhouderAntwoord{Bronhouder: sourceWire(m), Links: api.SelfLink{Self: link}})
	}
	if len(items) > 0 {
		c.Embedded = map[string][]api.BronhouderAntwoord{"bronhouders": items}
	}
	return answerOf(c, http.Header{api.StandHeader: {stand.String()}}), nil
}

// municipalityOf gives the municipality of a relation on a day. Where the stand is older than the end of a municipality its
// last name is given; one that Statistics Netherlands does not know, as in made-up extracts, goes by its code.
func municipalityOf(rel *imbag.Relation, day imbag.Date) (m municipality.Municipality, held bool) {
	if m, held = municipality.On(rel.Municipality, day); held {
		return m, true
	}
	if m, found := municipality.Latest(rel.Municipality); found {
		return m, false
	}
	return municipality.Municipality{Code: rel.Municipality, Version: 1, Name: fmt.Sprintf("gemeente %04d", rel.Municipality), Begin: rel.Begin, End: rel.End}, true
}

// sourceLink gives the path to a municipality: at the moment of the query, or to its version.
func sourceLink(base string, m municipality.Municipality, version bool, query string, zone *time.Location) api.Link {
	href := fmt.Sprintf("%s/bronhouders/%04d", base, m.Code)
	if version {
		return api.Link{Href: fmt.Sprintf("%s/%d/%d", href, m.Version, since(m, zone))}
	}
	return api.Link{Href: href + query}
}

func sourceWire(m municipality.Municipality) api.Bronhouder {
	b := api.Bronhouder{Code: fmt.Sprintf("%04d", m.Code), Naam: m.Name, BeginGeldigheid: m.Begin.String(), EindGeldigheid: m.End.String()}
	if m.Abbreviation != "" {
		b.Provincie = &api.Provincie{Naam: m.Province, Afkorting: m.Abbreviation}
	}
	return b
}

// sources gives the links from a locality to its municipalities, and themselves where they were asked for.
func (w *objectWriter) sources(f *lookup.Found) (links []api.Link, all []api.Bronhouder) {
	for i := range f.Sources {
		rel := &f.Sources[i]
		day := max(rel.Begin, f.Begin)
		if !w.cycle {
			day = w.day
		}
		m, held := municipalityOf(rel, day)
		links = append(links, sourceLink(w.base, m, w.cycle || !held, w.related, w.zone))
		if f.Holders {
			all = append(all, sourceWire(m))
		}
	}
	return links, all
}
