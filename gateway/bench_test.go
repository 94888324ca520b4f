package gateway_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"noorderhub.nl/hub/libs/token"
	registry "noorderhub.nl/hub/services/registry/api"
)

// BenchmarkCall measures one authenticated, authorised, recorded call over plain HTTP to a service over mTLS, all in one
// process: client, gateway and service together. The sync is left out, for the disk is not the gateway's.
func BenchmarkCall(b *testing.B) { benchmarkCall(b) }

// BenchmarkLimitedCall is a call under a contract with a rate and a quota, counted in Redis.
func BenchmarkLimitedCall(b *testing.B) {
	benchmarkCall(b, onSomeRedis(b), terms(func(of *registry.Terms) { of.Rate, of.Quota = 100_000, 1_000_000_000 }))
}

// BenchmarkKeptCall is a call that is answered from this process.
func BenchmarkKeptCall(b *testing.B) {
	benchmarkCall(b, onSomeRedis(b), terms(func(of *registry.Terms) { of.CacheSeconds = 3600 }))
}

func onSomeRedis(b *testing.B) option {
	addr := os.Getenv("NOORDERHUB_TEST_REDIS")
	if addr == "" {
		addr = miniredis.RunT(b).Addr()
	}
	return onRedis(addr)
}

func benchmarkCall(b *testing.B, options ...option) {
	b.Helper()
	r := newRig(b, append([]option{func(r *rig) { r.sync = func(*os.File) error { return nil } }}, options...)...)
	raw := r.token(func(c *token.Claims) { c.Expires += 600 })
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			q, _ := http.NewRequest("GET", "http://"+r.svc.Addr()+path, nil)
			q.Header.Set("Authorization", "Bearer "+raw)
			resp, err := client.Do(q)
			if err != nil {
				b.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Errorf("got %d", resp.StatusCode)
			}
		}
	})
}

// BenchmarkRefusal measures a call that is refused after the token and the contract were looked at.
func BenchmarkRefusal(b *testing.B) {
	r := newRig(b)
	raw := r.token(func(c *token.Claims) { c.GrantHash = ""; c.Expires += 600 })
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	b.ReportAllocs()
	for b.Loop() {
		q, _ := http.NewRequest("GET", "http://"+r.svc.Addr()+path, nil)
		q.Header.Set("Authorization", "Bearer "+raw)
		resp, err := client.Do(q)
		if err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}
