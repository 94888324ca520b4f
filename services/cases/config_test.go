package cases_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/services/cases"
)

func TestAllFaultsOfAConfigurationAreReportedTogether(t *testing.T) {
	cfg := cases.Defaults()
	err := config.Parse([]byte("listn: x\nhub: https://hub.example.nl/pad\nhubOin: '1'\nstopTimeout: 0s\n"), &cfg)
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{
		"listn", "listen is missing", "database is missing", "receipts.keys is missing", "receipts.anchors", "workload.cert is missing",
		"hub is not a URL", "hubOin is not an OIN", "stopTimeout must be positive",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the faults do not name %q:\n%v", want, err)
		}
	}
}

func TestTheStartNamesEveryFileThatIsWrong(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	cfg := r.config()
	cfg.Workload.Key = filepath.Join(t.TempDir(), "none.key")
	r.material.write(t, "broken.jws", []byte("x"))
	if err := os.Remove(filepath.Join(r.material.dir, hubOIN+".jws")); err != nil {
		t.Fatal(err)
	}
	_, err := cases.New(t.Context(), cfg, cases.Deps{Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), Snapshots: r.snapshots})
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{"none.key", "broken.jws", hubOIN + ".pem: no good statement", "logbook: client and key are required"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the faults do not name %q:\n%v", want, err)
		}
	}
	if err := (&cfg).Check(); err == nil || !strings.Contains(err.Error(), "broken.jws") {
		t.Errorf("check: %v", err)
	}
	if _, err := cases.New(t.Context(), cfg, cases.Deps{}); err == nil {
		t.Error("started without a logger")
	}
}

func TestTheHubNeedsAReceiptKeyOfItsOwn(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	for _, suffix := range []string{".pem", ".jws"} {
		if err := os.Remove(filepath.Join(r.material.dir, hubOIN+suffix)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := cases.New(t.Context(), r.config(), cases.Deps{
		Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), Snapshots: r.snapshots, Logbook: r.logbook,
	})
	if err == nil || !strings.Contains(err.Error(), "no key of the hub") {
		t.Errorf("got %v", err)
	}
}
