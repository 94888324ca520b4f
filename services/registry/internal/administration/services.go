package administration

import (
	"context"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

var codePartOfHub = &errs.Code{
	ID: "part-of-the-hub", Kind: errs.Forbidden, Side: errs.SideHub, Title: "Parts of the hub are set up by its operator",
	Next: "Give your service the address https://host:port or consul:name, without part and without perOrganisation.",
}

// PutService puts a draft of a service of the actor's organisation on the hub, or changes one. What is published, or is to
// be, waits for a second person: then proposal is its id and nothing has changed yet.
func (o *Office) PutService(ctx context.Context, a Actor, s *directory.Service, reason string, r Revision) (state *publisher.State, proposal string, err error) {
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
	if err := takeIn(ctx, s); err != nil {
		return nil, "", err
	}
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
		return nil
	})
	return state, "", err
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
