package intake

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// The limits of Fields. A ZGW case with what it embeds has about 400.
const (
	maxFields     = 5_000
	maxFieldDepth = 12
	maxFieldSteps = 200_000 // schemas looked at, since they may refer to each other in many ways
)

// Fields lists the dotted paths that successful answers of an operation can hold, sorted, for choosing the `fields` term of
// a contract: arrays are transparent, and what allOf, oneOf and anyOf bring is taken together. A schema within itself is
// listed once. An operation that does not exist has none.
func (d *Description) Fields(operationID string) []string {
	nodes, ok := d.nodes[operationID]
	if !ok {
		return nil
	}
	l := &lister{names: map[string]bool{}, steps: maxFieldSteps}
	for _, schema := range successSchemas(nodes.operation) {
		l.list(schema, "", 0)
	}
	return slices.Sorted(maps.Keys(l.names))
}

// lister walks schemas.
type lister struct {
	names map[string]bool
	steps int
	above []*tree.Node // schemas on the way, which are not entered again
}

func (l *lister) list(schema *tree.Node, prefix string, depth int) {
	schema = whole(schema)
	if l.steps--; l.steps < 0 || depth > maxFieldDepth || schema == nil || slices.Contains(l.above, schema) {
		return
	}
	l.above = append(l.above, schema)
	defer func() { l.above = l.above[:len(l.above)-1] }()
	for _, keyword := range []string{"allOf", "oneOf", "anyOf", "prefixItems"} {
		whole(schema.Get(keyword)).Children(func(_ string, part *tree.Node) { l.list(part, prefix, depth) })
	}
	l.list(schema.Get("items"), prefix, depth)
	whole(schema.Get("properties")).Children(func(name string, property *tree.Node) {
		if len(l.names) >= maxFields || strings.Contains(name, ".") {
			return // a name with a dot cannot be told from a path
		}
		path := name
		if prefix != "" {
			path = prefix + "." + name
		}
		l.names[path] = true
		l.list(property, path, depth+1)
	})
}

// whole gives what a node stands for, also where a schema closes a circle.
func whole(n *tree.Node) *tree.Node {
	if target := n.Target(); target != nil {
		return target
	}
	return n
}

var (
	successStatus = regexp.MustCompile(`^2(\d\d|XX)$`)
	jsonMedia     = regexp.MustCompile(`^application/([a-z0-9.-]+\+)?json\b`)
)

// successSchemas are the schemas of the JSON that successful answers hold.
func successSchemas(operation *tree.Node) []*tree.Node {
	var out []*tree.Node
	whole(operation.Get("responses")).Children(func(status string, response *tree.Node) {
		if successStatus.MatchString(status) {
			out = append(out, bodySchemas(whole(response))...)
		}
	})
	return out
}

// bodySchemas are the schemas of the JSON in a request or an answer.
func bodySchemas(body *tree.Node) []*tree.Node {
	var out []*tree.Node
	whole(body.Get("content")).Children(func(media string, content *tree.Node) {
		if jsonMedia.MatchString(media) {
			if schema := whole(whole(content).Get("schema")); schema != nil {
				out = append(out, schema)
			}
		}
	})
	return out
}
