package httpapi

import (
	"context"
	"errors"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// scopeRead is what every reading of the administration API needs.
const scopeRead = "beheer.lezen"

// caller gives who asks and what is in force.
func (h *handlers) caller(ctx context.Context, operation string) (token.Caller, *publisher.State, error) {
	caller, ok := token.CallerFrom(ctx)
	if !ok || caller.PeerID == "" {
		return caller, nil, errors.New("request without a caller reached an operation")
	}
	if !caller.HasScope(scopeRead) {
		return caller, nil, codeScope.New("this operation needs the scope %s", scopeRead).WithRule(scopeRead)
	}
	state := h.Publisher.State()
	if caller.HasRole(token.RoleHubOperator) {
		h.Logger.InfoContext(ctx, "hub operator looks at metadata", "operation", operation, "client_id", caller.ClientID)
	}
	return caller, state, nil
}

type organisationList struct {
	Organisations []api.OrganisationView `json:"organisaties"`
}

// organisations is open to every organisation: whom one can make an agreement with is no secret.
func (h *handlers) organisations(ctx context.Context, _ struct{}) (organisationList, error) {
	_, state, err := h.caller(ctx, "organisaties")
	if err != nil {
		return organisationList{}, err
	}
	out := organisationList{Organisations: []api.OrganisationView{}}
	for _, o := range directory.All[*directory.Organisation](state.Directory) {
		view := api.OrganisationView{OIN: o.OIN, Slug: o.Slug, Name: o.Name, Municipality: o.Municipality, Contacts: []api.Contact{}}
		for _, c := range o.Contacts {
			view.Contacts = append(view.Contacts, api.Contact{Role: c.Role, Email: c.Email})
		}
		out.Organisations = append(out.Organisations, view)
	}
	return out, nil
}

type serviceList struct {
	Services []api.ServiceView `json:"diensten"`
}

// services gives the published ones and those the caller's organisation owns.
func (h *handlers) services(ctx context.Context, _ struct{}) (serviceList, error) {
	caller, state, err := h.caller(ctx, "diensten")
	if err != nil {
		return serviceList{}, err
	}
	out := serviceList{Services: []api.ServiceView{}}
	for _, s := range state.Snapshot.Services {
		if !s.Published && s.Owner != caller.PeerID && !caller.HasRole(token.RoleHubOperator) {
			continue
		}
		view := api.ServiceView{
			Slug: s.Slug, Title: s.Title, Owner: s.Owner, FSCName: s.FSCName, BasePaths: s.BasePaths, Personal: s.Personal,
			Operations: []api.OperationView{},
		}
		for _, o := range s.Operations {
			view.Operations = append(view.Operations, api.OperationView(o))
		}
		out.Services = append(out.Services, view)
	}
	return out, nil
}

type agreementList struct {
	Agreements []api.AgreementView `json:"afspraken"`
}

// agreements gives the contracts that name the caller's organisation; the hub operator sees all.
func (h *handlers) agreements(ctx context.Context, _ struct{}) (agreementList, error) {
	caller, state, err := h.caller(ctx, "afspraken")
	if err != nil {
		return agreementList{}, err
	}
	now := h.Now()
	out := agreementList{Agreements: []api.AgreementView{}}
	for _, c := range directory.All[*directory.Contract](state.Directory) {
		a := c.Verified()
		if a == nil || !a.Content.Names(caller.PeerID) && !caller.HasRole(token.RoleHubOperator) {
			continue
		}
		view := api.AgreementView{
			Hash: a.Content.Hash(), State: string(a.State(now)), NotBefore: a.Content.NotBefore, NotAfter: a.Till().UTC(),
			Missing: append([]string{}, a.Missing...), Grants: []api.AgreementElement{},
		}
		for _, g := range a.Content.Grants {
			view.Grants = append(view.Grants, element(g))
		}
		out.Agreements = append(out.Agreements, view)
	}
	return out, nil
}

func element(g contract.Grant) api.AgreementElement {
	return api.AgreementElement{
		Hash: g.Hash, Type: g.Type.String(), Consumer: g.Outway.PeerID, Provider: g.Service.PeerID, Delegator: g.Delegator,
		Service: g.Service.Name, Purpose: g.Terms.Purpose, LegalBasis: g.Terms.LegalBasis,
		ProcessingActivity: g.Terms.ProcessingActivity, Scopes: append([]string{}, g.Terms.Scopes...),
	}
}
