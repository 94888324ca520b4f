package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"

	"noorderhub.nl/hub/services/registry/internal/designrules"
	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// The OpenAPI library follows references by recursion, and chains of them in quadratic time.
const (
	maxReferences = 20_000
	maxChain      = 20 // references to references
)

// maxFaults ends a list that helps nobody any more.
const maxFaults = 100

// Read takes a description of the service with this slug in. Its error is Faults, everything that is wrong at once, or that
// of the context. Findings come with faults too, as far as the text could be read; one that is Blocking is not a fault: the
// caller decides what it blocks.
func Read(ctx context.Context, slug string, text []byte) (description *Description, findings []designrules.Finding, err error) {
	defer func() {
		// The libraries that read OpenAPI were not made for hostile texts.
		if recovered := recover(); recovered != nil {
			description, err = nil, Faults{fault(nil, "unreadable", "the description cannot be read")}
		}
	}()
	r := &reader{slug: slug}
	doc, err := tree.Parse(text)
	if err != nil {
		return nil, nil, Faults{parseFault(err)}
	}
	findings, err = designrules.CheckDocument(ctx, doc)
	if errors.Is(err, tree.ErrTooMuchWork) {
		return nil, nil, Faults{fault(nil, "too-much-work", "%s", err)}
	}
	if err != nil {
		return nil, nil, err
	}
	if description = r.read(doc); len(r.faults) > 0 {
		return nil, findings, r.faults
	}
	return description, findings, nil
}

// reader gathers the faults of one text.
type reader struct {
	slug   string
	faults Faults
}

func fault(at *tree.Node, rule, format string, args ...any) Fault {
	f := Fault{Rule: "intake:" + rule, Reason: fmt.Sprintf(format, args...), Next: nextSteps[rule]}
	if at != nil {
		f.Field, f.Line = designrules.Finding{Path: at.Path()}.Pointer(), at.Line
	}
	return f
}

func (r *reader) add(at *tree.Node, rule, format string, args ...any) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, fault(at, rule, format, args...))
	}
}

func parseFault(err error) Fault {
	var syntax *tree.SyntaxError
	switch {
	case errors.As(err, &syntax):
		f := fault(nil, "syntax", "neither JSON nor YAML: %s", syntax)
		f.Line = syntax.Line
		return f
	case errors.Is(err, tree.ErrEmpty), errors.Is(err, tree.ErrEncoding):
		return fault(nil, "syntax", "%s", err)
	}
	return fault(nil, "too-large", "%s", err)
}

func (r *reader) read(doc *tree.Document) *Description {
	r.references(doc)
	if doc.Root.Kind != tree.Object {
		r.add(nil, "version", "the text is a %s, not an OpenAPI description", doc.Root.Kind)
		return nil
	}
	converted := false
	if doc.Root.Get("openapi") == nil && doc.Root.Get("swagger") != nil {
		if doc = r.convert(doc); doc == nil {
			return nil
		}
		converted = true
	}
	version := doc.Root.Get("openapi")
	if !strings.HasPrefix(version.Str(), "3.0.") && !strings.HasPrefix(version.Str(), "3.1.") {
		r.add(version, "version", "the version is not OpenAPI 3.0 or 3.1, nor Swagger 2.0")
		return nil
	}
	d := &Description{
		Title: doc.Root.At("info", "title").Str(), Version: doc.Root.At("info", "version").Str(), Converted: converted,
		Contact: Contact{
			Name: doc.Root.At("info", "contact", "name").Str(), Email: doc.Root.At("info", "contact", "email").Str(),
			URL: doc.Root.At("info", "contact", "url").Str(),
		},
		doc: doc, nodes: map[string]operationNodes{},
	}
	doc.Root.Get("servers").Children(func(_ string, server *tree.Node) {
		if address := server.Value().Get("url").Value().Str(); address != "" {
			d.Servers = append(d.Servers, address)
		}
	})
	if d.Title == "" {
		r.add(doc.Root.Get("info"), "title", "info.title is missing")
	}
	if d.Version == "" {
		r.add(doc.Root.Get("info"), "title", "info.version is missing, or is not text")
	}
	ids := r.operations(d)
	d.Text = doc.Root.AppendJSON(nil, func(n *tree.Node) (string, string) { return "operationId", ids[n] })
	if len(r.faults) == 0 {
		r.loadable(d.Text)
	}
	return d
}

// references refuses what leads out of the text, or nowhere. Within examples a "$ref" is data.
func (r *reader) references(doc *tree.Document) {
	if doc.References > maxReferences {
		r.add(nil, "too-large", "the text holds more than %d references", maxReferences)
	}
	if doc.Longest > maxChain {
		r.add(nil, "too-large", "more than %d references follow each other before there is a value", maxChain)
	}
	for _, ref := range doc.Outside {
		if !data(ref) {
			r.add(ref, "external-reference", "refers to something outside the text")
		}
	}
	for _, ref := range doc.Broken {
		if !data(ref) {
			r.add(ref, "broken-reference", "refers to something that the text does not hold")
		}
	}
}

// data tells whether a node lies within an example or the like.
func data(n *tree.Node) bool {
	for ; n.Parent() != nil; n = n.Parent() {
		inSchemas := n.Parent().Key() == "properties" || n.Parent().Key() == "schemas"
		if slices.Contains([]string{"example", "examples", "default", "enum", "const", "value"}, n.Key()) && !inSchemas ||
			strings.HasPrefix(n.Key(), "x-") {
			return true
		}
	}
	return false
}

// convert makes OpenAPI 3 of Swagger 2.0.
func (r *reader) convert(doc *tree.Document) *tree.Document {
	if len(r.faults) > 0 {
		return nil // the library would follow the references
	}
	var old openapi2.T
	if err := json.Unmarshal(doc.Root.AppendJSON(nil, nil), &old); err != nil {
		r.add(nil, "swagger", "not a Swagger 2.0 description: %s", short(err))
		return nil
	}
	converted, err := openapi2conv.ToV3(&old)
	if err != nil {
		r.add(nil, "swagger", "the Swagger 2.0 description cannot be converted: %s", short(err))
		return nil
	}
	text, err := json.Marshal(converted)
	if err != nil {
		r.add(nil, "swagger", "the Swagger 2.0 description cannot be converted: %s", short(err))
		return nil
	}
	out, err := tree.Parse(text)
	if err != nil {
		r.add(nil, "swagger", "the Swagger 2.0 description cannot be converted: %s", err)
		return nil
	}
	return out
}

// loadable proves that the published text loads where it is compiled for the data plane.
func (r *reader) loadable(text []byte) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = false
	if _, err := loader.LoadFromData(text); err != nil {
		r.add(nil, "structure", "not an OpenAPI description: %s", short(err))
	}
}

// short keeps an error of a library to one line of readable length.
func short(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if runes := []rune(line); len(runes) > 300 {
		line = string(runes[:300]) + "…"
	}
	return line
}
