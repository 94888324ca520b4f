package designrules

import (
	"regexp"
	"strings"
	"sync"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// rule is one line of the ruleset: at the places of given, check holds, or there is a finding.
type rule struct {
	id       string
	severity Severity
	formats  func(format) bool // nil: every document
	given    []tree.Selector
	keys     bool   // the check gets the name of each place, not its value
	field    string // below each place, dotted, or key; "" the place itself
	check    check
	message  string // "": what the check says; {{error}}, {{value}}, {{property}} and {{path}} are filled in
	blocking bool
	fix      Text
}

// The formats that the built-in rules of Spectral are for.
func openAPI(f format) bool  { return f != unknown }
func openAPI3(f format) bool { return f >= oas30 }

// Steps of selectors, under names that read like a JSONPath.
var (
	all  = tree.Any()
	deep = tree.Deep()

	responses      = tree.Key("responses")
	okStatus       = named(`(2|3)\d\d`)
	errorStatus    = named(`(4|5)\d\d`)
	dateNames      = tree.Key("date", "datum")
	datedNames     = named(`((\w+D)|(_[dD]))((ate)|(atum))`)
	operationNames = tree.Key("get", "put", "post", "delete", "options", "head", "patch", "trace")
)

// named takes children whose name has a pattern.
func named(pattern string) tree.Step {
	shape := regexp.MustCompile(pattern)
	return tree.Where(func(segment string, _ *tree.Node) bool { return shape.MatchString(segment) })
}

// notNamed takes children whose name has not.
func notNamed(pattern string) tree.Step {
	shape := regexp.MustCompile(pattern)
	return tree.Where(func(segment string, _ *tree.Node) bool { return segment != "" && !shape.MatchString(segment) })
}

// in goes down by names; "*" is any.
func in(path string) tree.Selector {
	var out tree.Selector
	for _, name := range strings.Split(path, ".") {
		if name == "*" {
			out = append(out, all)
		} else {
			out = append(out, tree.Key(name))
		}
	}
	return out
}

// then lengthens a selector.
func then(s tree.Selector, steps ...tree.Step) tree.Selector {
	return append(append(tree.Selector{}, s...), steps...)
}

// inQuery takes parameters and security schemes that travel in the query.
func inQuery(_ string, value *tree.Node) bool { return value.Get("in").Value().Str() == "query" }

// withParameters takes operations to read or delete that have parameters.
func withParameters(segment string, value *tree.Node) bool {
	if !strings.Contains(segment, "get") && !strings.Contains(segment, "delete") {
		return false
	}
	parameters := value.Get("parameters").Value()
	return parameters != nil && (parameters.Kind == tree.Array && len(parameters.Items) > 0 || parameters.Kind == tree.String && parameters.Text != "")
}

// withExample takes what has a schema and an example of it.
func withExample(_ string, value *tree.Node) bool {
	return value.Kind == tree.Object && value.Get("schema").Value().Truthy() &&
		(value.Get("example") != nil || value.Get("examples").Value().Truthy())
}

// exemplified takes schemas with an example or default; `properties` is no schema.
func exemplified(segment string, value *tree.Node) bool {
	if segment == "properties" || value.Kind != tree.Object || value.Get("example") == nil && value.Get("default") == nil {
		return false
	}
	for _, mark := range []string{"enum", "type", "format", "$ref", "properties", "items"} {
		if value.Get(mark).Value().Truthy() {
			return true
		}
	}
	return false
}

// The findings of parser and resolver are rules without a selector.
var (
	numericKey   = withFix(rule{id: "parser", severity: Warn, message: "Mapping key must be a string scalar rather than number"})
	duplicateKey = withFix(rule{id: "parser", severity: Error, message: "Duplicate key"})
	noFormat     = withFix(rule{id: "unrecognized-format", severity: Warn})
	invalidRef   = withFix(rule{id: "invalid-ref", severity: Error})
)

// ruleset gives the rules in the order of adr-linter.yaml, then ours. Selectors follow the ruleset to the letter, with what
// Spectral makes of it: nlgov:http-methods looks at paths called "description", nlgov:problem-invalid-input at everything
// whose name contains "put".
var ruleset = sync.OnceValue(func() []rule {
	rules := []rule{
		{
			id: "oas3-schema", severity: Error, formats: openAPI3, given: []tree.Selector{{}},
			check: structure, message: "{{error}}.",
		},
		{
			id: "operation-operationId-unique", severity: Error, formats: openAPI, given: []tree.Selector{in("paths")},
			check: uniqueOperationIDs, message: `Every operation must have unique "operationId".`,
		},
		{id: "path-params", severity: Error, formats: openAPI, given: []tree.Selector{in("paths")}, check: pathParameters},
		{id: "openapi-tags-uniqueness", severity: Error, formats: openAPI, given: []tree.Selector{in("tags")}, check: uniqueTags},
		{
			id: "oas3-valid-media-example", severity: Error, formats: openAPI3,
			given: []tree.Selector{
				{deep, tree.Key("content"), deep, tree.Where(withExample)},
				{deep, tree.Key("headers"), deep, tree.Where(withExample)},
				{deep, tree.Key("parameters"), deep, tree.Where(withExample)},
			},
			check: mediaExamples,
		},
		{
			id: "oas3-valid-schema-example", severity: Error, formats: openAPI3,
			given: []tree.Selector{
				then(in("components.schemas"), deep, tree.Where(exemplified)),
				{deep, tree.Key("content"), deep, tree.Where(exemplified)},
				{deep, tree.Key("headers"), deep, tree.Where(exemplified)},
				{deep, tree.Key("parameters"), deep, tree.Where(exemplified)},
			},
			check: schemaExamples,
		},
		{
			id: "oas3-server-variables", severity: Error, formats: openAPI,
			given: []tree.Selector{
				in("servers.*"), in("paths.*.servers.*"), then(in("paths.*"), operationNames, tree.Key("servers"), all),
				in("components.links.*.server"), in("components.responses.*.links.*.server"),
				then(in("paths.*"), operationNames, responses, all, tree.Key("links"), all, tree.Key("server")),
			},
			check: serverVariables,
		},
		{
			id: "oas3-api-servers", severity: Error, formats: openAPI3, given: []tree.Selector{{}}, field: "servers",
			check: nonEmptyList, message: `OpenAPI "servers" must be present and non-empty array.`,
		},
		{
			id: "path-keys-no-trailing-slash", severity: Error, formats: openAPI, given: []tree.Selector{in("paths")}, field: key,
			check: notMatching(`.+\/$`), message: "Path must not end with slash.",
		},
		{
			id: "nlgov:openapi3", severity: Error, given: []tree.Selector{{deep, tree.Key("openapi")}},
			check: matching(`^3(.\d+){1,2}$`),
			message: "The OpenAPI Specification is versioned using a `major.minor.patch` versioning scheme. " +
				"Use a version 3 OpenAPI Specification for documentation.",
		},
		{
			id: "nlgov:openapi-root-exists", severity: Error, given: []tree.Selector{{}}, field: "openapi",
			check: truthy, message: "The root of the document must contain the `openapi` property.",
		},
		{
			id: "nlgov:missing-version-header", severity: Error, given: []tree.Selector{{deep, responses, okStatus, tree.Key("headers")}},
			check:   oneOfKeys("API-Version", "Api-Version", "Api-version", "api-version", "API-version"),
			message: "Return the full version number in a response header.",
		},
		{
			id: "nlgov:missing-header", severity: Error, given: []tree.Selector{{deep, responses, okStatus}}, field: "headers",
			check: truthy, message: "Return the full version number in a response header.",
		},
		{
			id: "nlgov:include-major-version-in-uri", severity: Error, given: []tree.Selector{in("servers.*")}, field: "url",
			check: matching(`\/v[\d+]`), message: "Include the major version number in the URI.",
		},
		{
			id: "nlgov:paths-no-trailing-slash", severity: Error, given: []tree.Selector{in("paths")}, field: key,
			check: notMatching(`.+ \/$`), message: "Leave off trailing slashes from URIs.",
		},
		{
			id: "info-contact", severity: Error, formats: openAPI, given: []tree.Selector{{}}, field: "info.contact",
			check: truthy, message: `Info object must have "contact" object.`,
		},
		{
			id: "nlgov:info-contact-fields-exist", severity: Error, given: []tree.Selector{in("info.contact")},
			check:   requires("email", "name", "url"),
			message: "Missing fields in `info.contact` field. Must specify email, name and url.",
		},
		{
			id: "nlgov:http-methods", severity: Error, given: []tree.Selector{then(in("paths"), named(`(?i)(description|summary)`))}, field: key,
			check: matching(`post|put|get|delete|patch|parameters`), message: "Only apply standard HTTP methods.",
		},
		{
			id: "nlgov:paths-kebab-case", severity: Error, keys: true,
			given:   []tree.Selector{then(in("paths"), notNamed(`\/openapi\.(json)|(yaml)`))},
			check:   matching(`^(\/|(\/_[a-z0-9]+|\/(([a-z0-9\-]+|{[^}]+})(\/([a-z0-9\-\.]+|{[^}]+}))*)(\/_[a-z]+)?)\/?)$`),
			message: "{{property}} is not kebab-case.",
		},
		{
			id: "nlgov:query-keys-camel-case", severity: Error, field: "name",
			given: []tree.Selector{
				then(in("paths.*.*.parameters"), tree.Where(inQuery)), then(in("components.securitySchemes"), tree.Where(inQuery)),
			},
			check: matching(`^\$?[a-z][a-z\d]*([A-Z][a-z\d]*)*$`), message: "{{value}} is not lower camelCase.",
		},
		{
			id: "nlgov:schema-camel-case", severity: Warn, keys: true, given: []tree.Selector{in("components.schemas.*")},
			check: matching(`^(|[A-Z][a-z0-9]*(?:[A-Z0-9](?:[a-z0-9]+|$))*)$`), message: "Schema name should be UpperCamelCase in {{path}}",
		},
		{
			id: "nlgov:servers-use-https", severity: Warn, blocking: true, field: "url",
			given: []tree.Selector{in("servers.*"), then(in("paths"), deep, tree.Key("servers"), all)},
			check: notMatching(`^http://.*`), message: "Server URL {{value}} {{error}}.",
		},
		{
			id: "nlgov:use-problem-schema", severity: Error, given: []tree.Selector{{deep, responses, errorStatus, tree.Key("content")}},
			check:   oneOfKeys("application/problem+json", "application/problem+xml"),
			message: "The content type of an error response should be application/problem+json or application/problem+xml to match RFC 9457.",
		},
		{
			id: "nlgov:problem-schema-members", severity: Error,
			given: []tree.Selector{{
				deep, responses, errorStatus, tree.Key("content"),
				tree.Key("application/problem+json", "application/problem+xml"), deep, tree.Key("schema"),
			}},
			check: objectWith("properties", "status", "title", "detail"), message: "{{error}}. These fields are required: status, title and detail.",
		},
		{
			id: "nlgov:problem-invalid-input", severity: Error,
			given:   []tree.Selector{then(in("paths"), deep, tree.Where(withParameters)), then(in("paths"), deep, named(`(put)|(post)|(patch)`))},
			check:   objectWith("responses", "400"),
			message: "GET and DELETE endpoints that have parameters, and all other endpoints must be able to return a 400 response",
		},
		{
			id: "nlgov:property-casing", severity: Warn, field: key,
			given: []tree.Selector{then(in("*.schemas.*.properties"), deep, named(`(?i)_links`))},
			check: matching(`^(|[a-z][a-z0-9]*(?:[A-Z0-9](?:[a-z0-9]+|$))*)$`), message: "Properties must be lowerCamelCase.",
		},
		{
			id: "nlgov:date-time-ensure-timezone", severity: Error, given: []tree.Selector{{deep, tree.Key("properties"), all, tree.Key("format")}},
			check: notMatching(`^date-time-local$`), message: "Use date-time format which includes a timezone",
		},
		{
			id: "nlgov:time-without-timezone", severity: Error, given: []tree.Selector{{deep, tree.Key("properties"), all, tree.Key("format")}},
			check: notMatching(`^time$`), message: "Use time-local format without a timezone",
		},
		{
			id: "nlgov:specify-format-for-date-and-time", severity: Error,
			given: []tree.Selector{{deep, tree.Key("properties"), dateNames}, {deep, tree.Key("properties"), datedNames}},
			check: formatted, message: "Any date field must set 'format' to 'date'",
		},
		{
			id: "nlgov:use-date-instead-of-datetime", severity: Error,
			given: []tree.Selector{
				// As Spectral runs it, the first selector looks only behind the first "properties" on its way.
				{tree.DeepWithout("properties"), tree.Key("properties"), dateNames, deep, tree.Key("format")},
				{deep, tree.Key("properties"), datedNames, deep, tree.Key("format")},
			},
			check: notMatching(`^date-time$`), message: "Field represents a date and therefore must set 'format' to 'date'",
		},
		{
			id: "nlgov:semver", severity: Error, given: []tree.Selector{in("info.version")},
			check: matching(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?` +
				`(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`),
			message: "Version {{value}} is not in semver format.",
		},
		{
			id: "hub:sensitive-parameter", severity: Error, blocking: true,
			given: []tree.Selector{in("paths.*.parameters.*"), in("paths.*.*.parameters.*"), in("components.parameters.*")},
			check: notSensitive,
		},
		{
			id: "hub:key-in-query", severity: Error, blocking: true, given: []tree.Selector{in("components.securitySchemes.*")},
			check: notInQuery,
		},
		{
			id: "hub:sign-in-over-http", severity: Error, blocking: true,
			given: []tree.Selector{
				then(in("components.securitySchemes.*.flows.*"), tree.Key("authorizationUrl", "tokenUrl", "refreshUrl")),
				in("components.securitySchemes.*.openIdConnectUrl"),
			},
			check: notMatching(`(?i)^http://`),
		},
	}
	for i := range rules {
		rules[i] = withFix(rules[i])
	}
	return rules
})

func withFix(r rule) rule {
	r.fix = fixes[r.id]
	return r
}
