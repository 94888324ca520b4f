package gateway_test

import (
	"strings"
	"testing"

	"noorderhub.nl/hub/gateway"
	"noorderhub.nl/hub/libs/workload"
)

func TestTheConfigurationReportsAllFaultsTogether(t *testing.T) {
	good := gateway.Defaults()
	good.Hub, good.Data, good.ListenTLS = "https://hub.example.nl", "/data", ":8443"
	good.TLS = gateway.TLSConfig{Cert: "c", Key: "k"}
	good.Redis.Addrs = []string{"redis:6379"}
	good.Workload = workload.Files{Cert: "c", Key: "k", CA: "a"}
	good.Parts = gateway.PartsConfig{Registry: "https://a", Journal: "https://b", AuthServer: "https://c", Portal: "https://d"}
	if err := good.Validate(); err != nil {
		t.Fatalf("a good configuration was refused: %v", err)
	}
	for name, tc := range map[string]struct {
		edit func(*gateway.Config)
		want []string
	}{
		"everything missing":         {func(c *gateway.Config) { *c = gateway.Config{} }, []string{"hub", "data", "workload.cert", "parts.portal", "listen", "durations"}},
		"plain outside demo":         {func(c *gateway.Config) { c.Listen = "127.0.0.1:8080" }, []string{"demo mode only"}},
		"plain beyond loopback":      {func(c *gateway.Config) { c.Demo, c.Listen = true, "0.0.0.0:8080" }, []string{"not a loopback address"}},
		"plain on a name":            {func(c *gateway.Config) { c.Demo, c.Listen = true, "localhost:8080" }, []string{"not a loopback address"}},
		"a plain hub outside demo":   {func(c *gateway.Config) { c.Hub = "http://hub.example.nl" }, []string{"https"}},
		"a hub with a path":          {func(c *gateway.Config) { c.Hub = "https://hub.example.nl/x" }, []string{"without path"}},
		"limits that are not shared": {func(c *gateway.Config) { c.Redis.Addrs = nil }, []string{"redis is missing"}},
		"two kinds of Redis":         {func(c *gateway.Config) { c.Redis.Embedded = true }, []string{"exactly one"}},
		"a balancer by its name":     {func(c *gateway.Config) { c.ProxyProtocol.Trusted = []string{"haproxy", "10.0.0.0/8"} }, []string{`"haproxy" is not a range`}},
		"PROXY protocol without TLS": {func(c *gateway.Config) { c.ListenTLS, c.ProxyProtocol.Trusted = "", []string{"::1/128"} }, []string{"listenTls, which"}},
		"a short key of answers":     {func(c *gateway.Config) { c.Cache.Key = "kort" }, []string{"cache.key"}},
		"sizes below nothing":        {func(c *gateway.Config) { c.Cache.Memory = -1 }, []string{"negative"}},
		"TLS without a certificate":  {func(c *gateway.Config) { c.TLS = gateway.TLSConfig{} }, []string{"tls.cert"}},
	} {
		c := good
		tc.edit(&c)
		err := c.Validate()
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want a word on %q", name, err, want)
			}
		}
	}
}
