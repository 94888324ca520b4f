// Package grants decides under which grant of a contract a client gets a token: the resource or the scopes that it asks
// for select among the grants assigned to it; it never gets more than that grant, and what it may not have is refused,
// not dropped (OAuth NL, OA-AS-26). Time windows are decided here, by the clock, on every request.
package grants

import (
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/registry/api"
)

// hashPrefix begins every FSC grant hash: algorithm SHA3-512, and one of the grant types (federation §1.5).
const hashPrefix = "$1$"

// Request is what a token request asks for.
type Request struct {
	Client    *api.Client
	Grants    []*api.Grant // those of the client's organisation as consumer, ordered by hash
	Resources []string     // parameter resource (RFC 8707), as often as it stood in the request
	Scopes    []string     // parameter scope, split; short names and grant hashes among them
	// Certificate is the thumbprint of the TLS client certificate the gateway verified, empty when there was none.
	Certificate string
}

// Choice is what the token will say.
type Choice struct {
	Audience    string
	Scopes      []string
	Grant       *api.Grant // nil for administration resources
	Certificate string     // thumbprint to bind the token to, empty for a bearer token
}

// Chooser decides with the addresses of one hub.
type Chooser struct {
	Addresses oauth.Addresses
}

// Choose gives the grant, the scopes and the binding, or an *oauth.Error.
func (c Chooser) Choose(s *api.Snapshot, r Request, now time.Time) (*Choice, error) {
	if len(r.Resources) > 1 {
		return nil, target(codeResources.New("the request names %d resources", len(r.Resources)))
	}
	resource := ""
	if len(r.Resources) == 1 {
		resource = r.Resources[0]
		if resource == "" {
			return nil, target(codeResource.New("the resource is empty"))
		}
	}
	choice, administration, err := c.administration(r, resource)
	if !administration {
		choice, err = c.underGrant(s, r, resource, now)
	}
	if err != nil {
		return nil, err
	}
	if err := c.bind(choice, r); err != nil {
		return nil, err
	}
	return choice, nil
}

func (c Chooser) underGrant(s *api.Snapshot, r Request, resource string, now time.Time) (*Choice, error) {
	selector, scopes, err := split(r)
	if err != nil {
		return nil, err
	}
	service := ""
	if resource != "" {
		if service, err = c.service(s, resource); err != nil {
			return nil, err
		}
	}
	usable, err := candidates(s, r, service, now)
	if err != nil {
		return nil, err
	}
	grant, err := c.one(usable, r.Client, selector, scopes)
	if err != nil {
		return nil, err
	}
	granted, err := within(s, grant, scopes)
	if err != nil {
		return nil, err
	}
	return &Choice{Audience: c.Addresses.Resource(grant.Service), Scopes: granted, Grant: grant}, nil
}

// split takes the short name or grant hash out of the scopes. A name that is assigned to the client is a selector.
func split(r Request) (selector string, scopes []string, err error) {
	for _, s := range r.Scopes {
		isName := slices.ContainsFunc(r.Client.Assignments, func(a api.Assignment) bool { return a.Name == s })
		switch {
		case !isName && !strings.HasPrefix(s, hashPrefix):
			if !slices.Contains(scopes, s) {
				scopes = append(scopes, s)
			}
		case selector != "" && selector != s:
			return "", nil, scope(codeSelector.New("scope names more than one agreement: %s and %s", selector, s))
		default:
			selector = s
		}
	}
	return selector, scopes, nil
}

func (c Chooser) service(s *api.Snapshot, resource string) (string, error) {
	if slug, ok := strings.CutPrefix(resource, c.Addresses.Resource("")); ok {
		for i := range s.Services {
			if s.Services[i].Slug == slug {
				return slug, nil
			}
		}
	}
	return "", target(codeResource.New("no service has this resource; resources look like %s", c.Addresses.Resource("{service}")))
}

// candidates are the grants that the client may use now, for one service or, with service empty, for any.
func candidates(s *api.Snapshot, r Request, service string, now time.Time) ([]*api.Grant, error) {
	var usable []*api.Grant
	var best *errs.Error // of the grants that are not usable, why the one that comes closest is not
	for _, g := range r.Grants {
		if service != "" && g.Service != service {
			continue
		}
		why := unusable(s, g, r.Client, now)
		if why == nil {
			usable = append(usable, g)
		} else if best == nil || rank(why) > rank(best) {
			best = why
		}
	}
	if len(usable) > 0 {
		return usable, nil
	}
	if best != nil {
		return nil, target(best)
	}
	if service == "" {
		service = "any service"
	}
	return nil, target(codeNoContract.New("%s has no agreement for %s", organisation(s, r.Client.Organisation), service))
}

// unusable tells why a grant of the client's organisation cannot be used, nil when it can.
func unusable(s *api.Snapshot, g *api.Grant, client *api.Client, now time.Time) *errs.Error {
	assigned := slices.ContainsFunc(client.Assignments, func(a api.Assignment) bool { return a.GrantHash == g.Hash })
	switch {
	case now.Before(g.NotBefore):
		return codeNotInForce.New("the agreement for %s begins at %s", g.Service, date(g.NotBefore)).WithRule(g.ContractHash)
	case !now.Add(time.Second).Before(g.NotAfter): // a token lives a second at least
		return codeNotInForce.New("the agreement for %s ended at %s", g.Service, date(g.NotAfter)).WithRule(g.ContractHash)
	case !assigned:
		return codeNotAssigned.New("the agreement for %s is not assigned to client %s", g.Service, client.ID).WithRule(g.ContractHash)
	case g.Narrowing != nil && g.Narrowing.Suspended:
		return codeSuspended.New("the agreement for %s was suspended by %s", g.Service, organisation(s, g.Narrowing.By)).WithRule(g.ContractHash)
	}
	return nil
}

// rank orders reasons by how little is left to mend.
func rank(e *errs.Error) int {
	return slices.Index([]*errs.Code{codeNotInForce, codeNotAssigned, codeSuspended}, e.Code)
}

// one takes the grant the request means. Without a selector it is the only candidate, or the only one with all scopes.
func (c Chooser) one(candidates []*api.Grant, client *api.Client, selector string, scopes []string) (*api.Grant, error) {
	if selector != "" {
		hash := selector
		for _, a := range client.Assignments {
			if a.Name == selector {
				hash = a.GrantHash
			}
		}
		for _, g := range candidates {
			if g.Hash == hash {
				return g, nil
			}
		}
		return nil, scope(codeSelector.New("%s is not an agreement that this client can use for the resource now", selector))
	}
	if len(candidates) == 1 {
		return candidates[0], nil
	}
	fitting := candidates
	if len(scopes) > 0 {
		fitting = slices.DeleteFunc(slices.Clone(candidates), func(g *api.Grant) bool { return !containsAll(g.Terms.Scopes, scopes) })
	}
	switch len(fitting) {
	case 0:
		return nil, scope(codeScope.New("no agreement of this client has all of the scopes %s", strings.Join(scopes, " ")))
	case 1:
		return fitting[0], nil
	}
	return nil, target(codeChoose.New("%d agreements fit: %s", len(fitting), c.list(fitting, client)))
}

// list names agreements so that one can be chosen: short name, resource, purpose.
func (c Chooser) list(grants []*api.Grant, client *api.Client) string {
	const most = 10
	var lines []string
	for i, g := range grants {
		if i == most {
			lines = append(lines, "and more in the portal")
			break
		}
		name := g.Hash
		for _, a := range client.Assignments {
			if a.GrantHash == g.Hash && a.Name != "" {
				name = a.Name
			}
		}
		lines = append(lines, name+" ("+c.Addresses.Resource(g.Service)+", "+g.Terms.Purpose+")")
	}
	return strings.Join(lines, "; ")
}

// within gives the scopes of the token: those asked, or all of the grant when none were; less those that are blocked.
func within(s *api.Snapshot, g *api.Grant, asked []string) ([]string, error) {
	blocked := func(name string) bool {
		return g.Narrowing != nil && slices.Contains(g.Narrowing.BlockedScopes, name)
	}
	if len(asked) == 0 {
		open := slices.DeleteFunc(slices.Clone(g.Terms.Scopes), blocked)
		if len(open) == 0 {
			return nil, scope(codeScopeBlocked.New("every scope of the agreement is blocked").WithRule(g.ContractHash))
		}
		return open, nil
	}
	for _, name := range asked {
		if !slices.Contains(g.Terms.Scopes, name) {
			return nil, scope(codeScope.New("scope %s is not in the agreement, which has: %s", name, strings.Join(g.Terms.Scopes, " ")).
				WithRule(g.ContractHash))
		}
		if blocked(name) {
			return nil, scope(codeScopeBlocked.New("scope %s was blocked by %s", name, organisation(s, g.Narrowing.By)).
				WithRule(g.ContractHash))
		}
	}
	return asked, nil
}

func containsAll(have, want []string) bool {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

// organisation is the name that people know an OIN by.
func organisation(s *api.Snapshot, oin string) string {
	for i := range s.Organisations {
		if s.Organisations[i].OIN == oin {
			return s.Organisations[i].Name
		}
	}
	return oin
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func target(e *errs.Error) *oauth.Error { return oauth.Refuse(oauth.InvalidTarget, e) }

func scope(e *errs.Error) *oauth.Error { return oauth.Refuse(oauth.InvalidScope, e) }
