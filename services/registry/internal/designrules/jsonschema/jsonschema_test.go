package jsonschema_test

import (
	"fmt"
	"strings"
	"testing"

	"noorderhub.nl/hub/services/registry/internal/designrules/jsonschema"
	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

func budget() *tree.Budget { return &tree.Budget{Steps: 1_000_000} }

// check gives the first fault of a value under a schema, as "path: message"; "" none.
func check(t *testing.T, version jsonschema.Version, schema, value string, leniency jsonschema.Leniency) string {
	t.Helper()
	doc, err := tree.Parse([]byte("schema: " + schema + "\nvalue: " + value + "\nother: {type: string}\n"))
	if err != nil {
		t.Fatal(err)
	}
	faults := jsonschema.New(version, budget()).Example(doc.Root.Get("schema"), doc.Root.Get("value"), leniency)
	if len(faults) == 0 {
		return ""
	}
	return fmt.Sprintf("/%s: %s", strings.Join(faults[0].Path, "/"), faults[0].Message)
}

func TestKeywords(t *testing.T) {
	for _, test := range []struct {
		schema, good, bad string
		version           jsonschema.Version
	}{
		{"{type: string}", "a", "1", jsonschema.OpenAPI30},
		{"{type: integer}", "1.0", "1.5", jsonschema.OpenAPI30},
		{"{type: number, nullable: true}", "null", "text", jsonschema.OpenAPI30},
		{"{type: [string, 'null']}", "null", "1", jsonschema.OpenAPI31},
		{"{enum: [a, {b: 1.0}]}", "{b: 1}", "c", jsonschema.OpenAPI30},
		{"{const: {a: [1]}}", "{a: [1]}", "{a: [2]}", jsonschema.OpenAPI31},
		{"{minimum: 1, exclusiveMinimum: true}", "2", "1", jsonschema.OpenAPI30},
		{"{exclusiveMaximum: 1}", "0", "1", jsonschema.OpenAPI31},
		{"{multipleOf: 5}", "10", "11", jsonschema.OpenAPI30},
		{"{minLength: 2, maxLength: 2}", "😀a", "abc", jsonschema.OpenAPI30},
		{`{pattern: "^\\u0061+$"}`, "aa", "b", jsonschema.OpenAPI30},
		{"{format: date}", "2024-02-29", "2023-02-29", jsonschema.OpenAPI30},
		{"{format: date-time}", "2024-02-29T10:00:00Z", "2024-02-29", jsonschema.OpenAPI30},
		{"{format: ipv6}", "'::ffff:1.2.3.4'", "'1:2'", jsonschema.OpenAPI30},
		{"{format: duration}", "P1DT2H", "P", jsonschema.OpenAPI30},
		{"{format: regex}", "'^(?!a)b$'", "'['", jsonschema.OpenAPI30},
		{"{format: int32}", "2147483647", "2147483648", jsonschema.OpenAPI30},
		{"{items: {type: string}, minItems: 1}", "[a]", "[]", jsonschema.OpenAPI30},
		{"{prefixItems: [{type: string}], items: false}", "[a]", "[a, b]", jsonschema.OpenAPI31},
		{"{contains: {const: 1}, maxContains: 1}", "[1, 2]", "[1, 1]", jsonschema.OpenAPI31},
		{"{uniqueItems: true}", "[1, a, {b: 1}]", "[{a: 1, b: 2}, {b: 2, a: 1}]", jsonschema.OpenAPI30},
		{"{required: [a], maxProperties: 1}", "{a: 1}", "{b: 1}", jsonschema.OpenAPI30},
		{"{properties: {a: {type: string}}, additionalProperties: false}", "{a: b}", "{b: 1}", jsonschema.OpenAPI30},
		{"{patternProperties: {'^x-': {type: integer}}, additionalProperties: {type: string}}", "{x-a: 1, b: c}", "{x-a: b}", jsonschema.OpenAPI30},
		{"{propertyNames: {maxLength: 1}}", "{a: 1}", "{ab: 1}", jsonschema.OpenAPI31},
		{"{dependentRequired: {a: [b]}}", "{b: 1}", "{a: 1}", jsonschema.OpenAPI31},
		{"{allOf: [{properties: {a: {}}}], unevaluatedProperties: false}", "{a: 1}", "{b: 1}", jsonschema.OpenAPI31},
		{"{anyOf: [{properties: {a: {const: 1}}, required: [a]}, {properties: {b: {}}}], unevaluatedProperties: false}", "{a: 1, b: 2}", "{a: 2}", jsonschema.OpenAPI31},
		{"{prefixItems: [{}], unevaluatedItems: false}", "[1]", "[1, 2]", jsonschema.OpenAPI31},
		{"{oneOf: [{type: string}, {maxLength: 2}]}", "abc", "ab", jsonschema.OpenAPI30},
		{"{anyOf: [{type: string}, {type: integer}]}", "1", "1.5", jsonschema.OpenAPI30},
		{"{not: {type: string}}", "1", "a", jsonschema.OpenAPI30},
		{"{if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}", "{a: 1, b: 1}", "{a: 1, c: 1}", jsonschema.OpenAPI31},
		{"{$ref: '#/other'}", "a", "1", jsonschema.OpenAPI30},
	} {
		if got := check(t, test.version, test.schema, test.good, jsonschema.Strict); got != "" {
			t.Errorf("%s refuses %s: %s", test.schema, test.good, got)
		}
		if got := check(t, test.version, test.schema, test.bad, jsonschema.Strict); got == "" {
			t.Errorf("%s takes %s", test.schema, test.bad)
		}
	}
}

func TestReadOnlyAndWriteOnlyMayBeLeftOut(t *testing.T) {
	const schema = "{required: [r, w], properties: {r: {readOnly: true}, w: {writeOnly: true}}}"
	for _, test := range []struct {
		value    string
		leniency jsonschema.Leniency
		ok       bool
	}{
		{"{w: 1}", jsonschema.Request, true}, {"{r: 1}", jsonschema.Request, false},
		{"{r: 1}", jsonschema.Response, true}, {"{w: 1}", jsonschema.Response, false},
		{"{r: 1}", jsonschema.Strict, false},
	} {
		if got := check(t, jsonschema.OpenAPI30, schema, test.value, test.leniency); (got == "") != test.ok {
			t.Errorf("%s as %d: %q", test.value, test.leniency, got)
		}
	}
}

func TestSchemasThatAreNone(t *testing.T) {
	for schema, want := range map[string]string{
		"{type: nothing}":                    "schema is invalid",
		"{properties: {a: {minLength: -1}}}": "schema is invalid",
		"{allOf: [{nullable: true}]}":        "cannot be used without",
		"{items: {$ref: '#/schema'}}":        "", // refers to itself: nothing can be told
	} {
		got := check(t, jsonschema.OpenAPI30, schema, "1", jsonschema.Strict)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", schema, got, want)
		}
	}
}

func TestStructureTellsAllFaults(t *testing.T) {
	doc, err := tree.Parse([]byte("openapi: 3.1.0\ninfo: {title: a}\npaths: {/a: {get: {operationId: 1}}}\nmore: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range jsonschema.New(jsonschema.OpenAPI31, budget()).Structure(doc.Root) {
		got = append(got, strings.Join(f.Path, "/"))
	}
	for _, want := range []string{"info", "paths//a/get/operationId", "more"} {
		if !strings.Contains(strings.Join(got, "\n")+"\n", want+"\n") {
			t.Errorf("no fault of %s among %q", want, got)
		}
	}
}
