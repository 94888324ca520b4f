// Package store keeps what the registry must not forget in SQL: the history of snapshots with the newest one whole, the
// public keys that gateways and authorization servers published, and the audit record of every change.
package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/audit/auditsql"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/notifysql"
)

//go:embed migrations/*.sql
var migrations embed.FS

// KeepKeys is how long keys stay in the snapshot after others took their place; it exceeds the life of every token.
const KeepKeys = 24 * time.Hour

// Store is the registry's database.
type Store struct {
	db  *sqldb.DB
	log *audit.Log
}

// Stored is the newest snapshot.
type Stored struct {
	Version api.Version
	Hash    string
	Sealed  api.Sealed
}

// New brings the schema up to date. Every act is logged in log, in the transaction that carries it out.
func New(ctx context.Context, db *sqldb.DB, log *audit.Log) (*Store, error) {
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, err
	}
	return &Store{db: db, log: log}, nil
}

// ErrNone says that there is no snapshot yet.
var ErrNone = errors.New("no snapshot stored yet")

// Newest gives the newest snapshot, ErrNone before the first.
func (s *Store) Newest(ctx context.Context) (Stored, error) {
	type row struct {
		epoch, number   int64
		hash, signature string
		body            []byte
	}
	r, err := sqldb.One(ctx, s.db.Reader(), func(r *row) []any {
		return []any{&r.epoch, &r.number, &r.hash, &r.body, &r.signature}
	}, `SELECT epoch, number, hash, body, signature FROM snapshot ORDER BY epoch DESC, number DESC LIMIT 1`)
	if errors.Is(err, sql.ErrNoRows) {
		return Stored{}, ErrNone
	}
	if err != nil {
		return Stored{}, fmt.Errorf("newest snapshot: %w", err)
	}
	return Stored{
		Version: api.Version{Epoch: uint64(r.epoch), Number: uint64(r.number)}, Hash: r.hash,
		Sealed: api.Sealed{Body: r.body, Signature: r.signature},
	}, nil
}

var errOtherWriter = errors.New("another registry writes in the same database")

// addSnapshot stores a snapshot as the newest; the bodies of older ones are dropped.
func addSnapshot(ctx context.Context, tx *sql.Tx, n Stored, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `UPDATE snapshot SET body = NULL, signature = NULL WHERE body IS NOT NULL`); err != nil {
		return fmt.Errorf("store snapshot: %w", err)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO snapshot (epoch, number, hash, created_at, body, signature) VALUES ($1, $2, $3, $4, $5, $6)`,
		int64(n.Version.Epoch), int64(n.Version.Number), n.Hash, sqldb.At(at), n.Sealed.Body, n.Sealed.Signature)
	if sqldb.IsUnique(err) {
		err = errOtherWriter
	}
	if err != nil {
		return fmt.Errorf("store snapshot %s: %w", n.Version, err)
	}
	return nil
}

// PutKeys makes set the keys of one instance; changed is false when they were that already.
func (s *Store) PutKeys(ctx context.Context, keys api.PartKeys, at time.Time) (changed bool, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		changed = false
		current, err := sqldb.Collect(ctx, tx, func(s *string) []any { return []any{s} },
			`SELECT jwks FROM part_keys WHERE part = $1 AND instance = $2 AND replaced_at IS NULL`, keys.Part, keys.Instance)
		if err != nil {
			return err
		}
		if len(current) == 1 && current[0] == string(keys.JWKS) {
			return nil
		}
		changed = true
		if _, err := tx.ExecContext(ctx,
			`UPDATE part_keys SET replaced_at = $1 WHERE part = $2 AND instance = $3 AND replaced_at IS NULL`,
			sqldb.At(at), keys.Part, keys.Instance); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx,
			`INSERT INTO part_keys (id, part, instance, jwks, published_at) VALUES ($1, $2, $3, $4, $5)`,
			newID(), keys.Part, keys.Instance, string(keys.JWKS), sqldb.At(at)); err != nil {
			return err
		}
		return s.append(ctx, tx, audit.Record{
			At: at, Actor: audit.Actor{Part: keys.Part}, Act: audit.KeysPublish, Outcome: audit.Succeeded,
			Subject: audit.Subject{Kind: "keys", ID: keys.Part + "/" + keys.Instance}, After: audit.Hash(keys.JWKS),
		})
	})
	if err != nil {
		return false, fmt.Errorf("store keys: %w", err)
	}
	return changed, nil
}

// Keys gives the keys that the snapshot of this moment holds: the current ones and those replaced less than KeepKeys ago.
func (s *Store) Keys(ctx context.Context, now time.Time) ([]api.PartKeys, error) {
	type row struct{ part, instance, jwks string }
	rows, err := sqldb.Collect(ctx, s.db.Reader(), func(r *row) []any { return []any{&r.part, &r.instance, &r.jwks} },
		`SELECT part, instance, jwks FROM part_keys WHERE replaced_at IS NULL OR replaced_at > $1
		 ORDER BY part, instance, published_at, id`, sqldb.At(now.Add(-KeepKeys)))
	if err != nil {
		return nil, fmt.Errorf("keys of parts: %w", err)
	}
	keys := make([]api.PartKeys, len(rows))
	for i, r := range rows {
		keys[i] = api.PartKeys{Part: r.part, Instance: r.instance, JWKS: json.RawMessage(r.jwks)}
	}
	return keys, nil
}

// Audit records acts that change no table of their own.
func (s *Store) Audit(ctx context.Context, records ...audit.Record) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error { return s.append(ctx, tx, records...) })
}

// Act carries out an act that changes no directory: what fn does, and the record that it gives, in one transaction.
func (s *Store) Act(ctx context.Context, fn func(*sql.Tx) (audit.Record, error)) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		record, err := fn(tx)
		if err != nil {
			return err
		}
		return s.append(ctx, tx, record)
	})
}

// TellOnce writes events into the outbox that are not there yet, known by their id, and tells how many were not.
func (s *Store) TellOnce(ctx context.Context, events []notify.Event) (fresh int, err error) {
	for _, e := range events {
		err := s.db.Tx(ctx, func(tx *sql.Tx) error {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notification_event WHERE id = $1`, e.ID).Scan(&n); err != nil || n > 0 {
				return err
			}
			if err := notifysql.Enqueue(ctx, tx, e); err != nil {
				return err
			}
			fresh++
			return nil
		})
		if err != nil && !sqldb.IsUnique(err) { // another registry told it meanwhile
			return fresh, err
		}
	}
	return fresh, nil
}

// Logged stores what fn does in a transaction, with the records of it; without records there was nothing to log.
func (s *Store) Logged(ctx context.Context, fn func(tx *sql.Tx) ([]audit.Record, error)) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		records, err := fn(tx)
		if err != nil {
			return err
		}
		return s.append(ctx, tx, records...)
	})
}

// append logs records and signs what the log is then: whoever can write in the database can forge nothing that came before.
func (s *Store) append(ctx context.Context, tx *sql.Tx, records ...audit.Record) error {
	if len(records) == 0 {
		return nil
	}
	if _, err := s.log.Append(ctx, auditsql.In(tx), records...); err != nil {
		return err
	}
	_, err := s.log.Checkpoint(ctx, auditsql.In(tx))
	return err
}

// Audited gives a page of the audit log.
func (s *Store) Audited(ctx context.Context, f audit.Filter) (page audit.Page, err error) {
	err = auditsql.View(ctx, s.db, func(src audit.Source) error {
		page, err = audit.List(ctx, src, f)
		return err
	})
	return page, err
}

// PurgeAudit removes the records from before a moment, after it logged that it does. It tells how many. Their leaves stay, so
// the rest is verified as before, and the check names the range that is gone.
func (s *Store) PurgeAudit(ctx context.Context, before time.Time, by audit.Actor, reason string) (removed int64, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		removed, err = s.log.Purge(ctx, auditsql.In(tx), before, by, reason)
		return err
	})
	return removed, err
}

// VerifyAudit walks the whole audit log and tells the first thing that is not as it was signed.
func (s *Store) VerifyAudit(ctx context.Context, held ...string) (report audit.Report, err error) {
	err = auditsql.View(ctx, s.db, func(src audit.Source) error {
		report, err = s.log.Verify(ctx, src, held...)
		return err
	})
	return report, err
}

// newID is time-ordered, so that records of one moment keep their order.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
