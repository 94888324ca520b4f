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
	if !up {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pipe := client.Pipeline()
	answer, changed := pipe.Get(within, n.key()), pipe.Get(within, changeKey(q.Service))
	_, _ = pipe.Exec(within) // each command has its error
	for _, err := range []error{answer.Err(), changed.Err()} {
		if err != nil && !errors.Is(err, redis.Nil) {
			if ctx.Err() == nil { // not the client that left
				c.cfg.Memory.Lost(ctx, err)
			}
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

// Run brings answers to Redis, until ctx ends.
func (c *Cache) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
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
		if ctx.Err() == nil {
			c.cfg.Memory.Lost(ctx, err)
		}
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
	client, up := c.share()
	if !up {
		return
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := client.Set(within, changeKey(service), strconv.FormatInt(now.UnixMicro(), 10), longest+time.Second).Err(); err != nil {
		c.cfg.Memory.Lost(ctx, err)
	}
}

func changeKey(service string) string { return "hub:changed:" + service }
