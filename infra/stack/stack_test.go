package stack_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"noorderhub.nl/hub/infra/stack"
)

// programs are built once for all tests.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "stack-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = filepath.Join(dir, "bin")
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func options(t *testing.T) stack.Options {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: builds every part")
	}
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(programs); err != nil {
		if err := stack.Build(t.Context(), root, programs); err != nil {
			t.Fatal(err)
		}
	}
	return stack.Options{Root: root, Bin: programs, Gateways: 1, Addresses: 1, Say: t.Logf}
}

func hubctl(ctx context.Context, s *stack.Stack, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.Bin, "hubctl"), append([]string{"--data", s.Data}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const adressen = "GET /bag/individuelebevragingen/v2/adressen?postcode=9990AA&huisnummer=1"

func TestTheHubRunsAsProcessesAndStopsInOrder(t *testing.T) {
	s, err := stack.Start(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, organisation := range []string{"assen", "leeuwarden"} { // with and without a bound token
		if out, err := hubctl(t.Context(), s, "call", "--as", organisation, adressen); err != nil || !strings.Contains(out, `"postcode":"9990AA"`) {
			t.Errorf("%s: got %v: %s", organisation, err, out)
		}
	}
	if out, err := hubctl(t.Context(), s, "call", "--as", "emmen", adressen); err == nil {
		t.Errorf("emmen has no contract and got %s", out)
	}
	if t.Failed() {
		t.Log(s.Logs())
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	for _, name := range s.Names() {
		if s.Process(name).Running() {
			t.Errorf("%s is still there", name)
		}
	}
}

// prepared gives configurations of a hub that does not run.
func prepared(t *testing.T) *stack.Stack {
	t.Helper()
	s, err := stack.Prepare(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// spoil changes a configuration file: every line that begins with a key gets another text.
func spoil(t *testing.T, file string, changes map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for key, line := range changes {
		found := false
		for i := range lines {
			if strings.HasPrefix(strings.TrimSpace(lines[i]), key+":") {
				indent := lines[i][:len(lines[i])-len(strings.TrimLeft(lines[i], " "))]
				lines[i], found = indent+line, true
				break
			}
		}
		if !found {
			t.Fatalf("%s has no key %s:\n%s", file, key, text)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(append(lines, "nergens: 1", ""), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEveryPartNamesAllFaultsOfItsConfigurationAtOnce(t *testing.T) {
	s := prepared(t)
	rubbish := filepath.Join(t.TempDir(), "rubbish.pem")
	if err := os.WriteFile(rubbish, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(s.Data, "pki", "hubctl.key") // a good key, of another certificate
	for part, changes := range map[string]map[string]string{
		"gateway":    {"listenTls": "listenTls: overal", "key": "key: kort", "cert": "cert: " + strings.TrimSuffix(foreign, ".key") + ".pem"},
		"registry":   {"listen": "listen: 127.0.0.1", "cert": "cert: /er/is/niets.pem", "envelope": "envelope: kort", "signingKey": "signingKey: " + rubbish, "database": "database: mysql://x"},
		"authserver": {"listen": "listen: 127.0.0.1:https", "key": "key: " + foreign, "envelope": "envelope: kort", "database": "database: mysql://x"},
		"journal":    {"listen": "listen: '1:2:3'", "ca": "ca: " + rubbish, "pseudonyms": "pseudonyms: kort", "database": "database: mysql://x"},
		"cases":      {"listen": "listen: x", "cert": "cert: /er/is/niets.pem", "database": "database: mysql://x"},
		"address":    {"listen": "listen: x", "cert": "cert: /er/is/niets.pem"},
		"portal":     {"listen": "listen: x", "key": "key: " + foreign},
	} {
		t.Run(part, func(t *testing.T) {
			name := part
			if part == "gateway" || part == "address" {
				name += "-1"
			}
			spoil(t, s.Config(name), changes)
			cmd := exec.CommandContext(t.Context(), filepath.Join(s.Bin, part), "--config", s.Config(name))
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("started with %v", changes)
			}
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("got exit code %d, want 1", code)
			}
			wants := []string{"nergens", "listen", "workload certificate"}
			if part == "gateway" { // the first certificate of its file is the outside one, the first key that of kept answers
				wants[2] = "tls: private key does not match"
				wants = append(wants, "cache.key")
			}
			for _, key := range []string{"signingKey", "envelope", "pseudonyms", "database"} {
				if changes[key] != "" {
					wants = append(wants, key)
				}
			}
			for _, want := range wants {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q is not named in:\n%s", want, out)
				}
			}
		})
	}
}

func TestAPartWaitsForItsDatabaseAndGivesUpInTime(t *testing.T) {
	s := prepared(t) // PostgreSQL does not run
	for _, part := range []string{"registry", "journal", "authserver", "cases"} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(s.Bin, part), "--config", s.Config(part), "--start-timeout", "1s")
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: got %v, want exit code 1:\n%s", part, err, out)
		}
		for _, want := range []string{`"waiting at start"`, `"missing":"postgres"`, "postgres was missing for 1s"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: no %q in:\n%s", part, want, out)
			}
		}
	}
}

func TestAPartThatWaitsStopsWhenTold(t *testing.T) {
	s := prepared(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.Bin, "journal"), "--config", s.Config("journal"))
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Read(make([]byte, 1)); err != nil { // its first line says that it waits
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v, want exit code 0", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}
