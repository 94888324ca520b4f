package directory

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"noorderhub.nl/hub/services/registry/api"
)

var (
	scopeShape     = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$`)
	operationShape = regexp.MustCompile(`^[A-Za-z0-9_.~-]{1,128}$`)
	pathShape      = regexp.MustCompile(`^(/([A-Za-z0-9._~!$&'()+,;=:@%-]+|\{[A-Za-z0-9_-]+\}))+$`)
	dotSegment     = regexp.MustCompile(`/\.\.?(/|$)`)
	parameter      = regexp.MustCompile(`\{[^}]*\}`)
)

// descriptionPath is where the OpenAPI file of a published API is, below its base path.
const descriptionPath = "/openapi.json"

// operations reads one description. References to other files are not followed: a description stands on its own.
// What the file says of its own place is left out where the hub serves that to all.
func (s *Service) operations(a API, open map[string]bool, f faults) []api.Operation {
	parser := openapi3.NewLoader()
	parser.IsExternalRefsAllowed = false
	doc, err := parser.LoadFromData([]byte(a.OpenAPI))
	if err != nil {
		f.add("not an OpenAPI file: %s", err)
		return nil
	}
	if doc.Paths == nil || doc.Paths.Len() == 0 {
		f.add("describes no path")
		return nil
	}
	var out []api.Operation
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		if !pathShape.MatchString(path) || dotSegment.MatchString(path) {
			f.add("path %q cannot be routed: a segment is a {parameter} or plain text without *, and not empty, . or ..", path)
			continue
		}
		methods := doc.Paths.Value(path).Operations()
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			if s.Published && method == http.MethodGet && path == descriptionPath {
				continue
			}
			op := methods[method]
			if slices.Contains(s.Public, a.BasePath+path) && method == http.MethodGet && openToAll(doc, op) {
				open[a.BasePath+path] = true
				continue
			}
			of := f.at("%s %s", method, path)
			if !operationShape.MatchString(op.OperationID) {
				of.add("operationId is missing or does not match %s", operationShape)
			}
			out = append(out, api.Operation{
				ID: op.OperationID, Method: method, Path: a.BasePath + path, Scope: scopeOf(s.Slug, method, doc, op, of),
			})
		}
	}
	return out
}

// openToAll tells whether the description asks nothing of who calls an operation. A description that is silent about
// security says nothing, and that is not enough.
func openToAll(doc *openapi3.T, op *openapi3.Operation) bool {
	security := op.Security
	if security == nil && doc.Security != nil {
		security = &doc.Security
	}
	return security != nil && len(*security) == 0
}

// scopeOf takes the scope that `security` names; where it names none, the service's own for reading or writing.
func scopeOf(slug, method string, doc *openapi3.T, op *openapi3.Operation, f faults) string {
	security := doc.Security
	if op.Security != nil {
		security = *op.Security
	}
	named := map[string]bool{}
	for _, requirement := range security {
		for _, scopes := range requirement {
			for _, scope := range scopes {
				named[scope] = true
			}
		}
	}
	switch scopes := slices.Sorted(maps.Keys(named)); len(scopes) {
	case 0:
		if method == http.MethodGet || method == http.MethodHead {
			return slug + ".lezen"
		}
		return slug + ".schrijven"
	case 1:
		if !scopeShape.MatchString(scopes[0]) {
			f.add("scope %q does not match %s", scopes[0], scopeShape)
		}
		// The slugs of the administration APIs are reserved, so this keeps their scopes out too.
		if !strings.HasPrefix(scopes[0], slug+".") {
			f.add("scope %q does not begin with %s.", scopes[0], slug)
		}
		return scopes[0]
	default:
		f.add("names %d scopes (%s); an operation has exactly one", len(scopes), strings.Join(scopes, ", "))
		return ""
	}
}

// checkOperations refuses operations that a router or a contract could not tell apart, and sorts them.
func checkOperations(operations []api.Operation, f faults) {
	ids, routes := map[string]bool{}, map[string]string{}
	for _, o := range operations {
		if ids[o.ID] && o.ID != "" {
			f.add("operationId %s stands there twice", o.ID)
		}
		ids[o.ID] = true
		route := o.Method + " " + parameter.ReplaceAllString(o.Path, "{}")
		if other, twice := routes[route]; twice {
			f.add("operations %s and %s have the same method and path", other, o.ID)
		}
		routes[route] = o.ID
	}
	slices.SortFunc(operations, func(a, b api.Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
}
