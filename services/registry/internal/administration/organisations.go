package administration

import (
	"context"

	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// PutOrganisation lets the hub operator take an organisation in, and an administrator change the own one: its name and
// contacts. Short name, municipality, certificates and networks are what contracts, tokens and the reach of the gateways rest
// on; those are the hub operator's, and wait for a second person of it: then proposal is its id and nothing has changed yet.
// Certificates and networks that are nil stay as they are.
func (o *Office) PutOrganisation(ctx context.Context, a Actor, org *directory.Organisation, reason string, r Revision) (state *publisher.State, proposal string, err error) {
	operator := a.Operator() && a.Person != ""
	if !operator {
		if err := a.need(directory.RoleAdministrator); err != nil {
			return nil, "", err
		}
		if org.OIN != a.Organisation {
			return nil, "", CodeRole.New("only the hub operator changes another organisation").WithRule(directory.RoleHubOperator)
		}
	}
	complete := func(was *directory.Organisation) {
		org.Keep(was)
		switch {
		case was == nil:
		case !operator:
			org.Slug, org.Municipality, org.Certificates, org.Networks = was.Slug, was.Municipality, was.Certificates, was.Networks
		default:
			if org.Certificates == nil {
				org.Certificates = was.Certificates
			}
			if org.Networks == nil {
				org.Networks = was.Networks
			}
		}
	}
	was := o.Publisher.State().Directory.Organisation(org.OIN)
	if complete(was); operator && (was == nil || !org.RestsOn(was)) {
		state, proposal, err = o.propose(ctx, a, org, reason, r)
		return state, proposal, err
	}
	state, err = o.do(ctx, a, audit.OrganisationPut, org.Key(), func(c *publisher.Change) error {
		if err := hold(c, org.Key(), r); err != nil {
			return err
		}
		again := c.Before.Organisation(org.OIN)
		if again == nil || operator && !again.RestsOn(was) {
			return CodeStale.New("organisation %s was changed", org.OIN)
		}
		complete(again)
		c.Put(org)
		return nil
	})
	return state, "", err
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
