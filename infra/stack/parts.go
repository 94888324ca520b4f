package stack

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/infra/up/material"
)

// block is a part of a configuration file.
type block = map[string]any

// configurations are the files of all processes, by name, as an operator would write them.
func (s *Stack) configurations() map[string]block {
	files := map[string]block{
		"registry": {
			"region": s.files.Region(), "database": s.dsn("registry"), "signingKey": s.files.SnapshotKey(), "poll": "500ms",
			"envelope": "file:" + s.files.Secret("custody"), "hosted": s.hosted(), "upstreamKey": "file:" + s.files.Secret("upstreams"),
		},
		"journal": {
			"hubOin": s.region.HubOIN(), "registry": s.following("journal"), "database": s.dsn("journal"),
			"pseudonyms": "file:" + s.files.Secret("pseudonyms"),
		},
		"authserver": {
			"instance": "authserver-1", "mtls": s.URL, "registry": s.following("authserver"), "database": s.dsn("authserver"),
			"envelope": "file:" + s.files.Secret("envelope"), "redis": s.redisBlock(),
		},
		"cases": s.cases(),
		"portal": {
			"security": block{
				"contact": []string{"mailto:security@noorderhub.example"},
				"expires": time.Now().AddDate(0, 6, 0).UTC().Format(time.RFC3339),
			},
		},
	}
	for _, name := range material.Instances("address", s.counts) {
		files[name] = block{
			"data": s.data(name), "extracts": []string{s.files.Path(bagextract.TownFile)}, "importFirst": true,
			"keysUrl": s.URL + "/oauth2/jwks",
		}
	}
	for _, name := range material.Instances("gateway", s.counts) {
		files[name] = s.gateway(name)
	}
	for name, file := range files {
		s.common(name, file)
	}
	return files
}

// common is what every part's file has.
func (s *Stack) common(name string, file block) {
	pair := s.files.Pair(name)
	file["hub"] = s.URL
	file["admin"] = s.at[name+"-admin"]
	file["workload"] = block{"cert": pair.Cert, "key": pair.Key, "ca": pair.CA}
	file["consul"] = block{"address": "http://" + s.at["consul"]}
	file["telemetry"] = block{"endpoint": s.url("journal") + "/v1/traces", "ratio": 1.0}
	if _, gateway := file["listenTls"]; !gateway {
		file["listen"] = s.at[name]
	}
}

func (s *Stack) hosted() (list []block) {
	for _, h := range material.Hosted(s.files, s.region) {
		list = append(list, block{"oin": h.OIN, "key": h.Key, "certificate": h.Certificate, "anchor": h.Anchor})
	}
	return list
}

func (s *Stack) cases() block {
	client := s.region.Client("noorderhub-cases")
	return block{
		"hubOin": s.region.HubOIN(), "registry": s.following("cases"), "database": s.dsn("cases"),
		"receipts": block{"keys": s.files.Receipts(), "anchors": []string{s.files.CA()}},
		"logbook":  block{"client": client.ID, "key": s.files.ClientKey(client), "alg": client.Alg, "ca": s.files.CA()},
	}
}

func (s *Stack) gateway(name string) block {
	certificate := s.files.Pair(material.Outside)
	file := block{
		"name": name, "data": s.data(name), "listenTls": s.at[name],
		"tls":         block{"cert": certificate.Cert, "key": certificate.Key, "clientCas": s.files.CA()},
		"redis":       s.redisBlock(),
		"upstreamKey": "file:" + s.files.Secret("upstreams"),
		"cache":       block{"key": "file:" + s.files.Secret("answers")}, // one for all gateways, so that they share answers
		"parts": block{
			"registry": s.url("registry"), "journal": s.url("journal"), "authserver": s.url("authserver"), "portal": s.url("portal"),
		},
		"registry":      block{"keys": []string{s.files.SnapshotPub()}},
		"proxyProtocol": block{"trusted": []string{"127.0.0.0/8"}},
	}
	for key, value := range s.options.Gateway {
		file[key] = value
	}
	return file
}

func (s *Stack) following(name string) block {
	return block{"url": s.url("registry"), "keys": []string{s.files.SnapshotPub()}, "file": filepath.Join(s.data(name), "snapshot")}
}

func (s *Stack) redisBlock() block { return block{"addrs": []string{s.at["redis"]}} }

func (s *Stack) url(part string) string { return "https://" + s.at[part] }

func (s *Stack) data(name string) string { return filepath.Join(s.dir, "data", name) }

// writeConfigurations puts every file into the folder config, and the town into the folder of the hub.
func (s *Stack) writeConfigurations() error {
	for name, file := range s.configurations() {
		text, err := yaml.Marshal(file)
		if err != nil {
			return err
		}
		if err := errors.Join(os.MkdirAll(s.data(name), 0o700), os.WriteFile(s.Config(name), text, 0o600)); err != nil {
			return err
		}
	}
	town, err := os.Create(s.files.Path(bagextract.TownFile))
	if err != nil {
		return err
	}
	return errors.Join(bagextract.WriteTown(io.Writer(town)), town.Close())
}

// Config is the configuration file of a part's process.
func (s *Stack) Config(name string) string { return filepath.Join(s.dir, "config", name+".yaml") }

// part is the process of one instance of a part.
func (s *Stack) part(part, name string) *Process {
	p := s.process(name, filepath.Join(s.options.Bin, part), "--config", s.Config(name))
	p.Admin = "http://" + s.at[name+"-admin"]
	p.end, p.strict = syscall.SIGTERM, true
	p.env = []string{"SSL_CERT_FILE=" + s.files.CA()} // the hub's outside certificate is of an authority that no system knows
	p.ready = func(ctx context.Context) error { return answers(ctx, p.Admin+"/readyz") }
	return p
}
