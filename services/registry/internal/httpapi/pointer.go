package httpapi

import (
	"regexp"
	"strings"
)

// members are the names of the API for the fields of the directory.
var members = map[string]string{
	"keys": "sleutels", "certificates": "certificaten", "assignments": "toewijzingen", "contacts": "contacten", "upstream": "achterkant",
	"cas": "ca", "rate": "perSeconde", "blockedScopes": "geblokkeerdeScopes", "reason": "reden", "grants": "toestemmingen", "apis": "apis", "networks": "netwerken", "deprecated": "verouderdSinds", "sunset": "eindigtOp", "successor": "opvolger", "name": "naam", "purpose": "doel", "legalBasis": "grondslag", "retention": "bewaartermijn",
	"openapi": "openapi", "facts": "gegevens", "jwksUri": "jwksUri", "dataClass": "gegevensklasse", "health": "gezondheidspad", "activity": "verwerkingsactiviteit", "changelog": "wijzigingen", "availability": "beschikbaarheid", "cacheSeconds": "bewaarSeconden", "logging": "logging", "people": "personen", "made": "opgesteld", "oin": "oin", "kvk": "kvk", "group": "groep", "accepted": "aanvaard", "part": "onder",
}

var place = regexp.MustCompile(`^([A-Za-z]+)(?:\[(\d+)\])?$`)

// pointer turns the place of a fault in the directory, such as keys[0], into a JSON pointer into the body of the request. What
// is no such place is given as it is.
func pointer(field string) string {
	if field == "" || strings.HasPrefix(field, "/") {
		return field
	}
	var out strings.Builder
	steps := strings.SplitN(field, ".", 3)
	for i, step := range steps {
		m := place.FindStringSubmatch(step)
		if m == nil || members[m[1]] == "" {
			if i == 0 {
				return field
			}
			out.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(strings.Join(steps[i:], ".")))
			break
		}
		out.WriteString("/" + members[m[1]])
		if m[2] != "" {
			out.WriteString("/" + m[2])
		}
	}
	return out.String()
}
