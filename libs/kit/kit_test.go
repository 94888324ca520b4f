package kit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/problem"
)

type greetRequest struct {
	ID    string
	Count int
}

func (g *greetRequest) Decode(r *http.Request) error {
	q := kit.NewQuery(r)
	g.ID = r.PathValue("id")
	g.Count = q.Int("aantal", kit.Required, kit.Range(1, 3))
	return q.Err()
}

type greetResponse struct {
	Text string `json:"tekst"`
}

type noteRequest struct {
	Text string `json:"tekst"`
}

func (n *noteRequest) Validate() error {
	if n.Text == "" {
		return errs.CodeInvalid.New("empty").WithFields(errs.Field{Name: "/tekst", Code: "required", Reason: "is required"})
	}
	return nil
}

type created struct{ ID string }

func (created) StatusCode() int      { return http.StatusCreated }
func (created) Headers() http.Header { return http.Header{"Location": {"/proef/v1/notities/1"}} }

func api() *kit.API {
	a := kit.New(kit.Options{
		Base: "/proef/v1", Version: "1.2.3", OpenAPI: []byte("openapi: 3.0.3\ninfo: {title: proef}\n"), MaxBody: 64,
		Problems: problem.Writer{Hub: "https://hub.example.nl"}, Logger: slog.New(slog.DiscardHandler),
	})
	kit.Handle(a, "GET /groeten/{id}", func(_ context.Context, r greetRequest) (greetResponse, error) {
		if r.ID == "stuk" {
			return greetResponse{}, io.ErrUnexpectedEOF
		}
		return greetResponse{Text: strings.Repeat(r.ID, r.Count)}, nil
	})
	kit.Handle(a, "POST /notities", func(_ context.Context, r noteRequest) (created, error) { return created{ID: r.Text}, nil })
	return a
}

func TestEveryOutcomeHasItsStatusAndProblem(t *testing.T) {
	jsonType := map[string]string{"Content-Type": "application/json"}
	for name, tc := range map[string]struct {
		method, target, body string
		header               map[string]string
		status               int
		code                 string
	}{
		"a good call":                   {"GET", "/proef/v1/groeten/a?aantal=2", "", nil, 200, ""},
		"HEAD as GET":                   {"HEAD", "/proef/v1/groeten/a?aantal=2", "", nil, 200, ""},
		"a trailing slash":              {"GET", "/proef/v1/groeten/a/?aantal=2", "", nil, 404, "not-found"},
		"a double slash":                {"GET", "/proef//v1/groeten/a?aantal=2", "", nil, 404, "not-found"},
		"an unknown path":               {"GET", "/proef/v1/anders", "", nil, 404, "not-found"},
		"a wrong method":                {"DELETE", "/proef/v1/groeten/a", "", nil, 405, "method-not-allowed"},
		"a missing parameter":           {"GET", "/proef/v1/groeten/a", "", nil, 400, "invalid-input"},
		"an unknown parameter":          {"GET", "/proef/v1/groeten/a?aantal=1&x=1", "", nil, 400, "invalid-input"},
		"a repeated parameter":          {"GET", "/proef/v1/groeten/a?aantal=1&aantal=1", "", nil, 400, "invalid-input"},
		"a fault of ours":               {"GET", "/proef/v1/groeten/stuk?aantal=1", "", nil, 500, "internal-error"},
		"a good body":                   {"POST", "/proef/v1/notities", `{"tekst":"x"}`, jsonType, 201, ""},
		"a body of another type":        {"POST", "/proef/v1/notities", `<x/>`, map[string]string{"Content-Type": "text/xml"}, 415, "unsupported-media-type"},
		"a body without type":           {"POST", "/proef/v1/notities", `{}`, nil, 415, "unsupported-media-type"},
		"a body too large":              {"POST", "/proef/v1/notities", `{"tekst":"` + strings.Repeat("x", 100) + `"}`, jsonType, 413, "body-too-large"},
		"an unknown field":              {"POST", "/proef/v1/notities", `{"x":1}`, jsonType, 400, "invalid-input"},
		"two documents":                 {"POST", "/proef/v1/notities", `{"tekst":"x"}{}`, jsonType, 400, "invalid-input"},
		"a body cut short":              {"POST", "/proef/v1/notities", `{"tekst":`, jsonType, 400, "invalid-input"},
		"a body that breaks a rule":     {"POST", "/proef/v1/notities", `{"tekst":""}`, jsonType, 400, "invalid-input"},
		"the OpenAPI file":              {"GET", "/proef/v1/openapi.json", "", nil, 200, ""},
		"the OpenAPI file is read-only": {"POST", "/proef/v1/openapi.json", "", nil, 405, "method-not-allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.body))
			for k, v := range tc.header {
				r.Header.Set(k, v)
			}
			rec := httptest.NewRecorder()
			api().ServeHTTP(rec, r)
			if rec.Code != tc.status {
				t.Fatalf("got status %d, want %d: %s", rec.Code, tc.status, rec.Body)
			}
			for _, header := range []string{"API-Version", "X-Content-Type-Options", "Strict-Transport-Security", "Content-Security-Policy"} {
				if rec.Header().Get(header) == "" {
					t.Errorf("header %s is missing", header)
				}
			}
			if tc.code == "" {
				return
			}
			var got problem.Details
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got.Code != tc.code || got.Status != tc.status {
				t.Errorf("got problem %+v (%v), want code %s", got, err, tc.code)
			}
		})
	}
}

func TestAllFaultsComeInOneAnswer(t *testing.T) {
	rec := httptest.NewRecorder()
	api().ServeHTTP(rec, httptest.NewRequest("GET", "/proef/v1/groeten/a?aantal=9&b=1&a=1", nil))
	var got problem.Details
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []errs.Field{
		{Name: "aantal", Code: "maximum", Reason: "is higher than 3"},
		{Name: "a", Code: "unknown", Reason: "is not a parameter of this operation"},
		{Name: "b", Code: "unknown", Reason: "is not a parameter of this operation"},
	}
	if diff := cmp.Diff(want, got.InvalidParams); diff != "" {
		t.Error(diff)
	}
}

func TestAllowListsTheMethodsOfThePath(t *testing.T) {
	rec := httptest.NewRecorder()
	api().ServeHTTP(rec, httptest.NewRequest("PATCH", "/proef/v1/groeten/a", nil))
	if got, want := rec.Header().Get("Allow"), "GET, HEAD"; got != want {
		t.Errorf("got Allow %q, want %q", got, want)
	}
}

func TestTheOpenAPIFileIsOpenToEverybody(t *testing.T) {
	rec := httptest.NewRecorder()
	api().ServeHTTP(rec, httptest.NewRequest("GET", "/proef/v1/openapi.json", nil))
	if got := rec.Header().Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("got CORS %q, want *", got)
	}
	if !json.Valid(rec.Body.Bytes()) {
		t.Error("not JSON")
	}
}

func ExampleHandle() {
	rec := httptest.NewRecorder()
	api().ServeHTTP(rec, httptest.NewRequest("GET", "/proef/v1/groeten/moi?aantal=2", nil))
	fmt.Print(rec.Body)
	// Output: {"tekst":"moimoi"}
}
