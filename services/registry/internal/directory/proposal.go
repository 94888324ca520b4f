package directory

import (
	"encoding/json"
	"strings"
	"time"
)

// Proposal is a change that waits for a second person. When that one approves, Body stands under its key as if it had been
// put at once.
type Proposal struct {
	ID           string          `json:"id"`           // UUID, by time
	Organisation string          `json:"organisation"` // OIN: whose people approve
	Proposer     string          `json:"proposer"`     // who does not approve
	Since        time.Time       `json:"since"`
	Reason       string          `json:"reason"` // what changes, in the proposer's words
	Kind         Kind            `json:"kind"`
	Subject      string          `json:"subject"`  // id of the entity
	Revision     int64           `json:"revision"` // of the entity when it was proposed; another one since makes the proposal void
	Body         json.RawMessage `json:"body"`
}

// Key has the id.
func (p *Proposal) Key() Key { return Key{KindProposal, p.ID} }

// Of is the key of what changes.
func (p *Proposal) Of() Key { return Key{p.Kind, p.Subject} }

// Entity gives what is proposed.
func (p *Proposal) Entity() (Entity, error) { return Decode(p.Kind, p.Body) }

func (p *Proposal) prepare(f faults) {
	if strings.TrimSpace(p.Reason) == "" {
		f.at("reason").add("is missing; who approves reads it")
	}
	e, err := p.Entity()
	if err != nil {
		f.add("%s", err)
		return
	}
	if e.Key() != p.Of() {
		f.add("is about %s %s and holds another", p.Kind, p.Subject)
	}
	e.prepare(f)
}

func (p *Proposal) check(*State, faults) {}
