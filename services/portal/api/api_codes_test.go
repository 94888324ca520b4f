package api_test

import (
	"go/ast"
	"slices"
	"strconv"
	"testing"

	"noorderhub.nl/hub/libs/archtest"
	"noorderhub.nl/hub/services/portal/api"
)

// TestEveryCodeOfTheSourceHasItsPages walks the source for errs.Code literals: what a caller can be refused with must be
// explained, in Dutch and in English.
func TestEveryCodeOfTheSourceHasItsPages(t *testing.T) {
	files, err := archtest.Load("../../..")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]string{}
	for _, f := range files {
		if f.Test {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if id := codeID(n); id != "" {
				declared[id] = f.Path
			}
			return true
		})
	}
	if len(declared) < 20 {
		t.Fatalf("got %d codes: the walk does not see them", len(declared))
	}
	for _, language := range []string{"nl", "en"} {
		pages, err := api.Codes(language)
		if err != nil {
			t.Fatal(err)
		}
		for id, path := range declared {
			if !slices.Contains(pages, id) {
				t.Errorf("%s of %s has no page in fouten/%s.yaml", id, path, language)
			}
		}
		for _, page := range pages {
			if declared[page] == "" {
				t.Errorf("fouten/%s.yaml explains %s, which nothing gives", language, page)
			}
		}
	}
}

// codeID gives the ID of a literal errs.Code{ID: "…"}.
func codeID(n ast.Node) string {
	literal, ok := n.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	name := ""
	switch t := literal.Type.(type) {
	case *ast.SelectorExpr:
		name = t.Sel.Name
	case *ast.Ident:
		name = t.Name
	}
	if name != "Code" {
		return ""
	}
	for _, element := range literal.Elts {
		kv, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); !ok || key.Name != "ID" {
			continue
		}
		if value, ok := kv.Value.(*ast.BasicLit); ok {
			id, _ := strconv.Unquote(value.Value)
			return id
		}
	}
	return ""
}
