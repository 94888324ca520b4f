package processing

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"noorderhub.nl/hub/libs/errs"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// testBSN is from the range that RvIG gives out for tests.
const testBSN = "999993653"

func good() Record {
	return Record{
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", SpanID: "00f067aa0ba902b7", Status: "Ok", Name: "adres opzoeken",
		StartTime: now.UnixMilli() - 10, EndTime: now.UnixMilli(),
		Resource: map[string]string{"service.name": "vergunningen", "service.version": "2.1"},
		Attributes: map[string]string{
			keyActivity: "https://register.example.nl/verwerkingen/12/versie/3", keySubject: testBSN, keySubjectType: subjectBSN,
			keyProcessor: "https://bag.example.nl", keyErrorType: "Timeout",
		},
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Record)
		want   []string // name and code of each fault
	}{
		{"a full record", func(*Record) {}, nil},
		{"a record without a subject", func(r *Record) { delete(r.Attributes, keySubject); delete(r.Attributes, keySubjectType) }, nil},
		{"a subject of another kind", func(r *Record) {
			r.Attributes[keySubject], r.Attributes[keySubjectType] = "K-17", "urn:example:klantnummer"
		}, nil},
		{"a URN as activity", func(r *Record) { r.Attributes[keyActivity] = "urn:uuid:0193a000-0000-7000-8000-000000000001" }, nil},
		{"status Unset for a business refusal", func(r *Record) { r.Status = "Unset" }, nil},
		{"a status of another standard", func(r *Record) { r.Status = "OK" }, []string{"/0/status enum"}},
		{"an id of zeros", func(r *Record) { r.SpanID = strings.Repeat("0", 16) }, []string{"/0/span_id format"}},
		{"an id in capitals", func(r *Record) { r.TraceID = strings.ToUpper(r.TraceID) }, []string{"/0/trace_id format"}},
		{"a parent of the wrong length", func(r *Record) { r.ParentSpanID = "12" }, []string{"/0/parent_span_id format"}},
		{"an end before the start", func(r *Record) { r.EndTime = r.StartTime - 1 }, []string{"/0/end_time order"}},
		{"times in nanoseconds", func(r *Record) { r.StartTime *= 1000000; r.EndTime *= 1000000 }, []string{"/0/start_time range", "/0/end_time range"}},
		{"an employee", func(r *Record) { r.Attributes["user.id"] = "j.jansen" }, []string{"/0/attributes/user.id unknown"}},
		{"an attribute of the application off the list", func(r *Record) { r.Resource["host.name"] = "x" }, []string{"/0/resource/attributes/host.name unknown"}},
		{"no activity", func(r *Record) { delete(r.Attributes, keyActivity) }, []string{"/0/attributes/" + keyActivity + " format"}},
		{"an activity with a query", func(r *Record) { r.Attributes[keyActivity] += "?bsn=1" }, []string{"/0/attributes/" + keyActivity + " format"}},
		{"a subject without type", func(r *Record) { delete(r.Attributes, keySubjectType) }, []string{"/0/attributes/" + keySubjectType + " required"}},
		{"a type without subject", func(r *Record) { delete(r.Attributes, keySubject) }, []string{"/0/attributes/" + keySubjectType + " required"}},
		{"two subjects in one record", func(r *Record) { r.Attributes[keySubject] += "," + testBSN }, []string{"/0/attributes/" + keySubject + " format"}},
		{"a number that is no BSN", func(r *Record) { r.Attributes[keySubject] = "123456789" }, []string{"/0/attributes/" + keySubject + " format"}},
		{"a plain processor", func(r *Record) { r.Attributes[keyProcessor] = "http://bag.example.nl" }, []string{"/0/attributes/" + keyProcessor + " format"}},
		{"a BSN in the name", func(r *Record) { r.Name = "zoek " + testBSN }, []string{"/0/name personal-data"}},
		{"a name with a line end", func(r *Record) { r.Name = "a\nb" }, []string{"/0/name characters"}},
		{"a name that is too long", func(r *Record) { r.Name = strings.Repeat("a", maxText+1) }, []string{"/0/name length"}},
		{"a controller that is no OIN", func(r *Record) { r.Controller = "assen" }, []string{"/0/verantwoordelijke format"}},
		{"many faults at once", func(r *Record) { *r = Record{Status: "x"} }, []string{
			"/0/trace_id format", "/0/span_id format", "/0/status enum", "/0/start_time range", "/0/end_time range", "/0/attributes/" + keyActivity + " format"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := good()
			tt.change(&r)
			var got []string
			for _, f := range r.Check("/0", now) {
				got = append(got, f.Name+" "+f.Code)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestANameIsFilledInRatherThanRefused(t *testing.T) {
	r := good()
	r.Name = ""
	if faults := r.Check("", now); faults != nil || r.Name != defaultName {
		t.Errorf("got %v and name %q", faults, r.Name)
	}
}

func TestExceptionTextsLoseLongDigitRuns(t *testing.T) {
	r := good()
	r.Attributes[keyErrorMessage] = "burger " + testBSN + " op 1234 niet gevonden"
	if faults := r.Check("", now); faults != nil {
		t.Fatal(faults)
	}
	if got, want := r.Attributes[keyErrorMessage], "burger ######### op 1234 niet gevonden"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// No attribute off the list is ever taken, whatever its name.
func TestNothingOffTheListIsTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.OneOf(rapid.String(), rapid.SampledFrom(slices.Sorted(maps.Keys(allowed)))).Draw(t, "key")
		r := good()
		if _, known := allowed[key]; known {
			return
		}
		r.Attributes[key] = rapid.String().Draw(t, "value")
		faults := r.Check("", now)
		if len(faults) != 1 || faults[0].Code != "unknown" {
			t.Fatalf("attribute %q: got %v", key, faults)
		}
	})
}

func TestAssign(t *testing.T) {
	const assen, groningen = "00000099000000002000", "00000099000000001000"
	tests := []struct {
		name       string
		controller string
		sender     Sender
		want       string
		kind       errs.Kind
	}{
		{"none named", "", Sender{OIN: assen}, assen, 0},
		{"itself named", assen, Sender{OIN: assen}, assen, 0},
		{"another named", groningen, Sender{OIN: assen}, groningen, errs.Forbidden},
		{"another named by the hub", groningen, Sender{OIN: assen, Hub: true}, groningen, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Record{Controller: tt.controller}
			err := r.Assign(tt.sender)
			if (err != nil) != (tt.kind != 0) || err != nil && errs.KindOf(err) != tt.kind {
				t.Errorf("got %v", err)
			}
			if r.Controller != tt.want {
				t.Errorf("controller: got %s, want %s", r.Controller, tt.want)
			}
		})
	}
}

func TestPseudonyms(t *testing.T) {
	if _, err := NewPseudonyms([]byte("short")); err == nil {
		t.Error("a short master key was taken")
	}
	one, err := NewPseudonyms([]byte(strings.Repeat("a", 32)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewPseudonyms([]byte(strings.Repeat("b", 32)))
	if err != nil {
		t.Fatal(err)
	}
	of := func(p *Pseudonyms, controller, kind, subject string) string {
		got, err := p.Of(controller, kind, subject)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	base := of(one, "1", "BSN", testBSN)
	if base != of(one, "1", "BSN", testBSN) {
		t.Error("a pseudonym is not stable")
	}
	for name, different := range map[string]string{
		"another controller": of(one, "2", "BSN", testBSN), "another subject": of(one, "1", "BSN", "999990019"),
		"another type": of(one, "1", "urn:x", testBSN), "another master key": of(other, "1", "BSN", testBSN),
		"a shifted border": of(one, "1", "BSN:9", testBSN[1:]),
	} {
		if different == base {
			t.Errorf("%s gives the same pseudonym", name)
		}
	}
	if _, err := one.Of("", "BSN", testBSN); err == nil {
		t.Error("a pseudonym without controller was given")
	}
}
