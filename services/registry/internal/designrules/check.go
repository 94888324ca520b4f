package designrules

import (
	"context"
	"math"
	"regexp"
	"strconv"
	"strings"

	"noorderhub.nl/hub/services/registry/internal/designrules/jsonschema"
	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// work bounds what one check may do: some fifty times what the largest description we know asks, about two seconds.
const work = 20_000_000

// Check gives the findings of a description, in the order of the file. Its errors are those of tree.Parse,
// tree.ErrTooMuchWork and that of the context.
func Check(ctx context.Context, text []byte) ([]Finding, error) {
	doc, err := tree.Parse(text)
	if err != nil {
		return nil, err
	}
	return CheckDocument(ctx, doc)
}

// CheckDocument is Check for a text that has been parsed already.
func CheckDocument(ctx context.Context, doc *tree.Document) ([]Finding, error) {
	budget := &tree.Budget{Steps: work, Stopped: ctx.Err}
	c := &checker{doc: doc, budget: budget, format: formatOf(doc.Root), seen: map[told]bool{}}
	if c.format != unknown {
		version := jsonschema.OpenAPI30
		if c.format == oas31 {
			version = jsonschema.OpenAPI31
		}
		c.schemas = jsonschema.New(version, budget)
	}
	c.parserFindings()
	for _, r := range ruleset() {
		c.apply(r)
		if err := budget.Err(); err != nil {
			return nil, err
		}
	}
	return sorted(c.findings), nil
}

// format is what Spectral takes a document for.
type format uint8

const (
	unknown format = iota
	oas2
	oas30 // and every other 3.x that is not 3.1 or 3.2
	oas31
	oas32
)

var (
	leadingInteger = regexp.MustCompile(`^\s*([-+]?\d+)`)
	version31      = regexp.MustCompile(`^3\.1(?:\.[0-9]*)?$`)
	version32      = regexp.MustCompile(`^3\.2(?:\.[0-9]*)?$`)
)

func formatOf(root *tree.Node) format {
	major := func(key string) (string, string) {
		text := written(root.Get(key))
		if parts := leadingInteger.FindStringSubmatch(text); parts != nil {
			return parts[1], text
		}
		return "", text
	}
	if first, text := major("openapi"); first == "3" {
		switch {
		case version31.MatchString(text):
			return oas31
		case version32.MatchString(text):
			return oas32
		}
		return oas30
	}
	if first, _ := major("swagger"); first == "2" {
		return oas2
	}
	return unknown
}

// written gives a scalar as JavaScript prints it.
func written(n *tree.Node) string {
	switch {
	case n == nil:
		return ""
	case n.Kind == tree.String:
		return n.Text
	case n.Kind == tree.Number:
		if n.Number == math.Trunc(n.Number) && math.Abs(n.Number) < 1e21 {
			return strconv.FormatFloat(n.Number, 'f', -1, 64)
		}
		return strconv.FormatFloat(n.Number, 'g', -1, 64)
	case n.Kind == tree.Bool:
		return strconv.FormatBool(n.Bool)
	}
	return ""
}

// checker gathers the findings of one document.
type checker struct {
	doc      *tree.Document
	budget   *tree.Budget
	format   format
	schemas  *jsonschema.Checker
	findings []Finding
	seen     map[told]bool
	rule     rule // at work
}

// told keeps one finding from being told twice when several ways lead to its place.
type told struct {
	rule, message string
	at            *tree.Node
}

// target is one value that a rule looks at.
type target struct {
	place tree.Place // of the value, or the closest place above it
	value *tree.Node // nil: there is none
}

func (c *checker) apply(r rule) {
	if r.formats != nil && !r.formats(c.format) {
		return
	}
	c.rule = r
	for _, selector := range r.given {
		c.doc.Select(selector, c.budget, func(p tree.Place) {
			for _, t := range targetsOf(p, r.field, r.keys) {
				r.check(c, t)
			}
		})
	}
}

// key makes a rule look at the names of members, not at their values.
const key = "@key"

// targetsOf applies the field of a rule. A scalar has no fields: there, the rule looks at the scalar itself.
func targetsOf(p tree.Place, field string, keys bool) []target {
	switch {
	case keys:
		return []target{{p, &tree.Node{Kind: tree.String, Text: p.Key()}}}
	case field == "" || !p.Value.Container():
		return []target{{p, p.Value}}
	case field == key:
		var out []target
		p.Children(func(segment string, child tree.Place) {
			out = append(out, target{child, &tree.Node{Kind: tree.String, Text: segment}})
		})
		if out == nil {
			out = []target{{p, nil}}
		}
		return out
	}
	place, value := p.Closest(strings.Split(field, ".")...)
	return []target{{place, value}}
}

// tell adds a finding at a place; cause is what the function of the rule has to say.
func (c *checker) tell(at *tree.Node, cause string) {
	message := c.rule.message
	if message == "" {
		message = cause
	}
	if strings.Contains(message, "{{") {
		path := at.Path()
		property := ""
		if len(path) > 0 {
			property = path[len(path)-1]
		}
		message = strings.NewReplacer("{{error}}", cause, "{{value}}", written(at), "{{property}}", property,
			"{{path}}", "#"+Finding{Path: path}.Pointer()).Replace(message)
	}
	key := told{c.rule.id, message, at}
	if c.seen[key] {
		return
	}
	c.seen[key] = true
	c.findings = append(c.findings, Finding{
		Rule: c.rule.id, Severity: c.rule.severity, Path: at.Path(), Line: at.Line, Column: at.Column,
		Message: message, Fix: c.rule.fix, Blocking: c.rule.blocking,
	})
}

// parserFindings tells what Spectral's parser and resolver tell, before any rule.
func (c *checker) parserFindings() {
	if c.format == unknown {
		c.rule = noFormat
		c.tell(c.doc.Root, "This is neither OpenAPI 3 nor Swagger 2.0.")
	}
	for _, oddity := range c.doc.Oddities {
		c.rule = numericKey
		if oddity.Duplicate {
			c.rule = duplicateKey
		}
		c.findings = append(c.findings, Finding{
			Rule: c.rule.id, Severity: c.rule.severity, Path: oddity.At.Path(), Line: oddity.Line, Column: oddity.Column,
			Message: c.rule.message, Fix: c.rule.fix,
		})
	}
	c.rule = invalidRef
	for _, ref := range c.doc.Broken {
		c.tell(ref, "'"+ref.Text+"' does not exist")
	}
	for _, ref := range c.doc.Outside {
		c.tell(ref, "'"+ref.Text+"' leads out of this file")
	}
}
