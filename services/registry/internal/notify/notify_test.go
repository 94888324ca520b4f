package notify_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

const (
	assen     = oin.OIN("00000099000000002000")
	groningen = oin.OIN("00000099000000001000")
)

var noon = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC) // 12:00 in Amsterdam, a Monday

// sample makes an event of a type with facts of the right shape.
func sample(t notify.Type) notify.Event {
	values := map[notify.Fact]string{
		notify.Days: "30", notify.Count: "7", notify.EndDate: "2026-12-23", notify.Since: "2026-11-01", notify.Counterparty: string(groningen),
		notify.Supplier: string(groningen), notify.Provider: string(groningen), notify.ServiceSlug: "bag", notify.APIVersion: "2.1.0", notify.StepName: "voorwaarden",
	}
	e := notify.Event{Type: t, Organisation: assen, Subject: notify.Subject{Kind: t.Subject(), ID: "assen-zaken"}, Facts: notify.Facts{}, At: noon}
	for _, name := range t.Facts() {
		e.Facts[name] = values[name]
	}
	return e
}

func TestEveryTypeHasAnEventThatPasses(t *testing.T) {
	if len(notify.Types()) < 30 {
		t.Fatalf("got %d types", len(notify.Types()))
	}
	for _, name := range notify.Types() {
		e := sample(name)
		if err := e.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestAnEventHoldsWhatItsTypeHasAndNothingElse(t *testing.T) {
	for name, spoil := range map[string]func(*notify.Event){
		"an unknown type":              func(e *notify.Event) { e.Type = "contract.vanished" },
		"no type":                      func(e *notify.Event) { e.Type = "" },
		"an id that is no UUIDv7":      func(e *notify.Event) { e.ID = "4f9b2b5e-97f4-4c0d-8a77-6d6d7a1a2b3c" },
		"no organisation":              func(e *notify.Event) { e.Organisation = "" },
		"a subject of another kind":    func(e *notify.Event) { e.Subject.Kind = notify.Client },
		"a subject with a line end":    func(e *notify.Event) { e.Subject.ID = "a\r\nBcc: x" },
		"a mail address as subject":    func(e *notify.Event) { e.Subject.ID = "j.jansen@assen.nl" },
		"no time":                      func(e *notify.Event) { e.At = time.Time{} },
		"a fact too few":               func(e *notify.Event) { delete(e.Facts, notify.Days) },
		"a fact too many":              func(e *notify.Event) { e.Facts[notify.ServiceSlug] = "bag" },
		"a fact nobody knows":          func(e *notify.Event) { e.Facts["naam"] = "J. Jansen" },
		"a name for an organisation":   func(e *notify.Event) { e.Facts[notify.Counterparty] = "Jan Jansen" },
		"a BSN for a number":           func(e *notify.Event) { e.Facts[notify.Days] = "999993653" },
		"a date that does not exist":   func(e *notify.Event) { e.Facts[notify.EndDate] = "2026-02-30" },
		"a date with something behind": func(e *notify.Event) { e.Facts[notify.EndDate] = "2026-02-20\nX" },
	} {
		t.Run(name, func(t *testing.T) {
			e := sample(notify.ContractExpires)
			spoil(&e)
			err := e.Check()
			if err == nil {
				t.Fatal("taken")
			}
			if strings.Contains(err.Error(), "Jansen") || strings.Contains(err.Error(), "999993653") {
				t.Errorf("the error tells what must not be told: %v", err)
			}
		})
	}
}

func mailbox() notify.Channel {
	return notify.Channel{Organisation: assen, Kind: notify.Mail, Address: "beheer@assen.nl", Language: notify.Dutch}
}

func hook() notify.Channel {
	return notify.Channel{Organisation: assen, Kind: notify.Webhook, Address: "https://hooks.assen.nl/hub"}
}

func TestAChannelIsRefusedWithAllItsFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		c    notify.Channel
		want []string
	}{
		"a mailbox":            {mailbox(), nil},
		"a webhook":            {hook(), nil},
		"some types":           {func() notify.Channel { c := hook(); c.Types = []notify.Type{notify.KeyExpires}; return c }(), nil},
		"of no kind":           {notify.Channel{}, []string{"soort"}},
		"a header in it":       {func() notify.Channel { c := mailbox(); c.Address = "a@b.nl\r\nBcc: x@y.nl"; return c }(), []string{"adres"}},
		"two addresses":        {func() notify.Channel { c := mailbox(); c.Address = "a@b.nl,c@d.nl"; return c }(), []string{"adres"}},
		"a name with it":       {func() notify.Channel { c := mailbox(); c.Address = "A <a@b.nl>"; return c }(), []string{"adres"}},
		"a quoted local part":  {func() notify.Channel { c := mailbox(); c.Address = `"a b"@c.nl`; return c }(), []string{"adres"}},
		"an address literal":   {func() notify.Channel { c := mailbox(); c.Address = "a@[127.0.0.1]"; return c }(), []string{"adres"}},
		"a host without a dot": {func() notify.Channel { c := mailbox(); c.Address = "root@localhost"; return c }(), []string{"adres"}},
		"a long local part":    {func() notify.Channel { c := mailbox(); c.Address = strings.Repeat("a", 65) + "@b.nl"; return c }(), []string{"adres"}},
		"no language":          {func() notify.Channel { c := mailbox(); c.Language = "fy"; return c }(), []string{"taal"}},
		"plain http":           {func() notify.Channel { c := hook(); c.Address = "http://hooks.assen.nl/"; return c }(), []string{"adres"}},
		"a webhook of mail":    {func() notify.Channel { c := hook(); c.Digest = true; c.Person = "jan"; return c }(), []string{"soort"}},
		"a pin that is none":   {func() notify.Channel { c := hook(); c.Pin = "abc"; return c }(), []string{"pin"}},
		"a type nobody knows":  {func() notify.Channel { c := hook(); c.Types = []notify.Type{"x"}; return c }(), []string{"soorten"}},
		"a type twice": {func() notify.Channel {
			c := hook()
			c.Types = []notify.Type{notify.KeyExpires, notify.KeyExpires}
			return c
		}(), []string{"soorten"}},
		"all wrong": {notify.Channel{Kind: notify.Mail, Address: "x", CA: "x", Person: "Jan J", Types: []notify.Type{"x"}},
			[]string{"adres", "taal", "ca", "persoon", "soorten"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.c.Check()
			var refusal *errs.Error
			var got []string
			if errors.As(err, &refusal) {
				for _, f := range refusal.Fields {
					got = append(got, f.Name)
				}
			}
			if strings.Join(got, " ") != strings.Join(tt.want, " ") || (err == nil) != (tt.want == nil) {
				t.Errorf("got faults in %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAMuteMatchesWhatItNames(t *testing.T) {
	jan := notify.Channel{ID: "c1", Person: "jan"}
	team := notify.Channel{ID: "c2"}
	later := noon.Add(time.Hour)
	for name, tt := range map[string]struct {
		m         notify.Mute
		jan, team bool
	}{
		"everything":         {notify.Mute{Until: later}, true, true},
		"over":               {notify.Mute{Until: noon}, false, false},
		"a person":           {notify.Mute{Person: "jan", Until: later}, true, false},
		"a channel":          {notify.Mute{Channel: "c2", Until: later}, false, true},
		"a type":             {notify.Mute{Type: notify.KeyExpires, Until: later}, true, true},
		"another type":       {notify.Mute{Type: notify.KeyAdded, Until: later}, false, false},
		"a person and type":  {notify.Mute{Person: "jan", Type: notify.KeyExpires, Until: later}, true, false},
		"another's channel":  {notify.Mute{Person: "jan", Channel: "c2", Until: later}, false, false},
		"a person, too late": {notify.Mute{Person: "jan", Until: noon.Add(-time.Hour)}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			mutes := []notify.Mute{tt.m}
			if got := notify.Muted(mutes, &jan, notify.KeyExpires, noon); got != tt.jan {
				t.Errorf("jan: got %v, want %v", got, tt.jan)
			}
			if got := notify.Muted(mutes, &team, notify.KeyExpires, noon); got != tt.team {
				t.Errorf("team: got %v, want %v", got, tt.team)
			}
		})
	}
	for name, m := range map[string]notify.Mute{
		"without end":   {},
		"in the past":   {Until: noon.Add(-time.Second)},
		"for two years": {Until: noon.AddDate(2, 0, 0)},
		"of a type":     {Until: later, Type: "x"},
		"of a name":     {Until: later, Person: "Jan Jansen"},
	} {
		if err := m.Check(noon); err == nil {
			t.Errorf("a mute %s was taken", name)
		}
	}
}

func TestTheBackoffOutlivesAWeekendAndNeverExceedsADay(t *testing.T) {
	for range 200 {
		total := time.Duration(0)
		for n := 1; n < notify.MaxAttempts; n++ {
			d := notify.Backoff(n, 0)
			if d < 24*time.Second || d > 24*time.Hour {
				t.Fatalf("got a pause of %v after attempt %d", d, n)
			}
			total += d
		}
		if total < 64*time.Hour {
			t.Fatalf("got %v over all attempts, want more than from Friday 17:00 to Monday 09:00", total)
		}
	}
	if got := notify.Backoff(1, time.Hour); got != time.Hour {
		t.Errorf("got %v, want the hour that was asked", got)
	}
	if got := notify.Backoff(1, 1000*time.Hour); got != 24*time.Hour {
		t.Errorf("got %v for a Retry-After of weeks, want a day", got)
	}
	if got := notify.Backoff(1<<40, 0); got > 24*time.Hour || got < 19*time.Hour {
		t.Errorf("got %v after very many attempts", got)
	}
}

func TestDigestsGoOutAtTheHourOfThePlace(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	r := notify.Rhythm{Hour: 7, Location: amsterdam}
	for name, tt := range map[string]struct{ now, want, day string }{
		"in the night":     {"2026-11-23T02:00:00+01:00", "2026-11-23T07:00:00+01:00", "2026-11-23"},
		"at the moment":    {"2026-11-23T07:00:00+01:00", "2026-11-24T07:00:00+01:00", "2026-11-24"},
		"in the afternoon": {"2026-11-30T15:00:00+01:00", "2026-12-01T07:00:00+01:00", "2026-12-01"},
		"into summer time": {"2026-03-28T15:00:00+01:00", "2026-03-29T07:00:00+02:00", "2026-03-29"},
		"out of it":        {"2026-10-24T15:00:00+02:00", "2026-10-25T07:00:00+01:00", "2026-10-25"},
	} {
		now, _ := time.Parse(time.RFC3339, tt.now)
		want, _ := time.Parse(time.RFC3339, tt.want)
		at, day := notify.Next(r, now)
		if !at.Equal(want) || day != tt.day {
			t.Errorf("%s: got %v, %s; want %v, %s", name, at, day, want, tt.day)
		}
	}
}
