package jsonschema

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

//go:embed metaschema/*.json
var metaschemas embed.FS

// library finds schemas by the URI that they give themselves.
type library map[string]*tree.Document

// standard is the library of the embedded files, read once.
var standard = sync.OnceValue(func() library {
	out := library{}
	files, err := metaschemas.ReadDir("metaschema")
	if err != nil {
		panic(err) // the files are part of the program
	}
	for _, file := range files {
		text, err := metaschemas.ReadFile("metaschema/" + file.Name())
		if err != nil {
			panic(err)
		}
		doc, err := tree.Parse(text)
		if err != nil {
			panic(fmt.Errorf("%s: %w", file.Name(), err))
		}
		id := doc.Root.Get("$id").Str()
		if id == "" {
			id = strings.TrimSuffix(doc.Root.Get("id").Str(), "#")
		}
		out[id] = doc
	}
	return out
})

// URIs of the schemas that checks begin with.
const (
	openAPI30 = "https://spec.openapis.org/oas/3.0/schema/2019-04-02"
	openAPI31 = "https://spec.openapis.org/oas/3.1/schema/2021-09-28"
	draft4    = "http://json-schema.org/draft-04/schema"
	draft2020 = "https://json-schema.org/draft/2020-12/schema"

	// dynamicMeta is where `$dynamicRef: "#meta"` leads from the schema of OpenAPI 3.1: the outermost `$dynamicAnchor`.
	dynamicMeta = "https://stoplight.io/json-schema/draft/2020-12"
)

func (l library) root(uri string) *tree.Node {
	doc := l[uri]
	if doc == nil {
		panic("no such metaschema: " + uri) // the files are part of the program
	}
	return doc.Root
}

// find follows a reference inside the library.
func (l library) find(from *tree.Node, reference string) *tree.Node {
	uri, fragment, _ := strings.Cut(reference, "#")
	root := from
	if uri == "" {
		for root.Parent() != nil {
			root = root.Parent()
		}
	} else if strings.HasPrefix(uri, "meta/") {
		root = l.root("https://json-schema.org/draft/2020-12/" + uri)
	} else {
		root = l.root(uri)
	}
	if !strings.HasPrefix(fragment, "/") {
		return root
	}
	path := strings.Split(strings.ReplaceAll(fragment[1:], "%24", "$"), "/")
	found := root.At(path...)
	if found == nil {
		panic("no such metaschema: " + reference)
	}
	return found
}
