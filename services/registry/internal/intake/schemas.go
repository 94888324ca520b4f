package intake

import (
	"slices"
	"strings"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// direction tells who must cope: a service with what old clients send, or old clients with what the service answers.
type direction uint8

const (
	request direction = iota
	response
)

// maxSchemaSteps bounds how many schemas one comparison looks at, maxVariants the parts of one schema.
const (
	maxSchemaSteps = 300_000
	maxVariants    = 200
)

// schemas compares two schemas as one side of a call sees them.
func (c *comparison) schemas(d direction, path string, old, new *tree.Node) {
	s := &schemaComparison{comparison: c, direction: d, path: path, met: map[[2]*tree.Node]bool{}}
	s.compare("", old, new)
}

// schemaComparison walks two schemas side by side.
type schemaComparison struct {
	*comparison
	direction direction
	path      string
	met       map[[2]*tree.Node]bool
}

func (s *schemaComparison) tell(breaking bool, field, nl, en string, args ...any) {
	path := s.path
	if field != "" {
		path += ": " + field
	}
	s.add(breaking, path, nl, en, args...)
}

func (s *schemaComparison) compare(field string, old, new *tree.Node) {
	old, new = whole(old), whole(new)
	pair := [2]*tree.Node{old, new}
	if old == nil || new == nil || old.Kind != tree.Object || new.Kind != tree.Object || s.met[pair] {
		return
	}
	if s.steps--; s.steps < 0 {
		return
	}
	s.met[pair] = true
	was, is := shapeOf(old), shapeOf(new)
	s.types(field, was, is)
	s.enums(field, was, is)
	s.limits(field, was, is)
	s.properties(field, was, is)
	s.compare(field, was.items, is.items)
	if was.variants != is.variants {
		fewer := is.variants < was.variants
		s.tell(fewer == (s.direction == request), field, "Het aantal vormen (oneOf, anyOf) is veranderd van %d in %d.",
			"The number of variants (oneOf, anyOf) has changed from %d to %d.", was.variants, is.variants)
	}
}

func (s *schemaComparison) types(field string, was, is shape) {
	lost, won := without(was.types, is.types), without(is.types, was.types)
	// An integer is a number too.
	if slices.Contains(is.types, "number") {
		lost = without(lost, []string{"integer"})
	}
	if slices.Contains(was.types, "number") {
		won = without(won, []string{"integer"})
	}
	if len(was.types) == 0 && len(is.types) > 0 {
		s.tell(s.direction == request, field, "Het type is nu beperkt tot %s.", "The type is now limited to %s.", strings.Join(is.types, ", "))
		return
	}
	if len(is.types) == 0 && len(was.types) > 0 {
		s.tell(s.direction == response, field, "Het type %s is nu vrij.", "The type %s is free now.", strings.Join(was.types, ", "))
		return
	}
	if len(lost) > 0 {
		s.tell(s.direction == request, field, "De waarde mag geen %s meer zijn.", "The value can no longer be %s.", strings.Join(lost, ", "))
	}
	if len(won) > 0 {
		s.tell(s.direction == response, field, "De waarde kan nu ook %s zijn.", "The value can be %s now too.", strings.Join(won, ", "))
	}
	if was.format != is.format {
		breaking := was.format != "" && is.format != "" || (was.format == "") == (s.direction == request)
		s.tell(breaking, field, "Het formaat %q is nu %q.", "Format %q is now %q.", was.format, is.format)
	}
}

func (s *schemaComparison) enums(field string, was, is shape) {
	switch {
	case was.enum == nil && is.enum == nil:
	case was.enum == nil:
		s.tell(s.direction == request, field, "Alleen nog deze waarden zijn mogelijk: %s.", "Only these values are possible now: %s.", strings.Join(is.enum, ", "))
	case is.enum == nil:
		s.tell(s.direction == response, field, "Ook andere waarden dan de opsomming zijn nu mogelijk.", "Values beyond the enumeration are possible now.")
	default:
		if lost := without(was.enum, is.enum); len(lost) > 0 {
			s.tell(s.direction == request, field, "Deze waarden vervallen: %s.", "These values are gone: %s.", strings.Join(lost, ", "))
		}
		if won := without(is.enum, was.enum); len(won) > 0 {
			s.tell(s.direction == response, field, "Deze waarden zijn nieuw: %s.", "These values are new: %s.", strings.Join(won, ", "))
		}
	}
}

// limits compares lengths, bounds and patterns. A wider answer is for clients to cope with, and seldom breaks them.
func (s *schemaComparison) limits(field string, was, is shape) {
	for _, keyword := range []string{"minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties"} {
		s.bound(field, keyword, was.numbers, is.numbers, func(old, new float64) bool { return new > old })
	}
	for _, keyword := range []string{"maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties"} {
		s.bound(field, keyword, was.numbers, is.numbers, func(old, new float64) bool { return new < old })
	}
	if is.pattern != "" && was.pattern != is.pattern {
		s.tell(s.direction == request, field, "Het patroon is nu %s.", "The pattern is now %s.", is.pattern)
	}
}

func (s *schemaComparison) bound(field, keyword string, was, is map[string]float64, tighter func(old, new float64) bool) {
	old, limited := was[keyword]
	now, limits := is[keyword]
	if limits && (!limited || tighter(old, now)) {
		s.tell(s.direction == request, field, "De grens %s is aangescherpt tot %v.", "Limit %s is tightened to %v.", keyword, now)
	}
}

func (s *schemaComparison) properties(field string, was, is shape) {
	for _, name := range was.names {
		at := join(field, name)
		after, stays := is.properties[name]
		if !stays {
			s.tell(s.direction == response || is.closed, at, "Het veld vervalt.", "The field is gone.")
			continue
		}
		required, requires := was.required[name], is.required[name]
		if s.direction == request && requires && !required {
			s.tell(true, at, "Het veld is nu verplicht.", "The field is required now.")
		}
		if s.direction == response && required && !requires {
			s.tell(true, at, "Het veld kan nu ontbreken.", "The field can be missing now.")
		}
		s.compare(at, was.properties[name], after)
	}
	for _, name := range is.names {
		if _, known := was.properties[name]; known {
			continue
		}
		if at := join(field, name); s.direction == request && is.required[name] {
			s.tell(true, at, "Er is een verplicht veld bij gekomen.", "There is a new required field.")
		} else {
			s.tell(false, at, "Het veld is nieuw.", "The field is new.")
		}
	}
}

func join(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}

func without(list, other []string) []string {
	var out []string
	for _, item := range list {
		if !slices.Contains(other, item) {
			out = append(out, item)
		}
	}
	return out
}

// shape is a schema with its allOf taken together, and what oneOf and anyOf allow beside it.
type shape struct {
	types, enum     []string // nil: not limited
	format, pattern string
	numbers         map[string]float64
	names           []string
	properties      map[string]*tree.Node
	required        map[string]bool
	items           *tree.Node
	closed          bool // no other fields are taken
	variants        int  // of oneOf and anyOf
}

func shapeOf(schema *tree.Node) shape {
	s := shape{numbers: map[string]float64{}, properties: map[string]*tree.Node{}, required: map[string]bool{}}
	left := maxVariants
	s.merge(schema, true, nil, &left)
	return s
}

// merge takes a schema in; what is only one of several variants requires nothing and limits nothing.
func (s *shape) merge(schema *tree.Node, always bool, above []*tree.Node, left *int) {
	if schema = whole(schema); schema == nil || schema.Kind != tree.Object || slices.Contains(above, schema) || *left <= 0 {
		return
	}
	*left--
	above = append(above, schema)
	if always {
		s.constrain(schema)
	}
	whole(schema.Get("properties")).Children(func(name string, property *tree.Node) {
		if _, known := s.properties[name]; !known {
			s.names = append(s.names, name)
			s.properties[name] = property
		}
	})
	if items := whole(schema.Get("items")); items != nil {
		s.items = items
	}
	whole(schema.Get("allOf")).Children(func(_ string, part *tree.Node) { s.merge(part, always, above, left) })
	for _, keyword := range []string{"oneOf", "anyOf"} {
		whole(schema.Get(keyword)).Children(func(_ string, part *tree.Node) {
			s.variants++
			s.merge(part, false, above, left)
		})
	}
}

func (s *shape) constrain(schema *tree.Node) {
	switch t := schema.Get("type"); {
	case t.Str() != "":
		s.types = []string{t.Str()}
	case t != nil && t.Kind == tree.Array:
		s.types = nil
		for _, item := range t.Items {
			s.types = append(s.types, item.Str())
		}
	}
	if isTrue(schema.Get("nullable")) && len(s.types) > 0 && !slices.Contains(s.types, "null") {
		s.types = append(s.types, "null")
	}
	if enum := schema.Get("enum"); enum != nil && enum.Kind == tree.Array {
		s.enum = []string{}
		for _, item := range enum.Items {
			s.enum = append(s.enum, strings.Trim(string(item.AppendJSON(nil, nil)), `"`))
		}
	} else if constant := schema.Get("const"); constant != nil {
		s.enum = []string{strings.Trim(string(constant.AppendJSON(nil, nil)), `"`)}
	}
	if format := schema.Get("format").Str(); format != "" {
		s.format = format
	}
	if pattern := schema.Get("pattern").Str(); pattern != "" {
		s.pattern = pattern
	}
	for _, keyword := range schema.Keys {
		if n := schema.Get(keyword); n.Kind == tree.Number {
			s.numbers[keyword] = n.Number
		}
	}
	if required := schema.Get("required"); required != nil {
		required.Children(func(_ string, name *tree.Node) { s.required[name.Str()] = true })
	}
	if more := schema.Get("additionalProperties"); more != nil && more.Kind == tree.Bool && !more.Bool {
		s.closed = true
	}
}
