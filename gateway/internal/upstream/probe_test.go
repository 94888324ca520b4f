package upstream

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/kit/sd"

	"noorderhub.nl/hub/libs/discovery"
	registry "noorderhub.nl/hub/services/registry/api"
)

func TestAProbeNamesTheStepThatFails(t *testing.T) {
	var off atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(time.Duration(off.Load())).UTC().Format(http.TimeFormat))
		if r.URL.Path == "/ziek" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "https://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	pool, err := NewPool(PoolConfig{
		PartTLS: func(string) *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS13} }, Logger: slog.New(slog.DiscardHandler),
		Catalogue: func(name string) (sd.Instancer, error) {
			if name == "weg" {
				return nil, errors.New("no catalogue")
			}
			in, err := discovery.FromURL(server.URL)
			return discovery.Static{in}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	local := []string{"127.0.0.0/8"}
	for name, tt := range map[string]struct {
		up     registry.Upstream
		off    time.Duration
		step   string // that fails; "": none
		passed int
	}{
		"well":                      {registry.Upstream{Addresses: []string{server.URL}, CAs: ca, Networks: local, Health: "/gezond"}, 0, "", 5},
		"by the catalogue":          {registry.Upstream{Addresses: []string{"consul:er"}, CAs: ca, Networks: local}, 0, "", 6},
		"not in the catalogue":      {registry.Upstream{Addresses: []string{"consul:weg"}, CAs: ca, Networks: local}, 0, "catalogus", 0},
		"a name that is not":        {registry.Upstream{Addresses: []string{"https://nergens.invalid"}, Networks: local}, 0, "dns", 0},
		"nothing listens":           {registry.Upstream{Addresses: []string{nobody}, Networks: local}, 0, "poort", 1},
		"a network that is closed":  {registry.Upstream{Addresses: []string{server.URL}, CAs: ca}, 0, "poort", 1},
		"an unknown authority":      {registry.Upstream{Addresses: []string{server.URL}, Networks: local}, 0, "tls", 2},
		"another name":              {registry.Upstream{Addresses: []string{strings.Replace(server.URL, "127.0.0.1", "localhost", 1)}, CAs: ca, Networks: []string{"127.0.0.0/8", "::1/128"}}, 0, "tls", 2},
		"no TLS":                    {registry.Upstream{Addresses: []string{strings.Replace(plain.URL, "http:", "https:", 1)}, Networks: local}, 0, "tls", 2},
		"a clock that is off":       {registry.Upstream{Addresses: []string{server.URL}, CAs: ca, Networks: local}, time.Hour, "klok", 4},
		"a health path that is ill": {registry.Upstream{Addresses: []string{server.URL}, CAs: ca, Networks: local, Health: "/ziek"}, 0, "pad", 4},
	} {
		off.Store(int64(tt.off))
		got := pool.Probe(t.Context(), &registry.Service{Slug: "x", Upstream: tt.up}).Steps
		failed, passed := "", 0
		for _, s := range got {
			if s.OK {
				passed++
				continue
			}
			failed = s.Step
			if s.NextNL == "" || s.NextEN == "" || s.NL == "" || s.EN == "" {
				t.Errorf("%s: %+v has no next step", name, s)
			}
		}
		if failed != tt.step || passed != tt.passed {
			t.Errorf("%s: got %+v, want %q to fail after %d", name, got, tt.step, tt.passed)
		}
	}
}
