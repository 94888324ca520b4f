package registry_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
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

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/registry"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

const hubURL = "https://hub.example.nl"

// world is a registry with its region and a certificate for every part.
type world struct {
	t      *testing.T
	region *regiontest.Region
	parts  *pki.CA
	cfg    registry.Config
	key    *ecdsa.PrivateKey
	svc    *registry.Service
	stop   func()
	now    func() time.Time // nil: the clock
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, region: regiontest.Default(t)}
	var err error
	if w.parts, err = pki.NewCA("parts"); err != nil {
		t.Fatal(err)
	}
	if w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	w.region.Write(t, "signing.key", regiontest.PrivatePEM(t, w.key))
	w.cfg = registry.Defaults()
	w.cfg.Listen, w.cfg.Hub, w.cfg.Region = "127.0.0.1:0", hubURL, w.region.File()
	w.cfg.Workload, w.cfg.Database = w.files("registry"), sqldbtest.SQLite(t)
	w.cfg.Envelope = config.Secret(base64.StdEncoding.EncodeToString([]byte("thirty-two bytes of no importance")[:32]))
	w.cfg.SigningKey = filepath.Join(w.region.Dir, "signing.key")
	w.cfg.Poll = config.Duration(10 * time.Millisecond)
	return w
}

func (w *world) files(part string) workload.Files {
	w.t.Helper()
	pair, err := w.parts.Issue(pki.Part(part))
	if err != nil {
		w.t.Fatal(err)
	}
	files, err := pair.WriteFiles(w.t.TempDir(), part)
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

func (w *world) new() (*registry.Service, error) {
	return registry.New(context.Background(), w.cfg, registry.Deps{
		Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), Now: w.now,
	})
}

func (w *world) start() *world {
	w.t.Helper()
	svc, err := w.new()
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	stopped := false
	w.svc, w.stop = svc, func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("got %v from Run, want nil", err)
		}
	}
	w.t.Cleanup(w.stop)
	return w
}

func (w *world) http(part string) *http.Client {
	w.t.Helper()
	id, err := workload.Load(w.files(part))
	if err != nil {
		w.t.Fatal(err)
	}
	return id.HTTPClient(registry.Part)
}

func (w *world) remote(part string) *api.Remote {
	w.t.Helper()
	return &api.Remote{Base: "https://" + w.svc.Addr(), HTTP: w.http(part)}
}

func (w *world) snapshot(after api.Version, wait time.Duration) *api.Snapshot {
	w.t.Helper()
	sealed, err := w.remote("gateway").Snapshot(w.t.Context(), api.Held{Version: after}, wait)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := sealed.Open(&w.key.PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestAChangedFileReachesWhoWaitsForIt(t *testing.T) {
	w := newWorld(t).start()
	first := w.snapshot(api.Version{}, 0)
	if want := (api.Version{Epoch: 1, Number: 1}); first.Version != want || len(first.Grants) != 1 {
		t.Fatalf("got version %s with %d grants, want %s with 1", first.Version, len(first.Grants), want)
	}
	if _, err := w.remote("gateway").Snapshot(t.Context(), api.Held{Version: first.Version}, 0); !errors.Is(err, api.ErrNothingNewer) {
		t.Errorf("got %v, want ErrNothingNewer", err)
	}
	remote, got := w.remote("gateway"), make(chan api.Sealed, 1)
	go func() {
		sealed, err := remote.Snapshot(context.Background(), api.Held{Version: first.Version}, 30*time.Second)
		if err != nil {
			t.Error(err)
		}
		got <- sealed
	}()
	w.region.Replace(t, "title: Adressen", "title: Adressen en gebouwen")
	second, err := (<-got).Open(&w.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if second.Version.Number != 2 || second.Services[0].Title != "Adressen en gebouwen" {
		t.Errorf("got version %s with title %q", second.Version, second.Services[0].Title)
	}
}

func TestARegionWithFaultsChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.cfg.Poll = config.Duration(time.Hour)
	w.start()
	w.region.Replace(t, "roles: [administrator]", "roles: [boss]")
	_, err := w.remote("hubctl").Reload(t.Context())
	e := errs.As(err)
	if e.Code.ID != "region-refused" || len(e.Fields) != 1 || !strings.Contains(e.Fields[0].Reason, "boss") {
		t.Errorf("got %v with fields %v, want region-refused naming the role", err, e.Fields)
	}
	if got := w.snapshot(api.Version{}, 0).Version.Number; got != 1 {
		t.Errorf("got number %d, want 1", got)
	}
	// A restart goes on with what the store has.
	w.stop()
	w.start()
	if got := w.snapshot(api.Version{}, 0); got.Version.Number != 1 || len(got.Grants) != 1 {
		t.Errorf("got version %s after the restart", got.Version)
	}
	w.region.Replace(t, "roles: [boss]", "roles: [auditor]")
	if v, err := w.remote("hubctl").Reload(t.Context()); err != nil || v.Number != 1 {
		t.Errorf("got %v, %v after mending a file whose people are not in the snapshot, want 1.1", v, err)
	}
}

func TestTheFirstStartNeedsARegionWithoutFaults(t *testing.T) {
	w := newWorld(t)
	w.region.Replace(t, "slug: emmen", "slug: assen")
	if _, err := w.new(); err == nil || !strings.Contains(err.Error(), "stands there twice") {
		t.Errorf("got %v, want the faults of the region", err)
	}
}

func TestAnEpochNeverGoesBack(t *testing.T) {
	w := newWorld(t)
	w.cfg.Epoch = 2
	w.start()
	if got, want := w.snapshot(api.Version{Epoch: 1, Number: 99}, 0).Version, (api.Version{Epoch: 2, Number: 1}); got != want {
		t.Errorf("got version %s, want %s", got, want)
	}
	_, err := w.remote("gateway").Snapshot(t.Context(), api.Held{Version: api.Version{Epoch: 2, Number: 9}}, 0)
	if got := errs.As(err).Code.ID; got != "snapshot-version-ahead" {
		t.Errorf("got %q for a version never published, want snapshot-version-ahead", got)
	}
	held := api.Held{Version: api.Version{Epoch: 2, Number: 1}, Hash: api.Sealed{}.Hash()}
	_, err = w.remote("gateway").Snapshot(t.Context(), held, 0)
	if got := errs.As(err).Code.ID; got != "snapshot-differs" {
		t.Errorf("got %q for another content, want snapshot-differs", got)
	}
	w.stop()
	w.cfg.Epoch = 1
	if _, err := w.new(); err == nil || !strings.Contains(err.Error(), "epoch never goes back") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestAReplacedSigningKeySignsAnew(t *testing.T) {
	w := newWorld(t).start()
	w.stop()
	var err error
	if w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	w.region.Write(t, "signing.key", regiontest.PrivatePEM(t, w.key))
	w.start()
	if got := w.snapshot(api.Version{}, 0).Version.Number; got != 2 {
		t.Errorf("got number %d, want 2", got)
	}
}

func (w *world) keys(part, instance string) api.PartKeys {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	set, err := token.PublicSet(&key.PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	return api.PartKeys{Part: part, Instance: instance, JWKS: set}
}

func TestPartsPublishTheirOwnKeysOnly(t *testing.T) {
	w := newWorld(t).start()
	keys := w.keys("gateway", "gw-1")
	for range 2 { // the second changes nothing
		if err := w.remote("gateway").PublishKeys(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.snapshot(api.Version{}, 0); s.Version.Number != 2 || len(s.Keys) != 1 || s.Keys[0].Instance != "gw-1" {
		t.Errorf("got version %s with keys %+v", s.Version, s.Keys)
	}
	if err := w.remote("gateway").PublishKeys(t.Context(), w.keys("gateway", "gw-1")); err != nil {
		t.Fatal(err)
	}
	if s := w.snapshot(api.Version{}, 0); len(s.Keys) != 2 {
		t.Errorf("got %d sets, want the new one and the one it replaced", len(s.Keys))
	}
	for name, err := range map[string]error{
		"registry-part-not-allowed": w.remote("gateway").PublishKeys(t.Context(), w.keys("authserver", "as-1")),
		"invalid-input":             w.remote("gateway").PublishKeys(t.Context(), api.PartKeys{Part: "gateway", Instance: "x", JWKS: json.RawMessage(`{"keys":[]}`)}),
	} {
		if got := errs.As(err).Code.ID; got != name {
			t.Errorf("got %q (%v), want %q", got, err, name)
		}
	}
	if err := w.remote("journal").PublishKeys(t.Context(), w.keys("journal", "j-1")); errs.As(err).Code.ID != "registry-part-not-allowed" {
		t.Errorf("got %v for a part without keys in the snapshot", err)
	}
	if _, err := w.remote("gateway").Reload(t.Context()); errs.As(err).Code.ID != "registry-part-not-allowed" {
		t.Errorf("got %v for a reload by the gateway", err)
	}
}

func TestAStopEndsLongPolls(t *testing.T) {
	w := newWorld(t).start()
	polled := make(chan error, 1)
	remote := w.remote("authserver")
	go func() {
		_, err := remote.Snapshot(context.Background(), api.Held{Version: api.Version{Epoch: 1, Number: 1}}, 60*time.Second)
		polled <- err
	}()
	began := time.Now()
	w.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	<-polled
}

// call sends a request with a call token of the gateway for an organisation.
func (w *world) call(path string, signer *token.Signer, claims token.Claims) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "https://"+w.svc.Addr()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if signer != nil {
		raw, err := signer.Sign(&claims)
		if err != nil {
			w.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+raw)
	}
	resp, err := w.http("gateway").Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestAnOrganisationSeesItsOwnAgreementsOnly(t *testing.T) {
	w := newWorld(t).start()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := token.NewSigner(key, token.TypeCall)
	if err != nil {
		t.Fatal(err)
	}
	set, err := token.PublicSet(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.remote("gateway").PublishKeys(t.Context(), api.PartKeys{Part: "gateway", Instance: "gw-1", JWKS: set}); err != nil {
		t.Fatal(err)
	}
	claims := func(oin, scope string, roles ...string) token.Claims {
		now := time.Now()
		return token.Claims{
			Issuer: hubURL, Subject: "c", ClientID: "c", AuthorizedParty: "c", Audience: hubURL + "/beheer", PeerID: oin,
			Issued: token.Date(now), NotBefore: token.Date(now), Expires: token.Date(now.Add(30 * time.Second)),
			ID: token.NewID(), Scope: scope, GroupID: "noorderhub-test", Roles: roles,
		}
	}
	const hash = `"hash":"$1$3$`
	for _, tt := range []struct {
		name, path string
		signer     *token.Signer
		claims     token.Claims
		status     int
		has, lacks string
	}{
		{"a party sees its agreement", "/beheer/v1/afspraken", signer, claims(regiontest.AssenOIN, "beheer.lezen"), 200, hash, "adressen controleren!"},
		{"another organisation sees none", "/beheer/v1/afspraken", signer, claims(regiontest.EmmenOIN, "beheer.lezen"), 200, `"afspraken":[]`, hash},
		{"the hub operator sees all", "/beheer/v1/afspraken", signer, claims(regiontest.EmmenOIN, "beheer.lezen", token.RoleHubOperator), 200, hash, "accept"},
		{"services", "/beheer/v1/diensten", signer, claims(regiontest.EmmenOIN, "beheer.lezen"), 200, `"slug":"bag"`, "127.0.0.1"},
		{"organisations", "/beheer/v1/organisaties", signer, claims(regiontest.EmmenOIN, "beheer.lezen"), 200, `"gemeentecode":"0106"`, "anna@"},
		{"a token without the scope", "/beheer/v1/afspraken", signer, claims(regiontest.AssenOIN, "journaal.lezen"), 403, "scope-missing", hash},
		{"no token", "/beheer/v1/afspraken", nil, token.Claims{}, 401, "", hash},
		{"an unknown parameter", "/beheer/v1/afspraken?x=1", signer, claims(regiontest.AssenOIN, "beheer.lezen"), 400, `"x"`, hash},
		{"the description is public", "/beheer/v1/openapi.json", nil, token.Claims{}, 200, "lijstAfspraken", ""},
		{"a path that is not clean", "//beheer/v1/afspraken", signer, claims(regiontest.AssenOIN, "beheer.lezen"), 404, "not-found", hash},
		{"a path with a dot segment", "/beheer/../beheer/v1/afspraken", signer, claims(regiontest.AssenOIN, "beheer.lezen"), 404, "not-found", hash},
		{"a trailing slash", "/beheer/v1/afspraken/", signer, claims(regiontest.AssenOIN, "beheer.lezen"), 404, "not-found", hash},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := w.call(tt.path, tt.signer, tt.claims)
			if status != tt.status || !strings.Contains(body, tt.has) || tt.lacks != "" && strings.Contains(body, tt.lacks) {
				t.Errorf("got %d %s\nwant %d with %q and without %q", status, body, tt.status, tt.has, tt.lacks)
			}
		})
	}
}

func TestDraftsNameTheFilesThatAreToBeSigned(t *testing.T) {
	r := regiontest.Default(t)
	if err := os.RemoveAll(filepath.Join(r.Dir, "contracts")); err != nil {
		t.Fatal(err)
	}
	drafts, err := registry.Drafts(context.Background(), r.File(), regiontest.Now)
	if err != nil {
		t.Fatal(err)
	}
	if len(drafts) != 1 || drafts[0].Path != filepath.Join(r.Dir, "contracts", "assen-bag.json") {
		t.Errorf("got %+v", drafts)
	}
}

func TestAConfigurationIsCheckedWhole(t *testing.T) {
	cfg := registry.Config{Hub: "hub.example.nl/x", Telemetry: telemetry.Target{Ratio: 2}}
	err := cfg.Validate()
	for _, want := range []string{"listen", "region", "database", "signingKey", "envelope", "workload.cert", "hub is not", "poll", "epoch", "ratio"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
