// Package sqldbtest gives tests an empty database of each kind, so that every store is proven on SQLite and PostgreSQL
// by the same tests.
package sqldbtest

import (
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noorderhub.nl/hub/libs/sqldb"
)

// EnvPostgres names the environment variable with the URL of a PostgreSQL database where tests may make and drop
// schemas.
const EnvPostgres = "NOORDERHUB_TEST_POSTGRES"

// Each runs test on an empty SQLite database and, when EnvPostgres is set, on an empty schema of PostgreSQL. The
// database is closed and removed afterwards.
func Each(t *testing.T, test func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	EachDSN(t, func(t *testing.T, dsn string) { test(t, Open(t, dsn)) })
}

// EachDSN is Each for tests that open the database themselves, for example more than once.
func EachDSN(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) {
		server := os.Getenv(EnvPostgres)
		if server == "" {
			t.Skipf("%s is not set; it holds the URL of a PostgreSQL database for tests", EnvPostgres)
		}
		test(t, schema(t, server))
	})
}

// SQLite gives the DSN of a database file that does not exist yet, in a folder that goes away with the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Open opens dsn and closes it at the end of the test.
func Open(t *testing.T, dsn string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// schema makes an empty schema and gives a DSN whose unqualified names mean that schema.
func schema(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL", EnvPostgres)
	}
	name := "test_" + strings.ToLower(rand.Text())
	admin := Open(t, server)
	if _, err := admin.ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatalf("create schema: %v", err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if _, err := admin.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Errorf("drop schema: %v", err)
		}
	})
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}
