package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"noorderhub.nl/hub/services/registry/internal/notify"
)

// compose writes a message as RFC 5322 has it: plain text, every line 7-bit.
func (s *Sender) compose(m notify.Message, now time.Time) ([]byte, error) {
	subject, body, err := s.texts.text(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", s.from.String()},
		{"To", "<" + m.Channel.Address + ">"},
		{"Subject", mime.QEncoding.Encode("utf-8", short(subject))},
		{"Date", now.In(s.o.Location).Format(time.RFC1123Z)},
		{"Message-ID", messageID(m, s.domain)},
		{"List-Id", "Noorderhub <meldingen." + s.domain + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: no out-of-office answers
		{"X-Auto-Response-Suppress", "All"},  // the same for Exchange
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
		{"Content-Language", string(m.Channel.Language)},
	} {
		if err := header(&b, h[0], h[1]); err != nil {
			return nil, err
		}
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(body)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// maxHeader bounds a value. Its lines are far shorter: text that is not ASCII is folded, the rest is kept short.
const maxHeader = 4000

// header writes one field. Nothing that could begin another one gets through, whatever the value was made of.
func header(b *bytes.Buffer, name, value string) error {
	if strings.ContainsFunc(value, func(r rune) bool { return r < 0x20 || r >= 0x7f }) || len(value) > maxHeader {
		return fmt.Errorf("mail header %s is too long or holds a character that cannot stand there", name)
	}
	// Encoded words get lines of their own; mime puts one space between them.
	b.WriteString(name + ": " + strings.ReplaceAll(value, "?= =?", "?=\r\n =?") + "\r\n")
	return nil
}

// short keeps a subject to what programs show of it.
func short(subject string) string {
	const most = 150
	if runes := []rune(subject); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return subject
}

// messageID is the same for the same events to the same channel, however often they are sent: who gets a message twice can
// see it. It tells neither.
func messageID(m notify.Message, domain string) string {
	h := sha256.New()
	h.Write([]byte(m.Channel.ID + "\n" + m.Channel.Address))
	for _, e := range m.Events {
		h.Write([]byte("\n" + e.ID))
	}
	return "<" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:20])) + "@" + domain + ">"
}
