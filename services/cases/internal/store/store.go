// Package store keeps transfers, receipts, delivered cases and events in SQL. One text per query serves PostgreSQL and
// SQLite. Each transition is one transaction.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is the database of the case exchange; it is an exchange.Store.
type Store struct {
	db      *sqldb.DB
	changed *bell

	// fault is asked before every statement of a transaction and before its commit; an error ends the transaction there,
	// as a crash would. Tests set it.
	fault func(statement string) error
	// clock is the database's when nil. Tests set it.
	clock func() time.Time
}

// SetClock makes the store go by another clock than the database's, for tests. It is called before the store is used.
func (s *Store) SetClock(now func() time.Time) { s.clock = now }

// SetFault sets what is asked before every statement of a transaction, for tests. It is called before the store is used.
func (s *Store) SetFault(fault func(statement string) error) { s.fault = fault }

// Now gives the time by the database's clock. A SQLite file has none but that of its process.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	switch {
	case s.clock != nil:
		return s.clock(), nil
	case s.db.Dialect != sqldb.PostgreSQL:
		return time.Now(), nil
	}
	at, err := sqldb.One(ctx, s.db.Reader(), func(t *sqldb.Time) []any { return []any{t} },
		`SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`)
	if err != nil {
		return time.Time{}, refusal(fmt.Errorf("clock: %w", err))
	}
	return at.Time, nil
}

// New brings the schema up to date.
func New(ctx context.Context, db *sqldb.DB) (*Store, error) {
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, fmt.Errorf("cases store: %w", err)
	}
	return &Store{db: db, changed: newBell()}, nil
}

// tx is a transaction that is watched between its statements.
type tx struct {
	*sql.Tx
	fault func(string) error
}

func (t tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.watch(query); err != nil {
		return 0, err
	}
	result, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// number runs a statement that gives one number back.
func (t tx) number(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.watch(query); err != nil {
		return 0, err
	}
	var n int64
	err := t.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

func (t tx) watch(statement string) error {
	if t.fault == nil {
		return nil
	}
	return t.fault(statement)
}

// tx runs fn in a transaction at read committed. That is enough, and never fails because of another transaction: what
// must not be done twice hangs on a condition in the statement that does it, and rows are locked in one order (the
// transfer, then feeds by organisation), so there is no deadlock.
func (s *Store) tx(ctx context.Context, fn func(tx) error) error {
	options := &sql.TxOptions{}
	if s.db.Dialect == sqldb.PostgreSQL {
		options.Isolation = sql.LevelReadCommitted
	}
	begun, err := s.db.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// A rollback after commit does nothing; it also ends the transaction when fn panics.
	defer func() { _ = begun.Rollback() }()
	t := tx{begun, s.fault}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.watch("COMMIT"); err != nil {
		return err
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// refusal makes what the database cannot do now a refusal to try again; what the exchange asks about stays as it is.
func refusal(err error) error {
	if err == nil || errors.Is(err, exchange.ErrTaken) || errors.Is(err, exchange.ErrStale) || errors.Is(err, exchange.ErrKeyUsed) {
		return err
	}
	return errs.CodeUnavailable.Wrap(err, "the store of transfers does not answer; what was acknowledged is kept").WithRetryAfter(retryAfter)
}

// retryAfter is when a caller may try again after the database was away.
const retryAfter = 5 * time.Second
