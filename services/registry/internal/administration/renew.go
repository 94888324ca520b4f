package administration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// resignBatch is how many contracts are signed anew in one transaction.
const resignBatch = 60

// errBatch ends a batch.
var errBatch = errors.New("the batch is full")

// bookshelf is the contracts of a change, for custody to sign anew.
type bookshelf struct {
	change *publisher.Change
	left   int
}

// SignedBy implements custody.ContractStore.
func (b *bookshelf) SignedBy(_ context.Context, organisation oin.OIN) (all []*contract.Contract, _ error) {
	for _, c := range directory.All[*directory.Contract](b.change.Before) {
		if v := c.Verified(); v != nil && v.Contract.Signed(contract.Accept, organisation.String()) {
			all = append(all, v.Contract)
		}
	}
	return all, nil
}

// Put implements custody.ContractStore. Name, proposer and since when it waits are as they were: nothing was agreed anew.
func (b *bookshelf) Put(_ context.Context, signed *contract.Contract) error {
	if b.left == 0 {
		return errBatch
	}
	b.left--
	text, err := json.Marshal(signed)
	if err != nil {
		return err
	}
	was := b.change.Before.Contract(signed.Content.Hash())
	if was == nil {
		return fmt.Errorf("contract %s is not in the directory", signed.Content.Hash())
	}
	next := *was
	next.Contract = text
	b.change.Put(&next)
	return nil
}

// Touched lists the contracts that rest on the signature of an organisation's key in custody: what its renewal signs anew.
func (o *Office) Touched(ctx context.Context, number string) ([]custody.Touched, error) {
	shelf := &bookshelf{change: &publisher.Change{Before: o.Publisher.State().Directory}}
	list, err := o.Vault.Touches(ctx, o.Keys.Draft(), shelf, oin.OIN(number))
	return list, told(err)
}

// errNothing ends a change that would change nothing.
var errNothing = errors.New("nothing to sign")

// resign signs what an organisation agreed to with its active key, where that is not done yet: batch after batch, each one
// whole. The state is nil when there was nothing to do.
func (o *Office) resign(ctx context.Context, number string) (state *publisher.State, err error) {
	for {
		record := publisher.Act{
			Actor: audit.Actor{Part: "registry"}, Act: audit.ContractResign, Subject: audit.Subject{Kind: string(directory.KindOrganisation), ID: number},
			Organisations: []oin.OIN{oin.OIN(number)},
		}
		next, err := o.Publisher.Do(ctx, record, func(c *publisher.Change) error {
			return o.resignBatch(ctx, c, number)
		})
		switch {
		case errors.Is(err, errNothing):
			return state, nil
		case err != nil:
			return state, err
		}
		state = next
	}
}

// resignation is the detail of an act that signed contracts anew.
type resignation struct {
	Key        string   `json:"key"`
	Thumbprint string   `json:"thumbprint"`
	Contracts  []string `json:"contracts"` // content hashes, which stay what they were
}

func (o *Office) resignBatch(ctx context.Context, c *publisher.Change, number string) error {
	draft := o.Keys.Draft()
	active, err := draft.In(ctx, oin.OIN(number), custody.Contracts, custody.Active)
	if errors.Is(err, custody.ErrUnknown) {
		return errNothing
	}
	if err != nil {
		return err
	}
	done, err := o.Vault.Resign(ctx, draft, &bookshelf{change: c, left: resignBatch}, oin.OIN(number))
	switch {
	case err != nil && !errors.Is(err, errBatch):
		return err
	case len(done) == 0:
		return errNothing
	}
	for _, hash := range done {
		for _, party := range c.Before.Contract(hash).Parties() {
			if party != number && !slices.Contains(c.Act.Organisations, oin.OIN(party)) {
				c.Act.Organisations = append(c.Act.Organisations, oin.OIN(party))
			}
		}
	}
	c.Tell(o.event(notify.CertificateRenewed, number, notify.Organisation, number, notify.Facts{
		notify.Count: fmt.Sprint(len(done)), notify.EndDate: active.NotAfter.Format(time.DateOnly),
	}))
	c.Act.Detail, err = json.Marshal(resignation{Key: active.ID, Thumbprint: active.Thumbprint, Contracts: done})
	return err
}

// everything is further ahead than any certificate ends.
const everything = 100 * 365 * 24 * time.Hour

// Renew goes over the keys in custody and signs with those that followed another what still rests on the other.
func (o *Office) Renew(ctx context.Context) error {
	keys, err := o.Vault.Due(ctx, o.Keys.Draft(), everything)
	if err != nil {
		return err
	}
	var faults []error
	for _, k := range keys {
		if k.Purpose != custody.Contracts {
			continue
		}
		if _, err := o.resign(ctx, k.Organisation.String()); err != nil {
			faults = append(faults, fmt.Errorf("organisation %s: %w", k.Organisation, err))
		}
	}
	return errors.Join(faults...)
}
