package demo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/infra/demo"
)

func TestTheFileComesBackAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	want := demo.File{Hub: "http://127.0.0.1:8080", Organisations: map[string]demo.Organisation{"assen": {OIN: "x", ClientID: "c"}}}
	if err := want.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := demo.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if info, _ := os.Stat(filepath.Join(dir, demo.FileName)); info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v: others can read it", info.Mode())
	}
}

func TestWithoutAHubTheTextSaysHowToStartOne(t *testing.T) {
	if _, err := demo.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "go run ./infra/up") {
		t.Errorf("got %v", err)
	}
}
