package peers

import (
	"context"
	"os"
	"path/filepath"
	"text/template"

	"noorderhub.nl/hub/infra/bench/internal/proc"
)

// Bearer is what HAProxy demands of access tokens: signature, issuer, audience and time, as its own manual shows it
// (configuration manual 2.6, jwt_verify). It knows no revocation, no contract and no record.
type Bearer struct {
	Alg       string
	PublicKey string // PEM file
	Issuer    string
	Audience  string
}

var haproxyFile = template.Must(template.New("haproxy").Parse(`
global
  maxconn 4096
  ssl-default-server-options ssl-min-ver TLSv1.3
  ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
  option forwardfor
frontend outside
  bind {{.Listen.Address}}{{if .Listen.TLS}} ssl crt {{.Dir}}/outside.pem{{end}}
{{if .Bearer.Alg}}
  http-request deny deny_status 401 unless { http_auth_bearer -m found }
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
  http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')
  http-request set-var(txn.aud) http_auth_bearer,jwt_payload_query('$.aud')
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.alg) -m str {{.Bearer.Alg}} }
  http-request deny deny_status 401 unless { var(txn.iss) -m str {{.Bearer.Issuer}} }
  http-request deny deny_status 401 unless { var(txn.aud) -m str {{.Bearer.Audience}} }
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 401 unless { http_auth_bearer,jwt_verify(txn.alg,"{{.Bearer.PublicKey}}") -m int 1 }
{{end}}
  default_backend service
backend service
  server one {{.Upstream.Address}} pool-max-conn 256{{if .Upstream.TLS}} ssl verify required ca-file {{.Upstream.Files.CA}} crt {{.Dir}}/inside.pem sni str({{.Upstream.Name}}) verifyhost {{.Upstream.Name}}{{end}}
`))

// StartHAProxy runs HAProxy as a proxy, with a check of tokens when bearer has an algorithm.
func StartHAProxy(ctx context.Context, g *proc.Group, dir, name, program string, listen, upstream Side, bearer Bearer) (*proc.Process, error) {
	dir = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for file, side := range map[string]Side{"outside.pem": listen, "inside.pem": upstream} {
		if err := joined(filepath.Join(dir, file), side); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(dir, "haproxy.cfg")
	err := render(haproxyFile, file, struct {
		Dir              string
		Listen, Upstream Side
		Bearer           Bearer
	}{dir, listen, upstream, bearer})
	if err != nil {
		return nil, err
	}
	return g.Start(ctx, name, proc.Listening(listen.Address), program, "-db", "-f", file)
}

// joined writes certificate and key into one file, as HAProxy wants them.
func joined(path string, s Side) error {
	if !s.TLS() {
		return nil
	}
	cert, err := os.ReadFile(s.Files.Cert)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(s.Files.Key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(cert, key...), 0o600)
}
