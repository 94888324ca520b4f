package store_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/store"
	"noorderhub.nl/hub/services/registry/internal/store/storetest"
)

func published(n store.Stored) audit.Record {
	return audit.Record{
		Actor: audit.Actor{Part: "registry"}, Act: audit.SnapshotPublish, Outcome: audit.Succeeded,
		Subject: audit.Subject{Kind: "snapshot", ID: n.Version.String()},
	}
}

func TestKeysLeaveTheSnapshotADayAfterTheyWereReplaced(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		s, err := store.New(ctx, db, storetest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		put := func(set string, at time.Time) bool {
			changed, err := s.PutKeys(ctx, api.PartKeys{Part: "gateway", Instance: "g", JWKS: json.RawMessage(set)}, at)
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
		if !put(`{"a":1}`, now) || put(`{"a":1}`, now) || !put(`{"b":1}`, now.Add(time.Hour)) {
			t.Error("a change was not told from a repetition")
		}
		for at, want := range map[time.Duration]int{2 * time.Hour: 2, 24 * time.Hour: 2, 25*time.Hour + time.Second: 1} {
			keys, err := s.Keys(ctx, now.Add(at))
			if err != nil || len(keys) != want {
				t.Errorf("got %d sets after %v (%v), want %d", len(keys), at, err, want)
			}
		}
	})
}

func TestTheStoreKeepsTheNewestSnapshotWhole(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		s, err := store.New(ctx, db, storetest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Newest(ctx); !errors.Is(err, store.ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
		now := time.Now()
		for i, v := range []api.Version{{Epoch: 1, Number: 9}, {Epoch: 1, Number: 10}, {Epoch: 2, Number: 1}} {
			n := store.Stored{Version: v, Hash: "h", Sealed: api.Sealed{Body: []byte{byte(i)}, Signature: "s"}}
			if err := s.Commit(ctx, store.Commit{At: now, Snapshot: &n, Records: []audit.Record{published(n)}}); err != nil {
				t.Fatal(err)
			}
			got, err := s.Newest(ctx)
			if err != nil || got.Version != v || got.Sealed.Body[0] != byte(i) {
				t.Errorf("got %+v, %v; want %s", got, err, v)
			}
			if err := s.Commit(ctx, store.Commit{At: now, Snapshot: &n, Records: []audit.Record{published(n)}}); err == nil {
				t.Errorf("got %v for a version twice, want a refusal", err)
			}
		}
		page, err := s.Audited(ctx, audit.Filter{})
		if err != nil || len(page.Records) != 3 || page.Records[0].Subject.ID != "2.1" {
			t.Errorf("got records %+v, %v", page.Records, err)
		}
		if report, err := s.VerifyAudit(ctx); err != nil || report.Fault != nil || report.Signed != 3 {
			t.Errorf("got report %+v, %v; want every act signed", report, err)
		}
	})
}
