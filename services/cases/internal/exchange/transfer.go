// Package exchange holds the rules of handing a case to another organisation: the states of a transfer, who may bring it
// from one to the next, and under which agreement. Every transition leaves a signed receipt and an event for both
// parties. Nothing of HTTP or SQL is here.
package exchange

import (
	"slices"
	"time"
)

// State is where a transfer stands. The values are those on the wire and in receipts.
type State string

// The states. Declined, Withdrawn, Expired, Refused and Closed are the ends.
const (
	Offered      State = "aangeboden"
	Accepted     State = "geaccepteerd"
	Declined     State = "afgewezen"   // by the receiver, before the case moved
	Withdrawn    State = "ingetrokken" // by the sender, before the case moved
	Expired      State = "verlopen"    // nobody did what was to be done before the deadline
	Delivered    State = "afgeleverd"
	Acknowledged State = "verwerkt"
	Refused      State = "geweigerd" // by the receiver, after it saw the case
	Closed       State = "gesloten"
)

// States are all of them, in the order of a transfer's life.
func States() []State {
	return []State{Offered, Accepted, Declined, Withdrawn, Expired, Delivered, Acknowledged, Refused, Closed}
}

// Destroyed is the type of the receipt that the hub gives when it destroys the case that it held. It is no state: the
// transfer ended before.
const Destroyed State = "vernietigd"

// Command brings a transfer to another state. Offering is not one: it makes the transfer.
type Command string

// The commands, by the last segment of their path.
const (
	Accept      Command = "acceptatie"
	Decline     Command = "afwijzing"
	Deliver     Command = "zaak"
	Acknowledge Command = "verwerking"
	Withdraw    Command = "intrekking"
	Refuse      Command = "weigering"
	Close       Command = "sluiting"
)

// Commands are all of them, in the order of a transfer's life.
func Commands() []Command {
	return []Command{Accept, Decline, Withdraw, Deliver, Acknowledge, Refuse, Close}
}

// RefusalCode says what is wrong with a delivered case, for programs.
type RefusalCode string

// The refusal codes.
const (
	RefusedIncomplete  RefusalCode = "onvolledig"
	RefusedUnreadable  RefusalCode = "onleesbaar"
	RefusedMisdirected RefusalCode = "niet_voor_ons"
	RefusedDuplicate   RefusalCode = "al_bekend"
	RefusedOther       RefusalCode = "anders"
)

// Disposition says what the sender did with its own case.
type Disposition string

// The dispositions. NotTold is what the hub writes when the sender said nothing in time.
const (
	SourceClosed Disposition = "afgesloten"  // it has an end status and points to the receiver's case
	SourceOpen   Disposition = "loopt_door"  // it goes on at the sender
	NotTold      Disposition = "niet_gemeld" // only the timer says this
)

// Kind decides who stays responsible for the case.
type Kind string

// The kinds.
const (
	Copy     Kind = "afschrift"
	OnBehalf Kind = "behandeling"
	Handover Kind = "overdracht"
)

// Role is what an organisation is in a transfer.
type Role string

// The roles.
const (
	Sender   Role = "verzender"
	Receiver Role = "ontvanger"
)

// Offer is what the sender proposes. The JSON form is how it is stored; equal offers have equal JSON.
type Offer struct {
	Receiver string    `json:"ontvanger"`
	Kind     Kind      `json:"soort"`
	Case     CaseKey   `json:"zaak"`
	Manifest Manifest  `json:"manifest"`
	Deadline time.Time `json:"vervaltOp,omitzero"` // UTC; zero: none
}

// CaseKey names a case across registries and says what kind of case it is.
type CaseKey struct {
	Source      string   `json:"bronorganisatie"`
	ID          string   `json:"identificatie"`
	Type        CaseType `json:"zaaktype"`
	Description string   `json:"omschrijving,omitempty"`
}

// CaseType is the portable key of a case type.
type CaseType struct {
	ID          string `json:"identificatie"`
	Description string `json:"omschrijving,omitempty"`
	Domain      string `json:"domein,omitempty"`
	RSIN        string `json:"rsin,omitempty"`
}

// Manifest binds the bytes that will be delivered.
type Manifest struct {
	CaseSHA256 string `json:"zaakSha256"` // lower-case hex
	Bytes      int64  `json:"bytes"`
}

// Processed says under which number the receiver took the case in.
type Processed struct {
	ID  string
	URL string
}

// Agreement is what a transfer keeps of the grant it was offered under.
type Agreement struct {
	GrantHash    string
	ContractHash string
	Purpose      string
	Activity     string // URI of the processing activity in the sender's register
}

// Transfer is the handing over of one case.
type Transfer struct {
	ID          string
	Sender      string // OIN
	Offer       Offer
	State       State
	Version     int64 // rises with every change
	Receipts    int   // number of receipts so far
	Agreement   Agreement
	OfferedAt   time.Time
	ChangedAt   time.Time // when it got its state
	DestroyedAt time.Time // when the hub destroyed the case; zero: it did not
	Deadline    time.Time // before which the case must be delivered; zero: none (offers of before there was a default)
	Reason      string    // of a decline, a withdrawal or a refusal
	Code        RefusalCode
	Source      Disposition // of a closed transfer
	Processed   Processed
	Trace       string // traceparent of the offer, for both parties to go on with
}

// Receiver is the OIN of the receiver.
func (t *Transfer) Receiver() string { return t.Offer.Receiver }

// Role gives the role of an organisation that is a party.
func (t *Transfer) Role(organisation string) Role {
	if organisation == t.Sender {
		return Sender
	}
	return Receiver
}

// Responsible is the organisation whose processing log records who saw the case: the sender's until it was delivered and
// always when the work is on its behalf, else the receiver's.
func (t *Transfer) Responsible() string {
	if t.Offer.Kind != OnBehalf && t.State.holdsCase() {
		return t.Receiver()
	}
	return t.Sender
}

// step is one transition of the state machine.
type step struct {
	by   Role
	from []State
	to   State
	hub  bool // the hub signs the receipt; else who gave the command
}

// steps is the state machine as far as parties move it. Each state is reached by one command. The timer does the rest: it
// brings to Expired what was not delivered in time, and closes what the sender left open.
var steps = map[Command]step{
	Accept:      {by: Receiver, from: []State{Offered}, to: Accepted},
	Decline:     {by: Receiver, from: []State{Offered}, to: Declined},
	Withdraw:    {by: Sender, from: []State{Offered, Accepted}, to: Withdrawn},
	Deliver:     {by: Sender, from: []State{Accepted}, to: Delivered, hub: true},
	Acknowledge: {by: Receiver, from: []State{Delivered}, to: Acknowledged},
	Refuse:      {by: Receiver, from: []State{Delivered}, to: Refused},
	Close:       {by: Sender, from: []State{Acknowledged}, to: Closed},
}

// holdsCase tells whether the receiver has the case in this state.
func (s State) holdsCase() bool { return s == Delivered || s == Acknowledged || s == Closed }

// Times of the timer.
const (
	// DefaultTerm is the deadline of an offer that names none: weekends and holidays included.
	DefaultTerm = 30 * 24 * time.Hour
	// CloseAfter is how long after the acknowledgement a sender may close the transfer itself.
	CloseAfter = 30 * 24 * time.Hour
	// DestroyAfter is how long after the end of a transfer the hub still has the case, for who noticed something wrong.
	DestroyAfter = 7 * 24 * time.Hour
)

// Due is when the timer has to look at the transfer; zero: never.
func (t *Transfer) Due() time.Time {
	switch {
	case t.State.expires():
		return t.Deadline
	case t.State == Acknowledged:
		return t.ChangedAt.Add(CloseAfter)
	case t.destroyable():
		return t.ChangedAt.Add(DestroyAfter)
	}
	return time.Time{}
}

// destroyable tells whether the transfer is at its end and the hub has its case still.
func (t *Transfer) destroyable() bool {
	return (t.State == Closed || t.State == Refused) && t.DestroyedAt.IsZero()
}

// WaitsFor is the OIN of the organisation whose turn it is; empty when nobody has to do anything.
func (t *Transfer) WaitsFor() string {
	switch t.State {
	case Offered, Delivered:
		return t.Receiver()
	case Accepted, Acknowledged:
		return t.Sender
	case Declined, Withdrawn, Expired, Refused, Closed:
	}
	return ""
}

// expires tells whether a deadline stops transitions from a state: once a case was delivered, the receiver may always
// say what it did with it.
func (s State) expires() bool { return s == Offered || s == Accepted }

// Overdue tells whether the deadline has passed with the transfer not yet delivered.
func (t *Transfer) Overdue(now time.Time) bool {
	return t.State.expires() && !t.Deadline.IsZero() && !now.Before(t.Deadline)
}

// Allowed gives the commands that a party may give now, leaving the agreement aside.
func (t *Transfer) Allowed(organisation string, now time.Time) []Command {
	role, allowed := t.Role(organisation), []Command{}
	for _, c := range Commands() {
		if s := steps[c]; s.by == role && slices.Contains(s.from, t.State) && !t.Overdue(now) {
			allowed = append(allowed, c)
		}
	}
	return allowed
}

// Receipt is what is signed about a transition. Together with the transfer as it is after it, it says everything.
type Receipt struct {
	ID        string
	Sequence  int
	Type      State
	Actor     string // OIN of who signs
	At        time.Time
	Previous  string // the receipt before it, compact
	WaitedFor string // OIN of who let the deadline pass; of Expired
}

// SignedReceipt is a receipt as it is kept.
type SignedReceipt struct {
	Type    State
	Compact string // JWS
}

// Event tells a party that a transfer changed; both parties' events of one transition have the same id.
type Event struct {
	Organisation string // whose feed
	ID           string
	Type         State
	Transfer     string
	Sequence     int // of the receipt
	At           time.Time
	Sender       string
	Receiver     string
	Number       int64 // in the feed; given by the store
}

// Transition is all that one command changes; it is stored whole or not at all.
type Transition struct {
	Transfer Transfer // as it is afterwards
	From     int64    // the version it was made from; 0: it is new
	Receipt  Receipt
	Signed   string // the receipt, compact JWS
	Events   []Event
	Payload  []byte // of a delivery
	Destroy  bool   // the case and its data key
	Key      *Key   // the Idempotency-Key of the command; nil without one
}

// Key is an Idempotency-Key that a command came with. It is kept as long as its transfer.
type Key struct {
	Organisation string // who sent it; the keys of others are others
	Value        string
	Transfer     string
	Request      string // hex SHA-256 of the command and what came along
	Sequence     int    // of the receipt that answered it
}
