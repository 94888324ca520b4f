package notify

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
)

// Channel is a way in which an organisation is told.
type Channel struct {
	ID           string // UUIDv7
	Organisation oin.OIN
	Revision     int64 // grows with every change by a person
	Kind         ChannelType
	Address      string   // mail address, or https URL
	Person       string   // id of the person whose mail address it is; "" for a team's mailbox and for webhooks
	Digest       bool     // mail: once a day, all together
	Language     Language // of mail
	Types        []Type   // what it wants; empty: everything
	CA           string   // webhook: PEM of the authority of the receiver's certificate; "": the system's
	Pin          string   // webhook: base64 of the SHA-256 of the receiver's public key; "": none

	Rate    int // webhook: messages a minute that the receiver takes; 0: no limit
	State   ChannelState
	Last    Result    // of the last try
	Created time.Time // when it came into use
}

// ChannelType is the way of sending.
type ChannelType string

// The ways of sending. The feed is there for every organisation and needs no channel.
const (
	Mail    ChannelType = "mail"
	Webhook ChannelType = "webhook"
)

// ChannelState tells whether a channel is in use.
type ChannelState string

// The states of a channel.
const (
	ChannelActive ChannelState = "active"
	ChannelGone   ChannelState = "ended" // the receiver said 410; a person may change it to bring it back
)

// Language of a mail.
type Language string

// The languages.
const (
	Dutch   Language = "nl"
	English Language = "en"
)

// Result is how the last try on a channel ended.
type Result struct {
	At   time.Time // zero: never tried
	OK   bool
	Text string // e.g. "HTTP 503": nothing that the other side wrote
}

// MaxChannels of one organisation.
const MaxChannels = 50

const (
	maxAddress = 254 // RFC 5321 §4.5.3.1.3, without the angle brackets
	maxLocal   = 64
	maxURL     = 2048
	maxCA      = 16 << 10
)

var (
	// mailShape is the part of RFC 5321 that mailboxes of organisations use: no quoting, no comments, no address literals.
	mailShape   = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$`)
	personShape = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	pinShape    = regexp.MustCompile(`^[A-Za-z0-9+/]{43}=$`)
)

// Check refuses a channel with all its faults at once. What is behind the address is not looked at.
func (c *Channel) Check() error {
	var fields []errs.Field
	fault := func(name, code, reason string) {
		fields = append(fields, errs.Field{Name: name, Code: code, Reason: reason})
	}
	switch c.Kind {
	case Mail:
		at := strings.LastIndexByte(c.Address, '@')
		if len(c.Address) > maxAddress || at > maxLocal || !mailShape.MatchString(c.Address) {
			fault("adres", "format", "must be a mail address such as team@gemeente.nl, without a name")
		}
		if c.Language != Dutch && c.Language != English {
			fault("taal", "enum", "must be nl or en")
		}
		if c.CA != "" || c.Pin != "" {
			fault("ca", "not-allowed", "belongs to webhooks")
		}
	case Webhook:
		if len(c.Address) > maxURL || !strings.HasPrefix(c.Address, "https://") {
			fault("adres", "format", "must be an https URL")
		}
		if c.Person != "" || c.Digest || c.Language != "" {
			fault("soort", "not-allowed", "persoon, dagoverzicht and taal belong to mail")
		}
		if len(c.CA) > maxCA {
			fault("ca", "max-length", "is larger than 16 KiB")
		}
		if c.Pin != "" && !pinShape.MatchString(c.Pin) {
			fault("pin", "format", "must be the base64 of a SHA-256")
		}
	default:
		fault("soort", "enum", "must be mail or webhook")
	}
	if c.Person != "" && !personShape.MatchString(c.Person) {
		fault("persoon", "format", "must be the id of a person")
	}
	for i, t := range c.Types {
		if !t.Known() || t == ChannelTest {
			fault("soorten", "enum", "holds a type of event that does not exist")
			break
		}
		if slices.Contains(c.Types[:i], t) {
			fault("soorten", "unique", "names a type twice")
			break
		}
	}
	if len(fields) > 0 {
		return codeChannel.New("%d fields of the channel are not right", len(fields)).WithFields(fields...)
	}
	return nil
}

// Wants tells whether a channel is told of events of a type. A channel is not told of its own end.
func (c *Channel) Wants(e *Event) bool {
	if e.Type == ChannelEnded && e.Subject.ID == c.ID {
		return false
	}
	return len(c.Types) == 0 || slices.Contains(c.Types, e.Type)
}

// Admitted is a channel whose address was shown to take messages: an https receiver that allowed the hub to send. Only the
// Dispatcher makes one, so no other channel can be stored.
type Admitted struct{ channel Channel }

// Channel gives the channel.
func (a Admitted) Channel() Channel { return a.channel }
