package intake

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// personalName takes names, in Dutch and English, under which data about people are common in municipal APIs.
var personalName = regexp.MustCompile(`(?i)bsn|burgerservicenummer|a_?nummer$|geboorte|overlijden|voornaam|voornamen|achternaam|geslachtsnaam|` +
	`voorvoegsel|roepnaam|voorletter|naampersoon|geslacht|nationaliteit|burgerlijke_?staat|partner|ouders|kinderen|verblijfsadres|` +
	`woonadres|correspondentieadres|e_?mail|telefoon|mobiel|iban|rekeningnummer|paspoort|rijbewijs|kenteken|inkomen|uitkering|` +
	`medewerker|betrokkene|aanvrager|indiener|contactpersoon|first_?name|last_?name|surname|birth|gender|phone|passport|citizen`)

// personal gives the names of an operation's parameters and fields that suggest data about people. What is left of steps
// bounds the work on all operations together.
func personal(nodes operationNodes, steps *int) []string {
	names := map[string]bool{}
	for _, of := range []*tree.Node{nodes.path, nodes.operation} {
		whole(of.Get("parameters")).Children(func(_ string, parameter *tree.Node) {
			names[whole(parameter).Get("name").Str()] = true
		})
	}
	l := &lister{names: map[string]bool{}, steps: min(*steps, maxFieldSteps)}
	before := l.steps
	for _, schema := range append(bodySchemas(whole(nodes.operation.Get("requestBody"))), successSchemas(nodes.operation)...) {
		l.list(schema, "", 0)
	}
	*steps -= before - l.steps
	for path := range l.names {
		names[path[strings.LastIndex(path, ".")+1:]] = true
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool { return !personalName.MatchString(name) })
	if len(names) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(names))
}
