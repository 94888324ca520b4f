package notify

import (
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
)

// Mute keeps channels of an organisation quiet for a time. Channel, Person and Type each narrow it; empty matches all. The
// feed has the events all the same.
type Mute struct {
	ID           string
	Organisation oin.OIN
	Channel      string // id
	Person       string // all channels of this person
	Type         Type
	Until        time.Time
	By           string // who muted
	At           time.Time
}

const (
	// MaxMutes of one organisation that hold at a time.
	MaxMutes = 200
	// maxMute is how long at most: silence that nobody remembers is how certificates expire unseen.
	maxMute = 366 * 24 * time.Hour
)

// Check refuses a mute with all its faults at once.
func (m *Mute) Check(now time.Time) error {
	var fields []errs.Field
	if m.Type != "" && !m.Type.Known() {
		fields = append(fields, errs.Field{Name: "soort", Code: "enum", Reason: "is no type of event"})
	}
	if !m.Until.After(now) || m.Until.After(now.Add(maxMute)) {
		fields = append(fields, errs.Field{Name: "tot", Code: "range", Reason: "must lie in the future, at most 366 days away"})
	}
	if m.Person != "" && !personShape.MatchString(m.Person) {
		fields = append(fields, errs.Field{Name: "persoon", Code: "format", Reason: "must be the id of a person"})
	}
	if len(fields) > 0 {
		return codeMute.New("%d fields of the mute are not right", len(fields)).WithFields(fields...)
	}
	return nil
}

// Muted tells whether one of the mutes keeps a channel quiet about a type at a moment.
func Muted(mutes []Mute, c *Channel, t Type, now time.Time) bool {
	for _, m := range mutes {
		if m.Until.After(now) && (m.Channel == "" || m.Channel == c.ID) && (m.Person == "" || m.Person == c.Person) && (m.Type == "" || m.Type == t) {
			return true
		}
	}
	return false
}
