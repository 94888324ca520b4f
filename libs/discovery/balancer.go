package discovery

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/kit/endpoint"
	"github.com/go-kit/kit/sd"
	"github.com/go-kit/kit/sd/lb"
)

// ErrNoInstances says that no instance is known. It is go-kit's lb.ErrNoEndpoints.
var ErrNoInstances = lb.ErrNoEndpoints

// Ejection: after failuresToEject failures in a row an instance rests, first for ejectFirst, doubling up to ejectMost.
const (
	failuresToEject = 3
	ejectFirst      = time.Second
	ejectMost       = 30 * time.Second
)

// knownWithin is how long after its start a Balancer is waited for to know its instances.
const knownWithin = 2 * time.Second

// Options of a Balancer.
type Options struct {
	Instancer sd.Instancer     // required; the Balancer registers with it and stops it on Close
	Factory   sd.Factory       // required; makes the endpoint of one instance from its host:port
	Failed    func(error) bool // which errors speak against the instance; default: all but context.Canceled
	Logger    *slog.Logger     // required
	Now       func() time.Time // default time.Now
}

// Balancer picks the instance with the fewest calls under way for its weight. An instance that fails repeatedly rests
// for a while; when all rest, all are used, for a guess is better than a certain refusal. It implements lb.Balancer.
type Balancer struct {
	opts    Options
	members atomic.Pointer[[]*Member]
	turn    atomic.Uint32
	events  chan sd.Event
	done    chan struct{}
	ended   chan struct{}
	first   chan struct{} // closed with the first event
	once    sync.Once
	made    time.Time
}

var _ lb.Balancer = (*Balancer)(nil)

// Member is one instance as the Balancer sees it.
type Member struct {
	Instance
	call    endpoint.Endpoint
	closer  io.Closer
	b       *Balancer
	busy    atomic.Int64
	faults  atomic.Int32 // in a row
	resting atomic.Int64 // until, unix nanoseconds
}

// NewBalancer starts to follow the instancer.
func NewBalancer(o Options) (*Balancer, error) {
	if o.Instancer == nil || o.Factory == nil || o.Logger == nil {
		return nil, errors.New("balancer: Instancer, Factory and Logger are required")
	}
	if o.Failed == nil {
		o.Failed = func(err error) bool { return !errors.Is(err, context.Canceled) }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Balancer{
		opts: o, events: make(chan sd.Event), done: make(chan struct{}), ended: make(chan struct{}), first: make(chan struct{}),
		made: time.Now(),
	}
	b.members.Store(&[]*Member{})
	go b.follow()
	o.Instancer.Register(b.events)
	return b, nil
}

// Known is closed once the instancer has told its first state, an error included.
func (b *Balancer) Known() <-chan struct{} { return b.first }

// Await waits for the first state. Calls may come right after the balancer was made, and a moment's patience is better
// than refusing them; but two seconds after it was made it returns at once, whatever is known. The error is that of ctx.
func (b *Balancer) Await(ctx context.Context) error {
	select {
	case <-b.first:
		return nil
	default:
	}
	left := time.NewTimer(time.Until(b.made.Add(knownWithin)))
	defer left.Stop()
	select {
	case <-b.first:
	case <-left.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// Endpoint gives the endpoint of the best instance, as lb.Balancer wants it.
func (b *Balancer) Endpoint() (endpoint.Endpoint, error) {
	m, err := b.Pick(nil)
	if err != nil {
		return nil, err
	}
	return m.Call, nil
}

// Pick gives the best instance other than not (nil: any). ErrNoInstances when there is none.
func (b *Balancer) Pick(not *Member) (*Member, error) {
	members := *b.members.Load()
	now := b.opts.Now().UnixNano()
	start := int(b.turn.Add(1))
	var best, resting *Member
	for i := range members {
		m := members[(start+i)%len(members)] // equals take turns
		switch {
		case not != nil && m.Address == not.Address:
		case m.resting.Load() > now:
			resting = lighter(resting, m)
		default:
			best = lighter(best, m)
		}
	}
	if best == nil {
		best = resting
	}
	if best == nil {
		return nil, ErrNoInstances
	}
	return best, nil
}

// lighter compares calls under way per weight without division; the next call counts, so that weights tell at rest too.
func lighter(a, b *Member) *Member {
	if a == nil || (b.busy.Load()+1)*int64(a.Weight) < (a.busy.Load()+1)*int64(b.Weight) {
		return b
	}
	return a
}

// Call runs the instance's endpoint and keeps count. For a streamed answer the call counts until its head is there.
func (m *Member) Call(ctx context.Context, request any) (any, error) {
	m.busy.Add(1)
	defer m.busy.Add(-1)
	response, err := m.call(ctx, request)
	switch {
	case err == nil:
		m.faults.Store(0)
	case m.b.opts.Failed(err):
		if n := m.faults.Add(1); n >= failuresToEject {
			rest := min(ejectFirst<<min(n-failuresToEject, 10), ejectMost)
			m.resting.Store(m.b.opts.Now().Add(rest).UnixNano())
			m.b.opts.Logger.WarnContext(ctx, "instance rests after failures", "instance", m.Address, "failures", n, "rest", rest)
		}
	}
	return response, err
}

// Busy is the number of calls under way.
func (b *Balancer) Busy() int {
	var n int64
	for _, m := range *b.members.Load() {
		n += m.busy.Load()
	}
	return int(n)
}

// Close stops following and closes the instances' endpoints. Calls under way may finish. A second Close does nothing.
func (b *Balancer) Close() error {
	var err error
	b.once.Do(func() {
		b.opts.Instancer.Deregister(b.events)
		close(b.done)
		<-b.ended
		b.opts.Instancer.Stop()
		var faults []error
		for _, m := range *b.members.Load() {
			faults = append(faults, m.close())
		}
		err = errors.Join(faults...)
	})
	return err
}

func (b *Balancer) follow() {
	defer close(b.ended)
	var once sync.Once
	for {
		select {
		case <-b.done:
			return
		case e := <-b.events:
			if e.Err == nil { // else the last known stay; why is in the source's log
				b.update(e.Instances)
			}
			once.Do(func() { close(b.first) })
		}
	}
}

// update keeps the members that stay, with what is known of them. When none is left, the last known stay: a source that
// lost its memory, and instances that are all unready, look like that, and a guess is better than a certain refusal.
func (b *Balancer) update(texts []string) {
	if len(texts) == 0 && len(*b.members.Load()) > 0 {
		b.opts.Logger.WarnContext(context.Background(), "no instance is left; the last known stay")
		return
	}
	old := map[string]*Member{}
	for _, m := range *b.members.Load() {
		old[m.String()] = m
	}
	var members []*Member
	seen := map[string]bool{}
	for _, text := range texts {
		if seen[text] {
			continue
		}
		seen[text] = true
		if m, ok := old[text]; ok {
			members = append(members, m)
			delete(old, text)
			continue
		}
		m, err := b.member(text)
		if err != nil {
			b.opts.Logger.WarnContext(context.Background(), "instance left out", "instance", text, "error", err)
			continue
		}
		members = append(members, m)
	}
	b.members.Store(&members)
	for _, m := range old {
		if err := m.close(); err != nil {
			b.opts.Logger.WarnContext(context.Background(), "instance not closed", "instance", m.Address, "error", err)
		}
	}
}

func (b *Balancer) member(text string) (*Member, error) {
	in, err := ParseInstance(text)
	if err != nil {
		return nil, err
	}
	call, closer, err := b.opts.Factory(in.Address)
	if err != nil {
		return nil, err
	}
	return &Member{Instance: in, call: call, closer: closer, b: b}, nil
}

func (m *Member) close() error {
	if m.closer == nil {
		return nil
	}
	return m.closer.Close()
}
