package notify

import (
	"context"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
)

// testPause keeps the test button from being a way to flood somebody.
const testPause = 30 * time.Second

// Admit checks a channel that somebody wants to make or change and asks its receiver whether the hub may send. Nothing is
// stored: the channel goes into the store with the act. Errors are refusals.
func (d *Dispatcher) Admit(ctx context.Context, c Channel) (Admitted, error) {
	if err := c.Check(); err != nil {
		return Admitted{}, err
	}
	sender, ok := d.o.Senders[c.Kind]
	if !ok {
		return Admitted{}, codeChannel.New("this hub has no %s set up", c.Kind).
			WithFields(errs.Field{Name: "soort", Code: "enum", Reason: "is not set up on this hub"})
	}
	if i, ok := sender.(Introducer); ok {
		var err error
		if c, err = i.Introduce(ctx, c); err != nil {
			return Admitted{}, err
		}
	}
	c.State = ChannelActive
	return Admitted{channel: c}, nil
}

// Test sends a test message through a channel now and tells how that went. The result is that of the channel too.
func (d *Dispatcher) Test(ctx context.Context, organisation oin.OIN, id string) (Result, error) {
	c, err := d.o.Store.Channel(ctx, organisation, id)
	if err != nil {
		return Result{}, err
	}
	if c.State != ChannelActive {
		return Result{}, CodeEnded.New("the receiver of this channel said that it is gone")
	}
	now := d.o.Now()
	if wait := d.testable(id, now); wait > 0 {
		return Result{}, codeTestSoon.New("a channel is tested once in %s", testPause).WithRetryAfter(wait)
	}
	e := Event{ID: d.o.NewID(), Type: ChannelTest, Organisation: organisation, Subject: Subject{ChannelKind, id}, At: now}
	r := Result{OK: true, Text: "delivered"}
	if err := d.send(ctx, Message{Channel: c, Events: []Event{e}}); err != nil {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		f := failureOf(err)
		d.o.Logger.InfoContext(ctx, "test notification not delivered", "channel", id, "organisation", organisation, "result", f.Result, "error", f.Cause)
		r = Result{Text: f.Result}
	}
	r.At = d.o.Now()
	return r, d.o.Store.Record(ctx, id, r)
}

// testable tells how long to wait before a channel is tested again, 0 when it may be now.
func (d *Dispatcher) testable(id string, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	for other, at := range d.tested {
		if now.Sub(at) >= testPause {
			delete(d.tested, other)
		}
	}
	if at, ok := d.tested[id]; ok {
		return testPause - now.Sub(at)
	}
	d.tested[id] = now
	return 0
}
