package auditsql_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"noorderhub.nl/hub/libs/merkle"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/audit/auditsql"
)

const (
	origin           = "hub.example.nl/beheer/audit"
	assen    oin.OIN = "00000099000000002000"
	emmen    oin.OIN = "00000099000000003000"
	hubOwner oin.OIN = "00000099000000001000"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// rig is a log on a database, with a clock that goes on a minute with every look.
type rig struct {
	t    *testing.T
	db   *sqldb.DB
	log  *audit.Log
	keys merkle.Keys

	mu  sync.Mutex
	now time.Time
}

func signingKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+seed)), ed25519.SeedSize)))
}

// each runs test with an empty log on every database.
func each(t *testing.T, test func(t *testing.T, r *rig)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { test(t, newRig(t, db)) })
}

func newRig(t *testing.T, db *sqldb.DB) *rig {
	t.Helper()
	migrations := fstest.MapFS{"00001_audit.sql": {Data: []byte("-- +goose Up\n" + auditsql.Schema)}}
	if err := db.Migrate(t.Context(), migrations); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, db: db, now: start}
	r.log, r.keys = r.newLog(0, 0)
	return r
}

// newLog signs with one key and knows several.
func (r *rig) newLog(signs byte, known ...byte) (*audit.Log, merkle.Keys) {
	r.t.Helper()
	signer, err := merkle.NewSigner(origin, signingKey(signs))
	if err != nil {
		r.t.Fatal(err)
	}
	var public []ed25519.PublicKey
	for _, k := range known {
		public = append(public, signingKey(k).Public().(ed25519.PublicKey))
	}
	keys, err := merkle.NewKeys(origin, public...)
	if err != nil {
		r.t.Fatal(err)
	}
	log, err := audit.New(audit.Options{Signer: signer, Keys: keys, Now: func() time.Time {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.now = r.now.Add(time.Minute)
		return r.now
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return log, keys
}

func (r *rig) write(fn func(s auditsql.Store) error) {
	r.t.Helper()
	if err := r.db.Tx(r.t.Context(), func(tx *sql.Tx) error { return fn(auditsql.In(tx)) }); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) append(records ...audit.Record) []audit.Record {
	r.t.Helper()
	var logged []audit.Record
	r.write(func(s auditsql.Store) (err error) {
		logged, err = r.log.Append(r.t.Context(), s, records...)
		return err
	})
	return logged
}

func (r *rig) checkpoint() (c audit.Checkpoint) {
	r.t.Helper()
	r.write(func(s auditsql.Store) (err error) {
		c, err = r.log.Checkpoint(r.t.Context(), s)
		return err
	})
	return c
}

func (r *rig) purge(before time.Time) (n int64) {
	r.t.Helper()
	r.write(func(s auditsql.Store) (err error) {
		n, err = r.log.Purge(r.t.Context(), s, before, audit.Actor{Part: "registry"}, "bewaartermijn")
		return err
	})
	return n
}

func (r *rig) view(fn func(ctx context.Context, src audit.Source) error) {
	r.t.Helper()
	if err := auditsql.View(r.t.Context(), r.db, func(src audit.Source) error { return fn(r.t.Context(), src) }); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) verify(held ...string) (report audit.Report) {
	r.t.Helper()
	r.view(func(ctx context.Context, src audit.Source) (err error) {
		report, err = r.log.Verify(ctx, src, held...)
		return err
	})
	return report
}

// sound fails unless the log is whole.
func (r *rig) sound(size, records int64, removed string) audit.Report {
	r.t.Helper()
	got := r.verify()
	if got.Fault != nil || got.Size != size || got.Records != records || fmt.Sprint(got.Removed) != removed {
		r.t.Errorf("got %+v (fault %v), want %d records, %d of them there, removed %s", got, got.Fault, size, records, removed)
	}
	return got
}

func (r *rig) list(f audit.Filter) (p audit.Page) {
	r.t.Helper()
	r.view(func(ctx context.Context, src audit.Source) (err error) {
		p, err = audit.List(ctx, src, f)
		return err
	})
	return p
}

func (r *rig) exec(statement string, args ...any) {
	r.t.Helper()
	result, err := r.db.ExecContext(r.t.Context(), statement, args...)
	if err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		r.t.Fatalf("%s: changed %d rows, %v", statement, n, err)
	}
}

// signed is an act with everything that a record can say.
func signed(n int) audit.Record {
	return audit.Record{
		Actor: audit.Actor{
			Person: "a.jansen", Organisation: assen, Client: "assen-beheer", Role: "approver",
			SignIn: audit.SignIn{ACR: "http://eidas.europa.eu/LoA/substantial", At: start.Add(-time.Hour), Session: strings.Repeat("ab", 32)},
		},
		Origin: "192.0.2.7", Act: audit.ContractAccept, Subject: audit.Subject{Kind: "contract", ID: fmt.Sprintf("$1$1$%d", n)},
		Organisations: []oin.OIN{hubOwner, assen}, Outcome: audit.Succeeded, Reason: "zie besluit 12",
		Before: strings.Repeat("01", 32), After: strings.Repeat("02", 32), Detail: json.RawMessage(`{"grants":2}`),
		TransactionID: "019ab3a0-0000-7000-8000-000000000000", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
	}
}
