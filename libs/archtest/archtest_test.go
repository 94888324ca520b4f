package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder, seen from this package.
const root = "../.."

func load(t *testing.T) []File {
	t.Helper()
	files, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("got %d files: the walk does not see the module", len(files))
	}
	return files
}

func TestTheModuleKeepsItsBoundaries(t *testing.T) {
	for _, breach := range Check(load(t)) {
		t.Error(breach)
	}
}

func TestPlantedBreachesAreFound(t *testing.T) {
	for name, f := range map[string]File{
		"a lib that knows a service":        {Package: "libs/kit", Imports: []string{"./services/journal/api"}},
		"a service inside another":          {Package: "services/cases/internal/web", Imports: []string{"./services/journal"}},
		"the gateway inside a service":      {Package: "gateway/internal/proxy", Imports: []string{"./services/registry"}},
		"a main that does the work":         {Package: "services/cases/cmd/cases", Imports: []string{"./libs/sqldb"}},
		"an api with a heavy dependency":    {Package: "services/cases/api", Imports: []string{"github.com/redis/go-redis/v9"}},
		"a domain that speaks HTTP":         {Package: "services/address/internal/lookup", Imports: []string{"net/http"}},
		"go-kit in a service":               {Package: "services/cases/internal/httpapi", Imports: []string{"github.com/go-kit/kit/endpoint"}},
		"fosite outside its service":        {Package: "gateway/internal/proxy", Imports: []string{"github.com/ory/fosite"}},
		"Consul outside discovery":          {Package: "gateway", Imports: []string{"github.com/hashicorp/consul/api"}},
		"go-kit's proxy that loses context": {Package: "gateway", Imports: []string{"github.com/go-kit/kit/transport/httprp"}},
	} {
		f.Path = f.Package + "/x.go"
		if len(Check([]File{f})) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestEveryServiceHasTheSameShape(t *testing.T) {
	services, err := filepath.Glob(filepath.Join(root, "services", "*"))
	if err != nil || len(services) == 0 {
		t.Fatalf("no services: %v", err)
	}
	for _, dir := range services {
		name := filepath.Base(dir)
		for _, need := range []string{"README.md", "cmd/" + name + "/main.go", name + ".go", "api"} {
			if _, err := os.Stat(filepath.Join(dir, need)); err != nil {
				t.Errorf("services/%s has no %s", name, need)
			}
		}
	}
	for _, f := range load(t) {
		if strings.Contains(f.Path, "/cmd/") && strings.HasSuffix(f.Path, "/main.go") {
			text, err := os.ReadFile(filepath.Join(root, f.Path))
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Count(string(text), "\n"); lines > 60 {
				t.Errorf("%s has %d lines: a main has at most 60", f.Path, lines)
			}
		}
	}
}

func TestOnlyProgramsReadTheEnvironmentOrExit(t *testing.T) {
	for _, f := range load(t) {
		if f.Test || strings.Contains(f.Path, "/cmd/") || strings.HasSuffix(f.Package, "test") || f.Package == "libs/config" || programs(f) {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "os" && slices.Contains([]string{"Getenv", "LookupEnv", "Exit"}, sel.Sel.Name) {
				t.Errorf("%s uses os.%s: settings come through the configuration, exit codes through main", f.Path, sel.Sel.Name)
			}
			return true
		})
	}
}

// programs of infra are package main at their root.
func programs(f File) bool { return in(f.Package, "infra") && f.Syntax.Name.Name == "main" }

func TestOnlyTheFixedFilesLieAtTheTop(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"LICENSE", "README.md", "docs", "gateway", "go.mod", "go.sum", "infra", "libs", "services"}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(want, e.Name()) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}
