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

func compile(services ...registry.Service) (*Table, error) {
	to := nowhere{}
	t, omitted, err := Compile(&registry.Snapshot{Services: services}, "https://hub", Parts{to, to, to, to},
		func(*registry.Service) (Forwarder, error) { return to, nil })
	return t, errors.Join(append(omitted, err)...)
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

func TestABrokenServiceLeavesNothingAndTheOthersStay(t *testing.T) {
	sound := service("/bag/v2/a")
	edit := func(f func(*registry.Service)) registry.Service {
		s := registry.Service{Slug: "zaken", Title: "Zaken", BasePaths: []string{"/zaken/v1"}, Operations: []registry.Operation{
			{ID: "a", Method: "GET", Path: "/zaken/v1/a"}, {ID: "b", Method: "GET", Path: "/zaken/v1/{b}"},
		}}
		f(&s)
		return s
	}
	for name, broken := range map[string]registry.Service{
		"a slug that is taken":            edit(func(s *registry.Service) { s.Slug = "bag" }),
		"a base path that is taken":       edit(func(s *registry.Service) { s.BasePaths = append(s.BasePaths, "/bag/v2") }),
		"a route twice":                   edit(func(s *registry.Service) { s.Operations = append(s.Operations, s.Operations[1]) }),
		"a base path with a double slash": edit(func(s *registry.Service) { s.BasePaths = append(s.BasePaths, "/zaken//v2") }),
		"a route of a service before it": edit(func(s *registry.Service) {
			s.BasePaths = append(s.BasePaths, "/bag")
			s.Operations = append(s.Operations, registry.Operation{ID: "c", Method: "GET", Path: "/bag/v2/a"})
		}),
	} {
		table, err := compile(sound, broken, laterService())
		if err == nil {
			t.Errorf("%s was taken", name)
		}
		for path, want := range map[string]bool{"/bag/v2/a": true, "/zaken/v1/a": false, "/zaken/v1/x": false, "/later/v1/a": true, "/portaal": true} {
			route, _, err := table.Match("GET", path)
			if got := err == nil; got != want {
				t.Errorf("%s: %s matches %v, want %v", name, path, got, want)
			}
			if path == "/bag/v2/a" && err == nil && route.Service.Title != "Adressen" {
				t.Errorf("%s: %s leads to %s", name, path, route.Service.Title)
			}
		}
		if _, _, err := table.Match("GET", "/zaken/v1/a"); !strings.Contains(err.Error(), "no service") {
			t.Errorf("%s: got %v, want an unknown path", name, err)
		}
	}
}

func laterService() registry.Service {
	return registry.Service{Slug: "later", Title: "Later", BasePaths: []string{"/later/v1"}, Operations: []registry.Operation{{ID: "a", Method: "GET", Path: "/later/v1/a"}}}
}

func TestARouteWithoutAClassDoesNotStart(t *testing.T) {
	for name, r := range map[string]Route{
		"no class":                  {Pattern: "/a", To: nowhere{}},
		"no target":                 {Class: ClassPublic, Pattern: "/a"},
		"no audience":               {Class: ClassAdministration, Pattern: "/a", To: nowhere{}},
		"a service without service": {Class: ClassService, Method: "GET", Audience: "x", Pattern: "/a", To: nowhere{}},
	} {
		if _, err := New([]Route{r}); err == nil {
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
