package gateway_test

import (
	"net/http"
	"testing"
	"time"

	registry "noorderhub.nl/hub/services/registry/api"
)

func TestEveryAnswerTellsThatItsVersionEnds(t *testing.T) {
	since, until := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)
	r := newRig(t, func(r *rig) {
		r.source.change(func(s *registry.Snapshot) {
			s.Services[0].Ending = []registry.Ending{{BasePath: s.Services[0].BasePaths[0], Deprecated: since, Sunset: &until, Successor: "/bag/v3"}}
		})
	})
	r.serve(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Link", "<x>; rel=next") })
	for name, resp := range map[string]*http.Response{"an answer": r.get(path, r.token(nil)).Response, "a refusal": r.get(path, "").Response} {
		h := resp.Header
		if h.Get("Deprecation") != "@1796083200" || h.Get("Sunset") != "Wed, 30 Jun 2027 00:00:00 GMT" {
			t.Errorf("%s: got Deprecation %q, Sunset %q", name, h.Get("Deprecation"), h.Get("Sunset"))
		}
		if links := h["Link"]; len(links) == 0 || links[len(links)-1] != "<"+hub+`/bag/v3>; rel="successor-version"` {
			t.Errorf("%s: got links %v", name, links)
		}
	}
}
