package address_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/tokentest"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/address"
	"noorderhub.nl/hub/services/address/api"
)

const hub = "https://hub.example.nl"

// today is after the stand of the town and before its planned change.
var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// townFile writes the extract of the fictional town.
func townFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), bagextract.TownFile)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := bagextract.WriteTown(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// rig is a running service and the workload authority of its hub.
type rig struct {
	*address.Service
	t      testing.TB
	ca     *pki.CA
	issuer *tokentest.Issuer
	cfg    address.Config
	now    time.Time
	bearer string // a call token, used again as the gateway does
	signed time.Time
}

func newRig(t testing.TB) *rig {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, ca: ca, issuer: tokentest.New(t, hub, token.TypeCall), now: today, cfg: address.Defaults()}
	r.cfg.Listen, r.cfg.Data, r.cfg.Hub = "127.0.0.1:0", t.TempDir(), hub
	r.cfg.Workload = r.files("address")
	return r
}

func (r *rig) files(part string) workload.Files {
	r.t.Helper()
	pair, err := r.ca.Issue(pki.Part(part))
	if err != nil {
		r.t.Fatal(err)
	}
	files, err := pair.WriteFiles(r.t.TempDir(), part)
	if err != nil {
		r.t.Fatal(err)
	}
	return files
}

func (r *rig) start() *rig {
	r.t.Helper()
	s, err := address.New(r.t.Context(), r.cfg, r.deps())
	if err != nil {
		r.t.Fatal(err)
	}
	r.Service = s
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context())) // ends in Cleanup, to see the stop
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("stop: %v", err)
		}
	})
	return r
}

// The clock of call tokens is the wall clock: tokentest signs with it. Only what is looked up depends on r.now.
func (r *rig) deps() address.Deps {
	return address.Deps{
		Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), CallKeys: r.issuer.Keys(), Now: func() time.Time { return r.now },
	}
}

// as gives an HTTP client with the certificate of a part.
func (r *rig) as(part string) *http.Client {
	r.t.Helper()
	id, err := workload.Load(r.files(part))
	if err != nil {
		r.t.Fatal(err)
	}
	client := id.HTTPClient("address")
	r.t.Cleanup(client.CloseIdleConnections)
	return client
}

// get asks as the gateway does. edit may change the request.
func (r *rig) get(client *http.Client, path string, edit func(*http.Request)) (*http.Response, []byte) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "https://"+r.Addr()+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if time.Since(r.signed) > 20*time.Second {
		r.bearer, r.signed = r.issuer.Token(hub+"/bag", nil), time.Now()
	}
	req.Header.Set("Authorization", "Bearer "+r.bearer)
	req.Header.Set("X-Forwarded-Proto", "http")
	req.Header.Set("X-Forwarded-Host", "127.0.0.1:8080")
	if edit != nil {
		edit(req)
	}
	resp, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, body
}

const byNumber = api.Base + "/adressen?postcode=" + bagextract.TownPostcode + "&huisnummer=1"

func TestTheGatewayLooksUpAnAddressOfTheTown(t *testing.T) {
	r := newRig(t)
	r.cfg.Extracts = []string{townFile(t)}
	r.start()
	resp, body := r.get(r.as("gateway"), byNumber, nil)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("got %d: %s", resp.StatusCode, body)
	}
	if got := resp.Header.Get("Content-Type"); got != api.MediaType {
		t.Errorf("got content type %q, want %q", got, api.MediaType)
	}
	if got := resp.Header.Get(api.StandHeader); got != bagextract.TownDate {
		t.Errorf("got stand %q, want %q", got, bagextract.TownDate)
	}
	var page api.Adressen
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatal(err)
	}
	if page.Embedded == nil || len(page.Embedded.Adressen) != 1 {
		t.Fatalf("got %s, want one address", body)
	}
	a := page.Embedded.Adressen[0]
	if a.NummeraanduidingIdentificatie != bagextract.TownDesignationID || a.Adresregel5 != "Marktplein 1" || a.Adresregel6 != "9990 AA  NOORDERHAVEN" {
		t.Errorf("got %+v", a)
	}
	if got, want := page.Links.Self.Href, "http://127.0.0.1:8080"+byNumber; got != want {
		t.Errorf("got self %q, want %q", got, want)
	}
	t.Logf("%s", body)
}

func TestOnlyTheGatewayGetsIn(t *testing.T) {
	r := newRig(t)
	r.cfg.Extracts = []string{townFile(t)}
	r.start()
	req, _ := http.NewRequest(http.MethodGet, "https://"+r.Addr()+byNumber, nil)
	if resp, err := r.as("cases").Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("another part got %d, want no connection", resp.StatusCode)
	}
	plain := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if resp, err := plain.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("a client without a certificate got %d, want no connection", resp.StatusCode)
	}
}

func TestEveryCallNeedsTheGatewaysCallToken(t *testing.T) {
	r := newRig(t)
	r.cfg.Extracts = []string{townFile(t)}
	r.start()
	client := r.as("gateway")
	stranger := tokentest.New(t, hub, token.TypeCall)
	access := tokentest.New(t, hub, token.TypeAccess)
	for name, raw := range map[string]string{
		"no token":                        "",
		"a token for another service":     r.issuer.Token(hub+"/zaken", nil),
		"a token by a key unknown to us":  stranger.Token(hub+"/bag", nil),
		"an access token of the client":   access.Token(hub+"/bag", nil),
		"a token that is no token at all": "abc",
	} {
		resp, body := r.get(client, byNumber, func(req *http.Request) {
			req.Header.Del("Authorization")
			if raw != "" {
				req.Header.Set("Authorization", "Bearer "+raw)
			}
		})
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: got %d %s, want 401 with WWW-Authenticate", name, resp.StatusCode, body)
		}
	}
	if resp, _ := r.get(client, "/bag//individuelebevragingen/v2/adressen/1/", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("got %d for a path that is not canonical, want 404", resp.StatusCode)
	}
	resp, body := r.get(client, api.Base+"/openapi.json", func(req *http.Request) { req.Header.Del("Authorization") })
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "bevraagAdressen") {
		t.Errorf("got %d for the OpenAPI file, want 200 without a token", resp.StatusCode)
	}
}

func TestAFaultyExtractLeavesTheOldStandAnswering(t *testing.T) {
	r := newRig(t)
	town := townFile(t)
	r.cfg.Extracts = []string{town}
	r.start()
	client := r.as("gateway")

	content, err := os.ReadFile(town)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "BAGGEM9901L-kapot.zip")
	content[len(content)/3] ^= 0x55
	if err := os.WriteFile(broken, content, 0o600); err != nil {
		t.Fatal(err)
	}
	err = r.Import(t.Context(), broken)
	if err == nil || !strings.Contains(err.Error(), "BAGGEM9901L-kapot.zip > 9901GEM01112026.zip > ") || !strings.Contains(err.Error(), ".xml, byte ") {
		t.Errorf("got %v, want file, inner file and position", err)
	}
	resp, body := r.get(client, byNumber, nil)
	if resp.StatusCode != http.StatusOK || resp.Header.Get(api.StandHeader) != bagextract.TownDate {
		t.Errorf("got %d %s after the refused import, want the old stand's answer", resp.StatusCode, body)
	}
	if err := r.Ready(t.Context()); err != nil {
		t.Errorf("got %v, want ready", err)
	}
}

func TestAStartWithAFaultyExtractKeepsTheStandThatIsThere(t *testing.T) {
	r := newRig(t)
	town := townFile(t)
	if err := address.Import(t.Context(), r.cfg, io.Discard, town); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "cut.zip")
	content, err := os.ReadFile(town)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, content[:len(content)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	r.cfg.Extracts, r.cfg.ImportFirst = []string{broken}, true
	if _, err := address.New(t.Context(), r.cfg, r.deps()); err == nil || !strings.Contains(err.Error(), "cut.zip") {
		t.Errorf("got %v, want a start that must import first to fail and name the file", err)
	}
	r.cfg.ImportFirst = false
	r.start()
	if resp, body := r.get(r.as("gateway"), byNumber, nil); resp.StatusCode != http.StatusOK {
		t.Errorf("got %d %s, want the stand that was there", resp.StatusCode, body)
	}
	empty := newRig(t)
	empty.cfg.Extracts = []string{broken}
	if _, err := address.New(t.Context(), empty.cfg, empty.deps()); err == nil || !strings.Contains(err.Error(), "cut.zip") {
		t.Errorf("got %v, want a start without any stand to fail and name the file", err)
	}
}

func TestAStandThatIsImportedBesideTheServiceIsTakenInUse(t *testing.T) {
	r := newRig(t)
	r.start()
	client := r.as("gateway")
	resp, body := r.get(client, byNumber, nil)
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %d %s without a stand, want 503", resp.StatusCode, body)
	}
	if err := r.Ready(t.Context()); err == nil {
		t.Error("ready without a stand")
	}
	var out strings.Builder
	if err := address.Import(t.Context(), r.cfg, &out, townFile(t)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "stand "+bagextract.TownDate) || !strings.Contains(out.String(), "NUM ") {
		t.Errorf("got report %q", out.String())
	}
	until(t, "the stand to be taken in use", func() bool {
		resp, _ := r.get(client, byNumber, nil)
		return resp.StatusCode == http.StatusOK
	})
	if err := r.Ready(t.Context()); err != nil {
		t.Errorf("got %v, want ready", err)
	}
}

func TestAllFaultsOfAConfigurationAreReportedTogether(t *testing.T) {
	cfg := address.Config{Hub: "hub.example.nl/", Telemetry: telemetry.Target{Ratio: 2}}
	err := cfg.Validate()
	for _, want := range []string{"listen", "data", "workload.cert", "workload.key", "workload.ca", "hub is not", "stopTimeout", "ratio"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
}

func TestADamagedStandIsFoundOutAfterTheStartAndMendedByAnImport(t *testing.T) {
	r := newRig(t)
	town := townFile(t)
	if err := address.Import(t.Context(), r.cfg, io.Discard, town); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(r.cfg.Data, "*.stand"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v %v, want one stand", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 0xff
	if err := os.WriteFile(files[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	r.start()
	until(t, "readiness to name the damage", func() bool {
		err := r.Ready(t.Context())
		return err != nil && strings.Contains(err.Error(), "damaged")
	})
	if err := address.Import(t.Context(), r.cfg, io.Discard, town); err != nil {
		t.Fatal(err)
	}
	until(t, "an import of the same extract to mend it", func() bool { return r.Ready(t.Context()) == nil })
}

func TestARollbackIsFollowedByTheRunningService(t *testing.T) {
	r := newRig(t)
	if err := address.Rollback(t.Context(), r.cfg, io.Discard); err == nil {
		t.Error("rolled back without any stand")
	}
	later := bagextract.Town()
	later.Date = later.Date.AddDate(0, 0, 7)
	path := filepath.Join(t.TempDir(), "later.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(bagextract.Write(f, later), f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, extract := range []string{townFile(t), path} {
		if err := address.Import(t.Context(), r.cfg, io.Discard, extract); err != nil {
			t.Fatal(err)
		}
	}
	r.start()
	var out strings.Builder
	if err := address.Rollback(t.Context(), r.cfg, &out); err != nil || !strings.Contains(out.String(), "stand "+bagextract.TownDate) {
		t.Fatalf("got %q %v, want the stand of %s", out.String(), err, bagextract.TownDate)
	}
	client := r.as("gateway")
	until(t, "the stand before to answer", func() bool {
		resp, _ := r.get(client, byNumber, nil)
		return resp.StatusCode == http.StatusOK && resp.Header.Get(api.StandHeader) == bagextract.TownDate
	})
}

// until waits for what must come.
func until(t *testing.T, what string, come func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !come() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		<-tick.C
	}
}
