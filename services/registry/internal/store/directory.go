package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/notifysql"
)

// Row is a stored entity.
type Row struct {
	Key      directory.Key
	Revision int64
	Source   string // SourceRegion or ""
	Stated   string // what the region file says of it, hashed
	Body     []byte // JSON
}

// SourceRegion marks what a region file stated.
const SourceRegion = "region"

// Commit is one administrative act with everything that it leaves behind. Either all of it is stored or nothing.
type Commit struct {
	At       time.Time
	Records  []audit.Record
	Steps    []Step         // what else is stored with it
	Events   []notify.Event // what organisations are told of it
	Put      []Row
	Removed  []directory.Key
	Snapshot *Stored // nil: the data plane needs nothing of it
}

// Step stores something in a transaction that is not its own.
type Step func(ctx context.Context, tx Tx) error

// Tx is the transaction of an act.
type Tx = *sql.Tx

// Directory gives all entities.
func (s *Store) Directory(ctx context.Context) ([]Row, error) {
	type row struct {
		kind, id, source, stated, body string
		revision                       int64
	}
	rows, err := sqldb.Collect(ctx, s.db.Reader(), func(r *row) []any {
		return []any{&r.kind, &r.id, &r.revision, &r.source, &r.stated, &r.body}
	}, `SELECT kind, id, revision, source, stated, body FROM entity ORDER BY kind, id`)
	if err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	out := make([]Row, len(rows))
	for i, r := range rows {
		out[i] = Row{
			Key: directory.Key{Kind: directory.Kind(r.kind), ID: r.id}, Revision: r.revision, Source: r.source, Stated: r.stated, Body: []byte(r.body),
		}
	}
	return out, nil
}

// Commit stores an act. A revision or a snapshot version that is there already is an error: another registry writes in
// the same database.
func (s *Store) Commit(ctx context.Context, c Commit) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, r := range c.Put {
			if err := putEntity(ctx, tx, r, c.At); err != nil {
				return fmt.Errorf("store %s: %w", r.Key.Kind, err)
			}
		}
		for _, k := range c.Removed {
			if _, err := tx.ExecContext(ctx, `DELETE FROM entity WHERE kind = $1 AND id = $2`, string(k.Kind), k.ID); err != nil {
				return fmt.Errorf("remove %s: %w", k.Kind, err)
			}
			if k.Kind == directory.KindPerson {
				if err := notifysql.RemovePerson(ctx, tx, k.ID, c.At); err != nil {
					return err
				}
			}
		}
		if c.Snapshot != nil {
			if err := addSnapshot(ctx, tx, *c.Snapshot, c.At); err != nil {
				return err
			}
		}
		for _, step := range c.Steps {
			if err := step(ctx, tx); err != nil {
				return err
			}
		}
		for _, e := range c.Events {
			if err := notifysql.Enqueue(ctx, tx, e); err != nil {
				return err
			}
		}
		return s.append(ctx, tx, c.Records...)
	})
}

// putEntity replaces a row only when the new revision is the higher one.
func putEntity(ctx context.Context, tx *sql.Tx, r Row, at time.Time) error {
	result, err := tx.ExecContext(ctx, `INSERT INTO entity (kind, id, revision, source, stated, changed_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, source = excluded.source, stated = excluded.stated,
		changed_at = excluded.changed_at, body = excluded.body WHERE entity.revision < excluded.revision`,
		string(r.Key.Kind), r.Key.ID, r.Revision, r.Source, r.Stated, sqldb.At(at), string(r.Body))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return errOtherWriter
}
