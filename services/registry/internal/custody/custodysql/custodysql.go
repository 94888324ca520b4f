// Package custodysql keeps the signing keys of custody in the registry's database, inside the caller's transaction.
package custodysql

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/custody"
)

// Schema is what the keys need of the database, for its migrations and for tests.
//
//go:embed schema.sql
var Schema string

// Tx is a transaction; *sql.Tx is it. For what only reads, a pool will do.
type Tx interface {
	sqldb.Querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Store is a custody.Store in a transaction.
type Store struct{ tx Tx }

// In gives the keys as the transaction sees them.
func In(tx Tx) Store { return Store{tx} }

const columns = `id, organisation, purpose, algorithm, state, public_key, sealed, envelope, chain, thumbprint, not_after,
	created_at, activated_at, ended_at, proposer, confirmer`

// row is a key as it is read.
type row struct {
	custody.Stored
	notAfter, created, activated, ended sqldb.Time
	proposer, confirmer                 string
}

func (r *row) fields() []any {
	return []any{
		&r.ID, &r.Organisation, &r.Purpose, &r.Algorithm, &r.State, &r.Public, &r.Sealed.Text, &r.Sealed.Envelope, &r.Chain, &r.Thumbprint,
		&r.notAfter, &r.created, &r.activated, &r.ended, &r.proposer, &r.confirmer,
	}
}

func (r *row) stored() (custody.Stored, error) {
	r.NotAfter, r.Created, r.Activated, r.Ended = r.notAfter.Time, r.created.Time, r.activated.Time, r.ended.Time
	err := errors.Join(json.Unmarshal([]byte(r.proposer), &r.Proposer), json.Unmarshal([]byte(r.confirmer), &r.Confirmer))
	if err != nil {
		return custody.Stored{}, fmt.Errorf("stored key %s: %w", r.ID, err)
	}
	return r.Stored, nil
}

// Add implements custody.Store. Two at once for one organisation and purpose are custody.ErrChanged for the second.
func (s Store) Add(ctx context.Context, k custody.Stored) error {
	proposer, confirmer, err := actors(k.Key)
	if err != nil {
		return err
	}
	_, err = s.tx.ExecContext(ctx, `INSERT INTO custody_key (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		k.ID, k.Organisation.String(), string(k.Purpose), string(k.Algorithm), string(k.State), k.Public, k.Sealed.Text, k.Sealed.Envelope,
		k.Chain, k.Thumbprint, sqldb.At(k.NotAfter), sqldb.At(k.Created), sqldb.At(k.Activated), sqldb.At(k.Ended), proposer, confirmer)
	if sqldb.IsUnique(err) {
		return custody.ErrChanged
	}
	return err
}

// Change implements custody.Store.
func (s Store) Change(ctx context.Context, from custody.State, k custody.Stored) error {
	_, confirmer, err := actors(k.Key)
	if err != nil {
		return err
	}
	result, err := s.tx.ExecContext(ctx, `UPDATE custody_key SET state = $1, sealed = $2, envelope = $3, chain = $4, thumbprint = $5,
		not_after = $6, activated_at = $7, ended_at = $8, confirmer = $9 WHERE id = $10 AND state = $11`,
		string(k.State), k.Sealed.Text, k.Sealed.Envelope, k.Chain, k.Thumbprint, sqldb.At(k.NotAfter), sqldb.At(k.Activated), sqldb.At(k.Ended),
		confirmer, k.ID, string(from))
	if sqldb.IsUnique(err) {
		return custody.ErrChanged
	}
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return custody.ErrChanged
}

func actors(k custody.Key) (proposer, confirmer string, err error) {
	text := func(a audit.Actor) string {
		out, errText := json.Marshal(a)
		err = errors.Join(err, errText)
		return string(out)
	}
	return text(k.Proposer), text(k.Confirmer), err
}

// Get implements custody.Store.
func (s Store) Get(ctx context.Context, id string) (custody.Stored, error) {
	return s.one(ctx, `WHERE id = $1`, id)
}

// In implements custody.Store.
func (s Store) In(ctx context.Context, organisation oin.OIN, purpose custody.Purpose, state custody.State) (custody.Stored, error) {
	return s.one(ctx, `WHERE organisation = $1 AND purpose = $2 AND state = $3`, organisation.String(), string(purpose), string(state))
}

func (s Store) one(ctx context.Context, where string, args ...any) (custody.Stored, error) {
	r, err := sqldb.One(ctx, s.tx, (*row).fields, `SELECT `+columns+` FROM custody_key `+where, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return custody.Stored{}, custody.ErrUnknown
	}
	if err != nil {
		return custody.Stored{}, err
	}
	return r.stored()
}

// Of implements custody.Store.
func (s Store) Of(ctx context.Context, organisation oin.OIN) ([]custody.Key, error) {
	return keys(s.all(ctx, `WHERE organisation = $1 ORDER BY created_at, id`, organisation.String()))
}

// Ending implements custody.Store.
func (s Store) Ending(ctx context.Context, before time.Time) ([]custody.Key, error) {
	return keys(s.all(ctx, `WHERE state = 'active' AND not_after < $1 ORDER BY not_after, id`, sqldb.At(before)))
}

// SealedOtherwise implements custody.Store.
func (s Store) SealedOtherwise(ctx context.Context, envelope string, limit int) ([]custody.Stored, error) {
	return s.all(ctx, `WHERE envelope <> $1 AND envelope <> '' ORDER BY id LIMIT $2`, envelope, limit)
}

func (s Store) all(ctx context.Context, rest string, args ...any) ([]custody.Stored, error) {
	rows, err := sqldb.Collect(ctx, s.tx, (*row).fields, `SELECT `+columns+` FROM custody_key `+rest, args...)
	if err != nil {
		return nil, err
	}
	out := make([]custody.Stored, len(rows))
	for i := range rows {
		if out[i], err = rows[i].stored(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func keys(all []custody.Stored, err error) ([]custody.Key, error) {
	out := make([]custody.Key, len(all))
	for i, k := range all {
		out[i] = k.Key
	}
	return out, err
}
