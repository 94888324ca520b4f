package journal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/journal/api"
)

// Every operation of the description is served, and asks for the scope that the description names.
func TestTheDescriptionIsWhatIsServed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if doc.Info.Version != api.Version {
		t.Errorf("version: got %s, want %s", doc.Info.Version, api.Version)
	}
	r := newRig(t, sqldbtest.SQLite(t))
	nothing := r.as("gateway", func(c *token.Claims) { c.Scope = "niets" })
	operations := 0
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			operations++
			target := "/journaal/v1" + strings.NewReplacer("{transactieId}", "x", "{traceId}", number(32, 1)).Replace(path)
			if method == http.MethodGet && path == "/verwerkingen" {
				target += "?traceId=" + number(32, 1)
			}
			status, header, body := r.ask(nothing, method, target, "application/json", `{"verwerkingen":[]}`)
			scope := (*operation.Security)[0]["oauth"][0]
			if status != http.StatusForbidden || !strings.Contains(header.Get("WWW-Authenticate"), `scope="`+scope+`"`) {
				t.Errorf("%s %s without scope: got %d, %q, want 403 naming %s: %s", method, path, status, header.Get("WWW-Authenticate"), scope, body)
			}
			if got := header.Get("API-Version"); got != api.Version {
				t.Errorf("%s %s: API-Version %q", method, path, got)
			}
		}
	}
	if operations != 5 {
		t.Errorf("operations: got %d, want 5", operations)
	}
	status, header, body := r.ask(r.as("gateway", nil), http.MethodGet, "/journaal/v1/openapi.json", "", "")
	if status != http.StatusOK || header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(body, `"openapi"`) {
		t.Errorf("openapi.json: %d, %v", status, header)
	}
}
