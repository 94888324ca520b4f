package designrules_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noorderhub.nl/hub/services/registry/internal/designrules"
	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

var update = flag.Bool("update", false, "write the findings of testdata anew; compare them with Spectral's after that")

// TestFindings keeps the findings of the made-up files; that they are Spectral's, TestFindingsAreThoseOfSpectral proves.
func TestFindings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.[yj][as]*[ln]")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			findings, err := designrules.Check(t.Context(), text)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range findings {
				mark := ""
				if f.Blocking {
					mark = " (blocks)"
				}
				fmt.Fprintf(&got, "%d %s %s%s %s\n", f.Line, f.Severity, f.Rule, mark, f.Pointer())
				if f.Fix.NL == "" || f.Fix.EN == "" || f.Message == "" || f.Line < 1 || f.Column < 1 {
					t.Errorf("%s lacks a fix, message or place: %+v", f.Rule, f)
				}
			}
			golden := file + ".findings"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}

// TestEveryRuleOfTheLinterIsBroken proves that the made-up files break each rule of adr-linter.yaml, so that the comparison
// with Spectral covers each; and that there is no rule we lack.
func TestEveryRuleOfTheLinterIsBroken(t *testing.T) {
	needLinter(t)
	text, err := os.ReadFile(linter)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := tree.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	broken := map[string]bool{}
	files, err := filepath.Glob("testdata/*.findings")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		lines, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(lines)) {
			broken[strings.Fields(line)[2]] = true
		}
	}
	rules := doc.Root.Get("rules").Keys
	if len(rules) < 30 {
		t.Fatalf("the linter has %d rules", len(rules))
	}
	for _, rule := range rules {
		if !broken[rule] {
			t.Errorf("no file of testdata breaks %s", rule)
		}
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	text := "openapi: 3.0.0\nx-many: [" + strings.Repeat("{a: 1},", 50_000) + "1]\n"
	if _, err := designrules.Check(ctx, []byte(text)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestWhatCannotBeParsedIsAnError(t *testing.T) {
	var syntax *tree.SyntaxError
	if _, err := designrules.Check(t.Context(), []byte("a: 1\n b: [")); !errors.As(err, &syntax) || syntax.Line == 0 {
		t.Errorf("got %v, want a fault with its line", err)
	}
}
