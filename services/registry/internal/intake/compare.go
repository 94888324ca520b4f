package intake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"noorderhub.nl/hub/services/registry/internal/designrules"
	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// Change is one difference between two descriptions of a service, as its consumers see it.
type Change struct {
	Breaking  bool   // a client of the old description can fail on the new one
	Operation string // operationId, the old one where there is one; "" the service as a whole
	Path      string // what changed, e.g. "query huisnummer", "antwoord 200: adres.straat"; "" the operation itself
	Text      designrules.Text
}

// Compare tells what changes for those who use the old description: what breaks first, then the rest, each in the order of
// the operations. Descriptive texts and examples do not count.
func Compare(old, new *Description) []Change {
	c := &comparison{seen: map[Change]bool{}, steps: maxSchemaSteps}
	newRoutes := map[string]*Operation{}
	for i := range new.Operations {
		newRoutes[routeOf(&new.Operations[i])] = &new.Operations[i]
	}
	oldRoutes := map[string]bool{}
	for i := range old.Operations {
		before := &old.Operations[i]
		oldRoutes[routeOf(before)] = true
		c.operation = before.ID
		after := newRoutes[routeOf(before)]
		if after == nil {
			c.removed(before, new.Operation(before.ID))
			continue
		}
		c.compare(before, after, old.nodes[before.ID], new.nodes[after.ID])
	}
	for i := range new.Operations {
		if o := &new.Operations[i]; !oldRoutes[routeOf(o)] {
			c.operation = o.ID
			c.add(false, "", "De operatie %[1]s %[2]s is nieuw.", "Operation %[1]s %[2]s is new.", o.Method, o.Path)
		}
	}
	if c.steps < 0 {
		c.operation = ""
		c.add(true, "", "De beschrijvingen zijn te groot om helemaal te vergelijken.", "The descriptions are too large to compare completely.")
	}
	slices.SortStableFunc(c.changes, func(a, b Change) int {
		return cmp.Compare(map[bool]int{true: 0, false: 1}[a.Breaking], map[bool]int{true: 0, false: 1}[b.Breaking])
	})
	return c.changes
}

// routeOf is what a client calls: the names of path parameters do not show in a call.
func routeOf(o *Operation) string {
	return o.Method + " " + parameter.ReplaceAllString(o.Path, "{}")
}

// comparison gathers the changes; operation is at work.
type comparison struct {
	changes   []Change
	seen      map[Change]bool
	operation string
	steps     int // schemas that may still be compared
}

func (c *comparison) add(breaking bool, path, nl, en string, args ...any) {
	change := Change{Breaking: breaking, Operation: c.operation, Path: path}
	change.Text.NL, change.Text.EN = nl, en
	if len(args) > 0 {
		change.Text.NL, change.Text.EN = fmt.Sprintf(nl, args...), fmt.Sprintf(en, args...)
	}
	if !c.seen[change] {
		c.seen[change] = true
		c.changes = append(c.changes, change)
	}
}

func (c *comparison) removed(o, sameID *Operation) {
	if sameID != nil {
		c.add(true, "", "De operatie %s %s is verplaatst naar %s %s.", "Operation %s %s has moved to %s %s.",
			o.Method, o.Path, sameID.Method, sameID.Path)
		return
	}
	c.add(true, "", "De operatie %s %s is vervallen.", "Operation %s %s is gone.", o.Method, o.Path)
}

func (c *comparison) compare(before, after *Operation, old, new operationNodes) {
	if before.ID != after.ID {
		c.add(true, "", "De operationId %[1]s is nu %[2]s; afspraken die velden van %[1]s noemen, gelden er niet meer voor.",
			"operationId %[1]s is now %[2]s; contracts that name fields of %[1]s do not apply to it any more.", before.ID, after.ID)
	}
	c.compareAccess(before, after)
	if !before.Deprecated && after.Deprecated {
		c.add(false, "", "De operatie is als verouderd gemarkeerd.", "The operation is marked as deprecated.")
	}
	c.parameters(old, new)
	c.requestBody(whole(old.operation.Get("requestBody")), whole(new.operation.Get("requestBody")))
	c.responses(whole(old.operation.Get("responses")), whole(new.operation.Get("responses")))
}

func (c *comparison) compareAccess(before, after *Operation) {
	switch {
	case before.Open && !after.Open:
		c.add(true, "", "De operatie vraagt nu een token met scope %s.", "The operation now asks a token with scope %s.", strings.Join(after.Scopes, " "))
	case !before.Open && after.Open:
		c.add(false, "", "De operatie vraagt geen token meer.", "The operation asks no token any more.")
	case !slices.Equal(before.Scopes, after.Scopes):
		c.add(true, "", "De scope %s is nu %s.", "Scope %s is now %s.", strings.Join(before.Scopes, " "), strings.Join(after.Scopes, " "))
	}
}

// parameters compares what stands in path, query, headers and cookies.
func (c *comparison) parameters(old, new operationNodes) {
	before, after := parametersOf(old), parametersOf(new)
	for _, name := range before.order {
		was, is := before.byName[name], after.byName[name]
		if is == nil {
			c.add(false, name, "De parameter vervalt.", "The parameter is gone.")
			continue
		}
		if !isTrue(was.Get("required")) && isTrue(is.Get("required")) {
			c.add(true, name, "De parameter is nu verplicht.", "The parameter is required now.")
		}
		c.schemas(request, name, schemaOf(was), schemaOf(is))
	}
	for _, name := range after.order {
		if before.byName[name] != nil {
			continue
		}
		if isTrue(after.byName[name].Get("required")) {
			c.add(true, name, "Er is een verplichte parameter bij gekomen.", "There is a new required parameter.")
		} else {
			c.add(false, name, "Er is een parameter bij gekomen.", "There is a new optional parameter.")
		}
	}
}

// parameterList keeps parameters by place and name; path parameters by their number, for their names do not show in a call.
type parameterList struct {
	order  []string
	byName map[string]*tree.Node
}

func parametersOf(nodes operationNodes) parameterList {
	out := parameterList{byName: map[string]*tree.Node{}}
	for _, of := range []*tree.Node{nodes.path, nodes.operation} {
		whole(of.Get("parameters")).Children(func(_ string, item *tree.Node) {
			item = whole(item)
			in, name := item.Get("in").Str(), item.Get("name").Str()
			if in == "path" {
				name = fmt.Sprint(slices.Index(parameter.FindAllString(nodes.template, -1), "{"+name+"}") + 1)
			}
			key := in + " " + name
			if out.byName[key] == nil {
				out.order = append(out.order, key)
			}
			out.byName[key] = item
		})
	}
	return out
}

// schemaOf gives the schema of a parameter, header or media type.
func schemaOf(n *tree.Node) *tree.Node {
	if schema := whole(n.Get("schema")); schema != nil {
		return schema
	}
	var schema *tree.Node
	whole(n.Get("content")).Children(func(_ string, media *tree.Node) { schema = whole(whole(media).Get("schema")) })
	return schema
}

func (c *comparison) requestBody(old, new *tree.Node) {
	const path = "verzoek"
	switch {
	case old == nil && new == nil:
		return
	case new == nil:
		c.add(false, path, "De operatie neemt geen inhoud meer aan.", "The operation takes no body any more.")
		return
	case !isTrue(old.Get("required")) && isTrue(new.Get("required")):
		c.add(true, path, "De inhoud van het verzoek is nu verplicht.", "The body of the request is required now.")
	}
	if old != nil {
		c.media(request, path, old, new)
	}
}

func (c *comparison) responses(old, new *tree.Node) {
	old.Children(func(status string, was *tree.Node) {
		path := "antwoord " + status
		is := whole(new.Get(status))
		if is == nil {
			c.add(strings.HasPrefix(status, "2"), path, "Het antwoord vervalt.", "The response is gone.")
			return
		}
		was = whole(was)
		c.media(response, path, was, is)
		whole(was.Get("headers")).Children(func(name string, header *tree.Node) {
			other := whole(whole(is.Get("headers")).Get(name))
			if other == nil {
				c.add(strings.HasPrefix(status, "2"), path+": header "+name, "De header vervalt.", "The header is gone.")
				return
			}
			c.schemas(response, path+": header "+name, schemaOf(whole(header)), schemaOf(other))
		})
	})
	new.Children(func(status string, _ *tree.Node) {
		if old.Get(status) == nil {
			c.add(false, "antwoord "+status, "Het antwoord is nieuw.", "The response is new.")
		}
	})
}

// media compares bodies by their content types.
func (c *comparison) media(d direction, path string, old, new *tree.Node) {
	contents := whole(new.Get("content"))
	whole(old.Get("content")).Children(func(name string, was *tree.Node) {
		is := whole(contents.Get(name))
		if is == nil {
			c.add(true, path, "Het type %s vervalt.", "Content type %s is gone.", name)
			return
		}
		c.schemas(d, path, schemaOf(whole(was)), schemaOf(is))
	})
	contents.Children(func(name string, _ *tree.Node) {
		if old := whole(old.Get("content")); old != nil && old.Get(name) == nil {
			c.add(false, path, "Het type %s is nieuw.", "Content type %s is new.", name)
		}
	})
}
