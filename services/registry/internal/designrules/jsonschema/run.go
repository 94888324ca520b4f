package jsonschema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// run is one check of one value.
type run struct {
	*Checker
	library  library // schemas come from here and keep their references; nil: they come from the document
	dynamic  string  // where `$dynamicRef` leads
	follow   bool    // references in the value are followed
	met      map[visit]bool
	leniency Leniency
	all      bool // tell all faults, not the first only
	quiet    int  // within not, if, anyOf and the like: an answer only
	faults   []Fault
}

// visit is a meeting of schema and value, kept with its outcome when it has nothing to tell its surroundings.
type visit struct {
	schema, value *tree.Node
	leniency      Leniency
}

// trail is the way from the value checked to the value at hand.
type trail struct {
	up      *trail
	segment string
}

func (t *trail) down(segment string) *trail { return &trail{up: t, segment: segment} }

func (t *trail) path() []string {
	path := []string{}
	for ; t != nil; t = t.up {
		path = append(path, t.segment)
	}
	slices.Reverse(path)
	return path
}

func (f Fault) text() string {
	if len(f.Path) == 0 {
		return f.Message
	}
	return fmt.Sprintf("%q property %s", f.Path[len(f.Path)-1], f.Message)
}

// evaluated collects which members and items a schema has looked at, for `unevaluatedProperties` and `unevaluatedItems`.
// Nil: nobody asks.
type evaluated struct {
	members    map[string]bool
	allMembers bool
	items      int
	allItems   bool
}

func (e *evaluated) member(name string) {
	if e != nil {
		e.members[name] = true
	}
}

func (e *evaluated) upTo(items int) {
	if e != nil {
		e.items = max(e.items, items)
	}
}

func (e *evaluated) fresh() *evaluated {
	if e == nil {
		return nil
	}
	return &evaluated{members: map[string]bool{}}
}

func (e *evaluated) join(other *evaluated) {
	if e == nil || other == nil {
		return
	}
	for name := range other.members {
		e.members[name] = true
	}
	e.allMembers, e.allItems = e.allMembers || other.allMembers, e.allItems || other.allItems
	e.upTo(other.items)
}

func (r *run) fail(at *trail, format string, args ...any) bool {
	if r.quiet == 0 && (r.all || len(r.faults) == 0) {
		r.faults = append(r.faults, Fault{Path: at.path(), Message: fmt.Sprintf(format, args...)})
	}
	return false
}

// sub gives the schema that a keyword holds.
func (r *run) sub(schema *tree.Node, keyword string) *tree.Node {
	s := schema.Get(keyword)
	if r.library == nil {
		s = s.Value()
	}
	return s
}

// check tells whether a value keeps to a schema. Each of its parts adds its own faults.
func (r *run) check(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	if !r.budget.Spend() {
		return true // the caller looks at the budget
	}
	if r.library == nil {
		schema = schema.Value()
	}
	if r.follow {
		value = value.Value()
	}
	if schema.Kind == tree.Bool {
		return schema.Bool || r.fail(at, "must not be there")
	}
	if schema.Kind != tree.Object {
		return true
	}
	if schema.Get("unevaluatedProperties") != nil || schema.Get("unevaluatedItems") != nil {
		return r.checkAll(schema, value, at, seen)
	}
	key := visit{schema, value, r.leniency}
	if known, met := r.met[key]; met && seen == nil && (known || r.quiet > 0) {
		return known
	}
	ok := r.checkAll(schema, value, at, seen)
	if seen == nil {
		r.met[key] = ok
	}
	return ok
}

func (r *run) checkAll(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	own := seen
	if seen == nil && (schema.Get("unevaluatedProperties") != nil || schema.Get("unevaluatedItems") != nil) {
		own = &evaluated{members: map[string]bool{}}
	}
	steps := []func(schema, value *tree.Node, at *trail, seen *evaluated) bool{
		r.references, r.any, r.combined, r.numbers, r.texts, r.arrays, r.objects, r.unevaluated,
	}
	ok := true
	for _, step := range steps {
		if !step(schema, value, at, own) {
			ok = false
			if !r.all || r.quiet > 0 {
				return false
			}
		}
	}
	return ok
}

func (r *run) references(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	if r.library == nil {
		return true // followed already
	}
	ok := true
	if reference, is := schema.Reference(); is {
		ok = r.check(r.library.find(schema, reference), value, at, seen)
	}
	if schema.Get("$dynamicRef") != nil {
		ok = r.check(r.library.root(r.dynamic), value, at, seen) && ok
	}
	return ok
}

// any checks what holds for values of every kind.
func (r *run) any(schema, value *tree.Node, at *trail, _ *evaluated) bool {
	ok := true
	if types := typesOf(schema); len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return isType(t, value) }) {
		ok = r.fail(at, "must be %s", strings.Join(types, " or "))
	}
	if list := r.sub(schema, "enum"); list != nil && list.Kind == tree.Array {
		if !slices.ContainsFunc(list.Items, func(item *tree.Node) bool { return r.equal(item, value) }) {
			ok = r.fail(at, "must be one of the values of the enumeration")
		}
	}
	if constant := r.sub(schema, "const"); constant != nil && !r.equal(constant, value) {
		ok = r.fail(at, "must be equal to the constant")
	}
	return ok
}

func isType(name string, value *tree.Node) bool {
	if name == "integer" {
		return value.Kind == tree.Number && isInteger(value.Number)
	}
	return value.Kind.String() == name
}

// combined checks allOf, anyOf, oneOf, not and if.
func (r *run) combined(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	ok := true
	if list := r.sub(schema, "allOf"); list != nil {
		for _, s := range list.Items {
			ok = r.check(s, value, at, seen) && ok
		}
	}
	if list := r.sub(schema, "anyOf"); list != nil && r.passing(list, value, at, seen, true) == 0 {
		ok = r.fail(at, "must match a schema in anyOf")
	}
	if list := r.sub(schema, "oneOf"); list != nil && r.passing(list, value, at, seen, false) != 1 {
		ok = r.fail(at, "must match exactly one schema in oneOf")
	}
	if s := r.sub(schema, "not"); s != nil {
		leniency := r.leniency
		r.leniency = Strict
		passes := r.try(s, value, at, nil)
		r.leniency = leniency
		if passes {
			ok = r.fail(at, "must not match the schema in not")
		}
	}
	if s := r.sub(schema, "if"); s != nil {
		branch := "else"
		inner := seen.fresh()
		if r.try(s, value, at, inner) {
			branch = "then"
			seen.join(inner)
		}
		if s := r.sub(schema, branch); s != nil {
			ok = r.check(s, value, at, seen) && ok
		}
	}
	return ok
}

// equal compares values as the check sees them: the order of members does not count, 1 and 1.0 are one number.
func (r *run) equal(a, b *tree.Node) bool {
	if r.follow {
		a, b = a.Value(), b.Value()
	}
	if a == b || !r.budget.Spend() {
		return true
	}
	if a == nil || b == nil || a.Kind != b.Kind || len(a.Items) != len(b.Items) || len(a.Keys) != len(b.Keys) {
		return false
	}
	switch a.Kind {
	case tree.Bool:
		return a.Bool == b.Bool
	case tree.Number:
		return a.Number == b.Number
	case tree.String:
		return a.Text == b.Text
	case tree.Array:
		for i := range a.Items {
			if !r.equal(a.Items[i], b.Items[i]) {
				return false
			}
		}
	case tree.Object:
		for _, key := range a.Keys {
			if !r.equal(a.Get(key), b.Get(key)) {
				return false
			}
		}
	}
	return true
}

// unexpected is a fault of a member that must not be there: told of the member where a description is checked, of the whole
// where an example is, as in Spectral.
func (r *run) unexpected(at *trail, name string) bool {
	if r.all {
		return r.fail(at.down(name), "is not expected to be here")
	}
	return r.fail(at, "must not have property %q", name)
}

// try answers without telling faults.
func (r *run) try(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	r.quiet++
	defer func() { r.quiet-- }()
	return r.check(schema, value, at, seen)
}

// passing counts the schemas of a list that a value keeps to: all of them where somebody asks what they evaluated.
func (r *run) passing(list, value *tree.Node, at *trail, seen *evaluated, one bool) int {
	count := 0
	for _, s := range list.Items {
		inner := seen.fresh()
		if r.try(s, value, at, inner) {
			count++
			seen.join(inner)
			if one && seen == nil || count > 1 && !one {
				break
			}
		}
	}
	return count
}

// pattern gives a regular expression of a schema, nil when Go cannot read it: then nothing is held against a value.
func (r *run) pattern(text string) *regexp.Regexp {
	compiled, known := r.patterns[text]
	if !known {
		compiled, _ = compile(text)
		r.patterns[text] = compiled
	}
	return compiled
}
