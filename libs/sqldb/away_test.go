package sqldb_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"testing"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
)

// missing is what libs/program looks for.
type missing interface{ Missing() string }

func TestAServerThatIsNotThereIsWorthWaitingFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, err = sqldb.Open(t.Context(), "postgres://hub:hunter2@"+address+"/hub?sslmode=disable")
	var away missing
	if !errors.As(err, &away) || away.Missing() != "postgres" {
		t.Errorf("got %v, want an error that names postgres as missing", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqldb.Open(ctx, "postgres://hub@"+address+"/hub?sslmode=disable"); errors.As(err, &away) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v from a start that was called off", err)
	}
}

func TestAServerThatSaysNoIsNotWaitedFor(t *testing.T) {
	server := os.Getenv(sqldbtest.EnvPostgres)
	if server == "" {
		t.Skipf("%s is not set; it holds the URL of a PostgreSQL database for tests", sqldbtest.EnvPostgres)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/no_such_database"
	_, err = sqldb.Open(t.Context(), u.String())
	if err == nil || errors.As(err, new(*sqldb.AwayError)) {
		t.Errorf("got %v, want an error that has to be mended", err)
	}
}

func TestCheckReadsADataSourceWithoutConnecting(t *testing.T) {
	for name, tc := range map[string]struct {
		dsn string
		ok  bool
	}{
		"a server":            {"postgres://hub@db.example:5432/hub", true},
		"a file":              {"sqlite:/var/lib/hub/hub.db", true},
		"a port that is none": {"postgres://hub@db.example:port/hub", false},
		"no scheme":           {"db.example:5432", false},
		"a file without name": {"sqlite:", false},
	} {
		if err := sqldb.Check(tc.dsn); (err == nil) != tc.ok {
			t.Errorf("%s: got %v, want ok %v", name, err, tc.ok)
		}
	}
}
