// Package routes decides what a request is for: one table from method and path to a route, compiled once from the
// snapshot and the hub's own paths and never changed after. The pattern of a route is its name in spans, metrics and
// records.
package routes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"noorderhub.nl/hub/libs/errs"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Class says which rules a route is under. The zero value is no class: such a route does not start.
type Class uint8

// The classes. ClassService: a token bound to a grant, the full chain. ClassAdministration: a token for the API, without
// a grant; the API decides on the roles. ClassProtocol: the authorization server, which has rules of its own.
// ClassPublic: nothing is asked.
const (
	ClassService Class = iota + 1
	ClassAdministration
	ClassProtocol
	ClassPublic
)

// Forwarder brings a request to an instance of what is behind a route. again says that it may be sent a second time.
type Forwarder interface {
	Forward(ctx context.Context, r *http.Request, again bool) (*http.Response, error)
}

// Route is one method on one path pattern, or all methods on it for the hub's own parts.
type Route struct {
	Class     Class
	Method    string             // "" for every method
	Pattern   string             // "/bag/…/adressen/{id}"; a last segment "*" takes whatever follows, also nothing
	Audience  string             // of the token; ClassService and ClassAdministration
	Service   *registry.Service  // ClassService, and the public paths of services
	Revision  string             // of the service's description: another one when anything in it changes; ClassService
	Operation registry.Operation // ClassService
	MaxBody   int64              // bytes of a request body
	To        Forwarder
	Retry     bool // may be sent again although its method is not idempotent
	// Notice are headers of every answer under a version that comes to an end: Deprecation (RFC 9745), Sunset (RFC 8594) and
	// Link to the newer one. nil for others.
	Notice http.Header
}

var (
	codeUnknownPath = &errs.Code{
		ID: "unknown-path", Kind: errs.NotFound, Side: errs.SideClient, Title: "No service has this path",
		Next: "Check the path against the catalogue of the hub; paths have no trailing slash.",
	}
	codeUnknownOperation = &errs.Code{
		ID: "unknown-operation", Kind: errs.NotFound, Side: errs.SideClient, Title: "The service has no such operation",
		Next: "Check the path against the service's OpenAPI file; what is not described there is not reachable.",
	}
)

// Table finds routes. It is immutable.
type Table struct {
	root  node
	bases []base
}

type base struct{ path, title string }

// New makes a table. Every fault is reported.
func New(all []Route) (*Table, error) {
	t := &Table{}
	var faults []error
	for i := range all {
		if _, err := t.add(&all[i]); err != nil {
			faults = append(faults, err)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return t, nil
}

// extend adds the routes and base paths of a service, all of them or, when one of them is faulty, none. The title tells
// an unknown path from an operation that the service does not have.
func (t *Table) extend(routes []Route, title string, paths []string) error {
	var undo []func()
	var faults []error
	for i := range routes {
		remove, err := t.add(&routes[i])
		if err != nil {
			faults = append(faults, err)
			continue
		}
		undo = append(undo, remove)
	}
	for _, path := range paths {
		faults = append(faults, checkPattern(path))
	}
	if err := errors.Join(faults...); err != nil {
		for _, remove := range undo {
			remove()
		}
		return err
	}
	for _, path := range paths {
		t.bases = append(t.bases, base{path, title})
	}
	return nil
}

func (t *Table) add(r *Route) (remove func(), err error) {
	if err := checkPattern(r.Pattern); err != nil {
		return nil, err
	}
	tokens := r.Class == ClassService || r.Class == ClassAdministration
	switch {
	case r.Class < ClassService || r.Class > ClassPublic:
		return nil, fmt.Errorf("route %q has no class", r.Pattern)
	case r.To == nil:
		return nil, fmt.Errorf("route %q leads nowhere", r.Pattern)
	case tokens && r.Audience == "", r.Class == ClassService && (r.Service == nil || r.Method == ""):
		return nil, fmt.Errorf("route %q is incomplete", r.Pattern)
	}
	return t.root.add(strings.Split(r.Pattern[1:], "/"), r)
}

func checkPattern(p string) error {
	switch {
	case p == "" || p[0] != '/', len(p) > 1 && strings.HasSuffix(p, "/"), strings.Contains(p, "//"):
		return fmt.Errorf("pattern %q is not an absolute path without trailing slash", p)
	}
	return nil
}

// Match finds the route of a canonical path. The error is a refusal: unknown-path, unknown-operation, or
// method-not-allowed, then with the methods that are allowed.
func (t *Table) Match(method, path string) (route *Route, allow []string, err error) {
	if n := t.root.find(path[1:]); n != nil {
		if r := n.byMethod(method); r != nil {
			return r, nil, nil
		}
		allow := n.allowed()
		return nil, allow, errs.CodeMethod.New("this path takes %s", strings.Join(allow, ", "))
	}
	if len(path) > 1 && strings.HasSuffix(path, "/") {
		return nil, nil, codeUnknownPath.New("the path has a trailing slash").WithRule("/core/no-trailing-slash")
	}
	for _, b := range t.bases {
		if path == b.path || strings.HasPrefix(path, b.path+"/") {
			return nil, nil, codeUnknownOperation.New("%s has no operation at this path", b.title)
		}
	}
	return nil, nil, codeUnknownPath.New("no service has this path")
}

// node is one segment of the patterns.
type node struct {
	static map[string]*node
	params []*param // the most literal first
	tail   *Route   // pattern ends in "*"
	routes map[string]*Route
}

// param matches a segment such as {id} or {id}.json.
type param struct {
	prefix, suffix string
	node           node
}

// add puts a route below n. Its removal leaves nodes without routes behind, which match nothing.
func (n *node) add(segments []string, r *Route) (remove func(), err error) {
	if len(segments) == 0 {
		if n.routes == nil {
			n.routes = map[string]*Route{}
		}
		if n.routes[r.Method] != nil {
			return nil, fmt.Errorf("route %s %q stands twice", r.Method, r.Pattern)
		}
		n.routes[r.Method] = r
		return func() { delete(n.routes, r.Method) }, nil
	}
	segment, rest := segments[0], segments[1:]
	if segment == "*" {
		if len(rest) > 0 || n.tail != nil || r.Method != "" {
			return nil, fmt.Errorf("route %q: a star stands at the end, once, for every method", r.Pattern)
		}
		n.tail = r
		return func() { n.tail = nil }, nil
	}
	prefix, after, templated := strings.Cut(segment, "{")
	if !templated {
		if n.static == nil {
			n.static = map[string]*node{}
		}
		next := n.static[segment]
		if next == nil {
			next = &node{}
			n.static[segment] = next
		}
		return next.add(rest, r)
	}
	_, suffix, closed := strings.Cut(after, "}")
	if !closed || strings.ContainsAny(suffix, "{}") {
		return nil, fmt.Errorf("route %q: a segment has at most one parameter", r.Pattern)
	}
	return n.param(prefix, suffix).add(rest, r)
}

func (n *node) param(prefix, suffix string) *node {
	for _, p := range n.params {
		if p.prefix == prefix && p.suffix == suffix {
			return &p.node
		}
	}
	p := &param{prefix: prefix, suffix: suffix}
	n.params = append(n.params, p)
	slices.SortStableFunc(n.params, func(a, b *param) int {
		return len(b.prefix) + len(b.suffix) - len(a.prefix) - len(a.suffix)
	})
	return &p.node
}

// find follows the path, concrete segments before parameters (OpenAPI 3, "Path Templating Matching").
func (n *node) find(path string) *node {
	segment, rest, more := strings.Cut(path, "/")
	if next := n.static[segment]; next != nil {
		if found := next.end(rest, more); found != nil {
			return found
		}
	}
	for _, p := range n.params {
		if len(segment) > len(p.prefix)+len(p.suffix) && strings.HasPrefix(segment, p.prefix) && strings.HasSuffix(segment, p.suffix) {
			if found := p.node.end(rest, more); found != nil {
				return found
			}
		}
	}
	if n.tail != nil {
		return &node{routes: map[string]*Route{"": n.tail}}
	}
	return nil
}

func (n *node) end(rest string, more bool) *node {
	switch {
	case more:
		return n.find(rest)
	case len(n.routes) > 0:
		return n
	case n.tail != nil:
		return &node{routes: map[string]*Route{"": n.tail}}
	}
	return nil
}

func (n *node) byMethod(method string) *Route {
	if r := n.routes[method]; r != nil {
		return r
	}
	if r := n.routes[""]; r != nil {
		return r
	}
	if method == http.MethodHead {
		return n.routes[http.MethodGet]
	}
	return nil
}

func (n *node) allowed() []string {
	var methods []string
	for m := range n.routes {
		methods = append(methods, m)
		if m == http.MethodGet && n.routes[http.MethodHead] == nil {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return methods
}
