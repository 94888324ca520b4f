package gateway_test

import (
	"context"
	"testing"

	registry "noorderhub.nl/hub/services/registry/api"
)

func TestABrokenServiceDoesNotKeepARevocationOut(t *testing.T) {
	r := newRig(t)
	bearer := r.token(nil)
	if got := r.get(path, bearer); got.StatusCode != 200 {
		t.Fatalf("got %d before", got.StatusCode)
	}
	r.source.change(func(s *registry.Snapshot) {
		s.Grants = nil
		s.Services = append(s.Services, registry.Service{
			Slug: "kapot", Owner: hubOIN, Title: "Kapot", BasePaths: []string{"/kapot/v1"},
			Upstream: registry.Upstream{Addresses: []string{"consul:nowhere"}},
		})
	})
	eventually(t, "the revocation is in force", func() bool { return r.get(path, bearer).StatusCode == 403 })
	if err := r.svc.Ready(context.Background()); err != nil {
		t.Errorf("got %v: one broken service closes the gateway", err)
	}
	if got := r.get("/kapot/v1/a", bearer); got.StatusCode != 404 {
		t.Errorf("got %d at the service that is left out", got.StatusCode)
	}
}
