// Package publisher holds what is in force: the directory, and the snapshot that is compiled from it with the keys of the
// parts. Every administrative act goes through Do: it is checked, compiled, numbered and signed, stored in one transaction
// with its audit record, and only then in force. What has faults changes nothing.
package publisher

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/region"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// Store is what the publisher needs of the database; *store.Store is it.
type Store interface {
	Newest(ctx context.Context) (store.Stored, error)
	Directory(ctx context.Context) ([]store.Row, error)
	Commit(ctx context.Context, c store.Commit) error
	Keys(ctx context.Context, now time.Time) ([]api.PartKeys, error)
	PutKeys(ctx context.Context, keys api.PartKeys, at time.Time) (bool, error)
	Audit(ctx context.Context, records ...audit.Record) error
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
	Told     func()                                   // called after the commit of an act that told somebody something; may be nil
}

// State is what is in force at a moment. It is never changed.
type State struct {
	Sealed    api.Sealed
	Snapshot  *api.Snapshot
	Directory *directory.State
	rows      map[directory.Key]row
	hash      string // of the content
	sum       string // Sealed.Hash
	history   history
}

// row is what the store knows of an entity beside what it says.
type row struct {
	revision       int64
	source, stated string
}

// Revision gives the revision of an entity, 0 when there is none. It rises with every change.
func (s *State) Revision(k directory.Key) int64 { return s.rows[k].revision }

// Delta gives the encoded api.Delta from what somebody holds to Sealed; nil where the whole is the answer: what is held is
// unknown here, or the delta would be no smaller.
func (s *State) Delta(held api.Held) ([]byte, error) {
	return s.history.since(held, len(s.Sealed.Body))
}

// Publisher is used by many goroutines.
type Publisher struct {
	o     Options
	state atomic.Pointer[State]

	rebuild  sync.Mutex // one change at a time; guards what follows
	inputs   fingerprint
	last     api.Version // the newest in the store, from which numbers go on
	revision int64       // the highest in the store
	unsure   bool        // the store may have more than is known here: it failed, perhaps after it committed

	mu      sync.Mutex
	changed chan struct{} // closed and replaced with every new snapshot
}

// ErrOther says that the asker has another snapshot under the version in force: two registries gave out the same number.
var ErrOther = errors.New("the version asked after has another content here")

// ErrAhead says that the asker has a newer snapshot than the registry: it was restored without raising the epoch.
var ErrAhead = errors.New("the version asked after is newer than the registry's")

// New puts what is stored in force, then the region file. When the file has faults, what is stored stays and the faults
// are logged; without a stored snapshot that Key signed they are the error.
func New(ctx context.Context, o Options) (*Publisher, error) {
	p, err := Restore(ctx, o)
	if err != nil {
		return nil, err
	}
	_, err = p.Reload(ctx, "start")
	var faults region.Faults
	if errors.As(err, &faults) && p.state.Load().Snapshot != nil {
		return p, nil
	}
	return p, err
}

// Restore puts what is stored in force and leaves the region file alone.
func Restore(ctx context.Context, o Options) (*Publisher, error) {
	p := &Publisher{o: o, changed: make(chan struct{})}
	return p, p.restore(ctx)
}

// restore takes what the store has: the directory, and the newest snapshot if Key signed it.
func (p *Publisher) restore(ctx context.Context) error {
	snapshot, err := p.readSnapshot(ctx)
	if err != nil {
		return err
	}
	state, err := p.readDirectory(ctx, snapshot.Snapshot)
	if err != nil {
		return err
	}
	state.Sealed, state.Snapshot, state.hash, state.sum = snapshot.Sealed, snapshot.Snapshot, snapshot.hash, snapshot.sum
	p.state.Store(state)
	return nil
}

// readSnapshot gives a state with the stored snapshot and no directory; without the snapshot where there is none that Key
// signed.
func (p *Publisher) readSnapshot(ctx context.Context) (*State, error) {
	stored, err := p.o.Store.Newest(ctx)
	if errors.Is(err, store.ErrNone) {
		return &State{}, nil
	}
	if err != nil {
		return nil, err
	}
	if stored.Version.Epoch > p.o.Epoch {
		return nil, fmt.Errorf("the store is at epoch %d, the configuration at %d: an epoch never goes back", stored.Version.Epoch, p.o.Epoch)
	}
	public, ok := p.o.Key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("the registry signs with a P-256 key")
	}
	p.last = stored.Version
	snapshot, err := stored.Sealed.Open(public)
	if errors.Is(err, api.ErrSignature) {
		// The signing key was replaced, or somebody wrote in the database: nothing of it but the number is used.
		p.o.Logger.WarnContext(ctx, "stored snapshot was signed with another key and is left aside")
		return &State{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("stored snapshot: %w", err)
	}
	return &State{Sealed: stored.Sealed, Snapshot: snapshot, hash: stored.Hash, sum: stored.Sealed.Hash()}, nil
}

// readDirectory gives a state with the stored directory and no snapshot. Faults in it are logged and no reason to stop: what
// is stored was without faults by the rules of its time, and what cannot be read gives nobody anything.
// Contracts in the snapshot that the registry signed were verified when it did.
func (p *Publisher) readDirectory(ctx context.Context, signed *api.Snapshot) (*State, error) {
	rows, err := p.o.Store.Directory(ctx)
	if err != nil {
		return nil, err
	}
	state := &State{rows: make(map[directory.Key]row, len(rows))}
	entities := make([]directory.Entity, len(rows))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, r := range rows {
		group.Go(func() (err error) {
			if entities[i], err = directory.Decode(r.Key.Kind, r.Body); err == nil && entities[i].Key() != r.Key {
				err = fmt.Errorf("stored %s %s says that it is %s", r.Key.Kind, r.Key.ID, entities[i].Key().ID)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, r := range rows {
		state.rows[r.Key] = row{revision: r.Revision, source: r.Source, stated: r.Stated}
		p.revision = max(p.revision, r.Revision)
	}
	var faults directory.Faults
	before := directory.Empty()
	if signed != nil {
		before = before.Known(signed)
	}
	if state.Directory, faults, err = before.Try(ctx, p.o.Now(), entities); err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		p.o.Logger.ErrorContext(ctx, "the stored directory has faults", "error", faults)
	}
	return state, nil
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

// PutKeys takes the public keys of one instance of a part and publishes them.
func (p *Publisher) PutKeys(ctx context.Context, keys api.PartKeys) error {
	if _, err := p.o.Store.PutKeys(ctx, keys, p.o.Now()); err != nil {
		return err
	}
	// Published even when they were known: a registry that stopped between the two steps mends it here.
	return p.Refresh(ctx, keys.Part)
}

// Refresh publishes the directory of this moment with the keys of this moment: contracts that are over leave the snapshot,
// and keys of clients come and go by the clock.
func (p *Publisher) Refresh(ctx context.Context, actor string) error {
	p.rebuild.Lock()
	defer p.rebuild.Unlock()
	if err := p.mend(ctx); err != nil {
		return err
	}
	_, err := p.publish(ctx, Act{Reason: actor}, p.state.Load().Directory, nil, &Change{})
	return err
}

// publish numbers, signs, stores and puts in force a directory with what changed in it. A snapshot that says the same as
// the one in force is not published again.
func (p *Publisher) publish(ctx context.Context, act Act, next *directory.State, put []store.Row, c *Change) (api.Version, error) {
	keys, err := p.o.Store.Keys(ctx, p.o.Now())
	if err != nil {
		return api.Version{}, err
	}
	old, now := p.state.Load(), p.o.Now().UTC()
	snapshot := next.Snapshot(now)
	snapshot.Keys = keys
	content, err := api.Encode(&snapshot)
	if err != nil {
		return api.Version{}, err
	}
	hash := content.Hash()
	commit := store.Commit{At: now, Put: put, Removed: c.gone, Events: c.events, Steps: c.steps}
	if act.Act != "" {
		commit.Records = append(commit.Records, act)
	}
	state := &State{
		Sealed: old.Sealed, Snapshot: old.Snapshot, hash: old.hash, sum: old.sum, history: old.history,
		Directory: next, rows: rowsAfter(old.rows, put, c.gone),
	}
	inForce := old.Snapshot != nil && old.Snapshot.Version == p.last && p.last.Epoch == p.o.Epoch
	fresh := !inForce || old.hash != hash
	var difference sync.WaitGroup
	if fresh {
		if err := p.seal(state, snapshot, content); err != nil {
			return api.Version{}, err
		}
		state.hash = hash
		if old.Snapshot != nil {
			difference.Go(func() { state.history = old.history.next(old, state) }) // while the store writes: both take long
		}
		commit.Snapshot = &store.Stored{Version: state.Snapshot.Version, Hash: hash, Sealed: state.Sealed}
		published := byPart(audit.SnapshotPublish, audit.Subject{Kind: "snapshot", ID: state.Snapshot.Version.String()}, act.Reason)
		published.After = hash
		commit.Records = append(commit.Records, published)
	}
	if fresh || act.Act != "" || len(put) > 0 || len(c.gone) > 0 {
		err := p.o.Store.Commit(ctx, commit)
		difference.Wait()
		if err != nil {
			p.unsure = true
			return api.Version{}, err
		}
	}
	p.state.Store(state)
	if len(c.events) > 0 && p.o.Told != nil {
		p.o.Told()
	}
	if fresh {
		p.last = state.Snapshot.Version
		p.wake()
		p.o.Logger.InfoContext(ctx, "snapshot published", "version", p.last.String(), "act", string(act.Act), "reason", act.Reason, "bytes", len(state.Sealed.Body))
		if p.o.Announce != nil {
			p.o.Announce(ctx, p.last)
		}
	}
	return p.last, nil
}

// seal gives a state its next snapshot, with number and signature, and no history yet.
func (p *Publisher) seal(state *State, snapshot api.Snapshot, content api.Unsealed) (err error) {
	snapshot.Version, snapshot.CreatedAt = api.Version{Epoch: p.o.Epoch, Number: 1}, p.o.Now().UTC()
	if p.last.Epoch == p.o.Epoch {
		snapshot.Version.Number = p.last.Number + 1
	}
	if state.Sealed, err = content.Seal(snapshot.Version, snapshot.CreatedAt, p.o.Key); err != nil {
		return err
	}
	state.Snapshot, state.sum, state.history = &snapshot, state.Sealed.Hash(), nil
	return nil
}

func rowsAfter(old map[directory.Key]row, put []store.Row, removed []directory.Key) map[directory.Key]row {
	if len(put) == 0 && len(removed) == 0 {
		return old
	}
	rows := maps.Clone(old)
	for _, r := range put {
		rows[r.Key] = row{revision: r.Revision, source: r.Source, stated: r.Stated}
	}
	for _, k := range removed {
		delete(rows, k)
	}
	return rows
}

// mend asks the store again after it failed: what failed may have been stored all the same. What is in force goes on to be
// served; the directory and the number are the store's.
func (p *Publisher) mend(ctx context.Context) error {
	if !p.unsure {
		return nil
	}
	stored, err := p.o.Store.Newest(ctx)
	if err != nil && !errors.Is(err, store.ErrNone) {
		return err
	}
	read, err := p.readDirectory(ctx, p.state.Load().Snapshot)
	if err != nil {
		return err
	}
	state := *p.state.Load()
	state.Directory, state.rows = read.Directory, read.rows
	p.state.Store(&state)
	p.last, p.unsure = stored.Version, false
	return nil
}

// Await gives what is in force as soon as it is newer than after; api.ErrNothingNewer when ctx ends first.
func (p *Publisher) Await(ctx context.Context, after api.Held) (*State, error) {
	for {
		changed := p.channel()
		if s := p.state.Load(); s.Snapshot != nil {
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
