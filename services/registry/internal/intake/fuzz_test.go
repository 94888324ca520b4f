package intake_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"noorderhub.nl/hub/services/registry/internal/intake"
)

// FuzzRead: whatever the text, the answer is a description that can be published and read again, or faults.
func FuzzRead(f *testing.F) {
	for _, file := range []string{
		"../designrules/testdata/every-rule.yaml", "../designrules/testdata/references.yaml", "../designrules/testdata/odd-yaml.yaml",
		"../designrules/testdata/odd-json.json", "../designrules/testdata/swagger-2.json", "../designrules/testdata/clean-31.yaml",
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(head + "paths: {/a: {get: {responses: {200: {description: ok}}}}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, _, err := intake.Read(t.Context(), "zaken", text)
		if err != nil {
			var faults intake.Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("got %v", err)
			}
			return
		}
		if !json.Valid(d.Text) {
			t.Fatalf("the text to publish is no JSON: %s", d.Text)
		}
		again, _, err := intake.Read(t.Context(), "zaken", d.Text)
		if err != nil {
			t.Fatalf("the text to publish is refused: %v\n%s", err, d.Text)
		}
		for i, o := range d.Operations {
			if o.ID != again.Operations[i].ID {
				t.Fatalf("operation %s became %s", o.ID, again.Operations[i].ID)
			}
			d.Fields(o.ID)
		}
		if changes := intake.Compare(d, again); len(changes) > 0 && !d.Converted {
			t.Fatalf("a description differs from itself: %v", changes)
		}
	})
}
