package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/workload"
)

func pki(t *testing.T, args ...string) []string {
	t.Helper()
	var out strings.Builder
	if err := run(args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(out.String())
}

func certificate(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// keys gives the content of every key and secret.
func keys(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".key" && filepath.Base(filepath.Dir(path)) != "secrets" {
			return err
		}
		text, errRead := os.ReadFile(path)
		info, errInfo := d.Info()
		if errRead == nil && errInfo == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", path, info.Mode().Perm())
		}
		all[path] = string(text)
		return errors.Join(errRead, errInfo)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOneRunMakesWhatTheHubNeedsAndTheNextNothing(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--dir", dir, "--name", "hub.example.nl", "--ip", "10.1.2.3", "--instances", "gateway=2"}
	made := pki(t, args...)
	for _, want := range []string{"pki/gateway-1.pem", "pki/gateway-2.pem", "pki/registry.pem", "pki/outside.pem", "registry/snapshot.key", "secrets/envelope", "secrets/pseudonyms"} {
		if !slices.Contains(made, filepath.Join(dir, want)) {
			t.Errorf("%s was not made: %v", want, made)
		}
	}
	files := workload.Files{Cert: filepath.Join(dir, "pki/gateway-2.pem"), Key: filepath.Join(dir, "pki/gateway-2.key"), CA: filepath.Join(dir, "pki/gateway-2.ca.pem")}
	if id, err := workload.Load(files); err != nil || id.Part() != "gateway" {
		t.Errorf("got %v, %v from the files of an instance", id, err)
	}
	outside := certificate(t, filepath.Join(dir, "pki/outside.pem"))
	if err := outside.VerifyHostname("hub.example.nl"); err != nil {
		t.Error(err)
	}
	if err := outside.VerifyHostname("10.1.2.3"); err != nil {
		t.Error(err)
	}
	before := keys(t, dir)
	if again := pki(t, args...); len(again) > 0 {
		t.Errorf("a second run wrote %v", again)
	}
	for path, text := range keys(t, dir) {
		if before[path] != text {
			t.Errorf("%s was overwritten", path)
		}
	}
}

func TestRenewingKeepsTheKeys(t *testing.T) {
	dir := t.TempDir()
	pki(t, "--dir", dir, "--name", "hub.example.nl", "--life", "48h", "--renew-within", "24h")
	before, old := keys(t, dir), certificate(t, filepath.Join(dir, "pki/journal.pem"))
	renewed := pki(t, "--dir", dir, "--name", "hub.example.nl", "--renew-within", "72h")
	if !slices.Contains(renewed, filepath.Join(dir, "pki/journal.pem")) || !slices.Contains(renewed, filepath.Join(dir, "pki/outside.pem")) {
		t.Errorf("renewed only %v", renewed)
	}
	if fresh := certificate(t, filepath.Join(dir, "pki/journal.pem")); time.Until(fresh.NotAfter) < 80*24*time.Hour || !fresh.NotAfter.After(old.NotAfter) {
		t.Errorf("got an end at %s", fresh.NotAfter)
	}
	for path, text := range keys(t, dir) {
		if before[path] != text {
			t.Errorf("%s changed", path)
		}
	}
}

func TestANewNameOfTheHubGetsIntoItsCertificate(t *testing.T) {
	dir := t.TempDir()
	pki(t, "--dir", dir, "--name", "hub.example.nl")
	pki(t, "--dir", dir, "--name", "hub.example.nl", "--name", "api.example.nl")
	if err := certificate(t, filepath.Join(dir, "pki/outside.pem")).VerifyHostname("api.example.nl"); err != nil {
		t.Error(err)
	}
}

func TestBadCommandLinesMakeNothing(t *testing.T) {
	for name, args := range map[string][]string{
		"no folder":                {"--name", "hub.example.nl"},
		"no name":                  {"--dir", "X"},
		"an address that is none":  {"--dir", "X", "--ip", "10.1.2"},
		"a part that is none":      {"--dir", "X", "--name", "h", "--instances", "gatway=3"},
		"no number of instances":   {"--dir", "X", "--name", "h", "--instances", "gateway"},
		"a life shorter than that": {"--dir", "X", "--name", "h", "--life", "1h"},
		"something else":           {"--dir", "X", "--name", "h", "more"},
	} {
		dir := filepath.Join(t.TempDir(), "new")
		for i := range args {
			if args[i] == "X" {
				args[i] = dir
			}
		}
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: made something", name)
		}
	}
}

func TestAnAuthorityWithoutItsKeySaysSo(t *testing.T) {
	dir := t.TempDir()
	pki(t, "--dir", dir, "--name", "hub.example.nl")
	if err := os.Remove(filepath.Join(dir, "pki/workloads.key")); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"--dir", dir, "--name", "hub.example.nl"}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "authority") {
		t.Errorf("got %v", err)
	}
}
