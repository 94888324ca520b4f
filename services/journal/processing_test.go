package journal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/journal/api"
)

// action is a good processing record about the person with testBSN.
func action(n int) api.ProcessingRecord {
	now := time.Now().UnixMilli()
	return api.ProcessingRecord{
		TraceID: number(32, 7), SpanID: number(16, n), Status: "Ok", Name: "adres opzoeken", StartTime: now - 5, EndTime: now,
		Resource: api.ProcessingResource{Attributes: map[string]string{"service.name": "vergunningen"}},
		Attributes: map[string]string{
			api.AttributeActivity: "https://register.example.nl/verwerkingen/12/versie/3",
			api.AttributeSubject:  testBSN, api.AttributeSubjectType: "BSN",
		},
	}
}

func TestProcessingRecordsAreStoredUnderAPseudonymOfTheirController(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		forAssen := action(2)
		forAssen.Controller = assen
		writes := []struct {
			by      string
			records []api.ProcessingRecord
		}{
			{assen, []api.ProcessingRecord{action(1)}},
			{groningen, []api.ProcessingRecord{action(1)}},
			{hubOIN, []api.ProcessingRecord{forAssen}}, // the hub as processor
		}
		for _, w := range writes {
			if err := r.of(w.by).Write(t.Context(), w.records); err != nil {
				t.Fatalf("write by %s: %v", w.by, err)
			}
		}
		read := func(who string) []api.ProcessingRecord {
			batch, err := r.of(who).Processing(t.Context(), number(32, 7))
			if err != nil {
				t.Fatal(err)
			}
			return batch.Records
		}
		inAssen, inGroningen := read(assen), read(groningen)
		if len(inAssen) != 2 || len(inGroningen) != 1 || len(read(leeuwarden)) != 0 || len(read(hubOIN)) != 0 {
			t.Fatalf("records: assen %d, groningen %d, want 2 and 1 and none elsewhere", len(inAssen), len(inGroningen))
		}
		subject := func(rec api.ProcessingRecord) string { return rec.Attributes[api.AttributeSubject] }
		if subject(inAssen[0]) != subject(inAssen[1]) {
			t.Error("one person has two pseudonyms in one logbook")
		}
		if subject(inAssen[0]) == subject(inGroningen[0]) {
			t.Error("one person has the same pseudonym in two logbooks")
		}
		if !strings.HasPrefix(subject(inAssen[0]), "h1:") {
			t.Errorf("pseudonym: got %q", subject(inAssen[0]))
		}
		// The hub operator has no way into a logbook.
		if batch, err := r.operator().Processing(t.Context(), number(32, 7)); err != nil || len(batch.Records) != 0 {
			t.Errorf("the hub operator reads %d processing records, %v", len(batch.Records), err)
		}
	})
}

func TestProcessingRecordsAreAppendOnlyAndIdempotent(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		first := action(1)
		for range 3 {
			if err := r.of(assen).Write(t.Context(), []api.ProcessingRecord{first}); err != nil {
				t.Fatal(err)
			}
		}
		changed := first
		changed.Status = "Error"
		err := r.of(assen).Write(t.Context(), []api.ProcessingRecord{action(2), changed})
		if got := errs.As(err); err == nil || got.Code.ID != "log-append-only" {
			t.Errorf("a changed record: got %v, want log-append-only", err)
		}
		r.stop()
		r.start()
		batch, err := r.of(assen).Processing(t.Context(), number(32, 7))
		if err != nil {
			t.Fatal(err)
		}
		if len(batch.Records) != 1 || batch.Records[0].Status != "Ok" {
			t.Errorf("after a restart: got %d records, want the first only", len(batch.Records))
		}
	})
}

func TestOnlyTheHubWritesForAnother(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	foreign := action(1)
	foreign.Controller = groningen
	err := r.of(assen).Write(t.Context(), []api.ProcessingRecord{foreign})
	if err == nil || errs.As(err).Code.ID != "not-responsible" {
		t.Errorf("got %v, want not-responsible", err)
	}
}

// The number stands in every place a careless application might put it. Nothing of it may reach the disk.
func TestARawBSNNeverReachesTheDatabase(t *testing.T) {
	dsn := sqldbtest.SQLite(t)
	r := newRig(t, dsn)
	good := action(1)
	good.Attributes["exception.message"] = "burger " + testBSN + " niet gevonden"
	good.Attributes["exception.stacktrace"] = "at zoek(" + testBSN + ")\n\tat main"
	if err := r.of(assen).Write(t.Context(), []api.ProcessingRecord{good}); err != nil {
		t.Fatal(err)
	}
	places := map[string]func(*api.ProcessingRecord){
		"name":           func(a *api.ProcessingRecord) { a.Name = "zoek " + testBSN },
		"activity":       func(a *api.ProcessingRecord) { a.Attributes[api.AttributeActivity] = "https://r.example/" + testBSN },
		"processor":      func(a *api.ProcessingRecord) { a.Attributes[api.AttributeProcessor] = "https://r.example/" + testBSN },
		"resource":       func(a *api.ProcessingRecord) { a.Resource.Attributes["service.name"] = testBSN },
		"another key":    func(a *api.ProcessingRecord) { a.Attributes["bsn"] = testBSN },
		"a key itself":   func(a *api.ProcessingRecord) { a.Attributes[testBSN] = "x" },
		"the type":       func(a *api.ProcessingRecord) { a.Attributes[api.AttributeSubjectType] = "urn:" + testBSN },
		"exception type": func(a *api.ProcessingRecord) { a.Attributes["exception.type"] = testBSN },
	}
	n := 10
	for name, put := range places {
		n++
		bad := action(n)
		put(&bad)
		err := r.of(assen).Write(t.Context(), []api.ProcessingRecord{bad})
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: got %v, want invalid input", name, err)
		} else if strings.Contains(err.Error(), testBSN) || strings.Contains(errs.As(err).Fields[0].Name, testBSN) {
			t.Errorf("%s: the refusal repeats the number", name)
		}
	}
	scan := func(when string) {
		files, err := filepath.Glob(strings.TrimPrefix(dsn, "sqlite:") + "*")
		if err != nil || len(files) == 0 {
			t.Fatalf("database files: %v, %v", files, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(content, []byte(testBSN)) {
				t.Errorf("%s holds the BSN %s", filepath.Base(file), when)
			}
		}
	}
	scan("while running")
	r.stop()
	scan("after the stop")
}
