// Package cloudevent is an event on the wire: CloudEvents 1.0 in the NL GOV profile 1.1, structured JSON. Webhooks and the
// feed show the same. It is poor in information: who wants more follows dataref with a token.
package cloudevent

import (
	"net/url"
	"strconv"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// MediaType of one event, as the profile's guideline on HTTP writes it.
const MediaType = "application/cloudevents+json; charset=utf-8"

// Prefix begins every type; the type of the event follows, e.g. contract.expires.
const Prefix = "nl.noorderhub.beheer."

// Event is one event. Attributes are named as CloudEvents names them.
type Event struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`     // the same however often it comes: drop what you know
	Source          string    `json:"source"` // urn:nld:oin:{hub}:systeem:beheer
	Type            string    `json:"type"`
	Subject         string    `json:"subject"` // id of what it is about
	Time            time.Time `json:"time"`    // when it was registered
	Sequence        string    `json:"sequence,omitempty"`
	SequenceType    string    `json:"sequencetype,omitempty"`
	DataRef         string    `json:"dataref,omitempty"` // where what it is about can be read
	DataContentType string    `json:"datacontenttype"`
	Data            Data      `json:"data"`
}

// Data is the content: no personal data.
type Data struct {
	Organisation string       `json:"organisatie"` // OIN of who is told
	Subject      Subject      `json:"onderwerp"`
	Facts        notify.Facts `json:"feiten"`
}

// Subject is what an event is about.
type Subject struct {
	Kind string `json:"soort"`
	ID   string `json:"id"`
}

// Source makes events of one hub.
type Source struct {
	Hub string  // outside URL without path
	OIN oin.OIN // of who runs the hub
}

// kinds have the Dutch name of a kind of subject, and the collection of the administration where it is read.
var kinds = map[notify.SubjectKind]struct{ name, path string }{
	notify.Contract:     {"afspraak", "afspraken"},
	notify.Client:       {"client", "clients"},
	notify.Service:      {"dienst", "diensten"},
	notify.Organisation: {"organisatie", "organisaties"},
	notify.Proposal:     {"voorstel", "voorstellen"},
	notify.ChannelKind:  {"kanaal", "kanalen"},
}

// Of gives an event's form on the wire.
func (s Source) Of(e notify.Event) Event {
	kind := kinds[e.Subject.Kind]
	out := Event{
		SpecVersion: "1.0", ID: e.ID, Source: "urn:nld:oin:" + s.OIN.String() + ":systeem:beheer", Type: Prefix + string(e.Type), Subject: e.Subject.ID,
		Time: e.At.UTC(), DataRef: s.Hub + "/beheer/v1/" + kind.path + "/" + url.PathEscape(e.Subject.ID), DataContentType: "application/json",
		Data: Data{Organisation: e.Organisation.String(), Subject: Subject{Kind: kind.name, ID: e.Subject.ID}, Facts: e.Facts},
	}
	if out.Data.Facts == nil {
		out.Data.Facts = notify.Facts{}
	}
	if e.Number > 0 { // within the organisation's feed
		out.Sequence, out.SequenceType = strconv.FormatInt(e.Number, 10), "Integer"
	}
	return out
}
