package jsonschema

import (
	"math"
	"strconv"
	"unicode/utf8"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

func isInteger(value float64) bool { return value == math.Trunc(value) && !math.IsInf(value, 0) }

// limit gives the number of a keyword.
func (r *run) limit(schema *tree.Node, keyword string) (float64, bool) {
	n := r.sub(schema, keyword)
	if n == nil || n.Kind != tree.Number {
		return 0, false
	}
	return n.Number, true
}

func (r *run) numbers(schema, value *tree.Node, at *trail, _ *evaluated) bool {
	if value.Kind != tree.Number {
		return true
	}
	ok, n := true, value.Number
	// In draft 4 the exclusive limits are booleans beside the limit; limit finds no number in them.
	lowest, highest := r.sub(schema, "exclusiveMinimum"), r.sub(schema, "exclusiveMaximum")
	if limit, is := r.limit(schema, "minimum"); is && (n < limit || n == limit && lowest != nil && lowest.Bool) {
		ok = r.fail(at, "must be at least %v", limit)
	}
	if limit, is := r.limit(schema, "maximum"); is && (n > limit || n == limit && highest != nil && highest.Bool) {
		ok = r.fail(at, "must be at most %v", limit)
	}
	if limit, is := r.limit(schema, "exclusiveMinimum"); is && n <= limit {
		ok = r.fail(at, "must be more than %v", limit)
	}
	if limit, is := r.limit(schema, "exclusiveMaximum"); is && n >= limit {
		ok = r.fail(at, "must be less than %v", limit)
	}
	if factor, is := r.limit(schema, "multipleOf"); is && factor != 0 && !isInteger(n/factor) {
		ok = r.fail(at, "must be a multiple of %v", factor)
	}
	if format := r.sub(schema, "format").Str(); !numberFits(format, n) {
		ok = r.fail(at, "must match format %q", format)
	}
	return ok
}

func (r *run) texts(schema, value *tree.Node, at *trail, _ *evaluated) bool {
	if value.Kind != tree.String {
		return true
	}
	ok := true
	if limit, is := r.limit(schema, "minLength"); is {
		if float64(utf8.RuneCountInString(value.Text)) < limit {
			ok = r.fail(at, "must not have fewer than %v characters", limit)
		}
	}
	if limit, is := r.limit(schema, "maxLength"); is {
		if float64(utf8.RuneCountInString(value.Text)) > limit {
			ok = r.fail(at, "must not have more than %v characters", limit)
		}
	}
	if pattern := r.sub(schema, "pattern"); pattern != nil && pattern.Kind == tree.String {
		if compiled := r.pattern(pattern.Text); compiled != nil && !compiled.MatchString(value.Text) {
			ok = r.fail(at, "must match pattern %q", pattern.Text)
		}
	}
	if format := r.sub(schema, "format").Str(); format != "" {
		if fits := formatOf(format); fits != nil && !fits(value.Text) {
			ok = r.fail(at, "must match format %q", format)
		}
	}
	return ok
}

func (r *run) arrays(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	if value.Kind != tree.Array {
		return true
	}
	ok, length := true, float64(len(value.Items))
	if limit, is := r.limit(schema, "minItems"); is && length < limit {
		ok = r.fail(at, "must not have fewer than %v items", limit)
	}
	if limit, is := r.limit(schema, "maxItems"); is && length > limit {
		ok = r.fail(at, "must not have more than %v items", limit)
	}
	if unique := r.sub(schema, "uniqueItems"); unique != nil && unique.Bool && r.repeated(value) {
		ok = r.fail(at, "must not have duplicate items")
	}
	ok = r.items(schema, value, at, seen) && ok
	if s := r.sub(schema, "contains"); s != nil {
		count := 0.0
		for i, item := range value.Items {
			if r.try(s, item, at.down(strconv.Itoa(i)), nil) {
				count++
			}
		}
		lowest, is := r.limit(schema, "minContains")
		if !is {
			lowest = 1
		}
		if highest, is := r.limit(schema, "maxContains"); count < lowest || is && count > highest {
			ok = r.fail(at, "must contain the right number of items that match the schema in contains")
		}
	}
	return ok
}

// items checks items by their place, then the rest.
func (r *run) items(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	items, rest := r.sub(schema, "prefixItems"), r.sub(schema, "items")
	if rest != nil && rest.Kind == tree.Array {
		items, rest = rest, r.sub(schema, "additionalItems")
	}
	ok, first := true, 0
	if items != nil {
		first = min(len(items.Items), len(value.Items))
		for i := range first {
			ok = r.check(items.Items[i], value.Items[i], at.down(strconv.Itoa(i)), nil) && ok
		}
		seen.upTo(first)
	}
	if rest == nil {
		return ok
	}
	if rest.Kind == tree.Bool && !rest.Bool && first < len(value.Items) {
		return r.fail(at, "must not have more than %d items", first)
	}
	for i := first; i < len(value.Items); i++ {
		ok = r.check(rest, value.Items[i], at.down(strconv.Itoa(i)), nil) && ok
		if !ok && !r.all {
			return false
		}
	}
	if seen != nil {
		seen.allItems = true
	}
	return ok
}

// repeated tells whether two items are equal. Long lists of texts and numbers are common, long lists of objects are not.
func (r *run) repeated(value *tree.Node) bool {
	texts := map[string]bool{}
	var others []*tree.Node
	for _, item := range value.Items {
		if r.follow {
			item = item.Value()
		}
		if item.Kind == tree.String {
			if texts[item.Text] {
				return true
			}
			texts[item.Text] = true
			continue
		}
		for _, other := range others {
			if !r.budget.Spend() {
				return false
			}
			if r.equal(item, other) {
				return true
			}
		}
		others = append(others, item)
	}
	return false
}

func (r *run) objects(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	if value.Kind != tree.Object {
		return true
	}
	ok, size := true, float64(len(value.Keys))
	if limit, is := r.limit(schema, "minProperties"); is && size < limit {
		ok = r.fail(at, "must not have fewer than %v properties", limit)
	}
	if limit, is := r.limit(schema, "maxProperties"); is && size > limit {
		ok = r.fail(at, "must not have more than %v properties", limit)
	}
	properties := r.sub(schema, "properties")
	if required := r.sub(schema, "required"); required != nil && required.Kind == tree.Array {
		for _, item := range required.Items {
			if name := item.Value().Str(); value.Get(name) == nil && !r.lenient(properties, name) {
				ok = r.fail(at, "must have required property %q", name)
			}
		}
	}
	ok = r.members(schema, properties, value, at, seen) && ok
	return r.dependent(schema, value, at, seen) && ok
}

// lenient tells whether this example may leave a property out.
func (r *run) lenient(properties *tree.Node, name string) bool {
	mark := map[Leniency]string{Request: "readOnly", Response: "writeOnly"}[r.leniency]
	if mark == "" {
		return false
	}
	flag := properties.Get(name).Value().Get(mark).Value()
	return flag != nil && flag.Bool
}

// members checks each member against properties, patternProperties and, if none of these knew it, additionalProperties.
func (r *run) members(schema, properties, value *tree.Node, at *trail, seen *evaluated) bool {
	patterns, additional, names := r.sub(schema, "patternProperties"), r.sub(schema, "additionalProperties"), r.sub(schema, "propertyNames")
	if properties == nil && patterns == nil && additional == nil && names == nil {
		return true
	}
	ok := true
	for _, name := range value.Keys {
		member, below, known := value.Get(name), at.down(name), false
		if names != nil && !r.try(names, &tree.Node{Kind: tree.String, Text: name}, below, nil) {
			ok = r.fail(below, "must have a name that the schema allows")
		}
		if s := properties.Get(name); s != nil {
			known = true
			ok = r.check(s, member, below, nil) && ok
		}
		if patterns != nil {
			for _, pattern := range patterns.Keys {
				if compiled := r.pattern(pattern); compiled == nil || compiled.MatchString(name) {
					known = true
					ok = r.check(patterns.Get(pattern), member, below, nil) && ok
				}
			}
		}
		if !known && additional != nil {
			known = true
			if additional.Kind == tree.Bool && !additional.Bool {
				ok = r.unexpected(at, name)
			} else {
				ok = r.check(additional, member, below, nil) && ok
			}
		}
		if known {
			seen.member(name)
		}
		if !ok && !r.all {
			return false
		}
	}
	return ok
}

// dependent checks what the presence of a member asks of the whole.
func (r *run) dependent(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	ok := true
	for _, keyword := range []string{"dependencies", "dependentRequired", "dependentSchemas"} {
		rules := r.sub(schema, keyword)
		if rules == nil || rules.Kind != tree.Object {
			continue
		}
		for _, name := range rules.Keys {
			if value.Get(name) == nil {
				continue
			}
			rule := rules.Get(name)
			if rule.Kind != tree.Array {
				ok = r.check(rule, value, at, seen) && ok
				continue
			}
			for _, other := range rule.Items {
				if value.Get(other.Value().Str()) == nil {
					ok = r.fail(at, "must have property %q when property %q is present", other.Value().Str(), name)
				}
			}
		}
	}
	return ok
}

func (r *run) unevaluated(schema, value *tree.Node, at *trail, seen *evaluated) bool {
	ok := true
	if s := r.sub(schema, "unevaluatedProperties"); s != nil && value.Kind == tree.Object {
		for _, name := range value.Keys {
			if seen.allMembers || seen.members[name] {
				continue
			}
			if s.Kind == tree.Bool && !s.Bool {
				ok = r.unexpected(at, name)
				continue
			}
			ok = r.check(s, value.Get(name), at.down(name), nil) && ok
		}
		seen.allMembers = true
	}
	if s := r.sub(schema, "unevaluatedItems"); s != nil && value.Kind == tree.Array && !seen.allItems {
		for i := seen.items; i < len(value.Items); i++ {
			ok = r.check(s, value.Items[i], at.down(strconv.Itoa(i)), nil) && ok
		}
		seen.allItems = true
	}
	return ok
}
