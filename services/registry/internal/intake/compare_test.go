package intake_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"noorderhub.nl/hub/services/registry/internal/intake"
)

// before is the description that the cases below change in one place.
const before = head + `
paths:
  /zaken/{uuid}:
    parameters: [{name: uuid, in: path, required: true, schema: {type: string, format: uuid}}]
    put:
      operationId: zaakBijwerken
      security: [{oauth: [zaken.schrijven]}]
      parameters:
        - {name: expand, in: query, schema: {type: string, enum: [status, rol]}}
      requestBody:
        content:
          application/json: {schema: {$ref: "#/components/schemas/Verzoek"}}
      responses:
        "200":
          description: ok
          headers: {API-Version: {schema: {type: string}}}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Zaak"}}
        "404": {description: niet gevonden}
  /open:
    get: {operationId: open, security: [], responses: {"200": {description: ok}}}
components:
  schemas:
    Verzoek:
      type: object
      required: [naam]
      properties:
        naam: {type: string, maxLength: 40}
        aantal: {type: number}
        soort: {type: string, enum: [a, b]}
        leeg: {type: string, nullable: true}
    Zaak:
      type: object
      required: [naam, status]
      properties:
        naam: {type: string}
        status: {type: string, enum: [open, dicht]}
        delen: {type: array, items: {$ref: "#/components/schemas/Zaak"}}
        adres: {allOf: [{properties: {straat: {type: string}}}]}
        aantal: {type: integer}
`

func TestCompare(t *testing.T) {
	for name, test := range map[string]struct {
		old, new string   // replaced in the description
		want     []string // "! operation path" breaks, "- operation path" does not
	}{
		"nothing changes":                        {"", "", nil},
		"texts do not count":                     {"description: niet gevonden", "description: weg", nil},
		"an operation is gone":                   {"  /open:\n    get: {operationId: open, security: [], responses: {\"200\": {description: ok}}}\n", "", []string{"! open "}},
		"an operation is moved":                  {"  /open:", "  /openbaar:", []string{"! open ", "- open "}},
		"an operation is new":                    {"  /open:", "  /nieuw: {get: {operationId: nieuw, responses: {}}}\n  /open:", []string{"- nieuw "}},
		"an operation has another ID":            {"operationId: open", "operationId: vrij", []string{"! open "}},
		"an operation is deprecated":             {"operationId: open,", "operationId: open, deprecated: true,", []string{"- open "}},
		"an operation asks another scope":        {"[zaken.schrijven]", "[zaken.beheren]", []string{"! zaakBijwerken "}},
		"an open operation asks a token":         {"security: [], ", "", []string{"! open "}},
		"an operation asks no token any more":    {"security: [{oauth: [zaken.schrijven]}]", "security: []", []string{"- zaakBijwerken "}},
		"a new required parameter":               {"      parameters:\n", "      parameters:\n        - {name: x, in: query, required: true}\n", []string{"! zaakBijwerken query x"}},
		"a new optional parameter":               {"      parameters:\n", "      parameters:\n        - {name: x, in: header}\n", []string{"- zaakBijwerken header x"}},
		"a parameter is required now":            {"in: query, schema", "in: query, required: true, schema", []string{"! zaakBijwerken query expand"}},
		"a parameter is gone":                    {"        - {name: expand, in: query, schema: {type: string, enum: [status, rol]}}", "        []", []string{"- zaakBijwerken query expand"}},
		"a parameter takes fewer values":         {"[status, rol]", "[status]", []string{"! zaakBijwerken query expand"}},
		"a parameter takes more values":          {"[status, rol]", "[status, rol, x]", []string{"- zaakBijwerken query expand"}},
		"the body is required now":               {"requestBody:\n", "requestBody:\n        required: true\n", []string{"! zaakBijwerken verzoek"}},
		"a new required field of the request":    {"required: [naam]\n      properties:\n", "required: [naam, x]\n      properties:\n        x: {}\n", []string{"! zaakBijwerken verzoek: x"}},
		"a new optional field of the request":    {"        naam: {type: string, maxLength: 40}", "        x: {}\n        naam: {type: string, maxLength: 40}", []string{"- zaakBijwerken verzoek: x"}},
		"a field of the request is required now": {"required: [naam]", "required: [naam, soort]", []string{"! zaakBijwerken verzoek: soort"}},
		"a field of the request is gone":         {"        leeg: {type: string, nullable: true}\n", "", []string{"- zaakBijwerken verzoek: leeg"}},
		"a field of the request is refused now":  {"        leeg: {type: string, nullable: true}\n", "      additionalProperties: false\n", []string{"! zaakBijwerken verzoek: leeg"}},
		"a request is limited more":              {"maxLength: 40", "maxLength: 20", []string{"! zaakBijwerken verzoek: naam"}},
		"a request is limited less":              {"maxLength: 40", "maxLength: 60", nil},
		"a request has a pattern now":            {"maxLength: 40", "maxLength: 40, pattern: a", []string{"! zaakBijwerken verzoek: naam"}},
		"a request takes whole numbers only":     {"aantal: {type: number}", "aantal: {type: integer}", []string{"! zaakBijwerken verzoek: aantal"}},
		"a request takes no null":                {"leeg: {type: string, nullable: true}", "leeg: {type: string}", []string{"! zaakBijwerken verzoek: leeg"}},
		"a request takes another type":           {"aantal: {type: number}", "aantal: {type: string}", []string{"! zaakBijwerken verzoek: aantal", "- zaakBijwerken verzoek: aantal"}},
		"a request value is gone":                {"enum: [a, b]", "enum: [a]", []string{"! zaakBijwerken verzoek: soort"}},
		"a content type is gone":                 {"content:\n          application/json: {schema: {$ref: \"#/components/schemas/Verzoek\"}}", "content:\n          application/xml: {}", []string{"! zaakBijwerken verzoek", "- zaakBijwerken verzoek"}},
		"a success is gone":                      {"        \"200\":\n", "        \"202\":\n", []string{"! zaakBijwerken antwoord 200", "- zaakBijwerken antwoord 202"}},
		"an error is gone":                       {"        \"404\": {description: niet gevonden}\n", "", []string{"- zaakBijwerken antwoord 404"}},
		"a header of the answer is gone":         {"          headers: {API-Version: {schema: {type: string}}}\n", "", []string{"! zaakBijwerken antwoord 200: header API-Version"}},
		"a field of the answer is gone":          {"straat: {type: string}", "weg: {type: string}", []string{"! zaakBijwerken antwoord 200: adres.straat", "- zaakBijwerken antwoord 200: adres.weg"}},
		"a field of the answer can be missing":   {"required: [naam, status]", "required: [naam]", []string{"! zaakBijwerken antwoord 200: status"}},
		"the answer has a value more":            {"[open, dicht]", "[open, dicht, x]", []string{"! zaakBijwerken antwoord 200: status"}},
		"the answer has a value less":            {"[open, dicht]", "[open]", []string{"- zaakBijwerken antwoord 200: status"}},
		"the answer has another type":            {"aantal: {type: integer}", "aantal: {type: number}", []string{"! zaakBijwerken antwoord 200: aantal"}},
		"the answer can be null":                 {"aantal: {type: integer}", "aantal: {type: integer, nullable: true}", []string{"! zaakBijwerken antwoord 200: aantal"}},
		"the answer has variants":                {"aantal: {type: integer}", "aantal: {type: integer, oneOf: [{}, {}]}", []string{"! zaakBijwerken antwoord 200: aantal"}},
		"a schema is composed otherwise":         {"adres: {allOf: [{properties: {straat: {type: string}}}]}", "adres: {properties: {straat: {type: string}}}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(before, test.old, test.new, 1)
			if test.old != test.new && changed == before {
				t.Fatal("the case changes nothing")
			}
			changes := intake.Compare(read(t, before), read(t, changed))
			var got []string
			for _, c := range changes {
				mark := "-"
				if c.Breaking {
					mark = "!"
				}
				if c.Text.NL == "" || c.Text.EN == "" || strings.Contains(c.Text.NL+c.Text.EN, "%!") {
					t.Errorf("the text is %q", c.Text)
				}
				got = append(got, fmt.Sprintf("%s %s %s", mark, c.Operation, c.Path))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q\n%v", got, test.want, changes)
			}
		})
	}
}

func TestThatAPathParameterHasAnotherNameIsNoChange(t *testing.T) {
	renamed := strings.ReplaceAll(strings.ReplaceAll(before, "{uuid}", "{id}"), "name: uuid", "name: id")
	if got := intake.Compare(read(t, before), read(t, renamed)); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	narrowed := strings.Replace(renamed, "format: uuid", "format: uri", 1)
	got := intake.Compare(read(t, before), read(t, narrowed))
	if len(got) != 1 || !got[0].Breaking || got[0].Path != "path 1" {
		t.Errorf("got %v, want one breaking change of the first path parameter", got)
	}
}

func TestADescriptionIsTheSameAsItself(t *testing.T) {
	for _, text := range []string{before, head + "paths: {/a: {get: {responses: {}}}}"} {
		if got := intake.Compare(read(t, text), read(t, text)); len(got) > 0 {
			t.Errorf("got %v", got)
		}
	}
}
