// Package keys has the authorization server's signing keys: made here, stored encrypted, their public halves published to
// the registry before the first token is signed with them, and renewed in time. Instances of the server share them.
package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"embed"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/token"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// renewAfter is the age at which a key gets a successor.
	renewAfter = 90 * 24 * time.Hour
	// lead is how long a key is published before it is used. It exceeds the week that others may cache the JWKS for
	// (standards OA-AS-19).
	lead = 8 * 24 * time.Hour
	// linger is how long a key stays published after its successor took over; it exceeds the life of every token.
	linger = 24 * time.Hour
)

// Store keeps the keys in SQL.
type Store struct {
	db       *sqldb.DB
	envelope Envelope
}

// row is one key as stored.
type row struct {
	kid     string
	sealed  string
	created sqldb.Time
	useFrom sqldb.Time
}

func (r *row) fields() []any { return []any{&r.kid, &r.sealed, &r.created, &r.useFrom} }

// NewStore brings the schema up to date.
func NewStore(ctx context.Context, db *sqldb.DB, envelope Envelope) (*Store, error) {
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, err
	}
	return &Store{db: db, envelope: envelope}, nil
}

// maintain gives the keys of this moment, oldest first, after making the first one or a successor and removing the ones
// that are over. first says that there was none before. It is one transaction: of instances that start together, one
// makes the key and the others find it.
func (s *Store) maintain(ctx context.Context, now time.Time) (rows []row, first bool, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		var err error
		rows, err = sqldb.Collect(ctx, tx, (*row).fields,
			`SELECT kid, sealed, created_at, use_from FROM signing_key ORDER BY use_from, kid`)
		if err != nil {
			return err
		}
		first = len(rows) == 0
		if first || now.Sub(rows[len(rows)-1].created.Time) >= renewAfter {
			useFrom := now
			if !first {
				useFrom = now.Add(lead)
			}
			made, err := s.make(now, useFrom)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO signing_key (kid, sealed, created_at, use_from) VALUES ($1, $2, $3, $4)`,
				made.kid, made.sealed, made.created, made.useFrom); err != nil {
				return err
			}
			rows = append(rows, made)
		}
		for len(rows) > 1 && now.After(rows[1].useFrom.Add(linger)) {
			if _, err := tx.ExecContext(ctx, `DELETE FROM signing_key WHERE kid = $1`, rows[0].kid); err != nil {
				return err
			}
			rows = rows[1:]
		}
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("signing keys: %w", err)
	}
	return rows, first, nil
}

func (s *Store) make(now, useFrom time.Time) (row, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return row{}, err
	}
	kid, err := token.KeyID(&key.PublicKey)
	if err != nil {
		return row{}, err
	}
	sealed, err := s.envelope.seal(kid, key)
	return row{kid: kid, sealed: sealed, created: sqldb.At(now), useFrom: sqldb.At(useFrom)}, err
}
