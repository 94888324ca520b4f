package administration

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

var (
	codeDecided = &errs.Code{
		ID: "application-decided", Kind: errs.Conflict, Side: errs.SideClient, Title: "This application was decided already, or nothing was signed yet",
		Next: "Look at its state; who was rejected can send a new application.",
	}
	codeDocuments = &errs.Code{
		ID: "documents-not-accepted", Kind: errs.Conflict, Side: errs.SideOrganisation, Title: "The documents of the hub are not accepted as they are now",
		Next: "Let an administrator of your organisation read and accept them: hubctl document accept.",
	}
)

// Invite asks an organisation to join. A partner may: a municipality its supplier.
func (o *Office) Invite(ctx context.Context, a Actor, body api.InvitationBody) (*publisher.State, *directory.Application, error) {
	if err := a.invites(); err != nil {
		return nil, nil, err
	}
	app := o.application(a, body.Name)
	if body.OIN != "" || body.KvK != "" {
		number, err := directory.OINOf(body.OIN, body.KvK)
		if err != nil {
			return nil, nil, refuse(app.Key(), directory.Faults{{Key: app.Key(), Field: "oin", Reason: err.Error()}})
		}
		app.OIN = number
	}
	state, err := o.do(ctx, a, audit.OrganisationInvite, app.Key(), func(c *publisher.Change) error {
		if err := unknownYet(c.Before, app); err != nil {
			return err
		}
		c.Put(app)
		return nil
	})
	return state, app, err
}

// invites are those who bring an organisation in: people who administer, and programs that prepare.
func (a Actor) invites() error {
	if a.Operator() {
		return nil
	}
	return a.prepares(directory.RoleAdministrator, directory.RoleIntegrator)
}

func (o *Office) application(a Actor, name string) *directory.Application {
	return &directory.Application{
		ID: uuid.Must(uuid.NewV7()).String(), Sponsor: a.Organisation, Proposer: a.name(), Since: o.Now(), Name: name,
	}
}

// Apply brings in a form that the first people of an organisation signed: the answer to an invitation, or one of its own
// accord. Nothing of it is in force until the hub operator admits it.
func (o *Office) Apply(ctx context.Context, a Actor, body api.ApplicationBody) (*publisher.State, *directory.Application, error) {
	if err := a.invites(); err != nil {
		return nil, nil, err
	}
	app := o.application(a, "")
	app.Signed = &body
	form, err := directory.ReadForm(&body)
	if err != nil {
		return nil, nil, refuse(app.Key(), directory.Faults{{Key: app.Key(), Reason: err.Error()}})
	}
	app.Name = form.Name
	if app.OIN, err = directory.OINOf(form.OIN, form.KvK); err != nil {
		return nil, nil, refuse(app.Key(), directory.Faults{{Key: app.Key(), Field: "oin", Reason: err.Error()}})
	}
	if form.Invitation != "" {
		app.ID = form.Invitation
	}
	state, err := o.do(ctx, a, audit.OrganisationApply, app.Key(), func(c *publisher.Change) error {
		if form.Invitation != "" {
			was := c.Before.Application(form.Invitation)
			if was == nil || was.Sponsor != a.Organisation {
				return CodeUnknown.New("your organisation has no invitation %s", form.Invitation)
			}
			if was.Decided != nil {
				return codeDecided.New("application %s is %s", was.ID, was.State())
			}
			if was.OIN != "" && was.OIN != app.OIN {
				return refuse(app.Key(), directory.Faults{{Key: app.Key(), Field: "oin", Reason: "is another one than in the invitation"}})
			}
			app.Proposer = was.Proposer
		}
		if err := unknownYet(c.Before, app); err != nil {
			return err
		}
		c.Put(app)
		return nil
	})
	return state, app, err
}

// unknownYet refuses who is on the hub already. People and clients would otherwise take the place of those who have the
// name: a form must not become another organisation's administrator.
func unknownYet(s *directory.State, app *directory.Application) error {
	if s.Organisation(app.OIN) != nil {
		return CodeExists.New("organisation %s is on the hub", app.OIN)
	}
	if app.Signed == nil {
		return nil
	}
	read, err := directory.ReadForm(app.Signed)
	if err != nil {
		return err
	}
	if s.OrganisationBySlug(read.Slug) != nil {
		return CodeExists.New("the short name %s is taken", read.Slug)
	}
	for _, p := range read.People {
		if s.Person(p.ID) != nil || s.Client(directory.ClientOf(p.ID)) != nil {
			return CodeExists.New("the id %s is taken", p.ID)
		}
	}
	return nil
}

// Admit makes an application an organisation with its first people. Who brought the application in does not admit it.
func (o *Office) Admit(ctx context.Context, a Actor, id string) (*publisher.State, *directory.Application, error) {
	return o.decideApplication(ctx, a, audit.OrganisationAdmit, id, func(c *publisher.Change, app *directory.Application) error {
		if app.Proposer == a.name() {
			return CodeFourEyes.New("%s brought this application in", a)
		}
		if app.State() != directory.ApplicationOpen {
			return codeDecided.New("application %s is %s", id, app.State())
		}
		if err := unknownYet(c.Before, app); err != nil {
			return err
		}
		for _, s := range app.Steps(c.Before) {
			if s.Step == "documenten" && !s.Done {
				return codeDocuments.New("the form accepts other documents than those of today")
			}
		}
		for _, e := range app.Entities(app.Form().Made) {
			c.Put(e)
		}
		app.Decided = &directory.Decision{At: o.Now(), By: a.name(), Admitted: true}
		return nil
	})
}

// RejectApplication ends an invitation or application: by the hub operator, or by who brought it in.
func (o *Office) RejectApplication(ctx context.Context, a Actor, id, reason string) (*publisher.State, *directory.Application, error) {
	if strings.TrimSpace(reason) == "" {
		return nil, nil, errs.CodeInvalid.New("1 fault").WithFields(errs.Field{Name: "/reden", Code: "required", Reason: "is missing; who applied reads it"})
	}
	return o.decideApplication(ctx, a, audit.OrganisationReject, id, func(_ *publisher.Change, app *directory.Application) error {
		app.Decided = &directory.Decision{At: o.Now(), By: a.name(), Reason: reason}
		return nil
	})
}

// decideApplication lets fn decide on a copy of an application, which is then put in its place.
func (o *Office) decideApplication(ctx context.Context, a Actor, act audit.Act, id string, fn func(*publisher.Change, *directory.Application) error) (*publisher.State, *directory.Application, error) {
	hub := o.Publisher.State().Directory.Hub().Organisation
	if act == audit.OrganisationAdmit || !a.sponsors(o.Publisher.State().Directory.Application(id)) {
		if a.Organisation != hub {
			return nil, nil, CodeUnknown.New("your organisation has no application %s", id)
		}
		if err := a.need(directory.RoleHubOperator, directory.RoleApprover); err != nil {
			return nil, nil, err
		}
	}
	var app *directory.Application
	state, err := o.do(ctx, a, act, directory.Key{Kind: directory.KindApplication, ID: id}, func(c *publisher.Change) error {
		was := c.Before.Application(id)
		if was == nil {
			return CodeUnknown.New("there is no application %s", id)
		}
		if was.Decided != nil {
			return codeDecided.New("application %s is %s", id, was.State())
		}
		copied := *was
		app = &copied
		if err := fn(c, app); err != nil {
			return err
		}
		c.Put(app)
		return nil
	})
	return state, app, err
}

// sponsors tells whether a person of the organisation that brought an application in may take it back.
func (a Actor) sponsors(app *directory.Application) bool {
	return app != nil && app.Sponsor == a.Organisation && a.need(directory.RoleAdministrator, directory.RoleIntegrator) == nil
}

// AcceptDocument accepts the newest document of a kind for the actor's organisation. The digest says which text was read.
func (o *Office) AcceptDocument(ctx context.Context, a Actor, body api.AcceptanceBody) (*publisher.State, error) {
	if err := a.need(directory.RoleAdministrator); err != nil {
		return nil, err
	}
	key := directory.Key{Kind: directory.KindOrganisation, ID: a.Organisation}
	record := a.record(o.Publisher.State().Directory, audit.OrganisationAccept, key)
	record.Detail, _ = json.Marshal(body) // strings only: it cannot fail
	return o.doWith(ctx, a, record, func(c *publisher.Change) error {
		documents := c.Before.Hub().Documents
		place := slices.IndexFunc(documents, func(d directory.Document) bool { return d.Kind == body.Kind })
		if place < 0 {
			return CodeUnknown.New("the hub has no document %s", body.Kind)
		}
		given := directory.Acceptance{Kind: body.Kind, Version: body.Version, Digest: body.Digest, Person: a.Person, At: o.Now().Truncate(time.Second)}
		if !given.Of(documents[place]) {
			return CodeStale.New("the document was replaced since it was read")
		}
		was := c.Before.Organisation(a.Organisation)
		if slices.ContainsFunc(was.Accepted, func(x directory.Acceptance) bool { return x.Of(documents[place]) }) {
			return CodeExists.New("this version was accepted before")
		}
		copied := *was
		copied.Accepted = append(slices.Clone(was.Accepted), given)
		c.Put(&copied)
		return nil
	})
}

// joined refuses agreements of an organisation that did not accept the documents of the hub, or is no more.
func joined(s *directory.State, oin string, now time.Time) error {
	if o := s.Organisation(oin); o != nil && o.EndedAt(now) {
		return ended(o)
	}
	if open := s.Unaccepted(oin); len(open) > 0 {
		return codeDocuments.New("organisation %s has not accepted %s %s", oin, open[0].Kind, open[0].Version).WithRule(open[0].Kind)
	}
	return nil
}

func ended(o *directory.Organisation) error {
	return CodeFaults.New("1 fault").WithFields(errs.Field{
		Name: "/toestemmingen", Code: "ended", Reason: "organisation " + o.Slug + " was merged into " + o.Part + ", which makes the contract instead",
	})
}

// Merge says that an OIN is part of another organisation: one more number of it, or merged into it since a day. A second
// person of the hub operator approves.
func (o *Office) Merge(ctx context.Context, a Actor, number string, body api.PartBody, r Revision) (*publisher.State, string, error) {
	if a.Person == "" || !a.Operator() {
		return nil, "", CodeRole.New("only the hub operator says which numbers are one organisation").WithRule(directory.RoleHubOperator)
	}
	was := o.Publisher.State().Directory.Organisation(number)
	if was == nil {
		return nil, "", CodeUnknown.New("there is no organisation %s", number)
	}
	copied := *was
	copied.Part, copied.Ended = body.Of, body.Ended
	return o.propose(ctx, a, &copied, body.Reason, r)
}
