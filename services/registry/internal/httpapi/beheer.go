package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/audit"
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
	if caller.HasRole(token.RoleHubOperator) && !slices.Contains(sameForAll, operation) {
		if err := h.record(ctx, caller, audit.LookMetadata, operation); err != nil {
			return caller, nil, err
		}
	}
	return caller, h.Publisher.State(), nil
}

// sameForAll are the operations that show the hub operator no more than anybody else: what is open to all, and what is the
// own organisation's. Any other look is recorded, so a new operation is recorded unless somebody decides that it is one of these.
var sameForAll = []string{
	"organisaties", "organisaties/{oin}", "personen", "personen/{id}", "voorstellen", "documenten", "gebeurtenissen", "kanalen", "kanalen/{id}",
	"gateways", "dempingen", "bezorgingen", "verwerkingen", "rechten",
}

// record logs an act that changes nothing, before it is answered: what cannot be recorded does not happen.
func (h *handlers) record(ctx context.Context, caller token.Caller, act audit.Act, operation string) error {
	detail, err := json.Marshal(map[string]string{"path": pathOf(ctx)})
	if err != nil {
		return err
	}
	r := audit.Record{
		Actor: audit.Actor{Client: caller.ClientID, Organisation: oin.OIN(caller.PeerID)}, Act: act, Subject: audit.Subject{Kind: "operation", ID: operation},
		Organisations: []oin.OIN{oin.OIN(caller.PeerID)}, Outcome: audit.Succeeded, Detail: detail,
	}
	if caller.Subject != caller.ClientID {
		r.Actor.Person = caller.Subject
	}
	if caller.ID != "" {
		r.Actor.SignIn.Session = audit.Hash([]byte(caller.ID))
	}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		r.TraceID = span.TraceID().String()
	}
	if err := h.Audit.Audit(ctx, r); err != nil {
		return errs.CodeUnavailable.Wrap(err, "this cannot be recorded now, so it is not shown").WithRetryAfter(5 * time.Second)
	}
	return nil
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
		out.Organisations = append(out.Organisations, organisationView(o))
	}
	return out, nil
}

func (h *handlers) organisation(ctx context.Context, q read) (answered, error) {
	_, state, err := h.caller(ctx, "organisaties/{oin}")
	if err != nil {
		return answered{}, err
	}
	o := state.Directory.Organisation(q.path("oin"))
	if o == nil {
		return answered{}, administration.CodeUnknown.New("there is no organisation with this OIN")
	}
	return one(state, o, organisationView(o)), nil
}

type peopleList struct {
	People []api.PersonView `json:"personen"`
}

// people gives those of the caller's own organisation, the hub operator too: names are no metadata.
func (h *handlers) people(ctx context.Context, _ struct{}) (peopleList, error) {
	caller, state, err := h.caller(ctx, "personen")
	if err != nil {
		return peopleList{}, err
	}
	out := peopleList{People: []api.PersonView{}}
	for _, p := range directory.All[*directory.Person](state.Directory) {
		if p.Organisation == caller.PeerID {
			out.People = append(out.People, personView(p))
		}
	}
	return out, nil
}

func (h *handlers) person(ctx context.Context, q read) (answered, error) {
	caller, state, err := h.caller(ctx, "personen/{id}")
	if err != nil {
		return answered{}, err
	}
	p := state.Directory.Person(q.path("id"))
	if p == nil || p.Organisation != caller.PeerID {
		return answered{}, administration.CodeUnknown.New("your organisation has no such person")
	}
	return one(state, p, personView(p)), nil
}

type clientList struct {
	Clients []api.ClientView `json:"clients"`
}

// clients gives those of the caller's own organisation; the hub operator sees all.
func (h *handlers) clients(ctx context.Context, _ struct{}) (clientList, error) {
	caller, state, err := h.caller(ctx, "clients")
	if err != nil {
		return clientList{}, err
	}
	out := clientList{Clients: []api.ClientView{}}
	for _, c := range directory.All[*directory.Client](state.Directory) {
		if c.Organisation == caller.PeerID || caller.HasRole(token.RoleHubOperator) {
			out.Clients = append(out.Clients, clientView(c))
		}
	}
	return out, nil
}

func (h *handlers) client(ctx context.Context, q read) (answered, error) {
	caller, state, err := h.caller(ctx, "clients/{id}")
	if err != nil {
		return answered{}, err
	}
	c := state.Directory.Client(q.path("id"))
	if c == nil || c.Organisation != caller.PeerID && !caller.HasRole(token.RoleHubOperator) {
		return answered{}, administration.CodeUnknown.New("your organisation has no such client")
	}
	return one(state, c, clientView(c)), nil
}

func shows(caller token.Caller, s api.Service) bool {
	return s.Published || s.Owner == caller.PeerID || caller.HasRole(token.RoleHubOperator)
}

func (h *handlers) service(ctx context.Context, q read) (answered, error) {
	caller, state, err := h.caller(ctx, "diensten/{slug}")
	if err != nil {
		return answered{}, err
	}
	s := state.Directory.Service(q.path("slug"))
	if s == nil || !shows(caller, s.Compiled()) {
		return answered{}, administration.CodeUnknown.New("there is no such service in the catalogue")
	}
	view := serviceView(s.Compiled())
	view.Contacts = contactsOf(state.Directory, s.Owner)
	facts := factsView(s.Facts)
	view.Facts = &facts
	if s.Owner == caller.PeerID {
		if s.Advice != nil {
			view.Advice = &api.AdviceView{Count: s.Advice.Count, By: s.Advice.By}
		}
		view.Body = serviceBody(s)
	}
	return one(state, s, view), nil
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
	out := agreementList{Agreements: []api.AgreementView{}}
	for _, c := range directory.All[*directory.Contract](state.Directory) {
		if sees(state.Directory, caller, c) {
			out.Agreements = append(out.Agreements, agreementView(state.Directory, c, h.Now()))
		}
	}
	return out, nil
}

func sees(s *directory.State, caller token.Caller, c *directory.Contract) bool {
	return c.Verified() != nil && (slices.ContainsFunc(s.Numbers(caller.PeerID), c.Names) || caller.HasRole(token.RoleHubOperator))
}

func (h *handlers) agreement(ctx context.Context, q read) (answered, error) {
	caller, state, err := h.caller(ctx, "afspraken/{hash}")
	if err != nil {
		return answered{}, err
	}
	c := state.Directory.Contract(q.path("hash"))
	if c == nil || !sees(state.Directory, caller, c) {
		return answered{}, administration.CodeUnknown.New("your organisation has no such contract")
	}
	return one(state, c, api.AgreementDetail{AgreementView: agreementView(state.Directory, c, h.Now()), Contract: c.Contract}), nil
}

type proposalList struct {
	Proposals []api.ProposalView `json:"voorstellen"`
}

// proposals gives what waits for a second person of the caller's own organisation.
func (h *handlers) proposals(ctx context.Context, _ struct{}) (proposalList, error) {
	caller, state, err := h.caller(ctx, "voorstellen")
	if err != nil {
		return proposalList{}, err
	}
	out := proposalList{Proposals: []api.ProposalView{}}
	for _, p := range directory.All[*directory.Proposal](state.Directory) {
		if p.Organisation == caller.PeerID {
			out.Proposals = append(out.Proposals, proposalView(p))
		}
	}
	return out, nil
}

// one answers for one entity that was read.
func one(state *publisher.State, e directory.Entity, view any) answered {
	return answered{status: http.StatusOK, view: view, revision: state.Revision(e.Key())}
}
