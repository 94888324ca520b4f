package fouten

import (
	"strings"
	"testing"
	"testing/fstest"
)

const good = "a-code:\n  side: client\n  title: t\n  what: w\n  next: n\n"

func TestLoadRefusesIncompleteTexts(t *testing.T) {
	tests := []struct{ name, nl, en, want string }{
		{"both complete", good, good, ""},
		{"a page that one language lacks", good + strings.Replace(good, "a-code", "b-code", 1), good, "nl.yaml has b-code, en.yaml has not"},
		{"another side", good, strings.Replace(good, "client", "hub", 1), `has side "client"`},
		{"a side that is not there", strings.Replace(good, "client", "klant", 1), good, `side "klant"`},
		{"no next step", strings.Replace(good, "  next: n\n", "", 1), good, "lacks title, what or next"},
		{"an unknown key", good + "  extra: x\n", good, "extra"},
		{"a code twice", good + good, good, "already defined"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(fstest.MapFS{"nl.yaml": {Data: []byte(tt.nl)}, "en.yaml": {Data: []byte(tt.en)}}, "nl", "en")
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to hold %q", err, tt.want)
			}
		})
	}
	if _, err := Load(fstest.MapFS{}, "nl"); err == nil {
		t.Error("no file was taken")
	}
}
