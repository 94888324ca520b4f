package policy

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"noorderhub.nl/hub/gateway/internal/routes"
	registry "noorderhub.nl/hub/services/registry/api"
)

// source is a registry that confirms its snapshot all the time.
type source struct{ snapshot *registry.Snapshot }

func (s *source) Current() *registry.Snapshot { return s.snapshot }
func (s *source) Changed() <-chan struct{}    { return nil }
func (s *source) Age() time.Duration          { return time.Second }

func number(n uint64) *registry.Snapshot {
	return &registry.Snapshot{Version: registry.Version{Number: n}}
}

func TestAFaultyPartOfASnapshotDoesNotKeepRevocationsOut(t *testing.T) {
	src := &source{number(1)}
	src.snapshot.Grants = []registry.Grant{{Hash: "g"}}
	broken := errors.New("broken service")
	var omitted []error
	h := NewHolder(src, func(s *registry.Snapshot) (*View, error) {
		return Compile(s, func(*registry.Snapshot) (*routes.Table, []error, error) { return &routes.Table{}, omitted, nil })
	}, slog.New(slog.DiscardHandler))
	if h.View().Grant("g") == nil || len(h.View().Omitted) != 0 {
		t.Fatalf("got %+v of a sound snapshot", h.View())
	}
	src.snapshot, omitted = number(2), []error{broken}
	src.snapshot.RevokedTokens = []registry.RevokedToken{{JTI: "j"}}
	src.snapshot.Keys = []registry.PartKeys{{Part: partGateway, Instance: "a", JWKS: []byte(`x`)}}
	h.apply(t.Context())
	v := h.View()
	if v.Version != "0.2" || v.Grant("g") != nil || !v.Revoked("j") {
		t.Errorf("got %+v, want the second snapshot in force", v)
	}
	if len(v.Omitted) != 2 || !errors.Is(errors.Join(v.Omitted...), broken) {
		t.Errorf("got omitted %v, want the key set and the service", v.Omitted)
	}
	if err := h.Ready(); err != nil {
		t.Errorf("got %v: one faulty service closes the gateway", err)
	}
}

func TestAnOldViewAgesAlthoughTheRegistryConfirmsTheNewSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{number(1)}
		var refuse error
		h := NewHolder(src, func(s *registry.Snapshot) (*View, error) { return &View{Version: s.Version.String()}, refuse },
			slog.New(slog.DiscardHandler))
		if h.Ready() != nil || h.Age() != time.Second {
			t.Fatalf("got %v and %s at the start", h.Ready(), h.Age())
		}
		src.snapshot, refuse = number(2), errors.New("does not compile")
		h.apply(t.Context())
		time.Sleep(time.Hour) // of the bubble's clock
		src.snapshot = number(3)
		h.apply(t.Context())
		time.Sleep(time.Hour)
		if got := h.Age(); got != 2*time.Hour {
			t.Errorf("got age %s, want the time since the first refused snapshot", got)
		}
		if err := h.Ready(); !errors.Is(err, refuse) || h.Refused() != 2 {
			t.Errorf("got ready %v and %d refused", err, h.Refused())
		}
		src.snapshot, refuse = number(4), nil
		h.apply(t.Context())
		if h.Ready() != nil || h.Age() != time.Second {
			t.Errorf("got %v and %s with the newest in force again", h.Ready(), h.Age())
		}
	})
}
