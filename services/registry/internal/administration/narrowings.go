package administration

import (
	"context"

	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// stoppers may take from a grant at once: stopping must not wait for a second person.
var stoppers = []string{
	directory.RoleAdministrator, directory.RoleApprover, directory.RoleOperator, directory.RolePrivacyOfficer, directory.RoleHubOperator,
}

// Narrow makes n what the actor's organisation takes from a grant. It holds at once, on every gateway.
func (o *Office) Narrow(ctx context.Context, a Actor, n *directory.Narrowing) (*publisher.State, error) {
	if err := a.need(stoppers...); err != nil {
		return nil, err
	}
	n.By = a.Organisation
	return o.do(ctx, a, audit.GrantNarrow, n.Key(), func(c *publisher.Change) error {
		if err := partyOf(c.Before, a, n.Grant); err != nil {
			return err
		}
		c.Put(n)
		o.tellParties(c, a, notify.ContractNarrowed, c.Before.ContractOf(n.Grant))
		return nil
	})
}

// Widen takes back what the actor's organisation took from a grant, and no more than that.
func (o *Office) Widen(ctx context.Context, a Actor, grant string) (*publisher.State, error) {
	if err := a.need(stoppers...); err != nil {
		return nil, err
	}
	key := directory.NarrowingKey(grant, a.Organisation)
	return o.do(ctx, a, audit.GrantWiden, key, func(c *publisher.Change) error {
		if c.Before.Get(key) == nil {
			return CodeUnknown.New("your organisation took nothing from grant %s", grant)
		}
		c.Remove(key)
		if of := c.Before.ContractOf(grant); of != nil {
			o.tellParties(c, a, notify.ContractRestored, of)
		}
		return nil
	})
}

// partyOf refuses who is neither a party of the grant's contract nor the hub operator.
func partyOf(s *directory.State, a Actor, grant string) error {
	if of := s.ContractOf(grant); of == nil || !of.Names(a.Organisation) && !a.Operator() {
		return CodeUnknown.New("your organisation has no grant %s", grant)
	}
	return nil
}
