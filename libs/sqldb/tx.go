package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	txAttempts  = 8
	txFirstWait = 5 * time.Millisecond
)

// Tx runs fn in a serializable transaction and commits it, unless fn returns an error. What the database refuses because
// of another transaction (serialization failure, deadlock, busy) is tried again, at most eight times with growing
// pauses; so fn must have no effect outside the transaction. An error of fn is returned as it is.
func (db *DB) Tx(ctx context.Context, fn func(*sql.Tx) error) error {
	wait := txFirstWait
	for attempt := 1; ; attempt++ {
		err := db.try(ctx, fn)
		if err == nil || !isRetryable(err) || attempt == txAttempts {
			return err
		}
		// Full jitter: those that collided must not meet again at the next attempt.
		pause := time.NewTimer(rand.N(wait) + time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return errors.Join(context.Cause(ctx), err)
		case <-pause.C:
		}
		wait *= 2
	}
}

func (db *DB) try(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// A rollback after commit does nothing; it also ends the transaction when fn panics.
	defer func() { _ = tx.Rollback() }()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// PostgreSQL's codes, appendix A of its manual.
const (
	pgUniqueViolation      = "23505"
	pgForeignKeyViolation  = "23503"
	pgSerializationFailure = "40001"
	pgDeadlockDetected     = "40P01"
)

func isRetryable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == pgSerializationFailure || pg.Code == pgDeadlockDetected
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		primary := lite.Code() & 0xff // the extended code stands in the higher bytes
		return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
	}
	return false
}

// IsUnique tells whether err says that a row with the same key is already there.
func IsUnique(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == pgUniqueViolation
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// IsForeignKey tells whether err says that a row refers to one that is not there.
func IsForeignKey(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == pgForeignKeyViolation
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
	}
	return false
}
