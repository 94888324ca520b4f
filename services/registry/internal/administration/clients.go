package administration

import (
	"context"
	"slices"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// technicians look after clients, keys and drafts of services.
var technicians = []string{directory.RoleIntegrator, directory.RoleAdministrator}

// PutClient registers a client of the actor's organisation or changes it. Rights on administration APIs come from an
// administrator; hub-operator clients and those of people are not made here.
func (o *Office) PutClient(ctx context.Context, a Actor, client *directory.Client, r Revision) (*publisher.State, error) {
	if err := a.need(technicians...); err != nil {
		return nil, err
	}
	client.Organisation = a.Organisation
	return o.do(ctx, a, audit.ClientPut, client.Key(), func(c *publisher.Change) error {
		was, err := ownClient(c, a, client.ID, r.Fresh)
		if err != nil {
			return err
		}
		if err := hold(c, client.Key(), r); err != nil {
			return err
		}
		client.HubOperator, client.Person = false, ""
		var had []string
		if was != nil {
			client.HubOperator, client.Person, client.Assignments, had = was.HubOperator, was.Person, was.Assignments, was.AdminScopes
		}
		if slices.ContainsFunc(client.AdminScopes, func(s string) bool { return !slices.Contains(had, s) }) {
			if err := a.need(directory.RoleAdministrator); err != nil {
				return err
			}
		}
		c.Put(client)
		if was == nil {
			o.tellOwn(c, a, notify.ClientRegistered, notify.Client, client.ID)
		}
		return nil
	})
}

// RemoveClient takes a client out. Its tokens end with their life.
func (o *Office) RemoveClient(ctx context.Context, a Actor, id string, r Revision) (*publisher.State, error) {
	if err := a.need(technicians...); err != nil {
		return nil, err
	}
	key := directory.Key{Kind: directory.KindClient, ID: id}
	return o.do(ctx, a, audit.ClientRemove, key, func(c *publisher.Change) error {
		if _, err := ownClient(c, a, id, false); err != nil {
			return err
		}
		c.Remove(key)
		o.tellOwn(c, a, notify.ClientRevoked, notify.Client, id)
		return hold(c, key, r)
	})
}

// AddKey gives a client one more key, which may begin later and end by itself. The old one stays until it ends or is taken
// out: that overlap is what lets an application change over without a pause.
func (o *Office) AddKey(ctx context.Context, a Actor, id string, k directory.ClientKey) (*publisher.State, error) {
	return o.changeClient(ctx, a, audit.ClientKeyAdd, id, func(client *directory.Client) error {
		client.Keys = append(slices.Clone(client.Keys), k)
		return nil
	})
}

// RemoveKey takes a key of a client out by its kid.
func (o *Office) RemoveKey(ctx context.Context, a Actor, id, kid string) (*publisher.State, error) {
	return o.changeClient(ctx, a, audit.ClientKeyRemove, id, func(client *directory.Client) error {
		place := client.KeyPlace(kid)
		if place < 0 {
			return CodeUnknown.New("client %s has no key %s", id, kid)
		}
		client.Keys = slices.Delete(slices.Clone(client.Keys), place, place+1)
		return nil
	})
}

// RefreshKeys reads the keys of a client again from the address that it gave, now and not at the next round.
func (o *Office) RefreshKeys(ctx context.Context, a Actor, id string) (*publisher.State, error) {
	if err := a.prepares(technicians...); err != nil {
		return nil, err
	}
	client := o.Publisher.State().Directory.Client(id)
	if client == nil || client.Organisation != a.Organisation || client.JWKSURI == "" {
		return nil, CodeUnknown.New("your organisation has no client %s with an address of keys", id)
	}
	return o.refresh(ctx, client, a.record(o.Publisher.State().Directory, audit.ClientKeysRead, client.Key()))
}

// FollowKeys reads the keys of every client that gave an address. One that does not answer, or answers with what is no key set,
// keeps the keys that it has; fault hears why.
func (o *Office) FollowKeys(ctx context.Context, fault func(client string, err error)) {
	for _, client := range directory.All[*directory.Client](o.Publisher.State().Directory) {
		if client.JWKSURI == "" || ctx.Err() != nil {
			continue
		}
		record := publisher.Act{
			Actor: audit.Actor{Part: "registry"}, Act: audit.ClientKeysRead, Subject: audit.Subject{Kind: string(directory.KindClient), ID: client.ID},
			Organisations: []oin.OIN{oin.OIN(client.Organisation)},
		}
		if _, err := o.refresh(ctx, client, record); err != nil {
			fault(client.ID, err)
		}
	}
}

func (o *Office) refresh(ctx context.Context, client *directory.Client, record publisher.Act) (*publisher.State, error) {
	set, err := o.Fetcher.Fetch(ctx, client.Organisation, client.JWKSURI, "")
	if err != nil {
		return nil, err
	}
	if len(client.Keys) == 1 && client.Keys[0].Public == string(set) {
		return o.Publisher.State(), nil
	}
	return o.doWith(ctx, Actor{}, record, func(c *publisher.Change) error {
		was := c.Before.Client(client.ID)
		if was == nil || was.JWKSURI != client.JWKSURI {
			return CodeStale.New("client %s was changed", client.ID)
		}
		copied := *was
		copied.Keys = []directory.ClientKey{{Public: string(set)}}
		c.Put(&copied)
		c.Tell(o.event(notify.KeyAdded, was.Organisation, notify.Client, was.ID, nil))
		return nil
	})
}

// Assign lets a client use a grant of its organisation under a short name; an empty grant takes the name away. The name
// survives successors of the grant, so the application never learns that the contract behind it is another one.
func (o *Office) Assign(ctx context.Context, a Actor, id, name, grant string) (*publisher.State, error) {
	return o.changeClient(ctx, a, audit.ClientAssign, id, func(client *directory.Client) error {
		had := len(client.Assignments)
		client.Assignments = slices.DeleteFunc(slices.Clone(client.Assignments), func(x directory.Assignment) bool { return x.Name == name })
		if grant != "" {
			client.Assignments = append(client.Assignments, directory.Assignment{Name: name, Grant: grant})
		} else if len(client.Assignments) == had {
			return CodeUnknown.New("client %s has no assignment %s", id, name)
		}
		return nil
	})
}

func (o *Office) changeClient(ctx context.Context, a Actor, act audit.Act, id string, change func(*directory.Client) error) (*publisher.State, error) {
	if err := a.need(technicians...); err != nil {
		return nil, err
	}
	return o.do(ctx, a, act, directory.Key{Kind: directory.KindClient, ID: id}, func(c *publisher.Change) error {
		was, err := ownClient(c, a, id, false)
		if err != nil {
			return err
		}
		copied := *was
		if err := change(&copied); err != nil {
			return err
		}
		c.Put(&copied)
		switch act {
		case audit.ClientKeyAdd:
			o.tellOwn(c, a, notify.KeyAdded, notify.Client, id)
		case audit.ClientKeyRemove:
			o.tellOwn(c, a, notify.KeyRevoked, notify.Client, id)
		}
		return nil
	})
}

// ownClient finds a client of the actor's organisation. An id that another organisation has is as good as unknown, and
// where a new one is wanted it is taken.
func ownClient(c *publisher.Change, a Actor, id string, fresh bool) (*directory.Client, error) {
	client := c.Before.Client(id)
	switch {
	case fresh && client != nil:
		return nil, CodeExists.New("client %s exists", id)
	case fresh:
		return nil, nil
	case client == nil || client.Organisation != a.Organisation:
		return nil, CodeUnknown.New("your organisation has no client %s", id)
	case client.Person != "" && client.Person != a.Person:
		// Who could give a colleague's client another key would be two pairs of eyes at once.
		return nil, CodeFourEyes.New("client %s is the key of a person, who alone changes it", id)
	}
	return client, nil
}
