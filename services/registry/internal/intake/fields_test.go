package intake_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestFieldsOfAnAnswer(t *testing.T) {
	d := read(t, head+`
paths:
  /zaken:
    get:
      operationId: zaken
      responses:
        "200":
          description: ok
          content:
            application/hal+json:
              schema: {type: object, properties: {resultaten: {type: array, items: {$ref: "#/components/schemas/Zaak"}}}}
            text/plain: {schema: {properties: {nooit: {}}}}
        "400":
          description: fout
          content: {application/problem+json: {schema: {properties: {title: {}}}}}
components:
  schemas:
    Zaak:
      allOf:
        - properties: {id: {type: string}}
        - properties: {adres: {$ref: "#/components/schemas/Adres"}, "met.punt": {type: string}}
      oneOf:
        - properties: {hoofdzaak: {$ref: "#/components/schemas/Zaak"}}
        - properties: {deelzaken: {type: array, items: {anyOf: [{type: string}, {properties: {url: {type: string}}}]}}}
    Adres: {properties: {straat: {type: string}, zaak: {$ref: "#/components/schemas/Zaak"}}}
`)
	want := []string{
		"resultaten", "resultaten.adres", "resultaten.adres.straat", "resultaten.adres.zaak", "resultaten.deelzaken",
		"resultaten.deelzaken.url", "resultaten.hoofdzaak", "resultaten.id",
	}
	if got := d.Fields("zaken"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := d.Fields("unknown"); got != nil {
		t.Errorf("an unknown operation has fields %q", got)
	}
}

func TestFieldsOfSchemasThatUnfoldWithoutEndAreBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString(head + "paths: {/a: {get: {operationId: a, responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}}}}}\n")
	text.WriteString("components:\n  schemas:\n")
	const levels = 40
	for i := range levels {
		fmt.Fprintf(&text, "    S%d: {properties: {a: {$ref: '#/components/schemas/S%d'}, b: {$ref: '#/components/schemas/S%d'}}}\n", i, i+1, i+1)
	}
	fmt.Fprintf(&text, "    S%d: {type: string}\n", levels)
	if got := len(read(t, text.String()).Fields("a")); got == 0 || got > 10_000 {
		t.Errorf("got %d fields", got)
	}
}
