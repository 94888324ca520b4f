package designrules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"noorderhub.nl/hub/services/registry/internal/designrules/jsonschema"
	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// check looks at one target and tells what is wrong with it. These are the functions that the ruleset takes from
// @stoplight/spectral-functions, each with its way of passing over values of another kind.
type check func(c *checker, t target)

// truthy: the value is there, and is neither empty, zero nor false.
func truthy(c *checker, t target) {
	if !t.value.Truthy() {
		c.tell(t.place.At, "must be truthy")
	}
}

// matching: text keeps to a pattern.
func matching(pattern string) check {
	shape := regexp.MustCompile(pattern)
	return func(c *checker, t target) {
		if t.value != nil && t.value.Kind == tree.String && !shape.MatchString(t.value.Text) {
			c.tell(t.place.At, fmt.Sprintf("%q must match the pattern %q", t.value.Text, pattern))
		}
	}
}

// notMatching: text does not have a pattern.
func notMatching(pattern string) check {
	shape := regexp.MustCompile(pattern)
	return func(c *checker, t target) {
		if t.value != nil && t.value.Kind == tree.String && shape.MatchString(t.value.Text) {
			c.tell(t.place.At, fmt.Sprintf("%q must not match the pattern %q", t.value.Text, pattern))
		}
	}
}

// oneOfKeys: an object has at least one of these members.
func oneOfKeys(names ...string) check {
	return func(c *checker, t target) {
		if t.value != nil && t.value.Kind == tree.Object &&
			!slices.ContainsFunc(t.value.Keys, func(k string) bool { return slices.Contains(names, k) }) {
			c.tell(t.place.At, fmt.Sprintf("one of %q must be there", names))
		}
	}
}

// requires: an object has all of these members. It looks through no other kind of value.
func requires(names ...string) check {
	return func(c *checker, t target) {
		if t.value == nil || t.value.Kind != tree.Object {
			return
		}
		for _, name := range names {
			if t.value.Get(name) == nil {
				c.tell(t.place.At, fmt.Sprintf("must have required property %q", name))
				return
			}
		}
	}
}

// objectWith: the target is an object, and where it has the member, that is an object with all of these members.
func objectWith(member string, names ...string) check {
	return func(c *checker, t target) {
		if t.value == nil || t.value.Kind != tree.Object {
			c.tell(t.place.At, "must be object")
			return
		}
		below, ok := t.place.Get(member)
		switch {
		case !ok:
		case below.Value.Kind != tree.Object:
			c.tell(below.At, "must be object")
		default:
			requires(names...)(c, target{below, below.Value})
		}
	}
}

// nonEmptyList: the value is a list of objects, and not an empty one.
func nonEmptyList(c *checker, t target) {
	if t.value == nil || t.value.Kind != tree.Array || len(t.value.Items) == 0 {
		c.tell(t.place.At, "must be a list that is not empty")
		return
	}
	for i := range t.value.Items {
		if item, _ := t.place.Get(strconv.Itoa(i)); item.Value.Kind != tree.Object {
			c.tell(item.At, "must be object")
			return
		}
	}
}

// formatted: a schema, or each schema it is composed of, says its format.
func formatted(c *checker, t target) {
	if t.value == nil || t.value.Kind != tree.Object || t.value.Get("format") != nil {
		return
	}
	parts, ok := t.place.Get("allOf")
	if !ok {
		c.tell(t.place.At, `must have required property "format"`)
		return
	}
	if parts.Value.Kind != tree.Array {
		c.tell(t.place.At, `must have required property "format"`)
		c.tell(parts.At, "must be array")
		return
	}
	for i := range parts.Value.Items {
		part, _ := parts.Get(strconv.Itoa(i))
		if part.Value.Kind == tree.Object && part.Value.Get("format") == nil {
			c.tell(t.place.At, `must have required property "format"`)
			c.tell(part.At, `must have required property "format"`)
			return
		}
	}
}

// uniqueTags: no two tags have one name.
func uniqueTags(c *checker, t target) {
	if t.value == nil || t.value.Kind != tree.Array {
		return
	}
	seen := map[string]bool{}
	var twice []tree.Place
	for i := range t.value.Items {
		tag, _ := t.place.Get(strconv.Itoa(i))
		name, ok := tag.Get("name")
		if !ok || name.Value.Kind != tree.String {
			return // not a list of tags: oas3-schema tells
		}
		if seen[name.Value.Text] {
			twice = append(twice, name)
		}
		seen[name.Value.Text] = true
	}
	for _, name := range twice {
		c.tell(name.At, fmt.Sprintf(`"tags" object contains duplicate tag name %q.`, name.Value.Text))
	}
}

// structure: the document keeps to the schema of its version of OpenAPI.
func structure(c *checker, t target) {
	if c.format == oas32 {
		return
	}
	for _, fault := range c.schemas.Structure(t.value) {
		at := t.value
		for _, segment := range fault.Path {
			if next := at.At(segment); next != nil {
				at = next
			}
		}
		c.tell(at, fault.Message)
	}
}

// schemaExamples: `example` and `default` of a schema keep to it.
func schemaExamples(c *checker, t target) {
	for _, field := range []string{"example", "default"} {
		if place, ok := t.place.Get(field); ok {
			c.example(t.value, place, jsonschema.Strict)
		}
	}
}

// mediaExamples: the examples of a body, header or parameter keep to its schema.
func mediaExamples(c *checker, t target) {
	schema := t.value.Get("schema").Value()
	if t.value.Kind != tree.Object || schema.Kind != tree.Object {
		return
	}
	leniency := jsonschema.Strict
	switch {
	case t.place.Request():
		leniency = jsonschema.Request
	case t.place.Response():
		leniency = jsonschema.Response
	}
	if place, ok := t.place.Get("example"); ok {
		c.example(schema, place, leniency)
		return
	}
	examples, _ := t.place.Get("examples")
	examples.Children(func(_ string, example tree.Place) {
		if !example.Value.Container() || example.Value.Get("externalValue") != nil {
			return
		}
		value, ok := example.Get("value")
		if !ok {
			c.tell(example.At, "the example has no value")
			return
		}
		c.example(schema, value, leniency)
	})
}

func (c *checker) example(schema *tree.Node, place tree.Place, leniency jsonschema.Leniency) {
	for _, fault := range c.schemas.Example(schema, place.Value, leniency) {
		at := place
		at, _ = at.Closest(fault.Path...)
		property := ""
		if path := at.At.Path(); len(path) > 0 {
			property = path[len(path)-1]
		}
		c.tell(at.At, fmt.Sprintf("%q property %s", property, fault.Message))
	}
}
