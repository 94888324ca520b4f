package replay_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"noorderhub.nl/hub/services/authserver/internal/replay"
)

const leeway = 10 * time.Second

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T) (*miniredis.Miniredis, redis.UniversalClient) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	return server, client
}

func use(t *testing.T, m *replay.Memory, client, jti string, issued time.Time) replay.Verdict {
	t.Helper()
	verdict, err := m.Use(t.Context(), client, jti, issued, issued.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

func TestT17AnAssertionIsUsableOnceAcrossProcesses(t *testing.T) {
	_, client := open(t)
	c := &clock{time.Now()}
	one, two := replay.New(client, leeway, c.now), replay.New(client, leeway, c.now)
	if err := one.Begin(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name   string
		memory *replay.Memory
		client string
		jti    string
		want   replay.Verdict
	}{
		{"first use", one, "a", "1", replay.Fresh},
		{"again at the same process", one, "a", "1", replay.Used},
		{"again at another process", two, "a", "1", replay.Used},
		{"the same jti of another client", two, "b", "1", replay.Fresh},
		{"another jti", two, "a", "2", replay.Fresh},
		{"client and jti that join to the same text", one, "ab", "c", replay.Fresh},
		{"cut elsewhere", one, "a", "bc", replay.Fresh},
	} {
		if got := use(t, step.memory, step.client, step.jti, c.at); got != step.want {
			t.Errorf("%s: got %v, want %v", step.name, got, step.want)
		}
	}
}

func TestT17OfFiftyAtOnceOneGetsThrough(t *testing.T) {
	_, client := open(t)
	c := &clock{time.Now()}
	m := replay.New(client, leeway, c.now)
	if err := m.Begin(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	var fresh atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if v, err := m.Use(t.Context(), "a", "same", c.at, c.at.Add(time.Minute)); err == nil && v == replay.Fresh {
				fresh.Add(1)
			}
		})
	}
	wg.Wait()
	if got := fresh.Load(); got != 1 {
		t.Errorf("got %d that got through, want 1", got)
	}
}

func TestT17AfterAFlushWhatWasSignedBeforeIsRefused(t *testing.T) {
	server, client := open(t)
	begin := time.Unix(1_800_000_000, 0)
	c := &clock{begin}
	one, two := replay.New(client, leeway, c.now), replay.New(client, leeway, c.now)
	if err := one.Begin(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if got := use(t, one, "a", "used", begin); got != replay.Fresh {
		t.Fatalf("got %v before the flush", got)
	}
	server.FlushAll()
	c.at = begin.Add(5 * time.Second)
	for _, step := range []struct {
		name   string
		memory *replay.Memory
		issued time.Duration // after begin
		want   replay.Verdict
	}{
		{"the used one again", one, 0, replay.Forgotten},
		{"the used one at another process", two, 0, replay.Used}, // its mark is back since the line above
		{"one signed at the flush", two, 5 * time.Second, replay.Forgotten},
		{"one signed by a clock that runs ahead", two, 15 * time.Second, replay.Forgotten},
		{"one signed after the flush and the leeway", two, 16 * time.Second, replay.Fresh},
	} {
		jti := "used"
		if step.issued > 0 {
			jti = "used-" + step.issued.String()
		}
		// All in one bucket: each bucket has an epoch of its own and starts when it is first met again.
		if got := use(t, step.memory, "a", jti, begin.Add(step.issued)); got != step.want {
			t.Errorf("%s: got %v, want %v", step.name, got, step.want)
		}
	}
}

func TestAfterARestartOfAnOldServerAnEmptyMemoryIsALostOne(t *testing.T) {
	_, client := open(t)
	c := &clock{time.Unix(1_800_000_000, 0)}
	m := replay.New(client, leeway, c.now)
	if err := m.Begin(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if got := use(t, m, "a", "1", c.at.Add(-time.Second)); got != replay.Forgotten {
		t.Errorf("signed before the restart: got %v", got)
	}
	later := c.at.Add(m.ReadyAfter())
	c.at = later
	if got := use(t, m, "a", "2", later); got != replay.Fresh {
		t.Errorf("signed %s after the restart: got %v", m.ReadyAfter(), got)
	}
}

func TestAMarkLivesAsLongAsItsAssertion(t *testing.T) {
	server, client := open(t)
	c := &clock{time.Now()}
	m := replay.New(client, leeway, c.now)
	if err := m.Begin(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	use(t, m, "a", "1", c.at)
	server.FastForward(60 * time.Second)
	if got := use(t, m, "a", "1", c.at); got != replay.Used {
		t.Errorf("got %v at the end of the assertion's life", got)
	}
	server.FastForward(2 * time.Second)
	for _, key := range server.Keys() {
		if server.TTL(key) == 0 && !isEpoch(key) {
			t.Errorf("key %s never goes", key)
		}
	}
}

func isEpoch(key string) bool { return len(key) > 5 && key[len(key)-5:] == "epoch" }

func TestARedisThatIsAwayConcludesNothing(t *testing.T) {
	server, client := open(t)
	m := replay.New(client, leeway, time.Now)
	server.Close()
	if v, err := m.Use(t.Context(), "a", "1", time.Now(), time.Now().Add(time.Minute)); err == nil || v == replay.Fresh {
		t.Errorf("got %v, %v", v, err)
	}
	if err := m.Begin(t.Context(), true); err == nil {
		t.Error("began without Redis")
	}
}
