package zgw_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"noorderhub.nl/hub/services/cases/internal/zgw"
)

const good = `{"bronorganisatie":"001509962","identificatie":"ZAAK-1","zaaktype":"https://c.example/1","verantwoordelijkeOrganisatie":"001509962","startdatum":"2026-11-02"}`

func TestACaseIsReadAndEveryFaultIsNamed(t *testing.T) {
	c, faults := zgw.Parse([]byte(good))
	if want := (zgw.Case{Source: "001509962", ID: "ZAAK-1", Type: "https://c.example/1"}); len(faults) > 0 || c != want {
		t.Fatalf("got %+v, %v", c, faults)
	}
	replace := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for name, tc := range map[string]struct {
		body string
		want []string
	}{
		"an empty object":                {"{}", []string{"/bronorganisatie", "/identificatie", "/zaaktype", "/verantwoordelijkeOrganisatie", "/startdatum"}},
		"no JSON":                        {"zaak", []string{""}},
		"a number for a text":            {replace(`"ZAAK-1"`, `1`), []string{"/identificatie"}},
		"null for what is required":      {replace(`"ZAAK-1"`, `null`), []string{"/identificatie"}},
		"a member in another case":       {replace(`"identificatie"`, `"Identificatie"`), []string{"/identificatie"}},
		"an RSIN that fails the 11-test": {replace("001509962", "001509963"), []string{"/bronorganisatie"}},
		"an RSIN of eight digits":        {replace("001509962", "01509962"), []string{"/bronorganisatie"}},
		"a number of spaces":             {replace("ZAAK-1", " "), []string{"/identificatie"}},
		"a number that is too long":      {replace("ZAAK-1", strings.Repeat("x", 41)), []string{"/identificatie"}},
		"a number with a line end":       {replace("ZAAK-1", `a\nb`), []string{"/identificatie"}},
		"a type with a password":         {replace("https://c.example/1", "https://u:p@c.example/1"), []string{"/zaaktype"}},
		"a date with a time":             {replace("2026-11-02", "2026-11-02T00:00:00Z"), []string{"/startdatum"}},
		"an unknown confidentiality":     {replace("{", `{"vertrouwelijkheidaanduiding":"beetje",`), []string{"/vertrouwelijkheidaanduiding"}},
		"a description that is too long": {replace("{", `{"omschrijving":"`+strings.Repeat("é", 81)+`",`), []string{"/omschrijving"}},
	} {
		_, faults := zgw.Parse([]byte(tc.body))
		var got []string
		for _, f := range faults {
			got = append(got, f.Name)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	for name, body := range map[string]string{
		"nulls where nothing is required": replace("{", `{"einddatum":null,"omschrijving":"","vertrouwelijkheidaanduiding":"","toelichting":null,`),
		"members that nobody knows":       replace("{", `{"_expand":{"x":[1]},"kenmerken":[],`),
		"a number of 40 characters":       replace("ZAAK-1", strings.Repeat("é", 40)),
	} {
		if _, faults := zgw.Parse([]byte(body)); len(faults) > 0 {
			t.Errorf("%s: got %v", name, faults)
		}
	}
}

// The examples of the standard's tests lack a number and name their references by placeholders; nothing else is wrong.
func TestTheExamplesOfTheStandardAreCases(t *testing.T) {
	files, err := filepath.Glob("../../../../../shared/data/cases/examples/zaken-*.json")
	if err != nil || len(files) == 0 {
		t.Skip("the examples of the standard are not beside the source tree")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var request struct {
			Body json.RawMessage `json:"body"`
		}
		if err := json.Unmarshal(text, &request); err != nil {
			t.Fatal(err)
		}
		body := bytes.Replace(request.Body, []byte("{{zaaktype_url}}"), []byte("https://c.example/1"), 1)
		_, faults := zgw.Parse(body)
		if len(faults) != 1 || faults[0].Name != "/identificatie" {
			t.Errorf("%s: got %v", filepath.Base(file), faults)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, faults := zgw.Parse(body)
		if len(faults) == 0 && (!zgw.IsRSIN(c.Source) || !zgw.IsCaseID(c.ID) || !json.Valid(body)) {
			t.Errorf("took %q", body)
		}
	})
}
