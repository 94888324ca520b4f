package publisher_test

import (
	"errors"
	"testing"

	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

// act is somebody's.
var act = publisher.Act{
	Actor: audit.Actor{Person: "anna", Client: "anna-hubctl", Organisation: regiontest.AssenOIN}, Act: audit.OrganisationPut,
	Subject: audit.Subject{Kind: "organisation", ID: regiontest.EmmenOIN},
}

// rename gives an act that renames the organisation emmen.
func rename(to string) func(*publisher.Change) error {
	return func(c *publisher.Change) error {
		o := *c.Before.Organisation(regiontest.EmmenOIN)
		o.Name = to
		c.Put(&o)
		return nil
	}
}

func nameOf(p *publisher.Publisher) string {
	return p.State().Directory.Organisation(regiontest.EmmenOIN).Name
}

func TestAnActIsStoredWithItsRecordAndItsSnapshot(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	key := directory.Key{Kind: directory.KindOrganisation, ID: regiontest.EmmenOIN}
	was := p.State().Revision(key)
	state, err := p.Do(t.Context(), act, rename("Emmen"))
	if err != nil {
		t.Fatal(err)
	}
	if state.Snapshot.Version.Number != 2 || state.Revision(key) <= was || nameOf(p) != "Emmen" {
		t.Errorf("got version %s, revision %d after %d, name %q", state.Snapshot.Version, state.Revision(key), was, nameOf(p))
	}
	if last := w.store.acts[len(w.store.acts)-1]; last != "organisation.put" || w.store.newest.Version.Number != 2 {
		t.Errorf("got act %q and version %s stored", last, w.store.newest.Version)
	}
	if again := w.publisher(t); nameOf(again) != "Emmen" || again.State().Snapshot.Version.Number != 2 {
		t.Errorf("got %q, version %s after a restart", nameOf(again), again.State().Snapshot.Version)
	}
}

func TestAnActWithFaultsChangesNothing(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	before := p.State()
	for name, tt := range map[string]struct {
		do   func(*publisher.Change) error
		want func(error) bool
	}{
		"that breaks a rule": {rename(""), func(err error) bool { return errors.As(err, new(directory.Faults)) }},
		"that takes away what others need": {func(c *publisher.Change) error {
			c.Remove(directory.Key{Kind: directory.KindOrganisation, ID: regiontest.AssenOIN})
			return nil
		}, func(err error) bool { return errors.As(err, new(directory.Faults)) }},
		"on an older revision": {func(c *publisher.Change) error {
			return errors.Join(c.Expect(directory.Key{Kind: directory.KindOrganisation, ID: regiontest.EmmenOIN}, 0), rename("x")(c))
		}, func(err error) bool { return errors.Is(err, publisher.ErrRevision) }},
	} {
		if _, err := p.Do(t.Context(), act, tt.do); !tt.want(err) {
			t.Errorf("an act %s: got %v", name, err)
		}
	}
	if p.State() != before || len(w.store.acts) != 1 {
		t.Errorf("got acts %v and version %s", w.store.acts, p.State().Snapshot.Version)
	}
}

func TestWhatOthersChangedStaysUntilTheFileSpeaksAnew(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	if _, err := p.Do(t.Context(), act, rename("Emmen")); err != nil {
		t.Fatal(err)
	}
	reload := func() {
		t.Helper()
		if _, err := p.Reload(t.Context(), "test"); err != nil {
			t.Fatal(err)
		}
	}
	w.region.Replace(t, "title: Adressen", "title: Anders")
	reload()
	if got := nameOf(p); got != "Emmen" {
		t.Errorf("got %q: a file that says of it what it said before undid an act", got)
	}
	w.region.Replace(t, "name: Gemeente Emmen", "name: Gemeente Nieuw-Emmen")
	reload()
	if got := nameOf(p); got != "Gemeente Nieuw-Emmen" {
		t.Errorf("got %q, want what the file says now", got)
	}
}

func TestWhatTheFileDropsGoesWithWhatRestsOnIt(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	grant := p.State().Snapshot.Grants[0].Hash
	_, err := p.Do(t.Context(), act, func(c *publisher.Change) error {
		c.Put(&directory.Narrowing{Grant: grant, By: regiontest.AssenOIN, Suspended: true, Reason: "vakantie"})
		copied := *c.Before.Client("emmen-demo")
		copied.ID, copied.Organisation, copied.Assignments = "assen-later", regiontest.AssenOIN, []directory.Assignment{{Name: "later", Grant: grant}}
		copied.Keys = []directory.ClientKey{{Public: regiontest.PublicPEM(t, w.region.Signers["assen"].Key.Public())}}
		c.Put(&copied)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s := p.State().Snapshot
	if n := s.Grants[0].Narrowing; n == nil || !n.Suspended || n.By != regiontest.AssenOIN {
		t.Errorf("got narrowing %+v", n)
	}
	w.region.Remove(t, "contracts/assen-bag.json")
	w.region.Replace(t, "assignments: [{name: assen-demo, contract: assen-bag}]", "assignments: []")
	w.region.Replace(t, "    - {name: assen-bag", "    # - {name: assen-bag")
	if _, err := p.Reload(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	state := p.State()
	if len(state.Snapshot.Grants) != 0 || len(state.Directory.Client("assen-later").Assignments) != 0 || len(directory.All[*directory.Narrowing](state.Directory)) != 0 {
		t.Errorf("got grants %v, client %+v", state.Snapshot.Grants, state.Directory.Client("assen-later"))
	}
}
