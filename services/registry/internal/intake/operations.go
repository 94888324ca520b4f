package intake

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// What a router, a contract and a token can hold. The same shapes stand where a service is compiled.
var (
	scopeShape     = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$`)
	operationShape = regexp.MustCompile(`^[A-Za-z0-9_.~-]{1,128}$`)
	pathShape      = regexp.MustCompile(`^(/([A-Za-z0-9._~!$&'()+,;=:@%-]+|\{[A-Za-z0-9_-]+\}))+$`)
	dotSegment     = regexp.MustCompile(`/\.\.?(/|$)`)
	parameter      = regexp.MustCompile(`\{[^}]*\}`)
	word           = regexp.MustCompile(`[A-Za-z0-9]+`)
)

// methods are the members of a path that are operations.
var methods = []string{"delete", "get", "head", "options", "patch", "post", "put", "trace"}

// found is an operation with its place, while the description is read.
type found struct {
	Operation
	nodes operationNodes
}

// operations fills in the operations of a description. It gives the operationIds that it proposes, by operation.
func (r *reader) operations(d *Description) map[*tree.Node]string {
	paths := d.doc.Root.Get("paths")
	if paths == nil || paths.Kind != tree.Object || len(paths.Keys) == 0 {
		r.add(paths, "paths", "describes no path")
		return nil
	}
	var list []found
	for _, path := range slices.Sorted(slices.Values(paths.Keys)) {
		item := paths.Get(path)
		if strings.HasPrefix(path, "x-") {
			continue
		}
		if !pathShape.MatchString(path) || dotSegment.MatchString(path) {
			r.add(item, "path", "path %q cannot be routed: a segment is a {parameter} or plain text without *, and not empty, . or ..", path)
			continue
		}
		for _, method := range methods {
			operation := item.Value().Get(method)
			if operation == nil {
				continue
			}
			if operation.Kind != tree.Object {
				r.add(operation, "structure", "the operation is not an object")
				continue
			}
			f := found{nodes: operationNodes{operation: operation, path: item.Value(), template: path}}
			f.Method, f.Path, f.ID = strings.ToUpper(method), path, operation.Get("operationId").Str()
			f.Summary, f.Deprecated = operation.Get("summary").Str(), isTrue(operation.Get("deprecated"))
			r.security(d, operation, &f.Operation)
			list = append(list, f)
		}
	}
	r.routes(list)
	proposed := r.identify(list)
	steps := 10 * maxFieldSteps
	for _, f := range list {
		if _, twice := d.nodes[f.ID]; !twice {
			d.nodes[f.ID] = f.nodes
		}
		f.Personal = personal(f.nodes, &steps)
		d.Operations = append(d.Operations, f.Operation)
	}
	return proposed
}

func isTrue(n *tree.Node) bool { return n != nil && n.Kind == tree.Bool && n.Bool }

// routes refuses operations that a router cannot tell apart: the names of parameters do not count.
func (r *reader) routes(list []found) {
	seen := map[string]string{}
	for _, f := range list {
		route := f.Method + " " + parameter.ReplaceAllString(f.Path, "{}")
		if other, twice := seen[route]; twice {
			r.add(f.nodes.operation, "path", "%s %s and %s are one route", f.Method, other, f.Path)
			continue
		}
		seen[route] = f.Path
	}
}

// identify sees to it that each operation has an ID of its own. A missing one is made of method and path, so it stays the
// same as long as these do; what a provider wrote is never replaced by another's.
func (r *reader) identify(list []found) map[*tree.Node]string {
	taken, proposed := map[string]bool{}, map[*tree.Node]string{}
	for _, f := range list {
		switch {
		case f.ID == "":
		case !operationShape.MatchString(f.ID):
			r.add(f.nodes.operation.Get("operationId"), "operation-id", "operationId %q does not match %s", f.ID, operationShape)
		case taken[f.ID]:
			r.add(f.nodes.operation.Get("operationId"), "operation-id", "operationId %s stands there twice", f.ID)
		}
		taken[f.ID] = true
	}
	for i := range list {
		f := &list[i]
		if f.ID != "" {
			continue
		}
		if _, shared := proposed[f.nodes.operation]; shared {
			r.add(f.nodes.operation, "operation-id", "two paths share this operation, so it needs an operationId on each")
			continue
		}
		base := proposedID(f.Method, f.Path)
		f.ID, f.Proposed.ID = base, true
		for n := 2; taken[f.ID]; n++ {
			f.ID = base + strconv.Itoa(n)
		}
		taken[f.ID] = true
		proposed[f.nodes.operation] = f.ID
	}
	return proposed
}

// proposedID makes getZakenUuidStatussen of GET /zaken/{uuid}/statussen.
func proposedID(method, path string) string {
	var out strings.Builder
	out.WriteString(strings.ToLower(method))
	for _, part := range word.FindAllString(path, -1) {
		out.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	id := out.String()
	return id[:min(len(id), 120)] // leaves room for a number
}

// security takes the scope that `security` names; where it names none, the service's own for reading or writing is proposed.
func (r *reader) security(d *Description, operation *tree.Node, o *Operation) {
	security := operation.Get("security")
	if security == nil {
		security = d.doc.Root.Get("security")
	}
	if security != nil && security.Kind == tree.Array && len(security.Items) == 0 {
		o.Open = true
		return
	}
	named := map[string]bool{}
	security.Children(func(_ string, requirement *tree.Node) {
		requirement.Children(func(_ string, scopes *tree.Node) {
			scopes.Children(func(_ string, scope *tree.Node) { named[scope.Str()] = true })
		})
	})
	o.Scopes = slices.Sorted(maps.Keys(named))
	switch len(o.Scopes) {
	case 0:
		verb := "schrijven"
		if o.Method == "GET" || o.Method == "HEAD" {
			verb = "lezen"
		}
		o.Scopes, o.Proposed.Scopes = []string{r.slug + "." + verb}, true
	case 1:
		if scope := o.Scopes[0]; !scopeShape.MatchString(scope) {
			r.add(security, "scope", "scope %q does not match %s", scope, scopeShape)
		} else if !strings.HasPrefix(scope, r.slug+".") {
			r.add(security, "scope", "scope %q does not begin with %s.", scope, r.slug)
		}
	default:
		r.add(security, "scope", "%s %s names %d scopes (%s); an operation has exactly one", o.Method, o.Path, len(o.Scopes), strings.Join(o.Scopes, ", "))
	}
}
