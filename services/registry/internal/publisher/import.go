package publisher

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/region"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// A region file is one author of the directory among others. What it says for the first time, or says otherwise than it did
// before, is taken; what it said before and no longer says is removed; what others changed since stays as they left it
// until the file speaks of it anew.

func (p *Publisher) reload(ctx context.Context, actor string) (api.Version, error) {
	seen := fingerprint{}
	opts := region.Options{Now: p.o.Now, Touched: seen.add}
	if snapshot := p.state.Load().Snapshot; snapshot != nil {
		opts.InForce = snapshot.Contracts
	}
	r, err := region.Load(ctx, p.o.Region, opts)
	if err != nil {
		p.inputs = seen
		return api.Version{}, p.refused(ctx, actor, err)
	}
	if expired := r.Expired(p.o.Now()); len(expired) > 0 {
		p.o.Logger.WarnContext(ctx, "contracts expired and are left out: move the files away or sign successors", "files", expired)
	}
	v, err := p.take(ctx, actor, r)
	if errors.As(err, new(directory.Faults)) {
		p.inputs = seen
		return api.Version{}, p.refused(ctx, actor, err)
	}
	if err != nil {
		// The files count as changed until what they say is in force.
		p.o.Logger.ErrorContext(ctx, "region not published, the snapshot in force stays", "by", actor, "error", err)
		return api.Version{}, err
	}
	p.inputs = seen
	return v, nil
}

func (p *Publisher) refused(ctx context.Context, actor string, err error) error {
	p.o.Logger.ErrorContext(ctx, "region refused, the snapshot in force stays", "by", actor, "error", err)
	record := byPart(audit.RegionRefused, audit.Subject{Kind: "region", ID: filepath.Base(p.o.Region)}, actor+": "+firstLine(err))
	record.Outcome = audit.Refused
	if auditErr := p.o.Store.Audit(ctx, record); auditErr != nil {
		p.o.Logger.ErrorContext(ctx, "audit record not written", "error", auditErr)
	}
	return err
}

// take brings the directory to what a region file says.
func (p *Publisher) take(ctx context.Context, actor string, r *region.Region) (api.Version, error) {
	if err := p.mend(ctx); err != nil {
		return api.Version{}, err
	}
	old := p.state.Load()
	c, stated, err := imported(old, r.Entities)
	if err != nil {
		return api.Version{}, err
	}
	next, err := old.Directory.With(ctx, p.o.Now(), c.put, c.gone...)
	if err != nil {
		return api.Version{}, err
	}
	put, err := p.numbered(c.put, func(e directory.Entity) row {
		if sum, fromFile := stated[e.Key()]; fromFile {
			return row{source: store.SourceRegion, stated: sum}
		}
		return old.rows[e.Key()]
	})
	if err != nil {
		return api.Version{}, err
	}
	act := Act{Reason: actor}
	if len(c.put)+len(c.gone) > 0 {
		act = byPart(audit.RegionImport, audit.Subject{Kind: "region", ID: filepath.Base(p.o.Region)}, actor)
		act.Detail = json.RawMessage(fmt.Sprintf(`{"taken":%d,"removed":%d}`, len(c.put), len(c.gone)))
	}
	return p.publish(ctx, act, next, put, c)
}

// imported gives the change that a file makes, and the hash of what it says of each of its entities.
func imported(old *State, entities []directory.Entity) (*Change, map[directory.Key]string, error) {
	c := &Change{Before: old.Directory, rows: old.rows}
	stated := make(map[directory.Key]string, len(entities))
	for _, e := range entities {
		body, err := json.Marshal(e)
		if err != nil {
			return nil, nil, err
		}
		sum := sha256.Sum256(body)
		stated[e.Key()] = hex.EncodeToString(sum[:])
		if have := old.rows[e.Key()]; have.source != store.SourceRegion || have.stated != stated[e.Key()] {
			if o, ok := e.(*directory.Organisation); ok {
				o.Keep(old.Directory.Organisation(o.OIN))
			}
			c.Put(e)
		}
	}
	for k, r := range old.rows {
		if _, still := stated[k]; r.source == store.SourceRegion && !still {
			c.Remove(k)
		}
	}
	c.release()
	return c, stated, nil
}

// release takes from clients and narrowings what rests on contracts that go.
func (c *Change) release() {
	goes := func(grant string) bool {
		of := c.Before.ContractOf(grant)
		return of != nil && slices.Contains(c.gone, of.Key())
	}
	replaced := map[directory.Key]bool{}
	for _, e := range c.put {
		replaced[e.Key()] = true
	}
	for _, n := range directory.All[*directory.Narrowing](c.Before) {
		if goes(n.Grant) && !slices.Contains(c.gone, n.Key()) {
			c.Remove(n.Key())
		}
	}
	for _, client := range directory.All[*directory.Client](c.Before) {
		if replaced[client.Key()] || slices.Contains(c.gone, client.Key()) {
			continue
		}
		if slices.ContainsFunc(client.Assignments, func(a directory.Assignment) bool { return goes(a.Grant) }) {
			c.Put(client.Without(goes))
		}
	}
}
