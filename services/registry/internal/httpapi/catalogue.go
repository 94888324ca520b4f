package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// Sizes of a page of the catalogue.
const (
	pageStandard = 50
	pageMost     = 200
)

// catalogueQuery looks for services. Cursor is the slug after which the page begins.
type catalogueQuery struct {
	search, owner, cursor string
	published             *bool
	size                  int
}

// Decode reads the query.
func (c *catalogueQuery) Decode(r *http.Request) error {
	q := kit.NewQuery(r)
	c.search, c.owner, c.cursor = strings.ToLower(q.String("zoek")), q.String("aanbieder"), q.String("na")
	if q.Has("gepubliceerd") {
		published := q.Bool("gepubliceerd")
		c.published = &published
	}
	if c.size = pageStandard; q.Has("aantal") {
		c.size = q.Int("aantal", kit.Range(1, pageMost))
	}
	return q.Err()
}

// next is the address of the page after a slug.
func (c *catalogueQuery) next(after string) string {
	q := url.Values{"na": {after}, "aantal": {strconv.Itoa(c.size)}}
	for name, value := range map[string]string{"zoek": c.search, "aanbieder": c.owner} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.published != nil {
		q.Set("gepubliceerd", strconv.FormatBool(*c.published))
	}
	return Admin + "/diensten?" + q.Encode()
}

func (c *catalogueQuery) fits(s api.Service) bool {
	return s.Slug > c.cursor && (c.owner == "" || s.Owner == c.owner) && (c.published == nil || s.Published == *c.published) &&
		(c.search == "" || strings.Contains(strings.ToLower(s.Slug+" "+s.Title+" "+strings.Join(s.BasePaths, " ")), c.search))
}

type serviceList struct {
	Services []api.ServiceView `json:"diensten"`
	Next     string            `json:"volgende,omitempty"` // address of the next page
}

// services gives the published ones and those the caller's organisation owns, by slug.
func (h *handlers) services(ctx context.Context, q catalogueQuery) (serviceList, error) {
	caller, state, err := h.caller(ctx, "diensten")
	if err != nil {
		return serviceList{}, err
	}
	out := serviceList{Services: []api.ServiceView{}}
	for _, s := range state.Snapshot.Services {
		if !shows(caller, s) || !q.fits(s) {
			continue
		}
		if len(out.Services) == q.size {
			out.Next = q.next(out.Services[q.size-1].Slug)
			break
		}
		view := serviceView(s)
		view.Contacts = contactsOf(state.Directory, s.Owner)
		out.Services = append(out.Services, view)
	}
	return out, nil
}

type consumerList struct {
	Consumers []api.ConsumerView `json:"afnemers"`
}

// consumers gives who may use a service, to its owner: whom to tell of an end or a fault. Of a service that every
// organisation has one of, each sees who may use its own.
func (h *handlers) consumers(ctx context.Context, q read) (consumerList, error) {
	caller, state, err := h.caller(ctx, "diensten/{slug}/afnemers")
	if err != nil {
		return consumerList{}, err
	}
	s := state.Directory.Service(q.path("slug"))
	if s == nil || s.Owner != caller.PeerID && !s.PerOrganisation {
		return consumerList{}, administration.CodeUnknown.New("your organisation has no such service")
	}
	out := consumerList{Consumers: []api.ConsumerView{}}
	for _, g := range state.Snapshot.Grants {
		if g.Service != s.Slug || g.Provider != caller.PeerID || !h.Now().Before(g.NotAfter) {
			continue
		}
		view := api.ConsumerView{
			OIN: g.Consumer, OnBehalf: g.Delegator, Contract: g.ContractHash, Grant: g.Hash, Purpose: g.Terms.Purpose, Scopes: filled(g.Terms.Scopes),
			NotAfter: g.NotAfter, Contacts: contactsOf(state.Directory, g.Consumer), Suspended: g.Narrowing != nil && g.Narrowing.Suspended,
		}
		if o := state.Directory.Organisation(g.Consumer); o != nil {
			view.Name = o.Name
		}
		out.Consumers = append(out.Consumers, view)
	}
	return out, nil
}

func contactsOf(s *directory.State, oin string) []api.Contact {
	out := []api.Contact{}
	if o := s.Organisation(oin); o != nil {
		for _, c := range o.Contacts {
			out = append(out, api.Contact(c))
		}
	}
	return out
}
