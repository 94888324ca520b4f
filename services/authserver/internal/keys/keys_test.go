package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/authserver/internal/keys"
	"noorderhub.nl/hub/services/registry/api"
)

func envelope(t *testing.T, fill byte) keys.Envelope {
	t.Helper()
	e, err := keys.NewEnvelope(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func store(t *testing.T, db *sqldb.DB, fill byte) *keys.Store {
	t.Helper()
	s, err := keys.NewStore(t.Context(), db, envelope(t, fill))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t *testing.T, s *keys.Store, now time.Time) (*keys.Ring, bool) {
	t.Helper()
	publish := func(context.Context, json.RawMessage) error { return nil }
	ring, first, err := keys.Open(t.Context(), s, publish, slog.New(slog.DiscardHandler), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return ring, first
}

func listing(ring *keys.Ring) *api.Snapshot {
	return &api.Snapshot{Keys: []api.PartKeys{{Part: keys.Part, Instance: "1", JWKS: ring.PublicSet()}}}
}

func signer(t *testing.T, ring *keys.Ring) string {
	t.Helper()
	s, err := ring.Signer(listing(ring))
	if err != nil {
		t.Fatal(err)
	}
	return s.KeyID()
}

func count(t *testing.T, ring *keys.Ring) int {
	t.Helper()
	set, err := token.ParseKeys(ring.PublicSet())
	if err != nil {
		t.Fatal(err)
	}
	return len(set)
}

func TestInstancesThatStartTogetherShareOneKey(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := store(t, db, 1)
		now := time.Now()
		var mu sync.Mutex
		kids, firsts := map[string]bool{}, 0
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				ring, first := open(t, s, now)
				kid := signer(t, ring)
				mu.Lock()
				defer mu.Unlock()
				kids[kid] = true
				if first {
					firsts++
				}
			})
		}
		wg.Wait()
		if len(kids) != 1 || firsts != 1 {
			t.Errorf("got %d keys and %d first starts, want 1 and 1", len(kids), firsts)
		}
	})
}

func TestAKeyIsRenewedPublishedAheadAndRemoved(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := store(t, db, 1)
		begin := time.Unix(1_800_000_000, 0)
		const day = 24 * time.Hour
		ring, _ := open(t, s, begin)
		first := signer(t, ring)
		for _, step := range []struct {
			name    string
			at      time.Duration
			keys    int
			renewed bool
		}{
			{"a day later", day, 1, false},
			{"at its age the successor is published", 90 * day, 2, false},
			{"until a week later the old one signs", 97 * day, 2, false},
			{"then the new one", 98 * day, 2, true},
			{"the old one stays for tokens on their way", 98*day + time.Hour, 2, true},
			{"then it goes", 99*day + time.Hour, 1, true},
		} {
			ring, isFirst := open(t, s, begin.Add(step.at))
			if isFirst {
				t.Errorf("%s: called a first start", step.name)
			}
			if got := count(t, ring); got != step.keys {
				t.Errorf("%s: got %d keys, want %d", step.name, got, step.keys)
			}
			if got := signer(t, ring) != first; got != step.renewed {
				t.Errorf("%s: got a new key %v, want %v", step.name, got, step.renewed)
			}
		}
	})
}

func TestKeysAreEncryptedAndBoundToTheirName(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := store(t, db, 1)
		open(t, s, time.Now())
		other := store(t, db, 2)
		if _, _, err := keys.Open(t.Context(), other, nil, slog.New(slog.DiscardHandler), time.Now); err == nil {
			t.Error("opened with another envelope key")
		}
		if _, err := db.ExecContext(t.Context(), `UPDATE signing_key SET kid = 'another'`); err != nil {
			t.Fatal(err)
		}
		if _, _, err := keys.Open(t.Context(), s, nil, slog.New(slog.DiscardHandler), time.Now); err == nil {
			t.Error("a sealed key opened under another name")
		}
	})
	for _, bad := range []string{"", "x", base64.StdEncoding.EncodeToString([]byte("short"))} {
		if _, err := keys.NewEnvelope(bad); err == nil {
			t.Errorf("envelope key %q was taken", bad)
		}
	}
}

func TestAKeySignsOnlyWhileTheSnapshotListsIt(t *testing.T) {
	ring, _ := open(t, store(t, sqldbtest.Open(t, sqldbtest.SQLite(t)), 1), time.Now())
	good := listing(ring)
	for name, tc := range map[string]struct {
		snapshot *api.Snapshot
		want     bool
	}{
		"no snapshot":                {nil, false},
		"a snapshot without it":      {&api.Snapshot{}, false},
		"listed as a gateway's":      {&api.Snapshot{Keys: []api.PartKeys{{Part: "gateway", JWKS: good.Keys[0].JWKS}}}, false},
		"listed":                     {good, true},
		"listed by another instance": {&api.Snapshot{Keys: []api.PartKeys{{Part: keys.Part, Instance: "2", JWKS: good.Keys[0].JWKS}}}, true},
	} {
		if _, err := ring.Signer(tc.snapshot); (err == nil) != tc.want {
			t.Errorf("%s: got %v, want signing %v", name, err, tc.want)
		}
	}
}

// snapshots is a registry as one instance sees it.
type snapshots struct {
	mu      sync.Mutex
	current *api.Snapshot
	changed chan struct{}
}

func (s *snapshots) Current() *api.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *snapshots) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// put makes the next snapshot; without a set it lists no keys.
func (s *snapshots) put(set json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = &api.Snapshot{}
	if set != nil {
		s.current.Keys = []api.PartKeys{{Part: keys.Part, Instance: "1", JWKS: set}}
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func TestPublishingIsTriedUntilTheRegistryTakesIt(t *testing.T) {
	s := store(t, sqldbtest.Open(t, sqldbtest.SQLite(t)), 1)
	ring0, _ := open(t, s, time.Unix(1_800_000_000, 0))
	want := string(ring0.PublicSet())
	synctest.Test(t, func(t *testing.T) {
		tries, taken, registry := 0, "", &snapshots{changed: make(chan struct{})}
		publish := func(_ context.Context, set json.RawMessage) error {
			if tries++; tries < 3 {
				return errors.New("registry away")
			}
			taken = string(set)
			registry.put(set)
			return nil
		}
		ctx, cancel := context.WithCancel(context.Background())
		ring, _, err := keys.Open(ctx, s, publish, slog.New(slog.DiscardHandler), func() time.Time { return time.Unix(1_800_000_000, 0) })
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- ring.Run(ctx, registry) }()
		time.Sleep(30 * time.Minute) // of the bubble's clock
		synctest.Wait()
		if taken != want || tries != 3 {
			t.Errorf("got %d tries and set %q, want 3 and %q", tries, taken, want)
		}
		for want := 4; want < 7; want++ { // a registry restored from a backup
			registry.put(nil)
			synctest.Wait()
			if _, err := ring.Signer(registry.Current()); err != nil || tries != want {
				t.Errorf("got %v after %d tries, want the keys listed again by try %d at once", err, tries, want)
			}
			time.Sleep(20 * time.Second)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
