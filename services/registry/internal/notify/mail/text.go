package mail

import (
	"bytes"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// One file a language: a template for each type of event, whose first line is the subject, and those around them.
//
//go:embed nl.txt en.txt
var files embed.FS

var months = map[notify.Language][]string{
	notify.Dutch:   {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"},
	notify.English: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// writer makes the texts of mails.
type writer struct {
	o         Options
	templates map[notify.Language]*template.Template
}

func newWriter(o Options) (*writer, error) {
	w := &writer{o: o, templates: map[notify.Language]*template.Template{}}
	for language := range months {
		t := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
			"name": w.name,
			"date": func(text string) (string, error) { return dateIn(language, text) },
			"days": func(text string) string { return daysIn(language, text) },
		})
		t, err := t.ParseFS(files, string(language)+".txt")
		if err != nil {
			return nil, fmt.Errorf("mail templates: %w", err)
		}
		w.templates[language] = t
	}
	return w, nil
}

// name is what people call an organisation; its OIN when nobody knows.
func (w *writer) name(o string) string {
	if w.o.Name != nil {
		if name := oneLine(w.o.Name(oin.OIN(o))); name != "" {
			return name
		}
	}
	return "OIN " + o
}

// oneLine drops what cannot stand in a subject: line ends and other control characters, and what would be read as an
// encoded word.
func oneLine(s string) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return r < 0x20 || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029
	})
	return strings.ReplaceAll(strings.Join(words, " "), "=?", "= ?")
}

func dateIn(language notify.Language, text string) (string, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s %d", t.Day(), months[language][t.Month()-1], t.Year()), nil
}

func daysIn(language notify.Language, text string) string {
	switch {
	case language == notify.Dutch && text == "1":
		return "1 dag"
	case language == notify.Dutch:
		return text + " dagen"
	case text == "1":
		return "1 day"
	}
	return text + " days"
}

// page is what templates see.
type page struct {
	Organisation string // name of who is told
	Subject      string // id of what it is about
	Facts        map[string]string
	Time         string
	Hub          string // outside URL
	Lines        []string
	Count        int
	Day          string
}

func (w *writer) page(language notify.Language, e *notify.Event) page {
	p := page{Organisation: w.name(e.Organisation.String()), Subject: e.Subject.ID, Hub: w.o.Hub, Facts: map[string]string{}}
	for name, value := range e.Facts {
		p.Facts[string(name)] = value
	}
	at := e.At.In(w.o.Location)
	p.Time = fmt.Sprintf("%d %s %s", at.Day(), months[language][at.Month()-1], at.Format("15:04"))
	return p
}

// text gives subject and body of a message.
func (w *writer) text(m notify.Message) (subject, body string, err error) {
	t, ok := w.templates[m.Channel.Language]
	if !ok {
		return "", "", fmt.Errorf("no mail in language %q", m.Channel.Language)
	}
	if m.Digest {
		return w.digest(t, m)
	}
	e := &m.Events[0]
	p := w.page(m.Channel.Language, e)
	if subject, body, err = parts(t, string(e.Type), p); err != nil {
		return "", "", err
	}
	return subject, body, around(t, &body, p)
}

// digest lists the subjects of all events.
func (w *writer) digest(t *template.Template, m notify.Message) (subject, body string, err error) {
	var p page
	lines := make([]string, 0, len(m.Events))
	for i := range m.Events {
		p = w.page(m.Channel.Language, &m.Events[i])
		line, _, err := parts(t, string(m.Events[i].Type), p)
		if err != nil {
			return "", "", err
		}
		lines = append(lines, p.Time+"  "+line)
	}
	p.Lines, p.Count = lines, len(lines)
	if subject, body, err = parts(t, "digest", p); err != nil {
		return "", "", err
	}
	return subject, body, around(t, &body, p)
}

// parts runs a template and takes its first line as the subject.
func parts(t *template.Template, name string, p page) (subject, body string, err error) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, p); err != nil {
		return "", "", fmt.Errorf("mail text %s: %w", name, err)
	}
	subject, body, _ = strings.Cut(strings.TrimSpace(b.String()), "\n")
	return oneLine(subject), strings.TrimSpace(body), nil
}

// around adds the greeting and the foot.
func around(t *template.Template, body *string, p page) error {
	var b bytes.Buffer
	for _, part := range []string{"head", "", "foot"} {
		if part == "" {
			b.WriteString(*body)
			continue
		}
		if err := t.ExecuteTemplate(&b, part, p); err != nil {
			return fmt.Errorf("mail text %s: %w", strconv.Quote(part), err)
		}
	}
	*body = strings.TrimSpace(b.String()) + "\n"
	return nil
}
