package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"noorderhub.nl/hub/libs/oin"
)

// Outcome is how an act ended.
type Outcome string

// The outcomes.
const (
	Succeeded Outcome = "succeeded"
	Refused   Outcome = "refused" // by a rule; Reason has its code
	Failed    Outcome = "failed"  // by a fault of the hub
)

// Record is one administrative act. Its JSON form is what is logged and hashed.
type Record struct {
	Sequence int64     `json:"sequence"` // from 1, without gaps; Append gives it
	ID       string    `json:"id"`       // UUIDv7; Append makes one where it is empty
	At       time.Time `json:"at"`       // UTC, microseconds; Append takes its clock where it is zero
	Actor    Actor     `json:"actor"`
	Origin   string    `json:"origin,omitempty"` // where from: network address as the gateway saw it, or the machine of a command
	Act      Act       `json:"act"`
	Subject  Subject   `json:"subject"`
	// Organisations may read the record, beside the hub operator: the actor's own and those whose matter it is.
	Organisations []oin.OIN       `json:"organisations,omitempty"`
	Outcome       Outcome         `json:"outcome"`
	Reason        string          `json:"reason,omitempty"` // what the actor gave as reason, or the code of the refusal
	Before        string          `json:"before,omitempty"` // SHA-256 of the subject as it was, hex; empty: there was none
	After         string          `json:"after,omitempty"`  // the same of what the act made of it; empty: nothing is left
	Detail        json.RawMessage `json:"detail,omitempty"` // an object; ids, hashes and counts, no secrets, no personal data
	TransactionID string          `json:"transactionId,omitempty"`
	TraceID       string          `json:"traceId,omitempty"`
}

// Actor is who acted: a person or a program of an organisation, or a part of the hub by itself. At least one of Person,
// Client and Part is set.
type Actor struct {
	Person       string  `json:"person,omitempty"`       // id of the directory, never a name
	Organisation oin.OIN `json:"organisation,omitempty"` // of the person or program; empty for a part
	Client       string  `json:"client,omitempty"`       // id of the client that was used
	Part         string  `json:"part,omitempty"`         // e.g. "registry", "gateway"
	Role         string  `json:"role,omitempty"`         // in which the person acted
	SignIn       SignIn  `json:"signIn,omitzero"`
}

// SignIn is the evidence that the person was there.
type SignIn struct {
	ACR     string    `json:"acr,omitempty"`     // level of assurance, as the identity provider stated it
	At      time.Time `json:"at,omitzero"`       // auth_time
	Session string    `json:"session,omitempty"` // SHA-256 of the session's or the token's id, hex
}

// Subject is what was acted on.
type Subject struct {
	Kind string `json:"kind"` // e.g. "contract"
	ID   string `json:"id"`
}

// Hash gives what Before and After say of a subject's stored form; "" of none.
func Hash(body []byte) string {
	if body == nil {
		return ""
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// SeenBy gives the record as an organisation may see it: of people of another organisation it learns that somebody there
// acted, not who or from where.
func (r Record) SeenBy(organisation oin.OIN) Record {
	if r.Actor.Organisation != organisation && r.Actor.Person+r.Actor.Client != "" {
		r.Actor = Actor{Organisation: r.Actor.Organisation, Part: r.Actor.Part, Role: r.Actor.Role}
		r.Origin = ""
	}
	return r
}

// Index is what a record is found by. It is stored beside the record and follows from it; Verify compares the two.
type Index struct {
	ID           string
	At           time.Time
	Act          Act
	Outcome      Outcome
	Person       string
	Client       string
	Organisation oin.OIN // of the actor
	Subject      Subject
}

func (r Record) index() Index {
	return Index{
		ID: r.ID, At: r.At, Act: r.Act, Outcome: r.Outcome, Person: r.Actor.Person, Client: r.Actor.Client,
		Organisation: r.Actor.Organisation, Subject: r.Subject,
	}
}

func (i Index) equal(other Index) bool {
	same := i.At.Equal(other.At)
	i.At, other.At = time.Time{}, time.Time{}
	return same && i == other
}
