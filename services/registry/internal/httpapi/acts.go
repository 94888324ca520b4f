package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

func (h *handlers) putOrganisation(ctx context.Context, c command[api.OrganisationBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	o := &directory.Organisation{
		OIN: c.path("oin"), Slug: c.body.Slug, Name: c.body.Name, Municipality: c.body.Municipality, Certificates: c.body.Certificates,
		Networks: c.body.Networks,
	}
	for _, contact := range c.body.Contacts {
		o.Contacts = append(o.Contacts, directory.Contact(contact))
	}
	state, proposal, err := h.Office.PutOrganisation(ctx, a, o, c.body.Reason, c.revision)
	switch {
	case err != nil:
		return answered{}, err
	case proposal != "":
		return waits(state, proposal), nil
	}
	return done(state, o.Key(), organisationView(state.Directory.Organisation(o.OIN))), nil
}

func (h *handlers) putPerson(ctx context.Context, c command[api.PersonBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	p := &directory.Person{ID: c.path("id"), Name: c.body.Name, Email: c.body.Email, Roles: c.body.Roles}
	state, err := h.Office.PutPerson(ctx, a, p, c.revision)
	if err != nil {
		return answered{}, err
	}
	return done(state, p.Key(), personView(p)), nil
}

func (h *handlers) removePerson(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.RemovePerson(ctx, a, c.path("id"), c.revision)
	})
}

func (h *handlers) putClient(ctx context.Context, c command[api.ClientBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	client := &directory.Client{
		ID: c.path("id"), Name: c.body.Name, Profile: c.body.Profile, Alg: c.body.Alg, Certificates: c.body.Certificates,
		Disabled: c.body.Disabled, AdminScopes: c.body.AdminScopes,
	}
	if c.body.JWKSURI != "" {
		if len(c.body.Keys) > 0 {
			return answered{}, errs.CodeInvalid.New("1 fault").WithFields(errs.Field{Name: "/jwksUri", Code: "either", Reason: "give keys or the address where they are, not both"})
		}
		if err := a.Prepares(); err != nil {
			return answered{}, err
		}
		set, err := h.Office.Fetcher.Fetch(ctx, a.Organisation, c.body.JWKSURI, "")
		if err != nil {
			return answered{}, err
		}
		client.JWKSURI, client.Keys = c.body.JWKSURI, []directory.ClientKey{{Public: string(set)}}
	}
	for _, k := range c.body.Keys {
		client.Keys = append(client.Keys, directory.ClientKey(k))
	}
	state, err := h.Office.PutClient(ctx, a, client, c.revision)
	return h.aboutClient(state, client.ID, err)
}

func (h *handlers) removeClient(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.RemoveClient(ctx, a, c.path("id"), c.revision)
	})
}

func (h *handlers) addKey(ctx context.Context, c command[api.KeyBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, err := h.Office.AddKey(ctx, a, c.path("id"), directory.ClientKey(c.body))
	return h.aboutClient(state, c.path("id"), err)
}

func (h *handlers) refreshKeys(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, err := h.Office.RefreshKeys(ctx, a, c.path("id"))
	return h.aboutClient(state, c.path("id"), err)
}

func (h *handlers) removeKey(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.RemoveKey(ctx, a, c.path("id"), c.path("kid"))
	})
}

func (h *handlers) assign(ctx context.Context, c command[api.AssignmentBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	if c.body.Grant == "" {
		return answered{}, errs.CodeInvalid.New("no grant is named").WithFields(errs.Field{Name: "/toestemming", Code: "required", Reason: "is required"})
	}
	state, err := h.Office.Assign(ctx, a, c.path("id"), c.path("naam"), c.body.Grant)
	return h.aboutClient(state, c.path("id"), err)
}

func (h *handlers) unassign(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.Assign(ctx, a, c.path("id"), c.path("naam"), "")
	})
}

func (h *handlers) aboutClient(state *publisher.State, id string, err error) (answered, error) {
	if err != nil {
		return answered{}, err
	}
	client := state.Directory.Client(id)
	return done(state, client.Key(), clientView(client)), nil
}

func (h *handlers) putService(ctx context.Context, c command[api.ServiceBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	s := &directory.Service{
		Slug: c.path("slug"), FSCName: c.body.FSCName, Title: c.body.Title, Personal: c.body.Personal, Published: c.body.Published, Public: c.body.Public,
		Upstream: directory.Upstream{
			Addresses: c.body.Upstream.Addresses, CAs: c.body.Upstream.CAs, MaxBody: c.body.Upstream.MaxBody, Idempotent: c.body.Upstream.Idempotent,
			Auth: c.body.Upstream.Auth, AuthName: c.body.Upstream.AuthName,
		},
	}
	if c.body.Upstream.Timeout != "" {
		if s.Upstream.Timeout, err = time.ParseDuration(c.body.Upstream.Timeout); err != nil {
			return answered{}, errs.CodeInvalid.New("1 fault").WithFields(errs.Field{
				Name: "/achterkant/wachttijd", Code: "duration", Reason: "must be a duration such as 10s",
			})
		}
	}
	if s.APIs, err = h.descriptions(ctx, a, c.body.APIs, c.body.Upstream.CAs); err != nil {
		return answered{}, err
	}
	s.Facts = factsOf(c.body.Facts)
	state, proposal, err := h.Office.PutService(ctx, a, s, c.body.Upstream.Secret, c.body.Reason, c.revision)
	switch {
	case err != nil:
		return answered{}, err
	case proposal != "":
		return waits(state, proposal), nil
	}
	return done(state, s.Key(), serviceView(s.Compiled())), nil
}

func (h *handlers) removeService(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.RemoveService(ctx, a, c.path("slug"), c.revision)
	})
}

func (h *handlers) propose(ctx context.Context, c command[api.ContractDraft]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	text := c.body.Contract
	if text == nil {
		wanted, publications := split(c.body.Grants)
		if len(c.body.Grants) == 0 && c.body.Predecessor != "" {
			if wanted, err = h.Office.Renewal(a, c.body.Predecessor); err != nil {
				return answered{}, err
			}
		}
		if text, err = h.Office.Draft(wanted, publications, c.body.From, c.body.Till); err != nil {
			return answered{}, err
		}
	}
	state, hash, err := h.Office.Propose(ctx, a, c.body.Name, c.body.Predecessor, text)
	if err != nil {
		return answered{}, err
	}
	out := h.aboutContract(state, hash)
	out.status, out.location = http.StatusCreated, Admin+"/afspraken/"+hash
	return out, nil
}

// split tells publications from connections.
func split(drafts []api.GrantDraft) (wanted []contract.Connection, publications []contract.Publication) {
	var rest []api.GrantDraft
	for _, d := range drafts {
		if d.Kind == "publicatie" {
			publications = append(publications, contract.Publication{Provider: d.Provider, Service: d.Service, Delegator: d.Delegator})
		} else {
			rest = append(rest, d)
		}
	}
	return connections(rest), publications
}

func connections(drafts []api.GrantDraft) []contract.Connection {
	out := make([]contract.Connection, 0, len(drafts))
	for _, d := range drafts {
		out = append(out, contract.Connection{
			Consumer: d.Consumer, Provider: d.Provider, Service: d.Service, Delegator: d.Delegator,
			Terms: contract.Terms{
				Purpose: d.Purpose, LegalBasis: d.LegalBasis, ProcessingActivity: d.ProcessingActivity, Scopes: d.Scopes, Fields: d.Fields,
				Binding: d.Binding, Rate: d.Rate, Quota: d.Quota, CacheSeconds: d.CacheSeconds, Logging: d.Logging, Tariff: d.Tariff,
			},
		})
	}
	return out
}

func (h *handlers) sign(ctx context.Context, c command[api.SignatureBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	kind := contract.SignatureType(c.body.Kind)
	if kind != contract.Accept && kind != contract.Reject && kind != contract.Revoke {
		return answered{}, errs.CodeInvalid.New("1 fault").WithFields(errs.Field{Name: "/soort", Code: "enum", Reason: "must be accept, reject or revoke"})
	}
	state, err := h.Office.Sign(ctx, a, c.path("hash"), kind, c.body.JWS, c.body.Reason)
	if err != nil {
		return answered{}, err
	}
	return h.aboutContract(state, c.path("hash")), nil
}

func (h *handlers) remind(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, err := h.Office.Remind(ctx, a, c.path("hash"))
	if err != nil {
		return answered{}, err
	}
	return h.aboutContract(state, c.path("hash")), nil
}

func (h *handlers) aboutContract(state *publisher.State, hash string) answered {
	c := state.Directory.Contract(hash)
	return done(state, c.Key(), api.AgreementDetail{AgreementView: agreementView(state.Directory, c, h.Now()), Contract: json.RawMessage(c.Contract)})
}

func (h *handlers) narrow(ctx context.Context, c command[api.NarrowingBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	n := &directory.Narrowing{
		Grant: c.path("hash"), Suspended: c.body.Suspended, Rate: c.body.Rate, BlockedScopes: c.body.BlockedScopes, Reason: c.body.Reason,
	}
	state, err := h.Office.Narrow(ctx, a, n)
	if err != nil {
		return answered{}, err
	}
	return done(state, n.Key(), narrowingView(n)), nil
}

func (h *handlers) widen(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.Widen(ctx, a, c.path("hash"))
	})
}

func (h *handlers) approve(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.Approve(ctx, a, c.path("id"))
	})
}

func (h *handlers) dismiss(ctx context.Context, c command[none]) (answered, error) {
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.Dismiss(ctx, a, c.path("id"))
	})
}

// take carries out an act after which there is nothing to show.
func (h *handlers) take(ctx context.Context, act func(administration.Actor) (*publisher.State, error)) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, err := act(a)
	if err != nil {
		return answered{}, err
	}
	return gone(state), nil
}
