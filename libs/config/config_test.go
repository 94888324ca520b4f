package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/config"
)

type sample struct {
	Listen  string          `yaml:"listen"`
	Timeout config.Duration `yaml:"timeout"`
	Key     config.Secret   `yaml:"key"`
	Count   int             `yaml:"count"`
}

func (s *sample) Validate() error {
	if s.Listen == "" {
		return errors.New("listen: is required")
	}
	return nil
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	err := config.Parse([]byte("liste: x\ncount: many\nextra: 1\n"), &sample{})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"liste", "extra", "many", "listen: is required"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("fault %q is not named in: %v", want, err)
		}
	}
}

func TestDefaultsStayWhereTheFileIsSilent(t *testing.T) {
	got := sample{Timeout: config.Duration(time.Second), Listen: ":0"}
	if err := config.Parse([]byte("count: 3\n"), &got); err != nil {
		t.Fatal(err)
	}
	if want := (sample{Timeout: config.Duration(time.Second), Listen: ":0", Count: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := config.Parse(nil, &got); err != nil {
		t.Errorf("an empty file: %v", err)
	}
	if err := config.Parse([]byte("count: 1\n---\ncount: 2\n"), &got); err == nil {
		t.Error("two documents were accepted")
	}
}

func TestASecretNeverShows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("canary-9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var cfg sample
	if err := config.Parse([]byte("listen: x\nkey: file:"+path+"\n"), &cfg); err != nil {
		t.Fatal(err)
	}
	if got := cfg.Key.Reveal(); got != "canary-9" {
		t.Fatalf("got %q from the file", got)
	}
	var out bytes.Buffer
	if err := config.Print(&out, cfg); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%v %+v %#v %s", cfg, cfg, cfg, cfg.Key)
	if strings.Contains(out.String(), "canary-9") {
		t.Errorf("the secret shows: %s", out.String())
	}
}
