package administration

import (
	"context"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

var codePartOfHub = &errs.Code{
	ID: "part-of-the-hub", Kind: errs.Forbidden, Side: errs.SideHub, Title: "Parts of the hub are set up by its operator",
	Next: "Give your service the address https://host:port or consul:name, without part and without perOrganisation.",
}

// PutService puts a draft of a service of the actor's organisation on the hub, or changes one. What is published, or is to
// be, waits for a second person: then proposal is its id and nothing has changed yet.
// secret is what the gateway makes itself known with, where the service wants one; "" keeps the one that is there.
func (o *Office) PutService(ctx context.Context, a Actor, s *directory.Service, secret, reason string, r Revision) (state *publisher.State, proposal string, err error) {
	if err := a.prepares(technicians...); err != nil {
		return nil, "", err
	}
	s.Owner = a.Organisation
	was := o.Publisher.State().Directory.Service(s.Slug)
	if was != nil && r.Fresh {
		return nil, "", CodeExists.New("service %s exists", s.Slug)
	}
	if was != nil && was.Owner != a.Organisation || was == nil && !r.Fresh {
		return nil, "", CodeUnknown.New("your organisation has no service %s", s.Slug)
	}
	// Who could name a part would reach it with the gateway's trust in parts.
	if part := s.Upstream.Part != "" || s.PerOrganisation; part && !a.Operator() {
		return nil, "", codePartOfHub.New("service %s is not one", s.Slug)
	}
	if err := o.sealUpstream(s, was, secret); err != nil {
		return nil, "", err
	}
	findings, err := takeIn(ctx, s)
	if err != nil {
		return nil, "", err
	}
	o.advise(s, was, findings)
	if s.Published || was != nil && was.Published {
		return o.propose(ctx, a, s, reason, r)
	}
	state, err = o.do(ctx, a, audit.ServicePut, s.Key(), func(c *publisher.Change) error {
		if err := hold(c, s.Key(), r); err != nil {
			return err
		}
		if again := c.Before.Service(s.Slug); again != nil && (again.Owner != a.Organisation || again.Published) {
			return CodeStale.New("service %s was changed", s.Slug)
		}
		c.Put(s)
		o.tellEndings(c, s)
		o.tellAdvice(c, s)
		return nil
	})
	return state, "", err
}

// Prepares refuses who may not prepare services: it comes before anything is fetched for the actor.
func (a Actor) Prepares() error { return a.prepares(technicians...) }

// TestedService gives a service that the actor may let the gateways try. That it was asked is recorded.
func (o *Office) TestedService(ctx context.Context, a Actor, slug string) (api.Service, error) {
	if err := a.prepares(append([]string{directory.RoleOperator}, technicians...)...); err != nil {
		return api.Service{}, err
	}
	state := o.Publisher.State()
	s := state.Directory.Service(slug)
	if s == nil || s.Owner != a.Organisation {
		return api.Service{}, CodeUnknown.New("your organisation has no service %s", slug)
	}
	record := a.record(state.Directory, audit.ServiceTest, s.Key())
	record.Outcome = audit.Succeeded
	if err := o.Desk.Record(ctx, record); err != nil {
		return api.Service{}, unavailable(err)
	}
	for _, compiled := range state.Snapshot.Services { // with the networks that its owner may use
		if compiled.Slug == slug {
			return compiled, nil
		}
	}
	return api.Service{}, CodeUnknown.New("service %s is not in the snapshot", slug)
}

// sealUpstream encrypts the secret of a service for the gateways. It is not kept in any other form.
func (o *Office) sealUpstream(s, was *directory.Service, secret string) error {
	fault := func(reason string) error {
		return CodeFaults.New("1 fault").WithFields(errs.Field{Name: "/achterkant/aanmeldgeheim", Code: "rule", Reason: reason})
	}
	auth := s.Upstream.Auth
	wants := auth == api.AuthHeader || auth == api.AuthZGW
	switch {
	case secret == "" && wants && was != nil && was.Upstream.Auth == auth && was.Upstream.AuthName == s.Upstream.AuthName:
		s.Upstream.Secret = was.Upstream.Secret
		return nil
	case secret == "":
		return nil // the directory says what is missing
	case !wants:
		return fault("belongs to header and zgw")
	case o.Sealer == nil:
		return fault("this hub is not set up for secrets of services: its operator gives registry and gateways an upstreamKey")
	case auth == api.AuthZGW && len(secret) < 32:
		return fault("a key of HS256 has 32 characters or more (RFC 7518 §3.2)")
	case len(secret) < 16 || len(secret) > 1000 || strings.ContainsFunc(secret, func(r rune) bool { return r < 0x21 || r > 0x7e }):
		return fault("must be 16 to 1000 visible ASCII characters without spaces")
	}
	sealed, err := o.Sealer.Seal(s.Slug, auth, secret)
	s.Upstream.Secret = sealed
	return err
}

// adviceTime is how long an owner has to mend what the design rules find. Nothing is closed after it: the date is what owner
// and hub operator agree to talk about.
const adviceTime = 180 * 24 * time.Hour

// advise notes how many findings there are and by when they are to be mended: the first day stays while there are any.
func (o *Office) advise(s, was *directory.Service, findings int) {
	if findings == 0 {
		return
	}
	s.Advice = &directory.Advice{Count: findings, By: o.Now().Add(adviceTime).Truncate(24 * time.Hour)}
	if was != nil && was.Advice != nil {
		s.Advice.By = was.Advice.By
	}
}

// tellAdvice lets the owner know of new advice.
func (o *Office) tellAdvice(c *publisher.Change, s *directory.Service) {
	if was := c.Before.Service(s.Slug); s.Advice != nil && (was == nil || was.Advice == nil || was.Advice.Count != s.Advice.Count) {
		c.Tell(o.event(notify.ServiceFindings, s.Owner, notify.Service, s.Slug, notify.Facts{
			notify.Count: strconv.Itoa(s.Advice.Count), notify.EndDate: s.Advice.By.Format(time.DateOnly),
		}))
	}
}

// RemoveService takes a draft away. A published service is unpublished first, which needs a second person.
func (o *Office) RemoveService(ctx context.Context, a Actor, slug string, r Revision) (*publisher.State, error) {
	if err := a.need(technicians...); err != nil {
		return nil, err
	}
	key := directory.Key{Kind: directory.KindService, ID: slug}
	return o.do(ctx, a, audit.ServiceRemove, key, func(c *publisher.Change) error {
		was := c.Before.Service(slug)
		if was == nil || was.Owner != a.Organisation {
			return CodeUnknown.New("your organisation has no service %s", slug)
		}
		if was.Published {
			return CodeFourEyes.New("service %s is published", slug)
		}
		c.Remove(key)
		return hold(c, key, r)
	})
}
