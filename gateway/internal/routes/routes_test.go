package routes

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	registry "noorderhub.nl/hub/services/registry/api"
)

type nowhere struct{}

func (nowhere) Forward(context.Context, *http.Request, bool) (*http.Response, error) {
	return nil, errors.New("nowhere")
}

func compile(s registry.Service) (*Table, error) {
	to := nowhere{}
	return Compile(&registry.Snapshot{Services: []registry.Service{s}}, "https://hub", Parts{to, to, to, to},
		func(*registry.Service) (Forwarder, error) { return to, nil })
}

func service(paths ...string) registry.Service {
	s := registry.Service{Slug: "bag", Title: "Adressen", BasePaths: []string{"/bag/v2"}}
	for _, p := range paths {
		s.Operations = append(s.Operations, registry.Operation{ID: p, Method: "GET", Path: p, Scope: "bag.lezen"})
	}
	return s
}

func TestConcretePathsComeBeforeTemplates(t *testing.T) {
	table, err := compile(service("/bag/v2/a/{id}", "/bag/v2/a/_zoek", "/bag/v2/a/{id}/b", "/bag/v2/a/{id}.json", "/bag/v2/{x}/c"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/bag/v2/a/1": "/bag/v2/a/{id}", "/bag/v2/a/_zoek": "/bag/v2/a/_zoek", "/bag/v2/a/_zoek/b": "/bag/v2/a/{id}/b", "/bag/v2/a/1.json": "/bag/v2/a/{id}.json",
		"/bag/v2/a/c": "/bag/v2/a/{id}", "/bag/v2/z/c": "/bag/v2/{x}/c", "/bag/v2/a/": "", "/bag/v2/a": "", "/bag/v2/a/1/": "", "/bag/v2/a/1/b/c": "",
		"/": "/", "/portaal": "/portaal/*", "/portaal/": "/portaal/*", "/portaal/x/y": "/portaal/*", "/portaalx": "", "/beheer/v1/x": "/beheer/*",
		"/beheer/v1/openapi.json": "/beheer/v1/openapi.json", "/intern/v1/snapshot": "",
	} {
		got := ""
		if r, _, err := table.Match("GET", path); err == nil {
			got = r.Pattern
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestABrokenServiceIsRefused(t *testing.T) {
	edit := func(f func(*registry.Service)) registry.Service {
		s := service("/bag/v2/a")
		f(&s)
		return s
	}
	for name, s := range map[string]registry.Service{
		"a base path of the hub":       edit(func(s *registry.Service) { s.BasePaths = []string{"/beheer/v2"} }),
		"the slug of a part":           edit(func(s *registry.Service) { s.Slug = "journaal" }),
		"a path outside its base path": service("/zaken/v1/a"),
		"a path that begins alike":     service("/bag/v2x"),
		"the same operation twice":     service("/bag/v2/a", "/bag/v2/a"),
		"a star":                       service("/bag/v2/*"),
		"two parameters in a segment":  service("/bag/v2/{a}-{b}"),
		"a trailing slash":             service("/bag/v2/a/"),
		"a public path elsewhere":      edit(func(s *registry.Service) { s.Public = []string{"/portaal/x"} }),
		"a method in lower case":       edit(func(s *registry.Service) { s.Operations[0].Method = "get" }),
	} {
		if _, err := compile(s); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestARouteWithoutAClassDoesNotStart(t *testing.T) {
	for name, r := range map[string]Route{
		"no class":                  {Pattern: "/a", To: nowhere{}},
		"no target":                 {Class: ClassPublic, Pattern: "/a"},
		"no audience":               {Class: ClassAdministration, Pattern: "/a", To: nowhere{}},
		"a service without service": {Class: ClassService, Method: "GET", Audience: "x", Pattern: "/a", To: nowhere{}},
	} {
		if _, err := New([]Route{r}, nil); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// What Canonical lets through has one reading: it survives being taken apart and put together.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{"/a/b", "/a/%C3%A9", "/a/../b", "/%2e", "//", "/a;b", "/a%2Fb", "http://x/", "/a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		path, err := Canonical(&http.Request{RequestURI: target})
		if err != nil {
			return
		}
		for _, bad := range []string{"//", "/./", "/../", "\\", ";", "%2F", "%2f", "%00", "%2E", "?", "#"} {
			if strings.Contains(path+"/", bad) && bad != "//" || strings.Contains(path, "//") {
				t.Errorf("%q came through with %q", path, bad)
			}
		}
	})
}
