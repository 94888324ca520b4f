// Package peers runs what the product is compared with: nginx and HAProxy as Debian packages them, and a proxy of Go's
// own library. It also runs the service behind all of them, nginx with one fixed answer.
package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"noorderhub.nl/hub/infra/bench/internal/proc"
	"noorderhub.nl/hub/libs/workload"
)

// Answer is the body of the service behind all lines: 512 bytes of JSON.
var Answer = []byte(`{"gegevens":"` + strings.Repeat("x", 512-len(`{"gegevens":""}`)) + `"}`)

// Side is one side of a proxy: with TLS where Files are set.
type Side struct {
	Address string         // host:port
	Files   workload.Files // certificate and authority of the proxy for this side
	Name    string         // of the upstream's certificate
}

// TLS tells whether the side speaks TLS.
func (s Side) TLS() bool { return s.Files.Cert != "" }

// keepRequests is how often nginx uses a connection. Its default of 1000 would make it connect anew all the time, which
// neither HAProxy nor the product does.
const keepRequests = 1_000_000_000

var nginxFile = template.Must(template.New("nginx").Parse(`
daemon off;
worker_processes {{.Workers}};
pid {{.Dir}}/nginx.pid;
error_log {{.Dir}}/error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  default_type application/json;
  keepalive_requests {{.Keep}};
  client_body_temp_path {{.Dir}}/body; proxy_temp_path {{.Dir}}/proxy; fastcgi_temp_path {{.Dir}}/fastcgi;
  uwsgi_temp_path {{.Dir}}/uwsgi; scgi_temp_path {{.Dir}}/scgi;
{{if .Upstream.Address}}
  upstream service { server {{.Upstream.Address}}; keepalive 256; keepalive_requests {{.Keep}}; }
{{end}}
{{range .Listen}}
  server {
    listen {{.Address}}{{if .TLS}} ssl{{end}};
{{if .TLS}}
    ssl_certificate {{.Files.Cert}}; ssl_certificate_key {{.Files.Key}}; ssl_protocols TLSv1.3; ssl_session_tickets off;
{{if $.Mutual}}    ssl_client_certificate {{.Files.CA}}; ssl_verify_client on;{{end}}
{{end}}
    location / {
{{if $.Upstream.Address}}
      proxy_pass {{if $.Upstream.TLS}}https{{else}}http{{end}}://service;
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr;
{{if $.Upstream.TLS}}
      proxy_ssl_certificate {{$.Upstream.Files.Cert}}; proxy_ssl_certificate_key {{$.Upstream.Files.Key}};
      proxy_ssl_trusted_certificate {{$.Upstream.Files.CA}}; proxy_ssl_verify on; proxy_ssl_protocols TLSv1.3;
      proxy_ssl_name {{$.Upstream.Name}}; proxy_ssl_server_name on;
{{end}}
{{else}}
      return 200 '{{$.Answer}}';
{{end}}
    }
  }
{{end}}
}
`))

type nginx struct {
	Dir, Answer string
	Workers     string
	Keep        int
	Listen      []Side
	Upstream    Side
	Mutual      bool // client certificates are demanded
}

// StartNginx runs nginx as a proxy that checks nothing.
func StartNginx(ctx context.Context, g *proc.Group, dir, name, program string, listen, upstream Side) (*proc.Process, error) {
	return startNginx(ctx, g, filepath.Join(dir, name), name, program, nginx{Workers: "auto", Listen: []Side{listen}, Upstream: upstream})
}

// StartService runs the service behind all lines, on http and on https with client certificates.
func StartService(ctx context.Context, g *proc.Group, dir, program string, plain, mutual Side) (*proc.Process, error) {
	return startNginx(ctx, g, filepath.Join(dir, "service"), "service", program, nginx{
		Workers: "1", Listen: []Side{plain, mutual}, Mutual: true, Answer: string(Answer),
	})
}

func startNginx(ctx context.Context, g *proc.Group, dir, name, program string, n nginx) (*proc.Process, error) {
	// nginx gives its work to a user without rights, who must reach the folder.
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // see above
		return nil, err
	}
	n.Dir, n.Keep = dir, keepRequests
	file := filepath.Join(dir, "nginx.conf")
	if err := render(nginxFile, file, n); err != nil {
		return nil, err
	}
	return g.Start(ctx, name, proc.Listening(n.Listen[len(n.Listen)-1].Address), program, "-c", file, "-p", dir)
}

func render(t *template.Template, file string, data any) error {
	text := &strings.Builder{}
	if err := t.Execute(text, data); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text.String()), 0o600)
}
