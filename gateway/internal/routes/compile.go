package routes

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	registry "noorderhub.nl/hub/services/registry/api"
)

// Parts bring to the hub's own parts.
type Parts struct {
	Registry, Journal, AuthServer, Portal Forwarder
}

const (
	defaultMaxBody  = 10 << 20 // where a service names none
	adminMaxBody    = 10 << 20
	protocolMaxBody = 64 << 10
	publicMaxBody   = 1 << 20
)

// Paths of the hub itself. A service with one of these first segments is refused.
var reserved = []string{
	"oauth2", ".well-known", "beheer", "journaal", "portaal", "status", "healthz", "readyz", "intern", "metrics",
}

// Compile makes the table of a snapshot. hub is the outside address, the start of every audience. A service that is faulty,
// or that stands in the way of one before it, is left out whole and told of in omitted: it must not keep the rest of the
// snapshot from coming into force.
func Compile(s *registry.Snapshot, hub string, parts Parts, to func(*registry.Service) (Forwarder, error)) (t *Table, omitted []error, err error) {
	if t, err = New(own(hub, parts)); err != nil {
		return nil, nil, err
	}
	taken := map[string]string{} // base path or slug → slug of the service that has it
	for i := range s.Services {
		service := &s.Services[i]
		if err := t.addService(service, hub, taken, to); err != nil {
			omitted = append(omitted, fmt.Errorf("service %q: %w", service.Slug, err))
			continue
		}
		for _, name := range names(service) {
			taken[name] = service.Slug
		}
	}
	return t, omitted, nil
}

// addService asks for the forwarder only of a service that is sound by itself.
func (t *Table) addService(s *registry.Service, hub string, taken map[string]string, to func(*registry.Service) (Forwarder, error)) error {
	for _, name := range names(s) {
		if by, ok := taken[name]; ok {
			return fmt.Errorf("%q is taken by service %q", name, by)
		}
	}
	if err := checkService(s); err != nil {
		return err
	}
	forwarder, err := to(s)
	if err != nil {
		return err
	}
	return t.extend(ofService(s, hub, forwarder), s.Title, s.BasePaths)
}

// names are what no two services share: the slug and the base paths, which differ by their slash.
func names(s *registry.Service) []string { return append([]string{s.Slug}, s.BasePaths...) }

// own are the routes of the hub itself.
func own(hub string, p Parts) []Route {
	var all []Route
	prefix := func(class Class, to Forwarder, audience, path string, maxBody int64) {
		all = append(all, Route{Class: class, Pattern: path + "/*", Audience: audience, MaxBody: maxBody, To: to})
	}
	exact := func(class Class, to Forwarder, path string, maxBody int64) {
		all = append(all, Route{Class: class, Pattern: path, MaxBody: maxBody, To: to})
	}
	prefix(ClassAdministration, p.Registry, hub+"/beheer", "/beheer", adminMaxBody)
	prefix(ClassAdministration, p.Journal, hub+"/journaal", "/journaal", adminMaxBody)
	for path, to := range map[string]Forwarder{"/beheer/v1/openapi.json": p.Registry, "/beheer/v1/webhooksleutels": p.Registry, "/journaal/v1/openapi.json": p.Journal} {
		all = append(all, Route{Class: ClassPublic, Method: http.MethodGet, Pattern: path, To: to})
	}
	prefix(ClassProtocol, p.AuthServer, "", "/oauth2", protocolMaxBody)
	exact(ClassProtocol, p.AuthServer, "/.well-known/oauth-authorization-server", protocolMaxBody)
	exact(ClassProtocol, p.AuthServer, "/.well-known/openid-configuration", protocolMaxBody)
	prefix(ClassPublic, p.Portal, "", "/portaal", publicMaxBody)
	for _, path := range []string{"/", "/status", "/.well-known/security.txt"} {
		exact(ClassPublic, p.Portal, path, publicMaxBody)
	}
	return all
}

func ofService(s *registry.Service, hub string, to Forwarder) []Route {
	maxBody := s.Upstream.MaxBody
	if maxBody == 0 {
		maxBody = defaultMaxBody
	}
	revision := revisionOf(s)
	var all []Route
	for _, op := range s.Operations {
		all = append(all, Route{
			Class: ClassService, Method: op.Method, Pattern: op.Path, Audience: hub + "/" + s.Slug, Service: s, Revision: revision, Operation: op,
			MaxBody: maxBody, To: to, Retry: slices.Contains(s.Upstream.Idempotent, op.ID), Notice: noticeOf(s, op.Path, hub),
		})
	}
	for _, path := range s.Public {
		all = append(all, Route{Class: ClassPublic, Method: http.MethodGet, Pattern: path, Service: s, To: to})
	}
	return all
}

// noticeOf gives the headers for a path under a version that comes to an end.
func noticeOf(s *registry.Service, path, hub string) http.Header {
	for _, e := range s.Ending {
		if !strings.HasPrefix(path, e.BasePath+"/") {
			continue
		}
		h := http.Header{"Deprecation": {"@" + strconv.FormatInt(e.Deprecated.Unix(), 10)}}
		if e.Sunset != nil {
			h["Sunset"] = []string{e.Sunset.UTC().Format(http.TimeFormat)}
		}
		if e.Successor != "" {
			h["Link"] = []string{"<" + hub + e.Successor + ">; rel=\"successor-version\""}
		}
		return h
	}
	return nil
}

func revisionOf(s *registry.Service) string {
	text, _ := json.Marshal(s) // plain data: cannot fail
	sum := sha256.Sum256(text)
	return string(sum[:])
}

// checkService keeps a service to its own paths.
func checkService(s *registry.Service) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if s.Slug == "" || strings.ContainsAny(s.Slug, "/?#") || slices.Contains(reserved, s.Slug) {
		fault("the slug is not usable")
	}
	for _, b := range s.BasePaths {
		first, _, _ := strings.Cut(strings.TrimPrefix(b, "/"), "/")
		if first == "" || slices.Contains(reserved, first) {
			fault("base path %q belongs to the hub", b)
		}
	}
	below := func(path string) bool {
		return slices.ContainsFunc(s.BasePaths, func(b string) bool { return path == b || strings.HasPrefix(path, b+"/") })
	}
	for _, op := range s.Operations {
		if op.Method != strings.ToUpper(op.Method) || op.Method == "" || !below(op.Path) || strings.Contains(op.Path, "*") {
			fault("operation %q is not a method on a path below a base path", op.ID)
		}
	}
	for _, path := range s.Public {
		if !below(path) || strings.ContainsAny(path, "*{") {
			fault("public path %q is not below a base path", path)
		}
	}
	return errors.Join(faults...)
}
