package bsn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"noorderhub.nl/hub/libs/bsn"
)

// A number from the range that RvIG gives out for tests.
const testNumber = "999993653"

func ExampleBSN() {
	b, _ := bsn.Parse(testNumber)
	fmt.Println(b)
	// Output: [bsn]
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		ok       bool
	}{
		{"a test number", testNumber, true},
		{"another test number", "123456782", true},
		{"a number that fails the 11-test", "123456789", false},
		{"a number that starts with a zero", "010464554", true},
		{"all zeros", "000000000", false},
		{"eight digits", "12345678", false},
		{"letters", "12345678a", false},
		{"nothing", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := bsn.Parse(tt.in)
			if tt.ok != (err == nil) {
				t.Fatalf("got error %v, want ok %v", err, tt.ok)
			}
			if tt.ok && b.Reveal() != tt.in {
				t.Errorf("the digits do not come back")
			}
			if err != nil && tt.in != "" && strings.Contains(err.Error(), tt.in) {
				t.Error("the error repeats the input")
			}
		})
	}
}

func TestANumberNeverPrints(t *testing.T) {
	b, err := bsn.Parse(testNumber)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).InfoContext(t.Context(), "x", "bsn", b, "in", struct{ B bsn.BSN }{b})
	slog.New(slog.NewTextHandler(&log, nil)).InfoContext(t.Context(), "x", "bsn", &b, "in", []bsn.BSN{b})
	outputs := []string{log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		outputs = append(outputs, fmt.Sprintf(verb, b), fmt.Sprintf(verb, &b), fmt.Sprintf(verb, struct{ B bsn.BSN }{b}),
			fmt.Sprintf(verb, struct{ unexported bsn.BSN }{b}), fmt.Sprintf(verb, struct{ unexported []bsn.BSN }{[]bsn.BSN{b}}))
	}
	for _, out := range outputs {
		if strings.Contains(out, testNumber) || strings.Contains(out, "393939393933363533") {
			t.Errorf("the number is in %q", out)
		}
	}
}

func TestJSONOnlyByAnExplicitCall(t *testing.T) {
	b, err := bsn.Parse(testNumber)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(struct{ B bsn.BSN }{b}); err == nil {
		t.Errorf("got %s, want a refusal", out)
	}
	if got, want := string(b.RevealJSON()), `"`+testNumber+`"`; got != want {
		t.Error("RevealJSON does not give the JSON string")
	}
	var in struct{ B bsn.BSN }
	if err := json.Unmarshal([]byte(`{"B":"`+testNumber+`"}`), &in); err != nil || in.B != b {
		t.Errorf("reading a body: %v", err)
	}
	if err := json.Unmarshal([]byte(`{"B":"123456789"}`), &in); err == nil {
		t.Error("a wrong number was taken from JSON")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(testNumber)
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := bsn.Parse(s); err == nil && (b.Reveal() != s || b.IsZero()) {
			t.Error("a number changed in parsing")
		}
	})
}
