package directory

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Kind is what an entity is. Kinds stand in the database and in the audit log, so their names stay.
type Kind string

// The kinds.
const (
	KindHub          Kind = "hub"
	KindOrganisation Kind = "organisation"
	KindPerson       Kind = "person"
	KindService      Kind = "service"
	KindContract     Kind = "contract"
	KindNarrowing    Kind = "narrowing"
	KindClient       Kind = "client"
	KindProposal     Kind = "proposal"
	KindActivity     Kind = "activity"
	KindApplication  Kind = "application"
	KindTemplate     Kind = "template"
	KindOffer        Kind = "offer"
)

// Key names an entity.
type Key struct {
	Kind Kind
	ID   string
}

// Entity is something that the registry administers. An entity is never changed once it is in a State: a change puts
// another value under the same key.
type Entity interface {
	Key() Key
	// prepare reads what the entity says and keeps the compiled form: keys, certificates, operations. It tells what is wrong
	// with the entity by itself, and is called once.
	prepare(f faults)
	// check tells what is wrong with the entity among the others of a state. It is called for every state it is in.
	check(s *State, f faults)
}

// kinds are in the order of dependence: each refers to earlier ones only.
var kinds = []struct {
	kind Kind
	make func() Entity
}{
	{KindHub, func() Entity { return &Hub{} }},
	{KindOrganisation, func() Entity { return &Organisation{} }},
	{KindPerson, func() Entity { return &Person{} }},
	{KindService, func() Entity { return &Service{} }},
	{KindContract, func() Entity { return &Contract{} }},
	{KindNarrowing, func() Entity { return &Narrowing{} }},
	{KindClient, func() Entity { return &Client{} }},
	{KindActivity, func() Entity { return &Activity{} }},
	{KindProposal, func() Entity { return &Proposal{} }},
	{KindApplication, func() Entity { return &Application{} }},
	{KindTemplate, func() Entity { return &Template{} }},
	{KindOffer, func() Entity { return &Offer{} }},
}

// Decode reads the stored form of an entity, which is what encoding/json makes of it. Unknown fields are an error: an
// older program must not drop what a newer one wrote.
func Decode(kind Kind, body []byte) (Entity, error) {
	for _, k := range kinds {
		if k.kind != kind {
			continue
		}
		e := k.make()
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(e); err != nil {
			return nil, fmt.Errorf("stored %s: %w", kind, err)
		}
		return e, nil
	}
	return nil, fmt.Errorf("stored entity of unknown kind %q", kind)
}
