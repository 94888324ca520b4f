package consul

import (
	"context"
	"log/slog"
	"sync"

	"github.com/hashicorp/consul/api"

	"noorderhub.nl/hub/libs/app"
)

// Watch tells of changes of a key below the prefix, as long as the app runs: a value in the channel means "look now", and
// many changes at once are one reason to look. What the key holds is a hint and no more: whoever can write there can make
// others look in vain. Without Consul the channel is nil.
func (c *Client) Watch(a *app.App, key string) <-chan struct{} {
	if c.api == nil {
		return nil
	}
	changed := make(chan struct{}, 1)
	var seen string
	queries := blocking{what: "key " + c.key(key), logger: c.logger, ask: func(_ context.Context, o *api.QueryOptions) (uint64, error) {
		pair, meta, err := c.api.KV().Get(c.key(key), o)
		if err != nil {
			return 0, err
		}
		if pair != nil && string(pair.Value) != seen {
			seen = string(pair.Value)
			signal(changed)
		}
		return meta.LastIndex, nil
	}}
	a.Background("watch on "+key, func(ctx context.Context) error {
		queries.run(ctx)
		return nil
	})
	return changed
}

// Keeper keeps the newest value of a key: it writes what Keep was given until it stands there, and again when it is lost.
// A newer value that stands there already is left alone. Many may keep one key.
type Keeper struct {
	client *Client
	key    string
	newer  func(a, b string) bool
	logger *slog.Logger

	mu      sync.Mutex
	want    string
	renewed chan struct{} // closed and replaced when want changes

	// Of ask alone.
	looked string // what the key was last compared with
	ahead  string // newer value that was reported last
}

// Keeper makes a keeper of a key below the prefix. newer tells whether a is newer than b; anything is newer than what it
// cannot read. It writes as long as the app runs.
func (c *Client) Keeper(a *app.App, key string, newer func(a, b string) bool) *Keeper {
	k := &Keeper{client: c, key: c.key(key), newer: newer, logger: c.logger, renewed: make(chan struct{})}
	if c.api != nil {
		queries := blocking{what: "key " + k.key, logger: c.logger, ask: k.ask}
		a.Background("keeper of "+key, func(ctx context.Context) error {
			queries.run(ctx)
			return nil
		})
	}
	return k
}

// Keep makes value the one to keep, unless a newer one was given before. It never blocks.
func (k *Keeper) Keep(value string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if value == k.want || k.want != "" && k.newer(k.want, value) {
		return
	}
	k.want = value
	close(k.renewed)
	k.renewed = make(chan struct{})
}

// ask waits for a change of the key or of the value to keep, and mends a difference.
func (k *Keeper) ask(ctx context.Context, o *api.QueryOptions) (uint64, error) {
	k.mu.Lock()
	want, renewed := k.want, k.renewed
	k.mu.Unlock()
	if want != k.looked {
		o.WaitIndex = 0 // it came since the last look: compare before waiting
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-renewed:
			cancel()
		case <-waiting.Done():
		}
	}()
	pair, meta, err := k.client.api.KV().Get(k.key, o.WithContext(waiting))
	if err != nil {
		if ctx.Err() == nil && waiting.Err() != nil {
			return 0, nil // there is something new to keep
		}
		return 0, err
	}
	k.looked = want
	if want == "" {
		return meta.LastIndex, nil
	}
	next := &api.KVPair{Key: k.key, Value: []byte(want)}
	if pair != nil {
		have := string(pair.Value)
		if have == want {
			return meta.LastIndex, nil
		}
		if k.newer(have, want) {
			k.tellAhead(ctx, have, want)
			return meta.LastIndex, nil
		}
		next.ModifyIndex = pair.ModifyIndex
	}
	// Whoever was quicker wrote something: the next look decides anew.
	_, _, err = k.client.api.KV().CAS(next, (&api.WriteOptions{}).WithContext(ctx))
	return 0, err
}

func (k *Keeper) tellAhead(ctx context.Context, have, want string) {
	if have == k.ahead {
		return
	}
	k.ahead = have
	k.logger.WarnContext(ctx, "the key holds a newer value than the one kept here and is left alone; delete it if it is wrong",
		"key", k.key, "holds", have, "kept", want)
}

func (c *Client) key(name string) string { return c.cfg.Prefix + "/" + name }

func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
