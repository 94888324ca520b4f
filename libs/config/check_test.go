package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noorderhub.nl/hub/libs/config"
)

type checked struct {
	Listen string `yaml:"listen"`
	Count  int    `yaml:"count"`
}

func (c *checked) Check() error {
	return errors.Join(config.CheckAddress("listen", c.Listen), config.CheckFile("file", "/no/such/file"))
}

func TestFaultsOfTheFileAndOfWhatItNamesComeTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(path, []byte("listen: nowhere\ncount: many\nextra: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := config.LoadToRun(path, &checked{})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{path, "extra", "many", `"nowhere" is not host:port`, "/no/such/file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in: %v", want, err)
		}
	}
	if err := config.LoadToRun(path+"x", &checked{}); err == nil || strings.Contains(err.Error(), "/no/such/file") {
		t.Errorf("got %v for a file that is not there, want only that", err)
	}
}

func TestChecks(t *testing.T) {
	here := t.TempDir()
	for name, tc := range map[string]struct {
		got error
		ok  bool
	}{
		"an address":            {config.CheckAddress("a", "127.0.0.1:8443"), true},
		"an address of IPv6":    {config.CheckAddress("a", "[::1]:8443"), true},
		"any free port":         {config.CheckAddress("a", ":0"), true},
		"nothing":               {config.CheckAddress("a", ""), true},
		"no port":               {config.CheckAddress("a", "127.0.0.1"), false},
		"a port with a name":    {config.CheckAddress("a", "127.0.0.1:https"), false},
		"a port too high":       {config.CheckAddress("a", "127.0.0.1:70000"), false},
		"https":                 {config.CheckHTTPS("u", "https://10.0.0.1:8443"), true},
		"plain http":            {config.CheckHTTPS("u", "http://10.0.0.1:8443"), false},
		"a path":                {config.CheckHTTPS("u", "https://10.0.0.1:8443/x"), false},
		"a password":            {config.CheckHTTPS("u", "https://a:b@10.0.0.1"), false},
		"a folder for a file":   {config.CheckFile("f", here), false},
		"a file that is absent": {config.CheckFile("f", filepath.Join(here, "x")), false},
		"a fault with a name":   {config.Named("k", errors.New("x")), false},
		"no fault with a name":  {config.Named("k", nil), true},
	} {
		if (tc.got == nil) != tc.ok {
			t.Errorf("%s: got %v, want ok %v", name, tc.got, tc.ok)
		}
	}
}
