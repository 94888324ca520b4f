package grants

import (
	"slices"
	"strings"
)

// administration scopes that a client can have, by API. Whatever signs or approves needs a person too; the registry sees to it.
var administrationScopes = map[string][]string{
	"journaal": {"journaal.lezen", "journaal.schrijven"},
	"beheer":   {"beheer.lezen", "beheer.schrijven"},
}

// administration answers for the hub's own APIs, which need no grant: the registry gave the client scopes on them. ok is
// false when the request is for something else.
func (c Chooser) administration(r Request, resource string) (choice *Choice, ok bool, err error) {
	slug := ""
	for name := range administrationScopes {
		if resource == c.Addresses.Resource(name) || resource == "" && allOf(name, r.Scopes) {
			slug = name
		}
	}
	if slug == "" {
		return nil, false, nil
	}
	var allowed []string
	for _, s := range administrationScopes[slug] {
		if slices.Contains(r.Client.AdminScopes, s) {
			allowed = append(allowed, s)
		}
	}
	if len(allowed) == 0 {
		return nil, true, scope(codeAdminScope.New("client %s has no scope of %s", r.Client.ID, slug))
	}
	for _, s := range r.Scopes {
		if !slices.Contains(allowed, s) {
			return nil, true, scope(codeAdminScope.New("client %s does not have scope %s; it has: %s", r.Client.ID, s, strings.Join(allowed, " ")))
		}
	}
	granted := allowed
	if len(r.Scopes) > 0 {
		granted = slices.Compact(slices.Sorted(slices.Values(r.Scopes)))
	}
	return &Choice{Audience: c.Addresses.Resource(slug), Scopes: granted}, true, nil
}

// allOf tells whether scopes are all of one administration API, at least one.
func allOf(slug string, scopes []string) bool {
	for _, s := range scopes {
		if !strings.HasPrefix(s, slug+".") {
			return false
		}
	}
	return len(scopes) > 0
}
