package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/services/registry/internal/designrules"
	"noorderhub.nl/hub/services/registry/internal/intake"
)

// head begins every description of these tests.
const head = `
openapi: 3.0.3
info: {title: Zaken, version: 1.2.0, contact: {name: Team, email: team@example.org, url: "https://example.org"}}
servers: [{url: "https://zaken.example.org/v1"}]
`

func read(t *testing.T, text string) *intake.Description {
	t.Helper()
	d, _, err := intake.Read(t.Context(), "zaken", []byte(text))
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return d
}

func TestReadTellsWhatTheRegistryNeeds(t *testing.T) {
	d := read(t, head+`
security: [{oauth: [zaken.beheren]}]
paths:
  /zaken/{uuid}:
    parameters: [{name: uuid, in: path, required: true, schema: {type: string}}]
    get:
      operationId: zaakLezen
      summary: Leest een zaak
      deprecated: true
      security: [{oauth: [zaken.lezen]}]
      parameters: [{name: geboortedatum, in: query, schema: {type: string}}]
      responses: {"200": {description: ok}}
    head:
      security: [{oauth: []}]
      responses: {"200": {description: ok}}
    put:
      responses: {"200": {description: ok}}
  /status:
    get:
      security: []
      responses: {"200": {description: ok}}
    post:
      security: [{sleutel: []}]
      requestBody:
        content:
          application/merge-patch+json:
            schema: {properties: {aanvrager: {properties: {bsn: {type: string}}}}}
      responses: {"200": {description: ok}}
`)
	want := []intake.Operation{
		{ID: "getStatus", Method: "GET", Path: "/status", Open: true, Proposed: intake.Proposed{ID: true}},
		{
			ID: "postStatus", Method: "POST", Path: "/status", Scopes: []string{"zaken.schrijven"},
			Proposed: intake.Proposed{ID: true, Scopes: true}, Personal: []string{"aanvrager", "bsn"},
		},
		{
			ID: "zaakLezen", Method: "GET", Path: "/zaken/{uuid}", Summary: "Leest een zaak", Scopes: []string{"zaken.lezen"},
			Deprecated: true, Personal: []string{"geboortedatum"},
		},
		{
			ID: "headZakenUuid", Method: "HEAD", Path: "/zaken/{uuid}", Scopes: []string{"zaken.lezen"},
			Proposed: intake.Proposed{ID: true, Scopes: true},
		},
		{ID: "putZakenUuid", Method: "PUT", Path: "/zaken/{uuid}", Scopes: []string{"zaken.beheren"}, Proposed: intake.Proposed{ID: true}},
	}
	if diff := cmp.Diff(want, d.Operations); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if got, want := []string{d.Title, d.Version, d.Contact.Email, d.Servers[0]}, []string{"Zaken", "1.2.0", "team@example.org", "https://zaken.example.org/v1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestThePublishedTextHoldsTheProposedIDsAndLoads(t *testing.T) {
	d := read(t, head+"paths:\n  /a: {get: {responses: {200: {description: ok}}}}\n  /b: {get: {operationId: getA, responses: {200: {description: ok}}}}\n")
	doc, err := openapi3.NewLoader().LoadFromData(d.Text)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/a": "getA2", "/b": "getA"} {
		if got := doc.Paths.Value(path).Get.OperationID; got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if again := read(t, string(d.Text)); again.Operations[0].Proposed.ID || string(again.Text) != string(d.Text) {
		t.Errorf("the published text, read again, is another: %s", again.Text)
	}
}

func TestSwagger2IsConverted(t *testing.T) {
	d := read(t, `{"swagger": "2.0", "info": {"title": "Oud", "version": "1.0.0"}, "host": "oud.example.org", "basePath": "/v1", "schemes": ["https"],
		"paths": {"/dingen/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}],
		"responses": {"200": {"description": "ok", "schema": {"$ref": "#/definitions/Ding"}}}}}},
		"definitions": {"Ding": {"type": "object", "properties": {"naam": {"type": "string"}}}}}`)
	if !d.Converted || d.Servers[0] != "https://oud.example.org/v1" || !strings.Contains(string(d.Text), `"openapi":"3.`) {
		t.Errorf("got converted %v, servers %v, text %s", d.Converted, d.Servers, d.Text)
	}
	if got, want := d.Fields("getDingenId"), []string{"naam"}; !slices.Equal(got, want) {
		t.Errorf("fields: got %v, want %v", got, want)
	}
}

func TestRefusals(t *testing.T) {
	const ok = `{responses: {"200": {description: ok}}}`
	for name, test := range map[string]struct {
		text string
		want []string // "rule pointer", all of them
	}{
		"nothing":                                {" \n", []string{"intake:syntax "}},
		"neither JSON nor YAML":                  {"a: [", []string{"intake:syntax "}},
		"not UTF-8":                              {"a: \xff", []string{"intake:syntax "}},
		"two documents":                          {"a: 1\n---\nb: 2", []string{"intake:syntax "}},
		"a list":                                 {"[1]", []string{"intake:version "}},
		"a version of the future":                {"openapi: 4.0.0\ninfo: {}\npaths: {}", []string{"intake:version /openapi"}},
		"a version that is a number":             {"openapi: 3.0\npaths: {}", []string{"intake:version /openapi"}},
		"OpenAPI 3.2":                            {"openapi: 3.2.0\npaths: {}", []string{"intake:version /openapi"}},
		"no version at all":                      {"paths: {}", []string{"intake:version "}},
		"no paths":                               {head, []string{"intake:paths "}},
		"too deep":                               {head + "x-a: " + strings.Repeat("[", 300) + strings.Repeat("]", 300), []string{"intake:too-large "}},
		"too large":                              {head + "x-a: " + strings.Repeat("a", 8<<20), []string{"intake:too-large "}},
		"aliases that unfold to billions":        {bomb(), []string{"intake:too-large "}},
		"an anchor that holds itself":            {head + "x-a: &a [*a]", []string{"intake:too-large "}},
		"a reference to a file":                  {head + "paths: {/a: {$ref: other.yaml}, /b: {get: " + ok + "}}", []string{"intake:external-reference /paths/~1a/$ref"}},
		"a reference to an address":              {head + "paths: {/b: {get: {responses: {'200': {$ref: 'https://169.254.169.254/x'}}}}}", []string{"intake:external-reference /paths/~1b/get/responses/200/$ref"}},
		"a reference to nothing":                 {head + "paths: {/b: {get: {responses: {'200': {$ref: '#/components/x'}}}}}", []string{"intake:broken-reference /paths/~1b/get/responses/200/$ref"}},
		"one operationId twice":                  {head + "paths: {/a: {get: {operationId: x, responses: {}}, put: {operationId: x, responses: {}}}}", []string{"intake:operation-id /paths/~1a/put/operationId"}},
		"an operationId with a space":            {head + "paths: {/a: {get: {operationId: a b, responses: {}}}}", []string{"intake:operation-id /paths/~1a/get/operationId"}},
		"one route twice":                        {head + "paths: {'/a/{b}': {get: " + ok + "}, '/a/{c}': {get: " + ok + "}}", []string{"intake:path /paths/~1a~1{c}/get"}},
		"two scopes":                             {head + "paths: {/a: {get: {security: [{o: [zaken.a, zaken.b]}], responses: {}}}}", []string{"intake:scope /paths/~1a/get/security"}},
		"a scope of another service":             {head + "paths: {/a: {get: {security: [{o: [bag.lezen]}], responses: {}}}}", []string{"intake:scope /paths/~1a/get/security"}},
		"paths that cannot be routed, at once":   {head + "paths: {/a/: {}, a: {}, /../b: {}, '/a*': {}, /ok: {get: " + ok + "}}", []string{"intake:path /paths/a", "intake:path /paths/~1..~1b", "intake:path /paths/~1a*", "intake:path /paths/~1a~1"}},
		"Swagger 2.0 with a reference outside":   {`{"swagger": "2.0", "paths": {"/a": {"$ref": "b.json"}}}`, []string{"intake:external-reference /paths/~1a/$ref"}},
		"Swagger 2.0 that is none":               {`{"swagger": "2.0", "paths": []}`, []string{"intake:swagger "}},
		"what the library cannot load":           {head + "paths: {/a: {get: {responses: []}}}", []string{"intake:structure "}},
		"a shared operation without an ID":       {head + "paths: {/a: {get: " + ok + "}, /b: {$ref: '#/paths/~1a'}}", []string{"intake:operation-id /paths/~1a/get"}},
		"title and version are missing, at once": {"openapi: 3.1.0\ninfo: {version: 1.0}\npaths: {/a: {get: " + ok + "}}", []string{"intake:title /info", "intake:title /info"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := intake.Read(t.Context(), "zaken", []byte(test.text))
			var faults intake.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want faults", err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Rule+" "+f.Field)
				if f.Next.NL == "" || f.Next.EN == "" || f.Reason == "" {
					t.Errorf("%s lacks a reason or a next step", f.Rule)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

// bomb is YAML whose aliases unfold to 9^9 values.
func bomb() string {
	var out strings.Builder
	out.WriteString("a0: &a0 x\n")
	for i := range 9 {
		out.WriteString("a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.Repeat("*a"+string(rune('0'+i))+",", 8) + "*a" + string(rune('0'+i)) + "]\n")
	}
	return out.String()
}

func TestAReferenceWithinAnExampleIsData(t *testing.T) {
	read(t, head+`
paths:
  /a:
    get:
      responses:
        "200": {description: ok, content: {application/json: {schema: {type: object}, example: {$ref: elsewhere.json}}}}
`)
}

func TestFindingsComeWithFaultsToo(t *testing.T) {
	_, findings, err := intake.Read(t.Context(), "zaken", []byte(strings.Replace(head, "https://zaken", "http://zaken", 1)+"paths: {}"))
	if err == nil || !slices.ContainsFunc(findings, func(f designrules.Finding) bool { return f.Blocking && f.Rule == "nlgov:servers-use-https" }) {
		t.Errorf("got %v with findings %v", err, findings)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var text strings.Builder
	text.WriteString(head + "paths: {}\nx-many: [")
	for range 20_000 {
		text.WriteString("{a: 1},")
	}
	text.WriteString("1]\n")
	if _, _, err := intake.Read(ctx, "zaken", []byte(text.String())); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestDescriptionsInTheTreeAreTaken reads our own descriptions and, where they are at hand, those of others.
func TestDescriptionsInTheTreeAreTaken(t *testing.T) {
	for pattern, slug := range map[string]string{
		"../../../address/api/openapi.yaml":                            "bag",
		"../../../cases/api/openapi.yaml":                              "overdracht",
		"../../../../../shared/reference/openapi/kadaster-bag-v2.yaml": "bag",
		"../../../../../shared/data/cases/openapi/*.yaml":              "zaken",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Logf("nothing matches %s", pattern)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d, findings, err := intake.Read(t.Context(), slug, text)
			var faults intake.Faults
			if errors.As(err, &faults) {
				for _, f := range faults {
					if f.Rule != "intake:scope" && f.Rule != "intake:external-reference" {
						t.Errorf("%s: %s: %s", file, f.Field, f.Reason)
					}
				}
				continue
			}
			fields := 0
			for _, o := range d.Operations {
				fields += len(d.Fields(o.ID))
			}
			if len(d.Operations) == 0 || fields == 0 && !strings.Contains(file, "webhook") || !json.Valid(d.Text) {
				t.Errorf("%s: %d operations with %d fields", file, len(d.Operations), fields)
			}
			t.Logf("%s: %d operations, %d fields, %d findings", filepath.Base(file), len(d.Operations), fields, len(findings))
		}
	}
}
