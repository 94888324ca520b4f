// Package archtest keeps the boundaries of the repository: who may import whom, and the shape of a service. Its tests
// read the source of the whole module; the rules with their reasons stand in rules.go.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// File is one Go file with what the rules look at.
type File struct {
	Path    string   // below the module root, slash-separated
	Package string   // directory, e.g. "services/journal/api"
	Test    bool     // *_test.go
	Imports []string // import paths; those of the module without its prefix, with a leading "./"
	Syntax  *ast.File
}

// Load parses every Go file below root, a folder with go.mod. Folders with a go.mod of their own, testdata and hidden
// folders are left out.
func Load(root string) ([]File, error) {
	module, err := moduleName(root)
	if err != nil {
		return nil, err
	}
	var files []File
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(p, "go.mod"))
			if p != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || nested == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		f, err := parse(p, filepath.ToSlash(rel), module)
		if err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

func parse(file, rel, module string) (File, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return File{}, err
	}
	f := File{Path: rel, Package: path.Dir(rel), Test: strings.HasSuffix(rel, "_test.go"), Syntax: syntax}
	for _, spec := range syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return File{}, err
		}
		if rest, ok := strings.CutPrefix(p, module+"/"); ok {
			p = "./" + rest
		}
		f.Imports = append(f.Imports, p)
	}
	return f, nil
}

func moduleName(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s/go.mod names no module", root)
}

// Check gives every breach of the rules, one line each.
func Check(files []File) []string {
	var breaches []string
	for _, f := range files {
		for _, r := range rules {
			if f.Test && !r.tests {
				continue
			}
			for _, imp := range f.Imports {
				if r.breaks(f.Package, imp) {
					breaches = append(breaches, fmt.Sprintf("%s imports %s: %s", f.Path, imp, r.reason))
				}
			}
		}
	}
	return breaches
}
