package allinone_test

import (
	"net/http"
	"strings"
	"testing"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/infra/up/allinone"
)

// TestEveryLinkOfTheAddressServiceIsAnsweredThroughTheGateway starts at an address and follows each link to its end: what
// the service links to must be declared to the gateway, and lie on the outside address.
func TestEveryLinkOfTheAddressServiceIsAnsweredThroughTheGateway(t *testing.T) {
	hub := startHub(t, allinone.Options{})
	token, err := tokenFor(t, hub, "assen", "bag")
	if err != nil {
		t.Fatal(err)
	}
	const base = "/bag/individuelebevragingen/v2"
	id := bagextract.TownDesignationID
	queue := []string{adressen + "/" + id + "?expand=true", base + "/nummeraanduidingen/" + id + "/lvc", base + "/adressenuitgebreid/" + id, base + "/info",
		base + "/nummeraanduidingen/" + id + "?geldigOp=2026-10-01&expand=true", base + "/adresseerbareobjecten?nummeraanduidingIdentificatie=" + id,
		base + "/bronhouders/0014", base + "/panden?bbox=231000,601000,231400,601400", base + "/woonplaatsen?naam=" + bagextract.TownName}
	seen := map[string]bool{}
	for len(queue) > 0 && len(seen) < 300 {
		target := queue[0]
		queue = queue[1:]
		// The fictional municipality has no page: Statistics Netherlands does not know it.
		if seen[target] || strings.Contains(target, "/bronhouders/"+bagextract.TownMunicipality) {
			continue
		}
		seen[target] = true
		resp, body := get(t, hub, http.MethodGet, target, token)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: got %d %v", target, resp.StatusCode, body)
		}
		for _, href := range hrefs(body) {
			path, outside := strings.CutPrefix(href, hub.URL)
			if !outside {
				t.Fatalf("%s: got link %s, want one below %s", target, href, hub.URL)
			}
			queue = append(queue, path)
		}
	}
	kinds := map[string]bool{}
	for target := range seen {
		kind, _, _ := strings.Cut(strings.TrimPrefix(target, base+"/"), "/")
		kinds[kind] = true
	}
	for _, kind := range []string{"adressen", "nummeraanduidingen", "openbareruimten", "woonplaatsen", "verblijfsobjecten", "panden"} {
		if !kinds[kind] {
			t.Errorf("no link led to %s: %v", kind, seen)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hub.URL+base+"/woonplaatsen", strings.NewReader(`{"type":"Point","coordinates":[232000,602000]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Crs") != "epsg:28992" {
		t.Errorf("POST: got %d %v", resp.StatusCode, resp.Header)
	}
	t.Logf("%d links answered", len(seen))
}

// hrefs gives every link of a document.
func hrefs(v any) []string {
	var all []string
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if href, ok := inner.(string); ok && name == "href" {
				all = append(all, href)
				continue
			}
			all = append(all, hrefs(inner)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, hrefs(inner)...)
		}
	}
	return all
}
