package gateway_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"noorderhub.nl/hub/gateway"
	"noorderhub.nl/hub/libs/telemetry"
	registry "noorderhub.nl/hub/services/registry/api"
)

// terms sets the terms of the contract under test.
func terms(edit func(*registry.Terms)) option {
	return func(r *rig) { r.source.change(func(s *registry.Snapshot) { edit(&s.Grants[0].Terms) }) }
}

func onRedis(addr string) option {
	return func(r *rig) {
		r.cfg.Redis.Addrs = []string{addr}
		r.cfg.Cache.Key = "0123456789abcdef0123456789abcdef"
		r.sync = func(*os.File) error { return nil }
	}
}

// another starts a second gateway beside the first and gives its address.
func (r *rig) another() string {
	r.t.Helper()
	cfg := r.cfg
	cfg.Data = r.t.TempDir()
	svc, err := gateway.New(context.Background(), cfg, gateway.Deps{
		Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), Snapshots: r.source, Publish: r.source, Journal: &memory{}, Sync: r.sync,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("the other gateway ended with %v", err)
		}
	})
	eventually(r.t, "the other gateway is ready", func() bool { return svc.Ready(context.Background()) == nil })
	return svc.Addr()
}

func everyRedis(t *testing.T, test func(t *testing.T, addr string)) {
	t.Run("embedded", func(t *testing.T) { test(t, miniredis.RunT(t).Addr()) })
	t.Run("real", func(t *testing.T) {
		addr := os.Getenv("NOORDERHUB_TEST_REDIS")
		if addr == "" {
			t.Skip("NOORDERHUB_TEST_REDIS names no Redis; only the embedded twin was tested")
		}
		test(t, addr)
	})
}

// Clients press both gateways for two seconds and on until each of them is refused: then the bucket is empty, and the calls
// that were let through are those that came into it up to that moment.
func TestTwoGatewaysShareOneRate(t *testing.T) {
	everyRedis(t, func(t *testing.T, addr string) {
		const rate, burst, long = 150, 5, 2 * time.Second
		r := newRig(t, onRedis(addr), terms(func(of *registry.Terms) { of.Rate = rate }), func(r *rig) {
			// Another grant per run: a Redis that stays remembers.
			r.source.change(func(s *registry.Snapshot) { s.Grants[0].Hash += strconv.FormatInt(time.Now().UnixNano(), 36) })
			r.source.change(func(s *registry.Snapshot) { s.Clients[0].Assignments[0].GrantHash = s.Grants[0].Hash })
		})
		raw := r.tokenOf(r.source.Current().Grants[0].Hash)
		var passed, last atomic.Int64
		var tooSlow atomic.Bool
		var clients sync.WaitGroup
		addresses := []string{r.svc.Addr(), r.another()}
		begin := time.Now()
		for _, address := range addresses {
			for range 4 {
				clients.Go(func() {
					for {
						before := time.Since(begin)
						switch got := r.with(http.DefaultClient, "http://"+address, "GET", path, raw, nil, nil); got.StatusCode {
						case http.StatusOK:
							passed.Add(1)
							if before > 5*long {
								tooSlow.Store(true)
								return
							}
							continue
						case http.StatusTooManyRequests:
						default:
							t.Errorf("got %d %s", got.StatusCode, got.body)
							return
						}
						if before > long {
							last.Store(max(last.Load(), int64(before)))
							return
						}
						<-time.After(2 * time.Millisecond)
					}
				})
			}
		}
		clients.Wait()
		if tooSlow.Load() {
			t.Skipf("this machine does not make %d calls per second beside what else it does: nothing to measure", rate)
		}
		least := 0.99 * rate * time.Duration(last.Load()).Seconds()
		most := rate*time.Since(begin).Seconds() + burst
		if got := float64(passed.Load()); got < least || got > most {
			t.Errorf("got %.0f calls through, want %.0f to %.0f", got, least, most)
		}
		t.Logf("%d calls, want %.0f to %.0f", passed.Load(), least, most)
	})
}

func TestACallTooManyIsRefusedWithWhatToDo(t *testing.T) {
	r := newRig(t, terms(func(of *registry.Terms) { of.Rate, of.Quota = 2, 100 }))
	raw := r.token(nil)
	first := r.get(path, raw)
	if first.StatusCode != 200 || first.Header.Get("RateLimit-Policy") != `"rate";q=2;w=1, "quota";q=100;w=86400` ||
		!strings.HasPrefix(first.Header.Get("RateLimit"), `"rate";r=1;t=1, "quota";r=99;t=`) {
		t.Errorf("got %d with %q and %q", first.StatusCode, first.Header.Get("RateLimit-Policy"), first.Header.Get("RateLimit"))
	}
	var refused *answer
	eventually(t, "the rate is met", func() bool {
		refused = r.get(path, raw)
		return refused.StatusCode == http.StatusTooManyRequests
	})
	checkRefusal(t, refused)
	if p := refused.problem(); p.Code != "rate-exceeded" || p.Rule != "contract $1$1$contract" {
		t.Errorf("got %+v", p)
	}
	if got := refused.Header.Get("Retry-After"); got != "1" || !strings.HasPrefix(refused.Header.Get("RateLimit"), `"rate";r=0;t=1`) {
		t.Errorf("got Retry-After %q, RateLimit %q", got, refused.Header.Get("RateLimit"))
	}
	rec := r.records(refused.Header.Get("Fsc-Transaction-Id"), 1)
	if d := rec[0].Decision; len(rec) != 1 || d.Permit || d.Code != "rate-exceeded" || d.GrantHash != grantHash {
		t.Errorf("got records %+v", rec)
	}
}

func TestAQuotaThatIsUsedUpComesBackAtMidnight(t *testing.T) {
	r := newRig(t, terms(func(of *registry.Terms) { of.Quota = 2 }))
	raw := r.token(nil)
	for i, want := range []int{200, 200, 429, 429} {
		got := r.get(path, raw)
		if got.StatusCode != want {
			t.Fatalf("call %d: got %d, want %d", i, got.StatusCode, want)
		}
		if want == 429 {
			after, err := strconv.Atoi(got.Header.Get("Retry-After"))
			if got.problem().Code != "quota-exceeded" || err != nil || after < 1 || after > 25*3600 {
				t.Errorf("got %s, Retry-After %d", got.body, after)
			}
			checkRefusal(t, got)
		}
	}
	if n := len(r.calls()); n != 2 {
		t.Errorf("the service got %d calls, want 2", n)
	}
}

func TestANarrowingLowersTheRateAndNeverRaisesIt(t *testing.T) {
	r := newRig(t, terms(func(of *registry.Terms) { of.Rate = 50 }))
	raw := r.token(nil)
	policy := func(want string) {
		t.Helper()
		eventually(t, "the policy is "+want, func() bool { return r.get(path, raw).Header.Get("RateLimit-Policy") == want })
	}
	narrow := func(rate int) {
		r.source.change(func(s *registry.Snapshot) { s.Grants[0].Narrowing = &registry.Narrowing{Rate: rate, By: assen} })
	}
	policy(`"rate";q=50;w=1`)
	narrow(10)
	policy(`"rate";q=10;w=1`)
	narrow(500)
	policy(`"rate";q=50;w=1`)
	r.source.change(func(s *registry.Snapshot) { s.Grants[0].Terms.Rate = 0 })
	policy(`"rate";q=500;w=1`)
	r.source.change(func(s *registry.Snapshot) { s.Grants[0].Narrowing = nil })
	policy("")
}

func TestWithoutRedisCallsGoOnUnderLocalLimits(t *testing.T) {
	server := miniredis.RunT(t)
	r := newRig(t, onRedis(server.Addr()), terms(func(of *registry.Terms) { of.Rate, of.Quota, of.CacheSeconds = 1000, 30, 60 }))
	raw := r.token(nil)
	ok := func(n int) {
		t.Helper()
		for range n {
			if got := r.get(path+"?x="+strconv.Itoa(len(r.calls())), raw); got.StatusCode != 200 {
				t.Fatalf("got %d %s", got.StatusCode, got.body)
			}
		}
	}
	ok(10)
	server.Close()
	ok(10)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	ok(10)
	if got := r.get(path, raw); got.problem().Code != "quota-exceeded" {
		t.Errorf("got %d %s: what was used without Redis does not count", got.StatusCode, got.body)
	}
}
