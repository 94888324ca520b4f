package problem_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
)

var writer = problem.Writer{Hub: "https://hub.example.nl"}

func TestARefusalNamesRuleSideAndNextStep(t *testing.T) {
	rec := httptest.NewRecorder()
	err := errs.CodeInvalid.New("two faults").WithRule("query").
		WithFields(errs.Field{Name: "postcode", Code: "pattern", Reason: "not a postcode"}).WithRetryAfter(1500 * time.Millisecond)
	writer.Write(rec, httptest.NewRequest("GET", "/", nil), err)

	var got map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "https://hub.example.nl/portaal/fouten/invalid-input", "status": 400.0, "title": errs.CodeInvalid.Title,
		"detail": "two faults", "code": "invalid-input", "rule": "query", "side": "client", "nextStep": errs.CodeInvalid.Next,
		"invalidParams": []any{map[string]any{"name": "postcode", "code": "pattern", "reason": "not a postcode"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := rec.Header().Get("Content-Type"); got != problem.MediaType {
		t.Errorf("got content type %q", got)
	}
	if got := rec.Header().Get("Retry-After"); got != "2" {
		t.Errorf("got Retry-After %q, want 2: rounded up", got)
	}
}

func TestTheCauseNeverReachesTheCaller(t *testing.T) {
	for name, err := range map[string]error{
		"an unknown error":  errors.New("canary-7"),
		"a refusal's cause": errs.CodeUnavailable.Wrap(errors.New("canary-7"), "away"),
	} {
		rec := httptest.NewRecorder()
		writer.Write(rec, httptest.NewRequest("GET", "/", nil), err)
		if body := rec.Body.String(); body == "" || strings.Contains(body, "canary-7") {
			t.Errorf("%s: leaked or empty: %s", name, body)
		}
	}
}

func TestReadGivesBackWhatWriteWrote(t *testing.T) {
	want := errs.CodeConflict.New("state is declined").WithRule("state").WithRetryAfter(2 * time.Second)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { writer.Write(w, r, want) }))
	defer srv.Close()
	resp, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := errs.As(problem.Read(resp))
	if diff := cmp.Diff(*want.Code, *got.Code); diff != "" {
		t.Error(diff)
	}
	if got.Detail != want.Detail || got.Rule != want.Rule || got.RetryAfter != want.RetryAfter {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEveryKindHasItsOwnStatus(t *testing.T) {
	seen := map[int]errs.Kind{}
	for kind := errs.Internal; kind <= errs.Timeout; kind++ {
		status := problem.StatusOf(kind)
		if other, ok := seen[status]; ok {
			t.Errorf("kinds %d and %d share status %d", kind, other, status)
		}
		seen[status] = kind
	}
	if got := problem.StatusOf(errs.Timeout + 1); got != 500 {
		t.Errorf("got %d for an unknown kind, want 500", got)
	}
}
