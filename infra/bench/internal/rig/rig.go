// Package rig is the part of the hub that a benchmark of gateway and tokens needs: registry, journal, authorization server
// and gateway as processes of their own, on SQLite and a real Redis, with a region of one consumer and one provider. What
// they check, sign and record is what they do in production.
package rig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/proc"
	"noorderhub.nl/hub/libs/workload"
	authserver "noorderhub.nl/hub/services/authserver/api"
)

// ServicePart is who the service behind the gateway shows itself to be; ServiceName is how its certificate says so.
const (
	ServicePart = "proef"
	ServiceName = "proef.hub.internal"
)

// Clients of the consumer, by the algorithm of their key.
const (
	ClientES256 = "assen-es256"
	ClientRS256 = "assen-rs256"
)

// sampled is the share of calls that leave spans, as in production.
const sampled = 0.01

// Rig is a running hub.
type Rig struct {
	Plain   string // http://host:port of the gateway
	TLS     string // https://host:port of the gateway
	Issuer  string // of access tokens
	Tokens  string // https://host:port of the authorization server itself
	Gateway *proc.Process
	Auth    *proc.Process
	Journal *proc.Process
	Redis   *proc.Process

	Keys map[string]authserver.Key // of the clients

	material *material
	group    *proc.Group
	client   *http.Client
	clients  map[string]*authserver.Client // they keep their tokens
	admin    map[string]string             // part → host:port with its profiles
}

// Options of a rig.
type Options struct {
	Dir      string // folder that ends with the run
	Programs string // folder with the binaries of the parts
	Redis    string // program
	Upstream string // host:port of the service, https with client certificates
	Group    *proc.Group
	Material *Material
}

// Material is what peers need before the hub runs.
type Material struct {
	Service  workload.Files // of the service behind all
	Outside  workload.Files // what clients see
	Upstream workload.Files // how proxies show themselves to the service
	m        *material
}

// NewMaterial makes the keys and certificates of a run.
func NewMaterial(dir string) (*Material, error) {
	m, err := newMaterial(dir)
	if err != nil {
		return nil, err
	}
	out := &Material{m: m}
	if out.Service, err = m.part(ServicePart); err != nil {
		return nil, err
	}
	if out.Upstream, err = m.part("gateway"); err != nil {
		return nil, err
	}
	out.Outside, err = m.outside()
	return out, err
}

// Build compiles programs of the module at root into dir.
func Build(ctx context.Context, root, dir string, packages ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-o", dir + "/"}, packages...)...) //nolint:gosec // fixed packages
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// Programs are the packages of the parts that a rig starts.
func Programs() []string {
	return []string{"./gateway/cmd/gateway", "./services/registry/cmd/registry", "./services/journal/cmd/journal", "./services/authserver/cmd/authserver"}
}

// Start runs the parts and waits until the gateway is ready.
func Start(ctx context.Context, o Options) (*Rig, error) {
	m := o.Material.m
	r := &Rig{material: m, group: o.Group, client: o.Material.Client(), Keys: map[string]authserver.Key{}, clients: map[string]*authserver.Client{}}
	for id, alg := range algorithms() {
		key, err := m.clientKey(alg, id+".pem")
		if err != nil {
			return nil, err
		}
		r.Keys[id] = key
	}
	if err := m.writeRegion("https://"+o.Upstream, algorithms()); err != nil {
		return nil, err
	}
	if err := m.snapshotKey(); err != nil {
		return nil, err
	}
	addresses, err := proc.Free(ctx, 9)
	if err != nil {
		return nil, err
	}
	at := at{registry: addresses[0], journal: addresses[1], auth: addresses[2], plain: addresses[3], tls: addresses[4], redis: addresses[5]}
	r.admin = map[string]string{"gateway": addresses[6], "authserver": addresses[7], "journal": addresses[8]}
	r.Plain, r.TLS, r.Tokens = "http://"+at.plain, "https://"+at.tls, "https://"+at.auth
	r.Issuer = r.Plain
	if r.Redis, err = startRedis(ctx, o, at.redis); err != nil {
		return nil, err
	}
	return r, r.startParts(ctx, o, at)
}

func algorithms() map[string]string {
	return map[string]string{ClientES256: authserver.ES256, ClientRS256: authserver.RS256}
}

// maxAnswer bounds an answer in bytes.
const maxAnswer = 1 << 20

func (r *Rig) get(ctx context.Context, url string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, body, err
}

// Client believes the certificates that clients see.
func (m *Material) Client() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(m.m.region.CertPEM)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}, MaxIdleConnsPerHost: 256}
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// PartClient calls parts as the gateway does.
func (m *Material) PartClient(part string) (*http.Client, error) {
	id, err := workload.Load(m.Upstream)
	if err != nil {
		return nil, err
	}
	client := id.HTTPClient(part)
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 256
	return client, nil
}

// Token gives a token for a service, as a client gets it and keeps it until shortly before its end.
func (r *Rig) Token(ctx context.Context, client, slug string) (string, error) {
	c, ok := r.clients[client]
	if !ok {
		metadata, err := authserver.Discover(ctx, r.client, r.Issuer)
		if err != nil {
			return "", err
		}
		c = &authserver.Client{HTTP: r.client, Metadata: metadata, ID: client, Key: r.Keys[client]}
		r.clients[client] = c
	}
	t, err := c.Token(ctx, authserver.Request{Resource: r.Resource(slug)})
	return t.AccessToken, err
}

// Resource is the audience of tokens for a service.
func (r *Rig) Resource(slug string) string { return r.Issuer + "/" + slug }

// SigningKeys gives the JWK Set of the authorization server.
func (r *Rig) SigningKeys(ctx context.Context) (json.RawMessage, error) {
	status, body, err := r.get(ctx, r.Plain+"/oauth2/jwks")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("jwks: status %d", status)
	}
	return body, err
}

// maxProfile bounds a profile in bytes.
const maxProfile = 64 << 20

// Profile gives the processor profile of a part over the next seconds, in the form of "go tool pprof".
func (r *Rig) Profile(ctx context.Context, process *proc.Process, d time.Duration) ([]byte, error) {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", r.admin[process.Name], int(d.Seconds()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req) // its own has a timeout that is shorter than a profile may be
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	profile, err := io.ReadAll(io.LimitReader(resp.Body, maxProfile))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("profile of %s: status %d", process.Name, resp.StatusCode)
	}
	return profile, err
}
