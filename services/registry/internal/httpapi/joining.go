package httpapi

import (
	"context"
	"net/http"
	"strings"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

type documentList struct {
	Documents []api.DocumentView   `json:"documenten"`
	Accepted  []api.AcceptanceView `json:"aanvaard"` // by the caller's organisation
}

// documents gives what every organisation accepts, and what the caller's own accepted so far.
func (h *handlers) documents(ctx context.Context, _ struct{}) (documentList, error) {
	caller, state, err := h.caller(ctx, "documenten")
	if err != nil {
		return documentList{}, err
	}
	out := documentList{Documents: []api.DocumentView{}, Accepted: []api.AcceptanceView{}}
	for _, d := range state.Directory.Hub().Documents {
		out.Documents = append(out.Documents, api.DocumentView{AcceptanceBody: digestOf(d), Text: d.Text})
	}
	if o := state.Directory.Organisation(caller.PeerID); o != nil {
		for _, a := range o.Accepted {
			out.Accepted = append(out.Accepted, api.AcceptanceView{
				AcceptanceBody: api.AcceptanceBody{Kind: a.Kind, Version: a.Version, Digest: a.Digest}, By: a.Person, When: a.At,
			})
		}
	}
	return out, nil
}

func digestOf(d directory.Document) api.AcceptanceBody {
	return api.AcceptanceBody{Kind: d.Kind, Version: d.Version, Digest: d.Digest()}
}

func (h *handlers) acceptDocument(ctx context.Context, c command[api.AcceptanceBody]) (answered, error) {
	if c.body.Kind == "" {
		c.body.Kind = c.path("soort")
	}
	if c.body.Kind != c.path("soort") {
		return answered{}, errs.CodeInvalid.New("1 fault").WithFields(errs.Field{Name: "/soort", Code: "same", Reason: "is another kind than in the path"})
	}
	return h.take(ctx, func(a administration.Actor) (*publisher.State, error) {
		return h.Office.AcceptDocument(ctx, a, c.body)
	})
}

type stepList struct {
	Steps []api.StepView `json:"stappen"`
}

// steps shows an organisation on its way to the first call: to itself and to the hub operator.
func (h *handlers) steps(ctx context.Context, q read) (stepList, error) {
	caller, state, err := h.caller(ctx, "organisaties/{oin}/stappen")
	if err != nil {
		return stepList{}, err
	}
	o := state.Directory.Organisation(q.path("oin"))
	if o == nil || o.OIN != caller.PeerID && !caller.HasRole(token.RoleHubOperator) {
		return stepList{}, administration.CodeUnknown.New("your organisation has another OIN")
	}
	hosted, err := h.Office.Hand.Hosts(ctx, o.OIN)
	if err != nil {
		return stepList{}, errs.CodeUnavailable.Wrap(err, "the registry cannot tell now whether it keeps the signing key")
	}
	return stepList{Steps: state.Directory.Steps(o, hosted, h.Now())}, nil
}

type applicationList struct {
	Applications []api.ApplicationView `json:"aanmeldingen"`
}

// applications gives those that the caller's organisation brought in; the hub's own people see all, for they decide.
func (h *handlers) applications(ctx context.Context, _ struct{}) (applicationList, error) {
	caller, state, err := h.caller(ctx, "aanmeldingen")
	if err != nil {
		return applicationList{}, err
	}
	out := applicationList{Applications: []api.ApplicationView{}}
	for _, a := range directory.All[*directory.Application](state.Directory) {
		if decides(state.Directory, caller, a) {
			out.Applications = append(out.Applications, applicationView(state.Directory, a, false))
		}
	}
	return out, nil
}

func decides(s *directory.State, caller token.Caller, a *directory.Application) bool {
	return a.Sponsor == caller.PeerID || s.Hub().Organisation == caller.PeerID
}

func (h *handlers) application(ctx context.Context, q read) (answered, error) {
	caller, state, err := h.caller(ctx, "aanmeldingen/{id}")
	if err != nil {
		return answered{}, err
	}
	a := state.Directory.Application(q.path("id"))
	if a == nil || !decides(state.Directory, caller, a) {
		return answered{}, administration.CodeUnknown.New("your organisation has no such application")
	}
	return one(state, a, applicationView(state.Directory, a, true)), nil
}

func (h *handlers) invite(ctx context.Context, c command[api.InvitationBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, app, err := h.Office.Invite(ctx, a, c.body)
	return h.aboutApplication(state, app, http.StatusCreated, err)
}

func (h *handlers) apply(ctx context.Context, c command[api.ApplicationBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, app, err := h.Office.Apply(ctx, a, c.body)
	return h.aboutApplication(state, app, http.StatusCreated, err)
}

func (h *handlers) admit(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, app, err := h.Office.Admit(ctx, a, c.path("id"))
	return h.aboutApplication(state, app, http.StatusOK, err)
}

func (h *handlers) rejectApplication(ctx context.Context, c command[api.DecisionBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, app, err := h.Office.RejectApplication(ctx, a, c.path("id"), c.body.Reason)
	return h.aboutApplication(state, app, http.StatusOK, err)
}

func (h *handlers) aboutApplication(state *publisher.State, app *directory.Application, status int, err error) (answered, error) {
	if err != nil {
		return answered{}, err
	}
	out := done(state, app.Key(), applicationView(state.Directory, state.Directory.Application(app.ID), true))
	if out.status = status; status == http.StatusCreated {
		out.location = Admin + "/aanmeldingen/" + app.ID
	}
	return out, nil
}

func (h *handlers) merge(ctx context.Context, c command[api.PartBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, proposal, err := h.Office.Merge(ctx, a, c.path("oin"), c.body, c.revision)
	if err != nil {
		return answered{}, err
	}
	return waits(state, proposal), nil
}

func applicationView(s *directory.State, a *directory.Application, whole bool) api.ApplicationView {
	v := api.ApplicationView{
		ID: a.ID, State: a.State(), OIN: a.OIN, Name: a.Name, Sponsor: a.Sponsor, Since: a.Since, Steps: a.Steps(s),
	}
	if a.Decided != nil {
		v.Reason = a.Decided.Reason
	}
	switch {
	case !whole:
	case a.Form() != nil:
		v.Form = a.Form()
	default:
		v.Form = blankForm(s, a)
	}
	return v
}

// blankForm is the form of an invitation with what the hub knows: what is left to fill in are contacts and people.
func blankForm(s *directory.State, a *directory.Application) *api.ApplicationForm {
	form := &api.ApplicationForm{
		Group: s.Hub().GroupID, Invitation: a.ID, Made: a.Since, OIN: a.OIN, Name: a.Name,
		Contacts: []api.Contact{}, People: []api.Applicant{}, Accepted: []api.AcceptanceBody{},
	}
	if kvk, ok := strings.CutPrefix(a.OIN, "00000003"); ok {
		form.OIN, form.KvK = "", kvk[:8]
	}
	for _, role := range directory.ContactRoles {
		form.Contacts = append(form.Contacts, api.Contact{Role: role})
	}
	for _, d := range s.Hub().Documents {
		form.Accepted = append(form.Accepted, digestOf(d))
	}
	return form
}
