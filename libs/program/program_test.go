package program_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/program"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
)

type sample struct {
	Workload workload.Files `yaml:"workload"`
	Key      config.Secret  `yaml:"key"`
}

type service struct{ err error }

func (s service) Run(context.Context) error { return s.err }

var errEnded = errors.New("ended")

func demo() program.Program[sample] {
	return program.Program[sample]{
		Name:    "proef",
		Measure: func(c sample) (workload.Files, telemetry.Target) { return c.Workload, telemetry.Target{} },
		New: func(context.Context, sample, *slog.Logger, *telemetry.Telemetry) (interface{ Run(context.Context) error }, error) {
			return service{errEnded}, nil
		},
		Commands: map[string]func(context.Context, sample, io.Writer, []string) error{
			"tel": func(_ context.Context, _ sample, out io.Writer, args []string) error {
				_, err := io.WriteString(out, strings.Join(args, "+"))
				return err
			},
		},
	}
}

// configFile writes a configuration with a certificate that can be loaded.
func configFile(t *testing.T) string {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Issue(pki.Part("proef"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := pair.WriteFiles(t.TempDir(), "proef")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "proef.yaml")
	text := "key: canary-5\nworkload: {cert: " + files.Cert + ", key: " + files.Key + ", ca: " + files.CA + "}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheProgramRunsThePartOrACommand(t *testing.T) {
	file := configFile(t)
	var stdout, stderr strings.Builder
	if err := demo().Run(t.Context(), []string{"--config", file}, &stdout, &stderr); !errors.Is(err, errEnded) {
		t.Errorf("got %v, want the part's own end", err)
	}
	if err := demo().Run(t.Context(), []string{"--config", file, "tel", "1", "2"}, &stdout, &stderr); err != nil || stdout.String() != "1+2" {
		t.Errorf("got %q, %v from a command", stdout.String(), err)
	}
	stdout.Reset()
	if err := demo().Run(t.Context(), []string{"--config", file, "--print-config"}, &stdout, &stderr); err != nil {
		t.Error(err)
	}
	if strings.Contains(stdout.String(), "canary-5") || !strings.Contains(stdout.String(), "***") {
		t.Errorf("printed %q", stdout.String())
	}
}

func TestABadCommandLineOrConfigurationStopsTheStart(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("lisen: 127.0.0.1:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no file":            {[]string{"--config", bad + "x"}, "no such file"},
		"an unknown key":     {[]string{"--config", bad}, "lisen"},
		"an unknown flag":    {[]string{"--no-such"}, "no-such"},
		"an unknown command": {[]string{"--config", configFile(t), "reken"}, "reken"},
	} {
		if err := demo().Run(t.Context(), tc.args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want it to name %q", name, err, tc.want)
		}
	}
}
