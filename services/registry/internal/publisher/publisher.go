// Package publisher holds the snapshot in force: it compiles the region, adds the keys of the parts, numbers and signs the
// result, stores it and wakes who waits for it. A region with faults changes nothing.
package publisher

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/region"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// Store is what the publisher needs of the database; *store.Store is it.
type Store interface {
	Newest(ctx context.Context) (store.Stored, error)
	Add(ctx context.Context, n store.Stored, at time.Time, actor string) error
	Keys(ctx context.Context, now time.Time) ([]api.PartKeys, error)
	PutKeys(ctx context.Context, keys api.PartKeys, at time.Time) (bool, error)
	Audit(ctx context.Context, at time.Time, actor, act, detail string) error
}

// Options are what New needs; all but Announce are required.
type Options struct {
	Region   string // path of the region file
	Epoch    uint64
	Key      crypto.Signer // P-256
	Store    Store
	Logger   *slog.Logger
	Now      func() time.Time
	Announce func(ctx context.Context, v api.Version) // told of every new version, e.g. to write it to Consul KV; may be nil
}

// State is what is in force at a moment. It is never changed.
type State struct {
	Sealed   api.Sealed
	Snapshot *api.Snapshot
	Region   *region.Region // nil while the region file has had faults since the start
	hash     string         // of the content
	sum      string         // Sealed.Hash
	history  history
}

// Delta gives the encoded api.Delta from what somebody holds to Sealed; nil where the whole is the answer: what is held is
// unknown here, or the delta would be no smaller.
func (s *State) Delta(held api.Held) ([]byte, error) {
	return s.history.since(held, len(s.Sealed.Body))
}

// Publisher is used by many goroutines.
type Publisher struct {
	o     Options
	state atomic.Pointer[State]

	rebuild sync.Mutex // one change at a time; guards what follows
	inputs  fingerprint
	last    api.Version // the newest in the store, from which numbers go on
	unsure  bool        // the store may have a newer one: it failed, perhaps after it committed

	mu      sync.Mutex
	changed chan struct{} // closed and replaced with every new snapshot
}

// ErrOther says that the asker has another snapshot under the version in force: two registries gave out the same number.
var ErrOther = errors.New("the version asked after has another content here")

// ErrAhead says that the asker has a newer snapshot than the registry: it was restored without raising the epoch.
var ErrAhead = errors.New("the version asked after is newer than the registry's")

// New puts the stored snapshot in force, then the region file. When the file has faults, the stored one stays and the
// faults are logged; without a stored one that Key signed they are the error.
func New(ctx context.Context, o Options) (*Publisher, error) {
	p := &Publisher{o: o, changed: make(chan struct{})}
	if err := p.restore(ctx); err != nil && !errors.Is(err, store.ErrNone) {
		return nil, err
	}
	_, err := p.Reload(ctx, "start")
	var faults region.Faults
	if errors.As(err, &faults) && p.state.Load() != nil {
		return p, nil
	}
	return p, err
}

func (p *Publisher) restore(ctx context.Context) error {
	stored, err := p.o.Store.Newest(ctx)
	if err != nil {
		return err
	}
	if stored.Version.Epoch > p.o.Epoch {
		return fmt.Errorf("the store is at epoch %d, the configuration at %d: an epoch never goes back", stored.Version.Epoch, p.o.Epoch)
	}
	public, ok := p.o.Key.Public().(*ecdsa.PublicKey)
	if !ok {
		return errors.New("the registry signs with a P-256 key")
	}
	p.last = stored.Version
	snapshot, err := stored.Sealed.Open(public)
	if errors.Is(err, api.ErrSignature) {
		// The signing key was replaced, or somebody wrote in the database: nothing of it but the number is used.
		p.o.Logger.WarnContext(ctx, "stored snapshot was signed with another key and is left aside")
		return nil
	}
	if err != nil {
		return fmt.Errorf("stored snapshot: %w", err)
	}
	p.state.Store(&State{Sealed: stored.Sealed, Snapshot: snapshot, hash: stored.Hash, sum: stored.Sealed.Hash()})
	return nil
}

// State gives what is in force.
func (p *Publisher) State() *State { return p.state.Load() }

// Reload reads the region file and everything it names, and publishes a new snapshot when its content differs. The error
// is region.Faults when the file is what is wrong; then the old snapshot stays.
func (p *Publisher) Reload(ctx context.Context, actor string) (api.Version, error) {
	p.rebuild.Lock()
	defer p.rebuild.Unlock()
	return p.reload(ctx, actor)
}

// ReloadChanged reloads when a file that was read last time is another one now.
func (p *Publisher) ReloadChanged(ctx context.Context) error {
	p.rebuild.Lock()
	defer p.rebuild.Unlock()
	if !p.inputs.changed() {
		return nil
	}
	_, err := p.reload(ctx, "file change")
	return err
}

func (p *Publisher) reload(ctx context.Context, actor string) (api.Version, error) {
	seen := fingerprint{}
	opts := region.Options{Now: p.o.Now, Touched: seen.add}
	if state := p.state.Load(); state != nil {
		opts.InForce = state.Snapshot.Contracts
	}
	r, err := region.Load(ctx, p.o.Region, opts)
	if err != nil {
		p.inputs = seen
		p.o.Logger.ErrorContext(ctx, "region refused, the snapshot in force stays", "by", actor, "error", err)
		if auditErr := p.o.Store.Audit(ctx, p.o.Now(), actor, "region.refused", firstLine(err)); auditErr != nil {
			p.o.Logger.ErrorContext(ctx, "audit record not written", "error", auditErr)
		}
		return api.Version{}, err
	}
	if expired := r.Expired(p.o.Now()); len(expired) > 0 {
		p.o.Logger.WarnContext(ctx, "contracts expired and are left out: move the files away or sign successors", "files", expired)
	}
	v, err := p.publish(ctx, actor, r, r.Snapshot())
	if err != nil {
		// The files count as changed until what they say is in force.
		p.o.Logger.ErrorContext(ctx, "region not published, the snapshot in force stays", "by", actor, "error", err)
		return api.Version{}, err
	}
	p.inputs = seen
	return v, nil
}

// PutKeys takes the public keys of one instance of a part and publishes them.
func (p *Publisher) PutKeys(ctx context.Context, keys api.PartKeys) error {
	if _, err := p.o.Store.PutKeys(ctx, keys, p.o.Now()); err != nil {
		return err
	}
	// Published even when they were known: a registry that stopped between the two steps mends it here.
	return p.Refresh(ctx, keys.Part)
}

// Refresh publishes the region as it was read last with the keys of this moment.
func (p *Publisher) Refresh(ctx context.Context, actor string) error {
	p.rebuild.Lock()
	defer p.rebuild.Unlock()
	state := p.state.Load()
	_, err := p.publish(ctx, actor, state.Region, *state.Snapshot)
	return err
}

// publish numbers, signs, stores and puts in force what differs from the snapshot in force.
func (p *Publisher) publish(ctx context.Context, actor string, r *region.Region, next api.Snapshot) (api.Version, error) {
	keys, err := p.o.Store.Keys(ctx, p.o.Now())
	if err != nil {
		return api.Version{}, err
	}
	if err := p.ensureLast(ctx); err != nil {
		return api.Version{}, err
	}
	old := p.state.Load()
	next.Keys, next.Version, next.CreatedAt = keys, api.Version{}, time.Time{}
	hash, err := contentHash(next)
	if err != nil {
		return api.Version{}, err
	}
	next.Version = api.Version{Epoch: p.o.Epoch, Number: 1}
	if p.last.Epoch == p.o.Epoch {
		if old != nil && old.Snapshot.Version == p.last && old.hash == hash {
			same := *old
			same.Region = r
			p.state.Store(&same)
			return p.last, nil
		}
		next.Version.Number = p.last.Number + 1
	}
	next.CreatedAt = p.o.Now().UTC()
	sealed, err := api.Seal(&next, p.o.Key)
	if err != nil {
		return api.Version{}, err
	}
	state := &State{Sealed: sealed, Snapshot: &next, Region: r, hash: hash, sum: sealed.Hash()}
	if old != nil {
		if state.history, err = old.history.next(old, sealed, next.Version); err != nil {
			return api.Version{}, err
		}
	}
	if err := p.o.Store.Add(ctx, store.Stored{Version: next.Version, Hash: hash, Sealed: sealed}, next.CreatedAt, actor); err != nil {
		p.unsure = true
		return api.Version{}, err
	}
	p.last = next.Version
	p.state.Store(state)
	p.wake()
	p.o.Logger.InfoContext(ctx, "snapshot published", "version", next.Version.String(), "by", actor, "bytes", len(sealed.Body))
	if p.o.Announce != nil {
		p.o.Announce(ctx, next.Version)
	}
	return next.Version, nil
}

// ensureLast asks the store again which version is its newest after it failed: it may have committed all the same.
func (p *Publisher) ensureLast(ctx context.Context) error {
	if !p.unsure {
		return nil
	}
	stored, err := p.o.Store.Newest(ctx)
	if err != nil && !errors.Is(err, store.ErrNone) {
		return err
	}
	p.last, p.unsure = stored.Version, false
	return nil
}

// Await gives what is in force as soon as it is newer than after; api.ErrNothingNewer when ctx ends first.
func (p *Publisher) Await(ctx context.Context, after api.Held) (*State, error) {
	for {
		changed := p.channel()
		if s := p.state.Load(); s != nil {
			switch {
			case s.Snapshot.Version.After(after.Version):
				return s, nil
			case after.Version.After(s.Snapshot.Version):
				return nil, ErrAhead
			case after.Hash != "" && after.Hash != s.sum:
				return nil, ErrOther
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, api.ErrNothingNewer
		}
	}
}

func (p *Publisher) channel() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

func (p *Publisher) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
}

func contentHash(s api.Snapshot) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("encode snapshot: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
