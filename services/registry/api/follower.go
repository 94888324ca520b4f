package api

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Source gives sealed snapshots; *Remote is one.
type Source interface {
	Snapshot(ctx context.Context, after Held, wait time.Duration) (Sealed, error)
}

// FollowerOptions are what a Follower needs. Source, Pinned and Logger are required.
type FollowerOptions struct {
	Source Source
	Pinned []*ecdsa.PublicKey // keys of the registry; two while one is being replaced
	File   string             // where the last good snapshot is kept; empty: nowhere
	Wait   time.Duration      // of one long poll, unless hints are heeded; 0: 30 s
	Logger *slog.Logger
}

// Follower holds the newest good snapshot. It survives the registry: what it has stays in force, across restarts too,
// until a newer one with a good signature comes.
type Follower struct {
	opts      FollowerOptions
	current   atomic.Pointer[Snapshot]
	confirmed atomic.Int64 // Unix nanoseconds of the last answer of the registry that current is the newest; 0: never

	mu      sync.Mutex
	changed chan struct{} // closed and replaced with every new snapshot

	deltas, whole, misfits atomic.Uint64

	hints <-chan struct{} // set before Run; nil: none come

	// Of Run alone.
	sealed Sealed    // what current was opened from
	hash   string    // of sealed
	stored time.Time // when the file was written last
}

const (
	defaultWait = 30 * time.Second
	minBackOff  = 100 * time.Millisecond
	maxBackOff  = 4 * time.Second
	// hintedPoll is the net below the hints: a change is in force within 5 s, whatever became of its hint.
	hintedPoll = 4 * time.Second
	// leastPause keeps hints that never end, and a registry that does not wait, from becoming a busy loop.
	leastPause = 50 * time.Millisecond
	storeEvery = time.Minute // the confirmed time in the file is at most this much behind
)

// ErrRollback refuses a snapshot that is not newer than the one in force.
var ErrRollback = errors.New("the registry offers a snapshot that is not newer than the one in force")

// NewFollower loads the last good snapshot from the file. A file that is missing is a first start; one that cannot be
// read or has a bad signature is left aside with an error in the log, since the registry may still answer.
func NewFollower(ctx context.Context, opts FollowerOptions) (*Follower, error) {
	if opts.Source == nil || len(opts.Pinned) == 0 || opts.Logger == nil {
		return nil, errors.New("follower needs a source, a pinned key and a logger")
	}
	if opts.Wait == 0 {
		opts.Wait = defaultWait
	}
	f := &Follower{opts: opts, changed: make(chan struct{})}
	if opts.File != "" {
		if err := f.load(); err != nil && !errors.Is(err, os.ErrNotExist) {
			opts.Logger.ErrorContext(ctx, "stored snapshot left aside", "error", err)
		}
	}
	return f, nil
}

// Current gives the newest good snapshot, nil when there never was one.
func (f *Follower) Current() *Snapshot { return f.current.Load() }

// Age is the time since the registry last confirmed that Current is the newest; it goes on across restarts. Without a
// snapshot, or with one from the disk that no registry confirmed yet by this clock, it is the largest duration.
func (f *Follower) Age() time.Duration {
	at := f.confirmed.Load()
	if at == 0 {
		return 1<<63 - 1
	}
	return max(0, time.Since(time.Unix(0, at)))
}

// Changed gives a channel that is closed when Current changes after this call. Take the channel first, then look at
// Current, and no change is missed.
func (f *Follower) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// Wait gives the current snapshot as soon as there is one.
func (f *Follower) Wait(ctx context.Context) (*Snapshot, error) {
	for {
		changed := f.Changed()
		if s := f.Current(); s != nil {
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("no snapshot yet: %w", ctx.Err())
		}
	}
}

// Heed makes Run ask when a value comes in hints, and every few seconds without one, instead of by long polls. A hint ends
// a back-off early too. It comes before Run; hints is never closed, and nil changes nothing.
func (f *Follower) Heed(hints <-chan struct{}) { f.hints = hints }

// Counts tells how newer snapshots came.
type Counts struct {
	Deltas  uint64
	Whole   uint64
	Misfits uint64 // deltas that did not lead to what the registry signed; the whole was asked instead
}

// Counts gives the numbers since the start.
func (f *Follower) Counts() Counts {
	return Counts{Deltas: f.deltas.Load(), Whole: f.whole.Load(), Misfits: f.misfits.Load()}
}

// Run follows the registry until ctx ends. No fault ends it: it backs off with jitter and keeps what it has.
func (f *Follower) Run(ctx context.Context) error {
	backOff := minBackOff
	for ctx.Err() == nil {
		began := time.Now()
		newer, err := f.poll(ctx)
		if err == nil {
			backOff = minBackOff
			switch {
			case f.hints != nil:
				f.pause(ctx, hintedPoll)
			case !newer && time.Since(began) < leastPause: // a registry that does not wait
				f.pause(ctx, leastPause)
			}
			continue
		}
		if ctx.Err() != nil {
			break
		}
		f.opts.Logger.WarnContext(ctx, "registry not followed", "error", err, "in_force", f.version().String(), "age", f.Age())
		f.pause(ctx, backOff/2+rand.N(backOff/2+1))
		backOff = min(2*backOff, maxBackOff)
	}
	return nil
}

// poll asks once and takes over what is newer.
func (f *Follower) poll(ctx context.Context) (newer bool, err error) {
	wait := f.opts.Wait
	if f.hints != nil {
		wait = 0
	}
	held := Held{Version: f.version(), Hash: f.hash, Body: f.sealed.Body}
	next, sealed, err := f.ask(ctx, held, wait)
	if held.Body != nil && (errors.Is(err, ErrDelta) || errors.Is(err, ErrSignature)) {
		f.misfits.Add(1)
		f.opts.Logger.WarnContext(ctx, "snapshot refused, the whole one is asked", "error", err)
		held.Body = nil
		next, sealed, err = f.ask(ctx, held, 0)
	}
	if errors.Is(err, ErrNothingNewer) {
		if f.Current() == nil {
			return false, errors.New("the registry has no snapshot yet")
		}
		f.confirm(ctx)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f.swap(next, sealed)
	f.confirmed.Store(time.Now().UnixNano())
	f.store(ctx) // after the swap: a slow or full disk must not keep a revocation from taking effect
	f.opts.Logger.InfoContext(ctx, "snapshot in force", "version", next.Version.String())
	return true, nil
}

// ask gives the next snapshot, verified and newer than the one in force.
func (f *Follower) ask(ctx context.Context, held Held, wait time.Duration) (*Snapshot, Sealed, error) {
	sealed, err := f.opts.Source.Snapshot(ctx, held, wait)
	if err != nil {
		return nil, Sealed{}, err
	}
	next, err := sealed.Open(f.opts.Pinned...)
	if err != nil {
		return nil, Sealed{}, err
	}
	if !next.Version.After(f.version()) {
		return nil, Sealed{}, fmt.Errorf("%w: %s", ErrRollback, next.Version)
	}
	if sealed.Delta {
		f.deltas.Add(1)
	} else {
		f.whole.Add(1)
	}
	return next, sealed, nil
}

func (f *Follower) load() error {
	sealed, confirmed, err := readFile(f.opts.File)
	if err != nil {
		return err
	}
	s, err := sealed.Open(f.opts.Pinned...)
	if err != nil {
		return err
	}
	f.swap(s, sealed)
	if !confirmed.After(time.Now()) { // a time to come is no age
		f.confirmed.Store(confirmed.UnixNano())
	}
	return nil
}

func (f *Follower) swap(s *Snapshot, sealed Sealed) {
	f.sealed, f.hash = sealed, sealed.Hash()
	f.current.Store(s)
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
}

// confirm notes that the registry knows nothing newer, in the file too, so that Age outlives a restart.
func (f *Follower) confirm(ctx context.Context) {
	now := time.Now()
	f.confirmed.Store(now.UnixNano())
	if now.Sub(f.stored) >= storeEvery {
		f.store(ctx)
	}
}

// store writes what is in force and when that was confirmed. Without a file it does nothing.
func (f *Follower) store(ctx context.Context) {
	if f.opts.File == "" {
		return
	}
	f.stored = time.Now()
	if err := writeFile(f.opts.File, f.sealed, time.Unix(0, f.confirmed.Load())); err != nil {
		f.opts.Logger.ErrorContext(ctx, "snapshot in force but not stored", "error", err)
	}
}

// pause waits for a hint, d at most.
func (f *Follower) pause(ctx context.Context, d time.Duration) {
	least := time.NewTimer(min(d, leastPause))
	defer least.Stop()
	select {
	case <-ctx.Done():
		return
	case <-least.C:
	}
	rest := time.NewTimer(d - min(d, leastPause))
	defer rest.Stop()
	select {
	case <-ctx.Done():
	case <-rest.C:
	case <-f.hints:
	}
}

func (f *Follower) version() Version {
	if s := f.Current(); s != nil {
		return s.Version
	}
	return Version{}
}
