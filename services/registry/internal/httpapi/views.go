package httpapi

import (
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// The functions of this file turn what the directory holds into what the API shows.

func organisationView(o *directory.Organisation) api.OrganisationView {
	view := api.OrganisationView{OIN: o.OIN, Slug: o.Slug, Name: o.Name, Municipality: o.Municipality, Contacts: []api.Contact{}, Part: o.Part, Ended: o.Ended}
	for _, c := range o.Contacts {
		view.Contacts = append(view.Contacts, api.Contact(c))
	}
	return view
}

func personView(p *directory.Person) api.PersonView {
	v := api.PersonView{ID: p.ID, PersonBody: api.PersonBody{Name: p.Name, Email: p.Email, Roles: p.Roles}}
	if p.StandIn != nil {
		s := api.StandInBody(*p.StandIn)
		v.StandIn = &s
	}
	return v
}

func clientView(c *directory.Client) api.ClientView {
	view := api.ClientView{
		ID: c.ID, Name: c.Name, Profile: c.Profile, Alg: c.Alg, Disabled: c.Disabled, Person: c.Person, JWKSURI: c.JWKSURI,
		Keys: []api.KeyView{}, Certificates: filled(c.Thumbprints()), AdminScopes: filled(c.AdminScopes), Assignments: []api.AssignmentView{},
	}
	for _, k := range c.LiveKeys() {
		view.Keys = append(view.Keys, api.KeyView{ID: k.ID, JWK: k.Public, From: k.From, Till: k.Till})
	}
	for _, a := range c.Assignments {
		view.Assignments = append(view.Assignments, api.AssignmentView(a))
	}
	return view
}

func serviceView(s api.Service) api.ServiceView {
	view := api.ServiceView{
		Slug: s.Slug, Title: s.Title, Owner: s.Owner, FSCName: s.FSCName, BasePaths: s.BasePaths, Personal: s.Personal,
		Published: s.Published, Operations: []api.OperationView{},
	}
	for _, o := range s.Operations {
		view.Operations = append(view.Operations, api.OperationView(o))
	}
	for _, e := range s.Ending {
		view.Ending = append(view.Ending, api.EndingView(e))
	}
	return view
}

// serviceBody is a service as its owner put it.
func serviceBody(s *directory.Service) *api.ServiceBody {
	body := &api.ServiceBody{
		Title: s.Title, FSCName: s.FSCName, Personal: s.Personal, Published: s.Published, Public: s.Public, APIs: []api.APIBody{},
		Upstream: api.UpstreamBody{
			Addresses: s.Upstream.Addresses, CAs: s.Upstream.CAs, MaxBody: s.Upstream.MaxBody, Idempotent: s.Upstream.Idempotent,
			Auth: s.Upstream.Auth, AuthName: s.Upstream.AuthName, // never the secret
		},
	}
	if s.Upstream.Timeout > 0 {
		body.Upstream.Timeout = s.Upstream.Timeout.String()
	}
	body.Facts = factsView(s.Facts)
	for _, a := range s.APIs {
		body.APIs = append(body.APIs, api.APIBody(a))
	}
	return body
}

func agreementView(s *directory.State, c *directory.Contract, now time.Time) api.AgreementView {
	v := c.Verified()
	view := api.AgreementView{
		Hash: c.Hash, Name: c.Name, State: string(v.State(now)), NotBefore: v.Content.NotBefore, NotAfter: v.Till().UTC(),
		Missing: filled(v.Missing), Grants: []api.AgreementElement{},
	}
	if !c.Since.IsZero() {
		view.Since = &c.Since
	}
	view.Predecessor, view.Reason = c.Predecessor, c.Reason
	if !c.Reminded.IsZero() {
		view.Reminded = &c.Reminded
	}
	if v.State(now) == contract.Proposed {
		for _, missing := range v.Missing {
			w := api.Waiting{OIN: missing, Contacts: contactsOf(s, missing)}
			if o := s.Organisation(missing); o != nil {
				w.Name = o.Name
			}
			view.Waiting = append(view.Waiting, w)
		}
	}
	for _, g := range v.Content.Grants {
		e := element(g)
		for _, n := range s.NarrowingsOf(g.Hash) {
			e.Narrowings = append(e.Narrowings, narrowingView(n))
		}
		view.Grants = append(view.Grants, e)
	}
	return view
}

func element(g contract.Grant) api.AgreementElement {
	return api.AgreementElement{
		Hash: g.Hash, Type: g.Type.String(), Consumer: g.Outway.PeerID, Provider: g.Service.PeerID, Delegator: g.Delegator,
		Service: g.Service.Name, Purpose: g.Terms.Purpose, LegalBasis: g.Terms.LegalBasis,
		ProcessingActivity: g.Terms.ProcessingActivity, Scopes: filled(g.Terms.Scopes),
		Fields: g.Terms.Fields, Binding: g.Terms.Binding, Rate: g.Terms.Rate, Quota: g.Terms.Quota,
		CacheSeconds: g.Terms.CacheSeconds, Logging: g.Terms.Logging, Tariff: g.Terms.Tariff,
	}
}

func narrowingView(n *directory.Narrowing) api.NarrowingView {
	return api.NarrowingView{Grant: n.Grant, By: n.By, NarrowingBody: api.NarrowingBody{
		Suspended: n.Suspended, Rate: n.Rate, BlockedScopes: n.BlockedScopes, Reason: n.Reason,
	}}
}

func proposalView(p *directory.Proposal) api.ProposalView {
	if p == nil {
		return api.ProposalView{}
	}
	return api.ProposalView{ID: p.ID, Kind: string(p.Kind), Subject: p.Subject, Proposer: p.Proposer, Since: p.Since, Reason: p.Reason}
}

// filled gives a list that is [] in JSON when it is empty.
func filled(list []string) []string { return append([]string{}, list...) }
