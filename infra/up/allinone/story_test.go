package allinone_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/infra/up/allinone"
	authserver "noorderhub.nl/hub/services/authserver/api"
	journal "noorderhub.nl/hub/services/journal/api"
)

// startHub starts a hub on free ports; the test's end stops it in order.
func startHub(t *testing.T, o allinone.Options) *allinone.Hub {
	t.Helper()
	if o.Data == "" {
		o.Data = filepath.Join(t.TempDir(), "data")
	}
	o.Listen, o.ListenTLS = "127.0.0.1:0", "127.0.0.1:0"
	hub, err := allinone.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Stop(); err != nil {
			t.Error(err)
		}
	})
	return hub
}

// tokenFor gets an access token as a demo organisation.
func tokenFor(t *testing.T, hub *allinone.Hub, organisation, slug string) (string, error) {
	t.Helper()
	org := hub.Demo.Organisations[organisation]
	text, err := os.ReadFile(org.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := authserver.ParseKey(text, org.KeyID, org.Alg)
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := authserver.Discover(t.Context(), http.DefaultClient, hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := authserver.Client{HTTP: http.DefaultClient, Metadata: metadata, ID: org.ClientID, Key: key}
	token, err := client.Token(t.Context(), authserver.Request{Resource: hub.URL + "/" + slug})
	return token.AccessToken, err
}

func get(t *testing.T, hub *allinone.Hub, method, target, token string) (*http.Response, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, hub.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]any
	if strings.Contains(resp.Header.Get("Content-Type"), "json") && method != http.MethodHead {
		if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
			t.Fatalf("%s %s: %v", method, target, err)
		}
	}
	return resp, body
}

const adressen = "/bag/individuelebevragingen/v2/adressen"

func TestEveryAnswerOfTheHubSaysWhatHappened(t *testing.T) {
	hub := startHub(t, allinone.Options{})
	token, err := tokenFor(t, hub, "assen", "bag")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	none := "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + parts[1] + "."
	for name, tc := range map[string]struct {
		method, target, token string
		status                int
		code                  string
	}{
		"a known address":            {"GET", adressen + "?postcode=9990AA&huisnummer=1", token, 200, ""},
		"no address there":           {"GET", adressen + "?postcode=9990AA&huisnummer=999", token, 200, ""},
		"an id that is not there":    {"GET", adressen + "/9901200000999999", token, 404, ""},
		"no token":                   {"GET", adressen + "?postcode=9990AA&huisnummer=1", "", 401, "token-missing"},
		"a token cut short":          {"GET", adressen + "?postcode=9990AA&huisnummer=1", token[:len(token)-8], 401, ""},
		"alg none":                   {"GET", adressen + "?postcode=9990AA&huisnummer=1", none, 401, ""},
		"a token in the query":       {"GET", adressen + "?postcode=9990AA&huisnummer=1&access_token=x", "", 400, "credential-in-url"},
		"a token for another target": {"GET", "/journaal/v1/transacties", token, 401, "token-audience"},
		"an unknown parameter":       {"GET", adressen + "?postcode=9990AA&huisnummer=1&huis=1", token, 400, ""},
		"a malformed postcode":       {"GET", adressen + "?postcode=99&huisnummer=1", token, 400, ""},
		"a trailing slash":           {"GET", adressen + "/?postcode=9990AA&huisnummer=1", token, 404, "unknown-path"},
		"a wrong method":             {"DELETE", adressen, token, 405, "method-not-allowed"},
		"an unknown path":            {"GET", "/nergens", "", 404, "unknown-path"},
		"outside the description":    {"GET", "/bag/individuelebevragingen/v2/nergens", token, 404, "unknown-operation"},
		"an encoded way out":         {"GET", "/bag/%2e%2e/beheer/v1/organisaties", token, 400, "path-not-canonical"},
		"the OpenAPI file":           {"GET", "/bag/individuelebevragingen/v2/openapi.json", "", 200, ""},
		"metrics from outside":       {"GET", "/metrics", "", 404, "unknown-path"},
		"profiles from outside":      {"GET", "/debug/pprof/", "", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := get(t, hub, tc.method, tc.target, tc.token)
			if resp.StatusCode != tc.status {
				t.Fatalf("got %d, want %d: %v", resp.StatusCode, tc.status, body)
			}
			if tc.code != "" && body["code"] != tc.code {
				t.Errorf("got code %v, want %s", body["code"], tc.code)
			}
			for _, header := range []string{"Fsc-Transaction-Id", "Traceparent", "Noorderhub-Answered-By"} {
				if resp.Header.Get(header) == "" {
					t.Errorf("no header %s", header)
				}
			}
			if tc.status == http.StatusUnauthorized && resp.Header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
			if tc.status == http.StatusMethodNotAllowed && resp.Header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if page, ok := body["type"].(string); ok && tc.code != "" {
				if p, _ := get(t, hub, "GET", strings.TrimPrefix(page, hub.URL), ""); p.StatusCode != 200 {
					t.Errorf("its page %s answers %d", page, p.StatusCode)
				}
			}
		})
	}
}

func TestOrganisationsSeeTheirOwnCallsOnly(t *testing.T) {
	hub := startHub(t, allinone.Options{})
	token, err := tokenFor(t, hub, "assen", "bag")
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := get(t, hub, "GET", adressen+"?postcode=9990AA&huisnummer=1", token)
	id := resp.Header.Get("Fsc-Transaction-Id")
	for _, tc := range []struct {
		organisation string
		status       int
	}{{"assen", 200}, {"noorderhub", 200}, {"groningen", 404}, {"emmen", 404}} {
		token, err := tokenFor(t, hub, tc.organisation, "journaal")
		if err != nil {
			t.Fatalf("%s: %v", tc.organisation, err)
		}
		var body map[string]any
		var got int
		eventually(t, func() bool {
			resp, answer := get(t, hub, "GET", "/journaal/v1/transacties/"+id, token)
			got, body = resp.StatusCode, answer
			return got == tc.status
		})
		if got != tc.status {
			t.Errorf("%s: got %d, want %d", tc.organisation, got, tc.status)
		}
		if tc.status != 200 {
			continue
		}
		text, _ := json.Marshal(body)
		var found journal.Transaction
		if err := json.Unmarshal(text, &found); err != nil || len(found.Calls) != 1 {
			t.Fatalf("%s: got %s", tc.organisation, text)
		}
		call := found.Calls[0]
		if call.Consumer != hub.Demo.Organisations["assen"].OIN || call.Purpose == "" || call.ContractHash == "" || !call.Permit {
			t.Errorf("%s: got %+v", tc.organisation, call)
		}
	}
}

func TestAKeptFolderGoesOnWhereItWas(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := allinone.Start(t.Context(), allinone.Options{Data: dir, Keep: true, Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := allinone.Start(t.Context(), allinone.Options{Data: dir, Keep: true}); err == nil || !strings.Contains(err.Error(), "another hub runs") {
		t.Errorf("got %v from a second hub on the folder", err)
	}
	contract, err := os.ReadFile(filepath.Join(dir, "contracts", "assen-bag.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	hub := startHub(t, allinone.Options{Data: dir, Keep: true})
	again, err := os.ReadFile(filepath.Join(dir, "contracts", "assen-bag.json"))
	if err != nil || string(again) != string(contract) {
		t.Errorf("the contract was signed anew: %v", err)
	}
	if _, body := get(t, hub, "GET", "/oauth2/jwks", ""); body["keys"] == nil {
		t.Errorf("got %v", body)
	}
}

func TestAFolderOfSomebodyElseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "scriptie.txt")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := allinone.Start(t.Context(), allinone.Options{Data: dir}); err == nil {
		t.Error("started in a folder with other files")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestABrokenExtractStopsTheStartAndNamesThePlace(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "kapot.zip")
	f, err := os.Create(broken)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	if _, err := z.Create("leeg.xml"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	_, err = allinone.Start(t.Context(), allinone.Options{Data: filepath.Join(t.TempDir(), "data"), BAG: []string{broken}, Listen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "kapot.zip") {
		t.Errorf("got %v, want the file named", err)
	}
}

func TestTheOfficialExtractIsServedThroughTheHub(t *testing.T) {
	weesp := filepath.Join("..", "..", "..", "..", "shared", "data", "address", "weesp-0457", "BAGGEM0457L-15092021.zip")
	if _, err := os.Stat(weesp); err != nil {
		t.Skipf("the official extract is not there (../shared beside the repository): %v", err)
	}
	hub := startHub(t, allinone.Options{BAG: []string{weesp}})
	token, err := tokenFor(t, hub, "groningen", "bag")
	if err != nil {
		t.Fatal(err)
	}
	resp, body := get(t, hub, "GET", adressen+"?postcode=1384CA&huisnummer=1&exacteMatch=true", token)
	text, _ := json.Marshal(body)
	if resp.StatusCode != 200 || resp.Header.Get("BAG-Stand") != "2021-09-15" || !strings.Contains(string(text), `"nummeraanduidingIdentificatie":"0424200000017336"`) {
		t.Errorf("got %d with stand %q: %s", resp.StatusCode, resp.Header.Get("BAG-Stand"), text)
	}
}

// eventually tries until ok or the test's patience ends: records reach the journal in batches.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for !ok() && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}
