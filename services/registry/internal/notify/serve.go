package notify

import (
	"context"
	"errors"
	"time"
)

const (
	// claimFor is how long a claim holds. A process that dies loses no message: it is due again then. It exceeds what one
	// worker takes for a round: roundTime and the longest single message.
	claimFor  = 3 * time.Minute
	roundTime = time.Minute

	claimBatch  = 20
	digestBatch = 500 // lines of a daily mail at most; more make a second one

	settleTime = 10 * time.Second
)

// serve sends what is due on a channel, in order, for one round.
func (d *Dispatcher) serve(ctx context.Context, channel string) {
	begun := d.o.Now()
	claimed, err := d.o.Store.Claim(ctx, channel, begun, begun.Add(claimFor), claimBatch, digestBatch)
	if err != nil {
		if ctx.Err() == nil {
			d.o.Logger.WarnContext(ctx, "notifications not claimed", "channel", channel, "error", err)
		}
		return
	}
	if len(claimed.Deliveries) == 0 {
		return
	}
	s := d.round(ctx, claimed, begun)
	// What was sent must be stored even when the process stops now, or it is sent twice.
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := d.o.Store.Settle(settling, d.o.Now(), s); err != nil {
		d.o.Logger.WarnContext(ctx, "notifications not settled, some may come twice", "channel", channel, "error", err)
	}
}

// round sends claimed deliveries until they are done, the channel is found to be away, or its time is up.
func (d *Dispatcher) round(ctx context.Context, claimed Claimed, begun time.Time) Settlement {
	c := claimed.Channel
	s := Settlement{Channel: c}
	var messages [][]*Delivery
	for i := range claimed.Deliveries {
		v := &claimed.Deliveries[i]
		switch last := len(messages) - 1; {
		case Muted(claimed.Mutes, &c, v.Event.Type, begun):
			v.State, v.Changed = Silenced, begun
		case v.Batch != "" && last >= 0 && messages[last][0].Batch == v.Batch:
			messages[last] = append(messages[last], v)
		default:
			messages = append(messages, []*Delivery{v})
		}
	}
	gap := time.Duration(0)
	if c.Rate > 0 {
		gap = time.Minute / time.Duration(c.Rate)
	}
	var stop *Failure // why nothing more goes out in this round
	for i, group := range messages {
		now := d.o.Now()
		if stop == nil && (ctx.Err() != nil || now.Sub(begun) > roundTime || i > 0 && !d.wait(ctx, gap)) {
			stop = &Failure{}
		}
		switch {
		case stop == nil:
			stop = d.try(ctx, &s, group)
		case stop.Class == Away:
			d.fail(group, stop)
		case stop.Class == Gone:
			park(group, stop.Result, now)
		default: // not tried
			giveBack(group, now)
		}
		if gap > 0 {
			d.pace(c.ID, d.o.Now().Add(gap))
		}
	}
	s.Deliveries = claimed.Deliveries
	return s
}

// maxWait is how long a worker waits for a receiver's rate to allow the next message; above it comes back later.
const maxWait = 2 * time.Second

// wait keeps to the rate of a receiver. false means that the round ends here.
func (d *Dispatcher) wait(ctx context.Context, gap time.Duration) bool {
	if gap > maxWait {
		return false
	}
	timer := time.NewTimer(gap)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// try sends one message and says what became of it. A failure that concerns the whole channel, or the end of ctx, is
// returned.
func (d *Dispatcher) try(ctx context.Context, s *Settlement, group []*Delivery) *Failure {
	m := Message{Channel: s.Channel, Digest: group[0].Batch != ""}
	for _, v := range group {
		m.Events = append(m.Events, v.Event)
	}
	err := d.send(ctx, m)
	now := d.o.Now()
	if err == nil {
		for _, v := range group {
			v.State, v.Result, v.Changed = Delivered, "", now
		}
		s.Result = &Result{At: now, OK: true, Text: "delivered"}
		return nil
	}
	if ctx.Err() != nil { // cut off by our own stop: sent again after it
		giveBack(group, now)
		return &Failure{}
	}
	f := failureOf(err)
	s.Result = &Result{At: now, Text: f.Result}
	d.o.Logger.InfoContext(ctx, "notification not delivered", "channel", s.Channel.ID, "organisation", s.Channel.Organisation,
		"attempt", group[0].Attempts, "result", f.Result, "error", f.Cause)
	switch f.Class {
	case Undeliverable:
		park(group, f.Result, now)
		return nil
	case Gone:
		park(group, f.Result, now)
		s.Ended = &Event{
			ID: d.o.NewID(), Type: ChannelEnded, Organisation: s.Channel.Organisation, Subject: Subject{ChannelKind, s.Channel.ID}, At: now,
		}
		return f
	case Away:
		d.fail(group, f)
		return f
	}
	d.fail(group, f)
	return nil
}

func (d *Dispatcher) send(ctx context.Context, m Message) error {
	sender, ok := d.o.Senders[m.Channel.Kind]
	if !ok {
		return &Failure{Result: "not set up on this hub", Class: Away, Cause: errors.New("no sender for this kind of channel")}
	}
	return sender.Send(ctx, m)
}

// fail brings the deliveries of a message back later, or parks them after too many attempts. They stay together.
func (d *Dispatcher) fail(group []*Delivery, f *Failure) {
	now := d.o.Now()
	attempts := 0
	for _, v := range group {
		attempts = max(attempts, v.Attempts)
	}
	if attempts >= maxAttempts {
		park(group, f.Result, now)
		return
	}
	due := now.Add(Backoff(attempts, f.After))
	for _, v := range group {
		v.Result, v.Due, v.Changed = f.Result, due, now
	}
}

func giveBack(group []*Delivery, now time.Time) {
	for _, v := range group {
		v.Untried, v.Due = true, now
	}
}

func park(group []*Delivery, result string, now time.Time) {
	for _, v := range group {
		v.State, v.Result, v.Changed = Parked, result, now
	}
}
