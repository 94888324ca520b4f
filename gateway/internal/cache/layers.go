package cache

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// patience is how long a call waits for Redis before it goes to the service.
	patience = 50 * time.Millisecond
	// putPatience is how long one answer may take to get to Redis, away from any call.
	putPatience = time.Second
	// pendingWrites are answers on their way to Redis; what comes while so many wait stays in this process.
	pendingWrites = 256
	// settleEvery is the pause between two tries to tell changes that could not be told.
	settleEvery = 500 * time.Millisecond
	// nearby is how long an answer that the gateways share is used from this process before Redis is asked again, so that
	// a change made through another gateway is seen.
	nearby = 2 * time.Second
)

type write struct {
	name  name
	entry *entry
}

// share tells whether answers go to Redis.
func (c *Cache) share() (redis.UniversalClient, bool) {
	client, up := c.cfg.Memory.Client()
	return client, up && c.cfg.Secret != ""
}

// find gives an answer that is fresh and older than no change of its service, from this process or from Redis.
func (c *Cache) find(ctx context.Context, q *Question, n name) *entry {
	now := time.Now()
	if e := c.local.get(n, now); e != nil && c.stands(q.Service, e) {
		c.stats.local.Add(1)
		return e
	}
	client, up := c.share()
	if _, owing := c.owing.Load(q.Service); !up || owing {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pipe := client.Pipeline()
	answer, changed := pipe.Get(within, n.key()), pipe.Get(within, changeKey(q.Service))
	_, _ = pipe.Exec(within) // each command has its error
	for _, err := range []error{answer.Err(), changed.Err()} {
		if err != nil && !errors.Is(err, redis.Nil) {
			c.fault(ctx, within, err)
			return nil
		}
	}
	sealed, err := answer.Bytes()
	if err != nil {
		return nil
	}
	e, err := c.read(n, sealed)
	if err != nil {
		c.stats.broken.Add(1)
		c.cfg.Logger.WarnContext(ctx, "an answer in redis is not used", "error", err)
		return nil
	}
	at, _ := changed.Int64() // 0: no change that matters
	if !now.Before(e.until) || at >= e.asked.UnixMicro() || !c.stands(q.Service, e) {
		return nil
	}
	c.stats.shared.Add(1)
	c.local.put(n, e, earlier(e.until, now.Add(nearby)))
	return e
}

// fault tells that Redis is away, unless it is the call's patience that ended or its client that left: an answer is not
// worth waiting for, and that says nothing of what the limits share.
func (c *Cache) fault(ctx, within context.Context, err error) {
	if ctx.Err() == nil && within.Err() == nil {
		c.cfg.Memory.Lost(ctx, err)
	}
}

func (c *Cache) read(n name, sealed []byte) (*entry, error) {
	plain, err := c.keys.open(n, sealed)
	if err != nil {
		return nil, err
	}
	return decode(plain)
}

// stands tells whether the service was not changed through this gateway since the answer was asked for.
func (c *Cache) stands(service string, e *entry) bool {
	at, ok := c.written.Load(service)
	return !ok || e.asked.After(at.(time.Time))
}

// keep puts an answer where the next call finds it. Redis gets it after the call.
func (c *Cache) keep(q *Question, n name, e *entry) {
	if !c.stands(q.Service, e) {
		return
	}
	c.stats.kept.Add(1)
	until := e.until
	if _, up := c.share(); up {
		until = earlier(until, time.Now().Add(nearby))
		select {
		case c.writes <- write{n, e}:
		default:
			c.stats.dropped.Add(1)
		}
	}
	c.local.put(n, e, until)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Run brings answers, and changes that could not be told at once, to Redis, until ctx ends.
func (c *Cache) Run(ctx context.Context) error {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			c.settle(ctx)
		case w := <-c.writes:
			if !c.put(ctx, w) {
				c.stats.dropped.Add(1)
			}
		}
	}
}

func (c *Cache) put(ctx context.Context, w write) bool {
	client, up := c.share()
	left := time.Until(w.entry.until)
	if !up || left < time.Millisecond {
		return false
	}
	plain, err := w.entry.encode()
	if err != nil {
		return false
	}
	sealed, err := c.keys.seal(w.name, plain)
	if err != nil {
		return false
	}
	within, cancel := context.WithTimeout(ctx, putPatience)
	defer cancel()
	if err := client.Set(within, w.name.key(), sealed, left).Err(); err != nil {
		c.fault(ctx, within, err)
		return false
	}
	return true
}

// Changed says that a call changed something at a service: whatever was asked for before is not used any more (RFC 9111
// §4.4, for the whole service: which of its answers a change touches, only the service knows). longest is how long answers
// of the service are kept at most.
func (c *Cache) Changed(ctx context.Context, service string, longest time.Duration) {
	now := time.Now()
	c.written.Store(service, now)
	if c.cfg.Secret == "" {
		return
	}
	if !c.tell(ctx, service, change{now, longest}) {
		c.owe(service, change{now, longest})
	}
}

// change is when a service was changed, and for how long that matters.
type change struct {
	at      time.Time
	longest time.Duration
}

// raise keeps the later of two changes: gateways tell theirs in no order.
var raise = redis.NewScript(`local was = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > was then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 0`)

// skew is how far the clocks of two gateways may lie apart. A change counts for answers asked for so much later.
const skew = time.Second

// tell writes a change where all gateways see it.
func (c *Cache) tell(ctx context.Context, service string, ch change) bool {
	client, up := c.share()
	if !up {
		return false
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := raise.Run(within, client, []string{changeKey(service)},
		strconv.FormatInt(ch.at.Add(skew).UnixMicro(), 10), (ch.longest + skew + time.Second).Milliseconds()).Err()
	if err != nil {
		c.fault(ctx, within, err)
	}
	return err == nil
}

// owe keeps a change that could not be told. Until it is, answers of the service in Redis are not used here.
func (c *Cache) owe(service string, ch change) {
	c.owing.Store(service, ch)
}

// settle tells what is owed; what has lost its meaning is dropped.
func (c *Cache) settle(ctx context.Context) {
	c.owing.Range(func(service, owed any) bool {
		ch := owed.(change)
		if time.Since(ch.at) > ch.longest || c.tell(ctx, service.(string), ch) {
			c.owing.CompareAndDelete(service, owed)
		}
		return true
	})
}

func changeKey(service string) string { return "hub:changed:" + service }
