package designrules_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/services/registry/internal/designrules"
)

// envSpectral names the program of Spectral; infra/spectral/install.sh prints it.
const envSpectral = "NOORDERHUB_TEST_SPECTRAL"

const (
	root      = "../../../.."
	reference = root + "/../shared"
	linter    = reference + "/reference/adr-linter.yaml" // the official ruleset
)

// verdictOnly are the rules of which a file has findings or not; their places are Spectral's too as far as these tests go, but
// for oas3-schema, where we name the member that is wrong and Spectral the object that holds it, and for invalid-ref, of
// which Spectral tells only one per target.
var verdictOnly = []string{"invalid-ref", "oas3-schema"}

// place is where a finding stands, one line of text.
type place = string

func corpus(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{
		"testdata/*.yaml", "testdata/*.json",
		root + "/services/*/api/openapi*.yaml",
		reference + "/reference/openapi/*", reference + "/data/cases/openapi/*.yaml",
		reference + "/data/cases/openapi/tree/*/*/*/openapi.yaml", reference + "/data/cases/openapi/tree/*/*/*/*/openapi.yaml",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Logf("nothing matches %s; the corpus goes without", pattern)
		}
		files = append(files, found...)
	}
	return files
}

func ours(t *testing.T, file string) (map[place]bool, time.Duration) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	findings, err := designrules.Check(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	took := time.Since(start)
	out := map[place]bool{}
	for _, f := range findings {
		if strings.HasPrefix(f.Rule, "hub:") || strings.Contains(f.Message, "leads out of this file") {
			continue
		}
		out[placeOf(f.Rule, f.Path, f.Line)] = true
	}
	return out, took
}

func placeOf(rule string, path []string, line int) place {
	if slices.Contains(verdictOnly, rule) {
		return rule
	}
	return fmt.Sprintf("%s line %d %s", rule, line, designrules.Finding{Path: path}.Pointer())
}

// theirs gives what Spectral finds. On some broken files it ends with an exception of its own; those are left out, found by
// halving.
func theirs(t *testing.T, program string, files []string) map[string]map[place]bool {
	t.Helper()
	out, err := lint(t, program, files)
	switch {
	case err == nil:
		return out
	case len(files) == 1:
		t.Logf("Spectral fails on %s: %v", files[0], err)
		return nil
	}
	half := len(files) / 2
	out = theirs(t, program, files[:half])
	if out == nil {
		out = map[string]map[place]bool{}
	}
	maps.Copy(out, theirs(t, program, files[half:]))
	return out
}

func lint(t *testing.T, program string, files []string) (map[string]map[place]bool, error) {
	t.Helper()
	args := append([]string{"lint", "--quiet", "-r", linter, "-f", "json", "--fail-severity", "error"}, files...)
	command := exec.CommandContext(t.Context(), program, args...)
	var errors bytes.Buffer
	command.Stderr = &errors
	text, err := command.Output()
	var results []struct {
		Code    string
		Message string
		Path    []any
		Source  string
		Range   struct{ Start struct{ Line int } }
	}
	if jsonErr := json.Unmarshal(text, &results); jsonErr != nil {
		return nil, fmt.Errorf("%w: %s", err, errors.String())
	}
	names := map[string]string{}
	out := map[string]map[place]bool{}
	for _, file := range files {
		full, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		names[full] = file
		out[file] = map[place]bool{}
	}
	for _, r := range results {
		file, ok := names[r.Source]
		if !ok {
			return nil, fmt.Errorf("spectral tells of %s, which was not asked", r.Source)
		}
		if r.Code == "invalid-ref" && !strings.HasPrefix(r.Message, "'#") {
			continue // Spectral opens other files; we do not
		}
		path := make([]string, len(r.Path))
		for i, segment := range r.Path {
			path[i] = fmt.Sprint(segment)
		}
		out[file][placeOf(r.Code, path, r.Range.Start.Line+1)] = true
	}
	return out, nil
}

func TestFindingsAreThoseOfSpectral(t *testing.T) {
	program := os.Getenv(envSpectral)
	if program == "" {
		t.Skipf("%s names no program; infra/spectral/install.sh installs it", envSpectral)
	}
	needLinter(t)
	files := corpus(t)
	spectral := theirs(t, program, files)
	for _, file := range files {
		t.Run(strings.TrimLeft(file, "./"), func(t *testing.T) {
			got, took := ours(t, file)
			want := spectral[file]
			t.Logf("%d findings in %s", len(got), took)
			for _, p := range slices.Sorted(maps.Keys(want)) {
				if !got[p] {
					t.Errorf("only Spectral finds %s", p)
				}
			}
			for _, p := range slices.Sorted(maps.Keys(got)) {
				if !want[p] {
					t.Errorf("only we find %s", p)
				}
			}
		})
	}
}

// needLinter ends a test that compares with the official ruleset where that is not beside the repository.
func needLinter(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(linter); err != nil {
		t.Skipf("the official ruleset is not here: %v", err)
	}
}
