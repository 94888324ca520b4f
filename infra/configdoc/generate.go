package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

const intro = `# Configuration

Generated from the source by ` + "`go run ./infra/configdoc`" + `; do not edit.

Each part reads one YAML file: ` + "`<part> --config FILE`" + `. An unknown key, a wrong type and every broken rule are reported together, and the
part does not start. A secret may be given as ` + "`file:PATH`" + `. Durations are written as ` + "`5s`" + ` or ` + "`1m30s`" + `.
A database that is away at the start is waited for, with a line in the log, and after ` + "`--start-timeout`" + ` (default 60s) the part ends with exit code 1.
`

// generator resolves struct types over the packages of the module at root.
type generator struct {
	root   string
	module string
	parsed map[string]map[string]structType // directory → type name
}

type structType struct {
	fields  *ast.StructType
	dir     string
	imports map[string]string // name → directory below root, module's own packages only
}

func generate(root string) (string, error) {
	g := &generator{root: root, parsed: map[string]map[string]structType{}}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	g.module = strings.Fields(string(mod))[1]
	dirs, err := filepath.Glob(filepath.Join(root, "services", "*"))
	if err != nil {
		return "", err
	}
	parts := []string{"gateway"}
	for _, dir := range dirs {
		parts = append(parts, "services/"+filepath.Base(dir))
	}
	var page strings.Builder
	page.WriteString(intro)
	for _, part := range parts {
		types, err := g.types(part)
		if err != nil {
			return "", err
		}
		config, ok := types["Config"]
		if !ok {
			return "", fmt.Errorf("%s has no Config", part)
		}
		fmt.Fprintf(&page, "\n## %s\n\n| key | type | what |\n| --- | --- | --- |\n", filepath.Base(part))
		if err := g.rows(&page, "", config); err != nil {
			return "", err
		}
	}
	return page.String(), nil
}

// rows writes a table row per field; fields of the module's own structs are written with their path.
func (g *generator) rows(page *strings.Builder, prefix string, s structType) error {
	for _, field := range s.fields.Fields.List {
		key := yamlKey(field)
		if key == "-" {
			continue
		}
		name, inner, err := g.describe(field.Type, s)
		if err != nil {
			return err
		}
		if key == "" { // inline
			if inner != nil {
				if err := g.rows(page, prefix, *inner); err != nil {
					return err
				}
			}
			continue
		}
		fmt.Fprintf(page, "| `%s` | %s | %s |\n", prefix+key, name, explanation(field))
		if inner != nil {
			if err := g.rows(page, prefix+key+suffix(name), *inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func suffix(typeName string) string {
	switch typeName {
	case "list":
		return "[]."
	case "map":
		return ".NAME."
	}
	return "."
}

// describe names a field's type for people and gives the struct behind it, if it is one of ours.
func (g *generator) describe(t ast.Expr, in structType) (string, *structType, error) {
	switch t := t.(type) {
	case *ast.StarExpr:
		return g.describe(t.X, in)
	case *ast.ArrayType:
		name, inner, err := g.describe(t.Elt, in)
		if inner == nil {
			return "list of " + name, nil, err
		}
		return "list", inner, err
	case *ast.MapType:
		name, inner, err := g.describe(t.Value, in)
		if inner == nil {
			return "map of " + name, nil, err
		}
		return "map", inner, err
	case *ast.StructType:
		return "section", &structType{fields: t, dir: in.dir, imports: in.imports}, nil
	case *ast.Ident:
		types, err := g.types(in.dir)
		if err != nil {
			return "", nil, err
		}
		if s, ok := types[t.Name]; ok {
			return "section", &s, nil
		}
		return plain(t.Name), nil, nil
	case *ast.SelectorExpr:
		pkg := t.X.(*ast.Ident).Name
		dir, ok := in.imports[pkg]
		if !ok {
			return plain(t.Sel.Name), nil, nil
		}
		types, err := g.types(dir)
		if err != nil {
			return "", nil, err
		}
		if s, ok := types[t.Sel.Name]; ok {
			return "section", &s, nil
		}
		return plain(t.Sel.Name), nil, nil
	}
	return "", nil, fmt.Errorf("%s: a configuration field of type %T", in.dir, t)
}

func plain(name string) string {
	switch name {
	case "Duration":
		return "duration"
	case "Secret":
		return "secret"
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "int", "int64", "uint64":
		return "number"
	case "float64":
		return "number"
	}
	return strings.ToLower(name)
}

func yamlKey(field *ast.Field) string {
	if field.Tag != nil {
		tag, _ := strconv.Unquote(field.Tag.Value)
		name, options, _ := strings.Cut(reflect.StructTag(tag).Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			return ""
		}
		if name != "" {
			return name
		}
	}
	if len(field.Names) == 0 {
		return ""
	}
	if !field.Names[0].IsExported() {
		return "-"
	}
	return strings.ToLower(field.Names[0].Name)
}

func explanation(field *ast.Field) string {
	text := field.Comment.Text()
	if field.Doc != nil {
		text = field.Doc.Text() + " " + text
	}
	text = strings.Join(strings.Fields(text), " ")
	return strings.ReplaceAll(text, "|", "\\|")
}

// types parses one package and gives its struct types.
func (g *generator) types(dir string) (map[string]structType, error) {
	if types, ok := g.parsed[dir]; ok {
		return types, nil
	}
	paths, err := fs.Glob(os.DirFS(filepath.Join(g.root, dir)), "*.go")
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	types := map[string]structType{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(g.root, dir, path), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		imports := g.imports(file)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					types[spec.Name.Name] = structType{fields: s, dir: dir, imports: imports}
				}
			}
			return true
		})
	}
	g.parsed[dir] = types
	return types, nil
}

func (g *generator) imports(file *ast.File) map[string]string {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		dir, ok := strings.CutPrefix(path, g.module+"/")
		if !ok {
			continue
		}
		name := filepath.Base(dir)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = dir
	}
	return imports
}
