package grants_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/services/authserver/internal/grants"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/registry/api"
)

const (
	hub       = "https://hub.example"
	assen     = "00000099000000002000"
	groningen = "00000099000000001000"
)

var now = time.Unix(1_800_000_000, 0)

func grant(hash, service string, change func(*api.Grant)) *api.Grant {
	g := &api.Grant{
		Hash: hash, ContractHash: "$1$1$" + hash, Consumer: assen, Provider: groningen, Service: service,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		Terms: api.Terms{Purpose: "purpose of " + hash, Scopes: []string{service + ".lezen", service + ".schrijven"}, Binding: "none"},
	}
	if change != nil {
		change(g)
	}
	return g
}

func suspended(g *api.Grant) { g.Narrowing = &api.Narrowing{Suspended: true, By: groningen} }
func over(g *api.Grant)      { g.NotAfter = now.Add(-time.Minute) }
func early(g *api.Grant)     { g.NotBefore = now.Add(time.Minute) }
func blocked(g *api.Grant) {
	g.Narrowing = &api.Narrowing{BlockedScopes: []string{"bag.schrijven"}, By: groningen}
}

func TestTheGrantFollowsFromWhatIsAsked(t *testing.T) {
	both := []api.Assignment{{Name: "vergunningen", GrantHash: "$1$3$a"}, {Name: "toezicht", GrantHash: "$1$3$b"}}
	readOnly := func(g *api.Grant) { g.Terms.Scopes = []string{"bag.lezen"} }
	for name, tc := range map[string]struct {
		grants    []*api.Grant
		assigned  []api.Assignment
		resources []string
		scopes    string
		grant     string // hash; "" when refused
		want      string // scopes of the token, or code
		says      string
	}{
		"one grant for the resource":                   {[]*api.Grant{grant("$1$3$a", "bag", nil)}, both, []string{hub + "/bag"}, "", "$1$3$a", "bag.lezen bag.schrijven", ""},
		"one grant, nothing asked":                     {[]*api.Grant{grant("$1$3$a", "bag", nil)}, both, nil, "", "$1$3$a", "bag.lezen bag.schrijven", ""},
		"the scopes tell the service":                  {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "zaken", nil)}, both, nil, "zaken.lezen", "$1$3$b", "zaken.lezen", ""},
		"the resource tells the service":               {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "zaken", nil)}, both, []string{hub + "/zaken"}, "", "$1$3$b", "zaken.lezen zaken.schrijven", ""},
		"several, by short name":                       {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "bag", nil)}, both, []string{hub + "/bag"}, "toezicht bag.lezen", "$1$3$b", "bag.lezen", ""},
		"several, by short name without resource":      {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "zaken", nil)}, both, nil, "toezicht", "$1$3$b", "zaken.lezen zaken.schrijven", ""},
		"several, by grant hash":                       {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "bag", nil)}, both, []string{hub + "/bag"}, "$1$3$a", "$1$3$a", "bag.lezen bag.schrijven", ""},
		"several, one has the scopes":                  {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "bag", readOnly)}, both, []string{hub + "/bag"}, "bag.schrijven", "$1$3$a", "bag.schrijven", ""},
		"several, both have them":                      {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "bag", nil)}, both, []string{hub + "/bag"}, "bag.lezen", "", "grant-ambiguous", "vergunningen (https://hub.example/bag, purpose of $1$3$a); toezicht"},
		"several, nothing asked":                       {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "zaken", nil)}, both, nil, "", "", "grant-ambiguous", "2 agreements"},
		"several, none has the scopes":                 {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "bag", nil)}, both, []string{hub + "/bag"}, "bag.wissen", "", "scope-not-granted", "bag.wissen"},
		"two names at once":                            {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "bag", nil)}, both, nil, "toezicht vergunningen", "", "grant-unknown", "more than one"},
		"a name for another resource":                  {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "zaken", nil)}, both, []string{hub + "/bag"}, "toezicht", "", "grant-unknown", "toezicht"},
		"a hash that is not assigned":                  {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$c", "bag", nil)}, both, []string{hub + "/bag"}, "$1$3$c", "", "grant-unknown", "$1$3$c"},
		"a name whose grant is over":                   {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "bag", over)}, both, []string{hub + "/bag"}, "toezicht", "", "grant-unknown", "toezicht"},
		"one of two is over":                           {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$b", "bag", over)}, both, []string{hub + "/bag"}, "", "$1$3$a", "bag.lezen bag.schrijven", ""},
		"one of two is not assigned":                   {[]*api.Grant{grant("$1$3$a", "bag", nil), grant("$1$3$c", "bag", nil)}, both, []string{hub + "/bag"}, "", "$1$3$a", "bag.lezen bag.schrijven", ""},
		"no contract":                                  {nil, both, []string{hub + "/bag"}, "", "", "no-contract", "Assen has no agreement for bag"},
		"no contract for this service":                 {[]*api.Grant{grant("$1$3$a", "zaken", nil)}, both, []string{hub + "/bag"}, "", "", "no-contract", "bag"},
		"no contract at all, nothing asked":            {nil, nil, nil, "", "", "no-contract", "any service"},
		"a contract that is over":                      {[]*api.Grant{grant("$1$3$a", "bag", over)}, both, []string{hub + "/bag"}, "", "", "contract-not-in-force", "ended"},
		"a contract that has not begun":                {[]*api.Grant{grant("$1$3$a", "bag", early)}, both, []string{hub + "/bag"}, "", "", "contract-not-in-force", "begins"},
		"a contract that is suspended":                 {[]*api.Grant{grant("$1$3$a", "bag", suspended)}, both, []string{hub + "/bag"}, "", "", "grant-suspended", "Groningen"},
		"a contract that is not assigned":              {[]*api.Grant{grant("$1$3$c", "bag", nil)}, both, []string{hub + "/bag"}, "", "", "grant-not-assigned", "assen-app"},
		"of several reasons the one closest to mended": {[]*api.Grant{grant("$1$3$a", "bag", over), grant("$1$3$b", "bag", suspended), grant("$1$3$c", "bag", nil)}, both, []string{hub + "/bag"}, "", "", "grant-suspended", "Groningen"},
		"a blocked scope is not in the whole":          {[]*api.Grant{grant("$1$3$a", "bag", blocked)}, both, []string{hub + "/bag"}, "", "$1$3$a", "bag.lezen", ""},
		"a blocked scope that is asked":                {[]*api.Grant{grant("$1$3$a", "bag", blocked)}, both, []string{hub + "/bag"}, "bag.schrijven", "", "scope-blocked", "Groningen"},
		"every scope blocked": {[]*api.Grant{grant("$1$3$a", "bag", func(g *api.Grant) {
			g.Terms.Scopes = []string{"bag.schrijven"}
			blocked(g)
		})}, both, []string{hub + "/bag"}, "", "", "scope-blocked", "every scope"},
		"a scope outside the contract": {[]*api.Grant{grant("$1$3$a", "bag", nil)}, both, []string{hub + "/bag"}, "bag.lezen bag.wissen", "", "scope-not-granted", "bag.wissen"},
		"two resources":                {[]*api.Grant{grant("$1$3$a", "bag", nil)}, both, []string{hub + "/bag", hub + "/zaken"}, "", "", "resource-repeated", "2"},
		"an empty resource":            {[]*api.Grant{grant("$1$3$a", "bag", nil)}, both, []string{""}, "", "", "resource-unknown", "empty"},
		"a resource of another hub":    {[]*api.Grant{grant("$1$3$a", "bag", nil)}, both, []string{"https://other.example/bag"}, "", "", "resource-unknown", hub},
		"a relative resource":          {[]*api.Grant{grant("$1$3$a", "bag", nil)}, both, []string{"bag"}, "", "", "resource-unknown", hub},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := &api.Snapshot{
				Organisations: []api.Organisation{{OIN: assen, Name: "Assen"}, {OIN: groningen, Name: "Groningen"}},
				Services:      []api.Service{{Slug: "bag"}, {Slug: "zaken"}},
			}
			choice, err := grants.Chooser{Addresses: oauth.Addresses{Hub: hub}}.Choose(snapshot, grants.Request{
				Client: &api.Client{ID: "assen-app", Organisation: assen, Assignments: tc.assigned}, Grants: tc.grants,
				Resources: tc.resources, Scopes: strings.Fields(tc.scopes),
			}, now)
			if tc.grant == "" {
				var refusal *oauth.Error
				if !errors.As(err, &refusal) {
					t.Fatalf("got %+v, %v, want a refusal", choice, err)
				}
				if got := refusal.Cause.Code.ID; got != tc.want || !strings.Contains(refusal.Cause.Detail, tc.says) {
					t.Errorf("got %s: %s; want %s with %q", got, refusal.Cause.Detail, tc.want, tc.says)
				}
				if choice != nil {
					t.Error("a refusal comes with a choice")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if choice.Grant.Hash != tc.grant || strings.Join(choice.Scopes, " ") != tc.want || choice.Audience != hub+"/"+choice.Grant.Service {
				t.Errorf("got %s %v %s, want %s %s", choice.Grant.Hash, choice.Scopes, choice.Audience, tc.grant, tc.want)
			}
		})
	}
}
