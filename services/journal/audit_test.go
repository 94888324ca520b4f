package journal_test

import (
	"net/url"
	"slices"
	"testing"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb"
)

// looks gives the audit records held, oldest first, as "organisation act object result".
func looks(t *testing.T, db *sqldb.DB) []string {
	t.Helper()
	found, err := sqldb.Collect(t.Context(), db.Reader(), func(s *string) []any { return []any{s} },
		`SELECT organisation || ' ' || act || ' ' || object || ' ' || result FROM audit ORDER BY at, id`)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryLookOfTheHubOperatorIsRecordedBeforeItIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		db, err := sqldb.Open(t.Context(), r.dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		l := newLog("gw-1")
		l.call(1, assen, groningen)
		ship(t, r, l.records)

		_ = walk(t, r.of(assen), url.Values{}) // an organisation that looks at its own leaves nothing
		_, _ = r.operator().Transaction(t.Context(), transaction(1))
		_, _ = r.operator().Transaction(t.Context(), transaction(2))
		_, _ = r.operator().Trace(t.Context(), number(32, 1))
		_ = walk(t, r.operator(), url.Values{"organisatie": {assen}, "van": {"2026-11-23T10:00:00+01:00"}})
		want := []string{
			hubOIN + " look-transaction " + transaction(1) + " ok",
			hubOIN + " look-transaction " + transaction(2) + " not-found",
			hubOIN + " look-trace " + number(32, 1) + " ok",
			hubOIN + " look-transactions organisatie=" + assen + "&van=2026-11-23T09%3A00%3A00Z ok",
		}
		if got := looks(t, db); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}

		if _, err := db.ExecContext(t.Context(), `DROP TABLE audit`); err != nil {
			t.Fatal(err)
		}
		for name, look := range map[string]func() error{
			"a transaction": func() error { _, err := r.operator().Transaction(t.Context(), transaction(1)); return err },
			"a trace":       func() error { _, err := r.operator().Trace(t.Context(), number(32, 1)); return err },
			"a list":        func() error { _, err := r.operator().Calls(t.Context(), url.Values{}); return err },
		} {
			if err := look(); errs.KindOf(err) != errs.Unavailable {
				t.Errorf("%s without an audit log: got %v, want it refused as unavailable", name, err)
			}
		}
		if _, err := r.of(assen).Transaction(t.Context(), transaction(1)); err != nil {
			t.Errorf("an organisation without an audit log: %v", err)
		}
	})
}
