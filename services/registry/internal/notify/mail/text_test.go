package mail

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

func plainSender(t *testing.T, name func(oin.OIN) string) *Sender {
	t.Helper()
	s, err := New(Options{
		Server: "127.0.0.1:25", Security: None, From: "hub@example.nl", Hub: "https://hub.example.nl", Location: time.UTC, Name: name,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryTypeHasItsTextInBothLanguages(t *testing.T) {
	s := plainSender(t, nil)
	for _, kind := range notify.Types() {
		texts := map[string]bool{}
		for _, language := range []notify.Language{notify.Dutch, notify.English} {
			m := to("team@assen.nl", sample(kind))
			m.Channel.Language = language
			subject, body, err := s.texts.text(m)
			if err != nil {
				t.Errorf("%s in %s: %v", kind, language, err)
				continue
			}
			if len([]rune(subject)) < 10 || len([]rune(subject)) > 110 || strings.Contains(subject+body, "<no value>") {
				t.Errorf("%s in %s: got subject %q", kind, language, subject)
			}
			texts[body] = true
			// Every fact is worth telling, or it would not be there.
			for _, fact := range kind.Facts() {
				want := map[notify.Fact]string{
					notify.Days: "30 ", notify.Count: "7", notify.EndDate: "23 ", notify.Since: "1 nov", notify.Counterparty: "OIN " + string(groningen),
					notify.Supplier: "OIN " + string(groningen), notify.Provider: "OIN " + string(groningen), notify.ServiceSlug: "bag",
					notify.APIVersion: "2.1.0", notify.StepName: "voorwaarden",
				}[fact]
				if !strings.Contains(strings.ToLower(subject+"\n"+body), strings.ToLower(want)) {
					t.Errorf("%s in %s does not tell %s", kind, language, fact)
				}
			}
			if !strings.Contains(subject+body, "assen-zaken") {
				t.Errorf("%s in %s does not tell what it is about", kind, language)
			}
		}
		if len(texts) != 2 {
			t.Errorf("%s has the same text in both languages", kind)
		}
	}
}

func TestATextIsThereForEachTypeThatExistsAndNoOther(t *testing.T) {
	s := plainSender(t, nil)
	around := map[string]bool{"": true, "head": true, "foot": true, "digest": true, "nl.txt": true, "en.txt": true}
	for language, templates := range s.texts.templates {
		for _, template := range templates.Templates() {
			if name := template.Name(); !around[name] && !notify.Type(name).Known() {
				t.Errorf("%s.txt has a text for %q, which nothing is", language, name)
			}
		}
	}
}

// FuzzNoNameMakesAHeader lets an organisation have any name.
func FuzzNoNameMakesAHeader(f *testing.F) {
	for _, seed := range []string{
		"Gemeente Assen", "a\r\nBcc: victim@example.nl", "a\nX: y\n\nbody", "=?utf-8?q?=0D=0ABcc:_x?=", "\u2028Bcc: x", strings.Repeat("é", 500), "\xff\xfe", ".\r\n.\r\nMAIL FROM",
		"?= =?utf-8?q?x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s := plainSender(t, func(oin.OIN) string { return name })
		text, err := s.compose(to("team@assen.nl", sample(notify.AccessRequested)), noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range bytes.Split(text, []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n") || len(line) > 998 {
				t.Fatalf("a line that is none: %q", line)
			}
		}
		m, err := mail.ReadMessage(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Header) != 12 || m.Header.Get("To") != "<team@assen.nl>" || m.Header.Get("Bcc") != "" {
			t.Fatalf("got headers %v", m.Header)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || strings.ContainsAny(subject, "\r\n") {
			t.Fatalf("got subject %q, %v", subject, err)
		}
		if _, err := io.ReadAll(m.Body); err != nil {
			t.Fatal(err)
		}
	})
}
