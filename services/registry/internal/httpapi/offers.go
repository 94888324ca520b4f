package httpapi

import (
	"context"
	"net/http"
	"slices"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

type templateList struct {
	Templates []api.TemplateView `json:"sjablonen"`
}

// templates gives those of services in the catalogue, and the caller's own.
func (h *handlers) templates(ctx context.Context, _ struct{}) (templateList, error) {
	caller, state, err := h.caller(ctx, "sjablonen")
	if err != nil {
		return templateList{}, err
	}
	out := templateList{Templates: []api.TemplateView{}}
	for _, t := range directory.All[*directory.Template](state.Directory) {
		if t.Provider == caller.PeerID || state.Directory.Offered(t) {
			out.Templates = append(out.Templates, templateView(t))
		}
	}
	return out, nil
}

func templateView(t *directory.Template) api.TemplateView {
	return api.TemplateView{ID: t.ID, Provider: t.Provider, TemplateBody: api.TemplateBody{Title: t.Title, Days: t.Days, Grant: api.GrantDraft{
		Provider: t.Provider, Service: t.Service, Purpose: t.Terms.Purpose, LegalBasis: t.Terms.LegalBasis, ProcessingActivity: t.Terms.ProcessingActivity,
		Scopes: filled(t.Terms.Scopes), Fields: t.Terms.Fields, Binding: t.Terms.Binding, Rate: t.Terms.Rate, Quota: t.Terms.Quota,
		CacheSeconds: t.Terms.CacheSeconds, Logging: t.Terms.Logging, Tariff: t.Terms.Tariff,
	}}}
}

func (h *handlers) putTemplate(ctx context.Context, c command[api.TemplateBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	wanted := connections([]api.GrantDraft{c.body.Grant})[0]
	t := &directory.Template{ID: c.path("id"), Title: c.body.Title, Days: c.body.Days, Service: wanted.Service, Terms: wanted.Terms}
	state, err := h.Office.PutTemplate(ctx, a, t)
	if err != nil {
		return answered{}, err
	}
	return done(state, t.Key(), templateView(t)), nil
}

func (h *handlers) removeTemplate(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.RemoveTemplate(ctx, a, c.path("id"))
	})
}

type offerList struct {
	Offers []api.OfferView `json:"aanbiedingen"`
}

// offers gives those of the caller's organisation.
func (h *handlers) offers(ctx context.Context, _ struct{}) (offerList, error) {
	caller, state, err := h.caller(ctx, "aanbiedingen")
	if err != nil {
		return offerList{}, err
	}
	out := offerList{Offers: []api.OfferView{}}
	for _, o := range directory.All[*directory.Offer](state.Directory) {
		if o.Provider == caller.PeerID {
			out.Offers = append(out.Offers, h.offerView(state.Directory, o))
		}
	}
	return out, nil
}

func (h *handlers) board(ctx context.Context, q read) (answered, error) {
	caller, state, err := h.caller(ctx, "aanbiedingen/{id}")
	if err != nil {
		return answered{}, err
	}
	o, ok := state.Directory.Get(directory.Key{Kind: directory.KindOffer, ID: q.path("id")}).(*directory.Offer)
	if !ok || o.Provider != caller.PeerID {
		return answered{}, administration.CodeUnknown.New("your organisation has no such offer")
	}
	return one(state, o, h.offerView(state.Directory, o)), nil
}

func (h *handlers) offer(ctx context.Context, c command[api.OfferBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, o, err := h.Office.Offer(ctx, a, administration.Offering(c.body))
	if err != nil {
		return answered{}, err
	}
	out := done(state, o.Key(), h.offerView(state.Directory, o))
	out.status, out.location = http.StatusCreated, Admin+"/aanbiedingen/"+o.ID
	return out, nil
}

func (h *handlers) signOffer(ctx context.Context, c command[none]) (answered, error) {
	return h.countOffer(ctx, c, h.Office.SignOffer)
}

func (h *handlers) remindOffer(ctx context.Context, c command[none]) (answered, error) {
	return h.countOffer(ctx, c, h.Office.RemindOffer)
}

func (h *handlers) countOffer(ctx context.Context, c command[none], act func(context.Context, administration.Actor, string) (*publisher.State, int, error)) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, n, err := act(ctx, a, c.path("id"))
	if err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusOK, view: api.CountView{Count: n}, version: state.Snapshot.Version.String()}, nil
}

func (h *handlers) offerView(s *directory.State, o *directory.Offer) api.OfferView {
	v := api.OfferView{ID: o.ID, Template: o.Template, Title: o.Title, Since: o.Since, Lines: []api.OfferLineRow{}}
	for _, l := range o.Lines {
		row := api.OfferLineRow{OIN: l.Consumer, Contract: l.Contract}
		if org := s.Organisation(l.Consumer); org != nil {
			row.Name = org.Name
		}
		if c := s.Contract(l.Contract); c != nil && c.Verified() != nil {
			a := agreementView(s, c, h.Now())
			row.State, row.Since, row.Reminded, row.Reason, row.Waiting = a.State, a.Since, a.Reminded, a.Reason, a.Waiting
		}
		switch contract.State(row.State) {
		case contract.Valid:
			v.Signed++
		case contract.Proposed:
			v.Waiting++
		case contract.Rejected:
			v.Declined++
		default:
			v.Ended++
		}
		v.Lines = append(v.Lines, row)
	}
	slices.SortFunc(v.Lines, func(a, b api.OfferLineRow) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return v
}

func (h *handlers) putStandIn(ctx context.Context, c command[api.StandInBody]) (answered, error) {
	return h.standIn(ctx, c.path("id"), &directory.StandIn{Person: c.body.Person, From: c.body.From, Till: c.body.Till})
}

func (h *handlers) endStandIn(ctx context.Context, c command[none]) (answered, error) {
	return h.standIn(ctx, c.path("id"), nil)
}

func (h *handlers) standIn(ctx context.Context, id string, v *directory.StandIn) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, err := h.Office.StandIn(ctx, a, id, v)
	if err != nil {
		return answered{}, err
	}
	p := state.Directory.Person(id)
	return done(state, p.Key(), personView(p)), nil
}
