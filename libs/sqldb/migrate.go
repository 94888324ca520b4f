package sqldb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migrate brings the schema up to date with the numbered *.sql files (goose format: "-- +goose Up") of fsys, taken from
// its folder "migrations" when it has one, as an embed.FS does. On PostgreSQL an advisory lock makes processes that
// start together do it one after the other; a SQLite file belongs to one process. A database that was migrated by a
// newer release is left alone: changes are deployable before and after the code.
func (db *DB) Migrate(ctx context.Context, fsys fs.FS) error {
	if info, err := fs.Stat(fsys, "migrations"); err == nil && info.IsDir() {
		if fsys, err = fs.Sub(fsys, "migrations"); err != nil {
			return err
		}
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	dialect := goose.DialectSQLite3
	if db.Dialect == PostgreSQL {
		dialect = goose.DialectPostgres
		locker, err := db.migrationLock(ctx)
		if err != nil {
			return fmt.Errorf("migration lock: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db.DB, fsys, options...)
	if errors.Is(err, goose.ErrNoMigrations) {
		return errors.New("there are no migrations in the file system given")
	}
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// migrationLock is per schema: parts that share a database server do not wait for each other. It is tried every second
// for five minutes.
func (db *DB) migrationLock(ctx context.Context) (lock.SessionLocker, error) {
	var id int64
	if err := db.QueryRowContext(ctx, `SELECT hashtextextended(current_schema(), 0)`).Scan(&id); err != nil {
		return nil, err
	}
	return lock.NewPostgresSessionLocker(lock.WithLockID(id), lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 30))
}
