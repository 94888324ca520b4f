package administration

import (
	"context"

	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// PutOrganisation lets the hub operator take an organisation in, and an administrator change the own one: its name and
// contacts. OIN, short name and certificates are what contracts and tokens rest on; those are the hub operator's.
func (o *Office) PutOrganisation(ctx context.Context, a Actor, org *directory.Organisation, r Revision) (*publisher.State, error) {
	if !a.Operator() || a.Person == "" {
		if err := a.need(directory.RoleAdministrator); err != nil {
			return nil, err
		}
		if org.OIN != a.Organisation {
			return nil, CodeRole.New("only the hub operator changes another organisation").WithRule(directory.RoleHubOperator)
		}
	}
	return o.do(ctx, a, audit.OrganisationPut, org.Key(), func(c *publisher.Change) error {
		if err := hold(c, org.Key(), r); err != nil {
			return err
		}
		was := c.Before.Organisation(org.OIN)
		if !a.Operator() {
			org.Slug, org.Municipality, org.Certificates, org.Networks = was.Slug, was.Municipality, was.Certificates, was.Networks
		}
		org.Keep(was)
		c.Put(org)
		return nil
	})
}

// PutPerson gives a person of the actor's organisation roles, or changes them. Nobody changes the own roles: that is how a
// right would grow by itself.
func (o *Office) PutPerson(ctx context.Context, a Actor, p *directory.Person, r Revision) (*publisher.State, error) {
	if err := a.need(directory.RoleAdministrator); err != nil {
		return nil, err
	}
	if p.ID == a.Person {
		return nil, CodeFourEyes.New("the own roles are changed by another administrator")
	}
	p.Organisation = a.Organisation
	return o.do(ctx, a, audit.PersonPut, p.Key(), func(c *publisher.Change) error {
		was := c.Before.Person(p.ID)
		if was != nil && was.Organisation != a.Organisation && !r.Fresh {
			return CodeUnknown.New("your organisation has no person %s", p.ID)
		}
		if p.HasRole(directory.RoleHubOperator) && !a.Operator() {
			return CodeRole.New("%s gives that role", directory.RoleHubOperator).WithRule(directory.RoleHubOperator)
		}
		if was != nil {
			p.StandIn = was.StandIn
		}
		c.Put(p)
		return hold(c, p.Key(), r)
	})
}

// StandIn lets a colleague approve for an approver who is away; nil ends it. The approver decides, or an administrator, who
// does not choose the own person: that is how a right would grow by itself.
func (o *Office) StandIn(ctx context.Context, a Actor, id string, v *directory.StandIn) (*publisher.State, error) {
	if a.Person == "" || a.Person != id {
		if err := a.need(directory.RoleAdministrator); err != nil {
			return nil, err
		}
		if v != nil && v.Person == a.Person {
			return nil, CodeFourEyes.New("an administrator does not choose the own person")
		}
	}
	key := directory.Key{Kind: directory.KindPerson, ID: id}
	return o.do(ctx, a, audit.PersonStandIn, key, func(c *publisher.Change) error {
		was := c.Before.Person(id)
		if was == nil || was.Organisation != a.Organisation {
			return CodeUnknown.New("your organisation has no person %s", id)
		}
		if v != nil {
			if other := c.Before.Person(v.Person); other == nil || other.Organisation != a.Organisation {
				return CodeUnknown.New("your organisation has no person %s", v.Person)
			}
		}
		copied := *was
		copied.StandIn = v
		c.Put(&copied)
		return nil
	})
}

// RemovePerson takes a person out, with the clients that are the person's.
func (o *Office) RemovePerson(ctx context.Context, a Actor, id string, r Revision) (*publisher.State, error) {
	if err := a.need(directory.RoleAdministrator); err != nil {
		return nil, err
	}
	key := directory.Key{Kind: directory.KindPerson, ID: id}
	return o.do(ctx, a, audit.PersonRemove, key, func(c *publisher.Change) error {
		was := c.Before.Person(id)
		if was == nil || was.Organisation != a.Organisation {
			return CodeUnknown.New("your organisation has no person %s", id)
		}
		for _, client := range directory.All[*directory.Client](c.Before) {
			if client.Person == id {
				c.Remove(client.Key())
			}
		}
		c.Remove(key)
		return hold(c, key, r)
	})
}
