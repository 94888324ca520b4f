package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// mountObjects adds the paths of the objects.
func (s *surface) mountObjects(a *kit.API) {
	for _, k := range kinds {
		kit.Handle(a, "GET /"+k.name+"/{id}", s.object)
		kit.Handle(a, "GET /"+k.name+"/{id}/lvc", s.lifecycle)
		if !k.mixed() {
			kit.Handle(a, "GET /"+k.name+"/{id}/{versie}/{timestampRegistratieLv}", s.occurrence)
		}
		if k.name != "ligplaatsen" && k.name != "standplaatsen" { // those are asked for by place only
			kit.Handle(a, "GET /"+k.name, s.objects)
		}
	}
	for _, name := range []string{"woonplaatsen", "ligplaatsen", "standplaatsen", "panden"} {
		kit.Handle(a, "POST /"+name, s.atPoint)
	}
}

// answer is an answer in HAL on its way out.
type answer struct {
	json   []byte
	header http.Header
}

// answerOf makes an answer. What is written here always has a JSON form.
func answerOf(body any, header http.Header) answer {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		panic(err)
	}
	return answer{b.Bytes(), header}
}

func (answer) ContentType() string    { return api.MediaType }
func (a answer) Headers() http.Header { return a.header }
func (a answer) Bytes() []byte        { return a.json }

func (a *asked) header(stand imbag.Date) http.Header {
	h := http.Header{api.StandHeader: {stand.String()}}
	if a.kind.located() {
		h.Set(contentCrs, grid)
	}
	return h
}

func (s *surface) writer(ctx context.Context, a *asked, when lookup.When) *objectWriter {
	w := &objectWriter{base: outsideFrom(ctx) + api.Base, zone: s.Lookup.Zone(), day: s.Lookup.Day(when)}
	w.self, w.related = momentQueries(a.given, s.Lookup.Today(), s.Lookup.Now())
	return w
}

func (s *surface) object(ctx context.Context, q objectRequest) (answer, error) {
	o, stand, err := s.Lookup.Object(ctx, q.id, q.when, q.with)
	if err != nil {
		return answer{}, err
	}
	return s.single(ctx, &q.asked, s.writer(ctx, &q.asked, q.when), &o, stand), nil
}

// single answers with one object, whose link to itself is exactly what was asked.
func (s *surface) single(ctx context.Context, a *asked, w *objectWriter, o *lookup.Found, stand imbag.Date) answer {
	self := api.Link{Href: outsideFrom(ctx) + a.uri}
	if a.kind.mixed() {
		m := w.mixed(o)
		m.Links.Self = self
		return answerOf(m, a.header(stand))
	}
	r := w.object(o)
	r.Links.Self = self
	return answerOf(r, a.header(stand))
}

func (s *surface) lifecycle(ctx context.Context, q lifecycleRequest) (answer, error) {
	all, stand, err := s.Lookup.Lifecycle(ctx, q.id, q.whole, q.with)
	if err != nil {
		return answer{}, err
	}
	w := s.writer(ctx, &q.asked, lookup.When{})
	w.cycle = true
	return answerOf(collect(w, &q.asked, "voorkomens", all, api.Paginering{Self: api.Link{Href: outsideFrom(ctx) + q.uri}}), q.header(stand)), nil
}

func (s *surface) occurrence(ctx context.Context, q occurrenceRequest) (answer, error) {
	o, stand, err := s.Lookup.Occurrence(ctx, q.id, q.number, q.registered)
	if err != nil {
		return answer{}, err
	}
	w := s.writer(ctx, &q.asked, lookup.When{})
	w.cycle = true
	return s.single(ctx, &q.asked, w, &o, stand), nil
}

func (s *surface) atPoint(ctx context.Context, q pointRequest) (answer, error) {
	q.size = 0
	return s.objects(ctx, q.objectsRequest)
}

func (s *surface) objects(ctx context.Context, q objectsRequest) (answer, error) {
	size := q.size
	if q.kind.name == "woonplaatsen" { // few have the same name
		size = 0
	}
	found, err := s.Lookup.FindObjects(ctx, q.query, q.page, size)
	if err != nil {
		return answer{}, err
	}
	base := outsideFrom(ctx)
	header := q.header(found.Stand)
	links := api.Paginering{Self: api.Link{Href: base + q.uri}}
	if size > 0 {
		links = pageLinks(base, findRequest{page: q.page, size: q.size, asked: q.uri, path: q.path, given: q.given}, found.Total)
		header.Set("X-Pagination-Page", strconv.Itoa(q.page))
		header.Set("X-Pagination-Limit", strconv.Itoa(q.size))
	}
	name := q.kind.name
	if q.kind.mixed() {
		name = "adresseerbareObjecten"
	}
	return answerOf(collect(s.writer(ctx, &q.asked, q.query.When), &q.asked, name, found.Objects, links), header), nil
}

// collect writes a collection; one without objects has nothing embedded.
func collect(w *objectWriter, a *asked, name string, all []lookup.Found, links api.Paginering) any {
	if a.kind.mixed() {
		return collection(name, all, links, w.mixed)
	}
	return collection(name, all, links, w.object)
}

func collection[T any](name string, all []lookup.Found, links api.Paginering, write func(*lookup.Found) T) api.Collection[T] {
	c := api.Collection[T]{Links: links}
	if len(all) == 0 {
		return c
	}
	items := make([]T, len(all))
	for i := range all {
		items[i] = write(&all[i])
	}
	c.Embedded = map[string][]T{name: items}
	return c
}
