// Package exchange holds the rules of handing a case to another organisation: the states of a transfer, who may bring it
// from one to the next, and under which agreement. Every transition leaves a signed receipt and an event for both
// parties. Nothing of HTTP or SQL is here.
package exchange

import (
	"time"
)

// State is where a transfer stands. The values are those on the wire and in receipts.
type State string

// The states. Declined and Acknowledged are the ends.
const (
	Offered      State = "aangeboden"
	Accepted     State = "geaccepteerd"
	Declined     State = "afgewezen"
	Delivered    State = "afgeleverd"
	Acknowledged State = "verwerkt"
)

// States are all of them, in the order of a transfer's life.
func States() []State { return []State{Offered, Accepted, Declined, Delivered, Acknowledged} }

// Command brings a transfer to another state. Offering is not one: it makes the transfer.
type Command string

// The commands, by the last segment of their path.
const (
	Accept      Command = "acceptatie"
	Decline     Command = "afwijzing"
	Deliver     Command = "zaak"
	Acknowledge Command = "verwerking"
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
	ID        string
	Sender    string // OIN
	Offer     Offer
	State     State
	Version   int64 // rises with every change
	Receipts  int   // number of receipts so far
	Agreement Agreement
	OfferedAt time.Time
	ChangedAt time.Time
	Reason    string // of a decline
	Processed Processed
	Trace     string // traceparent of the offer, for both parties to go on with
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
	if t.Offer.Kind != OnBehalf && (t.State == Delivered || t.State == Acknowledged) {
		return t.Receiver()
	}
	return t.Sender
}

// step is one transition of the state machine.
type step struct {
	by     Role
	from   State
	to     State
	signer Role // whose key signs the receipt; "" is the hub
}

// steps is the state machine. Each state is reached by one command, and each command leaves one state.
var steps = map[Command]step{
	Accept:      {by: Receiver, from: Offered, to: Accepted, signer: Receiver},
	Decline:     {by: Receiver, from: Offered, to: Declined, signer: Receiver},
	Deliver:     {by: Sender, from: Accepted, to: Delivered},
	Acknowledge: {by: Receiver, from: Delivered, to: Acknowledged, signer: Receiver},
}

// expires tells whether a deadline stops transitions from a state: once a case was delivered, the receiver may always
// say what it did with it.
func (s State) expires() bool { return s == Offered || s == Accepted }

// Expired tells whether the deadline of the offer has passed with the transfer not yet delivered.
func (t *Transfer) Expired(now time.Time) bool {
	return t.State.expires() && !t.Offer.Deadline.IsZero() && !now.Before(t.Offer.Deadline)
}

// Allowed gives the commands that a party may give now, leaving the agreement aside.
func (t *Transfer) Allowed(organisation string, now time.Time) []Command {
	role, allowed := t.Role(organisation), []Command{}
	for _, c := range []Command{Accept, Decline, Deliver, Acknowledge} {
		if s := steps[c]; s.by == role && s.from == t.State && !t.Expired(now) {
			allowed = append(allowed, c)
		}
	}
	return allowed
}

// Receipt is what is signed about a transition. Together with the transfer as it is after it, it says everything.
type Receipt struct {
	ID       string
	Sequence int
	Type     State
	Actor    string // OIN of who signs
	At       time.Time
	Previous string // the receipt before it, compact
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
}
