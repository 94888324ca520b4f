package journal_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/journal/api"
)

// each runs a test against a journal on every database.
func each(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { test(t, newRig(t, dsn)) })
}

func ship(t *testing.T, r *rig, records []api.Record) {
	t.Helper()
	if err := r.as("gateway", nil).Ship(t.Context(), records); err != nil {
		t.Fatalf("ship: %v", err)
	}
}

func TestACallIsAnsweredWithDecisionAndOutcome(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		l := newLog("gw-1")
		l.call(1, assen, groningen)
		ship(t, r, l.records[:1])
		running, err := r.of(assen).Transaction(t.Context(), transaction(1))
		if err != nil {
			t.Fatal(err)
		}
		if len(running.Calls) != 1 || running.Calls[0].Ending != nil {
			t.Fatalf("a call without outcome: got %+v", running)
		}
		ship(t, r, l.records[1:])
		got, err := r.of(assen).Transaction(t.Context(), transaction(1))
		if err != nil {
			t.Fatal(err)
		}
		want := api.Call{
			TransactionID: transaction(1), TraceID: number(32, 1), SpanID: number(16, 1), At: moment, Gateway: "gw-1", Sequence: 1,
			Permit: true, Rule: "grant", Consumer: assen, Provider: groningen, ClientID: "assen-vergunningen",
			Service: "bag", ServiceName: "bag", Operation: "bevraagAdressen", Method: "GET",
			ContractHash: "$1$1$test", GrantHash: "$1$3$test", Purpose: "vergunningverlening", LegalBasis: "publieke taak", SnapshotVersion: "1.7",
			Ending: &api.Ending{Status: 200, AnsweredBy: "service", At: l.records[1].At, DurationUS: 1500, UpstreamUS: 900, ResponseBytes: 321},
		}
		if diff := cmp.Diff([]api.Call{want}, got.Calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestShippingAgainAfterAKillKeepsEachRecordOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		l := newLog("gw-1")
		for n := 1; n <= 30; n++ {
			l.call(n, assen, groningen)
		}
		ship(t, r, l.records[:25])
		r.stop() // the gateway never saw an answer
		r.start()
		ship(t, r, l.records[:40])
		ship(t, r, l.records)
		ship(t, r, l.records)
		head, err := r.as("gateway", nil).Head(t.Context(), "gw-1")
		if err != nil {
			t.Fatal(err)
		}
		if want := (api.Head{Gateway: "gw-1", Sequence: 60, Hash: l.last}); head != want {
			t.Errorf("head: got %+v, want %+v", head, want)
		}
		seen := map[string]int{}
		for _, c := range walk(t, r.of(assen), url.Values{"aantal": {"7"}}) {
			seen[c.TransactionID]++
			if c.Ending == nil {
				t.Errorf("call %s has no outcome", c.TransactionID)
			}
		}
		for n := 1; n <= 30; n++ {
			if got := seen[transaction(n)]; got != 1 {
				t.Errorf("call %d: got it %d times, want once", n, got)
			}
		}
	})
}

// walk follows the cursor to the end.
func walk(t *testing.T, c *api.Client, query url.Values) []api.Call {
	t.Helper()
	var all []api.Call
	for range 100 {
		page, err := c.Calls(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Calls...)
		if page.Next == "" {
			return all
		}
		query.Set("cursor", page.Next)
	}
	t.Fatal("the list has no end")
	return nil
}

func TestTwoShippersAtOnceLoseAndDoubleNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		l := newLog("gw-1")
		for n := 1; n <= 20; n++ {
			l.call(n, assen, groningen)
		}
		failed := make(chan error, 2)
		for range 2 {
			go func() {
				for i := 0; i < len(l.records); i += 5 {
					err := r.as("gateway", nil).Ship(t.Context(), l.records[:i+5])
					for err != nil && errs.KindOf(err) == errs.Unavailable { // busy: the other one is at it
						err = r.as("gateway", nil).Ship(t.Context(), l.records[:i+5])
					}
					if err != nil {
						failed <- err
						return
					}
				}
				failed <- nil
			}()
		}
		for range 2 {
			if err := <-failed; err != nil {
				t.Errorf("ship: %v", err)
			}
		}
		if got := len(walk(t, r.of(assen), url.Values{})); got != 20 {
			t.Errorf("calls: got %d, want 20", got)
		}
	})
}

func TestALogWithAGapOrAChangeIsRefusedWithTheExpectedSequence(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		l := newLog("gw-1")
		for n := 1; n <= 3; n++ {
			l.call(n, assen, groningen)
		}
		ship(t, r, l.records[:2])
		changed := l.records[1]
		changed.Outcome = &api.Outcome{Status: 500, AnsweredBy: "gateway"}
		unchained := l.records[2]
		unchained.Previous = api.Genesis
		tests := []struct {
			name    string
			records []api.Record
			code    string
		}{
			{"a gap", l.records[3:], "log-gap"},
			{"a changed record", []api.Record{changed}, "log-mismatch"},
			{"a record that follows another", []api.Record{unchained}, "log-mismatch"},
			{"a good record before a gap", []api.Record{l.records[2], l.records[4]}, "log-gap"},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				err := r.as("gateway", nil).Ship(t.Context(), tt.records)
				gap, ok := errors.AsType[*api.GapError](err)
				if !ok {
					t.Fatalf("got %v, want a GapError", err)
				}
				if got := errs.As(err).Code.ID; got != tt.code {
					t.Errorf("code: got %s, want %s", got, tt.code)
				}
				if gap.Expected != 3 && tt.name != "a good record before a gap" {
					t.Errorf("expected sequence: got %d, want 3", gap.Expected)
				}
				head, err := r.as("gateway", nil).Head(t.Context(), "gw-1")
				if err != nil || head.Sequence != 2 {
					t.Errorf("head after the refusal: got %d, %v, want 2", head.Sequence, err)
				}
			})
		}
		ship(t, r, l.records)
	})
}

func TestABadBatchIsRefusedWhole(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	l := newLog("gw-1")
	l.call(1, assen, groningen)
	good, err := api.Encode(l.records[0])
	if err != nil {
		t.Fatal(err)
	}
	other := newLog("gw-2")
	other.call(1, assen, groningen)
	foreign, _ := api.Encode(other.records[0])
	tests := []struct {
		name, body string
		status     int
	}{
		{"nothing", "", 400},
		{"no JSON", "x\n", 400},
		{"a cut off line", string(good), 400},
		{"an empty line", string(good) + "\n\n", 400},
		{"a record without ids", `{"kind":"decision"}` + "\n", 400},
		{"lines of two gateways", string(good) + "\n" + string(foreign) + "\n", 400},
		{"a kind that is not there", strings.Replace(string(good), `"decision"`, `"advice"`, 1) + "\n", 400},
		{"a sequence beyond the database", strings.Replace(string(good), `"sequence":1`, `"sequence":18446744073709551615`, 1) + "\n", 400},
		{"too many bytes", strings.Repeat(" ", api.MaxBatchBytes+api.MaxBatchLines+1), 413},
		{"one line that is too long", `{"x":"` + strings.Repeat("a", api.MaxLine) + `"}` + "\n", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, header, _ := r.ask(r.as("gateway", nil), http.MethodPost, "/intern/v1/transacties", api.ContentLines, tt.body)
			if status != tt.status || header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d as %s, want %d as a problem", status, header.Get("Content-Type"), tt.status)
			}
		})
	}
	if status, _, _ := r.ask(r.as("gateway", nil), http.MethodPost, "/intern/v1/transacties", "text/plain", string(good)+"\n"); status != 415 {
		t.Errorf("another media type: got %d, want 415", status)
	}
	if head, err := r.as("gateway", nil).Head(t.Context(), "gw-1"); err != nil || head.Sequence != 0 {
		t.Errorf("head: got %+v, %v, want nothing stored", head, err)
	}
}

// Every way to ask, by every organisation, for every call: only its parties get it, and the others get the same answer as
// for one that does not exist.
func TestTenantsNeverSeeEachOther(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		l := newLog("gw-1")
		calls := []struct{ consumer, provider string }{
			{assen, groningen}, {leeuwarden, groningen}, {assen, leeuwarden}, {groningen, groningen},
		}
		for i, c := range calls {
			l.call(i+1, c.consumer, c.provider)
		}
		ship(t, r, l.records)
		for _, who := range []string{assen, groningen, leeuwarden, hubOIN} {
			listed := map[string]bool{}
			for _, c := range walk(t, r.of(who), url.Values{"aantal": {"2"}}) {
				listed[c.TransactionID] = true
			}
			for i, c := range calls {
				n := i + 1
				want := who == c.consumer || who == c.provider
				name := fmt.Sprintf("call %d by %s", n, who)
				_, err := r.of(who).Transaction(t.Context(), transaction(n))
				if got := err == nil; got != want || (!want && errs.KindOf(err) != errs.NotFound) {
					t.Errorf("%s by transaction id: got %v, want visible %v", name, err, want)
				}
				_, err = r.of(who).Trace(t.Context(), number(32, n))
				if got := err == nil; got != want || (!want && errs.KindOf(err) != errs.NotFound) {
					t.Errorf("%s by trace id: got %v, want visible %v", name, err, want)
				}
				page, err := r.of(who).Calls(t.Context(), url.Values{"traceId": {number(32, n)}})
				if got := len(page.Calls) == 1; err != nil || got != want {
					t.Errorf("%s in a list by trace: got %d, %v, want visible %v", name, len(page.Calls), err, want)
				}
				if listed[transaction(n)] != want {
					t.Errorf("%s in the whole list: got %v, want %v", name, listed[transaction(n)], want)
				}
			}
		}
		_, hidden, _ := askBody(r, assen, transaction(2))
		_, absent, _ := askBody(r, assen, transaction(99))
		if strings.ReplaceAll(hidden, transaction(2), "") != strings.ReplaceAll(absent, transaction(99), "") {
			t.Errorf("a foreign call answers differently from one that is not there:\n%s\n%s", hidden, absent)
		}
		if got := len(walk(t, r.operator(), url.Values{})); got != len(calls) {
			t.Errorf("the hub operator sees %d calls, want %d", got, len(calls))
		}
		if got := len(walk(t, r.operator(), url.Values{"organisatie": {leeuwarden}})); got != 2 {
			t.Errorf("the hub operator sees %d calls of leeuwarden, want 2", got)
		}
		if got := len(walk(t, r.of(assen), url.Values{"organisatie": {leeuwarden}})); got != 1 {
			t.Errorf("assen sees %d calls with leeuwarden, want 1", got)
		}
	})
}

// askBody gives the answer for a transaction without the trace id, which differs in every answer.
func askBody(r *rig, who, id string) (int, string, http.Header) {
	status, header, body := r.ask(r.of(who), http.MethodGet, "/journaal/v1/transacties/"+id, "", "")
	before, after, _ := strings.Cut(body, `"traceId":"`)
	_, after, _ = strings.Cut(after, `"`)
	return status, before + after, header
}

func TestTheListIsBoundedByTime(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		l := newLog("gw-1")
		for n := 1; n <= 4; n++ { // decisions at 0, 2, 4 and 6 seconds
			l.call(n, assen, groningen)
		}
		ship(t, r, l.records)
		got := walk(t, r.of(assen), url.Values{"van": {"2026-11-23T10:00:02+01:00"}, "tot": {"2026-11-23T09:00:06Z"}})
		if len(got) != 2 || got[0].TransactionID != transaction(3) || got[1].TransactionID != transaction(2) {
			t.Errorf("got %d calls, want the third and the second", len(got))
		}
	})
}

func TestWhoMayAsk(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	reading := func(c *token.Claims) { c.Scope = api.ScopeRead }
	tests := []struct {
		name         string
		client       *api.Client
		method, path string
		status       int
	}{
		{"the description needs no token", r.as("gateway", nil), "GET", "/journaal/v1/openapi.json", 200},
		{"no token", r.as("gateway", nil), "GET", "/journaal/v1/transacties", 401},
		{"a token for another service", r.as("gateway", func(c *token.Claims) { c.Audience = hub + "/bag" }), "GET", "/journaal/v1/transacties", 401},
		{"a token of another issuer", r.as("gateway", func(c *token.Claims) { c.Issuer = "https://elsewhere" }), "GET", "/journaal/v1/transacties", 401},
		{"a token without the scope", r.as("gateway", func(c *token.Claims) { c.Scope = "bag.lezen" }), "GET", "/journaal/v1/transacties", 403},
		{"writing with the scope to read", r.as("gateway", reading), "POST", "/journaal/v1/verwerkingen", 403},
		{"reading with the scope to write", r.as("gateway", func(c *token.Claims) { c.Scope = api.ScopeWrite }), "GET", "/journaal/v1/verwerkingen?traceId=" + number(32, 1), 403},
		{"a good token past the gateway", r.as("address", reading), "GET", "/journaal/v1/transacties", 403},
		{"another part that ships records", r.as("address", nil), "POST", "/intern/v1/transacties", 403},
		{"another part that asks for a head", r.as("address", nil), "GET", "/intern/v1/transacties/gw-1", 403},
		{"an unknown parameter", r.as("gateway", reading), "GET", "/journaal/v1/transacties?bsn=" + testBSN, 400},
		{"a cursor of one's own making", r.as("gateway", reading), "GET", "/journaal/v1/transacties?cursor=AAAA", 400},
		{"a trailing slash", r.as("gateway", reading), "GET", "/journaal/v1/transacties/", 404},
		{"an unknown path", r.as("gateway", reading), "GET", "/journaal/v2/transacties", 404},
		{"a path that is not clean", r.as("gateway", reading), "GET", "/journaal/v1/../v1/transacties", 404},
		{"a wrong method", r.as("gateway", reading), "DELETE", "/journaal/v1/transacties", 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := ""
			if tt.method == http.MethodPost {
				body = `{"verwerkingen":[]}`
			}
			status, header, text := r.ask(tt.client, tt.method, tt.path, "application/json", body)
			if status != tt.status {
				t.Errorf("got %d, want %d: %s", status, tt.status, text)
			}
			if (status == 401) != (header.Get("WWW-Authenticate") != "") && status != 403 {
				t.Errorf("WWW-Authenticate: got %q with status %d", header.Get("WWW-Authenticate"), status)
			}
			if strings.Contains(text, testBSN) {
				t.Error("the answer repeats a value of the query")
			}
		})
	}
	if _, err := r.as("intruder", nil).Head(t.Context(), "gw-1"); err == nil || errs.KindOf(err) == errs.Forbidden {
		t.Errorf("an unknown part: got %v, want no connection", err)
	}
}
