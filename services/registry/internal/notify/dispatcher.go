package notify

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	defaultPoll    = 2 * time.Second
	defaultWorkers = 8
	defaultKeep    = 400 * 24 * time.Hour

	fanOutBatch = 100
	sweepEvery  = time.Hour
)

// Options of a Dispatcher.
type Options struct {
	Store   Store
	Senders map[ChannelType]Sender // of each kind that the hub is set up for; others are refused
	Digest  Rhythm                 // when daily digests go out
	NewID   func() string          // UUIDv7
	Logger  *slog.Logger
	Now     func() time.Time // nil: the clock

	Poll    time.Duration // pause between two looks for work that nobody announced; default 2s
	Workers int           // channels that are served at a time; default 8
	Keep    time.Duration // how long events stay, in the feed and as deliveries; default 400 days
}

// Dispatcher sends what is due. Several may run on one store: a delivery is claimed by one, for a time.
type Dispatcher struct {
	o    Options
	wake chan struct{}

	workers sync.WaitGroup
	slots   chan struct{}

	mu     sync.Mutex
	busy   map[string]bool      // channels that a worker serves
	next   map[string]time.Time // channels with a rate: when they take the next message
	tested map[string]time.Time // by channel
	swept  time.Time
}

// New makes a dispatcher.
func New(o Options) (*Dispatcher, error) {
	if o.Store == nil || o.NewID == nil || o.Logger == nil || o.Digest.Location == nil {
		return nil, errors.New("notifications need a store, ids, a logger and the place whose clock digests go by")
	}
	if o.Digest.Hour < 0 || o.Digest.Hour > 23 {
		return nil, errors.New("digests go out at an hour from 0 to 23")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Keep <= 0 {
		o.Keep = defaultKeep
	}
	return &Dispatcher{
		o: o, wake: make(chan struct{}, 1), slots: make(chan struct{}, o.Workers),
		busy: map[string]bool{}, next: map[string]time.Time{}, tested: map[string]time.Time{},
	}, nil
}

// Wake makes the dispatcher look for work now. Call it after the commit of an act that wrote events; when it is forgotten,
// they go out a little later.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run sends until ctx ends, and waits then for the messages that are on their way. A store that does not answer is asked
// again later.
func (d *Dispatcher) Run(ctx context.Context) error {
	defer d.workers.Wait()
	poll := time.NewTicker(d.o.Poll)
	defer poll.Stop()
	for {
		if err := d.look(ctx); err != nil && ctx.Err() == nil {
			d.o.Logger.WarnContext(ctx, "notifications wait", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.wake:
		case <-poll.C:
		}
	}
}

// Once sends what is due at this moment and returns when it is done: what Run does between two pauses.
func (d *Dispatcher) Once(ctx context.Context) error {
	err := d.look(ctx)
	d.workers.Wait()
	return err
}

// look fans out what is new and gives each channel with work a worker, as long as there are any.
func (d *Dispatcher) look(ctx context.Context) error {
	now := d.o.Now()
	if err := d.sweep(ctx, now); err != nil {
		return err
	}
	for {
		n, err := d.o.Store.FanOut(ctx, now, fanOutBatch, func(e Event, channels []Channel, mutes []Mute) []Delivery {
			return d.o.Digest.plan(&e, channels, mutes, now)
		})
		if err != nil {
			return err
		}
		if n < fanOutBatch {
			break
		}
	}
	d.mu.Lock()
	limit := len(d.busy) + len(d.next) + 2*d.o.Workers // so that those served or paced now do not hide others
	d.mu.Unlock()
	channels, err := d.o.Store.Due(ctx, now, limit)
	if err != nil {
		return err
	}
	for _, channel := range channels {
		if !d.take(channel, now) {
			continue
		}
		select {
		case d.slots <- struct{}{}:
		default:
			d.release(channel) // its turn comes when a worker is done
			return nil
		}
		d.workers.Go(func() {
			defer d.Wake()
			defer func() { <-d.slots }()
			defer d.release(channel)
			d.serve(ctx, channel)
		})
	}
	return nil
}

// take makes a channel busy, unless it is or wants a pause.
func (d *Dispatcher) take(channel string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if until, paced := d.next[channel]; paced {
		if until.After(now) {
			return false
		}
		delete(d.next, channel)
	}
	if d.busy[channel] {
		return false
	}
	d.busy[channel] = true
	return true
}

func (d *Dispatcher) release(channel string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, channel)
}

// pace keeps a channel waiting until a moment.
func (d *Dispatcher) pace(channel string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next[channel] = until
}

func (d *Dispatcher) sweep(ctx context.Context, now time.Time) error {
	d.mu.Lock()
	due := now.Sub(d.swept) >= sweepEvery
	if due {
		d.swept = now
	}
	d.mu.Unlock()
	if !due {
		return nil
	}
	return d.o.Store.Sweep(ctx, now.Add(-d.o.Keep))
}
