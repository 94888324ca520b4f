package administration

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// Keys is where the keys in custody are.
type Keys interface {
	// Draft gives the keys as they are now, for one act.
	Draft() KeyDraft
}

// KeyDraft collects what becomes of keys. Step stores it, in the transaction of the act.
type KeyDraft interface {
	custody.Store
	Step(ctx context.Context, tx store.Tx) error
}

// KindKey is the kind of a key in custody in the audit log.
const KindKey = "key"

var codeKey = &errs.Code{
	ID: "key-in-another-state", Kind: errs.Conflict, Side: errs.SideOrganisation, Title: "The key in custody is not in the state for this",
	Next: "Look at the keys of your organisation (hubctl key hosted list): one at a time waits, with a certificate before it is confirmed.",
}

// HostedKeys gives the keys that the hub keeps for an organisation, for itself and who it belongs to.
func (o *Office) HostedKeys(ctx context.Context, number string) ([]custody.Key, error) {
	all, err := o.Keys.Draft().Of(ctx, oin.OIN(number))
	if err != nil {
		return nil, told(err)
	}
	return slices.DeleteFunc(all, func(k custody.Key) bool { return k.Purpose != custody.Contracts }), nil
}

// HostedKey gives one key of an organisation.
func (o *Office) HostedKey(ctx context.Context, number, id string) (custody.Key, error) {
	k, err := keyOf(ctx, o.Keys.Draft(), number, id)
	return k.Key, told(err)
}

// keyOf gives a key that is the organisation's; of others nobody learns that they exist.
func keyOf(ctx context.Context, s custody.Store, number, id string) (custody.Stored, error) {
	k, err := s.Get(ctx, id)
	if err == nil && (k.Organisation.String() != number || k.Purpose != custody.Contracts) {
		err = custody.ErrUnknown
	}
	return k, err
}

// ProposeKey has a key made for an organisation: its first, or the one that follows. It signs nothing until a second person
// confirms it.
func (o *Office) ProposeKey(ctx context.Context, a Actor, number string, algorithm custody.Algorithm) (*publisher.State, custody.Key, error) {
	if err := o.keeps(a, number, directory.RoleAdministrator, directory.RoleIntegrator); err != nil {
		return nil, custody.Key{}, err
	}
	draft := o.Keys.Draft()
	// Made before the change begins: nobody waits for the dice of an RSA key.
	made, err := o.Vault.Propose(ctx, draft, custody.Proposal{
		Organisation: oin.OIN(number), Purpose: custody.Contracts, Algorithm: algorithm, By: o.aboutKey(a, audit.KeyPropose, number, "").Actor,
	})
	switch {
	case errors.Is(err, custody.ErrPending):
		return nil, custody.Key{}, told(err)
	case err != nil:
		return nil, custody.Key{}, CodeFaults.New("1 fault").WithFields(errs.Field{Name: "/algoritme", Code: "enum", Reason: err.Error()})
	}
	state, err := o.doWith(ctx, a, o.aboutKey(a, audit.KeyPropose, number, made.ID), func(c *publisher.Change) error {
		c.Within(draft.Step)
		return nil
	})
	return state, made, err
}

// KeyRequest gives the certificate request (PEM) of a key that waits.
func (o *Office) KeyRequest(ctx context.Context, number, id string) (string, error) {
	draft := o.Keys.Draft()
	if _, err := keyOf(ctx, draft, number, id); err != nil {
		return "", told(err)
	}
	organisation := o.Publisher.State().Directory.Organisation(number)
	if organisation == nil {
		return "", told(custody.ErrUnknown)
	}
	text, err := o.Vault.Request(ctx, draft, id, organisation.Name)
	return string(text), told(err)
}

// InstallKey gives a key that waits its certificate: a PEM chain, leaf first.
func (o *Office) InstallKey(ctx context.Context, a Actor, number, id, chain string) (*publisher.State, custody.Key, error) {
	return o.changeKey(ctx, a, audit.KeyInstall, number, id, []string{directory.RoleAdministrator, directory.RoleIntegrator},
		func(c *publisher.Change, draft KeyDraft, _ custody.Stored) (custody.Key, error) {
			k, err := o.Vault.Install(ctx, draft, id, []byte(chain), c.Before.Hub().Roots())
			if err != nil && !errors.Is(err, custody.ErrState) && !errors.Is(err, custody.ErrUnknown) {
				return k, CodeFaults.New("the certificate is not one for this key").WithFields(certificateFaults(err)...)
			}
			c.Act.Detail, _ = json.Marshal(map[string]string{"thumbprint": k.Thumbprint}) // strings always encode
			return k, err
		})
}

func certificateFaults(err error) (fields []errs.Field) {
	for _, f := range faultsOf(err) {
		fields = append(fields, errs.Field{Name: "/certificaat", Code: "certificate", Reason: f.Reason})
	}
	return fields
}

// ConfirmKey makes a key the one that signs, on the word of a second person. Whoever verifies contracts knows its certificate
// from then on. What the organisation agreed to is signed anew after it: here, or by Renew where that was stopped.
func (o *Office) ConfirmKey(ctx context.Context, a Actor, number, id string) (*publisher.State, custody.Key, error) {
	state, key, err := o.changeKey(ctx, a, audit.KeyConfirm, number, id, []string{directory.RoleApprover},
		func(c *publisher.Change, draft KeyDraft, was custody.Stored) (custody.Key, error) {
			r, err := o.Vault.Confirm(ctx, draft, id, c.Act.Actor)
			if errors.Is(err, custody.ErrSamePerson) {
				return r.Key, CodeFourEyes.New("%s proposed this key", a)
			}
			if err != nil {
				return r.Key, err
			}
			organisation := c.Before.Organisation(number)
			if organisation == nil {
				return r.Key, custody.ErrUnknown
			}
			chains, err := o.Vault.Chains(ctx, draft, was.Organisation)
			if err != nil {
				return r.Key, err
			}
			c.Put(organisation.WithKept(append(chains, was.Chain)...))
			c.Act.Detail, err = json.Marshal(r.Evidence())
			return r.Key, err
		})
	if err != nil {
		return nil, key, err
	}
	// The key is in force whatever becomes of this: what is left is signed by Renew.
	if signed, err := o.resign(ctx, number); err == nil && signed != nil {
		state = signed
	}
	return state, key, nil
}

// EndKey retires the active key, after which the organisation signs for itself, or destroys the private half of another one.
// To stop, no second person is needed.
func (o *Office) EndKey(ctx context.Context, a Actor, number, id string) (*publisher.State, custody.Key, error) {
	k, err := o.HostedKey(ctx, number, id)
	if err != nil {
		return nil, k, err
	}
	act, end := audit.KeyDestroy, o.Vault.Destroy
	if k.State == custody.Active {
		act, end = audit.KeyRetire, o.Vault.Retire
	}
	return o.changeKey(ctx, a, act, number, id, []string{directory.RoleAdministrator, directory.RoleApprover},
		func(_ *publisher.Change, draft KeyDraft, _ custody.Stored) (custody.Key, error) {
			return end(ctx, draft, id)
		})
}

// keeps refuses whoever may not act on the keys of an organisation.
func (o *Office) keeps(a Actor, number string, roles ...string) error {
	if err := a.need(roles...); err != nil {
		return err
	}
	if !slices.Contains(o.Publisher.State().Directory.Numbers(a.Organisation), number) {
		return CodeUnknown.New("your organisation has another OIN")
	}
	return nil
}

func (o *Office) aboutKey(a Actor, act audit.Act, number, id string) publisher.Act {
	r := a.record(o.Publisher.State().Directory, act, directory.Key{Kind: KindKey, ID: id})
	if number != a.Organisation {
		r.Organisations = append(r.Organisations, oin.OIN(number))
	}
	return r
}

// changeKey carries out an act on one key: what fn makes of it is stored with the act, or nothing is.
func (o *Office) changeKey(
	ctx context.Context, a Actor, act audit.Act, number, id string, roles []string,
	fn func(*publisher.Change, KeyDraft, custody.Stored) (custody.Key, error),
) (*publisher.State, custody.Key, error) {
	if err := o.keeps(a, number, roles...); err != nil {
		return nil, custody.Key{}, err
	}
	var key custody.Key
	state, err := o.doWith(ctx, a, o.aboutKey(a, act, number, id), func(c *publisher.Change) error {
		draft := o.Keys.Draft()
		was, err := keyOf(ctx, draft, number, id)
		if err != nil {
			return told(err)
		}
		if key, err = fn(c, draft, was); err != nil {
			return told(err)
		}
		c.Within(draft.Step)
		return nil
	})
	return state, key, err
}

// told says what a vault refused in terms of the caller.
func told(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, custody.ErrUnknown):
		return CodeUnknown.New("your organisation has no such key in custody")
	case errors.Is(err, custody.ErrChanged):
		return CodeStale.New("the key was changed")
	}
	for _, of := range []error{custody.ErrState, custody.ErrPending, custody.ErrHosted, custody.ErrUncertified, custody.ErrExpired} {
		if errors.Is(err, of) {
			return codeKey.New("%s", of)
		}
	}
	return err
}
