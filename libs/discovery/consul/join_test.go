package consul

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/app"
)

// part is a running app in a test.
type part struct {
	app    *app.App
	stop   func()
	unwell atomic.Bool
}

// run starts an app with what wire registers. Its stop is checked.
func run(t *testing.T, wire func(*app.App)) *part {
	t.Helper()
	p := &part{app: app.New("proef", quiet, 5*time.Second)}
	p.app.Check("health", func(context.Context) error {
		if p.unwell.Load() {
			return errors.New("unwell")
		}
		return nil
	})
	wire(p.app)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.app.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("got %v from Run", err)
		}
	})
	t.Cleanup(p.stop)
	return p
}

func join(t *testing.T, c *Client, name, listener string) *part {
	t.Helper()
	return run(t, func(a *app.App) {
		if err := c.Join(a, name, listener); err != nil {
			t.Fatal(err)
		}
	})
}

func open(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := Open(cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("waited in vain: " + what)
		case <-tick.C:
		}
	}
}

func TestAPartIsFoundWhileItIsReadyAndNotLonger(t *testing.T) {
	f := newFake(t)
	c := open(t, Config{Address: f.URL, Weight: 3})
	_, events := follow(t, c, "bag")
	expect(t, events)
	p := join(t, c, "bag", "127.0.0.1:8443")
	expect(t, events, "127.0.0.1:8443;weight=3")
	p.unwell.Store(true)
	expect(t, events)
	p.unwell.Store(false)
	expect(t, events, "127.0.0.1:8443;weight=3")
	p.stop()
	if f.has("bag-127-0-0-1-8443") {
		t.Error("a part that stopped is still registered")
	}
	expect(t, events)
}

func TestAPartRegistersAnewWhenTheAgentForgot(t *testing.T) {
	f := newFake(t)
	c := open(t, Config{Address: f.URL, Advertise: "[2001:db8::1]:9"})
	join(t, c, "bag", "0.0.0.0:8443")
	_, events := follow(t, c, "bag")
	expect(t, events, "[2001:db8::1]:9")
	f.change(func() { clear(f.services) })
	expect(t, events)
	expect(t, events, "[2001:db8::1]:9")
}

func TestAPartLeavesBeforeItsListenerCloses(t *testing.T) {
	f := newFake(t)
	left := make(chan bool, 1)
	c := open(t, Config{Address: f.URL})
	p := run(t, func(a *app.App) {
		a.OnStop("listener", func(context.Context) error { left <- !f.has("bag-127-0-0-1-8443"); return nil })
		if err := c.Join(a, "bag", "127.0.0.1:8443"); err != nil {
			t.Fatal(err)
		}
	})
	eventually(t, "registration", func() bool { return f.has("bag-127-0-0-1-8443") })
	began := time.Now()
	p.stop()
	if !<-left {
		t.Error("the listener closed while callers still found the part")
	}
	if took := time.Since(began); took < settle {
		t.Errorf("the listener closed %v after the part left, want %v for the news to arrive", took, settle)
	}
}

func TestAnAgentThatIsAwayHoldsUpNothingAndIsToldOnce(t *testing.T) {
	f := newFake(t)
	f.away = true
	log := &lines{}
	c, err := Open(Config{Address: f.URL}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p := join(t, c, "bag", "127.0.0.1:8443")
	eventually(t, "ready", func() bool { return p.app.Ready(t.Context()) == nil })
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the start took %v", took)
	}
	eventually(t, "the log", func() bool { return log.count("not registered") == 1 })
	f.change(func() { f.away = false })
	eventually(t, "registration", func() bool { return f.has("bag-127-0-0-1-8443") && !f.isCritical("bag-127-0-0-1-8443") })
	if got := log.count("not registered"); got != 1 {
		t.Errorf("got %d lines about one outage", got)
	}
	f.change(func() { f.away = true })
	p.stop() // in an orderly way all the same
}

// lines counts log lines.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func TestWithoutConsulNothingHappens(t *testing.T) {
	c := open(t, Config{})
	p := run(t, func(a *app.App) {
		if err := c.Join(a, "bag", "[::]:1"); err != nil {
			t.Error(err)
		}
		if c.Watch(a, "snapshot") != nil {
			t.Error("a watch without Consul has a channel")
		}
		c.Keeper(a, "snapshot", func(a, b string) bool { return a > b }).Keep("1")
	})
	if _, err := c.Instancer("bag"); err == nil || !strings.Contains(err.Error(), "not configured") {
		t.Errorf("got %v for a name without a catalogue", err)
	}
	p.stop()
}

func TestAConfigurationIsCheckedWhole(t *testing.T) {
	for _, tt := range []struct {
		name, listen string
		cfg          Config
		want         []string // none: it is right
	}{
		{"none at all", ":8443", Config{}, nil},
		{"an agent", "127.0.0.1:8443", Config{Address: "http://127.0.0.1:8500"}, nil},
		{"an agent with TLS", "10.0.0.1:8443", Config{Address: "https://consul:8501", CA: "ca.pem", Token: "x", Weight: 5}, nil},
		{"a part on all addresses that says where", ":8443", Config{Address: "http://127.0.0.1:8500", Advertise: "10.0.0.1:8443"}, nil},
		{"settings without an address", "h:1", Config{Weight: 1}, []string{"without an address"}},
		{"a part on all addresses", "0.0.0.0:8443", Config{Address: "http://127.0.0.1:8500"}, []string{"advertise is missing"}},
		{"a part on all addresses of IPv6", "[::]:8443", Config{Address: "http://127.0.0.1:8500"}, []string{"advertise is missing"}},
		{"everything wrong", "h:1", Config{Address: "127.0.0.1:8500", Weight: -1, Prefix: "/a", Advertise: "0.0.0.0:1"},
			[]string{"address", "weight", "prefix", "advertise"}},
		{"a port that is none", "h:1", Config{Address: "http://a", Advertise: "h:70000"}, []string{"advertise"}},
		{"an address with a path", "h:1", Config{Address: "http://a/v1"}, []string{"address"}},
		{"an authority without TLS", "h:1", Config{Address: "http://a", CA: "ca.pem"}, []string{"ca is given"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.cfg.Validate(tt.listen)
			if (err == nil) != (len(tt.want) == 0) {
				t.Errorf("got %v", err)
			}
			for _, want := range tt.want {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestOnlyAURLOfAnAgentOpensAClient(t *testing.T) {
	for _, bad := range []string{"127.0.0.1:8500", "ftp://x", "://"} {
		if _, err := Open(Config{Address: bad}, quiet); err == nil {
			t.Errorf("%q was taken for an agent", bad)
		}
	}
	if _, err := Open(Config{Address: "https://a", CA: "missing.pem"}, quiet); err == nil {
		t.Error("a client without its authorities was made")
	}
}
