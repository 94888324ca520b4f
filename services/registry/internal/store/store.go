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
)

//go:embed migrations/*.sql
var migrations embed.FS

// KeepKeys is how long keys stay in the snapshot after others took their place; it exceeds the life of every token.
const KeepKeys = 24 * time.Hour

// Store is the registry's database.
type Store struct {
	db *sqldb.DB
}

// Stored is the newest snapshot.
type Stored struct {
	Version api.Version
	Hash    string
	Sealed  api.Sealed
}

// New brings the schema up to date.
func New(ctx context.Context, db *sqldb.DB) (*Store, error) {
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
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

// addSnapshot stores a snapshot as the newest, with its audit record; the bodies of older ones are dropped.
func addSnapshot(ctx context.Context, tx *sql.Tx, n Stored, at time.Time, actor string) error {
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
	return audit(ctx, tx, at, actor, "snapshot.publish", n.Version.String()+" "+n.Hash)
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
		return audit(ctx, tx, at, keys.Part, "keys.publish", keys.Part+"/"+keys.Instance)
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

// Audit records an act that changes no table of its own.
func (s *Store) Audit(ctx context.Context, at time.Time, actor, act, detail string) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error { return audit(ctx, tx, at, actor, act, detail) })
}

// Record is one audit record.
type Record struct {
	At                 sqldb.Time
	Actor, Act, Detail string
}

// Audited gives the newest audit records, newest first.
func (s *Store) Audited(ctx context.Context, limit int) ([]Record, error) {
	return sqldb.Collect(ctx, s.db.Reader(), func(r *Record) []any { return []any{&r.At, &r.Actor, &r.Act, &r.Detail} },
		`SELECT at, actor, act, detail FROM audit ORDER BY at DESC, id DESC LIMIT $1`, limit)
}

func audit(ctx context.Context, tx *sql.Tx, at time.Time, actor, act, detail string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO audit (id, at, actor, act, detail) VALUES ($1, $2, $3, $4, $5)`,
		newID(), sqldb.At(at), actor, act, detail)
	return err
}

// newID is time-ordered, so that records of one moment keep their order.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
