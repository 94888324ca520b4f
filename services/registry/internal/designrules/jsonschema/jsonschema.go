package jsonschema

import (
	"regexp"
	"slices"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// Version is the version of OpenAPI, which decides the dialect of its schemas.
type Version uint8

// The versions whose schemas are known.
const (
	OpenAPI30 Version = iota
	OpenAPI31
)

// Leniency says which properties an example may leave out although the schema requires them.
type Leniency uint8

// OpenAPI: readOnly properties are not sent in a request, writeOnly ones not in an answer.
const (
	Strict Leniency = iota
	Request
	Response
)

// Fault is one thing that is wrong with a value.
type Fault struct {
	Path    []string // within the value
	Message string
}

// Checker checks the values of one document. It is for one goroutine.
type Checker struct {
	version Version
	budget  *tree.Budget

	met      map[visit]bool            // of examples and their schemas
	patterns map[string]*regexp.Regexp // nil: Go cannot read it
	meta     *run
	usable   map[*tree.Node]*problem
}

// New makes a Checker that spends from a budget.
func New(version Version, budget *tree.Budget) *Checker {
	c := &Checker{
		version: version, budget: budget,
		met: map[visit]bool{}, patterns: map[string]*regexp.Regexp{}, usable: map[*tree.Node]*problem{},
	}
	c.meta = &run{Checker: c, library: standard(), dynamic: draft2020, follow: true, met: map[visit]bool{}}
	return c
}

// Structure checks a whole description against the schema of its version of OpenAPI, references unfollowed, and tells all
// faults.
func (c *Checker) Structure(root *tree.Node) []Fault {
	r := &run{Checker: c, library: standard(), dynamic: dynamicMeta, all: true, met: map[visit]bool{}}
	uri := openAPI30
	if c.version == OpenAPI31 {
		uri = openAPI31
	}
	r.check(r.library.root(uri), root, nil, nil)
	return r.faults
}

// Example checks a value against a schema of the document and tells the first fault. A schema that still refers to its own
// surroundings cannot be told, and passes; one that is no schema is a fault of the example, as in Spectral.
func (c *Checker) Example(schema, value *tree.Node, leniency Leniency) []Fault {
	if p := c.problemOf(schema.Value()); p != nil {
		if p.open {
			return nil
		}
		return []Fault{{Message: p.message}}
	}
	r := &run{Checker: c, follow: true, leniency: leniency, met: c.met}
	r.check(schema, value, nil, nil)
	return r.faults
}

// problem is why no value can be checked against a schema.
type problem struct {
	open    bool // a reference in it could not be followed
	message string
}

// problemOf looks a schema through, as ajv does when it compiles one; once, with all that it applies.
func (c *Checker) problemOf(schema *tree.Node) *problem {
	if known, done := c.usable[schema]; done {
		return known
	}
	uri := draft4
	if c.version == OpenAPI31 {
		uri = draft2020
	}
	c.meta.faults = nil
	if !c.meta.check(c.meta.library.root(uri), schema, nil, nil) {
		p := &problem{message: "schema is invalid: " + c.meta.faults[0].text()}
		c.usable[schema] = p
		return p
	}
	return c.inspect(schema)
}

// inspect finds what the meta-schema does not see. Resolved schemas have no circles, so what one applies is looked at before
// the schema itself is done.
func (c *Checker) inspect(schema *tree.Node) *problem {
	schema = schema.Value()
	if schema == nil || schema.Kind != tree.Object {
		return nil
	}
	if known, done := c.usable[schema]; done {
		return known
	}
	if !c.budget.Spend() {
		return nil
	}
	var p *problem
	if _, open := schema.Reference(); open {
		p = &problem{open: true}
	} else if message := misuse(schema); message != "" {
		p = &problem{message: message}
	} else {
		eachSubschema(schema, func(part *tree.Node) {
			if p == nil {
				p = c.inspect(part)
			}
		})
	}
	c.usable[schema] = p
	return p
}

// misuse tells what ajv refuses although the meta-schema lets it pass.
func misuse(s *tree.Node) string {
	nullable, format := s.Get("nullable").Value(), s.Get("format").Value()
	switch {
	case nullable != nil && nullable.Kind != tree.Bool:
		return "nullable must be true or false"
	case nullable != nil && len(typesOf(s)) == 0:
		return `"nullable" cannot be used without "type"`
	case format != nil && format.Kind != tree.String:
		return "format must be text"
	}
	return ""
}

// eachSubschema calls f for the schemas that a schema applies.
func eachSubschema(s *tree.Node, f func(*tree.Node)) {
	for _, key := range s.Keys {
		value := s.Get(key).Value()
		switch key {
		case "properties", "patternProperties", "dependencies", "dependentSchemas", "allOf", "anyOf", "oneOf", "prefixItems":
			value.Children(func(_ string, child *tree.Node) { f(child) })
		case "items":
			if value.Kind == tree.Array {
				value.Children(func(_ string, child *tree.Node) { f(child) })
			} else {
				f(value)
			}
		case "additionalProperties", "additionalItems", "not", "if", "then", "else", "contains", "propertyNames",
			"unevaluatedProperties", "unevaluatedItems":
			f(value)
		}
	}
}

// typesOf gives what `type` and `nullable` allow; none: everything.
func typesOf(s *tree.Node) []string {
	var types []string
	switch t := s.Get("type").Value(); {
	case t == nil:
	case t.Kind == tree.Array:
		for _, item := range t.Items {
			types = append(types, item.Value().Str())
		}
	case t.Str() != "":
		types = []string{t.Str()}
	}
	if nullable := s.Get("nullable").Value(); len(types) > 0 && nullable != nil && nullable.Bool && !slices.Contains(types, "null") {
		types = append(types, "null")
	}
	return types
}
