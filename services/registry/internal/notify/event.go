package notify

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/oin"
)

// Event is one thing that one organisation is told. Who tells two organisations writes two events.
type Event struct {
	ID           string // UUIDv7; the outbox gives one to an event without
	Type         Type
	Organisation oin.OIN // who is told
	Subject      Subject
	Facts        Facts
	At           time.Time // when it happened
	Number       int64     // in the organisation's feed, from 1; given by the outbox
}

// Subject is what an event is about.
type Subject struct {
	Kind SubjectKind
	ID   string
}

// SubjectKind is the kind of a thing that the registry administers.
type SubjectKind string

// The kinds of subjects.
const (
	Contract     SubjectKind = "contract" // by content hash
	Client       SubjectKind = "client"
	Service      SubjectKind = "service" // by slug
	Organisation SubjectKind = "organisation"
	Proposal     SubjectKind = "proposal"
	ChannelKind  SubjectKind = "channel"
)

// Facts are the details of an event by their Dutch names on the wire. Which ones an event has is fixed by its type.
type Facts map[Fact]string

// Fact is the name of a detail.
type Fact string

// The facts.
const (
	Days         Fact = "dagen"       // whole days until EndDate
	Count        Fact = "aantal"      // a number
	EndDate      Fact = "einddatum"   // 2026-11-23
	Since        Fact = "sinds"       // 2026-11-23
	Counterparty Fact = "wederpartij" // OIN of the other side
	Supplier     Fact = "leverancier" // OIN
	Provider     Fact = "aanbieder"   // OIN
	ServiceSlug  Fact = "dienst"
	APIVersion   Fact = "versie" // 2.1.0
	StepName     Fact = "stap"   // short name of a step of joining
)

var (
	idShape      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	subjectShape = regexp.MustCompile(`^[A-Za-z0-9$._~-]{1,200}$`)
	numberShape  = regexp.MustCompile(`^(0|[1-9][0-9]{0,5})$`) // too short for a BSN
	dateShape    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	slugShape    = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	versionShape = regexp.MustCompile(`^v?[0-9]{1,4}(\.[0-9]{1,4}){0,2}(-[a-z0-9.]{1,20})?$`)
)

// shapes are all that facts can say. No shape takes text, so no event carries the name, address or number of a person.
var shapes = map[Fact]func(string) bool{
	Days: numberShape.MatchString, Count: numberShape.MatchString, EndDate: date, Since: date, Counterparty: isOIN, Supplier: isOIN, Provider: isOIN,
	ServiceSlug: slugShape.MatchString, APIVersion: versionShape.MatchString, StepName: slugShape.MatchString,
}

func date(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil && dateShape.MatchString(s)
}

func isOIN(s string) bool {
	_, err := oin.Parse(s)
	return err == nil
}

// Check tells everything that is wrong with an event. A fault is one of the program that made it, never of a caller.
func (e *Event) Check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	kind, known := catalogue[e.Type]
	if !known {
		return fmt.Errorf("event type %q is unknown", e.Type)
	}
	if e.ID != "" && !idShape.MatchString(e.ID) {
		fault("id is not a UUIDv7")
	}
	if _, err := oin.Parse(e.Organisation.String()); err != nil {
		fault("organisation: %w", err)
	}
	if e.Subject.Kind != kind.subject || !subjectShape.MatchString(e.Subject.ID) {
		fault("subject is not the id of a %s", kind.subject)
	}
	if e.At.IsZero() {
		fault("time is missing")
	}
	for _, name := range kind.facts {
		if value, ok := e.Facts[name]; !ok {
			fault("fact %s is missing", name)
		} else if !shapes[name](value) {
			fault("fact %s does not have its shape", name) // the value is not repeated: it may be what must not be told
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Facts)) {
		if !slices.Contains(kind.facts, name) {
			fault("fact %s does not belong to it", name)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("event %s: %w", e.Type, err)
	}
	return nil
}
