// Package mail sends notifications by SMTP: plain text in Dutch or English, to the mailbox of a person or a team, one by
// one or as a daily digest.
package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// Security says how the connection to the mail server is protected.
type Security string

// The ways. None is for a server on loopback.
const (
	StartTLS Security = "starttls" // required, not tried: who strips it off gets nothing
	Implicit Security = "tls"
	None     Security = "none"
)

// Options of a Sender.
type Options struct {
	Server   string         // host:port
	Security Security       // default StartTLS
	Roots    *x509.CertPool // trust anchors; nil: the system's
	User     string         // empty: the server asks for no password
	Password config.Secret
	From     string // mail address, may have a name
	Hub      string // outside URL, without path

	Name     func(oin.OIN) string // what people call an organisation; nil: OINs are shown
	Location *time.Location       // whose clock the texts use
	Now      func() time.Time     // nil: the clock
}

// Sender is a notify.Sender.
type Sender struct {
	o      Options
	host   string // of the server
	from   mail.Address
	domain string // of From, for ids
	hello  string // how the hub introduces itself
	texts  *writer
	tls    *tls.Config
}

var _ notify.Sender = (*Sender)(nil)

// New makes a sender. Nothing is sent before the first message.
func New(o Options) (*Sender, error) {
	s := &Sender{o: o}
	var faults []error
	fault := func(text string) { faults = append(faults, errors.New("mail: "+text)) }
	var err error
	if s.host, _, err = net.SplitHostPort(o.Server); err != nil || s.host == "" {
		fault("server is not host:port")
	}
	if o.Security == "" {
		s.o.Security = StartTLS
	}
	switch s.o.Security {
	case StartTLS, Implicit:
	case None:
		if ip := net.ParseIP(s.host); ip == nil || !ip.IsLoopback() {
			fault("without TLS only a server on a loopback address is used")
		}
		if o.User != "" {
			fault("a password does not travel without TLS")
		}
	default:
		fault("security is not one of starttls, tls, none")
	}
	if from, err := mail.ParseAddress(o.From); err != nil || strings.ContainsAny(o.From, "\r\n") {
		fault("from is not a mail address")
	} else {
		s.from = *from
		s.domain = from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	}
	if u, err := url.Parse(o.Hub); err != nil || u.Hostname() == "" {
		fault("hub is not a URL")
	} else {
		s.hello = u.Hostname()
	}
	if o.Location == nil {
		fault("location is missing")
	}
	if o.Now == nil {
		s.o.Now = time.Now
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	s.tls = &tls.Config{ServerName: s.host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	s.texts, err = newWriter(s.o)
	return s, err
}
