package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
)

var migrations = fstest.MapFS{
	"migrations/00001_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE owners (id TEXT PRIMARY KEY);
CREATE TABLE things (
    id    TEXT PRIMARY KEY,
    owner TEXT REFERENCES owners (id),
    count BIGINT NOT NULL DEFAULT 0,
    at    BIGINT,
    raw   BYTEA,
    open  BOOLEAN NOT NULL DEFAULT FALSE
);
`)},
}

type thing struct {
	ID    string
	Count int64
	At    sqldb.Time
	Raw   []byte
	Open  bool
}

func (th *thing) fields() []any { return []any{&th.ID, &th.Count, &th.At, &th.Raw, &th.Open} }

const thingColumns = `id, count, at, raw, open`

func migrated(t *testing.T, db *sqldb.DB) {
	t.Helper()
	if err := db.Migrate(t.Context(), migrations); err != nil {
		t.Fatalf("migrate: %v", err)
	}
}

func exec(t *testing.T, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func TestPlaceholdersAreTakenByNumberAndMayRepeat(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var got string
		query := `SELECT CAST($3 AS TEXT) || CAST($1 AS TEXT) || CAST($2 AS TEXT) || CAST($1 AS TEXT)`
		if err := db.Reader().QueryRowContext(t.Context(), query, "a", "b", "c").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := "caba"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestValuesComeBackAsTheyWereStored(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 30, 0, 123456789, time.FixedZone("CET", 3600))
	tests := []struct {
		name string
		in   thing
		want thing
	}{
		{"a full row", thing{"a", 1 << 40, sqldb.At(at), []byte{0, 255, 39}, true},
			thing{"a", 1 << 40, sqldb.Time{Time: time.Date(2026, 11, 23, 8, 30, 0, 123456000, time.UTC)}, []byte{0, 255, 39}, true}},
		{"a row of zero values", thing{ID: "b"}, thing{ID: "b"}},
		{"a quote and a line end in text", thing{ID: "o'x\n;--"}, thing{ID: "o'x\n;--"}},
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrated(t, db)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				exec(t, db, `INSERT INTO things (id, count, at, raw, open) VALUES ($1, $2, $3, $4, $5)`,
					tt.in.ID, tt.in.Count, tt.in.At, tt.in.Raw, tt.in.Open)
				got, err := sqldb.One(t.Context(), db.Reader(), (*thing).fields,
					`SELECT `+thingColumns+` FROM things WHERE id = $1`, tt.in.ID)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("row (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestCollectAndOne(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrated(t, db)
		ids := func(s *string) []any { return []any{s} }
		if got, err := sqldb.Collect(t.Context(), db, ids, `SELECT id FROM things`); got != nil || err != nil {
			t.Errorf("empty table: got %v, %v, want nil, nil", got, err)
		}
		if _, err := sqldb.One(t.Context(), db, ids, `SELECT id FROM things`); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("One of none: got %v, want sql.ErrNoRows", err)
		}
		exec(t, db, `INSERT INTO things (id) VALUES ('b'), ('a'), ('c')`)
		got, err := sqldb.Collect(t.Context(), db, ids, `SELECT id FROM things ORDER BY id`)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if _, err := sqldb.Collect(t.Context(), db, ids, `SELECT id FROM nothing`); err == nil {
			t.Error("a table that is not there gave no error")
		}
		if _, err := sqldb.Collect(t.Context(), db, ids, `SELECT id, count FROM things`); err == nil {
			t.Error("a row wider than its fields gave no error")
		}
	})
}

func TestConstraintErrorsAreRecognised(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrated(t, db)
		exec(t, db, `INSERT INTO things (id) VALUES ('a')`)
		_, err := db.ExecContext(t.Context(), `INSERT INTO things (id) VALUES ('a')`)
		if !sqldb.IsUnique(err) || sqldb.IsForeignKey(err) {
			t.Errorf("double key: unique %v, foreign key %v: %v", sqldb.IsUnique(err), sqldb.IsForeignKey(err), err)
		}
		_, err = db.ExecContext(t.Context(), `INSERT INTO things (id, owner) VALUES ('b', 'nobody')`)
		if sqldb.IsUnique(err) || !sqldb.IsForeignKey(err) {
			t.Errorf("missing owner: unique %v, foreign key %v: %v", sqldb.IsUnique(err), sqldb.IsForeignKey(err), err)
		}
		if sqldb.IsUnique(nil) || sqldb.IsForeignKey(errors.New("other")) {
			t.Error("no error and a foreign error must not be taken for a constraint")
		}
	})
}

func TestTxRollsBackOnErrorAndOnPanic(t *testing.T) {
	fault := errors.New("refused")
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrated(t, db)
		insert := func(tx *sql.Tx) {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO things (id) VALUES ('a')`); err != nil {
				t.Error(err)
			}
		}
		if err := db.Tx(t.Context(), func(tx *sql.Tx) error { insert(tx); return fault }); !errors.Is(err, fault) {
			t.Errorf("got %v, want the error of the function", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = db.Tx(t.Context(), func(tx *sql.Tx) error { insert(tx); panic("fault") })
		}()
		if got := count(t, db); got != 0 {
			t.Errorf("rows after two rollbacks: got %d, want 0", got)
		}
		if err := db.Tx(t.Context(), func(tx *sql.Tx) error { insert(tx); return nil }); err != nil {
			t.Fatal(err)
		}
		if got := count(t, db); got != 1 {
			t.Errorf("rows after the commit: got %d, want 1", got)
		}
	})
}

func count(t *testing.T, db *sqldb.DB) int {
	t.Helper()
	var n int
	if err := db.Reader().QueryRowContext(t.Context(), `SELECT count(*) FROM things`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Each writer reads a counter and writes it one higher. Without serializable isolation and retries updates get lost.
func TestConcurrentTransactionsLoseNoUpdate(t *testing.T) {
	const writers, rounds = 4, 10
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrated(t, db)
		exec(t, db, `INSERT INTO things (id) VALUES ('n')`)
		var wg sync.WaitGroup
		done := make(chan error, writers*rounds)
		for range writers {
			wg.Go(func() {
				for range rounds {
					done <- db.Tx(t.Context(), func(tx *sql.Tx) error { return increment(t.Context(), tx) })
				}
			})
		}
		wg.Wait()
		close(done)
		committed := 0
		for err := range done {
			if err == nil {
				committed++
			}
		}
		var got int
		if err := db.QueryRowContext(t.Context(), `SELECT count FROM things WHERE id = 'n'`).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != committed {
			t.Errorf("counter: got %d, want %d, the number of commits", got, committed)
		}
		if committed < writers*rounds*9/10 {
			t.Errorf("only %d of %d transactions were committed", committed, writers*rounds)
		}
	})
}

func increment(ctx context.Context, tx *sql.Tx) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count FROM things WHERE id = 'n'`).Scan(&n); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE things SET count = $1 WHERE id = 'n'`, n+1)
	return err
}

func TestTxStopsWithItsContext(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrated(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.Tx(ctx, func(*sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}

func TestMigrationsRunOnceAlsoWhenStartedTogether(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		first, second := sqldbtest.Open(t, dsn), sqldbtest.Open(t, dsn)
		errs := make(chan error, 2)
		if first.Dialect == sqldb.SQLite {
			second = first // a file belongs to one process; a second start comes after the first
		}
		go func() { errs <- first.Migrate(t.Context(), migrations) }()
		go func() { errs <- second.Migrate(t.Context(), migrations) }()
		for range 2 {
			if err := <-errs; err != nil {
				t.Errorf("migrate: %v", err)
			}
		}
		exec(t, first, `INSERT INTO things (id) VALUES ('a')`)
		migrated(t, second)
		if got := count(t, second); got != 1 {
			t.Errorf("rows after migrating again: got %d, want 1", got)
		}
	})
}

func TestMigrateRefusesAnEmptyAndABrokenSet(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if err := db.Migrate(t.Context(), fstest.MapFS{}); err == nil {
			t.Error("an empty set was taken")
		}
		broken := fstest.MapFS{"00001_broken.sql": {Data: []byte("-- +goose Up\nCREATE TABEL x (id TEXT);\n")}}
		if err := db.Migrate(t.Context(), broken); err == nil {
			t.Error("a broken set was taken")
		}
		migrated(t, db)
	})
}

func TestOpenSaysWhatIsWrongWithoutTheDataSource(t *testing.T) {
	tests := []struct{ name, dsn, want string }{
		{"an unknown scheme", "mysql://u:hunter2@h/db", "must begin with"},
		{"nothing", "", "must begin with"},
		{"sqlite without a file", "sqlite:", "name of a file"},
		{"sqlite in memory", "sqlite::memory:", "name of a file"},
		{"a PostgreSQL that is not there", "postgres://u:hunter2@127.0.0.1:1/db?connect_timeout=1", "does not answer"},
		{"a malformed PostgreSQL URL", "postgres://u:hunter2@h:port/db", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sqldb.Open(t.Context(), tt.dsn)
			if err == nil {
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to hold %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the password: %q", err)
			}
		})
	}
}

func TestSQLiteFileIsPrivateDurableAndHasOneWriter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a folder", "odd ?&# name.db")
	db := sqldbtest.Open(t, "sqlite:"+file)
	migrated(t, db)
	for suffix, want := range map[string]os.FileMode{"": 0o600, "-wal": 0o600} {
		info, err := os.Stat(file + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of file%s: got %o, want %o", suffix, got, want)
		}
	}
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000",
	} {
		for name, pool := range map[string]*sql.DB{"writer": db.DB, "reader": db.Reader()} {
			var got string
			if err := pool.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s of the %s: got %s, want %s", pragma, name, got, want)
			}
		}
	}
	if _, err := db.Reader().ExecContext(t.Context(), `INSERT INTO things (id) VALUES ('x')`); err == nil {
		t.Error("the reader may write")
	}
	if got := db.Stats().MaxOpenConnections; got != 1 {
		t.Errorf("writer connections: got %d, want 1", got)
	}
}

func TestSQLiteReadersDoNotWaitForTheWriter(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.SQLite(t))
	migrated(t, db)
	err := db.Tx(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO things (id) VALUES ('a')`); err != nil {
			return err
		}
		if got := count(t, db); got != 0 {
			return fmt.Errorf("a reader saw %d rows that were not committed", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
