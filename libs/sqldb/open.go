package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	_ "modernc.org/sqlite"             // driver "sqlite"
)

// Dialect tells the two databases apart, for the few statements that cannot be portable.
type Dialect string

// The databases that are supported.
const (
	PostgreSQL Dialect = "postgres"
	SQLite     Dialect = "sqlite"
)

const (
	// maxConns is per process; forty parts of one hub stay below the 400 connections of a mid-size PostgreSQL.
	maxConns = 10
	// sqliteReaders bounds the read pool. Readers in WAL mode do not wait for the writer.
	sqliteReaders = 4
	// connLifetime makes connections move to a new primary after a failover behind one address.
	connLifetime = 15 * time.Minute
	// pingTimeout bounds how long Open waits for a database that is not there.
	pingTimeout = 10 * time.Second
)

// DB is an open store. The embedded *sql.DB is for writing, and on SQLite it has exactly one connection.
type DB struct {
	*sql.DB
	Dialect Dialect

	reader *sql.DB
}

// Check tells whether a DSN can be understood, without connecting. The error never holds it.
func Check(dsn string) error {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "postgres", "postgresql":
		if _, err := pgx.ParseConfig(dsn); err != nil {
			return errors.New("data source of PostgreSQL is malformed")
		}
	case "sqlite":
		if rest == "" || strings.Contains(rest, ":memory:") {
			return errors.New("sqlite needs the name of a file")
		}
	default:
		return errors.New(`data source must begin with "postgres://" or "sqlite:"`)
	}
	return nil
}

// Open connects to "postgres://…" (or "postgresql://…") or opens "sqlite:FILE". The file and its folder are made when
// absent, readable by the owner only. Errors never hold the DSN, for it may have a password; a server that is not there
// is an [AwayError].
func Open(ctx context.Context, dsn string) (*DB, error) {
	if err := Check(dsn); err != nil {
		return nil, err
	}
	var db *DB
	var err error
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		db, err = openSQLite(file)
	} else {
		db, err = openPostgreSQL(dsn)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(refused(db.Dialect, err), db.Close())
	}
	return db, nil
}

func openPostgreSQL(dsn string) (*DB, error) {
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, errors.New("data source of PostgreSQL is malformed")
	}
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	pool.SetConnMaxLifetime(connLifetime)
	return &DB{DB: pool, Dialect: PostgreSQL, reader: pool}, nil
}

func openSQLite(file string) (*DB, error) {
	if err := createPrivately(file); err != nil {
		return nil, err
	}
	writer, err := sql.Open("sqlite", sqliteDSN(file, url.Values{"_txlock": {"immediate"}}))
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	writer.SetMaxOpenConns(1)
	reader, err := sql.Open("sqlite", sqliteDSN(file, url.Values{"_pragma": {"query_only(1)"}}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), writer.Close())
	}
	reader.SetMaxOpenConns(sqliteReaders)
	reader.SetMaxIdleConns(sqliteReaders)
	return &DB{DB: writer, Dialect: SQLite, reader: reader}, nil
}

// createPrivately makes the database file before SQLite would with wider permissions; WAL and shared memory files take
// over its mode.
func createPrivately(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("folder of sqlite: %w", err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("file of sqlite: %w", err)
	}
	return f.Close()
}

func sqliteDSN(file string, extra url.Values) string {
	// busy_timeout comes first: switching to WAL needs a lock that another process may hold for a moment.
	q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}}
	for k, v := range extra {
		q[k] = append(q[k], v...)
	}
	q.Set("_dqs", "0")
	path := (&url.URL{Path: file}).EscapedPath()
	return "file:" + path + "?" + q.Encode()
}

// Reader gives the pool for queries that change nothing. On SQLite it refuses writes and does not wait for the writer.
func (db *DB) Reader() *sql.DB { return db.reader }

// Ping tells whether the database answers, for readiness.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	if db.reader != db.DB {
		return db.reader.PingContext(ctx)
	}
	return nil
}

// Close ends all connections. On SQLite the write-ahead log is folded into the file.
func (db *DB) Close() error {
	var err error
	if db.reader != db.DB {
		err = db.reader.Close()
	}
	return errors.Join(err, db.DB.Close())
}
