package tree_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

func parse(t *testing.T, text string) *tree.Document {
	t.Helper()
	doc, err := tree.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return doc
}

func TestScalarsAreThoseOfTheCoreSchema(t *testing.T) {
	for text, want := range map[string]string{
		"a: yes": `"yes"`, "a: 2020-01-01": `"2020-01-01"`, "a: 1_000": `"1_000"`, "a: 0o17": `15`, "a: 0x1F": `31`, "a: 010": `10`,
		"a: ~": `null`, "a:": `null`, "a: 1.50": `1.50`, "a: .5": `0.5`, "a: .inf": `null`, "a: True": `true`, "a: '1'": `"1"`,
		"a: !!str 1": `"1"`, "a: |\n  x\n": `"x\n"`, `{"a": "\ud83d\ude00\/"}`: `"😀/"`, `{"a": 1e400}`: `1e400`, "a: <b>": `"<b>"`,
	} {
		if got := string(parse(t, text).Root.Get("a").AppendJSON(nil, nil)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestNodesKnowTheirPlace(t *testing.T) {
	const yaml = "a:\n  b:\n    - x\n    -\n      c: 1\nd: >\n  text\ne:\n"
	doc := parse(t, yaml)
	for path, want := range map[string]int{"a": 1, "a/b": 2, "a/b/0": 3, "a/b/1": 5, "a/b/1/c": 5, "d": 6, "e": 8} {
		n := doc.Root.At(strings.Split(path, "/")...)
		if n.Line != want || strings.Join(n.Path(), "/") != path {
			t.Errorf("%s: got line %d, path %v; want line %d", path, n.Line, n.Path(), want)
		}
	}
	asJSON := parse(t, "{\n \"a\":\n {\"b\": [\n 1,\n {}\n]},\n \"c\": \"x\"}")
	for path, want := range map[string]int{"a": 2, "a/b": 3, "a/b/0": 4, "a/b/1": 5, "c": 7} {
		if n := asJSON.Root.At(strings.Split(path, "/")...); n.Line != want {
			t.Errorf("JSON %s: got line %d, want %d", path, n.Line, want)
		}
	}
}

func TestMergeKeysAndDuplicates(t *testing.T) {
	doc := parse(t, "base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nlist: {<<: [*b, {y: 9, z: 4}]}\ntwice: 1\ntwice: 2\n200: number\n")
	got := string(doc.Root.AppendJSON(nil, nil))
	want := `{"base":{"x":1,"y":2},"use":{"x":1,"y":3},"list":{"z":4,"x":1,"y":2},"twice":2,"200":"number"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(doc.Oddities) != 2 || !doc.Oddities[0].Duplicate || doc.Oddities[0].Line != 5 || doc.Oddities[1].Duplicate {
		t.Errorf("got %+v", doc.Oddities)
	}
}

func TestReferences(t *testing.T) {
	doc := parse(t, `
use: {$ref: '#/alias'}
alias: {$ref: '#/a~1b%20c'}
a/b c: {self: {$ref: '#/a~1b%20c'}, left: {$ref: '#/left'}}
left: {right: {$ref: '#/right'}}
right: {left: {$ref: '#/left'}, plain: {$ref: '#/plain'}}
plain: 1
ring: {$ref: '#/ring2'}
ring2: {$ref: '#/ring'}
nothing: {$ref: '#/nowhere'}
outside: {$ref: 'other.yaml#/a'}
`)
	at := func(path string) *tree.Node { return doc.Root.At(strings.Split(path, "|")...) }
	for path, want := range map[string]*tree.Node{
		"use": at("a/b c"), "alias": at("a/b c"), "a/b c|left": at("left"), "right|plain": at("plain"),
		// What closes a circle stays what it is.
		"a/b c|self": at("a/b c|self"), "left|right": at("left|right"), "right|left": at("right|left"), "ring": at("ring"),
	} {
		if got := at(path).Value(); got != want {
			t.Errorf("%s leads to %v", path, got.Path())
		}
	}
	if got := at("a/b c|self").Target(); got != at("a/b c") {
		t.Errorf("the circle leads to %v", got.Path())
	}
	var broken, outside []string
	for _, n := range doc.Broken {
		broken = append(broken, strings.Join(n.Path(), "/"))
	}
	for _, n := range doc.Outside {
		outside = append(outside, strings.Join(n.Path(), "/"))
	}
	if !slices.Equal(broken, []string{"nothing/$ref"}) || !slices.Equal(outside, []string{"outside/$ref"}) || doc.Longest != 2 {
		t.Errorf("got broken %v, outside %v, longest %d", broken, outside, doc.Longest)
	}
}

func TestSelectNamesPlacesAsSpectralDoes(t *testing.T) {
	doc := parse(t, "x: {$ref: '#/s'}\ny: {$ref: '#/s', beside: 1}\ns: {p: {q: 1}}\n")
	var got []string
	doc.Select(tree.Selector{tree.Deep(), tree.Key("p")}, &tree.Budget{Steps: 100}, func(p tree.Place) {
		got = append(got, strings.Join(p.At.Path(), "/"))
	})
	if len(got) == 0 || slices.ContainsFunc(got, func(path string) bool { return path != "s/p" }) {
		t.Errorf("got %v, want s/p", got)
	}
	var places []string
	doc.Select(tree.Selector{tree.Any()}, &tree.Budget{Steps: 100}, func(p tree.Place) {
		places = append(places, strings.Join(p.At.Path(), "/"))
	})
	if want := []string{"s", "y", "s"}; !slices.Equal(places, want) {
		t.Errorf("got %v, want %v: a place beside a reference is its own", places, want)
	}
}

func TestABudgetEndsTheWork(t *testing.T) {
	doc := parse(t, "a: ["+strings.Repeat("{},", 1000)+"1]")
	b := &tree.Budget{Steps: 100}
	doc.Select(tree.Selector{tree.Deep(), tree.Any()}, b, func(tree.Place) {})
	if !errors.Is(b.Err(), tree.ErrTooMuchWork) {
		t.Errorf("got %v", b.Err())
	}
}

// FuzzParse: a text is refused, or gives JSON that reads the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"a: &x [1, *x]", "{\"a\": 1e5}", "a: {<<: [{b: 1}]}", "- &a b\n- *a", "a: {$ref: '#/a'}", "? [a]\n: b", "\"\\ud800\""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := tree.Parse(text)
		if err != nil {
			return
		}
		out := doc.Root.AppendJSON(nil, nil)
		if !json.Valid(out) {
			t.Fatalf("%q gives no JSON: %s", text, out)
		}
		again, err := tree.Parse(out)
		if err != nil {
			t.Fatalf("%q gives %s, which is refused: %v", text, out, err)
		}
		if got := again.Root.AppendJSON(nil, nil); string(got) != string(out) {
			t.Fatalf("%q gives %s, then %s", text, out, got)
		}
	})
}
