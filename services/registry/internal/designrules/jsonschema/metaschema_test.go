package jsonschema_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestMetaschemasAreTheInstalledOnes: the copies follow what infra/spectral installs.
func TestMetaschemasAreTheInstalledOnes(t *testing.T) {
	program := os.Getenv("NOORDERHUB_TEST_SPECTRAL")
	if program == "" {
		t.Skip("NOORDERHUB_TEST_SPECTRAL names no program; infra/spectral/install.sh installs it")
	}
	modules := filepath.Dir(filepath.Dir(program))
	schemas := filepath.Join(modules, "@stoplight/spectral-rulesets/dist/oas/schemas")
	ajv := filepath.Join(modules, "ajv/dist/refs/json-schema-2020-12")
	for copied, from := range map[string]string{
		"oas-3.0.json":                     schemas + "/oas/v3.0.json",
		"oas-3.1.json":                     schemas + "/oas/v3.1/index.json",
		"oas-3.1-dialect.json":             schemas + "/oas/v3.1/dialect.schema.json",
		"oas-3.1-base.json":                schemas + "/oas/v3.1/meta.schema.json",
		"spectral-2020-12.json":            schemas + "/json-schema/draft-2020-12/index.json",
		"spectral-2020-12-validation.json": schemas + "/json-schema/draft-2020-12/validation.json",
		"draft-04.json":                    filepath.Join(modules, "ajv-draft-04/dist/refs/json-schema-draft-04.json"),
		"2020-12.json":                     ajv + "/schema.json",
		"2020-12-applicator.json":          ajv + "/meta/applicator.json",
		"2020-12-content.json":             ajv + "/meta/content.json",
		"2020-12-core.json":                ajv + "/meta/core.json",
		"2020-12-format-annotation.json":   ajv + "/meta/format-annotation.json",
		"2020-12-meta-data.json":           ajv + "/meta/meta-data.json",
		"2020-12-unevaluated.json":         ajv + "/meta/unevaluated.json",
		"2020-12-validation.json":          ajv + "/meta/validation.json",
	} {
		got, err := os.ReadFile(filepath.Join("metaschema", copied))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s", copied, from)
		}
	}
}
