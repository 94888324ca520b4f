package administration

import (
	"context"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// Desk keeps how organisations are told. What changes is stored in one transaction with the record of the act.
type Desk interface {
	Channel(ctx context.Context, organisation oin.OIN, id string) (notify.Channel, error)
	AddChannel(ctx context.Context, act audit.Record, a notify.Admitted) (notify.Channel, error)
	ChangeChannel(ctx context.Context, act audit.Record, a notify.Admitted) (notify.Channel, error)
	RemoveChannel(ctx context.Context, act audit.Record, organisation oin.OIN, id string, revision int64) error
	AddMute(ctx context.Context, act audit.Record, m notify.Mute) (notify.Mute, error)
	RemoveMute(ctx context.Context, act audit.Record, organisation oin.OIN, id string) error
	Retry(ctx context.Context, act audit.Record, organisation oin.OIN, channel, event string) (int, error)
	Record(ctx context.Context, act audit.Record) error
}

// Teller reaches the receivers of channels; *notify.Dispatcher is it.
type Teller interface {
	Admit(ctx context.Context, c notify.Channel) (notify.Admitted, error)
	Test(ctx context.Context, organisation oin.OIN, id string) (notify.Result, error)
	Wake()
}

// PutChannel makes or changes a channel of the actor's organisation; no id makes one. Team mailboxes and webhooks are the
// technicians'; everybody has the own mailbox to decide on. A receiver is asked before it is stored.
func (o *Office) PutChannel(ctx context.Context, a Actor, c notify.Channel, r Revision) (notify.Channel, error) {
	c.Organisation, c.Revision = oin.OIN(a.Organisation), r.Number
	if err := a.keeps(c); err != nil {
		return c, err
	}
	if c.ID != "" { // somebody's own channel does not become a team's, nor another person's
		was, err := o.Desk.Channel(ctx, c.Organisation, c.ID)
		if err != nil {
			return c, unavailable(err)
		}
		if err := a.keeps(was); err != nil {
			return c, err
		}
	}
	admitted, err := o.Teller.Admit(ctx, c)
	if err != nil {
		return c, err
	}
	act := o.aboutChannel(a, audit.SubscriptionPut, c.ID)
	if c.ID == "" {
		c, err = o.Desk.AddChannel(ctx, act, admitted)
	} else {
		c, err = o.Desk.ChangeChannel(ctx, act, admitted)
	}
	return c, unavailable(err)
}

// RemoveChannel takes a channel away; what was on its way is parked.
func (o *Office) RemoveChannel(ctx context.Context, a Actor, id string, r Revision) error {
	was, err := o.channel(ctx, a, id)
	if err != nil {
		return err
	}
	return unavailable(o.Desk.RemoveChannel(ctx, o.aboutChannel(a, audit.SubscriptionStop, id), was.Organisation, id, r.Number))
}

// TestChannel sends a test message now.
func (o *Office) TestChannel(ctx context.Context, a Actor, id string) (notify.Result, error) {
	was, err := o.channel(ctx, a, id)
	if err != nil {
		return notify.Result{}, err
	}
	result, err := o.Teller.Test(ctx, was.Organisation, id)
	if err != nil {
		return result, unavailable(err)
	}
	return result, unavailable(o.Desk.Record(ctx, o.aboutChannel(a, audit.SubscriptionTest, id)))
}

// RetryChannel sends again what is parked on a channel: one event, or all with event "". It tells how many.
func (o *Office) RetryChannel(ctx context.Context, a Actor, id, event string) (int, error) {
	was, err := o.channel(ctx, a, id)
	if err != nil {
		return 0, err
	}
	n, err := o.Desk.Retry(ctx, o.aboutChannel(a, audit.SubscriptionRetry, id), was.Organisation, id, event)
	if err == nil {
		o.Teller.Wake()
	}
	return n, unavailable(err)
}

// Mute keeps channels of the actor's organisation quiet for a time. Who is no technician mutes the own mailbox only.
func (o *Office) Mute(ctx context.Context, a Actor, m notify.Mute) (notify.Mute, error) {
	if err := a.need(technicians...); err != nil {
		if a.Person == "" {
			return m, err
		}
		m.Person = a.Person
	}
	m.Organisation, m.By = oin.OIN(a.Organisation), a.Person
	if err := m.Check(o.Now()); err != nil {
		return m, err
	}
	m, err := o.Desk.AddMute(ctx, o.aboutChannel(a, audit.SubscriptionMute, m.Channel), m)
	return m, unavailable(err)
}

// Unmute lifts a mute.
func (o *Office) Unmute(ctx context.Context, a Actor, id string) error {
	if err := a.need(technicians...); err != nil {
		return err
	}
	return unavailable(o.Desk.RemoveMute(ctx, o.aboutChannel(a, audit.SubscriptionMute, id), oin.OIN(a.Organisation), id))
}

// channel finds a channel that the actor may touch.
func (o *Office) channel(ctx context.Context, a Actor, id string) (notify.Channel, error) {
	if a.Person == "" {
		return notify.Channel{}, a.need(technicians...)
	}
	c, err := o.Desk.Channel(ctx, oin.OIN(a.Organisation), id)
	if err != nil {
		return c, unavailable(err)
	}
	return c, a.keeps(c)
}

// keeps refuses who does not decide on a channel.
func (a Actor) keeps(c notify.Channel) error {
	switch {
	case c.Person == "" || a.Person == "":
		return a.need(technicians...)
	case c.Person != a.Person:
		return CodeRole.New("the mailbox of a person is that person's alone").WithRule(directory.RoleAdministrator)
	}
	return nil
}

func (o *Office) aboutChannel(a Actor, act audit.Act, id string) audit.Record {
	r := a.record(o.Publisher.State().Directory, act, directory.Key{Kind: "channel", ID: id})
	r.Outcome = audit.Succeeded
	return r
}

// unavailable tells refusals from a store that did not answer.
func unavailable(err error) error {
	if err == nil || errs.As(err).Code != errs.CodeInternal {
		return err
	}
	return errs.CodeUnavailable.Wrap(err, "the change could not be stored; nothing has changed").WithRetryAfter(5 * time.Second)
}
