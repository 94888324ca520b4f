package publisher_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// memory is a Store that can be made to fail.
type memory struct {
	newest *store.Stored
	rows   map[directory.Key]store.Row
	keys   []api.PartKeys
	acts   []string
	fault  error
	lost   bool // Commit commits and fails all the same
}

func (m *memory) Newest(context.Context) (store.Stored, error) {
	if m.newest == nil {
		return store.Stored{}, store.ErrNone
	}
	return *m.newest, nil
}

func (m *memory) Directory(context.Context) ([]store.Row, error) {
	return slices.Collect(maps.Values(m.rows)), nil
}

func (m *memory) Commit(_ context.Context, c store.Commit) error {
	if m.fault == nil || m.lost {
		if c.Snapshot != nil && m.newest != nil && !c.Snapshot.Version.After(m.newest.Version) {
			return errors.New("version stands there twice")
		}
		if c.Snapshot != nil {
			m.newest = c.Snapshot
		}
		for _, r := range c.Put {
			m.rows[r.Key] = r
		}
		for _, k := range c.Removed {
			delete(m.rows, k)
		}
		for _, r := range c.Records {
			if r.Act != audit.SnapshotPublish {
				m.acts = append(m.acts, string(r.Act))
			}
		}
	}
	return m.fault
}

func (m *memory) Keys(context.Context, time.Time) ([]api.PartKeys, error) { return m.keys, nil }

func (m *memory) PutKeys(_ context.Context, keys api.PartKeys, _ time.Time) (bool, error) {
	m.keys = append(m.keys, keys)
	return true, nil
}

func (m *memory) Audit(_ context.Context, records ...audit.Record) error {
	for _, r := range records {
		m.acts = append(m.acts, string(r.Act))
	}
	return nil
}

type world struct {
	region    *regiontest.Region
	store     *memory
	options   publisher.Options
	announced []api.Version
}

func newWorld(t testing.TB) *world {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{region: regiontest.Default(t), store: &memory{rows: map[directory.Key]store.Row{}}}
	w.options = publisher.Options{
		Region: w.region.File(), Epoch: 1, Key: key, Store: w.store, Logger: slog.New(slog.DiscardHandler),
		Now:      func() time.Time { return regiontest.Now },
		Announce: func(_ context.Context, v api.Version) { w.announced = append(w.announced, v) },
	}
	return w
}

func (w *world) publisher(t testing.TB) *publisher.Publisher {
	t.Helper()
	p, err := publisher.New(t.Context(), w.options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatIsNotStoredIsNotInForce(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	before := p.State()
	w.region.Replace(t, "title: Adressen", "title: Anders")
	w.store.fault = errors.New("disk full")
	if _, err := p.Reload(t.Context(), "test"); !errors.Is(err, w.store.fault) {
		t.Errorf("got %v, want the fault of the store", err)
	}
	if p.State() != before || len(w.announced) != 1 {
		t.Errorf("got version %s announced %v", p.State().Snapshot.Version, w.announced)
	}
	w.store.fault = nil
	if v, err := p.Reload(t.Context(), "test"); err != nil || v.Number != 2 || len(w.announced) != 2 {
		t.Errorf("got %s, %v after the store was mended", v, err)
	}
}

func TestNumbersGoOnAfterACommitThatLookedLikeAFailure(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	w.region.Replace(t, "title: Adressen", "title: Anders")
	w.store.fault, w.store.lost = errors.New("connection lost"), true
	if err := p.ReloadChanged(t.Context()); !errors.Is(err, w.store.fault) {
		t.Errorf("got %v, want the fault of the store", err)
	}
	w.store.fault = nil
	if err := p.ReloadChanged(t.Context()); err != nil {
		t.Errorf("got %v after the store was mended", err)
	}
	if s := p.State().Snapshot; s.Version.Number != 3 || s.Services[0].Title != "Anders" {
		t.Errorf("got version %s with title %s in force", s.Version, s.Services[0].Title)
	}
}

func TestAForeignSnapshotGivesItsNumberOnly(t *testing.T) {
	w := newWorld(t)
	w.publisher(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.options.Key = key
	w.region.Replace(t, "slug: emmen", "slug: assen")
	if _, err := publisher.New(t.Context(), w.options); err == nil {
		t.Error("a snapshot that another key signed is in force")
	}
	w.region.Replace(t, `3000", slug: assen`, `3000", slug: emmen`)
	if v := w.publisher(t).State().Snapshot.Version; v.Number != 2 {
		t.Errorf("got version %s, want 1.2", v)
	}
}

func TestAContractThatExpiresBlocksNoChangeAndNoStart(t *testing.T) {
	w := newWorld(t)
	w.publisher(t)
	w.options.Now = func() time.Time { return regiontest.Draft().NotAfter }
	var p *publisher.Publisher
	for range 2 {
		p = w.publisher(t)
		if s := p.State(); s.Snapshot.Version.Number != 2 || len(s.Snapshot.Grants) != 0 {
			t.Errorf("got version %s with %d grants", s.Snapshot.Version, len(s.Snapshot.Grants))
		}
	}
	w.region.Replace(t, "title: Adressen", "title: Anders")
	if v, err := p.Reload(t.Context(), "test"); err != nil || v.Number != 3 {
		t.Errorf("got %s, %v for a change beside an expired contract", v, err)
	}
}

func TestOnlyAChangeMakesANewNumber(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	for range 3 {
		if v, err := p.Reload(t.Context(), "test"); err != nil || v.Number != 1 {
			t.Errorf("got %s, %v; want 1.1", v, err)
		}
	}
	if again := w.publisher(t); again.State().Snapshot.Version.Number != 1 {
		t.Error("a restart made a new number")
	}
	if err := p.PutKeys(t.Context(), api.PartKeys{Part: "gateway", Instance: "g", JWKS: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if s := p.State().Snapshot; s.Version.Number != 2 || len(s.Keys) != 1 {
		t.Errorf("got version %s with %d sets of keys", s.Version, len(s.Keys))
	}
}

func TestARefusedRegionIsAudited(t *testing.T) {
	w := newWorld(t)
	p := w.publisher(t)
	w.region.Replace(t, "slug: emmen", "slug: assen")
	if _, err := p.Reload(t.Context(), "test"); err == nil {
		t.Error("a region with faults was taken")
	}
	if want := []string{"region.import", "region.refused"}; !slices.Equal(w.store.acts, want) {
		t.Errorf("got acts %v", w.store.acts)
	}
	if err := p.ReloadChanged(t.Context()); err != nil {
		t.Errorf("got %v for files that nobody changed since", err)
	}
	if again := w.publisher(t); again.State().Snapshot.Version.Number != 1 {
		t.Error("a restart with faults does not go on with the stored snapshot")
	}
}

func TestAwaitTellsWhoIsAheadOfTheRegistry(t *testing.T) {
	p := newWorld(t).publisher(t)
	if _, err := p.Await(t.Context(), api.Held{Version: api.Version{Epoch: 1, Number: 2}}); !errors.Is(err, publisher.ErrAhead) {
		t.Errorf("got %v, want ErrAhead", err)
	}
	held := api.Held{Version: api.Version{Epoch: 1, Number: 1}, Hash: p.State().Sealed.Hash()}
	other := api.Held{Version: held.Version, Hash: api.Sealed{}.Hash()}
	if _, err := p.Await(t.Context(), other); !errors.Is(err, publisher.ErrOther) {
		t.Errorf("got %v for another content, want ErrOther", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Await(ended, held); !errors.Is(err, api.ErrNothingNewer) {
		t.Errorf("got %v, want ErrNothingNewer", err)
	}
}
