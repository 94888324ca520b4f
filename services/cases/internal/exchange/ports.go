package exchange

import (
	"context"
	"errors"
	"time"
)

// Caller is who gives a command, and the grant under which.
type Caller struct {
	Organisation string // OIN
	GrantHash    string
	Trace        string // traceparent of the call (W3C Trace Context); "" without one
}

// Grant is a grant on the case exchange as the registry has it.
type Grant struct {
	Agreement
	Consumer string // the sender; for an organisation's own inbox the same as Provider
	Provider string // the receiver
	InForce  bool   // within its window, and not suspended
}

// own tells whether it is the grant for an organisation's own inbox.
func (g Grant) own() bool { return g.Consumer == g.Provider }

// Agreements knows the organisations and grants of the hub.
type Agreements interface {
	// Grant gives a grant on the case exchange by its hash; ok is false when there is none (any more).
	Grant(hash string, now time.Time) (g Grant, ok bool)
	// Organisation tells whether an OIN is of this hub.
	Organisation(oin string) bool
}

// View is what a caller may see: the transfers in which Organisation is a party, and with To only those it sends to To.
type View struct {
	Organisation string
	To           string
}

// What a Store answers.
var (
	// ErrNotFound says that there is no such transfer in the view.
	ErrNotFound = errors.New("no such transfer")
	// ErrTaken says that a transfer with the id of a new one is there already.
	ErrTaken = errors.New("the id is taken")
	// ErrKeyUsed says that another command of the organisation came with the same Idempotency-Key.
	ErrKeyUsed = errors.New("the idempotency key is taken")
	// ErrStale says that the transfer has another version than the transition was made from.
	ErrStale = errors.New("the transfer changed meanwhile")
)

// Store keeps transfers. Every query is bound to a view, so that what others have cannot be reached by mistake.
type Store interface {
	// Now gives the time by the database's clock, the one that deadlines are judged by.
	Now(ctx context.Context) (time.Time, error)
	// Find gives a transfer, or ErrNotFound.
	Find(ctx context.Context, v View, id string) (Transfer, error)
	// Add stores a new transfer with its receipt and events, or nothing: ErrTaken.
	Add(ctx context.Context, t Transition) error
	// Change stores a transition, or nothing: ErrStale, or ErrKeyUsed.
	Change(ctx context.Context, t Transition) error
	// Receipts gives the receipts of a transfer in order. The transfer was found in a view before.
	Receipts(ctx context.Context, id string) ([]SignedReceipt, error)
	// Key gives what an organisation used an Idempotency-Key for; ErrNotFound when it did not.
	Key(ctx context.Context, organisation, value string) (Key, error)
	// Claim gives transfers that the timer has to look at, in the order of their times, and keeps them from every other
	// worker until the lease ends.
	Claim(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]Transfer, error)
	// Payload gives the bytes that were delivered. The transfer was found in a view before.
	Payload(ctx context.Context, id string) ([]byte, error)
	// List gives a page of transfers, newest first.
	List(ctx context.Context, v View, f Filter) ([]Transfer, error)
	// Events gives what happened after a cursor; see Feed.
	Events(ctx context.Context, v View, after int64, limit int) (Feed, error)
}

// Filter chooses transfers for a list. Zero fields choose all.
type Filter struct {
	Role  Role
	State State
	After *Position // the list goes on after this transfer
	Limit int
}

// Position is a place in a list of transfers.
type Position struct {
	At time.Time
	ID string
}

// Feed is a piece of an organisation's feed.
type Feed struct {
	Events []Event
	Next   int64 // cursor to go on with
	Head   int64 // the newest number in the organisation's feed; a cursor beyond it was never given
}

// Signer signs receipts with the keys that cases holds for organisations.
type Signer interface {
	// Sign gives the compact JWS of a receipt about the transfer as it is after the transition. It fails with a refusal
	// that says who must act when the actor has no key.
	Sign(t *Transfer, r Receipt) (string, error)
}

// Processing is one look at, or handing over of, personal data.
type Processing struct {
	Controller string // OIN of the organisation responsible
	Activity   string // URI of the processing activity
	Name       string
	At         time.Time
}

// Logbook writes the processing log; when it returns nil, the record is durable.
type Logbook interface {
	Write(ctx context.Context, p Processing) error
}
