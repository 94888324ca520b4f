package main

import (
	"context"
	"fmt"
	"time"

	"noorderhub.nl/hub/infra/stack"
)

// gatewayChaos takes one thing away after the other, as docs promise what happens then, with calls under way: every step
// counts what came of them, and a step that is not as promised ends the scenario.
func gatewayChaos(ctx context.Context, root string, say func(string, ...any)) error {
	o := stack.Options{
		// A full log is to be seen within seconds; an open agreement, to see that it goes on.
		Gateway: map[string]any{"logMaxBytes": 256 << 10, "logSegmentBytes": 32 << 10},
		Terms:   map[string]map[string]string{"westerkwartier-bag": {"logging": "open"}},
	}
	return onStack(ctx, root, say, o, func(ctx context.Context, h *hub) error {
		c := &chaos{hub: h}
		if err := c.prepare(ctx); err != nil {
			return err
		}
		for _, step := range []struct {
			name string
			play func(context.Context) error
		}{
			{"Consul down", c.consulDown},
			{"Redis down", c.redisDown},
			{"SQL of the registry down", c.registryDatabaseDown},
			{"SQL of the authserver down", c.authserverDatabaseDown},
			{"SQL of cases down", c.casesDatabaseDown},
			{"an upstream instance down", c.upstreamDown},
			{"a gateway instance down", c.gatewayDown},
			{"journal, logbook and collector down", c.journalDown},
		} {
			began := time.Now()
			if err := step.play(ctx); err != nil {
				return fmt.Errorf("%s: %w", step.name, err)
			}
			if err := c.settled(ctx); err != nil {
				return fmt.Errorf("after %s: %w", step.name, err)
			}
			say("%s: as promised (%.0f s)", step.name, time.Since(began).Seconds())
		}
		return nil
	})
}

// chaos is the stack with applications that call all the time.
type chaos struct {
	*hub
	required []*caller // whose agreement demands a record before a call leaves
	open     []*caller // whose agreement does not
	bound    *caller   // with a token bound to its certificate
}

const callersEach = 4 // connections; HAProxy spreads them over the gateways

func (c *chaos) prepare(ctx context.Context) error {
	for range callersEach {
		required, err := c.newCaller(ctx, "assen", "bag", "")
		if err != nil {
			return err
		}
		open, err := c.newCaller(ctx, "westerkwartier", "bag", "")
		if err != nil {
			return err
		}
		c.required, c.open = append(c.required, required), append(c.open, open)
	}
	var err error
	if c.bound, err = c.newCaller(ctx, "leeuwarden", "bag", ""); err != nil {
		return err
	}
	return c.settled(ctx)
}

// settled waits until everything is as before: every application gets a new token and an answer.
func (c *chaos) settled(ctx context.Context) error {
	for _, caller := range append(append([]*caller{c.bound}, c.required...), c.open...) {
		if err := eventually(ctx, patience, func(ctx context.Context) error {
			if _, err := caller.token(ctx, true); err != nil {
				return err
			}
			if a := caller.call(ctx, "GET", examplePath); a.kind() != answered {
				return a.fault()
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// everybody are all applications.
func (c *chaos) everybody() []*caller {
	return append(append([]*caller{c.bound}, c.required...), c.open...)
}

// while runs something with everybody calling, and gives the count.
func (c *chaos) while(ctx context.Context, act func(context.Context) error) (*tally, error) {
	t := startTraffic(ctx, c.everybody()...)
	wait(ctx, lookAround)
	err := act(ctx)
	wait(ctx, lookAround)
	return t.stop(), err
}

// unharmed demands that nobody noticed anything.
func (c *chaos) unharmed(ctx context.Context, act func(context.Context) error) error {
	counted, err := c.while(ctx, act)
	if err != nil {
		return err
	}
	c.say("  %s", counted)
	return counted.only(answered)
}

const downFor = 5 * time.Second

func (c *chaos) consulDown(ctx context.Context) error {
	consul := c.Process("consul")
	return c.unharmed(ctx, func(ctx context.Context) error {
		consul.Kill()
		wait(ctx, 2*downFor) // longer than registrations live
		if _, err := c.required[0].token(ctx, true); err != nil {
			return fmt.Errorf("token without Consul: %w", err)
		}
		return consul.Start(ctx)
	})
}

// redisDown: calls go on with the tokens they have; an assertion could be used twice, so none is taken.
func (c *chaos) redisDown(ctx context.Context) error {
	redis := c.Process("redis")
	application, err := c.newCaller(ctx, "groningen", "bag", "")
	if err != nil {
		return err
	}
	return c.unharmed(ctx, func(ctx context.Context) error {
		redis.Kill()
		wait(ctx, downFor)
		refused, err := application.refusedToken(ctx)
		if err != nil {
			return err
		}
		if refused.Status != 503 || refused.Name != "temporarily_unavailable" || refused.RetryAfter <= 0 {
			return fmt.Errorf("an assertion without Redis: got %d %s, Retry-After %s", refused.Status, refused.Name, refused.RetryAfter)
		}
		return redis.Start(ctx)
	})
}
