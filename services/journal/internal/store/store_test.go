package store

import (
	"testing"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/journal/internal/waterfall"
)

func TestSpansArePurgedByTheTimeTheyCame(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, err := New(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
		add := func(id string, received time.Time) {
			t.Helper()
			span := waterfall.Span{TraceID: trace, ID: id, Name: "n", Start: 1, End: 2, Attributes: map[string]string{"http.route": "/x"}}
			if err := s.AddSpans(t.Context(), []waterfall.Span{span}, received); err != nil {
				t.Fatal(err)
			}
		}
		add("0000000000000001", now.Add(-48*time.Hour))
		add("0000000000000002", now)
		add("0000000000000002", now) // sent again
		if n, err := s.PurgeSpans(t.Context(), now.Add(-24*time.Hour)); err != nil || n != 1 {
			t.Errorf("purged: got %d, %v, want 1", n, err)
		}
		left, err := s.Spans(t.Context(), trace, 10)
		if err != nil || len(left) != 1 || left[0].ID != "0000000000000002" || left[0].Attributes["http.route"] != "/x" {
			t.Errorf("left: got %+v, %v, want the second", left, err)
		}
	})
}

func TestABatchOfManyStatementsIsStoredWhole(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, err := New(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
		spans := make([]waterfall.Span, 3000) // many statements, the last one not full
		for i := range spans {
			spans[i] = waterfall.Span{TraceID: trace, ID: time.UnixMicro(int64(i)).UTC().Format("150405.000000"), Start: int64(i + 1), End: int64(i + 2)}
		}
		if err := s.AddSpans(t.Context(), spans, time.Now()); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Spans(t.Context(), trace, 5000); err != nil || len(got) != len(spans) {
			t.Errorf("got %d spans, %v, want %d", len(got), err, len(spans))
		}
	})
}
