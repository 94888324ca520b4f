package notify

import (
	"context"
	"time"

	"noorderhub.nl/hub/libs/oin"
)

// Message is what goes through a channel at once: one event, or those of one digest.
type Message struct {
	Channel Channel
	Events  []Event
	Digest  bool
}

// Sender sends through one kind of channel. nil means that the other side has taken the message; what went wrong is a
// *Failure. It keeps to its own deadline, which is below a minute.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Introducer asks the other side, before a channel is taken into use, whether the hub may send. The channel comes back with
// what it said; the error is a refusal of libs/errs.
type Introducer interface {
	Introduce(ctx context.Context, c Channel) (Channel, error)
}

// Store keeps events, channels and deliveries.
type Store interface {
	// FanOut gives plan the oldest events that have no deliveries yet, at most limit, and stores what it makes of each
	// with the mark that it was done. It tells how many there were.
	FanOut(ctx context.Context, now time.Time, limit int, plan func(Event, []Channel, []Mute) []Delivery) (int, error)
	// Due lists channels with deliveries to try, the longest waiting first.
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
	// Claim takes deliveries that are due, batch by batch: they count as begun, and are due again at until if nobody settles
	// them before. For a channel of digests the limit is another one.
	Claim(ctx context.Context, channel string, now, until time.Time, limit, digest int) (Claimed, error)
	// Settle stores what became of claimed deliveries.
	Settle(ctx context.Context, now time.Time, s Settlement) error
	// Channel gives a channel of an organisation, or CodeUnknown.
	Channel(ctx context.Context, organisation oin.OIN, id string) (Channel, error)
	// Record stores the result of a try that was no delivery.
	Record(ctx context.Context, channel string, r Result) error
	// Sweep removes events from before a moment with their deliveries, unless one is pending.
	Sweep(ctx context.Context, before time.Time) error
}

// Claimed is what a dispatcher works on. Another one takes nothing of it before it is due again.
type Claimed struct {
	Channel    Channel
	Mutes      []Mute // that hold now, of the organisation
	Deliveries []Delivery
}

// Settlement is what became of claimed deliveries of a channel. One whose Attempts are no longer those in the store was
// claimed again meanwhile; only that it was delivered still counts.
type Settlement struct {
	Channel    Channel
	Deliveries []Delivery
	Result     *Result // of the last try; nil: there was none
	Ended      *Event  // ChannelEnded, when the receiver is gone
}
