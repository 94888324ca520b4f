package imbag

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIdentificationsSayTheirType(t *testing.T) {
	for text, want := range map[string]Type{
		"1012": Locality, "0457300000000001": PublicSpace, "0424200000017336": Designation, "0457010000000455": AccommodationUnit,
		"0457020000001067": Berth, "0457030000000001": Pitch, "0424100000001574": Building, "9999209999999999": Designation,
	} {
		id, ok := ParseID(text)
		if !ok || id.Type() != want || id.String() != text {
			t.Errorf("%s: got %v of type %v as %s, want %v", text, ok, id.Type(), id, want)
		}
	}
	for _, text := range []string{"", "0000", "12", "12345", "0457990000000001", "045720000000000", "04572000000000011", "045720000000000X", "-457200000000001", "0000000000000457"} {
		if id, ok := ParseID(text); ok {
			t.Errorf("%q: got %s, want no identification", text, id)
		}
	}
}

func TestPostcodes(t *testing.T) {
	for text, want := range map[string]string{"9990AA": "9990AA", "1000AB": "1000AB", "9990 aa": "9990AA", "9999ZZ": "9999ZZ"} {
		if p, ok := ParsePostcode(text); !ok || p.String() != want {
			t.Errorf("%s: got %s %v, want %s", text, p, ok, want)
		}
	}
	for _, text := range []string{"", "0990AA", "999AA", "9990A", "9990A1", "9990  AA", "9990AAA", "99 90AA"} {
		if p, ok := ParsePostcode(text); ok {
			t.Errorf("%q: got %s, want none", text, p)
		}
	}
}

func TestDatesAreThoseOfTheCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 3_650_000).Draw(t, "day"))
		text := day.Format(time.DateOnly)
		if d, ok := ParseDate(text); !ok || d != DateOf(day) || d.String() != text {
			t.Fatalf("%s: got %v %v, want %v", text, d, ok, DateOf(day))
		}
	})
	for _, text := range []string{"2023-02-29", "1900-02-29", "2023-13-01", "2023-00-01", "2023-04-31", "0000-01-01", "2023-1-01", "20230101", "2023-01-01Z"} {
		if d, ok := ParseDate(text); ok {
			t.Errorf("%s: got %s, want no date", text, d)
		}
	}
}

func TestMomentsKeepTheirMilliseconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(-60_000_000_000_000, 4_000_000_000_000).Draw(t, "ms")).UTC()
		text := at.Format("2006-01-02T15:04:05.000")
		if m, ok := ParseMoment(text); !ok || int64(m) != at.UnixMilli() || m.String() != text {
			t.Fatalf("%s: got %v %v", text, m, ok)
		}
	})
	for text, want := range map[string]string{"2010-11-15T13:24:58": "2010-11-15T13:24:58.000", "2010-11-15T13:24:58.5": "2010-11-15T13:24:58.500"} {
		if m, ok := ParseMoment(text); !ok || m.String() != want {
			t.Errorf("%s: got %s %v, want %s", text, m, ok, want)
		}
	}
	for _, text := range []string{"2010-11-15", "2010-11-15T24:00:00", "2010-11-15T13:60:00", "2010-11-15T13:24:58Z", "2010-11-15T13:24:58.", "2010-11-15T13:24:58.1234", "2010-11-15 13:24:58"} {
		if m, ok := ParseMoment(text); ok {
			t.Errorf("%s: got %s, want no moment", text, m)
		}
	}
}

func TestEveryStatusBelongsToItsTypesOnly(t *testing.T) {
	ended := 0
	for i, v := range statuses[1:] {
		s, holders := Status(i+1), 0
		for _, typ := range Types() {
			if got, ok := ParseStatus(typ, v.text); ok {
				holders++
				if got != s || got.String() != v.text {
					t.Errorf("%s of a %s: got %d, want %d", v.text, typ, got, s)
				}
			}
		}
		if holders == 0 {
			t.Errorf("%s belongs to no type", v.text)
		}
		if s.Ended() {
			ended++
		}
	}
	if ended != 9 {
		t.Errorf("got %d end statuses, want the nine of huidig.feature", ended)
	}
}

func TestAnOccurrenceHoldsFromItsBeginUntilTheDayBeforeItsEnd(t *testing.T) {
	var o Object
	o.Reset()
	o.Begin, o.End = NewDate(2020, 1, 1), NewDate(2021, 1, 1)
	for day, want := range map[Date]bool{
		NewDate(2019, 12, 31): false, NewDate(2020, 1, 1): true, NewDate(2020, 12, 31): true, NewDate(2021, 1, 1): false,
	} {
		if got := o.ActualOn(day); got != want {
			t.Errorf("on %s: got %v, want %v", day, got, want)
		}
	}
	if o.InactiveLV = 0; o.ActualOn(NewDate(2020, 6, 1)) || o.Class() != Inactive {
		t.Error("an occurrence that was taken back holds")
	}
	if o.NotBAGLV = 0; o.Class() != NotBAG {
		t.Errorf("got class %d, want not of the BAG", o.Class())
	}
}
