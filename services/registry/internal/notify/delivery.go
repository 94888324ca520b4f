package notify

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Delivery is one event on its way through one channel.
type Delivery struct {
	Event    Event
	Channel  string // id
	State    DeliveryState
	Attempts int       // begun; one that was cut off by a crash counts too
	Due      time.Time // pending: when it is tried next
	Batch    string    // digest: the day whose mail it is in, "2026-11-23"; "": a message of its own
	Result   string    // of the last try
	Changed  time.Time // when State or Result last changed
	Untried  bool      // claimed and given back: the attempt does not count
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery. All but pending are ends; a person may take one from parked back to pending.
const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "delivered"
	Parked    DeliveryState = "parked" // undeliverable: waits for a person
	Silenced  DeliveryState = "muted"
)

// Back-off: from half a minute, doubling, up to a day. Fifteen attempts take 82 hours, more or less a fifth: a receiver that
// breaks on Friday afternoon still gets everything on Monday morning.
const (
	firstBackoff = 30 * time.Second
	maxBackoff   = 24 * time.Hour
	maxAttempts  = 15
)

// Backoff gives the pause after attempt n, from 1. asked is what the other side wants at least. The jitter keeps messages
// that failed together from coming back together.
func Backoff(n int, asked time.Duration) time.Duration {
	d := maxBackoff
	if shift := n - 1; shift < 12 { // 30 s · 2^12 exceeds a day
		d = min(firstBackoff<<max(shift, 0), maxBackoff)
	}
	d = d*4/5 + rand.N(d*2/5)
	return min(max(d, asked), maxBackoff)
}

// Failure is why a message was not taken.
type Failure struct {
	Result string // for people, e.g. "HTTP 503": nothing that the other side wrote, no address
	Class  FailureClass
	After  time.Duration // the other side wants no new try before; 0: it did not say
	Cause  error         // for the log
}

// FailureClass decides what becomes of the message, and of those behind it.
type FailureClass uint8

// The classes.
const (
	// Refused is about this message: it is tried again, and the next one now.
	Refused FailureClass = iota
	// Away is about the channel: nothing that waits for it would fare better.
	Away
	// Undeliverable will not change by waiting: parked at once.
	Undeliverable
	// Gone ends the channel (HTTP 410).
	Gone
)

// Error implements error.
func (f *Failure) Error() string {
	if f.Cause == nil {
		return f.Result
	}
	return f.Result + ": " + f.Cause.Error()
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// failureOf takes an error of a sender that is no Failure for a channel that is away.
func failureOf(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Result: "internal error", Class: Away, Cause: err}
}

// Rhythm says when digests go out.
type Rhythm struct {
	Hour     int // 0–23, by the clock of Location
	Location *time.Location
}

// next gives the first moment after now at which digests go out, and the day that names it. On a day on which the clock skips
// the hour it is an hour off.
func (r Rhythm) next(now time.Time) (time.Time, string) {
	local := now.In(r.Location)
	at := time.Date(local.Year(), local.Month(), local.Day(), r.Hour, 0, 0, 0, r.Location)
	if !at.After(now) {
		at = time.Date(local.Year(), local.Month(), local.Day()+1, r.Hour, 0, 0, 0, r.Location)
	}
	return at, at.Format(time.DateOnly)
}

// plan says which deliveries an event has: one for each channel that wants it. A muted one is kept to show that it was.
func (r Rhythm) plan(e *Event, channels []Channel, mutes []Mute, now time.Time) []Delivery {
	var out []Delivery
	for i := range channels {
		c := &channels[i]
		if c.State != ChannelActive || !c.Wants(e) {
			continue
		}
		d := Delivery{Event: *e, Channel: c.ID, State: Pending, Due: now, Changed: now}
		switch {
		case Muted(mutes, c, e.Type, now):
			d.State = Silenced
		case c.Digest:
			d.Due, d.Batch = r.next(now)
		}
		out = append(out, d)
	}
	return out
}
