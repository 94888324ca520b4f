package designrules

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// methods are the members of a path that are operations.
var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

// uniqueOperationIDs: no two operations have one operationId.
func uniqueOperationIDs(c *checker, t target) {
	seen := map[string]bool{}
	t.place.Children(func(_ string, path tree.Place) {
		path.Children(func(method string, operation tree.Place) {
			if !slices.Contains(methods, method) {
				return
			}
			id, ok := operation.Get("operationId")
			if !ok {
				return
			}
			name := id.Value.Kind.String() + " " + written(id.Value)
			if seen[name] {
				c.tell(id.At, "operationId must be unique.")
			}
			seen[name] = true
		})
	})
}

var pathParameter = regexp.MustCompile(`\{;?\??[a-zA-Z0-9_-]+\*?\}`)

// pathParameters: what stands in a path and what the operation declares are the same, and no two paths are.
func pathParameters(c *checker, t target) {
	shapes := map[string]string{}
	t.place.Children(func(path string, item tree.Place) {
		if !item.Value.Container() {
			return
		}
		shape := pathParameter.ReplaceAllString(path, "%")
		if other, twice := shapes[shape]; twice {
			c.tell(item.At, fmt.Sprintf("Paths %q and %q must not be equivalent.", other, path))
		} else {
			shapes[shape] = path
		}
		var names []string
		for _, parameter := range pathParameter.FindAllString(path, -1) {
			name := strings.Trim(parameter, "{}?*;")
			if slices.Contains(names, name) {
				c.tell(item.At, fmt.Sprintf("Path %q must not use parameter \"{%s}\" multiple times.", path, name))
				continue
			}
			names = append(names, name)
		}
		common := c.declared(item)
		item.Children(func(method string, operation tree.Place) {
			if !slices.Contains(methods, method) || !operation.Value.Container() {
				return
			}
			own := c.declared(operation)
			for name, at := range common {
				if _, replaced := own[name]; !replaced {
					own[name] = at
				}
			}
			for name, at := range own {
				if !slices.Contains(names, name) {
					c.tell(at, fmt.Sprintf("Parameter %q must be used in path %q.", name, path))
				}
			}
			for _, name := range names {
				if own[name] == nil {
					c.tell(operation.At, fmt.Sprintf("Operation must define parameter \"{%s}\" as expected by path %q.", name, path))
				}
			}
		})
	})
}

// declared gives the path parameters in a list, and tells what is wrong with each.
func (c *checker) declared(of tree.Place) map[string]*tree.Node {
	out := map[string]*tree.Node{}
	list, ok := of.Get("parameters")
	if !ok || list.Value.Kind != tree.Array {
		return out
	}
	list.Children(func(_ string, parameter tree.Place) {
		in, name := parameter.Value.Get("in").Value(), parameter.Value.Get("name").Value()
		if in.Str() != "path" || name == nil {
			return
		}
		text := written(name)
		if required := parameter.Value.Get("required").Value(); required == nil || !required.Bool {
			c.tell(parameter.At, fmt.Sprintf(`Path parameter %q must have "required" property that is set to "true".`, text))
		}
		if out[text] != nil {
			c.tell(parameter.At, fmt.Sprintf("Path parameter %q must not be defined multiple times.", text))
			return
		}
		out[text] = parameter.At
	})
	return out
}

var urlVariable = regexp.MustCompile(`\{(.+?)\}`)

// maxSubstitutions bounds how many addresses the enumerations of a server are tried in.
const maxSubstitutions = 1000

// serverVariables: the variables of a server's URL are described, with a default of their enumeration, and give a URL.
func serverVariables(c *checker, t target) {
	address, ok := validServer(t.value)
	if !ok {
		c.tell(t.place.At, "Invalid Server Object")
		return
	}
	var found []string
	for _, match := range urlVariable.FindAllStringSubmatch(address, -1) {
		found = append(found, match[1])
	}
	variables, described := t.place.Get("variables")
	var names []string
	if described {
		names = variables.Value.Keys
	}
	for _, name := range names {
		if variable, _ := variables.Get(name); !slices.Contains(found, name) {
			c.tell(variable.At, fmt.Sprintf(`Server's "variables" object has unused defined %q url variable.`, name))
		}
	}
	var missing []string
	for _, name := range found {
		if !slices.Contains(names, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		c.tell(variables.At, fmt.Sprintf(`Not all server's variables are described with "variables" object. Missed: %s.`, strings.Join(missing, ", ")))
	}
	if len(found) == 0 || !described {
		return
	}
	var pairs []pair
	for _, name := range names {
		if !slices.Contains(found, name) {
			continue
		}
		variable, _ := variables.Get(name)
		pairs = append(pairs, c.variable(name, variable))
	}
	if bad := invalidAddresses(address, pairs); bad != "" {
		c.tell(variables.At, bad)
	}
}

// pair is a variable with the values it can have.
type pair struct {
	name   string
	values []string
}

func (c *checker) variable(name string, variable tree.Place) pair {
	out := pair{name: name}
	enum, limited := variable.Get("enum")
	standard, ok := variable.Get("default")
	switch {
	case limited:
		for _, item := range enum.Value.Items {
			out.values = append(out.values, item.Value().Text)
		}
		if ok && !slices.Contains(out.values, standard.Value.Text) {
			c.tell(standard.At, fmt.Sprintf("Server Variable %q has a default not listed in the enum.", name))
		}
	case ok:
		out.values = []string{standard.Value.Text}
	}
	if !ok {
		c.tell(variable.At, fmt.Sprintf("Server Variable %q has a missing default.", name))
	}
	return out
}

// validServer tells whether a server has the shape that its variables can be looked at.
func validServer(server *tree.Node) (string, bool) {
	if server == nil || server.Kind != tree.Object {
		return "", false
	}
	address := server.Get("url").Value()
	if address == nil || address.Kind != tree.String {
		return "", false
	}
	variables := server.Get("variables").Value()
	if variables == nil {
		return address.Text, true
	}
	ok := variables.Kind == tree.Object
	variables.Children(func(_ string, variable *tree.Node) {
		variable = variable.Value()
		ok = ok && variable.Kind == tree.Object
		variable.Children(func(name string, value *tree.Node) {
			value = value.Value()
			switch {
			case name == "enum":
				ok = ok && value.Kind == tree.Array && !slices.ContainsFunc(value.Items, func(item *tree.Node) bool {
					return item.Value().Kind != tree.String
				})
			case name == "default" || name == "description" || name == "examples":
				ok = ok && value.Kind == tree.String
			case !strings.HasPrefix(name, "x-"):
				ok = false
			}
		})
	})
	return address.Text, ok
}

// invalidAddresses tries the values of the variables and tells which addresses are no URL.
func invalidAddresses(address string, pairs []pair) string {
	if len(pairs) == 0 {
		return ""
	}
	var invalid []string
	tried := 0
	var try func(address string, i int)
	try = func(address string, i int) {
		if tried >= maxSubstitutions || len(invalid) >= 5 {
			return
		}
		if i < len(pairs) {
			for _, value := range pairs[i].values {
				try(strings.ReplaceAll(address, "{"+pairs[i].name+"}", value), i+1)
			}
			return
		}
		tried++
		if u, err := url.Parse(address); err != nil || u.Scheme == "" || special(u.Scheme) && u.Host == "" || !validPort(u.Port()) {
			invalid = append(invalid, address)
		}
	}
	try(address, 0)
	switch {
	case len(invalid) == 0:
		return ""
	case len(invalid) >= 5:
		return "At least 5 substitutions of server variables resulted in invalid URLs: " + strings.Join(invalid, ", ") + " and more"
	}
	return "A few substitutions of server variables resulted in invalid URLs: " + strings.Join(invalid, ", ")
}

// special tells the schemes that must name a host, by the URL standard of WHATWG.
func special(scheme string) bool {
	return slices.Contains([]string{"http", "https", "ws", "wss", "ftp"}, strings.ToLower(scheme))
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	number, err := strconv.Atoi(port)
	return err == nil && number <= 65535
}
