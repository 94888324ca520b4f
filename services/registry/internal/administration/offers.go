package administration

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// PutTemplate states the terms of a service of the actor's organisation.
func (o *Office) PutTemplate(ctx context.Context, a Actor, t *directory.Template) (*publisher.State, error) {
	if err := a.prepares(directory.RoleIntegrator, directory.RoleAdministrator, directory.RoleApprover); err != nil {
		return nil, err
	}
	t.Provider = a.Organisation
	return o.do(ctx, a, audit.TemplatePut, t.Key(), func(c *publisher.Change) error {
		c.Put(t)
		return nil
	})
}

// RemoveTemplate takes a template away; what was agreed on it stays.
func (o *Office) RemoveTemplate(ctx context.Context, a Actor, id string) (*publisher.State, error) {
	if err := a.need(directory.RoleIntegrator, directory.RoleAdministrator, directory.RoleApprover); err != nil {
		return nil, err
	}
	key := directory.TemplateKey(a.Organisation, id)
	return o.do(ctx, a, audit.TemplateRemove, key, func(c *publisher.Change) error {
		if c.Before.Get(key) == nil {
			return CodeUnknown.New("your organisation has no template %s", id)
		}
		c.Remove(key)
		return nil
	})
}

// Offering says to whom a template is offered.
type Offering struct {
	Template  string
	Title     string
	From      time.Time
	Till      time.Time // zero: as long as the template says
	Consumers []string  // OINs
}

// Offer proposes a contract on a template to each of many organisations, all of them or none.
func (o *Office) Offer(ctx context.Context, a Actor, of Offering) (*publisher.State, *directory.Offer, error) {
	if err := a.prepares(directory.RoleIntegrator, directory.RoleAdministrator, directory.RoleApprover); err != nil {
		return nil, nil, err
	}
	offer := &directory.Offer{
		ID: uuid.Must(uuid.NewV7()).String(), Provider: a.Organisation, Template: of.Template, Title: of.Title, Proposer: a.name(), Since: o.Now(),
	}
	state, err := o.do(ctx, a, audit.OfferPut, offer.Key(), func(c *publisher.Change) error {
		offer.Lines = nil
		t, ok := c.Before.Get(directory.TemplateKey(a.Organisation, of.Template)).(*directory.Template)
		if !ok {
			return CodeUnknown.New("your organisation has no template %s", of.Template)
		}
		till := of.Till
		if till.IsZero() {
			till = of.From.AddDate(0, 0, t.Days)
		}
		for _, consumer := range of.Consumers {
			if err := o.offerTo(c, a, offer, t, consumer, of.From, till); err != nil {
				return err
			}
		}
		c.Put(offer)
		return nil
	})
	return state, offer, err
}

func (o *Office) offerTo(c *publisher.Change, a Actor, offer *directory.Offer, t *directory.Template, consumer string, from, till time.Time) error {
	org := c.Before.Organisation(consumer)
	if org == nil {
		return CodeUnknown.New("there is no organisation %s", consumer)
	}
	if org.EndedAt(o.Now()) {
		return ended(org)
	}
	text, err := o.Draft([]contract.Connection{{Consumer: consumer, Provider: a.Organisation, Service: t.Service, Terms: t.Terms}}, nil, from, till)
	if err != nil {
		return err
	}
	parsed, err := contract.Parse(text)
	if err != nil {
		return err
	}
	if !parsed.Content.NotAfter.After(o.Now()) {
		return CodeFaults.New("1 fault").WithFields(errs.Field{Name: "/geldigTot", Code: "past", Reason: "the contract ends in the past"})
	}
	hash := parsed.Content.Hash()
	c.Put(&directory.Contract{Hash: hash, Name: org.Slug + "-" + t.ID, Proposer: a.name(), Since: o.Now(), Contract: text})
	offer.Lines = append(offer.Lines, directory.OfferLine{Consumer: consumer, Contract: hash})
	if consumer != a.Organisation {
		c.Tell(o.event(notify.ContractOffered, consumer, notify.Contract, hash, notify.Facts{notify.Counterparty: a.Organisation}))
	}
	return nil
}

// SignOffer accepts, for the provider, all contracts of an offer that it has not accepted yet. It tells how many.
func (o *Office) SignOffer(ctx context.Context, a Actor, id string) (state *publisher.State, signed int, err error) {
	if err := a.need(directory.RoleApprover); err != nil {
		return nil, 0, err
	}
	state, err = o.aboutOffer(ctx, a, audit.OfferSign, id, func(c *publisher.Change, offer *directory.Offer) error {
		signed = 0
		if offer.Proposer == a.name() {
			return CodeFourEyes.New("%s made this offer", a)
		}
		if err := joined(c.Before, a.Organisation, o.Now()); err != nil {
			return err
		}
		for _, line := range offer.Lines {
			was := c.Before.Contract(line.Contract)
			if was == nil || was.State(o.Now()) != contract.Proposed || was.Verified().Contract.Signed(contract.Accept, a.Organisation) {
				continue
			}
			next, err := o.signed(ctx, a, c, was, contract.Accept, "")
			if err != nil {
				return err
			}
			c.Put(next)
			o.tellSigned(c, a, contract.Accept, was)
			signed++
		}
		if signed == 0 {
			return codeSigned.New("no contract of this offer waits for your organisation")
		}
		return nil
	})
	return state, signed, err
}

// RemindOffer reminds those whose signature the contracts of an offer wait for, each at most once a day.
func (o *Office) RemindOffer(ctx context.Context, a Actor, id string) (state *publisher.State, reminded int, err error) {
	if err := a.prepares(directory.RoleIntegrator, directory.RoleAdministrator, directory.RoleApprover); err != nil {
		return nil, 0, err
	}
	state, err = o.aboutOffer(ctx, a, audit.OfferRemind, id, func(c *publisher.Change, offer *directory.Offer) error {
		reminded = 0
		var last error
		for _, line := range offer.Lines {
			err := o.remind(c, a, line.Contract)
			var refusal *errs.Error
			switch {
			case err == nil:
				reminded++
			case errors.As(err, &refusal): // signed, declined or reminded today
				last = err
			default:
				return err
			}
		}
		if reminded == 0 {
			return last
		}
		return nil
	})
	return state, reminded, err
}

func (o *Office) aboutOffer(ctx context.Context, a Actor, act audit.Act, id string, fn func(*publisher.Change, *directory.Offer) error) (*publisher.State, error) {
	key := directory.Key{Kind: directory.KindOffer, ID: id}
	return o.do(ctx, a, act, key, func(c *publisher.Change) error {
		offer, ok := c.Before.Get(key).(*directory.Offer)
		if !ok || offer.Provider != a.Organisation {
			return CodeUnknown.New("your organisation has no offer %s", id)
		}
		return fn(c, offer)
	})
}
