// Package api is the public contract of the case exchange ("overdracht"): its OpenAPI file, the wire types, a client, and
// what anyone needs to check receipts without the hub. Names on the wire are Dutch; those of JOSE and CloudEvents are as
// their standards write them.
package api

import (
	_ "embed" // the OpenAPI file
	"time"
)

// OpenAPI is the description of the service, in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Fixed facts of the surface.
const (
	Base    = "/overdracht/v1"
	Version = "1.0.0"
	// Slug is the name of the service on the hub; its audience is {hub}/overdracht.
	Slug = "overdracht"
	// MaxCase is the largest case that can be delivered, in bytes. Documents do not travel in it.
	MaxCase = 4 << 20
	// MaxWait is how long the feed waits for something new at most.
	MaxWait = 30 * time.Second
)

// Scopes of the service.
const (
	ScopeRead    = "overdracht.lezen"
	ScopeOffer   = "overdracht.aanbieden"
	ScopeReceive = "overdracht.ontvangen"
)

// States of a transfer, and the types of the receipts that lead to them.
const (
	StateOffered      = "aangeboden"
	StateAccepted     = "geaccepteerd"
	StateDeclined     = "afgewezen"
	StateDelivered    = "afgeleverd"
	StateAcknowledged = "verwerkt"
	StateWithdrawn    = "ingetrokken" // by the sender, before the delivery
	StateExpired      = "verlopen"    // not delivered before the deadline
	StateRefused      = "geweigerd"   // by the receiver, after the delivery
	StateClosed       = "gesloten"    // the sender told what became of its own case
)

// TypeDestroyed is the type of the receipt that the hub destroyed its copy of the case. It is no state.
const TypeDestroyed = "vernietigd"

// Commands, as they stand in Transfer.Allowed: the last segment of the path that carries them out.
const (
	CommandAccept      = "acceptatie"
	CommandDecline     = "afwijzing"
	CommandDeliver     = "zaak"
	CommandAcknowledge = "verwerking"
	CommandWithdraw    = "intrekking"
	CommandRefuse      = "weigering"
	CommandClose       = "sluiting"
)

// Codes of a refusal.
const (
	RefusedIncomplete  = "onvolledig"
	RefusedUnreadable  = "onleesbaar"
	RefusedMisdirected = "niet_voor_ons"
	RefusedDuplicate   = "al_bekend"
	RefusedOther       = "anders"
)

// What became of the sender's own case.
const (
	SourceClosed = "afgesloten"  // it ended and points to the receiver's case; the only one for a hand-over
	SourceOpen   = "loopt_door"  // it goes on at the sender
	SourceUntold = "niet_gemeld" // the sender said nothing in 30 days; only the hub writes this
)

// Kinds of transfers. They decide who stays responsible for the case.
const (
	KindCopy     = "afschrift"   // for advice: the sender stays responsible
	KindOnBehalf = "behandeling" // work on behalf of the sender, who stays responsible
	KindHandover = "overdracht"  // the receiver becomes responsible
)

// Roles of an organisation in a transfer.
const (
	RoleSender   = "verzender"
	RoleReceiver = "ontvanger"
)

// EventPrefix begins the type of every event; the state that the transfer got follows.
const EventPrefix = "nl.noorderhub.zaakuitwisseling."

// Offer is the body of PUT /uitwisselingen/{uuid}. It holds no data of persons.
type Offer struct {
	Receiver string     `json:"ontvanger"` // OIN
	Kind     string     `json:"soort"`
	Case     CaseKey    `json:"zaak"`
	Manifest Manifest   `json:"manifest"`
	Deadline *time.Time `json:"vervaltOp,omitempty"` // before it the case must be delivered; 30 days when left out
}

// CaseKey names a case by what stays the same in every registry (ZGW: bronorganisatie and identificatie), and says what
// kind of case it is.
type CaseKey struct {
	Source      string   `json:"bronorganisatie"` // RSIN
	ID          string   `json:"identificatie"`
	Type        CaseType `json:"zaaktype"`
	Description string   `json:"omschrijving,omitempty"` // of the kind of case, never of a person
}

// CaseType is the portable key of a zaaktype: a URL means nothing outside the catalogue it stands in.
type CaseType struct {
	ID          string `json:"identificatie"`
	Description string `json:"omschrijving,omitempty"`
	Domain      string `json:"domein,omitempty"` // of its catalogue, five capitals
	RSIN        string `json:"rsin,omitempty"`   // of its catalogue
}

// Manifest binds what will be delivered.
type Manifest struct {
	CaseSHA256 string `json:"zaakSha256"` // hex SHA-256 of the exact bytes of the body that PUT …/zaak will carry
	Bytes      int64  `json:"bytes"`      // their number
}

// Transfer is the state of a transfer as one of its parties sees it.
type Transfer struct {
	ID           string     `json:"id"`
	State        string     `json:"toestand"`
	Version      int64      `json:"versie"` // also the ETag, in quotes
	Role         string     `json:"rol"`    // of the organisation that asks
	Sender       string     `json:"verzender"`
	Receiver     string     `json:"ontvanger"`
	Kind         string     `json:"soort"`
	Case         CaseKey    `json:"zaak"`
	Manifest     Manifest   `json:"manifest"`
	Deadline     *time.Time `json:"vervaltOp,omitempty"`
	Purpose      string     `json:"doel"`
	ContractHash string     `json:"contractHash"`
	GrantHash    string     `json:"grantHash"`
	OfferedAt    time.Time  `json:"aangebodenOp"`
	ChangedAt    time.Time  `json:"gewijzigdOp"`
	DestroyedAt  *time.Time `json:"vernietigdOp,omitempty"` // when the hub destroyed its copy of the case
	WaitsFor     string     `json:"wachtOp,omitempty"`      // OIN of whose turn it is; none at the end
	Reason       string     `json:"reden,omitempty"`        // of a decline, a withdrawal or a refusal
	Code         string     `json:"redencode,omitempty"`    // of a refusal
	Source       string     `json:"bronzaak,omitempty"`     // of a closed transfer: what became of the sender's case
	Trial        bool       `json:"proef,omitempty"`        // nothing was stored or sent
	Processed    *Processed `json:"verwerking,omitempty"`
	Allowed      []string   `json:"toegestaan"`                // what the organisation that asks may do now
	Frozen       bool       `json:"bevroren,omitempty"`        // the agreement is suspended or has ended: reading only
	Receipt      string     `json:"ontvangstbewijs,omitempty"` // answer to a command: the receipt of that command
	Trace        string     `json:"traceparent,omitempty"`     // of the offer: who sends it along makes the hand-over one trace
}

// Decline is the body of POST …/afwijzing.
type Decline struct {
	Reason string `json:"reden"`
}

// Withdraw is the body of POST …/intrekking.
type Withdraw struct {
	Reason string `json:"reden"`
}

// Refuse is the body of POST …/weigering.
type Refuse struct {
	Code   string `json:"redencode"`
	Reason string `json:"reden"`
}

// Close is the body of POST …/sluiting.
type Close struct {
	Source string `json:"bronzaak"`
}

// Processed is the body of POST …/verwerking: under which number the receiver took the case in.
type Processed struct {
	ID  string `json:"identificatie"`
	URL string `json:"zaak,omitempty"` // in the receiver's own registry
}

// TransferPage is the answer to GET /uitwisselingen.
type TransferPage struct {
	Transfers []Transfer `json:"uitwisselingen"`
	Next      string     `json:"volgende,omitempty"` // cursor of the next page
}

// EventPage is the answer to GET /gebeurtenissen.
type EventPage struct {
	Events []Event `json:"gebeurtenissen"`
	Next   string  `json:"volgende"` // cursor to go on with, always there
}

// Event is a CloudEvent (1.0, NL GOV profile) that says that something changed, not what it is about.
type Event struct {
	SpecVersion  string    `json:"specversion"`
	ID           string    `json:"id"` // the same in the feeds of both parties
	Source       string    `json:"source"`
	Type         string    `json:"type"`
	Subject      string    `json:"subject"` // uuid of the transfer
	Time         time.Time `json:"time"`
	Sequence     string    `json:"sequence"`     // of the receipt within the transfer
	SequenceType string    `json:"sequencetype"` // Integer
	DataRef      string    `json:"dataref"`
}

// Conflict is what a refusal of a command adds to the problem document.
type Conflict struct {
	State   string   `json:"toestand"`
	Version int64    `json:"versie"`
	Allowed []string `json:"toegestaan"`
}

// KeySet is the answer to GET /sleutels.
type KeySet struct {
	Keys []PublishedKey `json:"sleutels"`
}

// PublishedKey is a receipt key with the statement it stands under.
type PublishedKey struct {
	OIN       string    `json:"oin"`
	KeyID     string    `json:"kid"`
	Key       JWK       `json:"jwk"`
	From      time.Time `json:"geldigVanaf"`
	Until     time.Time `json:"geldigTot"`
	Statement string    `json:"verklaring"` // compact JWS
}
