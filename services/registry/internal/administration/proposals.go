package administration

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// propose lets a change wait for a second person. Its faults are told now, to who can mend them.
func (o *Office) propose(ctx context.Context, a Actor, e directory.Entity, reason string, r Revision) (*publisher.State, string, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, "", err
	}
	p := &directory.Proposal{
		ID: uuid.Must(uuid.NewV7()).String(), Organisation: a.Organisation, Proposer: a.name(), Since: o.Now(), Reason: reason,
		Kind: e.Key().Kind, Subject: e.Key().ID, Revision: r.Number, Body: body,
	}
	state, err := o.do(ctx, a, audit.Act(string(p.Kind)+".propose"), e.Key(), func(c *publisher.Change) error {
		if err := hold(c, e.Key(), r); err != nil {
			return err
		}
		// The change is tried against the directory as it is; what comes of it is thrown away.
		if _, err := c.Before.With(ctx, o.Now(), []directory.Entity{e}); err != nil {
			return err
		}
		c.Put(p)
		o.tellOwn(c, a, notify.ApprovalRequested, notify.Proposal, p.ID)
		return nil
	})
	return state, p.ID, err
}

// Approve carries out what a colleague proposed.
func (o *Office) Approve(ctx context.Context, a Actor, id string) (*publisher.State, error) {
	if err := a.need(directory.RoleApprover); err != nil {
		return nil, err
	}
	return o.decide(ctx, a, audit.ProposalApprove, id, func(c *publisher.Change, p *directory.Proposal) error {
		if p.Proposer == a.name() {
			return CodeFourEyes.New("%s proposed this change", a)
		}
		if err := c.Expect(p.Of(), p.Revision); err != nil {
			return err
		}
		e, err := p.Entity()
		if err != nil {
			return err
		}
		c.Put(e)
		o.tellOwn(c, a, notify.ApprovalGiven, notify.Proposal, p.ID)
		if s, ok := e.(*directory.Service); ok {
			o.tellEndings(c, s)
			o.tellAdvice(c, s)
		}
		return nil
	})
}

// Dismiss takes a proposal away: its proposer withdraws it, or an approver rejects it.
func (o *Office) Dismiss(ctx context.Context, a Actor, id string) (*publisher.State, error) {
	return o.decide(ctx, a, audit.ProposalDismiss, id, func(c *publisher.Change, p *directory.Proposal) error {
		o.tellOwn(c, a, notify.ApprovalRefused, notify.Proposal, p.ID)
		if p.Proposer == a.name() {
			return nil
		}
		return a.need(directory.RoleApprover, directory.RoleAdministrator)
	})
}

func (o *Office) decide(ctx context.Context, a Actor, act audit.Act, id string, fn func(*publisher.Change, *directory.Proposal) error) (*publisher.State, error) {
	key := directory.Key{Kind: directory.KindProposal, ID: id}
	return o.do(ctx, a, act, key, func(c *publisher.Change) error {
		p, ok := c.Before.Get(key).(*directory.Proposal)
		if !ok || p.Organisation != a.Organisation {
			return CodeUnknown.New("your organisation has no proposal %s", id)
		}
		if err := fn(c, p); err != nil {
			return err
		}
		c.Remove(key)
		return nil
	})
}
