package designrules_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSpectralAgreesOnBrokenDescriptions takes descriptions that follow every rule and breaks each in one place in all the
// ways below; Spectral must find the same.
func TestSpectralAgreesOnBrokenDescriptions(t *testing.T) {
	program := os.Getenv(envSpectral)
	if program == "" {
		t.Skipf("%s names no program; infra/spectral/install.sh installs it", envSpectral)
	}
	needLinter(t)
	const perSeed = 50
	dir := t.TempDir()
	var files []string
	changed := map[string]string{}
	random := rand.New(rand.NewPCG(7, 7))
	for _, seed := range []string{"clean-30.json", "clean-31.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", "seeds", seed))
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range mutants(t, text, random, perSeed) {
			file := filepath.Join(dir, fmt.Sprintf("%03d-%s", i, seed))
			if err := os.WriteFile(file, m.text, 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
			changed[file] = m.change
		}
	}
	spectral := theirs(t, program, files)
	found := 0
	for _, file := range files {
		got, _ := ours(t, file)
		found += len(got)
		want, known := spectral[file]
		if known && !maps.Equal(got, want) {
			t.Errorf("%s (%s):\n got %q\nwant %q", filepath.Base(file), changed[file], slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
	t.Logf("%d files, %d findings; Spectral gave an answer for %d files", len(files), found, len(spectral))
}

type mutant struct {
	change string
	text   []byte
}

// mutants breaks a text in n places, each time from new.
func mutants(t *testing.T, text []byte, random *rand.Rand, n int) []mutant {
	t.Helper()
	var out []mutant
	for range n {
		var doc any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		change := mutate(doc, random)
		broken, err := json.MarshalIndent(doc, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, mutant{change, broken})
	}
	return out
}

// mutate changes one member somewhere below a value and tells what it did.
func mutate(value any, random *rand.Rand) string {
	type place struct {
		in  map[string]any
		key string
	}
	var places []place
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if key != "schema" { // Spectral throws an exception on a schema that is a scalar
					places = append(places, place{v, key})
				}
				walk(v[key])
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(value)
	p := places[random.IntN(len(places))]
	switch random.IntN(8) {
	case 0, 1:
		delete(p.in, p.key)
		return "without " + p.key
	case 2:
		p.in[p.key+"_x"] = p.in[p.key]
		return "with " + p.key + "_x"
	case 3:
		p.in[p.key] = "text"
		return p.key + " is text"
	case 4:
		p.in[p.key] = 7
		return p.key + " is a number"
	case 5:
		p.in[p.key] = map[string]any{}
		return p.key + " is an empty object"
	case 6:
		p.in[p.key] = []any{}
		return p.key + " is an empty list"
	}
	p.in[p.key] = true
	return p.key + " is true"
}
