// Package httpapi is the HTTP side of the address service: it reads questions, asks the lookup, and writes answers and
// refusals in the Kadaster's form ("BAG API Individuele Bevragingen" v2).
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/imbag"
	"noorderhub.nl/hub/services/address/internal/lookup"
)

// Deps are what the surface needs.
type Deps struct {
	Lookup    *lookup.Lookup
	PublicURL string // outside address of the hub, for links where the gateway does not say it; no trailing slash
	Errors    string // address of the pages about errors, e.g. https://hub.example.nl/portaal/fouten
	Logger    *slog.Logger
}

// New makes the handler for everything below api.Base.
func New(d Deps) http.Handler {
	s := &surface{d}
	a := kit.New(kit.Options{Base: api.Base, Version: api.Version, OpenAPI: api.OpenAPI, Errors: s.writeError, Logger: d.Logger})
	kit.Handle(a, "GET /adressen", s.find)
	kit.Handle(a, "GET /adressen/{nummeraanduidingIdentificatie}", s.byID)
	kit.Handle(a, "GET /adressenuitgebreid", s.findExtended)
	kit.Handle(a, "GET /adressenuitgebreid/{nummeraanduidingIdentificatie}", s.extendedByID)
	kit.Handle(a, "GET /info", s.info)
	s.mountSources(a)
	s.mountObjects(a)
	return s.stated(a)
}

type surface struct{ Deps }

// stated puts the date of the stand on every answer, refusals too. Without a stand there is no date.
func (s *surface) stated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if date, err := s.Lookup.Stand(r.Context()); err == nil {
			w.Header().Set(api.StandHeader, date.String())
		}
		next.ServeHTTP(w, r.WithContext(withOutside(r.Context(), s.outside(r))))
	})
}

// page is a page of addresses on its way out.
type page struct {
	api.Adressen
	header http.Header
}

func (page) ContentType() string    { return api.MediaType }
func (p page) Headers() http.Header { return p.header }

func (s *surface) find(ctx context.Context, q findRequest) (page, error) {
	found, err := s.Lookup.Find(ctx, q.Query, q.page, q.size)
	if err != nil {
		return page{}, err
	}
	p := page{header: http.Header{
		api.StandHeader:      {found.Stand.String()},
		"X-Pagination-Page":  {strconv.Itoa(q.page)},
		"X-Pagination-Limit": {strconv.Itoa(q.size)},
	}}
	base := outsideFrom(ctx)
	p.Links = pageLinks(base, q, found.Total)
	if len(found.Addresses) > 0 {
		p.Embedded = &api.AdressenEmbedded{Adressen: make([]api.Adres, len(found.Addresses))}
		for i := range found.Addresses {
			p.Embedded.Adressen[i] = toWire(&found.Addresses[i], base, s.Lookup)
		}
	}
	return p, nil
}

// one is one address on its way out.
type one struct {
	api.Adres
	stand imbag.Date
}

func (one) ContentType() string    { return api.MediaType }
func (o one) Headers() http.Header { return http.Header{api.StandHeader: {o.stand.String()}} }

func (s *surface) byID(ctx context.Context, q idRequest) (one, error) {
	a, stand, err := s.Lookup.ByID(ctx, q.id, q.withEnded, q.with)
	if err != nil {
		return one{}, err
	}
	base := outsideFrom(ctx)
	wire := toWire(&a, base, s.Lookup)
	wire.Links.Self = api.Link{Href: base + q.asked} // exactly as it was asked
	return one{wire, stand}, nil
}
